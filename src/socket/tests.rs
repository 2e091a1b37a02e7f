//! The socket against another implementation's far end, in memory.

mod dial;
mod upgrade;

use std::future::poll_fn;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tungstenite::Message as Frame;
use tungstenite::protocol::frame::Frame as RawFrame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use super::coded::Decoded;
use super::*;

/// What lies between the two ends at most.
const IN_FLIGHT_BYTES: usize = 64 * 1024;

/// The far end of a socket under test.
pub(crate) type FarEnd = WebSocketStream<DuplexStream>;

/// Our side as a server, and a client's side that carries no code of ours.
pub(crate) async fn served(limits: Limits) -> (Socket<DuplexStream>, FarEnd) {
    let (ours, theirs) = tokio::io::duplex(IN_FLIGHT_BYTES);
    let far_end = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    (Socket::accept(ours, Bytes::new(), limits), far_end)
}

/// Our side as a client, and a server's side that carries no code of ours.
pub(crate) async fn dialled(limits: Limits) -> (Socket<DuplexStream>, FarEnd) {
    let (ours, theirs) = tokio::io::duplex(IN_FLIGHT_BYTES);
    let far_end = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    (Socket::opened(ours, limits), far_end)
}

/// What a message was, in words; `told` puts an event in words.
pub(crate) fn in_words<E>(decoded: Decoded<E>, told: impl Fn(E) -> String) -> String {
    match decoded {
        Decoded::Event(event) => told(event),
        Decoded::Both(first, second) => format!("{}, {}", told(first), told(second)),
        Decoded::Nothing => "nothing".to_owned(),
        Decoded::Unknown(kind) => format!("unknown {kind}"),
        Decoded::Bad(what) => format!("bad {what}"),
        Decoded::Hopeless(why) => format!("hopeless: {why}"),
    }
}

async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
) -> Result<Message, Broken> {
    poll_fn(|cx| socket.poll_message(cx)).await
}

async fn flush<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) {
    poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
}

#[tokio::test]
async fn whole_messages_go_both_ways() {
    for (mut socket, mut far_end) in [served(Limits::CARRIER).await, dialled(Limits::MODEL).await] {
        far_end.send(Frame::text("grüezi")).await.unwrap();
        far_end.send(Frame::binary(vec![1, 2])).await.unwrap();
        assert_eq!(next(&mut socket).await, Ok(Message::Text("grüezi".into())));
        assert_eq!(next(&mut socket).await, Ok(Message::Binary(vec![1, 2].into())));
        socket.send_text("one").unwrap();
        socket.send_text("two".to_owned()).unwrap();
        flush(&mut socket).await;
        assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::text("one"));
        assert_eq!(far_end.next().await.unwrap().unwrap(), Frame::text("two"));
    }
}

