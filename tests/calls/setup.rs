//! A server is set up over the API: what waits for its next start, a look at what works before it
//! does, what is missing and what remains to be done elsewhere; no secret is in any answer.

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::azure::Azure;
use tandem::rehearsal::realtime::{Behaviour, RealtimeServer};
use tandem_actors::carrier::Number;

use crate::api::{Api, OPERATOR, told};
use crate::stage::Stage;

/// What nobody may read in any answer.
const EVENTS: &str = "a-secret-that-nobody-guesses-0815";

fn rehearsal() -> Config {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config
}

fn by_nobody(stage: &Stage) -> Api<'_> {
    Api { stage, key: None }
}

async fn change(api: &Api<'_>, wanted: &Value) -> (StatusCode, Value) {
    told(api.to(Method::PATCH, "/v1/settings").json(wanted).send().await.unwrap()).await
}

async fn setting(api: &Api<'_>, key: &str) -> Value {
    let all = api.get("/v1/settings").await.1;
    let mut settings = all["settings"].as_array().unwrap().iter();
    settings.find(|one| one["key"] == key).unwrap_or_else(|| panic!("there is no {key}")).clone()
}

/// What a check has found of this: its state and the rest of it.
fn found<'a>(checked: &'a Value, what: &str) -> (&'a str, &'a Value) {
    let mut findings = checked["findings"].as_array().unwrap().iter();
    let one = findings.find(|one| one["what"] == what);
    let one = one.unwrap_or_else(|| panic!("{what} is not in {checked}"));
    (one["state"].as_str().unwrap(), one)
}

#[tokio::test]
async fn what_waits_for_a_start_holds_from_then_on_and_goes_before_the_file() {
    let stage = Stage::with(rehearsal()).await;
    let wanted =
        json!({ "carrier.number": "+15550777", "model.voice": "cedar", "persona.name": "Ada" });
    let (status, _) = change(&by_nobody(&stage), &wanted).await;
    assert_eq!(status, StatusCode::OK);
    let number = setting(&by_nobody(&stage), "carrier.number").await;
    assert_eq!(
        (&number["value"], &number["next_start"], &number["from"], &number["takes_effect"]),
        (&json!("+15550199"), &json!("+15550777"), &json!("default"), &json!("restart"))
    );
    assert_eq!(setting(&by_nobody(&stage), "persona.name").await["value"], "Ada", "at once");

    let mut file = rehearsal();
    file.model.voice = "alloy".to_owned();
    let stage = stage.restarted(file).await;
    let number = setting(&by_nobody(&stage), "carrier.number").await;
    assert_eq!((&number["value"], &number["from"]), (&json!("+15550777"), &json!("api")));
    assert_eq!(number["next_start"], Value::Null);
    assert_eq!(setting(&by_nobody(&stage), "model.voice").await["value"], "cedar");
    assert_eq!(setting(&by_nobody(&stage), "persona.name").await["value"], "Ada");

    // Taken back, it is the file's again, from the next start on.
    assert_eq!(change(&by_nobody(&stage), &json!({ "model.voice": null })).await.0, StatusCode::OK);
    let voice = setting(&by_nobody(&stage), "model.voice").await;
    assert_eq!((&voice["value"], &voice["next_start"]), (&json!("cedar"), &json!("alloy")));
    stage.close().await;
}

#[tokio::test]
async fn a_carrier_may_be_set_before_its_secrets_and_a_server_starts_without_them() {
    let stage = Stage::with(rehearsal()).await;
    let wanted = json!({
        "carrier.kind": "twilio", "carrier.number": "+14255550123",
        "http.public_url": "https://bridge.example.com", "twilio.account_sid": "AC00",
    });
    let (status, all) = change(&by_nobody(&stage), &wanted).await;
    assert_eq!(status, StatusCode::OK, "{all}");
    let token = json!({
        "variable": "TANDEM__TWILIO__AUTH_TOKEN", "about": "Twilio auth token, the primary one",
        "ours": false, "set": false,
    });
    assert_eq!(all["secrets"], json!([token]));
    let told = all["elsewhere"].to_string();
    assert!(told.contains("https://bridge.example.com/twilio/incoming"), "{told}");

    // Without the token the server is what its file says, and says what it waits for.
    let stage = stage.restarted(rehearsal()).await;
    let kind = setting(&by_nobody(&stage), "carrier.kind").await;
    assert_eq!((&kind["value"], &kind["next_start"]), (&json!("rehearsal"), &json!("twilio")));
    let (status, _) = change(&by_nobody(&stage), &json!({ "persona.name": "Ada" })).await;
    assert_eq!(status, StatusCode::OK, "what waits is in nobody's way");

    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let with_token = |door| {
        let mut config = rehearsal();
        config.twilio.auth_token = Some("token-1".to_owned().into());
        config.http.carriers = door;
        config
    };
    let taken = door.local_addr().unwrap();
    let stage = stage.restarted(with_token(taken)).await;
    assert!(stage.server.carriers.is_none(), "somebody else has the door: the file's carrier");
    let stage = stage.restarted(with_token(([127, 0, 0, 1], 0).into())).await;
    assert!(stage.server.carriers.is_some() && stage.server.desk.network.twilio.is_some());
    assert_eq!(setting(&by_nobody(&stage), "carrier.kind").await["from"], "api");
    stage.close().await;
}

