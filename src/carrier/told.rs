//! What a codec makes of a message, in words: shared by the tests of all carriers.

use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Event, Mark};

use crate::socket::Utf8Bytes;
use crate::socket::coded::{Codec, Decoded};
use crate::socket::tests::in_words;

/// What the codec makes of this text.
pub(crate) fn decode(codec: &mut impl Codec<Event = Event>, text: &str) -> String {
    decoded(codec.decode(&Utf8Bytes::from(text)))
}

/// What a message was.
pub(crate) fn decoded(decoded: Decoded<Event>) -> String {
    in_words(decoded, |event| told(&event))
}

/// What an event tells.
pub(crate) fn told(event: &Event) -> String {
    match event {
        Event::Started => "started".to_owned(),
        Event::Heard(audio) => format!("heard {}", audio.as_str()),
        Event::Pressed(digit) => format!("pressed {}", digit.key()),
        Event::Played(Mark(number)) => format!("played {number}"),
        Event::Stopped => "stopped".to_owned(),
    }
}

/// Audio, already as it is on the wire.
pub(crate) fn payload(base64: &'static str) -> Payload {
    Payload::from_base64(base64.as_bytes().into()).unwrap()
}
