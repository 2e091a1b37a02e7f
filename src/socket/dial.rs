//! Opening a WebSocket to a server: one try, one deadline, errors sorted by what they tell.
//! Knows nothing of who is dialled or when to try again.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::RETRY_AFTER;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::{MaybeTlsStream, connect_async_with_config};

use super::{Limits, Socket};

/// Name look-up, TCP, TLS and the upgrade together. A caller waits in silence meanwhile; a
/// healthy provider takes a third of a second.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(3);

/// Longer orders to wait are cut to this; no call outlives them anyway.
const RETRY_AFTER_LIMIT: Duration = Duration::from_mins(5);

/// Nagle's algorithm would hold a 20 ms frame back until the one before is acknowledged.
const NO_DELAY: bool = true;

/// The stream under a socket of ours as a client.
pub type Dialled = MaybeTlsStream<TcpStream>;

/// Why no socket came of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The deadline passed.
    #[error("no answer within {} s", DIAL_TIMEOUT.as_secs())]
    TimedOut,
    /// The server answered, and not with 101.
    #[error("refused with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` asks for, when it is given in seconds.
        retry_after: Option<Duration>,
    },
    /// Name, TCP, TLS or the address itself.
    #[error("{0}")]
    Failed(String),
}

/// Opens a socket to a `ws://` or `wss://` address.
///
/// # Errors
/// See [`DialError`]; it never holds the address or the headers.
pub async fn connect(
    url: &str,
    headers: HeaderMap,
    limits: Limits,
) -> Result<Socket<Dialled>, DialError> {
    let mut request = url
        .into_client_request()
        .map_err(|_| DialError::Failed("not a websocket address".to_owned()))?;
    request.headers_mut().extend(headers);
    let dialling = connect_async_with_config(request, Some(limits.config()), NO_DELAY);
    match tokio::time::timeout(DIAL_TIMEOUT, dialling).await {
        Ok(Ok((stream, _response))) => Ok(Socket::over(stream)),
        Ok(Err(error)) => Err(sort(error)),
        Err(_elapsed) => Err(DialError::TimedOut),
    }
}

fn sort(error: Error) -> DialError {
    if let Error::Http(response) = error {
        let retry_after = retry_after(response.headers());
        return DialError::Refused { status: response.status().as_u16(), retry_after };
    }
    // Its text can hold the address.
    if let Error::Url(_) = error {
        return DialError::Failed("address not usable".to_owned());
    }
    DialError::Failed(error.to_string().to_lowercase())
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_LIMIT))
}
