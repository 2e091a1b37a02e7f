//! Where sessions are opened, as whom, and how they are held; checked once, so that no call
//! fails on them.

use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tandem_actors::audio::Format;

/// Where sessions are opened, as whom, and how they are held.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `wss://api.openai.com/v1/realtime`, the `/openai/v1/realtime` of an Azure resource, or the
    /// address of a compatible server. Without the model's name.
    pub url: String,
    /// The model; on Azure the name of the deployment.
    pub model: String,
    /// The key.
    pub key: SecretString,
    /// How the key is shown.
    pub auth: Auth,
    /// More headers, e.g. `OpenAI-Organization`.
    pub headers: Vec<(String, String)>,
    /// The formats the server takes and gives as they are, best first.
    pub formats: Vec<Format>,
    /// How its sessions are held.
    pub manner: Manner,
}

/// The header that carries the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer <key>`: OpenAI, and Entra tokens on Azure.
    Bearer,
    /// `api-key: <key>`: Azure.
    ApiKey,
}

/// How sessions are held; what is left out is the provider's choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Manner {
    /// The model that writes down what the caller says; none where the server has none. Then
    /// each turn of the caller counts as not understood.
    pub transcription: Option<String>,
    /// The caller's language for it (ISO 639-1).
    pub language: Option<String>,
    /// What the caller's audio is cleaned of.
    pub noise_reduction: NoiseReduction,
    /// Who ends a turn, and when.
    pub turns: Turns,
    /// How fast it speaks, 0.25 to 1.5.
    pub speed: Option<f32>,
    /// Whether it can be told how much of its speech was heard.
    pub truncates: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            transcription: None,
            language: None,
            noise_reduction: NoiseReduction::Off,
            turns: Turns::default(),
            speed: None,
            truncates: true,
        }
    }
}

/// What the caller's audio is cleaned of before the model hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseReduction {
    /// For a microphone at the mouth.
    NearField,
    /// For a microphone in the room.
    FarField,
    /// Not at all; nothing is said of it to the server.
    Off,
}

/// Who ends a turn, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turns {
    /// A detector that hears voice and silence.
    Server {
        /// How loud speech must be, 0 to 1.
        threshold: Option<f32>,
        /// Audio kept from before the speech was noticed, in milliseconds.
        prefix_padding_ms: Option<u32>,
        /// Silence that ends a turn, in milliseconds.
        silence_duration_ms: Option<u32>,
        /// Silence after which the model speaks up by itself, in milliseconds.
        idle_timeout_ms: Option<u32>,
    },
    /// One that hears whether a sentence is complete.
    Semantic {
        /// How soon it takes one for complete: `low`, `medium`, `high`, `auto`.
        eagerness: Option<&'static str>,
    },
}

impl Default for Turns {
    fn default() -> Self {
        Self::Server {
            threshold: None,
            prefix_padding_ms: None,
            silence_duration_ms: None,
            idle_timeout_ms: None,
        }
    }
}

/// A setting that cannot be used; which, not what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not a `ws://` or `wss://` address.
    #[error("url is not a websocket address; use wss://…")]
    Url,
    /// The model stands in the address.
    #[error("url names a model; take `model=` out of it and set `name`")]
    ModelInUrl,
    /// The handshake at the GA address fails with it.
    #[error("url has `api-version`, which the address /openai/v1/realtime refuses; take it out")]
    ApiVersion,
    /// The address of a protocol that is spoken no more.
    #[error(
        "url is that of Azure's preview protocol, which has ended; use \
         wss://<resource>.openai.azure.com/openai/v1/realtime"
    )]
    Preview,
    /// The key has characters that no header can carry.
    #[error("key cannot be sent in a header")]
    Key,
    /// A header has a name or a value that HTTP does not allow.
    #[error("headers: one of them is not allowed in HTTP")]
    Header,
    /// There is no format to speak in.
    #[error("formats is empty; name at least one of `pcm24k`, `pcmu8k`")]
    Formats,
}

/// The address of a session with this model.
pub(super) fn address(url: &str, model: &str) -> Result<Url, SettingsError> {
    let mut url = Url::parse(url).map_err(|_| SettingsError::Url)?;
    if !matches!(url.scheme(), "ws" | "wss") {
        return Err(SettingsError::Url);
    }
    let has = |wanted: &str| url.query_pairs().any(|(key, _)| key == wanted);
    if has("model") {
        return Err(SettingsError::ModelInUrl);
    }
    if url.path().trim_end_matches('/') == "/openai/realtime" {
        return Err(SettingsError::Preview);
    }
    if has("api-version") && (url.path().starts_with("/openai/v1/") || is_azure(&url)) {
        return Err(SettingsError::ApiVersion);
    }
    url.query_pairs_mut().append_pair("model", model);
    Ok(url)
}

/// The longest life of a session there, where the provider has a rule: 60 minutes at OpenAI, 30
/// at Azure. `session.created` may name an earlier end.
pub(super) fn session_life(url: &Url) -> Option<Duration> {
    if is_azure(url) {
        return Some(Duration::from_mins(30));
    }
    is_of(url, "api.openai.com").then(|| Duration::from_mins(60))
}

fn is_azure(url: &Url) -> bool {
    ["openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"]
        .iter()
        .any(|domain| is_of(url, domain))
}

/// Whether the host is this domain or one below it.
fn is_of(url: &Url, domain: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Every header of the upgrade.
pub(super) fn headers(settings: &Settings) -> Result<HeaderMap, SettingsError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &settings.headers {
        let name = name.parse::<HeaderName>().map_err(|_| SettingsError::Header)?;
        let mut value = HeaderValue::from_str(value).map_err(|_| SettingsError::Header)?;
        // A gateway's own key may be among them.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let key = settings.key.expose_secret();
    let (name, value) = match settings.auth {
        Auth::Bearer => (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}"))),
        Auth::ApiKey => (HeaderName::from_static("api-key"), HeaderValue::from_str(key)),
    };
    let mut value = value.map_err(|_| SettingsError::Key)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(headers)
}

#[cfg(test)]
mod tests;
