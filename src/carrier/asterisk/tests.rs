//! Messages as documented, audio in both directions, the hold-back, and the greeting.

use std::future::poll_fn;

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Command, Mark};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::*;
use crate::carrier::told::{self, decode};
use crate::socket::Limits;
use crate::socket::coded::{Codec as _, Encoded};
use crate::socket::tests::served;

const INBOUND: &str = include_str!("../../../tests/fixtures/asterisk/inbound.jsonl");
const OUTBOUND: &str = include_str!("../../../tests/fixtures/asterisk/outbound.jsonl");
const RECORDED: &str = include_str!("../../../tests/fixtures/asterisk/recorded-media.jsonl");
const RECORDED_ARI: &str = include_str!("../../../tests/fixtures/asterisk/recorded-ari.jsonl");

const DEADLINE: Duration = Duration::from_secs(5);

fn codec() -> codec::Codec {
    codec::Codec::new(Coding::Pcm24k)
}

fn audio(bytes: usize) -> Payload {
    Payload::from_base64(STANDARD.encode(vec![7; bytes]).into()).unwrap()
}

fn decoded(text: &str) -> String {
    decode(&mut codec(), text)
}

#[test]
fn every_message_of_the_fixture_is_understood() {
    let understood: Vec<String> = INBOUND.lines().map(decoded).collect();
    let expected = [
        "nothing",
        "pressed 5",
        "bad key",
        "nothing",
        "nothing",
        "played 7",
        "bad mark",
        "nothing",
        "nothing",
        "nothing",
        "bad an error about a command",
        "unknown WEATHER",
        "bad json",
    ];
    assert_eq!(understood, expected);
}

#[test]
fn every_recorded_message_is_understood() {
    let understood: Vec<String> = RECORDED.lines().map(decoded).collect();
    let nothing = |times| std::iter::repeat_n("nothing", times);
    let expected: Vec<&str> = nothing(1)
        .chain(["pressed 5", "pressed #", "played 7"])
        // A status, an empty queue, no room, two more, room: 8 was flushed and is never reported.
        .chain(nothing(6))
        .collect();
    assert_eq!(understood, expected);
    let Ok(wire::Inbound::Start(start)) = wire::read(RECORDED.lines().next().unwrap()) else {
        panic!("no start")
    };
    assert_eq!((&*start.channel, &*start.format), ("tandem-media-1795761952.0", "slin24"));
    assert_eq!(start.variables["TANDEM_CALL"], "c-81");
    assert_eq!(start.variables["TANDEM_NONCE"], "SECRET");
}

#[test]
fn every_command_is_written_as_in_the_fixture_and_is_short_enough() {
    let commands = [Command::Mark(Mark(7)), Command::Mark(Mark(u64::MAX)), Command::Flush];
    let written: Vec<Encoded> = commands.map(|command| codec().encode(command)).into();
    let pinned: Vec<Encoded> =
        OUTBOUND.lines().map(|line| Encoded::Text(line.to_owned())).collect();
    assert_eq!(written, pinned);
    assert!(OUTBOUND.lines().all(|line| line.len() <= 128));
    assert_eq!(codec().encode(Command::Close), Encoded::Close);
}

#[test]
fn audio_is_bytes_on_the_wire_and_base64_inside() {
    let frame = bytes::Bytes::from_static(&[1, 0, 2, 0]);
    assert_eq!(told::decoded(codec().decode_binary(&frame)), "heard AQACAA==");
    assert_eq!(told::decoded(codec().decode_binary(&frame.slice(..3))), "bad half a sample");
    assert_eq!(told::decoded(codec().decode_binary(&bytes::Bytes::new())), "bad half a sample");
    assert_eq!(codec().encode(Command::Say(audio(960))), Encoded::Binary(vec![7; 960].into()));
}

#[test]
fn only_whole_frames_are_sent_for_asterisk_throws_the_rest_of_a_message_away() {
    let mut codec = codec::Codec::new(Coding::Pcmu8k);
    let mut say = |bytes| match codec.encode(Command::Say(audio(bytes))) {
        Encoded::Binary(sent) => sent.len(),
        Encoded::Nothing => 0,
        other @ (Encoded::Text(_) | Encoded::Close) => panic!("{other:?}"),
    };
    assert_eq!([say(240), say(240), say(240), say(79), say(1)], [160, 320, 160, 0, 160]);
    assert_eq!(say(159), 0);
    assert!(matches!(codec.encode(Command::Flush), Encoded::Text(_)));
    assert_eq!(
        codec.encode(Command::Say(audio(159))),
        Encoded::Nothing,
        "what was flushed is gone"
    );
}

