//! One model with its limits: an allowance that is used up, a session that grows old, a server
//! that cannot do everything.

use std::net::SocketAddr;
use std::time::Duration;

use tandem::config::{Config, Dialect};
use tandem::rehearsal::realtime::{Behaviour, Fault, RealtimeServer, Whom};
use tandem_actors::briefing::Outcome;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, ending, said, squeezed};

async fn stage_with(
    behaviour: Behaviour,
    set: impl FnOnce(&mut Config),
) -> (RealtimeServer, Stage) {
    let model = RealtimeServer::start(behaviour, None).await.unwrap();
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    (config.model.url, config.model.key) = (model.url(), Some(model.key().into()));
    set(&mut config);
    let stage = Stage::with(config).await;
    (model, stage)
}

fn lost(facts: &[Fact]) -> Vec<&Fact> {
    facts.iter().filter(|fact| matches!(fact, Fact::Lost { .. })).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowance_that_is_used_up_is_waited_for() {
    let (model, mut stage) = stage_with(Behaviour::default(), |_| {}).await;
    let call = stage.place("+15550100", Dialect::Acs24k).await;
    let mut facts = stage.until(|fact| matches!(fact, Fact::Replied { .. })).await;
    model.misbehave(Whom::Live, Fault::Exhausted(Duration::from_secs(8)));
    facts.extend(stage.finalized().await);
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!(model.sessions_opened(), 1, "the session goes on");
    let counts = stage.server.desk.model.counts();
    let announced = counts.exhausted.load(std::sync::atomic::Ordering::Relaxed);
    assert!(announced >= 1, "{counts:?}");
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&"Under the name Sam, please.".to_owned()), "{agent:?}");
    let heard = stage.report(&call).await.heard.concat();
    assert!(heard.contains("Under the name Sam, please."), "{heard}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_grows_old_is_handed_over_without_a_gap() {
    let old = Behaviour { session_age: Duration::from_secs(12), ..Behaviour::default() };
    let (model, mut stage) = stage_with(old, |config| config.limits.silence_s = 6).await;
    // Somebody who says nothing: there is a quiet moment within the last quarter of each life.
    let call = stage.place("+15550105", Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "silence"));
    assert!(model.sessions_opened() >= 2, "it was handed over");
    assert_eq!(lost(&facts), Vec::<&Fact>::new(), "a hand-over is no loss");
    let agent = said(&facts, Speaker::Agent);
    let report = stage.report(&call).await;
    assert_eq!(squeezed(&report.heard), squeezed(&agent));
    assert_eq!((report.frames.lost, report.frames.doubled, report.frames.reordered), (0, 0, 0));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_neither_writes_down_nor_truncates_holds_a_call_all_the_same() {
    let poor = Behaviour { transcribes: false, truncates: false, ..Behaviour::default() };
    let set = |config: &mut Config| {
        config.model.transcription = String::new();
        config.model.truncate = false;
    };
    let (model, mut stage) = stage_with(poor, set).await;
    let call = stage.place("+15550100", Dialect::Twilio).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    assert_eq!((model.sessions_opened(), lost(&facts).len()), (1, 0));
    assert_eq!(said(&facts, Speaker::Caller), Vec::<String>::new(), "nobody wrote it down");
    let agent = said(&facts, Speaker::Agent);
    assert_eq!(squeezed(&stage.report(&call).await.heard), squeezed(&agent));
    stage.close().await;
}
