//! What the wires of several carriers have in common: keys are characters, audio is base64 text
//! or raw bytes. Inside it is text.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use bytes::Bytes;
use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Digit, Event};

use super::convert::Coding;
use crate::socket::coded::Decoded;

/// Tolerant of stray bits behind the last byte, as the carriers' own decoders are.
pub(super) const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, PAD.with_decode_allow_trailing_bits(true));

/// One key of a phone.
pub(super) fn pressed(key: &str) -> Decoded<Event> {
    let mut keys = key.chars();
    match (keys.next().and_then(Digit::new), keys.next()) {
        (Some(digit), None) => Decoded::Event(Event::Pressed(digit)),
        (Some(_) | None, _) => Decoded::Bad("key"),
    }
}

/// Raw audio: whole samples, and some.
pub(super) fn heard(audio: &Bytes, coding: Coding) -> Decoded<Event> {
    if audio.is_empty() || !audio.len().is_multiple_of(coding.sample_bytes()) {
        return Decoded::Bad("half a sample");
    }
    let text = Bytes::from(BASE64.encode(audio));
    Decoded::Event(Event::Heard(Payload::from_base64(text).expect("encoded a moment ago")))
}
