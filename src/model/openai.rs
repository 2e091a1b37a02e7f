//! OpenAI Realtime, Azure OpenAI and every server that speaks the same protocol.
//! Opens sessions and nothing more: when to try again is not known here.

pub mod codec;
pub mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::future::BoxFuture;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tandem_actors::audio::Format;
use tandem_actors::model::{ConnectError, Line, Loss, Model};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::socket::coded::Coded;
use crate::socket::dial::{self, DialError};
use crate::socket::{Limits, Socket};

/// The pause after a 429 that names none; short, for a caller waits.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(1);

/// Both travel as they are; PCM first, for it sounds better.
const FORMATS: [Format; 2] = [Format::Pcm24k, Format::Pcmu8k];

/// Where sessions are opened, as whom, and how they listen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `wss://api.openai.com/v1/realtime`, or the `/openai/v1/realtime` of an Azure resource.
    pub url: String,
    /// The model; on Azure the name of the deployment.
    pub model: String,
    /// The key.
    pub key: SecretString,
    /// How the key is shown.
    pub auth: Auth,
    /// More headers, e.g. `OpenAI-Organization`.
    pub headers: Vec<(String, String)>,
    /// How the model listens.
    pub listening: Listening,
}

/// The header that carries the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer <key>`: OpenAI, and Entra tokens on Azure.
    Bearer,
    /// `api-key: <key>`: Azure.
    ApiKey,
}

/// How the model listens; what is left out is the provider's choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listening {
    /// The model that writes down what the caller says; none to have nothing written.
    pub transcription: Option<String>,
    /// The caller's language for it (ISO 639-1).
    pub language: Option<String>,
    /// How loud speech must be, 0 to 1.
    pub threshold: Option<f32>,
    /// Audio kept from before the speech was noticed, in milliseconds.
    pub prefix_padding_ms: Option<u32>,
    /// Silence that ends a turn, in milliseconds.
    pub silence_duration_ms: Option<u32>,
}

/// A setting that cannot be used; which, not what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not a `ws://` or `wss://` address.
    #[error("url is not a websocket address")]
    Url,
    /// The key has characters that no header can carry.
    #[error("key cannot be sent in a header")]
    Key,
    /// A header has a name or a value that HTTP does not allow.
    #[error("header not allowed")]
    Header,
}

/// A place where Realtime sessions can be opened.
#[derive(Clone, Debug)]
pub struct OpenAi {
    address: Arc<str>,
    headers: HeaderMap,
    listening: Listening,
}

impl OpenAi {
    /// Checks the settings once, so that no call fails on them.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let mut url = Url::parse(&settings.url).map_err(|_| SettingsError::Url)?;
        if !matches!(url.scheme(), "ws" | "wss") {
            return Err(SettingsError::Url);
        }
        url.query_pairs_mut().append_pair("model", &settings.model);
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let name = name.parse::<HeaderName>().map_err(|_| SettingsError::Header)?;
            let value = HeaderValue::from_str(value).map_err(|_| SettingsError::Header)?;
            headers.insert(name, value);
        }
        let (name, value) = key_header(settings)?;
        headers.insert(name, value);
        let listening = settings.listening.clone();
        Ok(Self { address: url.as_str().into(), headers, listening })
    }
}

fn key_header(settings: &Settings) -> Result<(HeaderName, HeaderValue), SettingsError> {
    let key = settings.key.expose_secret();
    let (name, value) = match settings.auth {
        Auth::Bearer => (AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}"))),
        Auth::ApiKey => (HeaderName::from_static("api-key"), HeaderValue::from_str(key)),
    };
    let mut value = value.map_err(|_| SettingsError::Key)?;
    value.set_sensitive(true);
    Ok((name, value))
}

impl Model for OpenAi {
    fn formats(&self) -> &[Format] {
        &FORMATS
    }

    fn connect(&self) -> BoxFuture<'static, Result<Line, ConnectError>> {
        let Self { address, headers, listening } = self.clone();
        Box::pin(async move {
            let socket =
                dial::connect(&address, headers, Limits::MODEL).await.map_err(not_reached)?;
            Ok(line(socket, listening))
        })
    }
}

/// Makes a line of a socket on which a session begins now.
pub fn line<S>(socket: Socket<S>, listening: Listening) -> Line
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let opened = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Box::new(Coded::new(socket, codec::Codec::new(listening, opened)))
}

fn not_reached(error: DialError) -> ConnectError {
    let what = error.to_string();
    let loss = match error {
        DialError::Refused { status: 401 | 403, .. } => Loss::Final(what.clone()),
        DialError::Refused { status: 429, retry_after } => {
            Loss::RateLimited(retry_after.unwrap_or(RATE_LIMIT_PAUSE))
        }
        DialError::Refused { .. } | DialError::TimedOut | DialError::Failed(_) => {
            Loss::Passing(what.clone())
        }
    };
    ConnectError { what, loss }
}
