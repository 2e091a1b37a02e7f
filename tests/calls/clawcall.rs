//! What ClawCall's clients send, and what they read: its routes, its words, its errors.

use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::callee::Role;
use tandem::store::{Archive as _, Keys as _};
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

    /// Rings somebody with an order that is to be carried out once.
    async fn once(&self, once: &str, order: &Value) -> reqwest::Response {
        let request = self.client.post(format!("{}/call", self.server));
        request.header("Idempotency-Key", once).json(order).send().await.unwrap()
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
        (
            json!({ "to": to, "task": "x", "bridge_number": "+15550123", "loop_in_user": true }),
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

#[tokio::test]
async fn an_account_is_made_with_its_call_and_not_again_for_the_same_order() {
    let stage = Stage::with(config()).await;
    let mut theirs = Theirs::at(&stage);
    let to = Role::NoAnswer.number();
    for order in [
        json!({}),
        json!({ "to": "911", "task": "x" }),
        json!({ "to": "+19005550123", "task": "x" }),
        json!({ "to": to, "task": "x", "voice": "bob" }),
    ] {
        let answer = theirs.ask(Method::POST, "/call", Some(&order)).await;
        assert!(answer.status().is_client_error(), "{order}");
    }
    assert_eq!(stage.server.desk.store.keys().await.unwrap(), [], "nobody's order was taken");

    let order = json!({ "to": to, "task": "x" });
    let first = theirs.once("one", &order).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    assert!(!first.headers().contains_key("idempotent-replayed"));
    let first: Value = first.json().await.unwrap();
    let again = theirs.once("one", &order).await;
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert!(!again.headers().contains_key("x-clawcall-api-key"), "it was told once");
    let again: Value = again.json().await.unwrap();
    assert_eq!(again, json!({ "call_id": first["call_id"], "status": "queued" }));
    let other = theirs.once("one", &json!({ "to": to, "task": "y" })).await;
    assert_eq!(other.status(), StatusCode::CONFLICT);
    assert_eq!(stage.server.desk.exchange.live(), 1);
    assert_eq!(stage.server.desk.store.keys().await.unwrap().len(), 1);

    let second: Value = theirs.once("two", &order).await.json().await.unwrap();
    assert_ne!(second["call_id"], first["call_id"], "another order");
    for placed in [first, second] {
        theirs.key = Some(placed["api_key"].as_str().unwrap().to_owned());
        let hang_up = format!("/call/{}/hangup", placed["call_id"].as_str().unwrap());
        assert_eq!(theirs.ask(Method::POST, &hang_up, None).await.status(), StatusCode::OK);
    }
    stage.close().await;
}

#[tokio::test]
async fn a_call_that_was_busy_is_told_as_it_was_ordered_and_is_over() {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    Role::Colleague.number().clone_into(&mut config.carrier.human);
    config.policy.calls_per_minute = Some(1);
    let mut stage = Stage::with(config).await;
    let theirs = Theirs::at(&stage);
    let mut order = json!({
        "to": Role::Busy.number(), "task": "x", "voice": "jessica",
        "bridge_number": "+15550123", "loop_in_user": true,
    });
    let (status, refused) = theirs.told(Method::POST, "/call", Some(&order)).await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_handoff_number")),
        "nobody else is brought in"
    );
    order["bridge_number"] = Role::Colleague.number().into();
    let (status, placed) = theirs.told(Method::POST, "/call", Some(&order)).await;
    assert_eq!(status, StatusCode::CREATED, "{placed}");
    stage.finalized().await;
    let call = format!("/call/{}", placed["call_id"].as_str().unwrap());
    let (_, over) = theirs.told(Method::GET, &call, None).await;
    assert_eq!((&over["outcome"], &over["voice"]), (&json!("busy"), &json!("jessica")));
    let (_, ended) = theirs.told(Method::POST, &format!("{call}/hangup"), None).await;
    assert_eq!((&ended["success"], &ended["status"]), (&json!(true), &json!("completed")));

    let soon = theirs.ask(Method::POST, "/call", Some(&order)).await;
    assert_eq!(soon.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = soon.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    for query in ["since=yesterday", "limit=abc", "limit=0", "direction=up"] {
        let (status, wrong) = theirs.told(Method::GET, &format!("/me/calls?{query}"), None).await;
        assert_eq!(
            (status, &wrong["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("invalid_query")),
            "{query}"
        );
    }
    stage.close().await;
}
