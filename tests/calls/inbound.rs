//! Calls that ring at a number with a profile.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tandem::rehearsal::callee::Role;
use tandem_actors::record::Fact;

use crate::stage::Stage;

const OURS: &str = "/v1/inbound/+15550199";

async fn put(stage: &Stage, body: &Value) -> (StatusCode, Value) {
    let request = Client::new().put(format!("{}{OURS}", stage.server.url()));
    let answer = request.json(body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn rings(stage: &Stage, from: &str) -> (StatusCode, Value) {
    let request = Client::new().post(format!("{}/rehearsal/incoming", stage.server.url()));
    let answer = request.json(&json!({ "from": from, "to": "+15550199" })).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_number_with_a_profile_is_answered_as_it_says_and_only_to_whom_it_says() {
    let mut stage = Stage::open().await;
    let caller = Role::TaskCaller.number();
    let profile = json!({
        "task": "Take orders for bread.", "greeting": "Ada's bakery.", "allow": ["+1555011*"],
        "account": "bakery",
    });
    let (status, set) = put(&stage, &profile).await;
    assert_eq!((status, &set["number"]), (StatusCode::OK, &json!("+15550199")), "{set}");
    let (status, problem) = rings(&stage, "+15559999").await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("caller_not_allowed")));
    assert_eq!(stage.server.desk.exchange.live(), 0, "nobody picks up");

    let (status, made) = rings(&stage, caller).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let path = format!("{}/v1/calls/{}", stage.server.url(), made["call_id"].as_str().unwrap());
    let call: Value = Client::new().get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!((&call["task"], &call["account"]), (&profile["task"], &json!("bakery")));
    assert_eq!(call["manner"]["greeting"], "Ada's bakery.");
    Client::new().post(format!("{path}/hangup")).send().await.unwrap();
    stage.until(|fact| matches!(fact, Fact::Finalized { .. })).await;

    for (wrong, field) in [
        (json!({ "task": " " }), "task"),
        (json!({ "task": "x", "tools": ["no_such"] }), "tools"),
        (json!({ "task": "x", "allow": [""] }), "allow"),
        (json!({ "task": "x", "account": "No Name" }), "account"),
    ] {
        let (status, problem) = put(&stage, &wrong).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)));
    }
    let gone = Client::new().delete(format!("{}{OURS}", stage.server.url())).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    stage.server.desk.exchange.emptied().await;
    stage.close().await;
}
