//! The guard's rules: what a question is bound to, what has put it, what counts as a fresh human
//! yes. Pure.

use std::fmt;
use std::time::Duration;

use crate::briefing::Text;
use crate::call::yes_no;
use crate::carrier::Digit;
use crate::clock::Instant;
use crate::tool::Job;

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
    /// Where in the conversation the response began that was begun last.
    pub from: usize,
    /// The same of the response that has put it.
    pub put_from: Option<usize>,
    /// Since when it is the last thing of ours that the caller has heard, if it is: a yes to
    /// whatever was said after it is none to it.
    pub latest: Option<Instant>,
    /// When the caller's turn began that may answer it.
    pub answering: Option<Instant>,
    /// Whether it was the latest then.
    pub answers_it: bool,
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

    /// What was entered, for a check that keeps no PIN.
    #[must_use]
    pub fn figures(&self) -> Text {
        Text(self.0.iter().map(|digit| digit.key()).collect())
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

    /// Whether one response of these words, which the caller has heard to their end, has put it:
    /// every name and number that it is about is in the last question of them. A model that asks
    /// something else, or something else as well, has not asked this, whatever is answered. Where
    /// the question begins as ours does, it is in our language, and has all of our words: another
    /// deed on the same name is another question, and two such questions in one breath are none. In
    /// another language only the names are compared.
    #[must_use]
    pub fn is_put_by(&self, heard: &str) -> bool {
        let subject = self.subject.as_str();
        let asked = if subject.contains(ASKS) { heard } else { last_question(heard) };
        let asked = yes_no::plain(asked);
        let mut names = subject.split([',', ';']).map(yes_no::plain);
        let whole = yes_no::plain(self.words.as_str());
        let words = || whole.split(' ').filter(|word| !word.is_empty());
        let opening = words().take(OPENING).collect::<Vec<_>>().join(" ");
        let begun = |text: &str| format!(" {text} ").matches(&format!(" {opening} ")).count();
        let ours = !opening.is_empty() && begun(&asked) > 0;
        !asked.is_empty()
            && names.all(|name| is_said(&asked, &name))
            && (!ours || words().all(|word| is_said(&asked, word)))
            && (!ours || begun(&yes_no::plain(heard)) == begun(&whole))
    }
}

/// Words by which a question is known to be in our language, such as "shall I".
const OPENING: usize = 2;

/// What ends a question, in the scripts that have such a mark.
const ASKS: [char; 3] = ['?', '\u{ff1f}', '\u{61f}'];

/// The last of the questions, with what leads to it; everything where nothing is marked as one.
fn last_question(words: &str) -> &str {
    let said = |part: &&str| part.chars().any(char::is_alphanumeric);
    let end = words.rfind(ASKS).unwrap_or(words.len());
    words[..end].split(ASKS).rfind(said).unwrap_or(words)
}

/// Whether a name is among these words: whole and in its order, or as a part of them in a script
/// that has no spaces.
fn is_said(words: &str, name: &str) -> bool {
    let spaced = |c: char| (c as u32) < FIRST_UNSPACED;
    if name.chars().all(spaced) {
        name.is_empty() || format!(" {words} ").contains(&format!(" {name} "))
    } else {
        words.replace(' ', "").contains(&name.replace(' ', ""))
    }
}

/// From Thai on, scripts without spaces between words are common; before it they are not.
const FIRST_UNSPACED: u32 = 0x0E00;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::briefing::CallId;
    use crate::clock;
    use crate::tool::ToolCallId;

    fn question(subject: &str) -> Question {
        asking(&format!("Shall I delete the task {subject}?"), subject)
    }

    fn asking(words: &str, subject: &str) -> Question {
        let id = ToolCallId("t".into());
        let (call, name) = (CallId::new("c"), "wipe".to_owned());
        Question {
            job: Job { call, id, name, arguments: "{}".into(), scene: None },
            words: words.into(),
            subject: subject.into(),
            fingerprint: String::new(),
            proof: Proof::Yes,
            number: 1,
            times: 1,
            asked: clock::now(),
            heard: None,
            voiced: Voiced::Begun,
            from: 0,
            put_from: None,
            latest: None,
            answering: None,
            answers_it: false,
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
        let all = asking("Shall I delete everything?", "");
        assert!(all.is_put_by("Shall I delete everything?") && !all.is_put_by("  "));
    }

    #[test]
    fn another_deed_on_the_same_name_is_another_question() {
        let cancel = asking("Shall I cancel Text Ann?", "Text Ann");
        assert!(cancel.is_put_by("Well, shall I go and cancel Text Ann?"));
        assert!(cancel.is_put_by("Soll ich Text Ann absagen?"));
        assert!(!cancel.is_put_by("Shall I delete the task Text Ann?"));
        assert!(!cancel.is_put_by("Shall I leave Text Ann as it is?"));
        assert!(!cancel.is_put_by("Shall I cancel Call Bo? Shall I cancel Text Ann?"));
    }

    #[test]
    fn a_name_that_is_only_like_it_is_another_one() {
        let put = |subject, heard| question(subject).is_put_by(heard);
        assert!(!put("Buy oat milk", "Shall I delete the task Buy milk?"));
        assert!(!put("Buy milk", "Shall I delete the task Buy oat milk?"));
        assert!(!put("Call Ann", "Shall I delete the task Call Anna?"));
        assert!(!put("Flight 12", "Shall I cancel Flight 112?"));
        assert!(!put("Buy m\u{456}lk", "Shall I delete the task Buy milk?"));
        let send = asking("Shall I send Ann ten euros?", "Ann, ten euros");
        assert!(send.is_put_by("Shall I send ten euros to Ann?"));
    }

    #[test]
    fn what_is_asked_in_the_same_breath_is_what_is_answered() {
        let put = |heard| question("Buy milk").is_put_by(heard);
        assert!(put("One moment. Shall I delete the task Buy milk? Say yes or no."));
        assert!(put("Do you hear me? Shall I delete the task Buy milk?"));
        assert!(!put("Shall I delete the task Buy milk? And is it a lovely day?"));
        assert!(put("Buy milk, is that right"), "no mark, one question");
        assert!(question("Who is it?").is_put_by("Shall I delete the task Who is it??"));
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