#[tokio::test]
async fn azure_resources_are_checked_before_they_are_connected() {
    let azure = Azure::start(Number::new("+15550199")).await.unwrap();
    let model = RealtimeServer::start(Behaviour::default(), None).await.unwrap();
    let registered = azure.registered();
    let mut config = rehearsal();
    config.http.key = Some(SecretString::from(OPERATOR));
    config.acs.client_secret = Some(registered.secret.clone());
    config.acs.token_url = registered.token_url;
    config.acs.events_secret = Some(EVENTS.to_owned().into());
    config.model.key = Some(model.key().to_owned().into());
    let secrets = [registered.secret.expose_secret(), EVENTS, model.key(), OPERATOR];
    let stage = Stage::with(config).await;
    let api = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let resources = json!({
        "carrier.kind": "acs", "carrier.number": "+14255550123",
        "acs.endpoint": registered.endpoint,
        "acs.tenant_id": registered.tenant_id, "acs.client_id": registered.client_id,
        "http.public_url": "https://bridge.example.com",
        "model.url": model.url(), "model.name": "gpt-realtime", "model.auth": "bearer",
    });
    let only = ["secrets", "numbers", "model", "carrier"];
    let look = async |settings: &Value| {
        let asked = json!({ "settings": settings, "only": only });
        api.post("/v1/settings/check", &asked).await
    };
    let (status, checked) = look(&resources).await;
    assert_eq!((status, &checked["good"]), (StatusCode::OK, &json!(true)), "{checked}");
    assert_eq!(checked["findings"].as_array().unwrap().len(), only.len());
    assert_eq!(found(&checked, "carrier").1["detail"], "ACS takes the token");
    assert_eq!(found(&checked, "model").1["name"], "gpt-realtime");
    let told = checked["elsewhere"].to_string();
    let endpoint = "https://bridge.example.com/acs/incoming/$TANDEM__ACS__EVENTS_SECRET";
    assert!(told.contains(endpoint), "{told}");
    let kind = setting(&api, "carrier.kind").await;
    assert_eq!(kind["next_start"], Value::Null, "a look changes nothing");

    let mut wrong = resources.clone();
    wrong["acs.client_id"] = json!("nobody");
    wrong["model.auth"] = json!("api-key");
    let (_, wrong) = look(&wrong).await;
    assert_eq!(wrong["good"], false);
    let (state, carrier) = found(&wrong, "carrier");
    assert_eq!(state, "failed");
    assert!(carrier["action"].as_str().unwrap().contains("acs.client_id"), "{carrier}");
    let (status, all) = change(&api, &resources).await;
    assert_eq!(status, StatusCode::OK, "{all}");
    for answer in [&checked, &wrong, &all] {
        for secret in secrets {
            assert!(!answer.to_string().contains(secret), "a secret is in {answer}");
        }
    }
    stage.close().await;
}

#[tokio::test]
async fn no_secret_is_sent_where_its_owner_has_not_sent_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = rehearsal();
    config.model.key = Some("k-1".to_owned().into());
    let stage = Stage::with(config).await;
    let api = by_nobody(&stage);
    // The name of a house of one's own that leads here.
    let port = listener.local_addr().unwrap().port();
    let evil = json!({ "model.url": format!("ws://127.0.0.1.evil.example:{port}/") });
    let asked = json!({ "settings": evil, "only": ["model"] });
    let (status, problem) = api.post("/v1/settings/check", &asked).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("model.url")));
    assert_eq!(change(&api, &evil).await.0, StatusCode::BAD_REQUEST);
    stage.close().await;
}

#[tokio::test]
async fn only_whoever_runs_the_server_has_it_checked_and_one_at_a_time() {
    let mut config = rehearsal();
    config.http.key = Some(SecretString::from(OPERATOR));
    config.model.key = Some("k-1".to_owned().into());
    let stage = Stage::with(config).await;
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let made = operator.post("/v1/keys", &json!({ "account": "ann" })).await.1;
    let ann = Api { stage: &stage, key: made["key"].as_str().map(str::to_owned) };
    let all = json!({});
    for (api, status) in [
        (&ann, StatusCode::FORBIDDEN),
        (&Api { stage: &stage, key: None }, StatusCode::UNAUTHORIZED),
        (&operator, StatusCode::OK),
    ] {
        assert_eq!(api.post("/v1/settings/check", &all).await.0, status);
    }
    let (_, checked) = operator.post("/v1/settings/check", &all).await;
    assert_eq!(checked["good"], true, "{checked}");
    assert_eq!(found(&checked, "data_directory").0, "ok");
    assert_eq!(found(&checked, "model").0, "skipped", "it is simulated");
    let wrong = json!({ "only": ["everything"] });
    let (status, _) = operator.post("/v1/settings/check", &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);

    // A model that takes the connection and says nothing: the look waits for it.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", silent.local_addr().unwrap());
    let slow = json!({ "settings": { "model.url": url }, "only": ["model"] });
    let waiting = operator.to(Method::POST, "/v1/settings/check").json(&slow).send();
    let (first, second) = tokio::join!(waiting, async {
        let _line = silent.accept().await.unwrap();
        operator.post("/v1/settings/check", &all).await
    });
    assert_eq!(
        (second.0, &second.1["code"]),
        (StatusCode::TOO_MANY_REQUESTS, &json!("check_runs"))
    );
    let (_, slow) = told(first.unwrap()).await;
    assert_eq!(found(&slow, "model").0, "failed", "{slow}");
    stage.close().await;
}
