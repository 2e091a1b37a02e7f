//! Whoever wants to know is told what becomes of a call: signed, with what the call looks like at
//! that moment, and in a later run what this one did not get rid of.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tandem::config::{Config, Dialect};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::stage::{STORY, Stage};

fn settings() -> Config {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config
}

/// Somebody who is told, and takes it.
pub(crate) struct Receiver {
    pub(crate) url: String,
    told: mpsc::Receiver<(HeaderMap, Bytes)>,
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        let (tell, told) = mpsc::channel(64);
        let hear = async move |headers: HeaderMap, body: Bytes| {
            tell.send((headers, body)).await.unwrap();
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let routes = Router::new().route("/hook", post(hear));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, told }
    }

    /// What it is told next, by somebody with this secret.
    pub(crate) async fn next(&mut self, secret: &str) -> Value {
        let told = tokio::time::timeout(STORY, self.told.recv()).await;
        let (headers, body) = told.expect("told in time").unwrap();
        Webhook::new(secret).unwrap().verify(&body, &headers).expect("signed");
        serde_json::from_slice(&body).unwrap()
    }
}

async fn ask(stage: &Stage, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}{path}", stage.server.url());
    let answer = reqwest::Client::new().post(url).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn look(stage: &Stage, path: &str) -> Value {
    let answer = reqwest::get(format!("{}{path}", stage.server.url())).await.unwrap();
    answer.json().await.unwrap()
}

/// Has somebody told; the endpoint's id and secret.
pub(crate) async fn tell(stage: &Stage, wanted: Value) -> (String, String) {
    let (status, made) = ask(stage, "/v1/webhooks", &wanted).await;
    assert_eq!(status, 201, "{made}");
    let word = |name: &str| made[name].as_str().unwrap().to_owned();
    (word("id"), word("secret"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_told_of_from_the_dial_to_its_end() {
    let mut receiver = Receiver::open().await;
    let mut stage = Stage::with(settings()).await;
    let (id, secret) = tell(&stage, json!({ "url": receiver.url })).await;
    let call = stage.place("+15550100", Dialect::Acs24k).await;
    stage.finalized().await;
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(receiver.next(&secret).await);
    }
    // One that is sent again may overtake another; each says when it happened.
    told.sort_by_key(|told| told["timestamp"].as_str().unwrap().to_owned());
    let types: Vec<_> = told.iter().map(|told| told["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["call.dialing", "call.answered", "call.finalized"]);
    let shown = look(&stage, &format!("/v1/calls/{call}")).await;
    let last = told[2]["data"].as_object().unwrap();
    for (name, value) in last.iter().filter(|(name, _)| *name != "links") {
        assert_eq!(value, &shown[name], "{name}");
    }
    assert_eq!((&last["lifecycle"], &last["outcome"]), (&json!("finalized"), &json!("answered")));
    assert!(last["links"]["transcript"].as_str().unwrap().starts_with("/v1/calls/"));

    // A test is told too, and while the secret changes by both.
    let path = format!("/v1/webhooks/{id}");
    let (status, rotated) = ask(&stage, &format!("{path}/rotate"), &json!({})).await;
    assert_eq!((status, &rotated["id"]), (200, &json!(id)));
    let fresh = rotated["secret"].as_str().unwrap();
    for secret in [&*secret, fresh] {
        let (status, test) = ask(&stage, &format!("{path}/test"), &json!({})).await;
        assert_eq!(status, 202, "{test}");
        assert_eq!(receiver.next(secret).await["type"], "ping");
    }
    let shown = look(&stage, &path).await;
    assert_eq!(shown["deliveries"].as_array().unwrap().len(), 5);
    assert!(!shown.to_string().contains("whsec_"), "a secret is shown once");
    let metrics = reqwest::get(format!("{}/metrics", stage.server.url())).await.unwrap();
    assert!(metrics.text().await.unwrap().contains("tandem_webhooks_delivered_total"));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_does_not_get_rid_of_the_next_one_delivers() {
    // Takes connections and never answers, as long as the first run lives.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let mut stage = Stage::with(settings()).await;
    let wanted = json!({ "url": format!("http://{address}/hook"), "events": ["call.finalized"] });
    let (id, secret) = tell(&stage, wanted).await;
    stage.place("+15550100", Dialect::Acs24k).await;
    stage.finalized().await;
    let (connection, _) = tokio::time::timeout(STORY, silent.accept()).await.unwrap().unwrap();
    let mut stage = stage.restarted(settings()).await;
    drop(connection);
    let (tell, mut told) = mpsc::channel(8);
    let hear = async move |headers: HeaderMap, body: Bytes| {
        tell.send((headers, body)).await.unwrap();
    };
    let routes = Router::new().route("/hook", post(hear));
    tokio::spawn(async move { axum::serve(silent, routes).await });
    let (headers, body) = tokio::time::timeout(STORY, told.recv()).await.unwrap().unwrap();
    assert!(Webhook::new(&secret).unwrap().verify(&body, &headers).is_ok());
    let shown = look(&stage, &format!("/v1/webhooks/{id}")).await;
    assert_eq!(headers["webhook-id"], shown["deliveries"][0]["id"].as_str().unwrap());
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["type"], "call.finalized");
    stage = stage.restarted(settings()).await;
    stage.close().await;
    let again = tokio::time::timeout(Duration::ZERO, told.recv()).await;
    assert!(!matches!(again, Ok(Some(_))), "delivered again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_real_phones_are_nobody_inside_is_knocked_at_and_refusals_say_what_to_do() {
    let mut config = settings();
    (config.webhooks.allow_http, config.webhooks.allow_private) = (Some(false), Some(false));
    let stage = Stage::with(config).await;
    for (wanted, field, told) in [
        (json!({ "url": "https://127.0.0.1/" }), "url", "webhooks.allow_private"),
        (json!({ "url": "https://[::ffff:10.0.0.1]/" }), "url", "webhooks.allow_private"),
        (json!({ "url": "http://a.example/" }), "url", "webhooks.allow_http"),
        (
            json!({ "url": "https://a.example/", "events": ["call.finalised"] }),
            "events",
            "call.finalized",
        ),
    ] {
        let (status, problem) = ask(&stage, "/v1/webhooks", &wanted).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(told), "{problem}");
    }
    let (id, _) = tell(&stage, json!({ "url": "https://a.example/" })).await;
    for path in ["/v1/webhooks/x/test".to_owned(), format!("/v1/webhooks/{id}/deliveries/x/retry")]
    {
        assert_eq!(ask(&stage, &path, &json!({})).await.0, 404, "{path}");
    }
    let url = format!("{}/v1/webhooks/{id}", stage.server.url());
    for status in [204, 404] {
        let answer = reqwest::Client::new().delete(&url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    assert_eq!(look(&stage, "/v1/webhooks").await, json!({ "webhooks": [] }));
    stage.close().await;
}