#[tokio::test]
async fn what_was_read_past_the_handshake_is_not_lost() {
    let (ours, _theirs) = tokio::io::duplex(IN_FLIGHT_BYTES);
    // "hi" with the mask 0,0,0,0 (RFC 6455 §5.2).
    let leftover = Bytes::from_static(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
    let mut socket = Socket::accept(ours, leftover, Limits::CARRIER);
    assert_eq!(next(&mut socket).await, Ok(Message::Text("hi".into())));
}

#[tokio::test]
async fn a_ping_is_answered_while_we_wait() {
    let (mut socket, mut far_end) = served(Limits::CARRIER).await;
    far_end.send(Frame::Ping("are you there".into())).await.unwrap();
    far_end.send(Frame::text("after")).await.unwrap();
    assert_eq!(next(&mut socket).await, Ok(Message::Text("after".into())));
    let answer = far_end.next().await.unwrap().unwrap();
    assert_eq!(answer, Frame::Pong("are you there".into()));
}

#[tokio::test(start_paused = true)]
async fn keepalives_are_no_flood() {
    let (mut socket, mut far_end) = served(Limits::CARRIER).await;
    for _ in 0..10 * CONTROL_FRAMES {
        far_end.send(Frame::Ping(Bytes::new())).await.unwrap();
        far_end.send(Frame::text("x")).await.unwrap();
        next(&mut socket).await.unwrap();
        tokio::time::advance(Duration::from_millis(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_ends_the_socket_with_1008() {
    let (mut socket, mut far_end) = served(Limits::CARRIER).await;
    for _ in 0..=CONTROL_FRAMES {
        far_end.feed(Frame::Ping(Bytes::new())).await.unwrap();
    }
    far_end.flush().await.unwrap();
    let broken = next(&mut socket).await.unwrap_err();
    assert_eq!(broken, Broken::Failed("flooded with control frames".into()));
    assert_eq!(close_code(&mut far_end).await, 1008);
}

#[tokio::test]
async fn a_message_too_large_is_answered_with_1009() {
    let (mut socket, mut far_end) = served(Limits::CARRIER).await;
    let one_too_many = Limits::CARRIER.message_bytes + 1;
    let sending = tokio::spawn(async move {
        let sent = far_end.send(Frame::text("x".repeat(one_too_many))).await;
        (sent.is_err(), close_code(&mut far_end).await)
    });
    let broken = next(&mut socket).await.unwrap_err();
    let text = "message of 262145 bytes where 262144 are allowed";
    assert_eq!(broken, Broken::Failed(text.into()));
    drop(socket);
    let (was_refused, code) = sending.await.unwrap();
    assert!(was_refused, "the message was read to its end");
    assert_eq!(code, 1009);
}

#[tokio::test]
async fn fragments_count_as_the_message_they_make() {
    let (mut socket, mut far_end) = served(Limits { message_bytes: 10 }).await;
    let first = RawFrame::message("123456", OpCode::Data(Data::Text), false);
    let second = RawFrame::message("78901", OpCode::Data(Data::Continue), true);
    far_end.send(Frame::Frame(first)).await.unwrap();
    far_end.send(Frame::Frame(second)).await.unwrap();
    let broken = next(&mut socket).await.unwrap_err();
    assert_eq!(broken, Broken::Failed("message of 11 bytes where 10 are allowed".into()));
    assert_eq!(close_code(&mut far_end).await, 1009);
}

#[tokio::test]
async fn what_is_no_websocket_is_answered_with_1002_or_1007() {
    // A reserved bit is set; a client's frame has no mask; a text is not UTF-8.
    let cases: [(&[u8], u16); 3] = [
        (&[0xC1, 0x80, 0, 0, 0, 0], 1002),
        (&[0x81, 0x00], 1002),
        (&[0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007),
    ];
    for (bytes, expected) in cases {
        let (ours, mut theirs) = tokio::io::duplex(IN_FLIGHT_BYTES);
        let mut socket = Socket::accept(ours, Bytes::new(), Limits::CARRIER);
        theirs.write_all(bytes).await.unwrap();
        assert!(matches!(next(&mut socket).await, Err(Broken::Failed(_))), "{bytes:?}");
        let mut far_end = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        assert_eq!(close_code(&mut far_end).await, expected, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_close_is_told_with_its_code_and_answered() {
    let (mut socket, mut far_end) = dialled(Limits::MODEL).await;
    let reason = "é".repeat(61);
    let frame = CloseFrame { code: CloseCode::Away, reason: reason.as_str().into() };
    far_end.close(Some(frame)).await.unwrap();
    let broken = next(&mut socket).await.unwrap_err();
    assert_eq!(broken, Broken::Closed { code: 1001, reason });
    assert_eq!(close_code(&mut far_end).await, 1001);
    // What we still had to say goes nowhere, and quietly.
    assert_eq!(socket.send_text("too late"), Ok(()));
}

#[test]
fn a_long_reason_is_shortened() {
    let frame = CloseFrame { code: CloseCode::Away, reason: "r".repeat(500).into() };
    let shortened = "r".repeat(REASON_CHARS);
    assert_eq!(closed(Some(frame)), Broken::Closed { code: 1001, reason: shortened });
}

#[tokio::test]
async fn a_close_without_a_code_is_1005_and_no_close_is_a_failure() {
    let (mut socket, mut far_end) = served(Limits::CARRIER).await;
    far_end.close(None).await.unwrap();
    let broken = next(&mut socket).await.unwrap_err();
    assert_eq!(broken, Broken::Closed { code: 1005, reason: String::new() });

    let (mut socket, far_end) = served(Limits::CARRIER).await;
    drop(far_end);
    let broken = next(&mut socket).await.unwrap_err();
    assert_eq!(broken, Broken::Failed("ended without a close frame".into()));
}

#[tokio::test]
async fn our_own_close_is_told_when_the_far_end_has_agreed() {
    let (mut socket, mut far_end) = served(Limits::CARRIER).await;
    socket.close(1000, "").unwrap();
    flush(&mut socket).await;
    assert_eq!(close_code(&mut far_end).await, 1000);
    let broken = next(&mut socket).await.unwrap_err();
    assert_eq!(broken, Broken::Closed { code: 1000, reason: String::new() });
}

#[tokio::test]
async fn a_far_end_that_does_not_read_gets_us_stuck_at_the_bound() {
    let (mut socket, far_end) = served(Limits::CARRIER).await;
    let message = "x".repeat(1_000);
    let mut sent = 0;
    let broken = loop {
        match socket.send_text(message.as_str()) {
            Ok(()) => sent += message.len(),
            Err(broken) => break broken,
        }
        assert!(sent <= UNSENT_BYTES + IN_FLIGHT_BYTES, "nothing holds us back");
    };
    assert_eq!(broken, Broken::Stuck);
    assert!(sent > UNSENT_BYTES / 2);
    drop(far_end);
}

#[tokio::test]
async fn what_could_not_be_written_at_once_arrives_whole_later() {
    let (mut socket, mut far_end) = served(Limits::CARRIER).await;
    let messages: Vec<String> = (0..150).map(|n| format!("{n:01000}")).collect();
    for message in &messages {
        socket.send_text(message.as_str()).unwrap();
    }
    const { assert!(150 * 1_000 > IN_FLIGHT_BYTES) };
    let reading = tokio::spawn(async move {
        let mut read = Vec::new();
        while let Some(Ok(Frame::Text(text))) = far_end.next().await {
            read.push(text.to_string());
        }
        read
    });
    flush(&mut socket).await;
    drop(socket);
    assert_eq!(reading.await.unwrap(), messages);
}

#[tokio::test]
async fn the_reason_of_a_far_end_that_has_gone_is_found() {
    let (mut socket, mut far_end) = dialled(Limits::MODEL).await;
    far_end.send(Frame::text("unread")).await.unwrap();
    let frame = CloseFrame { code: CloseCode::Library(3000), reason: "invalid".into() };
    far_end.close(Some(frame)).await.unwrap();
    drop(far_end);
    socket.send_text("audio").unwrap();
    let broken = poll_fn(|cx| socket.poll_flush(cx)).await.unwrap_err();
    assert_eq!(broken, Broken::Closed { code: 3000, reason: "invalid".into() });
}

/// Reads to the close frame and answers it, if anybody is left to hear that.
pub(crate) async fn close_code(far_end: &mut FarEnd) -> u16 {
    loop {
        if let Frame::Close(frame) = far_end.next().await.expect("a close frame").unwrap() {
            drop(far_end.flush().await);
            return frame.map_or(1005, |frame| frame.code.into());
        }
    }
}

/// JSON fields that no codec knows, with any value.
pub(crate) fn fields() -> impl proptest::strategy::Strategy<Value = Vec<(String, String)>> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(4, 16, 4, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inside, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    let field = ("x[a-z\"\\\\]{0,8}", value)
        .prop_map(|(key, value)| (serde_json::Value::from(key).to_string(), value.to_string()));
    prop::collection::vec(field, 0..5)
}

/// An object of fields we do not know with the known ones among them, somewhere.
pub(crate) fn object(
    mut fields: Vec<(String, String)>,
    known: &[(&str, &str)],
    place: proptest::sample::Index,
) -> String {
    for (key, value) in known {
        let index = place.index(fields.len() + 1);
        fields.insert(index, (format!("\"{key}\""), (*value).to_owned()));
    }
    let fields: Vec<String> =
        fields.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("{{{}}}", fields.join(","))
}
