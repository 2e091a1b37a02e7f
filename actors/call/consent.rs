//! The guard's rules: what a question is bound to, what counts as a fresh human yes. Pure.

use std::time::Duration;

use crate::briefing::Text;
use crate::clock::Instant;
use crate::tool::Job;

/// How long an approval may be given and used, counted from the moment the question was heard.
/// The lesson's figure: long enough to think, too short to be forgotten.
pub const LIFE: Duration = Duration::from_secs(30);

/// How long a question may take to be spoken before its life begins anyway.
pub const UNHEARD: Duration = Duration::from_secs(30);

/// A question to the human, with everything that has happened to it.
#[derive(Clone, Debug)]
pub struct Question {
    /// The job that waits for it, as first asked.
    pub job: Job,
    /// The words.
    pub words: Text,
    /// What an approval is bound to.
    pub fingerprint: String,
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

impl Question {
    /// When it ends by itself.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.heard.map_or(self.asked + UNHEARD, |heard| heard + LIFE)
    }
}

/// Words that make an English yes or no. Whole words only: "no" is not in "know".
const YES: [&str; 12] = [
    "yes",
    "yeah",
    "yep",
    "sure",
    "ok",
    "okay",
    "correct",
    "confirm",
    "confirmed",
    "please do",
    "do it",
    "go ahead",
];
const NO: [&str; 12] = [
    "no", "nope", "don't", "dont", "not", "stop", "cancel", "never", "wait", "keep", "rather",
    "leave it",
];

/// Reads a caller's turn as an answer. A yes with any word of doubt in it is not a yes: for an
/// effect that cannot be undone, asking again is cheap.
#[must_use]
pub fn read(words: &Text) -> Answer {
    let spoken: String = words
        .as_str()
        .to_lowercase()
        .replace('’', "'")
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' })
        .collect();
    let padded = format!(" {} ", spoken.split_whitespace().collect::<Vec<_>>().join(" "));
    let has = |list: &[&str]| list.iter().any(|word| padded.contains(&format!(" {word} ")));
    match (has(&YES), has(&NO)) {
        (true, false) => Answer::Yes,
        (_, true) => Answer::No,
        (false, false) => Answer::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for (words, answer) in [
            ("Yes, delete it.", Answer::Yes),
            ("yeah go ahead", Answer::Yes),
            ("Okay.", Answer::Yes),
            ("No, keep it.", Answer::No),
            ("Yes... no, wait.", Answer::No),
            ("I don't know", Answer::No),
            ("Do you know what time it is?", Answer::Unclear),
            ("yesterday", Answer::Unclear),
            ("", Answer::Unclear),
            ("Don’t do it", Answer::No),
        ] {
            assert_eq!(read(&words.into()), answer, "{words:?}");
        }
    }
}
