//! What goes wrong: keys, cuts, closes, floods, refusals.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;

use super::*;

/// Reads to the end; the last error event's code and the close frame.
async fn ending(client: &mut Client) -> (Option<String>, Option<CloseFrame>) {
    let mut code = None;
    loop {
        let next = timeout(PATIENCE, client.socket.next()).await.expect("an end in time");
        match next {
            Some(Ok(Message::Text(text))) => {
                let event: Value = serde_json::from_str(&text).expect("JSON");
                code = event["error"]["code"].as_str().map(str::to_owned).or(code);
            }
            Some(Ok(Message::Close(frame))) => return (code, frame),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return (code, None),
        }
    }
}

#[tokio::test]
async fn a_wrong_key_and_the_old_protocol_are_let_in_and_sent_away() {
    let server = serve(quick()).await;
    for (key, header, code, close) in [
        ("sk-wrong", None, "invalid_api_key", 3000),
        (server.key(), Some(("openai-beta", "realtime=v1")), "beta_api_shape_disabled", 4000),
    ] {
        let mut client = Client::dial(&server, key, header).await;
        let (found, frame) = ending(&mut client).await;
        assert_eq!(found.as_deref(), Some(code));
        let frame = frame.expect("it was closed");
        assert_eq!(u16::from(frame.code), close);
        assert_eq!(frame.reason.as_str(), format!("invalid_request_error.{code}"));
    }
    assert_eq!(server.sessions_opened(), 0);
}

#[tokio::test]
async fn a_refused_handshake_is_refused_once() {
    let refusal = Fault::RefuseHandshake { status: 429, retry_after_s: Some(4) };
    let faults = vec![(Whom::Next, refusal)];
    let server = serve(Behaviour { faults, ..quick() }).await;
    let url = format!("{}?model=m", server.url());
    let error = connect_async(url).await.expect_err("refused");
    let Error::Http(response) = error else { panic!("{error}") };
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "4");
    Client::open(&server, "Be brief.", &[]).await;
}

#[tokio::test]
async fn a_cut_comes_in_the_middle_of_a_sentence_and_without_a_close() {
    let server = serve(Behaviour { pace: Pace::RealTime, ..quick() }).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    server.misbehave(Whom::Live, Fault::Cut { after: Duration::from_millis(400) });
    client.speak("tell me a story").await;
    let mut events = Vec::new();
    while let Some(event) = client.next().await {
        events.push(event);
    }
    assert_eq!(audio_ms(&events), 400);
    assert!(!kinds(&events).contains(&"response.done"));
    assert_eq!(server.live(), 0);
}

#[tokio::test]
async fn only_a_session_that_speaks_is_cut() {
    let server = serve(Behaviour { pace: Pace::RealTime, ..quick() }).await;
    let mut silent = Client::open(&server, "Be brief.", &[]).await;
    let mut speaking = Client::open(&server, "Be brief.", &[]).await;
    assert!(!server.cut_one_speaking());
    speaking.speak("tell me a story").await;
    speaking.until("response.output_audio.delta").await;
    assert!(server.cut_one_speaking());
    while speaking.next().await.is_some() {}
    assert!(!server.cut_one_speaking());
    silent.speak("line 0004 still here").await;
    silent.until("response.created").await;
}

#[tokio::test]
async fn a_session_expires_with_an_error_and_a_close() {
    let faults = vec![(Whom::Every, Fault::SessionAge(Duration::from_millis(50)))];
    let server = serve(Behaviour { faults, ..quick() }).await;
    let mut client = Client::dial(&server, server.key(), None).await;
    let (code, frame) = ending(&mut client).await;
    assert_eq!(code.as_deref(), Some("session_expired"));
    assert_eq!(u16::from(frame.expect("it was closed").code), 1001);
}

#[tokio::test]
async fn a_server_closes_with_the_code_it_was_given() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    let fault =
        Fault::CloseWith { after: Duration::ZERO, code: 1011, reason: "keepalive".to_owned() };
    server.misbehave(Whom::Live, fault);
    let frame = ending(&mut client).await.1.expect("it was closed");
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1011, "keepalive"));
}

