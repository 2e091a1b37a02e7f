//! The way to the API: one request, one answer, in JSON. There are two, in the process and over a
//! socket, and neither lets through what the other would refuse.

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use futures_util::future::BoxFuture;
use serde_json::Value;

/// The header that makes an order one that is carried out once.
pub const ONCE: HeaderName = HeaderName::from_static("idempotency-key");

/// Tells that an order had been carried out before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What tells who asks, and from where.
const WHO: [HeaderName; 4] = [AUTHORIZATION, HeaderName::from_static("x-api-key"), HOST, ORIGIN];

/// Those of a request's headers that tell who asks, to be passed on to the API.
pub(super) fn who(headers: &HeaderMap) -> HeaderMap {
    let told = |name: HeaderName| Some((name.clone(), headers.get(&name)?.clone()));
    WHO.into_iter().filter_map(told).collect()
}

/// Where a call's events are that come as they happen; none of those there are already. The
/// answer ends with the call.
pub fn end_of(call: &str) -> String {
    format!("/v1/calls/{}/events?after={}", segment(call), i64::MAX)
}

/// A text as one part of a path.
pub fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Where calls are listed, narrowed down by what is given.
pub fn listing<'a>(by: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let given = by.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    format!("/v1/calls?{query}")
}

/// A request. What it says is private: no `Debug`.
pub struct Ask {
    /// How.
    pub method: Method,
    /// What: path and query.
    pub path: String,
    /// With this, where there is something to say.
    pub body: Option<Value>,
    /// Makes it an order that is carried out once.
    pub once: Option<String>,
    /// Who asks, where that comes with each request.
    pub caller: HeaderMap,
}

impl Ask {
    /// Asks for what is there.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Asks to do something.
    #[must_use]
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    /// Asks in another way.
    #[must_use]
    pub fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), body, once: None, caller: HeaderMap::new() }
    }
}

/// What was answered. What it says is private: no `Debug`.
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// What is there, or the problem; null where nothing was said.
    pub body: Value,
    /// Whether the order had been carried out before.
    pub repeated: bool,
}

/// The API was not reached, or answered what cannot be read: why, in words, with what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreached(pub String);

/// A way to the API.
pub trait Api: Send + Sync {
    /// Asks.
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, Unreached>>;

    /// Asks for something that goes on, and returns when it has ended.
    fn ended(&self, ask: Ask) -> BoxFuture<'static, Result<(), Unreached>>;
}
