//! A human takes over: because the caller asks for one, or because the model is lost.

use tandem::clips::HAND_OVER;
use tandem::config::Dialect;
use tandem::rehearsal::realtime::{Fault, Whom};
use tandem_actors::briefing::Outcome;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, ending, said, steps};

pub(crate) const COLLEAGUE: &str = "+15550109";
pub(crate) const BUSY: &str = "+15550101";
pub(crate) const ASKER: &str = "+15550111";

/// What the agent says when nobody has taken over.
pub(crate) const NOBODY: &str = "I am sorry, nobody can take over. I will help you myself.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_a_human_gets_one() {
    let mut stage = Stage::open_with(COLLEAGUE).await;
    stage.ring(ASKER, Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_who_is_busy_leaves_the_caller_with_us() {
    let mut stage = Stage::open_with(BUSY).await;
    stage.ring(ASKER, Dialect::Twilio).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered, "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "failed"]);
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&NOBODY.to_owned()), "{agent:?}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_human_takes_over_when_the_model_is_lost() {
    let mut stage = Stage::open_with(COLLEAGUE).await;
    let call = stage.place("+15550100", Dialect::Acs24k).await;
    let mut facts = stage.until(|fact| matches!(fact, Fact::Replied { .. })).await;
    let model = stage.stagehand().model.clone().expect("the simulated model");
    model.misbehave(Whom::Every, Fault::QuotaFailure);
    facts.extend(stage.finalized().await);
    let expected = (Outcome::Answered, "handed_over_model_down");
    assert_eq!(ending(&facts), expected, "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    let report = stage.report(&call).await;
    assert_eq!(report.heard.last().map(String::as_str), Some(HAND_OVER), "{:?}", report.heard);
    stage.close().await;
}
