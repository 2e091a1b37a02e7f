//! Calls that are made later: once, under a condition, and not again after a restart.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::callee::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::stage::Stage;

async fn post(stage: &Stage, body: &Value) -> (StatusCode, Value) {
    let request = Client::new().post(format!("{}/v1/schedules", stage.server.url()));
    let answer = request.json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn get(stage: &Stage, path: &str) -> Value {
    let answer = Client::new().get(format!("{}{path}", stage.server.url())).send().await.unwrap();
    answer.json().await.unwrap()
}

/// A schedule when something has come of it.
async fn ran(stage: &Stage, id: &str) -> Value {
    let mut commits = stage.server.desk.store.commits();
    loop {
        commits.mark_unchanged();
        let shown = get(stage, &format!("/v1/schedules/{id}")).await;
        if shown["history"] != json!([]) {
            return shown;
        }
        commits.changed().await.unwrap();
    }
}

fn soon() -> Timestamp {
    Timestamp::now() + Duration::from_secs(3)
}

/// Answers every request with this JSON.
async fn answering(json: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/state", listener.local_addr().unwrap());
    drop(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _read = stream.read(&mut request).await;
            let length = json.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{json}");
            let _written = stream.write_all(answer.as_bytes()).await;
        }
    }));
    url
}

async fn end_all(stage: &Stage) {
    for call in stage.server.desk.exchange.calls() {
        let path = format!("{}/v1/calls/{call}/hangup", stage.server.url());
        Client::new().post(path).send().await.unwrap();
    }
    stage.server.desk.exchange.emptied().await;
}

#[tokio::test]
async fn a_call_is_made_at_its_time_and_not_again_after_a_restart() {
    let mut stage = Stage::open().await;
    let order = json!({ "to": Role::NoAnswer.number(), "task": "Ask.", "at": soon() });
    let ordered = async || {
        let request = Client::new().post(format!("{}/v1/schedules", stage.server.url()));
        let answer = request.header("idempotency-key", "k").json(&order).send().await.unwrap();
        let repeated = answer.headers().contains_key("idempotent-replayed");
        (answer.status(), repeated, answer.json::<Value>().await.unwrap())
    };
    let (status, _, made) = ordered().await;
    assert_eq!((status, &made["state"]), (StatusCode::CREATED, &json!("active")), "{made}");
    let id = made["id"].as_str().unwrap();
    let shown = ran(&stage, id).await;
    // Whoever lost the answer gets it, though its time has come.
    let (status, repeated, again) = ordered().await;
    assert_eq!((status, repeated, &again["id"]), (StatusCode::CREATED, true, &made["id"]));
    assert_eq!((&shown["state"], &shown["next_at"]), (&json!("done"), &Value::Null), "{shown}");
    let [run] = &shown["history"].as_array().unwrap()[..] else { panic!("{shown}") };
    assert_eq!(run["verdict"], "placed", "{run}");
    let call = get(&stage, &format!("/v1/calls/{}", run["call"].as_str().unwrap())).await;
    assert_eq!((&call["task"], &call["direction"]), (&json!("Ask."), &json!("outbound")));
    end_all(&stage).await;

    let mut config = Config::default();
    config.http.listen.set_port(0);
    stage = stage.restarted(config).await;
    let late = json!({ "to": Role::NoAnswer.number(), "task": "Later.", "at": soon() });
    let late = post(&stage, &late).await.1;
    ran(&stage, late["id"].as_str().unwrap()).await;
    let calls = get(&stage, "/v1/calls").await;
    assert_eq!(calls["calls"].as_array().unwrap().len(), 2, "the first was not made again");
    end_all(&stage).await;
    stage.close().await;
}

#[tokio::test]
async fn nobody_is_rung_unless_the_condition_holds() {
    let stage = Stage::open().await;
    let url = answering(r#"{"build":{"state":"green"},"queue":12}"#).await;
    let mut ids = Vec::new();
    for (pointer, is, value) in [
        ("/build/state", "equals", json!("red")),
        ("/queue", "above", json!(10)),
        ("/nowhere", "equals", json!(1)),
    ] {
        let condition = json!({ "url": url, "pointer": pointer, "is": is, "value": value });
        let order = json!({
            "to": Role::NoAnswer.number(), "task": "Ring.", "at": soon(), "condition": condition,
        });
        let (status, made) = post(&stage, &order).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let mut verdicts = Vec::new();
    for id in &ids {
        verdicts.push(ran(&stage, id).await["history"][0]["verdict"].clone());
    }
    assert_eq!(verdicts, ["condition_not_met", "placed", "condition_failed"]);
    assert_eq!(get(&stage, "/v1/calls").await["calls"].as_array().unwrap().len(), 1);

    let again = json!({ "to": Role::NoAnswer.number(), "task": "Ring.", "cron": "0 9 * * *" });
    let made = post(&stage, &again).await.1;
    assert_eq!(get(&stage, "/v1/schedules").await["schedules"].as_array().unwrap().len(), 1);
    let path = format!("{}/v1/schedules/{}", stage.server.url(), made["id"].as_str().unwrap());
    let gone = Client::new().delete(&path).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(get(&stage, "/v1/schedules").await["schedules"], json!([]));
    let wrong = json!({ "to": Role::NoAnswer.number(), "task": "x", "cron": "0 9 30 2 *" });
    let (status, problem) = post(&stage, &wrong).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("cron")));
    end_all(&stage).await;
    stage.close().await;
}

#[tokio::test]
async fn what_is_called_off_while_its_condition_is_asked_rings_nobody() {
    let stage = Stage::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/state", listener.local_addr().unwrap());
    let order = json!({
        "to": Role::NoAnswer.number(), "task": "Off.", "at": soon(),
        "condition": { "url": url, "pointer": "/go", "is": "equals", "value": true },
    });
    let (status, made) = post(&stage, &order).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (mut stream, _) = listener.accept().await.unwrap();
    let path = format!("{}/v1/schedules/{}", stage.server.url(), made["id"].as_str().unwrap());
    let off = Client::new().delete(path).send().await.unwrap();
    assert_eq!(off.status(), StatusCode::NO_CONTENT);
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"go\":true}";
    stream.write_all(answer.as_bytes()).await.unwrap();

    let later = json!({ "to": Role::NoAnswer.number(), "task": "On.", "at": soon() });
    ran(&stage, post(&stage, &later).await.1["id"].as_str().unwrap()).await;
    let calls = get(&stage, "/v1/calls").await;
    let tasks: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|one| &one["task"]).collect();
    assert_eq!(tasks, ["On."]);
    end_all(&stage).await;
    stage.close().await;
}
