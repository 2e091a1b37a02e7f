//! Speaking and listening: turns, answers, barge-in, truncation, replay.

use super::*;
use crate::rehearsal::phone::{Direction, Probes};

#[tokio::test]
async fn a_spoken_question_is_transcribed_and_answered_audibly() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    client.speak("line 0427 count to nine").await;
    let events = client.until("response.done").await;
    let order: Vec<&str> = kinds(&events)
        .into_iter()
        .filter(|kind| !kind.ends_with(".delta") && !kind.starts_with("rate_limits"))
        .collect();
    assert_eq!(
        order,
        [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.completed",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
        ]
    );
    let find = |kind: &str| events.iter().find(|event| event["type"] == kind).expect(kind);
    let transcript = find("conversation.item.input_audio_transcription.completed");
    assert_eq!(transcript["transcript"], "line 0427 count to nine");
    let said = "You said: line 0427 count to nine.";
    assert_eq!(heard_in(&events, Coding::Pcm24k), said);
    let words: String = events
        .iter()
        .filter(|event| event["type"] == "response.output_audio_transcript.delta")
        .filter_map(|event| event["delta"].as_str())
        .collect();
    assert_eq!(words, said);
    let done = find("response.done");
    assert_eq!(done["response"]["status"], "completed");
    assert_eq!(done["response"]["output"][0]["content"][0]["transcript"], said);
}

/// Audio tokens of a `response.done`: read, and given.
fn audio_tokens(done: &Value) -> (u64, u64) {
    let usage = &done["response"]["usage"];
    let of = |side: &str| usage[side]["audio_tokens"].as_u64().expect("a number");
    (of("input_token_details"), of("output_token_details"))
}

#[tokio::test]
async fn what_a_response_has_used_follows_from_what_was_heard_and_said() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &["hang_up"]).await;
    let spoken_ms = client.utterance("line 0427 hello").await.frames().len() as u64 * 20;
    client.speak("line 0427 hello").await;
    let events = client.until("response.done").await;
    let first = events.last().expect("until ends with it");
    let said_ms = frames_in(&events).len() as u64 * 20;
    let (read, given) = audio_tokens(first);
    // The turn holds the padding before and the silence after the words as well.
    assert!(read >= spoken_ms / 100 && read <= spoken_ms / 100 + 10, "{read} of {spoken_ms} ms");
    assert!(given.abs_diff(said_ms / 50) <= 10, "{given} of {said_ms} ms");
    let usage = &first["response"]["usage"];
    assert_eq!(usage["input_token_details"]["cached_tokens"], 0, "nothing was read before");

    client.speak("line 0427 hello").await;
    let second = client.until_one("response.done").await;
    let usage = &second["response"]["usage"];
    let cached = usage["input_token_details"]["cached_tokens"].as_u64();
    assert_eq!(cached, first["response"]["usage"]["input_tokens"].as_u64(), "all of it again");
    assert!(audio_tokens(&second).0 >= 2 * read + given, "both turns and the answer are read");
    let total = usage["input_tokens"].as_u64().zip(usage["output_tokens"].as_u64());
    assert_eq!(usage["total_tokens"].as_u64(), total.map(|(input, output)| input + output));
}

#[tokio::test]
async fn a_server_that_tells_no_usage_tells_none() {
    let server = serve(Behaviour { tells_usage: false, ..quick() }).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    client.speak("line 0427 hello").await;
    let done = client.until_one("response.done").await;
    assert_eq!(done["response"]["usage"], Value::Null);
}

#[tokio::test]
async fn frames_are_reported_to_the_probe_of_the_line_that_was_named() {
    let probes = Arc::new(Probes::new());
    let probe = probes.add(427);
    let server = RealtimeServer::start(quick(), Some(probes)).await.expect("a free port");
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    client.speak("line 0427 hello").await;
    let events = client.until("response.done").await;
    let answered: Vec<u8> = frames_in(&events);
    for sequence in &answered {
        probe.heard(Direction::Downlink, *sequence, Instant::now());
    }
    assert_eq!(probe.latency_us(Direction::Downlink).len(), answered.len() as u64);

    assert_eq!(probe.latency_us(Direction::Uplink).len(), 0, "the line was not known yet");
    let asked = client.utterance("line 0427 again").await.frames().len();
    for frame in 0..asked {
        probe.sent(Direction::Uplink, Utterance::sequence(frame), Instant::now());
    }
    client.speak("line 0427 again").await;
    client.listen().await;
    assert_eq!(probe.latency_us(Direction::Uplink).len(), asked as u64);
}

