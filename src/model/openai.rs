//! OpenAI Realtime, Azure OpenAI and every server that speaks the same protocol.
//! Opens sessions and nothing more: when to try again is not known here.

pub mod codec;
pub mod wire;

mod loss;
mod settings;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use futures_util::future::BoxFuture;
use tandem_actors::audio::Format;
use tandem_actors::model::{ConnectError, Event, Line, Loss, Model};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::socket::coded::Coded;
use crate::socket::dial::{self, DialError};
use crate::socket::{Limits, Socket};

pub use settings::{Auth, Manner, NoiseReduction, Settings, SettingsError, Turns};

/// A place where Realtime sessions can be opened.
#[derive(Clone, Debug)]
pub struct OpenAi {
    address: Arc<str>,
    headers: HeaderMap,
    formats: Vec<Format>,
    manner: Manner,
    session_life: Option<Duration>,
}

impl OpenAi {
    /// Checks the settings once, so that no call fails on them.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let url = settings::address(&settings.url, &settings.model)?;
        if settings.formats.is_empty() {
            return Err(SettingsError::Formats);
        }
        Ok(Self {
            address: url.as_str().into(),
            headers: settings::headers(settings)?,
            formats: settings.formats.clone(),
            manner: settings.manner.clone(),
            session_life: settings::session_life(&url),
        })
    }
}

impl Model for OpenAi {
    fn formats(&self) -> &[Format] {
        &self.formats
    }

    fn connect(&self) -> BoxFuture<'static, Result<Line, ConnectError>> {
        let Self { address, headers, manner, session_life, formats: _ } = self.clone();
        Box::pin(async move {
            let socket =
                dial::connect(&address, headers, Limits::MODEL).await.map_err(not_reached)?;
            Ok(line(socket, manner, session_life))
        })
    }
}

/// Makes a line of a socket on which a session begins now, and ends after `life` at the latest
/// where that is known.
pub fn line<S>(socket: Socket<S>, manner: Manner, life: Option<Duration>) -> Line
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let opened = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let line = Coded::new(socket, codec::Codec::new(manner, opened));
    match life {
        Some(life) => Box::new(line.opening_with(Event::Expires(life))),
        None => Box::new(line),
    }
}

fn not_reached(error: DialError) -> ConnectError {
    let what = error.to_string();
    let loss = match error {
        DialError::Refused { status, retry_after } => loss::of_status(status, retry_after),
        DialError::TimedOut | DialError::Failed(_) => Loss::Passing(what.clone()),
    };
    ConnectError { what, loss }
}
