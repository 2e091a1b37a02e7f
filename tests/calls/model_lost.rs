//! The model's connection is cut in the middle of a sentence.

use tandem::config::Dialect;
use tandem::rehearsal::compare::is_heard_as_said;
use tandem_actors::briefing::Outcome;
use tandem_actors::exchange::Injury;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{STORY, Stage, ending, said, squeezed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentence_that_is_cut_is_finished_by_the_next_session() {
    let mut stage = Stage::open().await;
    let call = stage.place("+15550100", Dialect::Acs24k).await;
    let mut facts = stage.until(|fact| matches!(fact, Fact::Replied { .. })).await;
    // The caller's words are known; the answer is in the middle of being made.
    if said(&facts, Speaker::Caller).is_empty() {
        facts.extend(stage.until(|fact| matches!(fact, Fact::Turn(_))).await);
    }
    let model = stage.stagehand().model.clone().expect("the simulated model");
    // In the middle of this answer, or of the next one.
    let cut = async {
        while !model.cut_one_speaking() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(STORY, cut).await.expect("the model speaks");
    facts.extend(stage.finalized().await);
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!(model.sessions_opened(), 2);
    let opening = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
    let agent = said(&facts, Speaker::Agent);
    assert!(squeezed(&agent).starts_with(&squeezed(&[opening.to_owned()])), "{agent:?}");
    let report = stage.report(&call).await;
    assert!(is_heard_as_said(&report.heard, &agent, 1), "{:?} {agent:?}", report.heard);
    let callers = said(&facts, Speaker::Caller);
    let mut once = callers.clone();
    once.dedup();
    assert_eq!(callers, once, "no turn is doubled");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_speaks_while_the_link_is_cut_is_understood() {
    let mut stage = Stage::open().await;
    let call = stage.ring("+15550110", Dialect::Twilio).await;
    // The greeting has been heard; the caller begins to speak a moment later.
    let mut facts = stage.until(|fact| matches!(fact, Fact::Turn(_))).await;
    let caller_spoke = tokio::time::Duration::from_millis(1_500);
    tokio::time::timeout(caller_spoke, std::future::pending::<()>()).await.unwrap_err();
    assert!(stage.server.desk.exchange.injure(&call, Injury::Model));
    facts.extend(stage.finalized().await);
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let callers = said(&facts, Speaker::Caller);
    assert_eq!(callers[0], "Please add a task to buy milk.", "{callers:?}");
    let lost = facts.iter().filter(|fact| matches!(fact, Fact::Lost { part: "model", .. }));
    assert_eq!(lost.count(), 1);
    stage.close().await;
}
