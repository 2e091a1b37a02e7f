//! The JSON that `chan_websocket` speaks beside its audio (option `f(json)`), both ways. Pure;
//! knows no call. Facts: Asterisk's `channels/chan_websocket.c` and its channel driver page.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

/// A message of Asterisk.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound<'a> {
    /// `MEDIA_START`: whose media this is, and how it is coded.
    Start(Start<'a>),
    /// `DTMF_END`: one key.
    Key(Cow<'a, str>),
    /// `MEDIA_MARK_PROCESSED`: everything before this mark has been played.
    Mark(Cow<'a, str>),
    /// `MEDIA_XOFF`: the queue is nearly full; what comes now is probably thrown away.
    Full,
    /// `MEDIA_XON`: there is room again.
    Room,
    /// `ERROR`: it did not take a command of ours.
    Refused,
    /// `STATUS`, `QUEUE_DRAINED`, `MEDIA_BUFFERING_COMPLETED`: answers we do not ask for.
    Idle,
    /// An event we do not know.
    Other(Cow<'a, str>),
}

/// Whose media it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Start<'a> {
    /// Asterisk's id of the channel that has connected.
    pub channel: Cow<'a, str>,
    /// The name of the codec: `slin24`, `ulaw`.
    pub format: Cow<'a, str>,
    /// The channel's variables, tokens of ours among them.
    pub variables: BTreeMap<String, String>,
}

/// Text that is no message of Asterisk.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    channel_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    format: Option<Cow<'a, str>>,
    #[serde(default)]
    channel_variables: BTreeMap<String, String>,
    #[serde(borrow, default)]
    digit: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    correlation_id: Option<Cow<'a, str>>,
}

/// Reads a message.
///
/// # Errors
/// [`Malformed`] for what is not JSON or lacks what its event needs.
pub fn read(text: &str) -> Result<Inbound<'_>, Malformed> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
    match &*envelope.event {
        "MEDIA_START" => Ok(Inbound::Start(Start {
            channel: envelope.channel_id.ok_or(Malformed)?,
            format: envelope.format.ok_or(Malformed)?,
            variables: envelope.channel_variables,
        })),
        "DTMF_END" => envelope.digit.map(Inbound::Key).ok_or(Malformed),
        "MEDIA_MARK_PROCESSED" => envelope.correlation_id.map(Inbound::Mark).ok_or(Malformed),
        "MEDIA_XOFF" => Ok(Inbound::Full),
        "MEDIA_XON" => Ok(Inbound::Room),
        "ERROR" => Ok(Inbound::Refused),
        "STATUS" | "QUEUE_DRAINED" | "MEDIA_BUFFERING_COMPLETED" => Ok(Inbound::Idle),
        _ => Ok(Inbound::Other(envelope.event)),
    }
}

/// The command that throws away what is queued. Marks among it are never reported.
pub const FLUSH: &str = r#"{"command":"FLUSH_MEDIA"}"#;

/// The command that asks to be told when everything before it has been played. At most 128
/// bytes are read of a command; this one has at most 64.
#[must_use]
pub fn mark(number: u64) -> String {
    format!(r#"{{"command":"MARK_MEDIA","correlation_id":"{number}"}}"#)
}
