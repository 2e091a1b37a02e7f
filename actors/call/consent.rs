//! The guard's rules: what a question is bound to, what has put it, what counts as a fresh human
//! yes. Pure.

use std::fmt;
use std::time::Duration;

use crate::briefing::Text;
use crate::call::yes_no;
use crate::carrier::Digit;
use crate::clock::Instant;
use crate::tool::{Job, ToolCallId};

/// How long an approval may be given and used, counted from the moment the question was heard.
/// The lesson's figure: long enough to think, too short to be forgotten.
pub const LIFE: Duration = Duration::from_secs(30);

/// How long a question may take to be spoken before its life begins anyway.
pub const UNHEARD: Duration = Duration::from_secs(30);

/// How often one question is put: who has not answered it clearly by then does not want it.
pub const MOST_ASKED: u32 = 3;

/// Wrong PINs in one call before nothing can be approved by PIN any more.
pub const MOST_WRONG_PINS: u32 = 3;

/// Digits of a PIN.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=12;

/// The key that means yes to a question.
pub const YES_KEY: char = '1';

/// The key that means no.
pub const NO_KEY: char = '2';

/// A question to the human, with everything that has happened to it.
#[derive(Clone, Debug)]
pub struct Question {
    /// The job that waits for it, as first asked.
    pub job: Job,
    /// The words.
    pub words: Text,
    /// What in it must have been heard: the names and numbers of the effect.
    pub subject: Text,
    /// What an approval is bound to.
    pub fingerprint: String,
    /// What an approval takes.
    pub proof: Proof,
    /// The tool call whose output put it last; what was heard after that counts.
    pub put_by: ToolCallId,
    /// Which putting of a question this is, counted over the call: a ruling is on one of them.
    pub number: u64,
    /// How often it has been put.
    pub times: u32,
    /// When it was put.
    pub asked: Instant,
    /// When it had been heard to its end; nothing before then counts as an answer.
    pub heard: Option<Instant>,
    /// Whether a response that can have put it has begun since it was asked.
    pub voiced: Voiced,
    /// When the caller's turn began that may answer it.
    pub answering: Option<Instant>,
    /// What the human said to it.
    pub answer: Option<Answer>,
}

/// What an approval takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A human's clear yes: spoken, or the key for it.
    Yes,
    /// The PIN, on the keypad.
    Pin,
}

/// Whether a question has been put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voiced {
    /// The model has its words; it has not begun to say them.
    NotYet,
    /// It has begun.
    Begun,
}

/// What a human's words mean as an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A clear yes.
    Yes,
    /// A clear no.
    No,
    /// Neither.
    Unclear,
}

/// Digits that somebody entered to prove who they are. Never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pin(Vec<Digit>);

impl Pin {
    /// A PIN of [`PIN_DIGITS`] figures; nothing when it is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let figures = text.chars().all(|figure| figure.is_ascii_digit());
        let digits: Option<Vec<Digit>> = text.chars().map(Digit::new).collect();
        digits.filter(|digits| figures && PIN_DIGITS.contains(&digits.len())).map(Self)
    }

    /// One more digit was entered. Returns whether as many are there as a PIN can have.
    pub fn push(&mut self, digit: Digit) -> bool {
        self.0.push(digit);
        self.0.len() >= *PIN_DIGITS.end()
    }

    /// How many digits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing has been entered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the other is the same; looks at every digit whichever differs.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        let same = |(ours, theirs): (&Digit, &Digit)| u32::from(ours.key() != theirs.key());
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).map(same).sum::<u32>() == 0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(..)")
    }
}

impl Question {
    /// When it ends by itself.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.heard.map_or(self.asked + UNHEARD, |heard| heard + LIFE)
    }

    /// Whether these words, which the caller has heard, have put it: most of what it is about was
    /// among them. A model that asks something else has not asked this, whatever is answered. The
    /// rest of the sentence is not compared, for it may be put in another language.
    #[must_use]
    pub fn is_put_by(&self, heard: &str) -> bool {
        let heard = yes_no::plain(heard);
        let subject = yes_no::plain(self.subject.as_str());
        let words: Vec<&str> = subject.split_whitespace().collect();
        let said = words.iter().filter(|word| heard.contains(**word)).count();
        !heard.trim().is_empty() && said * 2 >= words.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::briefing::CallId;
    use crate::clock;

    fn question(subject: &str) -> Question {
        let id = ToolCallId("t".into());
        let (call, name) = (CallId::new("c"), "wipe".to_owned());
        Question {
            job: Job { call, id: id.clone(), name, arguments: "{}".into(), scene: None },
            words: "Shall I delete the task Buy milk?".into(),
            subject: subject.into(),
            fingerprint: String::new(),
            proof: Proof::Yes,
            put_by: id,
            number: 1,
            times: 1,
            asked: clock::now(),
            heard: None,
            voiced: Voiced::Begun,
            answering: None,
            answer: None,
        }
    }

    #[test]
    fn what_it_is_about_must_have_been_heard() {
        let put = |subject, heard| question(subject).is_put_by(heard);
        assert!(put("Buy milk", "Shall I delete the task “buy milk”?"));
        assert!(put("Buy milk", "Soll ich die Aufgabe Buy Milk löschen?"));
        assert!(put("买牛奶", "要删除买牛奶这个任务吗?"));
        assert!(!put("Call the old bank", "Do you like the weather?"));
        assert!(!put("Buy milk", "Is it a nice day?"));
        assert!(!put("Buy milk", ""));
        assert!(put("", "Shall I delete everything?") && !put("", "  "));
    }

    #[test]
    fn a_pin_has_figures_only_and_is_compared_whole() {
        let pin = Pin::new("0417").expect("a PIN");
        assert!(pin.matches(&Pin::new("0417").expect("a PIN")));
        assert!(!pin.matches(&Pin::new("0418").expect("a PIN")));
        assert!(!pin.matches(&Pin::new("04170").expect("a PIN")));
        for wrong in ["", "123", "12#4", "1234567890123", "12a4", "٤٤٤٤"] {
            assert!(Pin::new(wrong).is_none(), "{wrong}");
        }
        assert_eq!(format!("{pin:?}"), "Pin(..)");
    }
}
