//! Calls that nobody orders at that moment are rarer than others: whoever is rung has peace from
//! schedules and agents.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::callee::Role;
use tandem_actors::call::event::{Input, Order};

use crate::api::Api;
use crate::stage::Stage;

fn api(stage: &Stage) -> Api<'_> {
    Api { stage, key: None }
}

/// What has come of a schedule.
async fn ran(stage: &Stage, id: &str) -> Value {
    let mut commits = stage.server.desk.store.commits();
    loop {
        commits.mark_unchanged();
        let shown = api(stage).get(&format!("/v1/schedules/{id}")).await.1;
        if shown["history"] != json!([]) {
            return shown["history"][0].clone();
        }
        commits.changed().await.unwrap();
    }
}

#[tokio::test]
async fn whoever_is_rung_unasked_is_rung_no_more_often_than_is_permitted() {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.call.target = Role::NoAnswer.number().to_owned();
    config.proactive.per_day = Some(1);
    let stage = Stage::with(config).await;
    let unasked = json!({ "task": "Say that it rains." });
    let (status, made) = api(&stage).post("/v1/calls", &unasked).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{made}");
    let (status, problem) = api(&stage).post("/v1/calls", &unasked).await;
    let told = (status, &problem["code"], problem["next_permitted_at"].is_string());
    assert_eq!(told, (StatusCode::TOO_MANY_REQUESTS, &json!("too_many_proactive"), true));

    let to = Role::NoAnswer.number();
    for (asked, allowed) in [
        (json!({}), false),
        (json!({ "to": to, "proactive": true }), false),
        (json!({ "to": to }), true),
        (json!({ "to": Role::Busy.number(), "proactive": true }), true),
    ] {
        let (_, told) = api(&stage).post("/v1/policy/check", &asked).await;
        assert_eq!(told["allowed"], allowed, "{asked}: {told}");
    }
    let soon = jiff::Timestamp::now() + std::time::Duration::from_secs(3);
    let later = json!({ "to": to, "task": "Say that it rains.", "at": soon });
    let (_, scheduled) = api(&stage).post("/v1/schedules", &later).await;
    let run = ran(&stage, scheduled["id"].as_str().unwrap()).await;
    assert_eq!((&run["verdict"], &run["call"]), (&json!("missed"), &Value::Null), "{run}");
    assert!(run["detail"].as_str().unwrap().contains("1 a day to one number"), "{run}");

    // Somebody says whom to ring: that is an order of this moment.
    let asked = json!({ "to": to, "task": "Say that it rains." });
    assert_eq!(api(&stage).post("/v1/calls", &asked).await.0, StatusCode::ACCEPTED);
    for call in stage.server.desk.exchange.calls() {
        stage.server.desk.exchange.tell(&call, Input::Order(Order::HangUp));
    }
    stage.close().await;
}
