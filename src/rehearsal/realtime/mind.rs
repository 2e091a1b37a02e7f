//! What the simulated model says: pure functions of the conversation, the instructions and the
//! offered tools, so that a session rebuilt by replay goes on as the lost one would have, and a
//! turn that was lost or doubled on the way shows as a wrong answer. Knows no audio and no wire.

use super::conversation::{Entry, Role};

mod approval;
mod behind;
mod calendar;
mod chatter;
mod directive;
mod follow_up;
mod inquiry;
mod line;
mod manners;
mod phrase;
mod reservation;
mod task_line;

/// What a mind is shown before it answers.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The conversation in its order; of our own speech only what was heard.
    pub entries: &'a [Entry],
    /// The instructions in force for this response.
    pub instructions: &'a str,
    /// The names of the tools on offer.
    pub tools: &'a [String],
}

/// One thing to do in a response, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Speak.
    Say(String),
    /// Ask for a tool.
    Call {
        /// The tool.
        name: String,
        /// JSON text.
        arguments: String,
    },
}

/// One character with its rules.
pub trait Mind: Sync {
    /// What it does next in this conversation.
    fn answer(&self, view: &View<'_>) -> Vec<Act>;

    /// The sentences it knows by heart, for going on after a cut.
    fn lines(&self) -> &'static [&'static str];

    /// What it leaves on an answering machine.
    fn message(&self) -> &'static str {
        "Hello, this is Tandem. Please call back. Goodbye."
    }

    /// What it looks for in a menu.
    fn wants(&self) -> &'static str {
        "an operator"
    }
}

/// Answers as the instructions in force demand: a directive first, else the mind they describe.
#[must_use]
pub fn think(view: &View<'_>) -> Vec<Act> {
    let mind = choose(view.instructions);
    match directive::find(view.instructions) {
        Some(directive::Directive::Exactly(text)) => say(text),
        Some(directive::Directive::ContinueAfter(heard)) => directive::go_on(mind, view, heard),
        Some(directive::Directive::LeaveMessage) => manners::introduced(view, say(mind.message())),
        Some(directive::Directive::NobodyTakesOver) => say(directive::ALONE),
        Some(directive::Directive::Introduce) => say(directive::INTRODUCTION),
        Some(directive::Directive::Apologise) => say(directive::SORRY),
        Some(directive::Directive::TellNews) => directive::news(view),
        Some(directive::Directive::TellRecording) => {
            manners::introduced(view, say(directive::RECORDED))
        }
        Some(directive::Directive::AskRecording) => {
            manners::introduced(view, say(directive::MAY_RECORD))
        }
        Some(directive::Directive::Disclose) => say(manners::INTRODUCTION),
        None if directive::introduces(view) => say(directive::INTRODUCTION),
        None => manners::answer(mind, view),
    }
}

/// The call by which a model confirms for itself, in place of putting the question that a tool
/// has just answered with.
pub(super) fn claim(view: &View<'_>) -> Option<Act> {
    match view.moment() {
        Moment::Answered { .. } => task_line::open_question(view).map(|(again, _)| again),
        Moment::Opening | Moment::Heard(_) | Moment::Waiting | Moment::Idle => None,
    }
}

/// Instructions as a model reads them that passes over the rule to say first what it is.
pub(super) fn without_disclosure(instructions: &str) -> String {
    manners::without_first(instructions)
}

/// The mind that the instructions describe: by the line that begins with `Task:`, or by all of
/// the text when there is none. Instructions given with one response replace the session's, so a
/// response whose instructions do not name the task is answered without knowing it.
fn choose(instructions: &str) -> &'static dyn Mind {
    let task = instructions.lines().find_map(|line| line.trim().strip_prefix("Task:"));
    let described = phrase::plain(task.unwrap_or(instructions));
    let is = |words: &[&str]| words.iter().any(|word| described.contains(word));
    if is(&["have an operation approved"]) {
        &approval::Approval
    } else if is(&["follow up call"]) {
        &follow_up::FollowUp
    } else if is(&["agree to nothing"]) {
        &inquiry::Inquiry
    } else if is(&["task line", "task list", "tasks"]) {
        &task_line::TaskLine
    } else if is(&["reserv", "a table"]) {
        &reservation::Reservation
    } else {
        &chatter::Chatter
    }
}

fn say(text: impl Into<String>) -> Vec<Act> {
    vec![Act::Say(text.into())]
}

