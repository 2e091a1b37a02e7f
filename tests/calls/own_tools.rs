//! Tools of a house's own, behind an HTTP endpoint: offered by allow-list, asked about before they
//! do what cannot be undone, done once.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tandem::config::{Config, Dialect, Risk, Tool};
use tandem::rehearsal::callee::Role;
use tandem::store::Archive as _;
use tandem_actors::record::{Fact, Speaker};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::stage::{self, Stage};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Asked = mpsc::Receiver<(HeaderMap, Bytes)>;

/// A house whose bookings can be cancelled.
async fn house() -> (Config, Asked) {
    let (tell, asked) = mpsc::channel(8);
    let cancels = move |headers: HeaderMap, body: Bytes| async move {
        tell.send((headers, body)).await.unwrap();
        r#"{"spoken_message":"The booking is cancelled."}"#
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let routes = Router::new().route("/", post(cancels));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let schema = json!({
        "type": "object",
        "properties": { "booking": { "type": "string" } },
        "required": ["booking"],
    });
    let Value::Object(parameters) = schema else { panic!("an object") };
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.tools = vec![Tool {
        name: "cancel_booking".to_owned(),
        description: "Cancels a booking.".to_owned(),
        url,
        parameters,
        risk: Risk::Destructive,
        idempotent: false,
        deadline_s: 10,
        attempts: 1,
        filler: String::new(),
        question: "Shall I cancel the booking {booking}?".to_owned(),
        secret: Some(SECRET.to_owned().into()),
    }];
    (config, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_is_cancelled_once_after_a_human_said_yes() {
    let (config, mut asked) = house().await;
    let mut stage = Stage::with(config).await;
    let call = stage.ring(Role::Customer.number(), Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    let said = stage::said(&facts, Speaker::Agent).concat();
    assert!(said.contains("Shall I cancel the booking A7?"), "{said}");
    assert!(said.contains("The booking is cancelled."), "{said}");
    let at = |wanted: &dyn Fn(&Fact) -> bool| facts.iter().position(wanted).unwrap();
    let settled = at(&|fact| matches!(fact, Fact::ConfirmationSettled { .. }));
    let answered = at(
        &|fact| matches!(fact, Fact::ToolAnswered { verdict, .. } if verdict.word() == "success"),
    );
    assert!(settled < answered);
    stage.close().await;
    let (headers, body) = asked.recv().await.unwrap();
    assert!(Webhook::new(SECRET).unwrap().verify(&body, &headers).is_ok());
    let body: BTreeMap<String, Value> = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["arguments"], json!({ "booking": "A7" }));
    assert_eq!(body["call"], call.to_string());
    assert!(asked.try_recv().is_err(), "asked once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_brings_back_what_its_order_asked_for() {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut stage = Stage::with(config).await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/calls", stage.server.url());
    let schema = json!({
        "type": "object",
        "properties": { "available": { "type": "boolean" }, "time": { "type": "string" } },
        "required": ["available"],
    });
    let order = |schema: Value| {
        let task = "Reserve a table for four at seven tonight, for Sam.";
        let to = Role::Restaurant.number();
        client.post(&url).json(&json!({ "to": to, "task": task, "result_schema": schema })).send()
    };
    let refused = order(json!({ "type": "object", "required": 7 })).await.unwrap();
    assert_eq!(refused.status(), 400);
    let placed: Value = order(schema).await.unwrap().json().await.unwrap();
    stage.finalized().await;
    stage.server.desk.store.flush().await.unwrap();
    let shown = client.get(format!("{url}/{}", placed["id"].as_str().unwrap())).send().await;
    let shown: Value = shown.unwrap().json().await.unwrap();
    assert_eq!(shown["result"]["status"], "achieved", "{shown}");
    assert_eq!(shown["result"]["data"], json!({ "available": true, "time": "19:00" }));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_has_the_tools_that_its_order_allows_and_no_others() {
    let (config, mut asked) = house().await;
    let mut stage = Stage::with(config).await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/calls", stage.server.url());
    let order = |tools: Value| {
        let body =
            json!({ "to": Role::Customer.number(), "task": "Keep the task list.", "tools": tools });
        client.post(&url).json(&body).send()
    };
    let refused = order(json!(["list_tasks", "cancel_bookings"])).await.unwrap();
    assert_eq!(refused.status(), 400);
    let problem: Value = refused.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(problem["field"] == "tools" && detail.contains("cancel_bookings"), "{problem}");
    assert!(detail.contains("cancel_booking,"), "what there is: {detail}");
    assert_eq!(order(json!(["list_tasks"])).await.unwrap().status(), 202);
    let facts = stage.finalized().await;
    let tools = facts.iter().filter_map(|fact| match fact {
        Fact::ToolAsked { name, .. } => Some(name.as_str()),
        _ => None,
    });
    assert_eq!(tools.collect::<Vec<_>>(), ["hang_up"]);
    stage.close().await;
    assert!(asked.try_recv().is_err(), "nobody asked for it");
}
