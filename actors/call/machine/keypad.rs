//! Keys that the caller presses: an answer to the pending question, a figure of a PIN, or something
//! for the model. A PIN is in no record, and the model never sees it.

use std::time::Duration;

use super::Machine;
use crate::briefing::Text;
use crate::call::consent::{Answer, MOST_WRONG_PINS, NO_KEY, Pin, Proof, Question, YES_KEY};
use crate::call::event::{Case, Means};
use crate::call::turn::Owed;
use crate::carrier::Digit;
use crate::clock::Instant;
use crate::model::{Command, Entry};
use crate::record::Fact;

/// The key that ends a PIN.
const END: char = '#';

/// The key that takes back what was entered.
const AGAIN: char = '*';

/// Keys that are pressed within this are meant together: people take less between two figures.
const BETWEEN: Duration = Duration::from_millis(1_200);

/// Keys told together at most.
const MOST_DIALLED: usize = 32;

impl Machine {
    pub(super) fn pressed(&mut self, digit: Digit, now: Instant) {
        self.active(now);
        if self.door_key(digit, now) || self.took_key(digit, now) {
            return;
        }
        self.note(Fact::Pressed);
        // No machine presses keys.
        self.machine = false;
        if self.recording_key(digit) {
            return;
        }
        let human = self.may_confirm();
        let open = |question: &&Question| question.heard.is_some_and(|at| at <= now) && human;
        match self.question.as_ref().filter(open).cloned() {
            // Whatever is pressed before the question was heard may be the PIN as well.
            None if self.awaits_pin() => {}
            None => self.dial(digit, now),
            Some(question) => match question.proof {
                // A yes to what was said after the question is none to it; a no is one.
                Proof::Yes
                    if digit.key() == NO_KEY
                        || (digit.key() == YES_KEY && question.latest.is_some()) =>
                {
                    self.answered_by_key(Case::Pressed(question, digit));
                }
                Proof::Yes => self.dial(digit, now),
                // The PIN was right, and they think better of it.
                Proof::Pin if question.answer == Some(Answer::Yes) && digit.key() == NO_KEY => {
                    self.answered_by_key(Case::Pressed(question, digit));
                }
                Proof::Pin => self.pin_figure(question, digit),
            },
        }
    }

    /// An answer that needs no words. Words that were said before it, and are not known yet, are
    /// an older answer.
    fn answered_by_key(&mut self, case: Case) {
        if let Some(question) = &mut self.question {
            question.answering = None;
        }
        self.judge(case);
    }

    fn awaits_pin(&self) -> bool {
        self.question.as_ref().is_some_and(|question| question.proof == Proof::Pin)
    }

    fn pin_figure(&mut self, question: Question, digit: Digit) {
        let whole = match digit.key() {
            AGAIN => {
                self.entered = Pin::default();
                false
            }
            END => true,
            _ => self.entered.push(digit),
        };
        if whole && !self.entered.is_empty() {
            let pin = std::mem::take(&mut self.entered);
            if question.latest.is_some() {
                return self.answered_by_key(Case::Entered(question, pin));
            }
            self.whisper(
                "The caller entered something, but you have said something else since the \
                 question: put the question again as you were told, then ask for the PIN.",
            );
            self.turn.owe(Owed::Answer);
        }
    }

    /// A key for the conversation: those that are pressed one after the other are told together.
    fn dial(&mut self, digit: Digit, now: Instant) {
        self.dialled.0.push(digit.key());
        if digit.key() == END || self.dialled.0.len() >= MOST_DIALLED {
            self.tell_keys();
        } else {
            self.dialled_until = Some(now + BETWEEN);
        }
    }

    /// Nothing more has been pressed for a moment.
    pub(super) fn watch_dialled(&mut self, now: Instant) {
        if self.dialled_until.is_some_and(|then| now >= then) {
            self.tell_keys();
        }
    }

    /// Tells the model of keys; what they mean is for the conversation. What is kept of them is
    /// masked.
    fn tell_keys(&mut self) {
        self.dialled_until = None;
        let keys = std::mem::take(&mut self.dialled);
        let told = |keys: &str| Text(format!("The caller pressed on the keypad: {keys}"));
        let kept = self.log.answer_kept(keys.as_str());
        self.log.note(told(&kept));
        self.tell(Command::Remember(Entry::Note(told(keys.as_str()))));
        self.turn.owe(Owed::Answer);
    }

    /// An answer that the model has not heard, for it was not spoken.
    pub(super) fn tell_of_keys(&mut self, answer: Answer, by: Means) {
        let text = match (by, answer) {
            (Means::Key, Answer::Yes) => "The caller pressed the key for yes.",
            (Means::Key, Answer::No | Answer::Unclear) => "The caller pressed the key for no.",
            (Means::Pin, _) => "The caller entered the right PIN.",
            (Means::Voice | Means::Time | Means::Question, _) => return,
        };
        self.whisper(text);
        self.turn.owe(Owed::Answer);
    }

    /// A wrong PIN: asked for again, until too many were wrong.
    pub(super) fn wrong_pin(&mut self, now: Instant) {
        let Some(question) = &self.question else { return };
        let name = question.job.name.clone();
        self.wrong_pins += 1;
        self.note(Fact::ConfirmationStep { name: name.clone(), step: "wrong_pin" });
        if self.wrong_pins < MOST_WRONG_PINS {
            self.whisper(
                "That PIN was wrong. Say so, put the question again as you were told, and ask the \
                 caller to enter the PIN again.",
            );
        } else {
            self.question = None;
            self.judge(Case::Drop);
            self.settled(name, "locked", Means::Pin);
            self.refuse_claims("locked", "I cannot do that on this call.", "do not ask again", now);
            self.whisper(
                "The PIN was wrong too often. Nothing that needs it can be done on this call; \
                 tell the caller so.",
            );
        }
        self.turn.owe(Owed::Answer);
    }

    /// Whether a PIN can still approve something on this call.
    pub(super) fn is_pin_open(&self) -> bool {
        self.briefing.pin.is_some() && self.wrong_pins < MOST_WRONG_PINS
    }
}
