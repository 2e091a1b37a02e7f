//! Opening a WebSocket to a server: one try, one deadline, errors sorted by what they tell.
//! Knows nothing of who is dialled or when to try again.

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::RETRY_AFTER;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use tungstenite::client::{IntoClientRequest, uri_mode};
use tungstenite::error::Error;
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::client::{ClientHandshake, Request};
use tungstenite::stream::Mode;

use super::polled::Polled;
use super::{Limits, Socket};

/// Name look-up, TCP, TLS and the upgrade together. A caller waits in silence meanwhile; a
/// healthy provider takes a third of a second.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(3);

/// Longer orders to wait are cut to this; no call outlives them anyway.
const RETRY_AFTER_LIMIT: Duration = Duration::from_mins(5);

/// Whom we believe: Mozilla's list, as it is built in.
static TLS: LazyLock<TlsConnector> = LazyLock::new(|| {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
});

/// The stream under a socket of ours as a client.
pub type Dialled = Either<TcpStream, TlsStream<TcpStream>>;

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
    let dialling = async { upgrade(open(&request).await?, request, limits).await };
    match tokio::time::timeout(DIAL_TIMEOUT, dialling).await {
        Ok(dialled) => dialled.map_err(sort),
        Err(_elapsed) => Err(DialError::TimedOut),
    }
}

async fn open(request: &Request) -> Result<Dialled, Error> {
    let mode = uri_mode(request.uri())?;
    let host = request.uri().host().unwrap_or_default().trim_matches(['[', ']']);
    let usual = match mode {
        Mode::Plain => 80,
        Mode::Tls => 443,
    };
    let stream = TcpStream::connect((host, request.uri().port_u16().unwrap_or(usual))).await?;
    // Nagle's algorithm would hold a 20 ms frame back until the one before is acknowledged.
    stream.set_nodelay(true)?;
    match mode {
        Mode::Plain => Ok(Either::Left(stream)),
        Mode::Tls => {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            Ok(Either::Right(TLS.connect(name, stream).await?))
        }
    }
}

async fn upgrade(
    stream: Dialled,
    request: Request,
    limits: Limits,
) -> Result<Socket<Dialled>, Error> {
    let config = Some(limits.config());
    let mut step = Some(ClientHandshake::start(Polled::new(stream), request, config)?);
    poll_fn(|cx| {
        let mut handshake = step.take().expect("not polled after it was ready");
        handshake.get_mut().get_mut().serve(cx);
        match handshake.handshake() {
            Ok((stream, _response)) => Poll::Ready(Ok(Socket::over(stream))),
            Err(HandshakeError::Failure(error)) => Poll::Ready(Err(error)),
            Err(HandshakeError::Interrupted(handshake)) => {
                step = Some(handshake);
                Poll::Pending
            }
        }
    })
    .await
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
