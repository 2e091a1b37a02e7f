//! Asterisk's messages to events, commands to Asterisk's messages. Pure; knows neither socket
//! nor call. Audio is raw bytes on this wire and base64 text inside: here it changes.

use std::collections::VecDeque;

use base64::Engine as _;
use bytes::Bytes;
use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Command, Event, Mark};
use tandem_actors::leg::Broken;

use super::wire::{self, Inbound};
use crate::carrier::convert::Coding;
use crate::carrier::wires::{BASE64, heard, pressed};
use crate::socket::Utf8Bytes;
use crate::socket::coded::{self, Decoded, Encoded};

/// The largest message of whole frames that Asterisk takes, in every coding; it drops the call at
/// one of more than 65,500 bytes.
const MESSAGE_BYTES: usize = 65_280;

/// Frames a second: Asterisk plays one every 20 ms.
const FRAMES: usize = 50;

/// Audio held back while Asterisk has no room: five seconds at 24 kHz, behind the eighteen that
/// lie there already. Whoever has not played those by then is not listening; beyond it the
/// oldest is thrown away.
const HELD_BYTES: usize = 240_000;

/// The codec of one started channel.
#[derive(Debug)]
pub struct Codec {
    coding: Coding,
    /// Less than a frame. Asterisk throws away what is left of a message behind its last whole
    /// frame, so this waits for more; the last 20 ms of an utterance may wait for the next.
    rest: Vec<u8>,
    /// Asterisk has asked us to stop.
    full: bool,
    /// What waits until it has room, in order.
    held: VecDeque<Encoded>,
    held_bytes: usize,
}

impl Codec {
    /// For audio in this coding.
    #[must_use]
    pub const fn new(coding: Coding) -> Self {
        Self { coding, rest: Vec::new(), full: false, held: VecDeque::new(), held_bytes: 0 }
    }

    fn say(&mut self, payload: &Payload) -> Encoded {
        let Ok(more) = BASE64.decode(payload.as_str()) else { return Encoded::Nothing };
        let mut audio = Bytes::from(self.whole_frames(more));
        if audio.is_empty() {
            return Encoded::Nothing;
        }
        while audio.len() > MESSAGE_BYTES {
            let piece = audio.split_to(MESSAGE_BYTES);
            self.hold(Encoded::Binary(piece));
        }
        self.now_or_later(Encoded::Binary(audio))
    }

    fn whole_frames(&mut self, more: Vec<u8>) -> Vec<u8> {
        let mut audio = std::mem::take(&mut self.rest);
        if audio.is_empty() {
            audio = more;
        } else {
            audio.extend(more);
        }
        let frame = self.coding.rate_hz() / FRAMES * self.coding.sample_bytes();
        self.rest = audio.split_off(audio.len() / frame * frame);
        audio
    }

    /// Nothing overtakes what is held back.
    fn now_or_later(&mut self, encoded: Encoded) -> Encoded {
        if !self.full && self.held.is_empty() {
            return encoded;
        }
        self.hold(encoded);
        Encoded::Nothing
    }

    fn hold(&mut self, encoded: Encoded) {
        self.held_bytes += weight(&encoded);
        self.held.push_back(encoded);
        while self.held_bytes > HELD_BYTES {
            self.let_go();
        }
    }

    fn let_go(&mut self) -> Option<Encoded> {
        let oldest = self.held.pop_front()?;
        self.held_bytes -= weight(&oldest);
        Some(oldest)
    }
}

fn weight(encoded: &Encoded) -> usize {
    match encoded {
        Encoded::Binary(bytes) => bytes.len(),
        Encoded::Text(text) => text.len(),
        Encoded::Nothing | Encoded::Close => 0,
    }
}

impl coded::Codec for Codec {
    type Event = Event;
    type Command = Command;

    const FAR_END: &'static str = "asterisk";
    const MARKS: bool = true;

    fn decode(&mut self, message: &Utf8Bytes) -> Decoded<Event> {
        match wire::read(message) {
            Ok(Inbound::Key(key)) => pressed(&key),
            Ok(Inbound::Mark(name)) => match name.parse() {
                Ok(number) => Decoded::Event(Event::Played(Mark(number))),
                Err(_) => Decoded::Bad("mark"),
            },
            Ok(Inbound::Full) => {
                self.full = true;
                Decoded::Nothing
            }
            Ok(Inbound::Room) => {
                self.full = false;
                Decoded::Nothing
            }
            Ok(Inbound::Refused) => Decoded::Bad("an error about a command"),
            // Its start was read before there was a codec.
            Ok(Inbound::Start(_) | Inbound::Idle) => Decoded::Nothing,
            Ok(Inbound::Other(event)) => Decoded::Unknown(event.into_owned()),
            Err(wire::Malformed) => Decoded::Bad("json"),
        }
    }

    fn decode_binary(&mut self, message: &Bytes) -> Decoded<Event> {
        heard(message, self.coding)
    }

    fn encode(&mut self, command: Command) -> Encoded {
        match command {
            Command::Say(payload) => self.say(&payload),
            Command::Mark(Mark(number)) => self.now_or_later(Encoded::Text(wire::mark(number))),
            Command::Flush => {
                self.rest.clear();
                self.held.clear();
                self.held_bytes = 0;
                // The queue is empty after it; that no word of room follows must not hush us.
                self.full = false;
                Encoded::Text(wire::FLUSH.to_owned())
            }
            Command::Close => Encoded::Close,
        }
    }

    fn release(&mut self) -> Option<Encoded> {
        if self.full {
            return None;
        }
        self.let_go()
    }

    fn last(&self, _broken: &Broken) -> Option<Event> {
        None
    }
}
