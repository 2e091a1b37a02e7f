//! What a caller enters on the keypad and nobody may hear: while it is entered, the model hears
//! nothing and says nothing, the recording is silent on both sides, and the keys go nowhere.
//! Whether something was given, and whether it can be what was asked for, is all that is told.

use std::time::Duration;

use super::{Machine, Phase, Session};
use crate::briefing::Text;
use crate::call::answer::Course;
use crate::call::event::Media;
use crate::call::ledger::State;
use crate::call::restricted::{self, What};
use crate::carrier::Digit;
use crate::clock::Instant;
use crate::listener::Listening;
use crate::model::Command;
use crate::record::Fact;
use crate::tool::{Done, ToolCallId, Verdict};

/// From the last word of the request to the first key: time to find the card.
const FIRST: Duration = Duration::from_secs(30);

/// From one key to the next: time to look at the card again.
const NEXT: Duration = Duration::from_secs(10);

/// All of it at most: nobody is left unheard for longer.
const LONGEST: Duration = Duration::from_secs(90);

/// After the last key the line stays private for this long: its tone may still be on it.
const LINGER: Duration = Duration::from_millis(500);

/// The key that ends it.
const END: char = '#';

/// The key that takes back what was entered.
const AGAIN: char = '*';

/// What is being entered.
#[derive(Debug)]
pub(super) struct Taking {
    /// The tool call that waits for it.
    id: ToolCallId,
    what: What,
    /// It is whole with so many figures.
    most: usize,
    entered: Text,
    /// Whether the caller has been asked for it.
    requested: bool,
    since: Instant,
    /// It is whole, and ends then.
    ends: Option<Instant>,
}

impl Machine {
    /// The model wants something entered; of how many figures, where that is known.
    pub(super) fn asked_to_take(
        &mut self,
        id: &ToolCallId,
        what: What,
        figures: Option<usize>,
        now: Instant,
    ) {
        let free = matches!(self.phase, Phase::Talking { .. })
            && self.is_attended()
            && self.question.is_none()
            && self.transfer.is_none()
            && self.who.may_be_human();
        if !free {
            let suggestion = "first settle what is going on, then call this again";
            return self.told(id, Done::fault(Verdict::User, "not_now", "", suggestion), now);
        }
        if let Some(row) = self.ledger.row(id) {
            row.state = State::Taking;
        }
        self.note(Fact::Restricted { what: what.word(), step: "asked" });
        let most = figures.unwrap_or(*what.figures().end());
        let (id, entered) = (id.clone(), Text::default());
        let taking = Taking { id, what, most, entered, requested: false, since: now, ends: None };
        self.taking = Some(taking);
        self.course = Course::Take;
        self.turn.unheard();
        self.media(Media::Listen(Listening::Privately));
    }

    /// A key, if something is being entered. Returns whether it was for that.
    pub(super) fn took_key(&mut self, digit: Digit, now: Instant) -> bool {
        let Some(taking) = &mut self.taking else { return false };
        if taking.ends.is_some() {
            return true;
        }
        match digit.key() {
            AGAIN => taking.entered = Text::default(),
            END => taking.ends = Some(now + LINGER),
            key => taking.entered.0.extend(Some(key).filter(char::is_ascii_digit)),
        }
        if taking.entered.as_str().len() >= taking.most {
            taking.ends = Some(now + LINGER);
        }
        true
    }

    /// Asks the caller, when the model has not, and ends it when it is time.
    pub(super) fn watch_taking(&mut self, now: Instant) {
        let said = self.said_something;
        let Some(taking) = &mut self.taking else { return };
        if !taking.requested && self.session == Session::Up && self.turn.is_free() {
            taking.requested = true;
            let name = taking.what.name();
            if !said && let Some(tag) = self.turn.aside(now) {
                let instructions = Text(format!(
                    "Say this and nothing else, in the language of the conversation: ask the \
                     caller to enter their {name} on the keypad and to end with the hash key; \
                     nobody listens or records meanwhile."
                ));
                self.tell(Command::Aside { tag, instructions });
            }
        }
        if self.taking_deadline().is_some_and(|then| now >= then) {
            self.taken(now);
        }
    }

    pub(super) fn taking_deadline(&self) -> Option<Instant> {
        let Taking { entered, since, ends, .. } = self.taking.as_ref()?;
        let pause = if entered.as_str().is_empty() { FIRST } else { NEXT };
        // A request that is still being said is waited for.
        let quiet = Some(self.sign + pause).filter(|_| !self.turn.is_speaking());
        let longest = *since + LONGEST;
        Some(ends.or(quiet).unwrap_or(longest).min(longest))
    }

    /// It is over, with what has been entered so far. The line is an open one again.
    pub(super) fn taken(&mut self, now: Instant) {
        let Some(Taking { id, what, entered, .. }) = self.taking.take() else { return };
        self.course = Course::Talk;
        self.media(Media::Listen(Listening::Nothing));
        let done = verdict(what, entered.as_str());
        let step = if done.verdict == Verdict::Success { "given" } else { "not_given" };
        self.note(Fact::Restricted { what: what.word(), step });
        self.told(&id, done, now);
        // Who is there may have become known meanwhile.
        self.take_course(now);
    }
}

/// What the model is told: that it was given, or what was wrong with it.
fn verdict(what: What, entered: &str) -> Done {
    let keys = entered.len();
    if keys == 0 {
        let suggestion = "nothing was entered: ask whether they want to try again";
        return Done::fault(Verdict::User, "not_given", "", suggestion);
    }
    if !what.figures().contains(&keys) {
        let suggestion = "too few figures were entered: ask them to do it again";
        return Done::fault(Verdict::User, "incomplete", "", suggestion);
    }
    let name = what.name();
    let valid = match what {
        What::CardNumber if !restricted::has_right_check(entered) => {
            let words = "That is not the number of a card.";
            let suggestion = "ask them to enter it again and call this again";
            return Done::fault(Verdict::User, "wrong_check", words, suggestion);
        }
        What::CardNumber => r#","check_figure":"right""#,
        What::Code | What::Pin | What::Password => "",
    };
    let output = format!(r#"{{"status":"success","given":"{name}","keys":{keys}{valid}}}"#);
    Done { verdict: Verdict::Success, output: Text(output) }
}
