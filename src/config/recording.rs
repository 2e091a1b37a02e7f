//! What the other side must know of a recording, as a setting, an order and a profile name it.

use serde::{Deserialize, Serialize};

/// What has to be before a call is recorded.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "&'static str")]
#[schemars(!try_from, !into, rename = "RecordingConsent", rename_all = "snake_case")]
pub enum Consent {
    /// Nothing: whenever there is audio.
    #[default]
    None,
    /// They have heard that it is.
    Announced,
    /// They have said yes to it.
    Asked,
}

/// A word that names none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not what a recording may need; use none, announced or asked")]
pub struct NoConsent(String);

impl TryFrom<String> for Consent {
    type Error = NoConsent;

    fn try_from(word: String) -> Result<Self, NoConsent> {
        match word.as_str() {
            "none" => Ok(Self::None),
            "announced" => Ok(Self::Announced),
            "asked" => Ok(Self::Asked),
            // Whatever was sent instead may be long.
            _ => Err(NoConsent(word.chars().take(20).collect())),
        }
    }
}

impl From<Consent> for &'static str {
    fn from(consent: Consent) -> Self {
        match consent {
            Consent::None => "none",
            Consent::Announced => "announced",
            Consent::Asked => "asked",
        }
    }
}
