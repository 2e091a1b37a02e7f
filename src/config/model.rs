//! The settings of the speech model, and of a second one to go to when the first fails.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tandem_actors::audio;

/// The speech model.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// WebSocket address of a Realtime server, without the model's name:
    /// `wss://api.openai.com/v1/realtime`, `wss://<res>.openai.azure.com/openai/v1/realtime`, or
    /// any compatible server. Empty: the simulated model of the rehearsal.
    pub url: String,
    /// The model's name, on Azure that of the deployment; a setting and not a list, for names
    /// come and go.
    pub name: String,
    /// How the key is sent: `bearer` (OpenAI) or `api-key` (Azure).
    pub auth: Auth,
    /// More headers of the upgrade, by name.
    pub headers: Headers,
    /// What the server takes and gives as it is, best first: `pcm24k`, `pcmu8k`.
    pub formats: String,
    /// Whether the server can be told how much of its speech was heard.
    pub truncate: bool,
    /// Model that writes down what the caller says. Empty for a server that has none: then the
    /// transcript has our side alone, and nothing can be confirmed by voice.
    pub transcription: String,
    /// The voice.
    pub voice: String,
    /// How fast it speaks, 0.25 to 1.5.
    pub speed: f32,
    /// The caller's language for the transcript, ISO 639-1. Empty: found out from what is said.
    pub language: String,
    /// What the caller's audio is cleaned of: `near_field`, `far_field` or `off`.
    pub noise_reduction: NoiseReduction,
    /// When a turn of the caller ends.
    pub turns: Turns,
    /// Another place, for when this one cannot be reached or refuses.
    pub second: Second,
    /// The key. Only from `TANDEM__MODEL__KEY` or the file in `TANDEM__MODEL__KEY_FILE`.
    #[serde(skip)]
    pub key: Option<SecretString>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: "gpt-realtime-2.1".to_owned(),
            auth: Auth::Bearer,
            headers: Headers::default(),
            formats: "pcm24k, pcmu8k".to_owned(),
            truncate: true,
            transcription: "gpt-live-transcribe".to_owned(),
            voice: "marin".to_owned(),
            speed: 1.0,
            language: String::new(),
            // A phone is held to the mouth; far_field is for the microphone of a meeting room. What
            // it takes away is street and car, which would begin turns that nobody spoke.
            noise_reduction: NoiseReduction::NearField,
            turns: Turns::default(),
            second: Second::default(),
            key: None,
        }
    }
}

/// Another place to go to. What is not said is as at the first.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Second {
    /// As `model.url`. Empty: there is none.
    pub url: String,
    /// As `model.name`.
    pub name: Option<String>,
    /// As `model.auth`; `bearer` unless said, for it is another provider's key.
    pub auth: Auth,
    /// As `model.headers`; none unless said, for they are another provider's.
    pub headers: Headers,
    /// As `model.formats`.
    pub formats: Option<String>,
    /// As `model.truncate`.
    pub truncate: Option<bool>,
    /// As `model.transcription`.
    pub transcription: Option<String>,
    /// The key. Only from `TANDEM__MODEL__SECOND__KEY` or its `_FILE`.
    #[serde(skip)]
    pub key: Option<SecretString>,
}

impl Default for Second {
    fn default() -> Self {
        Self {
            url: String::new(),
            name: None,
            auth: Auth::Bearer,
            headers: Headers::default(),
            formats: None,
            truncate: None,
            transcription: None,
            key: None,
        }
    }
}

/// How a key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `Authorization: Bearer …`.
    Bearer,
    /// `api-key: …`.
    ApiKey,
}

/// Headers by name. A gateway's own key may be among them, so `Debug` tells only how many.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Headers(pub BTreeMap<String, String>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({})", self.0.len())
    }
}

/// What the caller's audio is cleaned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseReduction {
    /// For a microphone at the mouth.
    NearField,
    /// For a microphone in the room.
    FarField,
    /// Not at all; for servers that know of none, too.
    Off,
}

/// When a turn of the caller ends. What is left out is the provider's choice.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turns {
    /// Who decides: `server` hears voice and silence, `semantic` whether a sentence is complete.
    pub by: By,
    /// `server`: how loud speech must be, 0 to 1.
    pub threshold: Option<f32>,
    /// `server`: milliseconds of audio kept from before the speech was noticed, up to 2,000.
    pub prefix_padding_ms: Option<u32>,
    /// `server`: milliseconds of silence that end a turn, 100 to 10,000.
    pub silence_duration_ms: Option<u32>,
    /// `server`: milliseconds of silence after which the model speaks up, 5,000 to 30,000. Left
    /// out it never does: `limits.silence_s` asks the caller, whatever the server can do.
    pub idle_timeout_ms: Option<u32>,
    /// `semantic`: `low` waits longest, then `medium`, `high`; `auto` is medium.
    pub eagerness: Option<Eagerness>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            by: By::Server,
            threshold: None,
            prefix_padding_ms: None,
            silence_duration_ms: None,
            idle_timeout_ms: None,
            eagerness: None,
        }
    }
}

