//! Two models: the first refuses, dies or runs out of money, and the call goes on at the second.

use std::net::SocketAddr;

use tandem::config::{Config, Dialect};
use tandem::rehearsal::compare::is_heard_as_said;
use tandem::rehearsal::realtime::{Behaviour, Fault, RealtimeServer, Whom};
use tandem_actors::briefing::Outcome;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, ending, said, squeezed};

/// Two simulated models and a server that knows both.
struct Two {
    first: RealtimeServer,
    second: RealtimeServer,
    stage: Stage,
}

impl Two {
    async fn open(first: Vec<(Whom, Fault)>, second: Vec<(Whom, Fault)>) -> Self {
        Self::open_with("sk-1", first, second).await
    }

    /// `key` is what the first is shown; it wants another one unless it is `sk-1`.
    async fn open_with(key: &str, first: Vec<(Whom, Fault)>, second: Vec<(Whom, Fault)>) -> Self {
        let start = async |faults, key: &str| {
            let behaviour = Behaviour { faults, key: key.to_owned(), ..Behaviour::default() };
            RealtimeServer::start(behaviour, None).await.unwrap()
        };
        let (first, second) = (start(first, "sk-1").await, start(second, "sk-2").await);
        let mut config = Config::default();
        config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let model = &mut config.model;
        (model.url, model.key) = (first.url(), Some(key.into()));
        (model.second.url, model.second.key) = (second.url(), Some("sk-2".into()));
        let stage = Stage::with(config).await;
        Self { first, second, stage }
    }

    fn opened(&self) -> (usize, usize) {
        (self.first.sessions_opened(), self.second.sessions_opened())
    }

    /// Until the answer to the restaurant's greeting is being heard and its words are known.
    async fn until_answering(&mut self) -> Vec<Fact> {
        let mut facts = self.stage.until(|fact| matches!(fact, Fact::Replied { .. })).await;
        if said(&facts, Speaker::Caller).is_empty() {
            facts.extend(self.stage.until(|fact| matches!(fact, Fact::Turn(_))).await);
        }
        facts
    }
}

fn refusing(status: u16) -> Vec<(Whom, Fault)> {
    vec![(Whom::Every, Fault::RefuseHandshake { status, retry_after_s: None })]
}

/// What the agent says first, in however many pieces.
const OPENING: &str = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_model_that_refuses_for_good_is_passed_over() {
    let mut two = Two::open(refusing(401), Vec::new()).await;
    let call = two.stage.place("+15550100", Dialect::Acs24k).await;
    let facts = two.stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!(two.opened(), (0, 1));
    let agent = said(&facts, Speaker::Agent);
    assert_eq!(squeezed(&two.stage.report(&call).await.heard), squeezed(&agent));
    two.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_refused_after_the_handshake_is_passed_over_too() {
    let mut two = Two::open_with("sk-wrong", Vec::new(), Vec::new()).await;
    two.stage.place("+15550100", Dialect::Acs24k).await;
    let facts = two.stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!(two.opened(), (0, 1));
    two.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_dies_in_the_middle_and_stays_down_is_replaced_by_the_second() {
    let mut two = Two::open(Vec::new(), Vec::new()).await;
    let call = two.stage.place("+15550100", Dialect::Acs24k).await;
    let mut facts = two.until_answering().await;
    two.first.stop().await;
    facts.extend(two.stage.finalized().await);
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!(two.opened(), (1, 1));
    let agent = said(&facts, Speaker::Agent);
    assert!(squeezed(&agent).starts_with(&squeezed(&[OPENING.to_owned()])), "{agent:?}");
    let report = two.stage.report(&call).await;
    assert!(is_heard_as_said(&report.heard, &agent, 1), "{:?} {agent:?}", report.heard);
    let callers = said(&facts, Speaker::Caller);
    let mut once = callers.clone();
    once.dedup();
    assert_eq!(callers, once, "no turn is doubled");
    two.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_that_ends_in_the_middle_of_a_call_moves_it() {
    let mut two = Two::open(Vec::new(), Vec::new()).await;
    let call = two.stage.place("+15550100", Dialect::Twilio).await;
    let mut facts = two.until_answering().await;
    two.first.misbehave(Whom::Live, Fault::QuotaFailure);
    facts.extend(two.stage.finalized().await);
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!(two.opened(), (1, 1));
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&"Under the name Sam, please.".to_owned()), "{agent:?}");
    let report = two.stage.report(&call).await;
    assert!(is_heard_as_said(&report.heard, &agent, 1), "{:?} {agent:?}", report.heard);
    two.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_both_are_gone_the_caller_hears_an_apology() {
    let mut two = Two::open(Vec::new(), vec![(Whom::Every, Fault::QuotaFailure)]).await;
    let call = two.stage.place("+15550100", Dialect::Acs24k).await;
    let mut facts = two.until_answering().await;
    two.first.misbehave(Whom::Live, Fault::QuotaFailure);
    facts.extend(two.stage.finalized().await);
    assert_eq!(ending(&facts), (Outcome::SystemError, "model_lost"));
    let why = facts.iter().any(
        |fact| matches!(fact, Fact::Lost { part: "model", how } if how == "insufficient_quota"),
    );
    assert!(why, "{facts:?}");
    assert_eq!(two.opened(), (1, 1), "no retry loop");
    let heard = two.stage.report(&call).await.heard.concat();
    assert!(heard.contains("technical problem"), "{heard}");
    two.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_both_refuse_from_the_start_nobody_is_kept_on_the_line() {
    let mut two = Two::open(refusing(401), refusing(404)).await;
    two.stage.place("+15550100", Dialect::Acs24k).await;
    let facts = two.stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::SystemError, "model_lost"));
    let why = facts
        .iter()
        .any(|fact| matches!(fact, Fact::Lost { part: "model", how } if how.contains("status 40")));
    assert!(why, "{facts:?}");
    assert_eq!(two.opened(), (0, 0));
    two.stage.close().await;
}
