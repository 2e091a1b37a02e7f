//! Messages as they are written and read, audio in both directions, and browsers that stand in.

use std::future::poll_fn;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use proptest::prelude::*;
use tandem_actors::audio::Payload;
use tandem_actors::carrier::{Command, Mark};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::wire::{Inbound, Outbound, Why};
use super::*;
use crate::carrier::told::{self, decode};
use crate::socket::coded::{Codec as _, Encoded};
use crate::socket::tests::served;

const INBOUND: &str = include_str!("../../../tests/fixtures/softphone/inbound.jsonl");
const OUTBOUND: &str = include_str!("../../../tests/fixtures/softphone/outbound.jsonl");

fn audio(bytes: usize) -> Command {
    Command::Say(Payload::from_base64(STANDARD.encode(vec![7; bytes]).into()).unwrap())
}

/// All that goes out for these commands, behind the first message.
fn written(commands: Vec<Command>) -> Vec<Encoded> {
    let mut codec = codec::Codec::default();
    let mut written = Vec::new();
    for command in commands {
        assert_eq!(codec.encode(command), Encoded::Nothing);
        written.extend(std::iter::from_fn(|| codec.release()));
    }
    written.split_off(1)
}

fn binary(bytes: &[u8]) -> Encoded {
    Encoded::Binary(bytes.to_vec().into())
}

#[test]
fn every_message_of_the_fixture_is_understood_on_a_media_socket() {
    let mut codec = codec::Codec::default();
    let understood: Vec<String> = INBOUND.lines().map(|line| decode(&mut codec, line)).collect();
    let expected = [
        "bad a word of the phone's",
        "bad a word of the phone's",
        "bad json",
        "played 7",
        "played 18446744073709551615",
        "bad json",
        "bad json",
        "bad json",
        "bad json",
        "pressed 5",
        "pressed #",
        "bad key",
        "bad key",
        "bad json",
        "unknown weather",
        "bad json",
        "bad json",
        "bad json",
    ];
    assert_eq!(understood, expected);
    let words: Vec<_> = INBOUND.lines().take(3).map(wire::read).collect();
    let refused = [Ok(Inbound::Reject("c-81".into())), Ok(Inbound::Busy("c-81".into()))];
    assert_eq!((&words[..2], &words[2]), (&refused[..], &Err(wire::Malformed)));
}

#[test]
fn every_message_of_ours_is_written_as_in_the_fixture() {
    let (call, media) = ("c-81", "/softphone/media/c-81/NONCE");
    let introduction = Some("A caller who said \"a human, please\".");
    let ring = |from, why, introduction| Outbound::Ring { call, from, why, introduction, media };
    let ours = [
        Outbound::Ready { number: "+15550100" },
        ring("+15550199", Why::Call, None),
        ring("+15550111", Why::HandOver, introduction),
        Outbound::Over { call, how: "no_answer" },
        Outbound::Start { rate: 24_000, channels: 1, encoding: "pcm_s16le" },
        Outbound::Mark { mark: 7 },
        Outbound::Flush,
        Outbound::Alive,
    ];
    assert_eq!(ours.map(|message| message.text()).to_vec(), OUTBOUND.lines().collect::<Vec<_>>());
    let first = codec::Codec::default().release();
    assert_eq!(first, Some(Encoded::Text(OUTBOUND.lines().nth(4).unwrap().to_owned())));
}

#[test]
fn audio_of_odd_or_foreign_length_is_not_taken() {
    let mut codec = codec::Codec::default();
    let mut sent = |bytes: usize| told::decoded(codec.decode_binary(&vec![0; bytes].into()));
    for bytes in [121, 9_599] {
        assert_eq!(sent(bytes), "bad half a sample");
    }
    for bytes in [0, 1, 2, 118, 9_602] {
        assert_eq!(sent(bytes), "bad a piece too short or too long");
    }
    for bytes in [120, 960, 9_600] {
        assert!(sent(bytes).starts_with("heard AAAA"), "{bytes}");
    }
}

#[test]
fn what_is_too_short_to_be_sent_waits_for_more_or_for_a_mark() {
    assert_eq!(written(vec![audio(960)]), [binary(&[7; 960])]);
    assert_eq!(written(vec![audio(119), audio(2)]), [binary(&[7; 120])], "a byte waits");
    assert_eq!(written(vec![audio(9_700)]), [binary(&[7; 9_600])], "100 bytes wait");
    let silence = [vec![7; 3], vec![0; 117]].concat();
    let mark = || Encoded::Text(Outbound::Mark { mark: 1 }.text());
    let flush = Encoded::Text(Outbound::Flush.text());
    assert_eq!(written(vec![audio(3), Command::Mark(Mark(1))]), [binary(&silence), mark()]);
    let flushed = vec![audio(3), Command::Flush, Command::Mark(Mark(1)), Command::Close];
    assert_eq!(written(flushed), [flush, mark(), Encoded::Close]);
}

proptest! {
    #[test]
    fn no_byte_of_ours_is_lost_or_doubled(pieces in prop::collection::vec(1_usize..12_000, 1..8)) {
        let commands = pieces.iter().map(|bytes| audio(*bytes)).collect();
        let mut sent = 0;
        for message in written(commands) {
            let Encoded::Binary(bytes) = message else { panic!("{message:?}") };
            prop_assert!(bytes.len() % 2 == 0 && (120..=9_600).contains(&bytes.len()));
            sent += bytes.len();
        }
        let all: usize = pieces.iter().sum();
        prop_assert!(sent <= all && all - sent < 120 + 2);
    }
}

#[test]
fn the_nonce_is_the_last_part_of_every_media_address() {
    let path = |media: &str| {
        let addresses = Addresses { media: media.to_owned(), events: String::new() };
        media_path(&CallId::new("c-81"), &addresses)
    };
    for media in [
        "ws://127.0.0.1:1/acs/media/c-81/NONCE",
        "ws://127.0.0.1:1/acs/media/c-81/NONCE?audioFormat=pcm16KMono",
        "wss://bridge.example.com/twilio/media/c-81/NONCE",
    ] {
        assert_eq!(path(media), "/softphone/media/c-81/NONCE");
    }
    assert_eq!(call_of(&name(&CallId::new("c-81"))), Some(CallId::new("c-81")));
    assert_eq!(call_of(&CarrierCallId("CA81".to_owned())), None);
}

#[tokio::test]
async fn a_media_socket_begins_with_its_format_and_ends_when_its_audio_is_too_long() {
    let (socket, mut browser) = served(MEDIA).await;
    let mut line = line(socket);
    assert!(matches!(poll_fn(|cx| line.poll_event(cx)).await, Ok(Event::Started)));
    line.send(audio(960)).unwrap();
    poll_fn(|cx| line.poll_flush(cx)).await.unwrap();
    let start = browser.next().await.unwrap().unwrap();
    assert_eq!(start, Frame::text(OUTBOUND.lines().nth(4).unwrap()));
    assert_eq!(browser.next().await.unwrap().unwrap(), Frame::binary(vec![7; 960]));
    browser.send(Frame::binary(vec![0; 960])).await.unwrap();
    assert!(matches!(poll_fn(|cx| line.poll_event(cx)).await, Ok(Event::Heard(_))));
    browser.send(Frame::binary(vec![0; 9_602])).await.unwrap();
    poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
}
