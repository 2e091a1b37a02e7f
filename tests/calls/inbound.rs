//! Calls that ring at a number with a profile.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tandem::clips;
use tandem::rehearsal::callee::Role;
use tandem_actors::record::Fact;

use crate::lesson::caller::{Caller, GREETING, told};
use crate::stage::{Stage, ending};

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
        (json!({ "task": "x", "allow": ["15550110"] }), "allow"),
        (json!({ "task": "x", "passthrough": ["+15*50"] }), "passthrough"),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_rings_a_number_with_a_pin_enters_it_before_anything_is_said() {
    let mut stage = Stage::open().await;
    let profile = json!({ "task": "Be a task line.", "pin": "0417" });
    let (status, set) = put(&stage, &profile).await;
    assert_eq!((status, &set["pin"]), (StatusCode::OK, &json!(true)), "{set}");
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, clips::ENTER_PIN);
    caller.enters("0418#").await;
    assert_eq!(caller.hears().await, clips::WRONG_PIN);
    caller.says("Remind me to buy milk.").await;
    caller.enters("0417#").await;
    assert_eq!(caller.hears().await, GREETING);
    assert_eq!(caller.asks("What is on my list?").await, "Your list is empty.");
    let kinds = ["turn", "restricted", "tool_asked"];
    let story = told(&stage, &caller.call, &kinds, &["step", "name", "text"]).await;
    assert_eq!(story[..2], ["restricted asked", "restricted given"], "{story:?}");
    assert!(!story.iter().any(|line| line.contains("milk")), "nobody heard it: {story:?}");
    caller.hangs_up().await;
    stage.server.desk.exchange.emptied().await;

    stage.live = stage.server.desk.exchange.listen();
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, clips::ENTER_PIN);
    for expected in [clips::WRONG_PIN, clips::WRONG_PIN, clips::TURNED_AWAY] {
        caller.enters("0418#").await;
        assert_eq!(caller.hears().await, expected);
    }
    let call = caller.call.clone();
    assert_eq!(ending(&stage.finalized_of(&call).await).1, "wrong_pin");
    caller.hangs_up().await;
    let (status, problem) = put(&stage, &json!({ "task": "x", "pin": "12a4" })).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("pin")));
    stage.close().await;
}
