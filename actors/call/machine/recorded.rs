//! Whether the call may be recorded, where whoever is there has to know of it or to agree: nothing
//! is recorded before that has been heard, or before their clear yes.

use super::{Machine, Phase};
use crate::briefing::Recording;
use crate::call::consent::{Answer, LIFE, NO_KEY, YES_KEY};
use crate::call::disclosure;
use crate::call::event::Media;
use crate::call::turn::Owed;
use crate::call::yes_no;
use crate::carrier::Digit;
use crate::clock::Instant;
use crate::record::Fact;

/// How often the model is asked for it; one that does not say it by then does not.
const MOST_ORDERED: u32 = 3;

const TELL: &str = "The other side has to know that this call is recorded. Say so now, in one \
short sentence in their language. Say nothing else, but that you are an AI where you must say that \
first, and call no tool.";

const ASK: &str = "The other side has to be asked for their consent to a recording. Ask now, in \
one short question in their language, whether this call may be recorded; they can say yes or no, \
or press 1 or 2. Say nothing else, but that you are an AI where you must say that first, and call \
no tool.";

/// How far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    /// It is still to be said, or to be asked.
    #[default]
    Due,
    /// It has been asked; since when that has been heard.
    Asked(Instant),
    /// It is known whether there is a recording.
    Settled,
}

/// What whoever is there knows of it and says to it.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    step: Step,
    /// A turn says it, or asks, and it is not certain yet that nothing of it is missing.
    said: bool,
    ordered: u32,
    asked: bool,
    /// A turn of the caller that may be the answer has begun.
    answering: bool,
    /// The greeting has had to wait for it.
    greets: bool,
}

impl Recorded {
    /// What we said was cut off.
    pub(super) fn cut(&mut self) {
        self.said = false;
    }
}

impl Machine {
    fn owes_recording(&self) -> bool {
        self.briefing.recording != Recording::FromTheStart && self.recorded.step != Step::Settled
    }

    /// What opens the call: the greeting, or first what has to be said before it.
    pub(super) fn opening(&mut self) -> Owed {
        if self.owes_recording() && self.recorded.step == Step::Due {
            self.recorded.greets = true;
            return self.recording_order();
        }
        Owed::Guided(self.briefing.greeting.clone())
    }

    fn recording_order(&mut self) -> Owed {
        self.recorded.ordered += 1;
        let order = if self.briefing.recording == Recording::Announced { TELL } else { ASK };
        Owed::Guided(order.into())
    }

    /// A turn of ours has been heard.
    pub(super) fn heard_of_recording(&mut self, words: &str) {
        let language = self.briefing.language.as_deref();
        self.recorded.said |= match self.briefing.recording {
            Recording::FromTheStart => false,
            Recording::Announced => disclosure::tells_of_recording(words, language),
            Recording::Asked => disclosure::asks_to_record(words, language),
        };
    }

    /// We say something else: a yes to that is none to the question before it.
    pub(super) fn recording_overtaken(&mut self) {
        if matches!(self.recorded.step, Step::Asked(_)) && !self.recorded.answering {
            self.recorded.step = Step::Due;
        }
    }

    /// Nothing of ours is left to hear: it was said, or the model is asked to say it.
    pub(super) fn watch_recording(&mut self, now: Instant) {
        let whole = !self.turn.is_speaking() && !self.turn.is_responding();
        let talking = matches!(self.phase, Phase::Talking { .. });
        if !whole || !talking || !self.owes_recording() || self.recorded.step != Step::Due {
            return;
        }
        if std::mem::take(&mut self.recorded.said) {
            if self.briefing.recording == Recording::Announced {
                return self.recorded_from_here("announced");
            }
            self.recorded.step = Step::Asked(now);
            self.recorded.asked = true;
            return self.note(Fact::Recording { step: "asked" });
        }
        let somebody = self.is_attended() && self.who.may_be_human() && !self.turn.is_due();
        if !somebody {
            return;
        }
        if self.recorded.ordered >= MOST_ORDERED {
            return self.not_recorded(self.unsettled());
        }
        let order = self.recording_order();
        self.turn.owe(order);
    }

    pub(super) fn recording_deadline(&self) -> Option<Instant> {
        match self.recorded.step {
            Step::Asked(since) if !self.recorded.answering => Some(since + LIFE),
            Step::Asked(_) | Step::Due | Step::Settled => None,
        }
    }

    /// Who does not answer has not agreed.
    pub(super) fn watch_consent(&mut self, now: Instant) {
        if self.recording_deadline().is_some_and(|then| now >= then) {
            self.not_recorded("no_answer");
        }
    }

    /// The caller begins to speak.
    pub(super) fn recording_answering(&mut self, began: Instant) {
        if let Step::Asked(since) = self.recorded.step {
            self.recorded.answering = since <= began && self.may_confirm();
        }
    }

    /// The caller's words are known.
    pub(super) fn recording_answered(&mut self, words: &crate::briefing::Text) {
        if !std::mem::take(&mut self.recorded.answering) {
            return;
        }
        match yes_no::read(words, self.briefing.language.as_deref()) {
            Answer::Yes => self.recorded_from_here("agreed"),
            Answer::No => self.not_recorded("declined"),
            Answer::Unclear if self.recorded.ordered < MOST_ORDERED => {
                self.recorded.step = Step::Due;
                self.recorded.said = false;
            }
            Answer::Unclear => self.not_recorded("no_answer"),
        }
    }

    /// A key, if it is the answer. Returns whether it was.
    pub(super) fn recording_key(&mut self, digit: Digit) -> bool {
        let asked = matches!(self.recorded.step, Step::Asked(_));
        if !asked || ![YES_KEY, NO_KEY].contains(&digit.key()) {
            return false;
        }
        self.recorded.answering = false;
        if digit.key() == YES_KEY {
            self.recorded_from_here("agreed");
        } else {
            self.not_recorded("declined");
        }
        self.turn.owe(Owed::Answer);
        true
    }

    fn recorded_from_here(&mut self, step: &'static str) {
        self.note(Fact::Recording { step });
        self.media(Media::Record(true));
        self.recorded.step = Step::Settled;
        self.greet_late();
    }

    fn not_recorded(&mut self, step: &'static str) {
        self.note(Fact::Recording { step });
        self.whisper("This call is not recorded; do not ask for that again.");
        self.recorded.step = Step::Settled;
        self.greet_late();
    }

    /// The greeting that had to wait; whoever has just answered is answered.
    fn greet_late(&mut self) {
        if std::mem::take(&mut self.recorded.greets) && self.turn.is_still() {
            self.turn.owe(Owed::Guided(self.briefing.greeting.clone()));
        }
    }

    /// Somebody else may be there, who has agreed to nothing.
    pub(super) fn forget_recording(&mut self) {
        if self.briefing.recording != Recording::FromTheStart {
            self.recorded = Recorded::default();
            self.media(Media::Record(false));
        }
    }

    /// The call is over, and it was not settled.
    pub(super) fn recording_unsettled(&mut self) {
        if self.owes_recording() {
            self.note(Fact::Recording { step: self.unsettled() });
        }
    }

    const fn unsettled(&self) -> &'static str {
        if self.recorded.asked { "no_answer" } else { "not_said" }
    }
}
