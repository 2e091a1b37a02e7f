//! The JSON of a softphone's sockets, both ways: an object a message. Pure; knows no call.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What a browser says, on either socket.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound<'a> {
    /// This call is refused.
    Reject(Cow<'a, str>),
    /// Whoever is rung by this call is on another one.
    Busy(Cow<'a, str>),
    /// Everything before this mark has been played.
    Played(u64),
    /// A key was pressed.
    Key(Cow<'a, str>),
    /// A kind that we do not know.
    Other(Cow<'a, str>),
}

/// Text that is none of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    call: Option<Cow<'a, str>>,
    #[serde(default)]
    mark: Option<u64>,
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
}

/// Reads a message.
///
/// # Errors
/// [`Malformed`] for what is not JSON or lacks what its kind needs.
pub fn read(text: &str) -> Result<Inbound<'_>, Malformed> {
    let Envelope { kind, call, mark, key } = serde_json::from_str(text).map_err(|_| Malformed)?;
    match &*kind {
        "reject" => call.map(Inbound::Reject).ok_or(Malformed),
        "busy" => call.map(Inbound::Busy).ok_or(Malformed),
        "played" => mark.map(Inbound::Played).ok_or(Malformed),
        "key" => key.map(Inbound::Key).ok_or(Malformed),
        _ => Ok(Inbound::Other(kind)),
    }
}

/// Why a phone rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A call is placed to it.
    Call,
    /// The other party of a call is to be handed over to it.
    HandOver,
}

/// What a browser is told. Holds numbers and nonces, so there is no `Debug`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outbound<'a> {
    /// It stands in for this number.
    Ready {
        /// In E.164.
        number: &'a str,
    },
    /// There is somebody who would say more: told at intervals.
    Alive,
    /// It rings.
    Ring {
        /// Our name for the call.
        call: &'a str,
        /// Who rings; of a hand-over the party that is handed over.
        from: &'a str,
        /// Why.
        why: Why,
        /// What is to be known of a hand-over before it is answered.
        #[serde(skip_serializing_if = "Option::is_none")]
        introduction: Option<&'a str>,
        /// The path of the socket that answers it.
        media: &'a str,
    },
    /// It rings no more, or the call is over.
    Over {
        /// Which.
        call: &'a str,
        /// The word of the outcome.
        how: &'a str,
    },
    /// The audio of this socket, both ways.
    Start {
        /// Samples a second.
        rate: usize,
        /// One.
        channels: u8,
        /// `pcm_s16le`.
        encoding: &'a str,
    },
    /// Say when all that came before has been played.
    Mark {
        /// The number to say it with.
        mark: u64,
    },
    /// Throw away what is not played yet.
    Flush,
}

impl Outbound<'_> {
    /// As it is sent.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("words and numbers are JSON")
    }
}
