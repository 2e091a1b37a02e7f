//! Realtime messages as documented, in GA and beta spelling, and as nobody should send them.

mod connect;

use std::future::poll_fn;

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tandem_actors::audio::Payload;
use tandem_actors::briefing::Text;
use tandem_actors::leg::Broken;
use tandem_actors::model::{Command, Ending, Entry, Event, ItemId, Refusal, ResponseId, Session};
use tandem_actors::tool::{Promise, Risk, ToolCallId};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;
use crate::socket::Utf8Bytes;
use crate::socket::coded::{Codec as _, Decoded, Encoded};
use crate::socket::tests::{close_code, dialled, fields, in_words, object};
use tandem_actors::audio::Format;

const INBOUND: &str = include_str!("../../../tests/fixtures/openai/inbound.jsonl");
const OUTBOUND: &str = include_str!("../../../tests/fixtures/openai/outbound.jsonl");

/// What each line of [`INBOUND`] means, one to one.
const UNDERSTOOD: &str = include_str!("../../../tests/fixtures/openai/inbound.understood");

/// 3,600 s before the `expires_at` in the fixture's `session.created`.
const OPENED: Duration = Duration::from_secs(1_795_266_400);

fn codec() -> codec::Codec {
    codec::Codec::new(manner(), OPENED)
}

fn decode(text: &str) -> String {
    meant(codec().decode(&Utf8Bytes::from(text)))
}

fn meant(decoded: Decoded<Event>) -> String {
    in_words(decoded, told)
}

fn told(event: Event) -> String {
    match event {
        Event::Ready => "ready".to_owned(),
        Event::Expires(left) => format!("expires in {} s", left.as_secs()),
        Event::CallerStarted(ItemId(item)) => format!("caller started {item}"),
        Event::CallerStopped(ItemId(item)) => format!("caller stopped {item}"),
        Event::CallerCommitted(ItemId(item)) => format!("caller committed {item}"),
        Event::CallerWords(ItemId(item), Text(words)) => format!("caller words {item}: {words}"),
        Event::CallerSaid(ItemId(item), Text(words)) => format!("caller said {item}: {words}"),
        Event::Responding { response: ResponseId(id), tag } => {
            tag.map_or(format!("responding {id}"), |tag| format!("responding {id} tag {tag}"))
        }
        Event::Spoke { response: ResponseId(id), item: ItemId(item), audio } => {
            format!("spoke {id} {item} {}", audio.as_str())
        }
        Event::Said { response: ResponseId(id), item: ItemId(item), words: Text(words) } => {
            format!("said {id} {item}: {words}")
        }
        Event::Asked {
            response: ResponseId(response),
            id: ToolCallId(id),
            name,
            arguments: Text(arguments),
        } => format!("asked {response} {id} {name} {arguments}"),
        Event::Responded { response: ResponseId(id), ending, usage } => {
            let told = usage.iter().flat_map(|usage| usage.told());
            let used: String =
                told.map(|(figure, tokens)| format!(" {} {tokens}", figure.word())).collect();
            match ending {
                Ending::Completed => format!("completed {id}{used}"),
                Ending::Cancelled => format!("cancelled {id}{used}"),
                Ending::Failed(loss) => format!("failed {id} {loss:?}{used}"),
            }
        }
        Event::Refused(Refusal::ResponseActive(tag)) => {
            tag.map_or("refused active".to_owned(), |tag| format!("refused active tag {tag}"))
        }
        Event::Refused(Refusal::NothingToCancel) => "refused nothing to cancel".to_owned(),
        Event::Refused(Refusal::Other(code)) => format!("refused {code}"),
        Event::Exhausted(wait) => format!("exhausted for {} ms", wait.as_millis()),
        Event::Fatal(loss) => format!("fatal {loss:?}"),
    }
}

#[test]
fn every_message_of_the_fixture_is_understood() {
    assert_eq!(INBOUND.lines().count(), UNDERSTOOD.lines().count());
    for (line, expected) in INBOUND.lines().zip(UNDERSTOOD.lines()) {
        assert_eq!(decode(line).trim_end(), expected, "{line}");
    }
}

