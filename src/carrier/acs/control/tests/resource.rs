//! A small ACS resource on a real socket: checks every signature with code of its own and
//! answers as a test has written down.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tandem_actors::carrier::Number;
use tokio::net::TcpListener;

use crate::carrier::acs::Rate;
use crate::carrier::acs::connection::Connection;
use crate::carrier::acs::control::{Control, Settings};

pub(in crate::carrier::acs) const KEY: &[u8] = b"a key that opens nothing at all.";
pub(in crate::carrier::acs) const VERSION: &str = "2026-03-12";

/// An answer.
#[derive(Clone, Copy)]
pub(in crate::carrier::acs) enum Reply {
    /// This status and body.
    Is(u16, &'static str),
    /// This status, `Retry-After` and an empty body.
    Later(u16, &'static str),
    /// A redirect to this address.
    Elsewhere(&'static str),
    /// The connection is cut instead.
    Cut,
    /// The head of an answer, and then the connection is cut.
    CutWithin,
    /// Nothing, while time passes.
    Never,
}

/// A request whose signature was right.
#[derive(Clone)]
pub(in crate::carrier::acs) struct Heard {
    pub(in crate::carrier::acs) method: String,
    pub(in crate::carrier::acs) path_and_query: String,
    pub(in crate::carrier::acs) headers: HeaderMap,
    pub(in crate::carrier::acs) body: Value,
}

impl Heard {
    pub(in crate::carrier::acs) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The repeatability id and when it was first sent.
    pub(in crate::carrier::acs) fn pair(&self) -> Option<(&str, &str)> {
        Some((self.header("repeatability-request-id")?, self.header("repeatability-first-sent")?))
    }
}

#[derive(Clone)]
pub(in crate::carrier::acs) struct Resource {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    script: Arc<Mutex<VecDeque<Reply>>>,
}

impl Resource {
    /// Answers the first requests like this and every later one with 500.
    pub(in crate::carrier::acs) async fn answering(script: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let resource = Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
            script: Arc::new(Mutex::new(script.iter().copied().collect())),
        };
        let serving = resource.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let resource = serving.clone();
                let answer = service_fn(move |request| resource.clone().answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        resource
    }

    pub(in crate::carrier::acs) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client with this key.
    pub(in crate::carrier::acs) fn control_with(&self, key: &[u8]) -> Control {
        control(&self.url(), key)
    }

    pub(in crate::carrier::acs) fn control(&self) -> Control {
        self.control_with(KEY)
    }

    /// What was asked so far.
    pub(in crate::carrier::acs) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The one thing that was asked.
    pub(in crate::carrier::acs) fn heard_one(&self) -> Heard {
        let heard = self.heard();
        assert_eq!(heard.len(), 1, "requests");
        heard[0].clone()
    }

    async fn answer(self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(Body::new(body), 65_536).await.map_err(io::Error::other)?;
        let path_and_query = head.uri.path_and_query().unwrap().to_string();
        let method = head.method.to_string();
        if !is_signed(&method, &path_and_query, &head.headers, &body) {
            return Ok(json(401, r#"{"error":{"code":"Denied","message":"bad signature"}}"#));
        }
        let body = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).unwrap(),
        };
        self.heard.lock().unwrap().push(Heard {
            method,
            path_and_query,
            headers: head.headers,
            body,
        });
        let reply = self.script.lock().unwrap().pop_front().unwrap_or(Reply::Is(500, ""));
        let response = Response::builder();
        match reply {
            Reply::Is(status, body) => Ok(json(status, body)),
            Reply::Later(status, seconds) => {
                let response = response.status(status).header("retry-after", seconds);
                Ok(response.body(Body::empty()).unwrap())
            }
            Reply::Elsewhere(to) => {
                Ok(response.status(307).header("location", to).body(Body::empty()).unwrap())
            }
            Reply::Cut => Err(io::ErrorKind::ConnectionReset.into()),
            Reply::CutWithin => {
                let cut: [io::Result<&str>; 2] =
                    [Ok("{\"callConn"), Err(io::ErrorKind::ConnectionReset.into())];
                let body = Body::from_stream(futures_util::stream::iter(cut));
                Ok(response.status(201).body(body).unwrap())
            }
            Reply::Never => {
                tokio::time::pause();
                std::future::pending().await
            }
        }
    }
}

/// A client of the resource at this address.
pub(in crate::carrier::acs) fn control(url: &str, key: &[u8]) -> Control {
    let text = format!("endpoint={url}/;accesskey={}", STANDARD.encode(key));
    let settings = Settings {
        connection: Connection::parse(&text.into()).unwrap(),
        api_version: VERSION.to_owned(),
        number: Number::new("+12065550199"),
        rate: Rate::Hz24000,
    };
    Control::new(settings).unwrap()
}

fn json(status: u16, body: &'static str) -> Response<Body> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Body::from(body)).unwrap()
}

/// Whether the request was signed with [`KEY`] in the last minute.
fn is_signed(method: &str, path_and_query: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = header("x-ms-host").or(header("host")).unwrap_or_default();
    let (date, hash) = (
        header("x-ms-date").unwrap_or_default(),
        header("x-ms-content-sha256").unwrap_or_default(),
    );
    let text = format!("{method}\n{path_and_query}\n{date};{host};{hash}");
    let signature = STANDARD.encode(hmac(KEY, text.as_bytes()));
    let expected = format!(
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    );
    let at = jiff::fmt::rfc2822::parse(date).map(|at| at.timestamp());
    let age = at.map(|at| Timestamp::now().duration_since(at).as_secs());
    header("authorization") == Some(&expected)
        && hash == STANDARD.encode(Sha256::digest(body))
        && age.is_ok_and(|age| (-1..60).contains(&age))
}

/// HMAC as RFC 2104 writes it, for keys no longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> {
        (0..64).map(|n| key.get(n).copied().unwrap_or_default() ^ pad).collect()
    };
    let inner = Sha256::digest([padded(0x36), text.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}
