//! Keys that the caller presses: an answer to the pending question, a figure of a PIN, or something
//! for the model. A PIN is in no record, and the model never sees it.

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

impl Machine {
    pub(super) fn pressed(&mut self, digit: Digit, now: Instant) {
        self.active(now);
        self.note(Fact::Pressed);
        // No machine presses keys.
        self.machine = false;
        let human = self.may_confirm();
        let open = |question: &&Question| question.heard.is_some_and(|at| at <= now) && human;
        match self.question.as_ref().filter(open).cloned() {
            // Whatever is pressed before the question was heard may be the PIN as well.
            None if self.awaits_pin() => {}
            None => self.tell_key(digit),
            Some(question) => match question.proof {
                // A yes to what was said after the question is none to it; a no is one.
                Proof::Yes
                    if digit.key() == NO_KEY || (digit.key() == YES_KEY && question.latest) =>
                {
                    self.judge(Case::Pressed(question, digit));
                }
                Proof::Yes => self.tell_key(digit),
                Proof::Pin => self.pin_figure(question, digit),
            },
        }
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
            if question.latest {
                return self.judge(Case::Entered(question, pin));
            }
            self.whisper(
                "The caller entered something, but you have said something else since the \
                 question: put the question again as you were told, then ask for the PIN.",
            );
            self.turn.owe(Owed::Answer);
        }
    }

    /// Tells the model of a key; what it means is for the conversation.
    fn tell_key(&mut self, digit: Digit) {
        self.whisper(&format!("The caller pressed the key {}.", digit.key()));
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

    /// Puts a fact into the conversation that nobody said.
    fn whisper(&mut self, text: &str) {
        let text = Text::from(text);
        self.log.note(text.clone());
        self.tell(Command::Remember(Entry::Note(text)));
    }
}
