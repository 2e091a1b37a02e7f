//! An answering machine picks up.

use tandem::config::Dialect;
use tandem_actors::briefing::Outcome;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, ending, said};

async fn leave_message(dialect: Dialect) {
    let mut stage = Stage::open().await;
    let call = stage.place("+15550104", dialect).await;
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