#[tokio::test]
async fn mu_law_is_heard_and_spoken() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    let format = json!({ "format": { "type": "audio/pcmu" } });
    let session = json!({ "type": "realtime", "audio": { "input": format, "output": format } });
    client.send(json!({ "type": "session.update", "session": session })).await;
    client.until("session.updated").await;
    client.coding = Coding::Mulaw8k;
    client.speak("line 0011 good evening").await;
    let (heard, _) = client.listen().await;
    assert_eq!(heard, "You said: line 0011 good evening.");
}

#[tokio::test]
async fn a_late_transcript_comes_after_the_answer_has_begun() {
    let server = serve(Behaviour { transcripts: Transcripts::Late, ..quick() }).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    client.speak("tell me a story").await;
    let events = client.until("conversation.item.input_audio_transcription.completed").await;
    assert!(kinds(&events).contains(&"response.created"));
}

#[tokio::test]
async fn speech_interrupts_the_answer_and_the_rest_is_forgotten() {
    let server = serve(Behaviour { pace: Pace::RealTime, ..quick() }).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    client.speak("tell me a story").await;
    let mut events = client.until("response.output_audio_transcript.delta").await;
    for _ in 0..30 {
        events.extend(client.until("response.output_audio.delta").await);
    }
    client.speak("line 0001 stop").await;
    events.extend(client.until("response.done").await);
    let done = &events.last().expect("the end")["response"];
    assert_eq!(done["status"], "cancelled");
    assert_eq!(done["status_details"]["reason"], "turn_detected");
    let item = done["output"][0]["id"].as_str().expect("it had begun").to_owned();

    let spoken_ms = audio_ms(&events);
    let truncate = |end_ms: u64| {
        json!({ "type": "conversation.item.truncate", "event_id": "cut", "item_id": item,
            "content_index": 0, "audio_end_ms": end_ms })
    };
    client.send(truncate(spoken_ms + 1)).await;
    let error = client.until_one("error").await;
    let message =
        format!("Audio content of {spoken_ms}ms is already shorter than {}ms", spoken_ms + 1);
    assert_eq!(error["error"]["message"], message);
    assert_eq!(error["error"]["event_id"], "cut");
    client.send(truncate(spoken_ms / 2)).await;
    client.until("conversation.item.truncated").await;
    client.send(json!({ "type": "conversation.item.retrieve", "item_id": item })).await;
    let shown = client.until_one("conversation.item.retrieved").await;
    assert_eq!(shown["item"]["content"][0]["transcript"], Value::Null);
    let held = &server.sessions()[0].entries[1];
    let Entry::Message { role: Role::Assistant, text } = held else { panic!("{held:?}") };
    assert!("Once upon a time there was".starts_with(text.as_str()) && !text.is_empty(), "{text}");
}

#[tokio::test]
async fn what_has_no_audio_of_the_model_cannot_be_truncated() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    let content = json!([{ "type": "output_text", "text": "Hello." }]);
    client
        .remember(json!({ "id": "a", "type": "message", "role": "assistant", "content": content }))
        .await;
    for (item, message) in [
        ("a", "Only model output audio messages can be truncated"),
        ("b", "Item with id 'b' does not exist."),
    ] {
        let truncate = json!({ "type": "conversation.item.truncate", "item_id": item,
            "content_index": 0, "audio_end_ms": 100 });
        client.send(truncate).await;
        assert_eq!(client.until_one("error").await["error"]["message"], message);
    }
}

