//! Whole calls over Azure Communication Services: REST, callbacks, Event Grid, tokens and media.

use rstest::rstest;
use tandem::rehearsal::azure::{
    Fate, Forgery, Mischief, RejectReason, Seen, Shows, State, Trouble,
};
use tandem::rehearsal::callee::Role;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::call::event::{Input, Order};
use tandem_actors::carrier::Number;
use tandem_actors::record::{Fact, Speaker};

use crate::acs_stage::AcsStage;
use crate::stage::{ending, guessed, said, squeezed};

/// A table is reserved, and every word of ours was heard.
async fn reserves(stage: &mut AcsStage, call: &CallId) -> Vec<Fact> {
    let facts = stage.stage.finalized_of(call).await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    let report = stage.report(call).await;
    let agent = said(&facts, Speaker::Agent);
    assert_eq!(squeezed(&report.heard), squeezed(&agent), "heard is said");
    let account = &report.account;
    assert_eq!((account.lost, account.doubled, account.reordered), (0, 0, 0));
    facts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_reserved_over_the_network() {
    let mut stage = AcsStage::open().await;
    let call = stage.place(Role::Restaurant.number()).await;
    let facts = reserves(&mut stage, &call).await;
    let callee = said(&facts, Speaker::Caller);
    assert_eq!(callee[0], "Luigi's, good evening.", "the model heard every word");
    let seen = stage.seen(&call, |_| true).await;
    assert!(seen.answers.iter().all(|status| *status == 200), "{:?}", seen.answers);
    stage.close().await;
}

#[rstest]
#[case(Role::Busy.number(), Outcome::Busy)]
#[case(Role::NoAnswer.number(), Outcome::NoAnswer)]
#[case(Role::Rejects.number(), Outcome::Rejected)]
#[case("+15550188", Outcome::InvalidNumber)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_networks_result_code_is_the_outcome(#[case] number: &str, #[case] outcome: Outcome) {
    let mut stage = AcsStage::open().await;
    stage.place(number).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, outcome);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ringing_phone_is_answered_and_keeps_its_tasks() {
    let mut stage = AcsStage::open().await;
    let caller = Number::new(Role::TaskCaller.number());
    let ringing = stage.azure.ring(std::slice::from_ref(&caller)).await;
    let fate = stage.azure.fate(&ringing[0]).await;
    assert!(matches!(fate, Fate::Answered(_)), "{fate:?}");
    let call = stage.stage.server.desk.exchange.calls().remove(0);
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&"You have one task: call the bank.".to_owned()), "{agent:?}");
    let report = stage.report(&call).await;
    assert_eq!(squeezed(&report.heard), squeezed(&agent), "heard is said");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_beyond_the_limit_hear_a_busy_line() {
    let stage = AcsStage::open_with(|config| config.limits.calls = 1).await;
    let caller = Number::new(Role::Silent.number());
    let ringing = stage.azure.ring(&[caller.clone(), caller.clone(), caller]).await;
    let mut fates = Vec::new();
    for one in &ringing {
        fates.push(stage.azure.fate(one).await);
    }
    let answered = fates.iter().filter(|fate| matches!(fate, Fate::Answered(_))).count();
    let busy = fates.iter().filter(|fate| **fate == Fate::Rejected(RejectReason::Busy)).count();
    assert_eq!((answered, busy), (1, 2), "{fates:?}");
    hang_up_all(&stage);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_come_twice_and_in_the_wrong_order_change_nothing() {
    let mut stage = AcsStage::open().await;
    let delay = std::time::Duration::from_millis(50);
    let mischief = Mischief { doubled: true, shuffled: true, delay, ..Mischief::default() };
    stage.azure.play_mischief(mischief);
    let call = stage.place(Role::Restaurant.number()).await;
    let facts = reserves(&mut stage, &call).await;
    let told = facts.iter().filter(|fact| matches!(fact, Fact::Lifecycle(_))).count();
    assert_eq!(told, 3, "dialing, answered and finalized, once each: {facts:#?}");
    let caller = Number::new(Role::TaskCaller.number());
    let ringing = stage.azure.ring(std::slice::from_ref(&caller)).await;
    stage.azure.fate(&ringing[0]).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    assert_eq!(stage.azure.calls().len(), 2, "one call for two notices of one phone");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_answer_is_lost_rings_nobody_twice() {
    let mut stage = AcsStage::open().await;
    stage.azure.make_trouble(Trouble::BreaksAfter);
    let call = stage.place(Role::Restaurant.number()).await;
    reserves(&mut stage, &call).await;
    assert_eq!(stage.azure.calls().len(), 1);
    stage.close().await;
}

#[rstest]
#[case(Trouble::BreaksBefore)]
#[case(Trouble::Throttles)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_not_taken_is_given_once_more(#[case] trouble: Trouble) {
    let mut stage = AcsStage::open().await;
    stage.azure.make_trouble(trouble);
    stage.place(Role::Busy.number()).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Busy);
    assert_eq!(stage.azure.calls().len(), 1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_and_the_call_goes_on() {
    let mut stage = AcsStage::open().await;
    let call = stage.place(Role::Restaurant.number()).await;
    let other = stage.place(Role::Silent.number()).await;
    let answered = |seen: &Seen| seen.state == State::Connected;
    let (seen, others) = (stage.seen(&call, answered).await, stage.seen(&other, answered).await);
    let azure = &stage.azure;
    for forgery in Forgery::ALL {
        let status = azure.slip(&seen, &seen.callback, Shows::Forged(forgery)).await;
        assert_eq!(status, 401, "{forgery:?}");
    }
    assert_eq!(azure.slip(&seen, &seen.callback, Shows::Nothing).await, 401);
    let guessed = guessed(&seen.callback);
    assert_eq!(azure.slip(&seen, &guessed, Shows::Token).await, 404, "a guessed nonce");
    let (_, nonce) = others.callback.rsplit_once('/').unwrap();
    let (address, _) = seen.callback.rsplit_once('/').unwrap();
    let stolen = format!("{address}/{nonce}");
    assert_eq!(azure.slip(&seen, &stolen, Shows::Token).await, 404, "another call's nonce");
    let media = seen.media.as_ref().unwrap().rsplit('/').next().unwrap();
    let swapped = format!("{address}/{}", media.split('?').next().unwrap());
    assert_eq!(azure.slip(&seen, &swapped, Shows::Token).await, 404, "the media's nonce");
    // A genuine event of one call, brought to the other's address by whoever knows it.
    azure.slip(&others, &seen.callback, Shows::Token).await;
    assert!(stage.stage.server.desk.exchange.calls().contains(&call), "the call goes on");
    stage.stage.server.desk.exchange.tell(&other, Input::Order(Order::HangUp));
    reserves(&mut stage, &call).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_keys_of_the_network_are_fetched_when_they_are_used() {
    let mut stage = AcsStage::open().await;
    let call = stage.place(Role::Restaurant.number()).await;
    stage.seen(&call, |seen| seen.state == State::Connected).await;
    stage.azure.rotate_keys();
    reserves(&mut stage, &call).await;
    let seen = stage.seen(&call, |seen| seen.answers.len() >= 4).await;
    assert!(seen.answers.iter().all(|status| *status == 200), "{:?}", seen.answers);
    assert!(stage.azure.keys_fetched() <= 3, "{} times", stage.azure.keys_fetched());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_change_a_moment_after_they_were_fetched_cost_no_word_of_the_network() {
    let mut stage = AcsStage::open().await;
    stage.azure.keys_are_fetched().await;
    stage.azure.rotate_keys();
    let call = stage.place(Role::Busy.number()).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Busy);
    let seen = stage.seen(&call, |seen| seen.answers.contains(&200)).await;
    assert!(!seen.answers.contains(&401), "{:?}", seen.answers);
    assert_eq!(stage.azure.keys_fetched(), 2);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_pressed_through_the_network_and_work_a_menu() {
    let mut stage = AcsStage::open().await;
    let call = stage.place(Role::Menu.number()).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"), "{facts:#?}");
    assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::Keyed)).count(), 1);
    let callee = said(&facts, Speaker::Caller);
    assert!(callee.contains(&"Luigi's, good evening.".to_owned()), "{callee:?}");
    let report = stage.report(&call).await;
    let opening = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
    assert_eq!(report.heard[0], opening, "neither words nor tones are played to a menu");
    assert_eq!(stage.seen(&call, |_| true).await.keys, "1");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_we_end_is_ended_for_the_human() {
    let mut stage = AcsStage::open().await;
    let call = stage.place(Role::Silent.number()).await;
    stage.seen(&call, |seen| seen.state == State::Connected).await;
    hang_up_all(&stage);
    stage.stage.finalized().await;
    stage.report(&call).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_we_end_while_it_rings_rings_no_more() {
    let mut stage = AcsStage::open().await;
    let call = stage.place(Role::NoAnswer.number()).await;
    stage.seen(&call, |_| true).await;
    stage.stage.until(|fact| matches!(fact, Fact::Lifecycle(_))).await;
    hang_up_all(&stage);
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Cancelled);
    let ended = |seen: &Seen| seen.state == State::Disconnected;
    assert!(stage.seen(&call, ended).await.report.is_none(), "nobody picked up");
    stage.close().await;
}

fn hang_up_all(stage: &AcsStage) {
    let exchange = &stage.stage.server.desk.exchange;
    for call in exchange.calls() {
        exchange.tell(&call, Input::Order(Order::HangUp));
    }
}