/// Where the conversation stands.
enum Moment<'a> {
    /// Nobody has said anything.
    Opening,
    /// The caller has just said this; empty when it was not understood.
    Heard(&'a str),
    /// A tool has answered and nothing was said since.
    Answered { name: &'a str, arguments: &'a str, output: &'a str },
    /// A tool was asked for and has not answered.
    Waiting,
    /// We spoke last.
    Idle,
}

impl<'a> View<'a> {
    /// The last thing that happened, system messages aside. A tool that was never on offer is
    /// passed over with its answer: the caller's words before it are still to be answered.
    fn moment(&self) -> Moment<'a> {
        for entry in self.entries.iter().rev() {
            match entry {
                Entry::Message { role: Role::System, .. } => {}
                Entry::Message { role: Role::User, text } => return Moment::Heard(text),
                Entry::Message { role: Role::Assistant, .. } => return Moment::Idle,
                Entry::Call { name, .. } if self.offers(name) => return Moment::Waiting,
                Entry::Output { call_id, output } => {
                    if let Some((name, arguments)) = self.call(call_id)
                        && self.offers(name)
                    {
                        return Moment::Answered { name, arguments, output };
                    }
                }
                Entry::Call { .. } => {}
            }
        }
        Moment::Opening
    }

    /// Whether this was put into the conversation since we spoke.
    fn was_told(&self, words: &str) -> bool {
        let since = self.entries.iter().rev().take_while(|entry| {
            !matches!(entry, Entry::Message { role: Role::Assistant, .. } | Entry::Output { .. })
        });
        let told = |entry: &Entry| match entry {
            Entry::Message { role: Role::System, text } => text.contains(words),
            Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => false,
        };
        since.into_iter().any(told)
    }

    fn offers(&self, tool: &str) -> bool {
        self.tools.iter().any(|name| name == tool)
    }

    fn call(&self, id: &str) -> Option<(&'a str, &'a str)> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Call { call_id, name, arguments } if call_id == id => {
                Some((name.as_str(), arguments.as_str()))
            }
            Entry::Call { .. } | Entry::Output { .. } | Entry::Message { .. } => None,
        })
    }

    /// What a tool answered while the caller spoke, when nothing was said since: it is still to be
    /// told, with the answer to what the caller said.
    fn untold(&self) -> Option<String> {
        let spoken = |entry: &&Entry| {
            !matches!(entry, Entry::Message { role: Role::User | Role::System, .. })
        };
        let Entry::Output { call_id, output } = self.entries.iter().rev().find(spoken)? else {
            return None;
        };
        self.call(call_id).filter(|(name, _)| self.offers(name))?;
        let answer: serde_json::Value = serde_json::from_str(output).ok()?;
        answer["spoken_message"].as_str().filter(|words| !words.is_empty()).map(str::to_owned)
    }

    fn has_called(&self, tool: &str) -> bool {
        self.entries.iter().any(|entry| match entry {
            Entry::Call { name, .. } => name == tool,
            Entry::Output { .. } | Entry::Message { .. } => false,
        })
    }

    /// Everything we said that was heard, as plain words in one run.
    fn own_words(&self) -> String {
        let mut words = String::new();
        for entry in self.entries {
            if let Entry::Message { role: Role::Assistant, text } = entry {
                words.push(' ');
                words.push_str(&phrase::plain(text));
            }
        }
        words
    }

    /// Whether the whole line was heard, in one piece or in several.
    fn has_said(&self, line: &str) -> bool {
        self.own_words().contains(&phrase::plain(line))
    }

    /// Whether at least the first half of the line was heard.
    fn has_begun(&self, line: &str) -> bool {
        let plain = phrase::plain(line);
        let words: Vec<&str> = plain.split(' ').collect();
        self.own_words().contains(&words[..words.len().div_ceil(2)].join(" "))
    }

    /// Our last sentence; one that was cut off is given whole when it is known by heart.
    fn last_sentence(&self, known: &[&'static str]) -> Option<String> {
        let last = self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Message { role: Role::Assistant, text } if !text.is_empty() => Some(text),
            Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => None,
        })?;
        let whole = known.iter().find(|line| phrase::rest_after(line, last).is_some());
        Some(whole.map_or_else(|| last.clone(), |line| (*line).to_owned()))
    }

    /// Asks for the line to be cut, when that is on offer.
    fn hang_up(&self) -> Option<Act> {
        let call = || Act::Call { name: "hang_up".to_owned(), arguments: "{}".to_owned() };
        self.offers("hang_up").then(call)
    }
}

#[cfg(test)]
mod tests;
