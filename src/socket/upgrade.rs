//! The server's half of the WebSocket handshake for axum, down to the plain TCP stream.
//! Does not decide who may connect; that is settled before [`Upgrade::accept`] is called.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tandem_actors::leg::Broken;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tungstenite::handshake::derive_accept_key;

use super::{Limits, Socket};
use crate::http::accept::Watched;

/// 16 random bytes in base64 (RFC 6455 §4.1).
const KEY_CHARS: usize = 24;

/// A request that asks to become a WebSocket; an axum extractor.
pub struct Upgrade {
    accept_key: String,
    offered: Vec<HeaderValue>,
    speaking: Option<HeaderValue>,
    upgrading: OnUpgrade,
}

impl Upgrade {
    /// Answers with this subprotocol if the client has offered it.
    #[must_use]
    pub fn speaking(mut self, protocol: &'static str) -> Self {
        let offered = self.offered.iter().any(|offer| list_holds(offer, protocol));
        self.speaking = offered.then(|| HeaderValue::from_static(protocol));
        self
    }

    /// Answers 101. The future gives the socket once that answer has been sent; it must be
    /// awaited in a task of its own, for the answer is sent only when the handler returns.
    pub fn accept(self, limits: Limits) -> (Response, impl Future<Output = Accepted> + use<>) {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        let accept_key =
            HeaderValue::from_str(&self.accept_key).expect("a digest in base64 is visible ascii");
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept_key);
        if let Some(protocol) = self.speaking {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        (answer, accepted(self.upgrading, limits))
    }
}

/// A socket of ours as a server, or why there is none.
pub type Accepted = Result<Socket<Carried>, Broken>;

async fn accepted(upgrading: OnUpgrade, limits: Limits) -> Accepted {
    let upgraded =
        upgrading.await.map_err(|_| Broken::Failed("gone during the upgrade".to_owned()))?;
    let (stream, leftover) = Carried::out_of(upgraded);
    Ok(Socket::accept(stream, leftover, limits))
}

impl<State: Send + Sync> FromRequestParts<State> for Upgrade {
    type Rejection = NoUpgrade;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, NoUpgrade> {
        if parts.method != Method::GET {
            return Err(NoUpgrade::Method);
        }
        let headers = &parts.headers;
        if !names(headers, CONNECTION, "upgrade") || !names(headers, UPGRADE, "websocket") {
            return Err(NoUpgrade::NotAsked);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(NoUpgrade::Version);
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
        let key = key.filter(|key| key.len() == KEY_CHARS).ok_or(NoUpgrade::Key)?;
        let accept_key = derive_accept_key(key);
        let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect();
        let upgrading = parts.extensions.remove::<OnUpgrade>().ok_or(NoUpgrade::Connection)?;
        Ok(Self { accept_key, offered, speaking: None, upgrading })
    }
}

/// Why a request cannot become a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoUpgrade {
    /// Not a GET.
    #[error("a websocket is asked for with GET")]
    Method,
    /// `Connection: upgrade` or `Upgrade: websocket` is missing.
    #[error("this address speaks websocket only")]
    NotAsked,
    /// Not version 13.
    #[error("websocket version 13 only")]
    Version,
    /// `Sec-WebSocket-Key` is missing or not 16 bytes in base64.
    #[error("no usable sec-websocket-key")]
    Key,
    /// The connection cannot be taken over.
    #[error("this connection cannot be upgraded")]
    Connection,
}

impl IntoResponse for NoUpgrade {
    fn into_response(self) -> Response {
        let upgrade = [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")];
        let text = self.to_string();
        match self {
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, text).into_response(),
            // RFC 9110 §15.5.22 and RFC 6455 §4.4: 426 names what to upgrade to.
            Self::NotAsked | Self::Version => {
                (StatusCode::UPGRADE_REQUIRED, upgrade, text).into_response()
            }
            Self::Key | Self::Connection => (StatusCode::BAD_REQUEST, text).into_response(),
        }
    }
}

/// Whether a header that lists words holds this one, in any case.
fn names(headers: &HeaderMap, header: HeaderName, word: &str) -> bool {
    headers.get_all(header).iter().any(|list| list_holds(list, word))
}

fn list_holds(list: &HeaderValue, word: &str) -> bool {
    let Ok(list) = list.to_str() else { return false };
    list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// The stream under an upgraded request: the TCP stream itself wherever it can be had, so that a
/// frame takes one system call and no detour.
#[derive(Debug)]
pub enum Carried {
    /// The TCP stream of our own accept loop.
    Plain(TcpStream),
    /// Whatever the HTTP server had under it.
    Boxed(TokioIo<Upgraded>),
}

impl Carried {
    /// Unpacks an upgraded connection; the bytes were read past the handshake.
    fn out_of(upgraded: Upgraded) -> (Self, Bytes) {
        // hyper-util's automatic server wraps the stream in a type of its own, hyper's does not.
        let upgraded = match auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => return (Self::Plain(parts.io.into_inner()), parts.read_buf),
            Err(upgraded) => upgraded,
        };
        let upgraded = match upgraded.downcast::<TokioIo<Watched<TcpStream>>>() {
            Ok(parts) => {
                return (Self::Plain(parts.io.into_inner().into_inner()), parts.read_buf);
            }
            Err(upgraded) => upgraded,
        };
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => (Self::Plain(parts.io.into_inner()), parts.read_buf),
            Err(upgraded) => (Self::Boxed(TokioIo::new(upgraded)), Bytes::new()),
        }
    }
}

impl AsyncRead for Carried {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Boxed(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Carried {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Boxed(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Boxed(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Boxed(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
