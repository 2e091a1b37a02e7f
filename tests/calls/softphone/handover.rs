//! A browser is the human to whom the other party of a call is handed over.

use reqwest::Method;
use serde_json::{Value, json};
use tandem::rehearsal::phone::Ending;
use tandem_actors::briefing::{CallId, Outcome};

use super::browser::{Browser, connect, dialled, refused};
use super::called;
use crate::api::Api;
use crate::handover::{ASKER, COLLEAGUE, NOBODY};
use crate::lesson::caller::{Caller, GREETING};
use crate::stage::{Stage, ending, steps};
use crate::twilio_network::network::Network;

const WISH: &str = "I would like to speak to a human, please.";
const CONNECTING: &str = "I am connecting you with a colleague. One moment, please.";
const HELLO: &str = "Hello, this is the colleague.";

/// Asks for a human and hears that one is rung.
async fn asks_for_a_human(caller: &mut Caller) {
    assert_eq!(caller.hears().await, GREETING);
    assert_eq!(caller.asks(WISH).await, CONNECTING);
}

/// Answers a ring for the caller of this call.
async fn answers(url: &str, ring: &Value, call: &CallId) -> Caller {
    assert_eq!((&ring["why"], &ring["call"]), (&json!("hand_over"), &json!(call.to_string())));
    assert!(!ring["introduction"].as_str().unwrap().is_empty(), "{ring}");
    Caller::on(call.clone(), dialled(url, ring["media"].as_str().unwrap())).await
}

/// The two hear each other.
async fn talk(colleague: &mut Caller, caller: &mut Caller) {
    colleague.says(HELLO).await;
    assert_eq!(caller.hears().await, HELLO);
    caller.says("When do you open?").await;
    assert_eq!(colleague.hears().await, "When do you open?");
}

async fn gauge(stage: &Stage, line: &str) -> bool {
    let request = Api { stage, key: None }.to(Method::GET, "/metrics");
    request.send().await.unwrap().text().await.unwrap().contains(line)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_handed_over_to_a_browser_and_the_two_hear_each_other() {
    let mut stage = Stage::open_with(COLLEAGUE).await;
    let mut browser = Browser::at(&stage.server.url(), COLLEAGUE).await;
    let mut caller = Caller::rings(&stage).await;
    asks_for_a_human(&mut caller).await;
    let ring = browser.told().await;
    assert_eq!(ring["from"], "+15550112");
    let forged = format!("/softphone/media/{}/forged", caller.call);
    assert_eq!(refused(connect(&browser.url, &forged, &[]).await), 404);
    let mut colleague = answers(&browser.url, &ring, &caller.call).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    let again = connect(&browser.url, ring["media"].as_str().unwrap(), &[]).await;
    assert_eq!(refused(again), 404, "it was answered");
    talk(&mut colleague, &mut caller).await;
    assert!(gauge(&stage, "tandem_softphone_bridges 1").await);
    colleague.hangs_up().await;
    assert_eq!(caller.until_left().await, Ending::Remote);
    let over = json!({ "type": "over", "call": ring["call"], "how": "answered" });
    assert_eq!(browser.told().await, over);
    stage.server.desk.softphones.emptied().await;
    assert!(gauge(&stage, "tandem_softphone_bridges 0").await);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_has_called_is_handed_over_to_another() {
    let mut stage = Stage::open_with(COLLEAGUE).await;
    let url = stage.server.url();
    let mut browser = Browser::at(&url, COLLEAGUE).await;
    let made = called(&stage, &json!({ "from": "+15550112" })).await.1;
    let call = CallId::new(made["call"].as_str().unwrap());
    let mut caller = Caller::on(call, dialled(&url, made["media"].as_str().unwrap())).await;
    asks_for_a_human(&mut caller).await;
    let ring = browser.told().await;
    let mut colleague = answers(&url, &ring, &caller.call).await;
    assert_eq!(ending(&stage.finalized().await), (Outcome::Answered, "transferred"));
    talk(&mut colleague, &mut caller).await;
    caller.hangs_up().await;
    assert_eq!(colleague.until_left().await, Ending::Remote);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_does_not_take_over_leaves_the_caller_with_the_agent() {
    let mut stage = Stage::open_with(COLLEAGUE).await;
    let mut browser = Browser::at(&stage.server.url(), COLLEAGUE).await;
    let mut caller = Caller::rings(&stage).await;
    asks_for_a_human(&mut caller).await;
    let ring = browser.told().await;
    browser.say(&json!({ "type": "busy", "call": ring["call"] })).await;
    assert_eq!(browser.told().await["how"], "busy");
    assert_eq!(caller.hears().await, NOBODY);
    let late = connect(&browser.url, ring["media"].as_str().unwrap(), &[]).await;
    assert_eq!(refused(late), 404);
    // The next one is rung for nothing: the caller goes.
    assert_eq!(caller.asks(WISH).await, CONNECTING);
    assert_eq!(browser.told().await["type"], "ring");
    caller.hangs_up().await;
    assert_eq!(browser.told().await["how"], "cancelled");
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "caller_hung_up"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "failed", "asked", "failed"]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_talk_are_parted_when_the_server_goes_at_once() {
    let mut stage = Stage::open_with(COLLEAGUE).await;
    let mut browser = Browser::at(&stage.server.url(), COLLEAGUE).await;
    let mut caller = Caller::rings(&stage).await;
    asks_for_a_human(&mut caller).await;
    let ring = browser.told().await;
    let mut colleague = answers(&browser.url, &ring, &caller.call).await;
    stage.finalized().await;
    talk(&mut colleague, &mut caller).await;
    stage.close().await;
    assert_eq!(
        (caller.until_left().await, colleague.until_left().await),
        (Ending::Remote, Ending::Remote)
    );
    assert!(browser.next().await.is_ok_and(|told| told["how"] == "answered"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_at_twilio_is_handed_over_to_a_browser() {
    let mut network = Network::with(|config| config.carrier.human = COLLEAGUE.to_owned()).await;
    network.twilio.be_patient();
    let mut browser = Browser::at(&network.server.url(), COLLEAGUE).await;
    let name = network.twilio.ring_in(ASKER);
    let ring = browser.told().await;
    let call = CallId::new(ring["call"].as_str().unwrap());
    let mut colleague = answers(&browser.url, &ring, &call).await;
    let facts = network.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    assert_eq!(colleague.asks(HELLO).await, "Goodbye.", "that is all they have to say");
    colleague.hangs_up().await;
    let record = network.twilio.ended(&name).await.unwrap();
    assert!(record.ended_by_order, "the caller's line ends with the browser's");
    assert_eq!((record.streams, record.with_human.as_deref()), (1, None));
    assert!(record.heard.contains(&HELLO.to_owned()), "{:?}", record.heard);
    assert!(record.whispered.is_empty(), "it was read, not heard");
    network.close().await;
}
