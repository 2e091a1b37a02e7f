//! ACS messages to events, commands to ACS messages. Pure; knows neither socket nor call.

use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Command, Event};
use tandem_actors::leg::Broken;

use super::Rate;
use super::wire::{self, Inbound, Metadata};
use crate::carrier::wires::pressed;
use crate::socket::Utf8Bytes;
use crate::socket::coded::{self, Decoded, Encoded};
use crate::socket::scan::payload;

/// Bytes of one sample at either rate.
const SAMPLE_BYTES: usize = 2;

/// The codec of one ACS socket.
#[derive(Debug)]
pub struct Codec {
    rate: Rate,
    started: bool,
}

impl Codec {
    /// For audio at this rate.
    #[must_use]
    pub const fn new(rate: Rate) -> Self {
        Self { rate, started: false }
    }

    fn metadata(&mut self, metadata: &Metadata<'_>) -> Decoded<Event> {
        if let Some(hz) = metadata.sample_rate.filter(|&hz| hz != self.rate.hz()) {
            let agreed = self.rate.hz();
            return Decoded::Hopeless(format!("audio at {hz} hz where {agreed} hz was agreed"));
        }
        if let Some(channels) = metadata.channels.filter(|&channels| channels != 1) {
            return Decoded::Hopeless(format!("audio with {channels} channels where 1 was agreed"));
        }
        if metadata.encoding.as_ref().is_some_and(|coding| !coding.eq_ignore_ascii_case("PCM")) {
            return Decoded::Hopeless("audio that is not pcm".to_owned());
        }
        if self.started {
            return Decoded::Nothing;
        }
        self.started = true;
        Decoded::Event(Event::Started)
    }

    /// Audio without metadata before it is audio as agreed, and means that media has begun.
    fn heard(&mut self, audio: Payload) -> Decoded<Event> {
        if self.started {
            return Decoded::Event(Event::Heard(audio));
        }
        self.started = true;
        Decoded::Both(Event::Started, Event::Heard(audio))
    }
}

impl coded::Codec for Codec {
    type Event = Event;
    type Command = Command;

    const FAR_END: &'static str = "acs";
    const MARKS: bool = false;

    fn decode(&mut self, message: &Utf8Bytes) -> Decoded<Event> {
        match wire::read(message) {
            Ok(Inbound::Audio(base64)) => match payload(message, base64) {
                Some(audio) if audio.byte_len().is_multiple_of(SAMPLE_BYTES) => self.heard(audio),
                Some(_) => Decoded::Bad("half a sample"),
                None => Decoded::Bad("base64"),
            },
            Ok(Inbound::Metadata(metadata)) => self.metadata(&metadata),
            Ok(Inbound::Keys(keys)) => pressed(&keys),
            Ok(Inbound::Other(kind)) => Decoded::Unknown(kind.into_owned()),
            Err(wire::Malformed) => Decoded::Bad("json"),
        }
    }

    fn encode(&mut self, command: Command) -> Encoded {
        match command {
            Command::Say(payload) => Encoded::Text(wire::audio(&payload)),
            Command::Mark(_) => Encoded::Nothing,
            Command::Flush => Encoded::Text(wire::STOP_AUDIO.to_owned()),
            Command::Close => Encoded::Close,
        }
    }

    fn last(&self, _broken: &Broken) -> Option<Event> {
        None
    }
}
