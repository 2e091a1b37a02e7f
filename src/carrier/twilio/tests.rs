//! Twilio messages as documented, and the greeting that says whose stream it is.

use std::future::poll_fn;

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tandem_actors::carrier::{Command, Mark};
use tandem_actors::leg::Broken;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::*;
use crate::carrier::told::{decode, payload, told};
use crate::socket::coded::{Codec as _, Decoded, Encoded};
use crate::socket::greeting::MESSAGES;
use crate::socket::tests::{close_code, fields, object, served};
use crate::socket::{Limits, Utf8Bytes};

const INBOUND: &str = include_str!("../../../tests/fixtures/twilio/inbound.jsonl");
const OUTBOUND: &str = include_str!("../../../tests/fixtures/twilio/outbound.jsonl");

const DEADLINE: Duration = Duration::from_secs(5);

fn codec() -> codec::Codec {
    codec::Codec::new("MZ00")
}

fn decoded(text: &str) -> String {
    decode(&mut codec(), text)
}

#[test]
fn every_message_of_the_fixture_is_understood() {
    let understood: Vec<String> = INBOUND.lines().map(decoded).collect();
    assert_eq!(
        understood,
        [
            "nothing",
            "nothing",
            "heard ////",
            "nothing",
            "heard ////",
            "heard f38=",
            "bad base64",
            "bad json",
            "pressed 5",
            "bad key",
            "played 7",
            "bad mark",
            "unknown weather",
            "stopped",
        ]
    );
}

#[test]
fn the_documented_media_message_takes_the_short_way() {
    let message = Utf8Bytes::from(INBOUND.lines().nth(2).unwrap());
    let Decoded::Event(Event::Heard(audio)) = codec().decode(&message) else {
        panic!("not heard");
    };
    let text: &str = message.as_ref();
    assert!(wire::read_media(text).is_some(), "the long way");
    assert!(text.as_bytes().as_ptr_range().contains(&audio.as_str().as_ptr()), "copied");
}

#[test]
fn every_command_is_written_as_in_the_fixture() {
    let mut codec = codec();
    let commands = [Command::Say(payload("////")), Command::Mark(Mark(7)), Command::Flush];
    let written: Vec<Encoded> = commands.map(|command| codec.encode(command)).into();
    let pinned: Vec<Encoded> =
        OUTBOUND.lines().map(|line| Encoded::Text(line.to_owned())).collect();
    assert_eq!(written, pinned);
    assert_eq!(codec.encode(Command::Close), Encoded::Close);
}

#[test]
fn a_stream_name_cannot_break_out_of_its_quotes() {
    let name = r#"MZ","event":"clear"#;
    let written = wire::Outbound::new(name).media(&payload("////"));
    let read: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(read["event"], "media");
    assert_eq!(read["streamSid"], name);
}

#[test]
fn a_start_with_other_audio_is_no_stream_of_ours() {
    let start = INBOUND.lines().nth(1).unwrap().replace("8000", "16000");
    let Ok(wire::Inbound::Start(start)) = wire::read(&start) else { panic!("not a start") };
    assert_eq!(codec::start(start), Err(GreetError::stranger("media format")));
}

#[test]
fn a_million_brackets_are_no_trouble() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(decoded(&deep), "bad json");
    let inside = format!(r#"{{"event":"media","deep":{deep},"media":{{"payload":"////"}}}}"#);
    assert_eq!(decoded(&inside), "heard ////");
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".*") {
        decoded(&text);
        decoded(&format!(r#"{{"event":"media",{text}"#));
        decoded(&format!(r#"{{"event":"media","media":{{"payload":"{text}"}}}}"#));
    }

    #[test]
    fn fields_we_do_not_know_change_nothing(
        outer in fields(),
        inner in fields(),
        place in any::<prop::sample::Index>(),
    ) {
        let inner = object(inner, &[("payload", r#""////""#)], place);
        let known = [("event", r#""media""#), ("media", inner.as_str())];
        prop_assert_eq!(decoded(&object(outer, &known, place)), "heard ////");
    }
}

#[tokio::test]
async fn a_greeted_stream_says_whose_it_is_and_talks() {
    let (socket, mut far_end) = served(Limits::CARRIER).await;
    for text in INBOUND.lines().take(3) {
        far_end.send(Frame::text(text)).await.unwrap();
    }
    let (start, mut line) = greet(socket, DEADLINE).await.unwrap();
    assert_eq!(start.call, CarrierCallId("CA00".into()));
    assert_eq!(start.parameters["token"], "SECRET");
    assert!(!format!("{start:?}").contains("SECRET"), "a token in a log");
    assert!(line.marks());

    let events = [
        poll_fn(|cx| line.poll_event(cx)).await.unwrap(),
        poll_fn(|cx| line.poll_event(cx)).await.unwrap(),
    ];
    assert_eq!(events.map(|event| told(&event)), ["started", "heard ////"]);
    for command in [Command::Say(payload("////")), Command::Mark(Mark(7)), Command::Flush] {
        line.send(command).unwrap();
    }
    poll_fn(|cx| line.poll_flush(cx)).await.unwrap();
    for text in OUTBOUND.lines() {
        assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::text(text));
    }
    // The head of a masked text frame of 1 MiB (RFC 6455 §5.2).
    let head = [0x81, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0];
    far_end.get_mut().write_all(&head).await.unwrap();
    let broken = poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
    assert!(matches!(broken, Broken::Failed(_)));
    assert_eq!(close_code(&mut far_end).await, 1009);
}

#[tokio::test]
async fn a_socket_that_never_starts_is_not_greeted() {
    let (socket, mut far_end) = served(Limits::CARRIER).await;
    for _ in 0..MESSAGES {
        far_end.send(Frame::text(INBOUND.lines().next().unwrap())).await.unwrap();
    }
    let error = greet(socket, DEADLINE).await.map(|_| ()).unwrap_err();
    assert_eq!(error, GreetError::stranger("too much before its first word"));

    let (socket, mut far_end) = served(Limits::CARRIER).await;
    far_end.send(Frame::text("GET / HTTP/1.1")).await.unwrap();
    let error = greet(socket, DEADLINE).await.map(|_| ()).unwrap_err();
    assert_eq!(error, GreetError::stranger("json"));

    let (socket, mut far_end) = served(Limits::CARRIER).await;
    far_end.close(None).await.unwrap();
    let error = greet(socket, DEADLINE).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, GreetError::Broken(Broken::Closed { code: 1005, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_not_waited_for() {
    let (socket, _far_end) = served(Limits::CARRIER).await;
    let error = greet(socket, DEADLINE).await.map(|_| ()).unwrap_err();
    assert_eq!(error, GreetError::TimedOut);
}
