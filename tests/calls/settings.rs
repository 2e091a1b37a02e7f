//! Settings over the API: what each is, what can be changed, and that a change holds from then on.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::config::Voicemail;
use tandem::rehearsal::callee::Role;

use crate::api::{Api, OPERATOR, locked, told};
use crate::stage::Stage;

async fn change(api: &Api<'_>, wanted: &Value) -> (StatusCode, Value) {
    told(api.to(Method::PATCH, "/v1/settings").json(wanted).send().await.unwrap()).await
}

fn setting<'a>(all: &'a Value, key: &str) -> &'a Value {
    let mut all = all["settings"].as_array().unwrap().iter();
    all.find(|one| one["key"] == key).unwrap_or_else(|| panic!("there is no {key}"))
}

#[tokio::test]
async fn every_setting_is_told_and_of_a_secret_only_that_it_is_set() {
    let stage = locked().await;
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let (status, all) = operator.get("/v1/settings").await;
    assert_eq!(status, StatusCode::OK, "{all}");
    let total = json!({
        "key": "limits.total_s", "value": 600, "from": "default", "takes_effect": "next_call",
        "changeable": true, "variable": "TANDEM__LIMITS__TOTAL_S",
    });
    assert_eq!(*setting(&all, "limits.total_s"), total);
    let key = setting(&all, "http.key");
    assert_eq!((&key["set"], &key["value"]), (&json!(true), &Value::Null));
    assert_eq!(setting(&all, "model.key")["set"], false);
    assert_eq!(setting(&all, "limits.calls")["takes_effect"], "restart");
    assert!(!all.to_string().contains(OPERATOR));
    let made = operator.post("/v1/keys", &json!({ "account": "ann" })).await.1;
    let ann = Api { stage: &stage, key: made["key"].as_str().map(str::to_owned) };
    assert_eq!(ann.get("/v1/settings").await.0, StatusCode::FORBIDDEN);
    assert_eq!(change(&ann, &json!({})).await.0, StatusCode::FORBIDDEN);
    stage.close().await;
}

#[tokio::test]
async fn a_change_is_whole_or_not_at_all_and_holds_from_then_on() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    for (wrong, field) in [
        (json!({ "persona.openning": "Hi." }), "persona.openning"),
        (json!({ "persona.name": "Ada", "limits.calls": 7 }), "limits.calls"),
        (json!({ "http.listen": "0.0.0.0:80" }), "http.listen"),
        (json!({ "mcp": [{ "name": "x", "command": ["sh"] }] }), "mcp"),
        (json!({ "carrier.kind": "twilio" }), "http.public_url"),
        (json!({ "model.speed": 9 }), "model.speed"),
        (json!({ "call.target": "+15550100" }), "call.target"),
        (json!({ "http.key": "x" }), "http.key"),
        (json!({ "persona.name": "Ada", "policy.hours": "9 to 5" }), "policy.hours"),
        (json!({ "limits.silence_s": "soon" }), "limits.silence_s"),
    ] {
        let (status, problem) = change(&api, &wrong).await;
        assert_eq!(
            (status, &problem["field"]),
            (StatusCode::BAD_REQUEST, &json!(field)),
            "{wrong}"
        );
    }
    assert_eq!(change(&api, &json!(["persona.name"])).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let all = api.get("/v1/settings").await.1;
    assert_eq!(setting(&all, "persona.name")["value"], "", "nothing of what was refused");

    let may_ring = async || {
        let asked = json!({ "to": Role::Restaurant.number() });
        api.post("/v1/policy/check", &asked).await.1["code"].clone()
    };
    assert_eq!(may_ring().await, Value::Null);
    let wanted = json!({
        "policy.do_not_call": ["+1555"], "call.voicemail": "hang_up", "carrier.human": "+15550109",
    });
    let (status, all) = change(&api, &wanted).await;
    assert_eq!(status, StatusCode::OK, "{all}");
    assert_eq!(setting(&all, "call.voicemail")["from"], "api");
    assert_eq!(may_ring().await, "do_not_call");
    let reception = &stage.server.desk.reception;
    assert_eq!(reception.voicemail(), Voicemail::HangUp);
    assert_eq!(reception.human().unwrap().as_str(), "+15550109");
    assert!(reception.tools().iter().any(|tool| tool == "transfer_to_human"));

    let back = json!({ "policy.do_not_call": null, "carrier.human": null });
    let (_, all) = change(&api, &back).await;
    assert_eq!(setting(&all, "carrier.human")["from"], "default");
    assert_eq!((may_ring().await, reception.human()), (Value::Null, None));
    assert_eq!(reception.voicemail(), Voicemail::HangUp, "what was not named stays");
    stage.close().await;
}
