//! The JSON of Twilio Media Streams, both ways. Pure; knows no call.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use tandem_actors::audio::Payload;

use crate::socket::scan::Scan;

/// A message of Twilio.
#[derive(Debug, PartialEq, Eq)]
pub enum Inbound<'a> {
    /// `connected`: the first message; says nothing of the call.
    Connected,
    /// `start`: whose stream this is.
    Start(Start<'a>),
    /// `media`: audio as base64 text.
    Media(Media<'a>),
    /// `dtmf`: one key.
    Key(Cow<'a, str>),
    /// `mark`: the name of a mark that has been reached, or cleared.
    Mark(Cow<'a, str>),
    /// `stop`: the stream is over.
    Stop,
    /// An event we do not know.
    Other(Cow<'a, str>),
}

/// Whose stream it is, and of what.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start<'a> {
    /// The stream.
    #[serde(borrow)]
    pub stream_sid: Cow<'a, str>,
    /// The call.
    #[serde(borrow)]
    pub call_sid: Cow<'a, str>,
    /// The audio.
    #[serde(borrow)]
    pub media_format: MediaFormat<'a>,
    /// What our own TwiML gave the stream to carry.
    #[serde(default)]
    pub custom_parameters: BTreeMap<String, String>,
}

/// `audio/x-mulaw`, 8000, 1: nothing else is documented.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaFormat<'a> {
    /// The coding.
    #[serde(borrow)]
    pub encoding: Cow<'a, str>,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
}

/// Audio.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Media<'a> {
    /// `inbound`: what the caller says. `outbound` would be our own voice.
    #[serde(borrow, default)]
    pub track: Option<Cow<'a, str>>,
    /// The audio, base64.
    #[serde(borrow)]
    pub payload: Cow<'a, str>,
}

/// Text that is no message of Twilio.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    start: Option<Start<'a>>,
    #[serde(borrow, default)]
    media: Option<Media<'a>>,
    #[serde(borrow, default)]
    dtmf: Option<Dtmf<'a>>,
    #[serde(borrow, default)]
    mark: Option<Mark<'a>>,
}

#[derive(Deserialize)]
struct Dtmf<'a> {
    #[serde(borrow)]
    digit: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Mark<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// Reads a message.
///
/// # Errors
/// [`Malformed`] for what is not JSON or lacks what its event needs.
pub fn read(text: &str) -> Result<Inbound<'_>, Malformed> {
    if let Some(media) = read_media(text) {
        return Ok(Inbound::Media(media));
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|_| Malformed)?;
    match &*envelope.event {
        "connected" => Ok(Inbound::Connected),
        "start" => envelope.start.map(Inbound::Start).ok_or(Malformed),
        "media" => envelope.media.map(Inbound::Media).ok_or(Malformed),
        "dtmf" => envelope.dtmf.map(|dtmf| Inbound::Key(dtmf.digit)).ok_or(Malformed),
        "mark" => envelope.mark.map(|mark| Inbound::Mark(mark.name)).ok_or(Malformed),
        "stop" => Ok(Inbound::Stop),
        _ => Ok(Inbound::Other(envelope.event)),
    }
}

/// The media message as it is documented, 50 times a second; nothing for any other spelling.
pub(super) fn read_media(text: &str) -> Option<Media<'_>> {
    let mut scan = Scan::after(text, r#"{"event":"media","#)?;
    while !scan.eat(r#""media":{"#) {
        scan.field()?;
        if !scan.eat(",") {
            return None;
        }
    }
    let (mut track, mut payload) = (None, None);
    scan.fields(|key, value| match key {
        "track" => track = value.text(),
        "payload" => payload = value.text(),
        _ => {}
    })?;
    let whole = scan.eat("}") && scan.is_at_end();
    whole.then_some(Media { track: track.map(Cow::Borrowed), payload: Cow::Borrowed(payload?) })
}

/// The messages to one stream; its name is written into them once.
#[derive(Debug)]
pub struct Outbound {
    media_head: String,
    mark_head: String,
    clear: String,
}

impl Outbound {
    /// For the stream of this name.
    #[must_use]
    pub fn new(stream: &str) -> Self {
        let stream = serde_json::Value::from(stream);
        Self {
            media_head: format!(r#"{{"event":"media","streamSid":{stream},"media":{{"payload":""#),
            mark_head: format!(r#"{{"event":"mark","streamSid":{stream},"mark":{{"name":""#),
            clear: format!(r#"{{"event":"clear","streamSid":{stream}}}"#),
        }
    }

    /// Plays audio behind what is queued.
    #[must_use]
    pub fn media(&self, payload: &Payload) -> String {
        splice(&self.media_head, payload.as_str())
    }

    /// Asks to be told when everything before it has been played. `name` needs no escapes.
    #[must_use]
    pub fn mark(&self, name: u64) -> String {
        splice(&self.mark_head, &name.to_string())
    }

    /// Throws away what is queued; every pending mark comes back at once.
    #[must_use]
    pub fn clear(&self) -> String {
        self.clear.clone()
    }
}

fn splice(head: &str, value: &str) -> String {
    const TAIL: &str = r#""}}"#;
    let mut message = String::with_capacity(head.len() + value.len() + TAIL.len());
    message.push_str(head);
    message.push_str(value);
    message.push_str(TAIL);
    message
}