#[test]
fn an_end_is_heard_of_whatever_is_said_of_its_usage() {
    for (usage, told) in [
        ("null", ""),
        ("{}", ""),
        (r#""much""#, ""),
        ("[1,2]", ""),
        (r#"{"input_tokens":-1,"output_tokens":1.5}"#, ""),
        (r#"{"input_tokens":1e300,"output_tokens":"7"}"#, ""),
        (r#"{"input_tokens":18446744073709551616}"#, ""),
        (r#"{"input_tokens":18446744073709551615}"#, " input 18446744073709551615"),
        (
            r#"{"input_tokens":7,"input_token_details":"text","output_token_details":[]}"#,
            " input 7",
        ),
        (r#"{"output_token_details":{"audio_tokens":0}}"#, " output_audio 0"),
    ] {
        let done = format!(r#"{{"type":"response.done","response":{{"id":"r","usage":{usage}}}}}"#);
        assert_eq!(decode(&done), format!("completed r{told}"), "{usage}");
    }
}

#[test]
fn speech_in_the_usual_spelling_is_a_slice_of_what_was_read() {
    for kind in ["response.output_audio.delta", "response.audio.delta"] {
        let message = Utf8Bytes::from(format!(
            r#"{{"type":"{kind}","delta":"AAAA","item_id":"i","new":null,"response_id":"r"}}"#
        ));
        let text: &str = message.as_ref();
        assert!(wire::read_audio(text).is_some(), "the long way");
        let Decoded::Event(Event::Spoke { audio, .. }) = codec().decode(&message) else {
            panic!("not speech");
        };
        assert!(text.as_bytes().as_ptr_range().contains(&audio.as_str().as_ptr()), "copied");
    }
}

#[test]
fn a_session_that_has_expired_when_it_begins_has_no_time_left() {
    let created = r#"{"type":"session.created","session":{"expires_at":1}}"#;
    assert_eq!(decode(created), "expires in 0 s");
}

fn promise(parameters: &str) -> Promise {
    Promise {
        name: "find_order".into(),
        description: "Look up an order".into(),
        parameters: parameters.into(),
        risk: Risk::Read,
        idempotent: true,
        deadline: Duration::from_secs(5),
        attempts: 1,
        filler: None,
        wants_scene: false,
    }
}

fn session(tools: Vec<Promise>) -> Session {
    Session {
        instructions: r#"You answer calls for a "bakery"."#.into(),
        voice: "marin".into(),
        format: Format::Pcm24k,
        tools,
    }
}

fn manner() -> Manner {
    Manner {
        transcription: Some("gpt-live-transcribe".into()),
        language: Some("en".into()),
        noise_reduction: NoiseReduction::NearField,
        turns: Turns::Server {
            threshold: Some(0.5),
            prefix_padding_ms: Some(300),
            silence_duration_ms: Some(500),
            idle_timeout_ms: Some(15_000),
        },
        speed: Some(1.1),
        truncates: true,
    }
}

#[test]
fn every_command_is_written_as_in_the_fixture() {
    let schema =
        r#"{"type":"object","properties":{"order_id":{"type":"string"}},"required":["order_id"]}"#;
    let call = || ToolCallId("call_9".into());
    let commands = [
        Command::Configure(session(vec![promise(schema), promise("{not json")])),
        Command::Hear(Payload::from_base64("AAAA".into()).unwrap()),
        Command::Remember(Entry::Caller("Where is my order?".into())),
        Command::Remember(Entry::Agent("Hello, how can I help?".into())),
        Command::Remember(Entry::Note("The caller pressed 3.".into())),
        Command::Remember(Entry::Asked {
            id: call(),
            name: "find_order".into(),
            arguments: r#"{"order_id":"12"}"#.into(),
        }),
        Command::Remember(Entry::Answered { id: call(), output: r#"{"status":"baked"}"#.into() }),
        Command::Respond { tag: 17, instructions: Some("Greet the caller.".into()) },
        Command::Respond { tag: 18, instructions: None },
        Command::Cancel,
        Command::Truncate { item: ItemId("item_4".into()), heard_ms: 1_460 },
        Command::Forget(ItemId("item_4".into())),
    ];
    let mut codec = codec();
    let mut written: Vec<Encoded> =
        commands.into_iter().map(|command| codec.encode(command)).collect();
    let bare = |format| Session {
        instructions: Text::default(),
        voice: "cedar".into(),
        format,
        tools: Vec::new(),
    };
    let mut poor = codec::Codec::new(Manner::default(), OPENED);
    written.push(poor.encode(Command::Configure(bare(Format::Pcmu8k))));
    let semantic = Manner {
        noise_reduction: NoiseReduction::FarField,
        turns: Turns::Semantic { eagerness: Some("low") },
        ..Manner::default()
    };
    let mut semantic = codec::Codec::new(semantic, OPENED);
    written.push(semantic.encode(Command::Configure(bare(Format::Pcm24k))));
    for (number, line) in OUTBOUND.lines().enumerate() {
        assert_eq!(written[number], Encoded::Text(line.to_owned()));
    }
    assert_eq!(written.len(), OUTBOUND.lines().count());
    assert_eq!(codec.encode(Command::Close), Encoded::Close);
}

#[test]
fn a_server_that_cannot_truncate_is_not_told_to() {
    let poor = Manner { truncates: false, ..manner() };
    let mut codec = codec::Codec::new(poor, OPENED);
    let item = || ItemId("item_4".into());
    let truncate = Command::Truncate { item: item(), heard_ms: 1_460 };
    assert_eq!(codec.encode(truncate), Encoded::Nothing);
    assert_ne!(codec.encode(Command::Forget(item())), Encoded::Nothing);
}

#[test]
fn a_turn_that_nobody_writes_down_counts_as_heard_when_it_is_answered() {
    let unwritten = Manner { transcription: None, ..manner() };
    let mut codec = codec::Codec::new(unwritten, OPENED);
    let mut decode = |text: &str| meant(codec.decode(&Utf8Bytes::from(text.to_owned())));
    let committed =
        |item: &str| format!(r#"{{"type":"input_audio_buffer.committed","item_id":"{item}"}}"#);
    let done = |status: &str| {
        format!(r#"{{"type":"response.done","response":{{"id":"r","status":"{status}"}}}}"#)
    };
    assert_eq!(decode(&committed("u1")), "caller committed u1");
    assert_eq!(decode(&done("cancelled")), "cancelled r", "not answered");
    assert_eq!(decode(&committed("u2")), "caller said u1: , caller committed u2");
    assert_eq!(decode(&done("completed")), "caller said u2: , completed r");
    assert_eq!(decode(&done("completed")), "completed r", "once");
}

#[test]
fn a_rate_limit_lasts_as_long_as_the_server_has_announced() {
    let mut codec = codec();
    let mut decode = |text: &str| meant(codec.decode(&Utf8Bytes::from(text.to_owned())));
    let failed = r#"{"type":"response.done","response":{"id":"r","status":"failed","status_details":{"error":{"code":"rate_limit_exceeded"}}}}"#;
    let limits =
        r#"{"type":"rate_limits.updated","rate_limits":[{"remaining":0,"reset_seconds":0.25}]}"#;
    let completed = r#"{"type":"response.done","response":{"id":"r","status":"completed"}}"#;
    assert_eq!(decode(failed), "failed r RateLimited(2s)", "nothing was announced");
    assert_eq!(decode(limits), "exhausted for 250 ms");
    assert_eq!(decode(failed), "failed r RateLimited(250ms)");
    assert_eq!(decode(completed), "completed r");
    assert_eq!(decode(failed), "failed r RateLimited(2s)", "that is over");
}

#[tokio::test]
async fn a_session_has_the_longest_life_its_provider_allows() {
    let (socket, _far_end) = dialled(Limits::MODEL).await;
    let mut line = line(socket, manner(), Some(Duration::from_mins(30)));
    let event = poll_fn(|cx| line.poll_event(cx)).await.unwrap();
    assert_eq!(told(event), "expires in 1800 s");
}

#[test]
fn a_million_brackets_are_no_trouble() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(decode(&deep), "bad json");
    let inside = format!(r#"{{"deep":{deep},"type":"session.updated","session":{deep}}}"#);
    assert_eq!(decode(&inside), "ready");
    let created = format!(r#"{{"type":"session.created","deep":{deep},"session":{{}}}}"#);
    assert_eq!(decode(&created), "nothing");
}

proptest! {
    #[test]
    fn no_text_is_too_strange(
        text in ".*",
        line in prop::sample::select(INBOUND.lines().collect::<Vec<_>>()),
        cut in any::<prop::sample::Index>(),
    ) {
        decode(&text);
        decode(&format!(r#"{{"type":"response.output_audio.delta",{text}"#));
        // A message that something happened to: text in the middle, the end cut off.
        let cut = cut.index(line.len());
        prop_assume!(line.is_char_boundary(cut));
        decode(&format!("{}{text}{}", &line[..cut], &line[cut..]));
        decode(&line[..cut]);
    }

    #[test]
    fn fields_we_do_not_know_change_nothing(
        outer in fields(),
        inner in fields(),
        place in any::<prop::sample::Index>(),
    ) {
        let known = [
            ("type", r#""response.output_audio.delta""#),
            ("response_id", r#""r""#),
            ("item_id", r#""i""#),
            ("delta", r#""AAAA""#),
        ];
        let text = object(outer.clone(), &known, place);
        prop_assert_eq!(decode(&text), "spoke r i AAAA");

        let response = object(inner, &[("id", r#""r""#), ("status", r#""completed""#)], place);
        let known = [("type", r#""response.done""#), ("response", response.as_str())];
        prop_assert_eq!(decode(&object(outer, &known, place)), "completed r");
    }
}

#[tokio::test]
async fn a_line_configures_speaks_and_closes() {
    let (socket, mut far_end) = dialled(Limits::MODEL).await;
    let mut line = line(socket, manner(), None);
    let schema =
        r#"{"type":"object","properties":{"order_id":{"type":"string"}},"required":["order_id"]}"#;
    line.send(Command::Configure(session(vec![promise(schema)]))).unwrap();
    line.send(Command::Hear(Payload::from_base64("AAAA".into()).unwrap())).unwrap();
    poll_fn(|cx| line.poll_flush(cx)).await.unwrap();
    for text in OUTBOUND.lines().take(2) {
        assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::text(text));
    }

    far_end.send(Frame::Ping("alive".into())).await.unwrap();
    far_end.send(Frame::text(r#"{"type":"rate_limits.updated"}"#)).await.unwrap();
    far_end.send(Frame::text(r#"{"type":"session.updated"}"#)).await.unwrap();
    let event = poll_fn(|cx| line.poll_event(cx)).await.unwrap();
    assert_eq!(told(event), "ready");
    assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::Pong("alive".into()));

    line.send(Command::Close).unwrap();
    assert_eq!(close_code(&mut far_end).await, 1000);
}

#[tokio::test]
async fn a_close_code_that_says_why_is_told_before_the_end() {
    let cases = [
        (3000, "invalid_request_error.invalid_api_key", "Final(\"invalid_api_key\")"),
        (4000, "", "Final(\"closed_4000\")"),
    ];
    for (code, reason, expected) in cases {
        let (socket, mut far_end) = dialled(Limits::MODEL).await;
        let mut line = line(socket, manner(), None);
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        far_end.close(Some(frame)).await.unwrap();
        let event = poll_fn(|cx| line.poll_event(cx)).await.unwrap();
        assert_eq!(told(event), format!("fatal {expected}"));
        for _ in 0..2 {
            let broken = poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
            assert_eq!(broken, Broken::Closed { code, reason: reason.into() });
        }
    }
    for code in [1001, 1011] {
        let (socket, mut far_end) = dialled(Limits::MODEL).await;
        let mut line = line(socket, manner(), None);
        far_end.close(Some(CloseFrame { code: code.into(), reason: "".into() })).await.unwrap();
        let broken = poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
        assert_eq!(broken, Broken::Closed { code, reason: String::new() });
    }
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_answered_with_1009() {
    let (socket, mut far_end) = dialled(Limits::MODEL).await;
    let mut line = line(socket, manner(), None);
    // The head of a text frame of 16 MiB and one byte (RFC 6455 §5.2).
    far_end.get_mut().write_all(&[0x81, 0x7F, 0, 0, 0, 0, 1, 0, 0, 1]).await.unwrap();
    let broken = poll_fn(|cx| line.poll_event(cx)).await.unwrap_err();
    let text = "message of 16777217 bytes where 16777216 are allowed";
    assert_eq!(broken, Broken::Failed(text.into()));
    assert_eq!(close_code(&mut far_end).await, 1009);
}
