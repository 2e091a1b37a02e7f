//! ACS messages as documented, as seen, and as nobody should send them.

use std::future::poll_fn;

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tandem_actors::carrier::{Command, Event, Mark};
use tandem_actors::leg::Broken;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::*;
use crate::carrier::told::{decode, payload, told};
use crate::socket::coded::{Codec as _, Decoded, Encoded};
use crate::socket::tests::{close_code, served};
use crate::socket::{Limits, Utf8Bytes};

const INBOUND: &str = include_str!("../../../tests/fixtures/acs/inbound.jsonl");
const OUTBOUND: &str = include_str!("../../../tests/fixtures/acs/outbound.jsonl");

#[test]
fn every_message_of_the_fixture_is_understood() {
    let mut codec = codec::Codec::new(Rate::Hz24000);
    let understood: Vec<String> = INBOUND.lines().map(|line| decode(&mut codec, line)).collect();
    assert_eq!(
        understood,
        [
            "started",
            "heard AQID/w==",
            "heard AQID/w==",
            "heard AAAAAA==",
            "heard AAAAAA==",
            "heard AQID/w==",
            "heard AQID/w==",
            "heard AQID/w==",
            "heard AQID/w==",
            "bad half a sample",
            "bad base64",
            "bad base64",
            "bad json",
            "pressed 3",
            "pressed #",
            "bad key",
            "unknown MarkData",
            "nothing",
            "hopeless: audio at 16000 hz where 24000 hz was agreed",
            "hopeless: audio with 2 channels where 1 was agreed",
            "bad json",
        ]
    );
}

#[test]
fn audio_before_the_metadata_means_that_media_has_begun() {
    let mut codec = codec::Codec::new(Rate::Hz16000);
    let audio = r#"{"kind":"AudioData","audioData":{"data":"AAAAAA==","silent":false}}"#;
    assert_eq!(decode(&mut codec, audio), "started, heard AAAAAA==");
    assert_eq!(decode(&mut codec, audio), "heard AAAAAA==");
    let metadata = r#"{"kind":"AudioMetadata","audioMetadata":{"sampleRate":16000}}"#;
    assert_eq!(decode(&mut codec, metadata), "nothing");
    let other = r#"{"kind":"AudioMetadata","audioMetadata":{"encoding":"opus"}}"#;
    assert_eq!(decode(&mut codec, other), "hopeless: audio that is not pcm");
}

#[test]
fn only_the_documented_spelling_takes_the_short_way() {
    let short: Vec<usize> = (0..INBOUND.lines().count())
        .filter(|&line| wire::read_audio(INBOUND.lines().nth(line).unwrap()).is_some())
        .collect();
    // The first four audio messages, and three whose base64 is looked at later.
    assert_eq!(short, [1, 2, 3, 4, 9, 10, 11]);
}

#[test]
fn the_documented_audio_message_is_a_slice_of_what_was_read() {
    let message = Utf8Bytes::from(INBOUND.lines().nth(1).unwrap());
    let mut codec = codec::Codec::new(Rate::Hz24000);
    let Decoded::Both(_, Event::Heard(audio)) = codec.decode(&message) else {
        panic!("not heard");
    };
    let text: &str = message.as_ref();
    assert!(text.as_bytes().as_ptr_range().contains(&audio.as_str().as_ptr()), "copied");
}

#[test]
fn every_command_is_written_as_in_the_fixture() {
    let mut codec = codec::Codec::new(Rate::Hz24000);
    let commands = [Command::Say(payload("AQID/w==")), Command::Flush];
    let written: Vec<Encoded> = commands.map(|command| codec.encode(command)).into();
    let pinned: Vec<Encoded> =
        OUTBOUND.lines().map(|line| Encoded::Text(line.to_owned())).collect();
    assert_eq!(written, pinned);
    assert_eq!(codec.encode(Command::Mark(Mark(1))), Encoded::Nothing);
    assert_eq!(codec.encode(Command::Close), Encoded::Close);
}

#[test]
fn a_million_brackets_are_no_trouble() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let mut codec = codec::Codec::new(Rate::Hz24000);
    assert_eq!(decode(&mut codec, &deep), "bad json");
    let inside =
        format!(r#"{{"kind":"AudioData","deep":{deep},"audioData":{{"data":"AAAAAA=="}}}}"#);
    assert_eq!(decode(&mut codec, &inside), "started, heard AAAAAA==");
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".*", tail in ".*") {
        let mut codec = codec::Codec::new(Rate::Hz24000);
        decode(&mut codec, &text);
        decode(&mut codec, &format!(r#"{{"kind":"AudioData","audioData":{{{tail}"#));
        decode(&mut codec, &format!(r#"{{"kind":"AudioData","audioData":{{"data":"{tail}"}}}}"#));
    }

    #[test]
    fn fields_we_do_not_know_change_nothing(
        outer in crate::socket::tests::fields(),
        inner in crate::socket::tests::fields(),
        place in any::<prop::sample::Index>(),
    ) {
        let inner = crate::socket::tests::object(inner, &[("data", r#""AAAAAA==""#)], place);
        let known = [("kind", r#""AudioData""#), ("audioData", inner.as_str())];
        let text = crate::socket::tests::object(outer, &known, place);
        let mut codec = codec::Codec::new(Rate::Hz24000);
        prop_assert_eq!(decode(&mut codec, &text), "started, heard AAAAAA==");
    }
}

#[tokio::test]
async fn a_line_hears_speaks_and_closes() {
    let (socket, mut far_end) = served(Limits::CARRIER).await;
    let mut line = line(socket, Rate::Hz24000);
    assert!(!line.marks());
    for text in INBOUND.lines().take(2) {
        far_end.send(Frame::text(text)).await.unwrap();
    }
    let events = [
        poll_fn(|cx| line.poll_event(cx)).await.unwrap(),
        poll_fn(|cx| line.poll_event(cx)).await.unwrap(),
    ];
    assert_eq!(events.map(|event| told(&event)), ["started", "heard AQID/w=="]);
    for command in [Command::Say(payload("AQID/w==")), Command::Mark(Mark(1)), Command::Flush] {
        line.send(command).unwrap();
    }
    poll_fn(|cx| line.poll_flush(cx)).await.unwrap();
    for text in OUTBOUND.lines() {
        assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::text(text));
    }
    line.send(Command::Close).unwrap();
    assert_eq!(close_code(&mut far_end).await, 1000);
    let broken = poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
    assert_eq!(broken, Broken::Closed { code: 1000, reason: String::new() });
}

#[tokio::test]
async fn a_far_end_that_sends_only_rubbish_is_given_up() {
    let (socket, mut far_end) = served(Limits::CARRIER).await;
    let mut line = line(socket, Rate::Hz24000);
    for _ in 0..25 {
        far_end.send(Frame::binary(vec![0; 640])).await.unwrap();
        far_end.send(Frame::text("{}")).await.unwrap();
    }
    let broken = poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
    assert_eq!(broken, Broken::Failed("50 bad messages in a row: json".into()));
    assert_eq!(close_code(&mut far_end).await, 1008);
}

#[tokio::test]
async fn audio_at_another_rate_ends_the_line_with_words() {
    let (socket, mut far_end) = served(Limits::CARRIER).await;
    let mut line = line(socket, Rate::Hz16000);
    far_end.send(Frame::text(INBOUND.lines().next().unwrap())).await.unwrap();
    let broken = poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
    let why = "audio at 24000 hz where 16000 hz was agreed";
    assert_eq!(broken, Broken::Failed(why.into()));
}
