//! Numbers that lead to no conversation.

use rstest::rstest;
use tandem::config::Dialect;
use tandem_actors::briefing::Outcome;

use crate::stage::{Stage, ending};

#[rstest]
#[case("+15550101", Outcome::Busy)]
#[case("+15550103", Outcome::Rejected)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_networks_answer_is_the_outcome(#[case] number: &str, #[case] outcome: Outcome) {
    let mut stage = Stage::open().await;
    stage.place(number, Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts).0, outcome);
    stage.close().await;
}
