//! A human takes over a call of the simulated Azure: what it tells of that, in whatever order.

use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use tandem::clips::HAND_OVER;
use tandem::rehearsal::azure::{Fate, Mischief, Seen, State};
use tandem::rehearsal::callee::Role;
use tandem::rehearsal::realtime::{Fault, Whom};
use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::Number;
use tandem_actors::record::{Fact, Speaker};

use crate::acs_stage::AcsStage;
use crate::stage::{ending, said};

fn steps(facts: &[Fact]) -> Vec<&str> {
    let step = |fact: &Fact| match fact {
        Fact::HandOver { step } => Some(*step),
        _ => None,
    };
    facts.iter().filter_map(step).collect()
}

async fn open_with(human: Role) -> AcsStage {
    AcsStage::open_with(|config| human.number().clone_into(&mut config.carrier.human)).await
}

/// Somebody rings who wants a human, to the end.
async fn asked(stage: &mut AcsStage) -> (Vec<Fact>, Seen) {
    let asker = Number::new(Role::Asker.number());
    let ringing = stage.azure.ring(std::slice::from_ref(&asker)).await;
    assert!(matches!(stage.azure.fate(&ringing[0]).await, Fate::Answered(_)));
    let facts = stage.stage.finalized().await;
    let over = |seen: &Seen| seen.state == State::Disconnected && seen.report.is_some();
    (facts, stage.azure.call("", over).await)
}

/// What the agent says when nobody has come.
const ALONE: &str = "I am sorry, nobody can take over. I will help you myself.";

/// How it tells a human who is calling.
const INTRODUCTION: &str = "This caller wants to speak to a human.";

fn introduces(heard: &[String]) -> bool {
    heard.iter().any(|words| words.contains(INTRODUCTION))
}

#[rstest]
#[case::in_order(Mischief::default())]
#[case::late(Mischief { delay: Duration::from_millis(700), ..Mischief::default() })]
#[case::all_twice(Mischief { doubled: true, shuffled: true, ..Mischief::default() })]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_a_human_is_introduced_to_one_whatever_is_told_first(
    #[case] mischief: Mischief,
) {
    let mut stage = open_with(Role::Colleague).await;
    stage.azure.play_mischief(mischief);
    let (facts, seen) = asked(&mut stage).await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "joined", "done"]);
    assert_eq!(seen.transferred, Some(Number::new(Role::Colleague.number())));
    assert_eq!(seen.terminated, 0, "a hang-up would end the call of those two");
    // All three have heard each other.
    let report: Arc<_> = seen.report.unwrap();
    assert!(introduces(&report.heard), "{:?}", report.heard);
    assert!(introduces(&seen.guest_heard), "{:?}", seen.guest_heard);
    let heard = said(&facts, Speaker::Caller);
    assert!(heard.iter().any(|words| words.contains("this is the colleague")), "{heard:?}");
    stage.close().await;
}

#[rstest]
#[case::busy(Role::Busy)]
#[case::not_at_home(Role::NoAnswer)]
#[case::declined(Role::Rejects)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_who_does_not_come_leaves_the_caller_with_us(#[case] human: Role) {
    let mut stage = open_with(human).await;
    let (facts, seen) = asked(&mut stage).await;
    assert_eq!(ending(&facts).0, Outcome::Answered, "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "failed"]);
    assert!(said(&facts, Speaker::Agent).contains(&ALONE.to_owned()), "{facts:#?}");
    assert_eq!((seen.transferred, seen.guests), (None, Vec::new()));
    let report: Arc<_> = seen.report.unwrap();
    assert!(report.heard.contains(&ALONE.to_owned()), "{:?}", report.heard);
    stage.close().await;
}

#[rstest]
#[case::in_order(Mischief::default())]
#[case::the_end_first(Mischief { hand_over_last: true, ..Mischief::default() })]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_human_takes_over_when_the_model_is_lost(#[case] mischief: Mischief) {
    let mut stage = open_with(Role::Colleague).await;
    stage.azure.play_mischief(mischief);
    let call = stage.place(Role::Restaurant.number()).await;
    let mut facts = stage.stage.until(|fact| matches!(fact, Fact::Replied { .. })).await;
    stage.model.misbehave(Whom::Every, Fault::QuotaFailure);
    facts.extend(stage.stage.finalized().await);
    let expected = (Outcome::Answered, "handed_over_model_down");
    assert_eq!(ending(&facts), expected, "{facts:#?}");
    assert_eq!(steps(&facts), ["asked", "done"]);
    let report = stage.report(&call).await;
    assert_eq!(report.heard.last().map(String::as_str), Some(HAND_OVER), "{:?}", report.heard);
    stage.close().await;
}
