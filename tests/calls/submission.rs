//! The carrier obeys an order to ring and its answer is lost: the call says so, nobody is rung
//! twice, and the carrier's word settles it.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tandem::rehearsal::azure::{Mischief, Trouble};
use tandem::rehearsal::callee::Role;
use tandem::rehearsal::twilio::Hush;
use tandem::store::Archive as _;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::Fact;

use crate::acs_stage::AcsStage;
use crate::api::told;
use crate::stage::ending;
use crate::twilio_network::network::Network;

fn order(to: Role) -> Value {
    json!({
        "to": to.number(),
        "task": "Reserve a table for four at seven tonight, for Sam.",
    })
}

async fn place(url: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    let request = Client::new().post(format!("{url}/v1/calls")).header("idempotency-key", key);
    told(request.json(body).send().await.unwrap()).await
}

async fn shown(url: &str, call: &str) -> Value {
    told(reqwest::get(format!("{url}/v1/calls/{call}")).await.unwrap()).await.1
}

/// As long as it is not known whether a call rings, nothing rings that number again.
async fn is_not_known_and_not_rung_again(url: &str, call: &str, to: Role) {
    let view = shown(url, call).await;
    assert_eq!((&view["lifecycle"], &view["submission"]), (&json!("dialing"), &json!("unknown")));
    assert_eq!(view["outcome"], Value::Null);
    let (status, again) = place(url, "k1", &order(to)).await;
    assert_eq!((status, &again["id"]), (StatusCode::ACCEPTED, &json!(call)));
    let mut other = order(to);
    other["again"] = true.into();
    let (status, problem) = place(url, "k2", &other).await;
    assert_eq!(
        (status, &problem["code"], &problem["retryable"]),
        (StatusCode::CONFLICT, &json!("submission_unknown"), &json!(true))
    );
    assert!(problem["detail"].as_str().unwrap().contains(call), "{problem}");
}

fn is_unknown(fact: &Fact) -> bool {
    matches!(fact, Fact::SubmissionUnknown)
}

fn is_named(fact: &Fact) -> bool {
    matches!(fact, Fact::CarrierNamed(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_twilio_loses_is_made_up_for_by_its_first_word() {
    let mut network = Network::open().await;
    network.twilio.lose_answers(Hush::Everything);
    let url = network.server.url();
    let (status, placed) = place(&url, "k1", &order(Role::Restaurant)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let call = placed["id"].as_str().unwrap();
    network.until_fact(is_unknown).await;
    network.server.desk.store.flush().await.unwrap();
    is_not_known_and_not_rung_again(&url, call, Role::Restaurant).await;
    network.twilio.speak_up();
    network.until_fact(is_named).await;
    let facts = network.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    network.server.desk.store.flush().await.unwrap();
    assert!(shown(&url, call).await.get("submission").is_none());
    assert_eq!(network.twilio.orders(), 1, "rung once");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_is_asked_for_a_call_that_it_may_have_made() {
    let mut network = Network::open().await;
    network.twilio.lose_answers(Hush::Webhooks);
    let call = network.place(Role::Restaurant.number()).await;
    let facts = network.until_fact(is_named).await;
    assert!(facts.iter().any(is_unknown), "{facts:?}");
    network.twilio.speak_up();
    let facts = network.finalized_call(&call).await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!(network.twilio.orders(), 1, "rung once");
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_azure_loses_is_made_up_for_by_its_first_word() {
    let mut stage = AcsStage::open().await;
    stage.azure.make_trouble(Trouble::LosesAnswers);
    stage.azure.play_mischief(Mischief { held: true, ..Mischief::default() });
    let url = stage.stage.server.url();
    let (status, placed) = place(&url, "k1", &order(Role::NoAnswer)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let call = placed["id"].as_str().unwrap();
    stage.stage.until(is_unknown).await;
    stage.stage.server.desk.store.flush().await.unwrap();
    is_not_known_and_not_rung_again(&url, call, Role::NoAnswer).await;
    stage.azure.play_mischief(Mischief::default());
    let facts = stage.stage.finalized_of(&CallId::new(call)).await;
    assert_eq!(ending(&facts).0, Outcome::NoAnswer);
    assert_eq!(stage.azure.calls().len(), 1, "rung once");
    stage.close().await;
}
