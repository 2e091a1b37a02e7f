//! Sockets, bodies and addresses that are turned away.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::config::Dialect;
use tandem_actors::call::event::{Input, Order};
use tokio_tungstenite::tungstenite::Error;

use crate::stage::{Stage, guessed};

async fn post(stage: &Stage, path: &str, body: &str) -> (StatusCode, Value) {
    let answer = reqwest::Client::new()
        .post(format!("{}{path}", stage.server.url()))
        .header("content-type", "application/json")
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let status = answer.status();
    assert!(status.is_success() || kind == "application/problem+json", "{kind}");
    (status, answer.json().await.unwrap())
}

#[tokio::test]
async fn a_bad_order_is_answered_with_the_field_and_what_to_do() {
    let stage = Stage::open().await;
    let (status, problem) = post(&stage, "/v1/calls", r#"{"to":"110","task":"x"}"#).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("to")));
    assert!(problem["detail"].as_str().unwrap().contains("+15550100"), "{problem}");
    let (status, problem) = post(&stage, "/v1/calls", r#"{"to":"+15550100","task":" "}"#).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("task")));
    let odd = r#"{"to":"+15550104","task":"x","voicemail":"sing"}"#;
    let (status, problem) = post(&stage, "/v1/calls", odd).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("voicemail")));
    assert!(problem["detail"].as_str().unwrap().contains("leave_message"), "{problem}");
    for broken in [
        "",
        "{",
        "[]",
        "null",
        r#"{"to":7,"task":"x"}"#,
        r#"{"to":"+15550104","task":"x","voicemail":7}"#,
        &"[".repeat(60_000),
    ] {
        let (status, problem) = post(&stage, "/v1/calls", broken).await;
        assert!(status.is_client_error(), "{status} for {:.20}", broken);
        assert_eq!(problem["code"], "invalid_body");
    }
    let huge = format!(r#"{{"to":"+15550100","task":"{}"}}"#, "x".repeat(70_000));
    let (status, _) = post(&stage, "/v1/calls", &huge).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = post(&stage, "/v1/calls/nobody/hangup", "{}").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(stage.server.desk.exchange.live(), 0, "nobody was rung");
    stage.close().await;
}

#[tokio::test]
async fn a_media_socket_needs_the_calls_own_nonce_and_there_is_one_at_a_time() {
    let mut stage = Stage::open().await;
    let call = stage.ring("+15550110", Dialect::Acs24k).await;
    let made = post(&stage, "/rehearsal/incoming", r#"{"from":"+1","to":"+2"}"#).await.1;
    let good = made["media_url"].as_str().unwrap();
    let other = made["call_id"].as_str().unwrap();
    let stolen = good.replace(other, &call.to_string());
    for bad in [
        stolen,
        guessed(good),
        format!("{good}x"),
        "ws://x/acs/media/a/b".replace('x', &good[5..20]),
    ] {
        let Err(Error::Http(answer)) = tokio_tungstenite::connect_async(&bad).await else {
            panic!("let in")
        };
        assert_eq!(answer.status(), 404);
    }
    let first = tokio_tungstenite::connect_async(good).await.unwrap();
    stage.until(|fact| matches!(fact, tandem_actors::record::Fact::Lifecycle(_))).await;
    let attached = async {
        while !stage.server.desk.exchange.has_media(&tandem_actors::briefing::CallId::new(other)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), attached).await.unwrap();
    let Err(Error::Http(answer)) = tokio_tungstenite::connect_async(good).await else {
        panic!("a second socket was let in")
    };
    assert_eq!(answer.status(), 409);
    drop(first);
    for call in stage.server.desk.exchange.calls() {
        stage.server.desk.exchange.tell(&call, Input::Order(Order::HangUp));
    }
    stage.close().await;
}
