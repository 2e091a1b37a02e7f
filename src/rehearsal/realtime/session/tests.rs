//! The session as a machine, without sockets: wrong events, and time that is told.

use rstest::rstest;

use super::*;
use crate::rehearsal::speech::{Speech, Voice};

fn session() -> (Session, Instant) {
    let now = Instant::now();
    let opening = Opening {
        index: 7,
        model: "gpt-realtime-2.1".to_owned(),
        unix_s: 1_795_266_400,
        faults: Vec::new(),
        probes: None,
    };
    (Session::open(opening, &Behaviour::default(), now), now)
}

fn events(session: &mut Session) -> Vec<Value> {
    let read = |message| match message {
        Outgoing::Text(text) => serde_json::from_str(&text).expect("JSON"),
        Outgoing::Binary(_) => panic!("nobody asked for garbage"),
    };
    session.drain().into_iter().map(read).collect()
}

#[test]
fn a_session_says_when_it_will_expire_and_does() {
    let (mut session, now) = session();
    let created = events(&mut session).remove(0);
    assert_eq!(created["type"], "session.created");
    assert_eq!(created["session"]["expires_at"], 1_795_270_000);
    let end = now + Duration::from_secs(3_600);
    assert_eq!(session.wakes_at(), end);
    session.tick(end - Duration::from_millis(1));
    assert_eq!(session.out.end, None);
    session.tick(end);
    assert_eq!(events(&mut session).remove(0)["error"]["code"], "session_expired");
    assert!(matches!(session.out.end, Some(End::Close(1001, _))));
}

#[rstest]
#[case(json!({ "type": "response.audio.append" }), "invalid_value", "type")]
#[case(json!({ "type": "session.update" }), "missing_required_parameter", "session")]
#[case(json!({ "type": "input_audio_buffer.append" }), "missing_required_parameter", "audio")]
#[case(
    json!({ "type": "input_audio_buffer.append", "audio": "!" }), "invalid_value", "audio"
)]
#[case(
    json!({ "type": "conversation.item.create", "item": { "type": "message",
        "role": "assistant", "content": [{ "type": "text", "text": "x" }] } }),
    "invalid_value", "item.content[0].type"
)]
#[case(
    json!({ "type": "conversation.item.create", "item": { "type": "function_call_output",
        "call_id": "call_unknown", "output": "{}" } }),
    "invalid_tool_call_id", "item.call_id"
)]
#[case(
    json!({ "type": "conversation.item.delete", "item_id": "item_x" }),
    "item_delete_invalid_item_id", "item_id"
)]
#[case(
    json!({ "type": "response.create", "response": { "modalities": ["audio"] } }),
    "unknown_parameter", "response.modalities"
)]
fn a_wrong_event_is_answered_with_an_error_that_names_it(
    #[case] mut event: Value,
    #[case] code: &str,
    #[case] param: &str,
) {
    let (mut session, now) = session();
    session.drain();
    event["event_id"] = "mine".into();
    session.take(&event.to_string(), now);
    let answers = events(&mut session);
    assert_eq!(answers.len(), 1, "{answers:?}");
    let error = &answers[0]["error"];
    assert_eq!((&error["code"], &error["param"]), (&json!(code), &json!(param)));
    assert_eq!(error["event_id"], "mine");
}

#[test]
fn what_is_not_json_is_answered_too() {
    let (mut session, now) = session();
    session.drain();
    session.take("{", now);
    session.take_binary();
    let codes: Vec<Value> =
        events(&mut session).iter().map(|event| event["error"]["code"].clone()).collect();
    assert_eq!(codes, ["invalid_json", "invalid_json"]);
}

#[test]
fn speech_waits_for_its_rendering_and_then_keeps_its_pace() {
    let (mut session, now) = session();
    session.drain();
    session.take(&json!({ "type": "response.create" }).to_string(), now);
    let lines = session.drain_lines().remove(0);
    assert_eq!(lines.lines, ["Hello. I am listening."]);
    let thought = now + Duration::from_millis(300);
    session.tick(thought);
    assert_eq!(session.wakes_at(), now + Duration::from_secs(3_600), "nothing is due");

    let utterance = Speech::synthetic_only().render(&lines.lines[0], &Voice::agent(), lines.rate);
    session.speak(&lines.response, utterance, thought);
    assert_eq!(session.wakes_at(), thought);
    session.drain();
    session.tick(thought);
    let sent = |events: &[Value]| {
        events.iter().filter(|event| event["type"] == "response.output_audio.delta").count()
    };
    assert_eq!(sent(&events(&mut session)), 1);
    assert!(session.is_speaking());
    // 200 ms of audio at four times the pace of speech.
    assert_eq!(session.wakes_at(), thought + Duration::from_millis(50));
    session.tick(thought + Duration::from_millis(100));
    assert_eq!(sent(&events(&mut session)), 2);
}

#[test]
fn a_caller_who_says_nothing_is_asked_after_the_idle_time() {
    let (mut session, now) = session();
    let detection = json!({ "type": "server_vad", "idle_timeout_ms": 5_000 });
    let change = json!({ "type": "session.update", "session": { "type": "realtime",
        "output_modalities": ["text"], "audio": { "input": { "turn_detection": detection } } } });
    session.take(&change.to_string(), now);
    session.take(&json!({ "type": "response.create" }).to_string(), now);
    let thought = now + Duration::from_millis(300);
    session.tick(thought);
    session.drain();
    let idle = thought + Duration::from_secs(5);
    assert_eq!(session.wakes_at(), idle);
    session.tick(idle);
    let events = events(&mut session);
    assert_eq!(events[0]["type"], "input_audio_buffer.timeout_triggered");
    assert!(events.iter().any(|event| event["type"] == "response.created"));
}