/// Who decides that a turn has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Voice and silence.
    Server,
    /// The sense of what is said.
    Semantic,
}

/// How soon a sentence counts as complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Eagerness {
    /// Waits up to 8 s.
    Low,
    /// Up to 4 s.
    Medium,
    /// Up to 2 s.
    High,
    /// As medium.
    Auto,
}

impl Eagerness {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Auto => "auto",
        }
    }
}

/// The formats in a setting, best first.
///
/// # Errors
/// The word that is none.
pub fn formats(setting: &str) -> Result<Vec<audio::Format>, String> {
    let words = setting.split(',').map(str::trim).filter(|word| !word.is_empty());
    let format = |word| match word {
        "pcm24k" => Ok(audio::Format::Pcm24k),
        "pcmu8k" => Ok(audio::Format::Pcmu8k),
        other => Err(other.to_owned()),
    };
    words.map(format).collect()
}

/// What is wrong with the settings of the model.
pub(super) fn check(model: &Model) -> Result<(), String> {
    let second = &model.second;
    keyed("model", &model.url, model.key.as_ref())?;
    keyed("model.second", &second.url, second.key.as_ref())?;
    if model.url.is_empty() && !second.url.is_empty() {
        let what = "model.second.url is set but model.url is not: the second is for when the first \
                    fails; set model.url";
        return Err(what.to_owned());
    }
    if model.voice.is_empty() {
        return Err("model.voice is empty; use a voice of the provider's such as marin".to_owned());
    }
    known_formats("model.formats", &model.formats)?;
    known_formats("model.second.formats", second.formats.as_deref().unwrap_or(&model.formats))?;
    within("model.speed", Some(model.speed), 0.25, 1.5)?;
    let language = &model.language;
    let is_code = language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase());
    if !language.is_empty() && !is_code {
        return Err(format!(
            "model.language is `{language}`; it must be two letters of ISO 639-1 such as en, or \
             empty"
        ));
    }
    turns(&model.turns)
}

fn keyed(section: &str, url: &str, key: Option<&SecretString>) -> Result<(), String> {
    if url.is_empty() || key.is_some() {
        return Ok(());
    }
    let variable = format!("TANDEM__{}__KEY", section.to_uppercase().replace('.', "__"));
    Err(format!("{section}.url is set but there is no key: set {variable} or {variable}_FILE"))
}

fn known_formats(key: &str, setting: &str) -> Result<(), String> {
    match formats(setting) {
        Ok(formats) if !formats.is_empty() => Ok(()),
        Ok(_) => Err(format!("{key} is empty; name at least one of pcm24k, pcmu8k")),
        Err(word) => Err(format!("{key} holds `{word}`; there are pcm24k and pcmu8k")),
    }
}

fn turns(turns: &Turns) -> Result<(), String> {
    let (server, semantic) = (
        [
            ("threshold", turns.threshold.is_some()),
            ("prefix_padding_ms", turns.prefix_padding_ms.is_some()),
            ("silence_duration_ms", turns.silence_duration_ms.is_some()),
            ("idle_timeout_ms", turns.idle_timeout_ms.is_some()),
        ],
        [("eagerness", turns.eagerness.is_some())],
    );
    let (foreign, by, other) = match turns.by {
        By::Server => (&semantic[..], "server", "semantic"),
        By::Semantic => (&server[..], "semantic", "server"),
    };
    if let Some((key, _)) = foreign.iter().find(|(_, is_set)| *is_set) {
        return Err(format!(
            "model.turns.{key} is set, which is for model.turns.by = {other}, and model.turns.by \
             is {by}; change one of them"
        ));
    }
    // Of the two without a bound of the provider's: more padding than this would take the last
    // turn's end with it, less silence than this is inside words.
    within("model.turns.threshold", turns.threshold, 0.0, 1.0)?;
    within("model.turns.prefix_padding_ms", turns.prefix_padding_ms, 0, 2_000)?;
    within("model.turns.silence_duration_ms", turns.silence_duration_ms, 100, 10_000)?;
    within("model.turns.idle_timeout_ms", turns.idle_timeout_ms, 5_000, 30_000)
}

fn within<T>(key: &str, value: Option<T>, low: T, high: T) -> Result<(), String>
where
    T: PartialOrd + Display,
{
    match value {
        // Not a number is within nothing.
        Some(value) if !(low <= value && value <= high) => {
            Err(format!("{key} is {value}; it must be from {low} to {high}"))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