#[test]
fn a_message_too_large_for_asterisk_is_cut() {
    let mut codec = codec();
    assert_eq!(codec.encode(Command::Say(audio(150_000))), Encoded::Nothing);
    assert_eq!(codec.encode(Command::Mark(Mark(1))), Encoded::Nothing, "nothing overtakes");
    let mut sizes = Vec::new();
    while let Some(Encoded::Binary(bytes)) = codec.release() {
        sizes.push(bytes.len());
    }
    assert_eq!(sizes, [65_280, 65_280, 19_200]);
    // With the 240 bytes that are left of the first.
    assert_eq!(codec.encode(Command::Say(audio(65_040))), Encoded::Binary(vec![7; 65_280].into()));
}

#[test]
fn what_asterisk_has_no_room_for_waits_in_order_and_within_bounds() {
    let mut codec = codec();
    let word = |codec: &mut codec::Codec, word: &str| {
        decode(codec, &format!(r#"{{"event":"{word}","channel_id":"c"}}"#))
    };
    assert_eq!(word(&mut codec, "MEDIA_XOFF"), "nothing");
    assert_eq!(codec.encode(Command::Say(audio(960))), Encoded::Nothing);
    assert_eq!(codec.encode(Command::Mark(Mark(3))), Encoded::Nothing);
    assert_eq!(codec.release(), None);
    word(&mut codec, "MEDIA_XON");
    assert_eq!(codec.release(), Some(Encoded::Binary(vec![7; 960].into())));
    assert_eq!(codec.release(), Some(Encoded::Text(wire::mark(3))));
    assert_eq!(codec.release(), None);

    word(&mut codec, "MEDIA_XOFF");
    for _ in 0..1_000 {
        codec.encode(Command::Say(audio(960)));
    }
    word(&mut codec, "MEDIA_XON");
    let kept = std::iter::from_fn(|| codec.release()).count();
    assert_eq!(kept, 250, "five seconds");
}

#[test]
fn a_flush_forgets_what_waits_and_ends_the_pause() {
    let mut codec = codec();
    decode(&mut codec, r#"{"event":"MEDIA_XOFF"}"#);
    codec.encode(Command::Say(audio(960)));
    assert_eq!(codec.encode(Command::Flush), Encoded::Text(wire::FLUSH.to_owned()));
    assert_eq!(codec.release(), None);
    assert!(matches!(codec.encode(Command::Say(audio(960))), Encoded::Binary(_)));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".*") {
        decoded(&text);
        decoded(&format!(r#"{{"event":"DTMF_END","digit":"{text}"}}"#));
    }
}

fn started_with(format: &str, variables: &str) -> String {
    format!(
        r#"{{"event":"MEDIA_START","channel_id":"ch","format":"{format}","channel_variables":{{{variables}}}}}"#
    )
}

#[tokio::test]
async fn a_greeted_channel_says_whose_it_is_and_talks() {
    let (socket, mut far_end) = served(Limits::CARRIER).await;
    far_end.send(Frame::text(INBOUND.lines().next().unwrap())).await.unwrap();
    far_end.send(Frame::binary(vec![1, 0, 2, 0])).await.unwrap();
    let (start, mut line) = greet(socket, DEADLINE).await.unwrap();
    assert_eq!(start.channel, CarrierCallId("pbx-1".into()));
    assert_eq!(start.whose(), Whose::Call(CallId::new("c-81"), "SECRET".into()));
    assert!(!format!("{start:?}").contains("SECRET"), "a token in a log");
    assert!(line.marks());
    assert!(matches!(poll_fn(|cx| line.poll_event(cx)).await, Ok(Event::Started)));
    let heard = poll_fn(|cx| line.poll_event(cx)).await;
    assert!(matches!(heard, Ok(Event::Heard(audio)) if audio.as_str() == "AQACAA=="));
    line.send(Command::Say(audio(70_000))).unwrap();
    line.send(Command::Flush).unwrap();
    line.send(Command::Say(audio(960))).unwrap();
    poll_fn(|cx| line.poll_flush(cx)).await.unwrap();
    assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::text(wire::FLUSH));
    assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::binary(vec![7; 960]));
}

#[tokio::test]
async fn a_caller_is_told_by_variables_and_a_channel_without_them_is_nobodys() {
    let caller = r#""TANDEM_FROM":"+15550110","TANDEM_TO":"+15550199","TANDEM_CHANNEL":"1.2""#;
    let inherited = &caller.replace("TANDEM", "__TANDEM");
    for (variables, known) in
        [(caller, true), (inherited, true), (r#""TANDEM_CALL":"c""#, false), ("", false)]
    {
        let (socket, mut far_end) = served(Limits::CARRIER).await;
        far_end.send(Frame::text(started_with("ulaw", variables))).await.unwrap();
        let (start, _line) = greet(socket, DEADLINE).await.unwrap();
        assert_eq!(start.coding, Coding::Pcmu8k);
        let caller = Whose::Caller {
            from: Number::new("+15550110"),
            to: Number::new("+15550199"),
            channel: CarrierCallId("1.2".into()),
        };
        assert_eq!(start.whose(), if known { caller } else { Whose::Nobody });
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_channel_of_ours_is_not_greeted() {
    let (socket, mut far_end) = served(Limits::CARRIER).await;
    far_end.send(Frame::text("MEDIA_START connection_id:1")).await.unwrap();
    let error = greet(socket, DEADLINE).await.map(|_| ()).unwrap_err();
    assert_eq!(error, GreetError::stranger("json; chan_websocket needs f(json)"));

    let (socket, mut far_end) = served(Limits::CARRIER).await;
    far_end.send(Frame::text(started_with("opus", ""))).await.unwrap();
    let error = greet(socket, DEADLINE).await.map(|_| ()).unwrap_err();
    assert_eq!(error, GreetError::stranger("audio as opus; use slin24, slin16 or ulaw"));

    let (socket, _far_end) = served(Limits::CARRIER).await;
    let error = greet(socket, DEADLINE).await.map(|_| ()).unwrap_err();
    assert_eq!(error, GreetError::TimedOut);
}

#[test]
fn only_the_secret_opens_the_door() {
    let door = Door::new("s:ecret".to_owned().into());
    let shown = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        door.opens(&headers)
    };
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    assert!(shown(&basic("tandem:s:ecret")) && shown(&basic("tandem:s:ecret").replace('B', "b")));
    for wrong in ["tandem:s:ecreT", "tandem:", "s:ecret", "tandem:s:ecret ", ""] {
        assert!(!shown(&basic(wrong)), "{wrong}");
    }
    assert!(!shown("Basic !") && !shown("Bearer s:ecret") && !door.opens(&HeaderMap::new()));
}

#[test]
fn the_events_that_matter_are_read_and_no_other() {
    let came = r#"{"type":"StasisStart","args":[],"channel":{"id":"1.2","state":"Ring","caller":{"name":"","number":"+1555"},"dialplan":{"context":"in","exten":"+1666","priority":1}},"application":"tandem"}"#;
    let Ok(ari::Event::Came(channel)) = ari::read(came) else { panic!("not read") };
    assert_eq!((channel.id.as_str(), channel.state.as_str()), ("1.2", "Ring"));
    assert_eq!((channel.caller.number, channel.dialplan.exten), ("+1555".into(), "+1666".into()));
    let gone =
        r#"{"type":"ChannelDestroyed","cause":17,"cause_txt":"User busy","channel":{"id":"a"}}"#;
    assert!(matches!(ari::read(gone), Ok(ari::Event::Gone(channel, 17)) if channel.id == "a"));
    let left = r#"{"type":"StasisEnd","channel":{"id":"a"}}"#;
    assert!(matches!(ari::read(left), Ok(ari::Event::Left(channel)) if channel.id == "a"));
    let key = r#"{"type":"ChannelDtmfReceived","digit":"5","channel":{"id":"a"}}"#;
    assert!(matches!(ari::read(key), Ok(ari::Event::Other)));
    assert!(ari::read(r#"{"type":"StasisStart"}"#).is_err() && ari::read("[]").is_err());
}

#[test]
fn every_recorded_event_is_read() {
    let read: Vec<String> =
        RECORDED_ARI.lines().filter_map(|line| in_words(ari::read(line))).collect();
    let expected = [
        "1795761952.0 came Ring, +15550120 for +14255550123",
        "tandem-media-1795761952.0 came Up,  for s",
        "1795761952.0 left",
        "tandem-media-1795761952.0 left",
        "tandem-media-1795761952.0 gone 16",
        "tandem-phone-a came Up, +14255550123 for s",
        "tandem-phone-a left",
        "tandem-phone-a gone 0",
        "tandem-phone-c gone 1",
    ];
    assert_eq!(read, expected);
}

/// An event that matters, in words.
fn in_words(event: Result<ari::Event, ari::Malformed>) -> Option<String> {
    match event.expect("the real one writes events") {
        ari::Event::Came(ari::Channel { id, state, caller, dialplan }) => {
            Some(format!("{id} came {state}, {} for {}", caller.number, dialplan.exten))
        }
        ari::Event::Gone(channel, cause) => Some(format!("{} gone {cause}", channel.id)),
        ari::Event::Left(channel) => Some(format!("{} left", channel.id)),
        ari::Event::Replaced => Some("replaced".to_owned()),
        ari::Event::Other => None,
    }
}

#[test]
fn names_lead_from_one_thing_to_the_other() {
    let phone = names::phone(&CallId::new("c"));
    assert_eq!(names::role(&phone), names::Role::Phone);
    assert_eq!(names::role(&names::media(&phone)), names::Role::Media(&phone));
    assert_eq!(names::role(&names::human("1.2")), names::Role::Human("1.2"));
    assert_eq!(names::role("1.2"), names::Role::Caller);
    assert_eq!(names::bridged(&names::bridge("1.2")), Some("1.2"));
    assert_eq!(names::bridged("1.2"), None);
}
