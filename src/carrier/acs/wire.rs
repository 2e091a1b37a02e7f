//! The JSON of ACS media streaming, both ways. Pure; knows no call.
//!
//! Documented casing is camelCase inbound; other casings have been seen and are taken.

use std::borrow::Cow;

use serde::Deserialize;
use tandem_actors::audio::Payload;

use crate::socket::scan::Scan;

/// A message of ACS.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound<'a> {
    /// `AudioData`: 20 ms of the caller, as base64 text. Silence is sent as well and is audio
    /// like any other: the model's turn detection and clock need it.
    Audio(Cow<'a, str>),
    /// `AudioMetadata`: what the audio will be.
    Metadata(Metadata<'a>),
    /// `DtmfData`: the keys.
    Keys(Cow<'a, str>),
    /// A kind we do not know.
    Other(Cow<'a, str>),
}

/// What the audio will be. Fields that are left out are as agreed.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Metadata<'a> {
    /// `PCM`.
    #[serde(borrow, default, alias = "Encoding")]
    pub encoding: Option<Cow<'a, str>>,
    /// Samples a second.
    #[serde(default, rename = "sampleRate", alias = "SampleRate")]
    pub sample_rate: Option<u32>,
    /// 1.
    #[serde(default, alias = "Channels")]
    pub channels: Option<u32>,
}

/// Text that is no message of ACS.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, alias = "Kind")]
    kind: Cow<'a, str>,
    #[serde(borrow, default, rename = "audioData", alias = "AudioData")]
    audio: Option<Data<'a>>,
    #[serde(borrow, default, rename = "audioMetadata", alias = "AudioMetadata")]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow, default, rename = "dtmfData", alias = "DtmfData")]
    keys: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, alias = "Data")]
    data: Cow<'a, str>,
}

/// Reads a message.
///
/// # Errors
/// [`Malformed`] for what is not JSON or lacks what its kind needs.
pub fn read(text: &str) -> Result<Inbound<'_>, Malformed> {
    if let Some(base64) = read_audio(text) {
        return Ok(Inbound::Audio(Cow::Borrowed(base64)));
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
    let kind = envelope.kind;
    if kind.eq_ignore_ascii_case("AudioData") {
        Ok(Inbound::Audio(envelope.audio.ok_or(Malformed)?.data))
    } else if kind.eq_ignore_ascii_case("AudioMetadata") {
        Ok(Inbound::Metadata(envelope.metadata.ok_or(Malformed)?))
    } else if kind.eq_ignore_ascii_case("DtmfData") {
        Ok(Inbound::Keys(envelope.keys.ok_or(Malformed)?.data))
    } else {
        Ok(Inbound::Other(kind))
    }
}

/// The audio message in its documented spelling, 50 times a second; nothing for any other.
pub(super) fn read_audio(text: &str) -> Option<&str> {
    let mut scan = Scan::after(text, r#"{"kind":"AudioData","audioData":{"#)?;
    let mut data = None;
    scan.fields(|key, value| {
        if key == "data" {
            data = value.text();
        }
    })?;
    (scan.eat("}") && scan.is_at_end()).then_some(data?)
}

/// The message that plays audio; ACS queues it behind what it has.
#[must_use]
pub fn audio(payload: &Payload) -> String {
    const HEAD: &str = r#"{"Kind":"AudioData","AudioData":{"Data":""#;
    const TAIL: &str = r#""},"StopAudio":null}"#;
    let base64 = payload.as_str();
    let mut message = String::with_capacity(HEAD.len() + base64.len() + TAIL.len());
    message.push_str(HEAD);
    message.push_str(base64);
    message.push_str(TAIL);
    message
}

/// The message that throws away what is queued and not yet played. It is not answered.
pub const STOP_AUDIO: &str = r#"{"Kind":"StopAudio","AudioData":null,"StopAudio":{}}"#;
