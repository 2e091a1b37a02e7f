//! Orders that instructions give word by word, and going on after a cut.

use super::{Act, Mind, View, manners, phrase, say};
use crate::rehearsal::realtime::conversation::{Entry, Role};

/// What is said when the cut sentence cannot be found again.
const LOST_THREAD: &str = "As I was saying.";

/// What is said when a human has joined.
pub(super) const INTRODUCTION: &str =
    "This caller wants to speak to a human. My colleague is here for you now.";

/// What is said of a recording.
pub(super) const RECORDED: &str = "This call is recorded.";
pub(super) const MAY_RECORD: &str = "May this call be recorded?";

/// What is said when nobody can take over.
pub(super) const ALONE: &str = "I am sorry, nobody can take over. I will help you myself.";

/// What is said when the line was cut for a moment.
pub(super) const SORRY: &str = "I am sorry, we were cut off for a moment. Are you still there?";

/// An order found in instructions.
pub(super) enum Directive<'a> {
    /// `Say exactly: "…"`
    Exactly(&'a str),
    /// `Continue after: "…"`, in quotes what was heard last.
    ContinueAfter(&'a str),
    /// An answering machine records.
    LeaveMessage,
    /// A hand-over has failed.
    NobodyTakesOver,
    /// The line was cut for a moment.
    Apologise,
    /// A human has joined, to whom the caller is introduced.
    Introduce,
    /// The other side does not know that they are recorded.
    TellRecording,
    /// They have not been asked whether they may be.
    AskRecording,
    /// The other side does not know that it is an AI.
    Disclose,
    /// The last note of the conversation is news for the caller.
    TellNews,
}

/// Finds an order. The quoted text ends at the last quotation mark of its line, so that it may
/// hold quotation marks itself.
pub(super) fn find(instructions: &str) -> Option<Directive<'_>> {
    let quoted = |lead: &str| {
        let start = instructions.to_ascii_lowercase().find(lead)? + lead.len();
        let line = instructions[start..].lines().next()?;
        let text = line.trim_start().strip_prefix('"')?;
        Some(&text[..text.rfind('"')?])
    };
    let told = |words: &str| instructions.to_ascii_lowercase().contains(words);
    quoted("say exactly:")
        .map(Directive::Exactly)
        .or_else(|| quoted("continue after:").map(Directive::ContinueAfter))
        .or_else(|| told("has to know that you are an ai").then_some(Directive::Disclose))
        .or_else(|| {
            told("has to know that this call is recorded").then_some(Directive::TellRecording)
        })
        .or_else(|| {
            told("asked for their consent to a recording").then_some(Directive::AskRecording)
        })
        .or_else(|| told("the answering machine records now").then_some(Directive::LeaveMessage))
        .or_else(|| told("the hand-over has failed").then_some(Directive::NobodyTakesOver))
        .or_else(|| told("the colleague is in the call now").then_some(Directive::Introduce))
        .or_else(|| told("the line was cut for a moment").then_some(Directive::Apologise))
        .or_else(|| told("news has just come").then_some(Directive::TellNews))
}

/// What follows `heard`: the rest of the sentence that the mind would give in this conversation,
/// with the tool calls that belonged to it and were not made, or of one it knows by heart.
pub(super) fn go_on(mind: &dyn Mind, view: &View<'_>, heard: &str) -> Vec<Act> {
    let unspoken = View { entries: without_last_speech(view.entries), ..*view };
    let acts = manners::answer(mind, &unspoken);
    for (at, act) in acts.iter().enumerate() {
        let Act::Say(line) = act else { continue };
        if let Some(rest) = phrase::rest_after(line, heard).filter(|rest| !rest.is_empty()) {
            let open = acts[at + 1..].iter().filter(|act| !is_made(view, act));
            return say(rest).into_iter().chain(open.cloned()).collect();
        }
    }
    let known = mind.lines().iter().find_map(|line| phrase::rest_after(line, heard));
    say(known.filter(|rest| !rest.is_empty()).unwrap_or(LOST_THREAD))
}

/// Whether a human has joined to whom the caller has not been introduced.
pub(super) fn introduces(view: &View<'_>) -> bool {
    let joined = view.entries.iter().any(|entry| match entry {
        Entry::Message { role: Role::System, text } => text.contains("has joined the call"),
        Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => false,
    });
    joined && !view.has_said(INTRODUCTION)
}

/// Tells the last note: what stands behind its first colon.
pub(super) fn news(view: &View<'_>) -> Vec<Act> {
    let note = view.entries.iter().rev().find_map(|entry| match entry {
        Entry::Message { role: Role::System, text } => Some(text.as_str()),
        Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => None,
    });
    let news = note.map(|note| note.split_once(": ").map_or(note, |(_, news)| news));
    say(news.map_or(LOST_THREAD.to_owned(), |news| format!("I have news. {news}")))
}

fn is_made(view: &View<'_>, act: &Act) -> bool {
    match act {
        Act::Say(_) => false,
        Act::Call { name, .. } => view.has_called(name),
    }
}

/// The conversation as it stood before we spoke last; notes of the system may stand behind that.
fn without_last_speech(entries: &[Entry]) -> &[Entry] {
    let kept = entries.iter().rposition(|entry| match entry {
        Entry::Message { role, .. } => *role == Role::User,
        Entry::Call { .. } | Entry::Output { .. } => true,
    });
    &entries[..kept.map_or(0, |at| at + 1)]
}