#[tokio::test]
async fn garbage_and_strangers_do_not_end_a_session() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    server.misbehave(Whom::Live, Fault::Garbage);
    let first = timeout(PATIENCE, client.socket.next()).await.expect("in time").expect("open");
    let text = first.expect("a message").into_text().expect("text");
    assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
    let second = timeout(PATIENCE, client.socket.next()).await.expect("in time").expect("open");
    assert!(second.expect("a message").is_binary());
    server.misbehave(Whom::Live, Fault::UnknownEvents);
    client.until("weather.updated").await;
    client.speak("line 0005 go on").await;
    client.until("response.created").await;
}

#[tokio::test]
async fn no_response_comes_any_more_once_the_quota_is_used_up() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    server.misbehave(Whom::Live, Fault::QuotaFailure);
    for _ in 0..2 {
        client.send(json!({ "type": "response.create" })).await;
        let done = client.until_one("response.done").await;
        assert_eq!(done["response"]["status"], "failed");
        assert_eq!(done["response"]["status_details"]["error"]["code"], "insufficient_quota");
    }
}

#[tokio::test]
async fn an_allowance_that_is_used_up_is_announced_and_responses_fail_until_it_is_refilled() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    let lasts = Duration::from_secs(2);
    server.misbehave(Whom::Live, Fault::Exhausted(lasts));
    let announced = client.until_one("rate_limits.updated").await;
    let begun = Instant::now();
    assert_eq!(announced["rate_limits"][0]["remaining"], 0);
    let reset_s = announced["rate_limits"][0]["reset_seconds"].as_f64().expect("a number");
    assert!(reset_s <= 2.0, "{reset_s}");
    client.send(json!({ "type": "response.create" })).await;
    let done = client.until_one("response.done").await;
    assert_eq!(done["response"]["status_details"]["error"]["code"], "rate_limit_exceeded");
    tokio::time::sleep_until(begun + lasts).await;
    client.send(json!({ "type": "response.create" })).await;
    assert_eq!(client.listen().await.1["response"]["status"], "completed");
}

#[tokio::test]
async fn a_poor_server_refuses_what_it_cannot_do() {
    let poor = Behaviour { transcribes: false, truncates: false, ..quick() };
    let server = serve(poor).await;
    let mut client = Client::dial(&server, server.key(), None).await;
    let transcription = json!({ "type": "realtime",
        "audio": { "input": { "transcription": { "model": "m" } } } });
    client.send(json!({ "type": "session.update", "session": transcription })).await;
    let error = client.until_one("error").await;
    assert_eq!(error["error"]["param"], "session.audio.input.transcription");
    let truncate = json!({ "type": "conversation.item.truncate", "item_id": "i",
        "content_index": 0, "audio_end_ms": 5 });
    client.send(truncate).await;
    assert_eq!(client.until_one("error").await["error"]["param"], "type");
}

#[tokio::test]
async fn ten_seconds_of_audio_come_at_once() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    server.misbehave(Whom::Live, Fault::TooFast);
    client.send(json!({ "type": "response.create" })).await;
    let events = client.until("response.done").await;
    assert_eq!(audio_ms(&events), 10_000);
    assert_eq!(heard_in(&events, Coding::Pcm24k), "Hello. I am listening.");
}

#[tokio::test]
async fn a_stalled_session_answers_when_the_stall_is_over() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    let lasts = Duration::from_millis(300);
    server.misbehave(Whom::Live, Fault::Stall { after: Duration::ZERO, lasts });
    let begun = Instant::now();
    client.send(json!({ "type": "response.create" })).await;
    client.until("response.created").await;
    assert!(begun.elapsed() >= lasts, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_stopped_server_takes_its_connections_along() {
    let server = serve(quick()).await;
    let mut client = Client::open(&server, "Be brief.", &[]).await;
    server.stop().await;
    assert!(client.next().await.is_none());
    assert_eq!(server.live(), 0);
    connect_async(server.url()).await.expect_err("nobody listens");
}
