//! What is done about answering machines, as a setting and an order name it.

use serde::{Deserialize, Serialize};

/// What is done when an answering machine picks up.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", rename_all = "snake_case")]
#[schemars(!try_from)]
pub enum Voicemail {
    /// A message, made of the task, is left after the tone.
    #[default]
    LeaveMessage,
    /// The call is ended.
    HangUp,
    /// It is talked to as to a human.
    Wait,
}

impl Voicemail {
    /// Every word, in the order of the variants.
    pub const WORDS: [&str; 3] = ["leave_message", "hang_up", "wait"];
}

/// A word that names nothing we could do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not what can be done about a voicemail; use leave_message, hang_up or wait")]
pub struct NoVoicemail(String);

impl TryFrom<String> for Voicemail {
    type Error = NoVoicemail;

    fn try_from(word: String) -> Result<Self, NoVoicemail> {
        match word.as_str() {
            "leave_message" => Ok(Self::LeaveMessage),
            "hang_up" => Ok(Self::HangUp),
            "wait" => Ok(Self::Wait),
            // Whatever was sent instead may be long.
            _ => Err(NoVoicemail(word.chars().take(20).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_something_else_and_others_are_refused_with_all_of_them() {
        let named = Voicemail::WORDS.map(|word| Voicemail::try_from(word.to_owned()));
        let all = [Voicemail::LeaveMessage, Voicemail::HangUp, Voicemail::Wait];
        assert_eq!(named, all.map(Ok));
        let refused = Voicemail::try_from("x".repeat(1_000)).unwrap_err().to_string();
        assert!(Voicemail::WORDS.iter().all(|word| refused.contains(word)), "{refused}");
        assert!(refused.len() < 200, "what was sent is not repeated at length");
    }
}
