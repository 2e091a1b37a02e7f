//! What ClawCall's clients send, and what they read: its routes, its words, its errors.

use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::callee::Role;
use tandem::store::Archive as _;
use tandem_actors::record::Fact;

use crate::stage::Stage;

/// A client that follows no redirect, as theirs does not.
struct Theirs {
    client: Client,
    server: String,
    key: Option<String>,
}

impl Theirs {
    fn at(stage: &Stage) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, server: stage.server.url(), key: None }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Response {
        let mut request = self.client.request(method, format!("{}{path}", self.server));
        if let Some(key) = &self.key {
            request = request.header("X-Api-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    async fn told(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let answer = self.ask(method, path, body).await;
        (answer.status(), answer.json().await.unwrap())
    }
}

fn config() -> Config {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.http.key = Some(SecretString::from("of-whoever-runs-the-server"));
    config.http.makes_keys = true;
    config
}

#[tokio::test]
async fn a_first_call_brings_its_own_key_and_is_told_in_their_words() {
    let mut stage = Stage::with(config()).await;
    let mut theirs = Theirs::at(&stage);
    let task = "Reserve a table for four at seven tonight, for Sam.";
    let order = json!({
        "to": Role::Restaurant.number(), "task": task,
        "personality": "Friendly and brief.", "voice": "chris", "loop_in_user": false,
    });
    let answer = theirs.ask(Method::POST, "/call", Some(&order)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let header = answer.headers()["x-clawcall-api-key"].to_str().unwrap().to_owned();
    let placed: Value = answer.json().await.unwrap();
    assert_eq!((&placed["status"], &placed["api_key"]), (&json!("queued"), &json!(header)));
    theirs.key = Some(header);
    let path = format!("/call/{}", placed["call_id"].as_str().unwrap());

    let (_, live) = theirs.told(Method::GET, &path, None).await;
    assert_eq!(live["numbers"]["to"], Role::Restaurant.number());
    assert_eq!((&live["task"], &live["handling_mode"]), (&json!(task), &json!("agent")));
    assert!(live["outcome"].is_null() && live["timestamps"]["finalized_at"].is_null(), "{live}");
    let early = theirs.told(Method::GET, &format!("{path}/recording"), None).await;
    assert_eq!(
        (early.0, &early.1["error"]["code"]),
        (StatusCode::NOT_FOUND, &json!("recording_not_available"))
    );

    stage.until(|fact| matches!(fact, Fact::Finalized { .. })).await;
    stage.server.desk.exchange.emptied().await;
    stage.server.desk.store.flush().await.unwrap();
    let (_, over) = theirs.told(Method::GET, &path, None).await;
    assert_eq!((&over["lifecycle"], &over["outcome"]), (&json!("finalized"), &json!("answered")));
    assert_eq!(over["outcome_detail"]["reason"]["retryable"], false, "{over}");
    let roles: Vec<&str> = over["transcript"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| turn["role"].as_str().unwrap())
        .collect();
    assert!(roles.contains(&"user") && roles.contains(&"assistant"), "{roles:?}");

    // The recording behind an address that opens without a key.
    let found = theirs.ask(Method::GET, &format!("{path}/recording"), None).await;
    assert_eq!(found.status(), StatusCode::FOUND);
    let location = found.headers()["location"].to_str().unwrap().to_owned();
    let stranger = Theirs::at(&stage);
    let file = stranger.ask(Method::GET, &location, None).await;
    assert_eq!(file.status(), StatusCode::OK);
    assert_eq!(&file.bytes().await.unwrap()[..4], b"RIFF");
    let forged = location.replace("/recording/", "/recording/9");
    assert_eq!(stranger.ask(Method::GET, &forged, None).await.status(), StatusCode::NOT_FOUND);

    let (status, ended) = theirs.told(Method::POST, &format!("{path}/hangup"), None).await;
    assert_eq!((status, &ended["success"]), (StatusCode::OK, &json!(true)), "is over, and fine");
    let (_, listed) = theirs.told(Method::GET, "/me/calls?limit=5", None).await;
    assert_eq!(listed["calls"].as_array().unwrap().len(), 1);
    assert_eq!(listed["recordingWindowMinutes"], 10);
    let since = "/me/calls?since=2100-01-01T00:00:00Z";
    assert_eq!(theirs.told(Method::GET, since, None).await.1["calls"], json!([]));
    let balance = theirs.ask(Method::GET, "/balance", None).await;
    assert_eq!(balance.headers()["x-clawcall-balance-seconds"], "unlimited");
    assert_eq!(balance.json::<Value>().await.unwrap()["balance_seconds"], Value::Null);

    let another = Theirs { key: None, ..Theirs::at(&stage) };
    let (status, refused) = another.told(Method::GET, &path, None).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_api_key"))
    );
    stage.close().await;
}

#[tokio::test]
async fn errors_come_in_their_envelope_and_nobody_unknown_is_looped_in() {
    let stage = Stage::open().await;
    let theirs = Theirs::at(&stage);
    let to = Role::NoAnswer.number();
    for (order, status, code) in [
        (json!({ "to": to }), 400, "missing_fields"),
        (json!({ "to": "911", "task": "x" }), 400, "invalid_phone"),
        (json!({ "to": to, "task": "x", "voice": "bob" }), 400, "invalid_preferences"),
        (json!({ "to": to, "task": "x", "loop_in_user": "yes" }), 400, "invalid_loop_in_user"),
        (json!({ "to": to, "task": "x", "loop_in_user": true }), 422, "account_phone_unavailable"),
        (
            json!({ "to": to, "task": "x", "bridge_number": "+15550123" }),
            400,
            "invalid_handoff_number",
        ),
    ] {
        let (answered, problem) = theirs.told(Method::POST, "/call", Some(&order)).await;
        assert_eq!((answered.as_u16(), &problem["error"]["code"]), (status, &json!(code)));
        assert!(problem["error"]["message"].is_string(), "{problem}");
    }
    let (status, problem) = theirs.told(Method::GET, "/call/nobody", None).await;
    assert_eq!((status, &problem["error"]["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    assert_eq!(stage.server.desk.exchange.live(), 0, "nobody was rung");

    let set = json!({ "voice": "sarah", "personality": "Dry." });
    let path = "/me/call-preferences";
    assert_eq!(theirs.told(Method::PUT, path, Some(&set)).await.0, StatusCode::OK);
    let greeting = json!({ "greeting": "Good day." });
    let (_, kept) = theirs.told(Method::PUT, path, Some(&greeting)).await;
    assert_eq!((&kept["voice"], &kept["personality"]), (&json!("sarah"), &json!("Dry.")));
    let order = json!({ "to": to, "task": "x" });
    let placed = theirs.told(Method::POST, "/call", Some(&order)).await.1;
    let call = format!("/call/{}", placed["call_id"].as_str().unwrap());
    let (_, shown) = theirs.told(Method::GET, &call, None).await;
    assert_eq!((&shown["personality"], &shown["greeting"]), (&json!("Dry."), &json!("Good day.")));
    let (_, usual) = theirs.told(Method::DELETE, path, None).await;
    assert_eq!((&usual["voice"], &usual["personality"]), (&json!("jessica"), &Value::Null));
    theirs.told(Method::POST, &format!("{call}/hangup"), None).await;
    stage.close().await;
}
