//! A browser's messages on a media socket to events, commands to its messages. Pure; knows neither
//! socket nor call. Audio is raw bytes on this wire and base64 text inside: here it changes.

use std::collections::VecDeque;

use base64::Engine as _;
use bytes::Bytes;
use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Command, Event, Mark};
use tandem_actors::leg::Broken;

use super::CODING;
use super::wire::{self, Inbound, Outbound};
use crate::carrier::wires::{BASE64, heard, pressed};
use crate::socket::Utf8Bytes;
use crate::socket::coded::{self, Decoded, Encoded};

/// 2.5 ms: what a browser's audio thread works on at once (128 samples at 48 kHz) is a little
/// more, so nothing shorter is worth a message.
const LEAST_BYTES: usize = 120;

/// 200 ms: who holds so much back cannot talk with anybody.
pub const MOST_BYTES: usize = 9_600;

/// The codec of one media socket.
#[derive(Debug)]
pub struct Codec {
    /// Less than the least that is sent, or half a sample: it waits for more, or for a mark.
    rest: Vec<u8>,
    /// What goes out with the next write, in order: one command can be several messages.
    out: VecDeque<Encoded>,
}

impl Default for Codec {
    /// One whose first message says how the audio is coded.
    fn default() -> Self {
        let (rate, encoding) = (CODING.rate_hz(), "pcm_s16le");
        let start = Outbound::Start { rate, channels: 1, encoding };
        Self { rest: Vec::new(), out: VecDeque::from([Encoded::Text(start.text())]) }
    }
}

impl Codec {
    fn say(&mut self, payload: &Payload) {
        let Ok(more) = BASE64.decode(payload.as_str()) else { return };
        self.rest.extend(more);
        loop {
            let whole = self.rest.len() - self.rest.len() % CODING.sample_bytes();
            if whole < LEAST_BYTES {
                return;
            }
            let later = self.rest.split_off(whole.min(MOST_BYTES));
            let piece = std::mem::replace(&mut self.rest, later);
            self.out.push_back(Encoded::Binary(piece.into()));
        }
    }

    /// Everything before a mark goes out before it, filled up with silence.
    fn mark(&mut self, mark: u64) {
        if !self.rest.is_empty() {
            let mut last = std::mem::take(&mut self.rest);
            last.resize(LEAST_BYTES, 0);
            self.out.push_back(Encoded::Binary(last.into()));
        }
        self.out.push_back(Encoded::Text(Outbound::Mark { mark }.text()));
    }
}

impl coded::Codec for Codec {
    type Event = Event;
    type Command = Command;

    const FAR_END: &'static str = "softphone";
    const MARKS: bool = true;

    fn decode(&mut self, message: &Utf8Bytes) -> Decoded<Event> {
        match wire::read(message) {
            Ok(Inbound::Played(mark)) => Decoded::Event(Event::Played(Mark(mark))),
            Ok(Inbound::Key(key)) => pressed(&key),
            Ok(Inbound::Reject(_) | Inbound::Busy(_)) => Decoded::Bad("a word of the phone's"),
            Ok(Inbound::Other(kind)) => Decoded::Unknown(kind.into_owned()),
            Err(wire::Malformed) => Decoded::Bad("json"),
        }
    }

    fn decode_binary(&mut self, message: &Bytes) -> Decoded<Event> {
        if !(LEAST_BYTES..=MOST_BYTES).contains(&message.len()) {
            return Decoded::Bad("a piece too short or too long");
        }
        heard(message, CODING)
    }

    fn encode(&mut self, command: Command) -> Encoded {
        match command {
            Command::Say(payload) => self.say(&payload),
            Command::Mark(Mark(mark)) => self.mark(mark),
            Command::Flush => {
                self.rest.clear();
                self.out.push_back(Encoded::Text(Outbound::Flush.text()));
            }
            Command::Close => self.out.push_back(Encoded::Close),
        }
        Encoded::Nothing
    }

    fn release(&mut self) -> Option<Encoded> {
        self.out.pop_front()
    }

    fn last(&self, _broken: &Broken) -> Option<Event> {
        None
    }
}
