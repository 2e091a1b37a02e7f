//! Operations that are approved by phone: a human's yes, and everything that is none.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::callee::Role;

use crate::stage::Stage;
use crate::webhooks::{Receiver, tell};

/// Of the one who has it; so long that no time and no name holds it by chance.
const PIN: &str = "04170417";

const OPERATION: &str = "Pay invoice 4711 to Ann";

async fn stage(target: Role) -> Stage {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    target.number().clone_into(&mut config.call.target);
    config.limits.ringing_s = 8;
    config.call.pin = Some(PIN.to_owned().into());
    Stage::with(config).await
}

async fn asked(stage: &Stage, body: &Value) -> (StatusCode, Value) {
    let request = Client::new().post(format!("{}/v1/approvals", stage.server.url()));
    let answer = request.header("idempotency-key", "once").json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// How an approval stands, as soon as it is settled.
async fn settled(stage: &Stage, id: &Value) -> Value {
    let path = format!("{}/v1/approvals/{}", stage.server.url(), id.as_str().unwrap());
    let client = Client::builder().timeout(Duration::from_secs(90)).build().unwrap();
    client.get(format!("{path}?wait_s=60")).send().await.unwrap().json().await.unwrap()
}

/// What comes of asking this one.
async fn decided(target: Role) -> (String, String) {
    let stage = stage(target).await;
    let body = json!({ "operation": OPERATION, "arguments": { "amount": "20 EUR" } });
    let (status, made) = asked(&stage, &body).await;
    assert_eq!((status, &made["state"]), (StatusCode::ACCEPTED, &json!("pending")), "{made}");
    assert_eq!(asked(&stage, &body).await.1["id"], made["id"], "asked once");
    let shown = settled(&stage, &made["id"]).await;
    assert_eq!(shown["operation"], OPERATION);
    let word = |key: &str| shown[key].as_str().unwrap_or_default().to_owned();
    let decided = (word("state"), word("reason"));
    stage.server.desk.exchange.emptied().await;
    assert_eq!(settled(&stage, &made["id"]).await["state"], shown["state"], "it stays so");
    stage.close().await;
    decided
}

fn declined(reason: &str) -> (String, String) {
    ("declined".to_owned(), reason.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clear_yes_accepts_it() {
    assert_eq!(decided(Role::Approver).await, ("accepted".to_owned(), String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pin_accepts_it_and_whoever_wants_to_know_is_told() {
    let stage = stage(Role::PinHolder).await;
    let mut receiver = Receiver::open().await;
    let wanted = json!({ "url": receiver.url, "events": ["approval.settled"] });
    let (_, secret) = tell(&stage, wanted).await;
    let (status, made) = asked(&stage, &json!({ "operation": OPERATION, "verify": "pin" })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{made}");
    let told = receiver.next(&secret).await;
    assert_eq!(told["type"], "approval.settled");
    let data = &told["data"];
    assert_eq!((&data["id"], &data["state"]), (&made["id"], &json!("accepted")), "{told}");
    assert_eq!(data["reason"], Value::Null);
    let shown = settled(&stage, &made["id"]).await;
    assert_eq!((&shown["state"], &shown["verify"]), (&json!("accepted"), &json!("pin")));
    let path = format!("{}{}", stage.server.url(), data["links"]["approval"].as_str().unwrap());
    assert_eq!(reqwest::get(path).await.unwrap().json::<Value>().await.unwrap(), shown);
    stage.server.desk.exchange.emptied().await;
    let url = format!("{}/v1/calls/{}/events", stage.server.url(), shown["id"].as_str().unwrap());
    let events: Vec<Value> = reqwest::get(url).await.unwrap().json().await.unwrap();
    let told = json!(events).to_string();
    assert!(told.contains("\"by\":\"pin\"") && !told.contains(PIN), "{told}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_pin_none_can_be_asked_for() {
    let stage = Stage::open().await;
    let (status, problem) = asked(&stage, &json!({ "operation": "Pay", "verify": "pin" })).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("verify")));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_declines_it() {
    assert_eq!(decided(Role::Decliner).await, declined("declined"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_accepts_nothing() {
    assert_eq!(decided(Role::Voicemail).await, declined("voicemail"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_accepts_nothing() {
    assert_eq!(decided(Role::NoAnswer).await, declined("no_answer"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_is_refused_and_calls_are_no_approvals() {
    let stage = stage(Role::Approver).await;
    for (body, field) in [
        (json!({ "operation": " " }), "operation"),
        (json!({ "operation": "Pay", "arguments": { "lines": [1] } }), "arguments"),
        (json!({ "operation": "Pay", "to": "Ann" }), "to"),
    ] {
        let (status, problem) = asked(&stage, &body).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)));
    }
    let client = Client::new();
    let url = stage.server.url();
    let key: Value = client
        .post(format!("{url}/v1/keys"))
        .json(&json!({ "account": "ann" }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let key = key["key"].as_str().unwrap();
    let set = client.put(format!("{url}/v1/phone")).bearer_auth(key);
    let phone = json!({ "number": Role::Decliner.number() });
    assert_eq!(set.json(&phone).send().await.unwrap().status(), StatusCode::OK);
    let body = json!({ "operation": "Pay", "to": Role::Approver.number() });
    let other = client.post(format!("{url}/v1/approvals")).bearer_auth(key).json(&body);
    let problem: Value = other.send().await.unwrap().json().await.unwrap();
    assert_eq!(problem["code"], "not_your_phone", "{problem}");
    let missing = client.get(format!("{url}/v1/approvals/none")).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    stage.close().await;
}
