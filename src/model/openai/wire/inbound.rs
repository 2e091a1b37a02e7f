//! What the server says.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::Malformed;
use crate::socket::scan::Scan;

/// The two spellings of the audio event: GA, beta.
const AUDIO_DELTA: [&str; 2] = ["response.output_audio.delta", "response.audio.delta"];

/// One piece of speech.
#[derive(Debug, PartialEq, Eq)]
pub struct AudioDelta<'a> {
    /// The response.
    pub response_id: &'a str,
    /// The item.
    pub item_id: &'a str,
    /// The audio, base64.
    pub delta: &'a str,
}

/// The audio event as the servers write it: `type` first, no spaces, the rest in any order;
/// nothing for any other event or spelling.
#[must_use]
pub fn read_audio(text: &str) -> Option<AudioDelta<'_>> {
    let mut scan = Scan::after(text, r#"{"type":""#)?;
    if !AUDIO_DELTA.iter().any(|kind| scan.eat(kind)) || !scan.eat(r#"","#) {
        return None;
    }
    let (mut response_id, mut item_id, mut delta) = (None, None, None);
    scan.fields(|key, value| match key {
        "response_id" => response_id = value.text(),
        "item_id" => item_id = value.text(),
        "delta" => delta = value.text(),
        _ => {}
    })?;
    let whole = scan.is_at_end();
    whole.then_some(AudioDelta { response_id: response_id?, item_id: item_id?, delta: delta? })
}

/// The name of an event.
///
/// # Errors
/// [`Malformed`] for what is not a JSON object with a `type`.
pub fn kind(text: &str) -> Result<Cow<'_, str>, Malformed> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
    }
    read::<Head<'_>>(text).map(|head| head.kind)
}

/// Reads an event as what its name says it is.
///
/// # Errors
/// [`Malformed`] when it is not.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|_| Malformed)
}

/// The plain fields of the events about an item or a piece of a response.
#[derive(Debug, Default, Deserialize)]
pub struct Fields<'a> {
    /// The response.
    #[serde(borrow, default)]
    pub response_id: Option<Cow<'a, str>>,
    /// The item.
    #[serde(borrow, default)]
    pub item_id: Option<Cow<'a, str>>,
    /// A piece, to be appended.
    #[serde(borrow, default)]
    pub delta: Option<Cow<'a, str>>,
    /// The whole.
    #[serde(borrow, default)]
    pub transcript: Option<Cow<'a, str>>,
}

/// `session.created`, `session.updated`.
#[derive(Debug, Deserialize)]
pub struct SessionEvent {
    /// The session.
    #[serde(default)]
    pub session: SessionState,
}

/// The session, as far as it matters.
#[derive(Debug, Default, Deserialize)]
pub struct SessionState {
    /// When the provider will end it, in seconds since 1970. Not in every server's answer.
    #[serde(default)]
    pub expires_at: Option<u64>,
}

/// `response.created`, `response.done`.
#[derive(Debug, Deserialize)]
pub struct ResponseEvent<'a> {
    /// The response.
    #[serde(borrow)]
    pub response: Response<'a>,
}

/// A response, as far as it matters.
#[derive(Debug, Deserialize)]
pub struct Response<'a> {
    /// Its id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// `in_progress`, `completed`, `cancelled`, `incomplete`, `failed`.
    #[serde(borrow, default)]
    pub status: Option<Cow<'a, str>>,
    /// Why it failed.
    #[serde(borrow, default)]
    pub status_details: Option<StatusDetails<'a>>,
    /// What we gave it to carry.
    #[serde(borrow, default)]
    pub metadata: Option<Metadata<'a>>,
    /// What it has used; of any shape, for an end must be heard of whatever stands here.
    #[serde(default)]
    pub usage: Option<Value>,
}

/// Why a response failed.
#[derive(Debug, Deserialize)]
pub struct StatusDetails<'a> {
    /// The error, for `failed`.
    #[serde(borrow, default)]
    pub error: Option<Fault<'a>>,
}

/// What we gave a response to carry.
#[derive(Debug, Deserialize)]
pub struct Metadata<'a> {
    /// A number of ours, as text.
    #[serde(borrow, default)]
    pub tag: Option<Cow<'a, str>>,
}

/// `error`.
#[derive(Debug, Deserialize)]
pub struct ErrorEvent<'a> {
    /// The error.
    #[serde(borrow)]
    pub error: Fault<'a>,
}

/// An error, without its message: that may repeat what was sent.
#[derive(Debug, Default, Deserialize)]
pub struct Fault<'a> {
    /// The class, e.g. `invalid_request_error`.
    #[serde(borrow, default, rename = "type")]
    pub class: Option<Cow<'a, str>>,
    /// The code; some errors have none.
    #[serde(borrow, default)]
    pub code: Option<Cow<'a, str>>,
    /// The `event_id` of the message of ours that caused it.
    #[serde(borrow, default)]
    pub event_id: Option<Cow<'a, str>>,
}

/// `rate_limits.updated`.
#[derive(Debug, Deserialize)]
pub struct LimitsEvent {
    /// What is left of each allowance.
    #[serde(default)]
    pub rate_limits: Vec<RateLimit>,
}

/// What is left of an allowance: `requests` or `tokens`.
#[derive(Debug, Deserialize)]
pub struct RateLimit {
    /// What is left.
    #[serde(default)]
    pub remaining: Option<f64>,
    /// Seconds until it is whole again.
    #[serde(default)]
    pub reset_seconds: Option<f64>,
}

/// `response.output_item.done`.
#[derive(Debug, Deserialize)]
pub struct ItemEvent<'a> {
    /// The response.
    #[serde(borrow)]
    pub response_id: Cow<'a, str>,
    /// The item.
    #[serde(borrow)]
    pub item: Item<'a>,
}

/// An item, as far as a tool call needs.
#[derive(Debug, Deserialize)]
pub struct Item<'a> {
    /// `message`, `function_call` …
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    /// `completed`, `incomplete`, `in_progress`.
    #[serde(borrow, default)]
    pub status: Option<Cow<'a, str>>,
    /// Of a tool call: its id.
    #[serde(borrow, default)]
    pub call_id: Option<Cow<'a, str>>,
    /// Of a tool call: the tool.
    #[serde(borrow, default)]
    pub name: Option<Cow<'a, str>>,
    /// Of a tool call: JSON text.
    #[serde(borrow, default)]
    pub arguments: Option<Cow<'a, str>>,
}
