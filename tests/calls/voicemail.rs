//! An answering machine picks up.

use std::net::SocketAddr;

use serde_json::json;
use tandem::config::{Config, Dialect, Voicemail};
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, ending, said, verdicts};

const MACHINE: &str = "+15550104";

async fn leave_message(dialect: Dialect) {
    let mut stage = Stage::open().await;
    let call = stage.place(MACHINE, dialect).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "voicemail_left"), "{facts:#?}");
    let told = |fact: &&Fact| matches!(fact, Fact::Answerer { who: "voicemail", .. });
    assert_eq!(facts.iter().filter(told).count(), 1, "{facts:#?}");
    let agent = said(&facts, Speaker::Agent);
    let report = stage.report(&call).await;
    assert_eq!(report.heard.len(), 1, "not a word into the greeting: {:?}", report.heard);
    assert!(report.heard[0].contains("a table for four at seven"), "{:?}", report.heard);
    assert!(report.heard[0].ends_with("Goodbye."), "to the end: {:?}", report.heard);
    assert_eq!(report.heard, agent, "the record has the message");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_is_left_after_the_tone_over_acs() {
    leave_message(Dialect::Acs24k).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_message_is_left_after_the_tone_over_twilio() {
    leave_message(Dialect::Twilio).await;
}

/// A server whose setting is this.
async fn stage_that_would(voicemail: Voicemail) -> Stage {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.call.voicemail = voicemail;
    Stage::with(config).await
}

/// Places a call through the API, with this said of voicemails.
async fn order(stage: &Stage, voicemail: &str) -> CallId {
    let task = "Reserve a table for four at seven tonight, for Sam.";
    let body = json!({ "to": MACHINE, "task": task, "voicemail": voicemail });
    let url = format!("{}/v1/calls", stage.server.url());
    let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    let made: serde_json::Value = answer.json().await.unwrap();
    CallId::new(made["id"].as_str().unwrap_or_else(|| panic!("{made}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_to_leave_a_message_outranks_the_setting() {
    let mut stage = stage_that_would(Voicemail::HangUp).await;
    let call = order(&stage, "leave_message").await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "voicemail_left"), "{facts:#?}");
    let heard = stage.report(&call).await.heard;
    assert!(heard.concat().contains("a table for four at seven"), "{heard:?}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_to_hang_up_leaves_nothing_on_the_machine() {
    let mut stage = Stage::open().await;
    let call = order(&stage, "hang_up").await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "voicemail"), "{facts:#?}");
    assert_eq!(verdicts(&facts).iter().filter(|(who, _)| *who == "voicemail").count(), 1);
    let heard = stage.report(&call).await.heard;
    assert!(heard.is_empty(), "not a word: {heard:?}");
    assert!(said(&facts, Speaker::Agent).is_empty(), "{facts:#?}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_set_to_hang_up_does_so_unless_told_otherwise() {
    let mut stage = stage_that_would(Voicemail::HangUp).await;
    stage.place(MACHINE, Dialect::Acs24k).await;
    assert_eq!(ending(&stage.finalized().await), (Outcome::Answered, "voicemail"));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_to_wait_leaves_the_line_to_the_model_until_the_machine_hangs_up() {
    let mut stage = Stage::open().await;
    let call = order(&stage, "wait").await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "remote_hung_up"), "{facts:#?}");
    assert_eq!(verdicts(&facts)[0].0, "voicemail", "it is known what it is: {facts:#?}");
    let heard = stage.report(&call).await.heard;
    assert!(!heard.concat().contains("call back"), "nobody asked for a message: {heard:?}");
    stage.close().await;
}
