//! Twilio messages to events, commands to Twilio messages. Pure; knows neither socket nor call.

use tandem_actors::carrier::{CarrierCallId, Command, Event, Mark};
use tandem_actors::leg::Broken;

use super::Start;
use super::wire::{self, Inbound, Media, Outbound};
use crate::carrier::wires::pressed;
use crate::socket::Utf8Bytes;
use crate::socket::coded::{self, Decoded, Encoded};
use crate::socket::greeting::GreetError;
use crate::socket::scan::payload;

/// The codec of one started stream: nothing can be sent before its name is known, so there is
/// no codec before.
#[derive(Debug)]
pub struct Codec {
    outbound: Outbound,
}

impl Codec {
    /// For the stream of this name.
    #[must_use]
    pub fn new(stream: &str) -> Self {
        Self { outbound: Outbound::new(stream) }
    }
}

impl coded::Codec for Codec {
    type Event = Event;
    type Command = Command;

    const FAR_END: &'static str = "twilio";
    const MARKS: bool = true;

    fn decode(&mut self, message: &Utf8Bytes) -> Decoded<Event> {
        match wire::read(message) {
            Ok(Inbound::Media(media)) => heard(message, media),
            Ok(Inbound::Key(key)) => pressed(&key),
            Ok(Inbound::Mark(name)) => match name.parse() {
                Ok(number) => Decoded::Event(Event::Played(Mark(number))),
                Err(_) => Decoded::Bad("mark"),
            },
            Ok(Inbound::Stop) => Decoded::Event(Event::Stopped),
            Ok(Inbound::Connected | Inbound::Start(_)) => Decoded::Nothing,
            Ok(Inbound::Other(event)) => Decoded::Unknown(event.into_owned()),
            Err(wire::Malformed) => Decoded::Bad("json"),
        }
    }

    fn encode(&mut self, command: Command) -> Encoded {
        match command {
            Command::Say(payload) => Encoded::Text(self.outbound.media(&payload)),
            Command::Mark(Mark(number)) => Encoded::Text(self.outbound.mark(number)),
            Command::Flush => Encoded::Text(self.outbound.clear()),
            Command::Close => Encoded::Close,
        }
    }

    fn last(&self, _broken: &Broken) -> Option<Event> {
        None
    }
}

/// Takes a start whose audio is what Twilio documents.
///
/// # Errors
/// [`GreetError::Stranger`] for any other audio.
pub fn start(start: wire::Start<'_>) -> Result<Start, GreetError> {
    let format = &start.media_format;
    if format.encoding != "audio/x-mulaw" || format.sample_rate != 8_000 || format.channels != 1 {
        return Err(GreetError::stranger("media format"));
    }
    Ok(Start {
        stream: start.stream_sid.into_owned(),
        call: CarrierCallId(start.call_sid.into_owned()),
        parameters: start.custom_parameters,
    })
}

fn heard(message: &Utf8Bytes, media: Media<'_>) -> Decoded<Event> {
    if media.track.is_some_and(|track| track != "inbound") {
        return Decoded::Nothing;
    }
    match payload(message, media.payload) {
        Some(audio) => Decoded::Event(Event::Heard(audio)),
        None => Decoded::Bad("base64"),
    }
}
