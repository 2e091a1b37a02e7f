//! The floor: every live call of its reader at a glance, as it goes on.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sse_stream::SseStream;
use tandem::rehearsal::callee::Role;

use crate::api::{Api, OPERATOR, locked};
use crate::stage::{STORY, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_on_the_floor_is_told_until_nothing_is_live() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let asked = api.to(Method::GET, "/v1/floor").header("accept", "text/event-stream");
    let answer = asked.send().await.unwrap();
    let mut told = SseStream::from_bytes_stream(answer.bytes_stream());
    let mut next = async || {
        let event = tokio::time::timeout(STORY, told.next()).await.unwrap().unwrap().unwrap();
        let body: Option<Value> = event.data.map(|data| serde_json::from_str(&data).unwrap());
        (event.event, body.unwrap_or_default())
    };
    let (name, whole) = next().await;
    assert_eq!((name.as_deref(), &whole["calls"]), (Some("floor"), &json!([])), "{whole}");
    assert_eq!((&whole["live"], &whole["rehearsal"]), (&json!(0), &json!(true)));
    let leg = |name: &str| {
        let [at_ms, why] = [Value::Null, Value::Null];
        json!({ "name": name, "state": "not_asked", "at_ms": at_ms, "why": why, "rests": false })
    };
    assert_eq!((&whole["carrier"], &whole["models"]), (&leg("rehearsal"), &json!([leg("model")])));

    let order = json!({ "to": Role::FullHouse.number(), "task": "Ask for a table at seven." });
    let id = api.post("/v1/calls", &order).await.1["id"].clone();
    let (mut words, mut replied, mut over) = (Vec::new(), false, false);
    while !over {
        let (name, change) = next().await;
        // A sign of life has no name.
        if name.as_deref() != Some("change") {
            continue;
        }
        for call in change["calls"].as_array().unwrap() {
            assert_eq!((&call["id"], &call["remote"]), (&id, &order["to"]));
            words.push(call["words"]["text"].as_str().unwrap_or_default().to_owned());
            replied |= call["reply_ms"].is_u64();
        }
        over = change["over"].as_array().unwrap().contains(&id);
    }
    assert!(words.iter().any(|words| words.contains("The Full House")), "{words:?}");
    assert!(replied, "the reply time is told");
    let floor = api.get("/v1/floor").await.1;
    for leg in [&floor["carrier"], &floor["models"][0]] {
        assert_eq!((&leg["state"], leg["at_ms"].is_i64()), (&json!("works"), true), "{floor}");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_sees_what_its_key_sees() {
    let stage = locked().await;
    let house = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let made = house.post("/v1/keys", &json!({ "account": "shop", "scope": "read" })).await.1;
    let order = json!({ "to": Role::Silent.number(), "task": "Wait." });
    let call = house.post("/v1/calls", &order).await.1["id"].as_str().unwrap().to_owned();

    let nobody = Api { stage: &stage, key: None };
    assert_eq!(nobody.get("/v1/floor").await.0, StatusCode::UNAUTHORIZED);
    let wrong = nobody.post("/session", &json!({ "key": "guessed" })).await;
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);
    for (key, sees) in [(json!(OPERATOR), 1), (made["key"].clone(), 0)] {
        let opened = nobody.to(Method::POST, "/session").json(&json!({ "key": key })).send().await;
        let cookie = opened.unwrap().headers()["set-cookie"].to_str().unwrap().to_owned();
        let session = cookie.split(';').next().unwrap().to_owned();
        let ask = |method, path: String| nobody.to(method, &path).header("cookie", &session);
        let floor: Value =
            ask(Method::GET, "/v1/floor".to_owned()).send().await.unwrap().json().await.unwrap();
        assert_eq!(floor["calls"].as_array().unwrap().len(), sees, "{floor}");
        if sees == 0 {
            let hangup = ask(Method::POST, format!("/v1/calls/{call}/hangup")).send().await;
            assert_eq!(hangup.unwrap().status(), StatusCode::FORBIDDEN, "it may only look");
        }
    }
    house.post(&format!("/v1/calls/{call}/hangup"), &json!({})).await;
    tokio::time::timeout(Duration::from_secs(30), stage.server.desk.exchange.emptied())
        .await
        .unwrap();
    stage.close().await;
}