#[tokio::test]
async fn one_response_at_a_time() {
    // Slow enough to be still at it.
    let server = serve(Behaviour { pace: Pace::RealTime, ..quick() }).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    client.send(json!({ "type": "response.cancel", "event_id": "none" })).await;
    let error = client.until_one("error").await;
    assert_eq!(error["error"]["code"], "response_cancel_not_active");
    client
        .send(json!({ "type": "response.create", "response": { "metadata": { "tag": "7" } } }))
        .await;
    let created = client.until_one("response.created").await;
    assert_eq!(created["response"]["metadata"]["tag"], "7");
    client.send(json!({ "type": "response.create", "event_id": "second" })).await;
    let error = client.until_one("error").await;
    assert_eq!(error["error"]["code"], "conversation_already_has_active_response");
    assert_eq!(error["error"]["event_id"], "second");
    client.send(json!({ "type": "response.cancel" })).await;
    let done = client.until_one("response.done").await;
    assert_eq!(done["response"]["status_details"]["reason"], "client_cancelled");
    assert_eq!(done["response"]["metadata"]["tag"], "7");
}

#[tokio::test]
async fn instructions_of_a_response_stand_in_place_of_the_sessions() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Task: make a reservation.", &[]).await;
    let order = json!({ "instructions": "Say exactly: \"One moment, please.\"" });
    client.send(json!({ "type": "response.create", "response": order })).await;
    assert_eq!(client.listen().await.0, "One moment, please.");
    let beside = json!({ "conversation": "none", "output_modalities": ["text"], "input": [],
        "metadata": { "job": "x" }, "instructions": "Say exactly: \"Aside.\"" });
    client.send(json!({ "type": "response.create", "response": beside })).await;
    let done = client.until_one("response.done").await;
    assert_eq!(done["response"]["output"][0]["content"][0]["text"], "Aside.");
    assert_eq!(server.sessions()[0].entries.len(), 1, "what is said aside is not remembered");
}

#[tokio::test]
async fn turns_can_be_ended_by_hand() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    let manual = json!({ "type": "realtime", "audio": { "input": { "turn_detection": null } } });
    client.send(json!({ "type": "session.update", "session": manual })).await;
    client.until("session.updated").await;
    client.send(json!({ "type": "input_audio_buffer.commit" })).await;
    let error = client.until_one("error").await;
    assert_eq!(error["error"]["code"], "input_audio_buffer_commit_empty");
    client.speak("line 0002 by hand").await;
    client.send(json!({ "type": "input_audio_buffer.commit" })).await;
    let events = client.until("conversation.item.input_audio_transcription.completed").await;
    assert!(!kinds(&events).contains(&"response.created"));
    client.send(json!({ "type": "response.create" })).await;
    assert_eq!(client.listen().await.0, "You said: line 0002 by hand.");
}

#[tokio::test]
async fn a_session_rebuilt_by_replay_continues_the_dialogue() {
    let task = "Task: make a reservation for Sam.";
    let server = serve(quick()).await;
    let mut client = Client::open(&server, task, &["hang_up"]).await;
    client.speak("Good evening, this is Luigi's.").await;
    let (opening, _) = client.listen().await;
    assert!(opening.starts_with("Hello, I am calling for Sam."), "{opening}");
    assert_eq!(server.cut_all(), 1);
    assert!(client.next().await.is_none());

    let before = server.sessions()[0].entries.clone();
    let mut client = Client::open(&server, task, &["hang_up"]).await;
    for entry in &before {
        let Entry::Message { role, text } = entry else { panic!("only words were said") };
        let kind = if *role == Role::Assistant { "output_text" } else { "input_text" };
        let content = json!([{ "type": kind, "text": text }]);
        client
            .remember(json!({ "type": "message", "role": role.word(), "content": content }))
            .await;
    }
    client.speak("Under what name?").await;
    assert_eq!(client.listen().await.0, "Under the name Sam, please.");
    assert_eq!(server.sessions()[1].entries[..2], before[..]);
    assert_eq!(server.sessions_opened(), 2);
    assert_eq!(server.live(), 1);
}
