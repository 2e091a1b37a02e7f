//! Calls over a simulated Azure Communication Services: what it tells us, and who else tries to.

use std::net::SocketAddr;

use tandem::config::{Config, Dialect, Kind};
use tandem::rehearsal::azure::{Azure, Fate, Forgery, Mischief, RejectReason, Seen, Shows, State};
use tandem::store::Archive;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::carrier::Number;
use tandem_actors::record::{Fact, Speaker};

use crate::acs_stage::free_port;
use crate::stage::{Stage, ending, said};

const OURS: &str = "+15550199";
const LUIGI: &str = "+15550100";
const SILENT: &str = "+15550105";
const TASK_CALLER: &str = "+15550110";
pub(crate) const SECRET: &str = "of-the-events";

/// A server whose carrier is ACS, at an address that is known beforehand.
pub(crate) fn settings() -> Config {
    let free = free_port();
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.http.carriers = free;
    config.http.public_url = format!("http://{free}");
    config.carrier.kind = Kind::Acs;
    config.carrier.number = OURS.to_owned();
    config.policy.hours = Some("always".to_owned());
    config.acs.events_secret = Some(SECRET.to_owned().into());
    config
}

struct Bridge {
    stage: Stage,
    azure: Azure,
}

impl Bridge {
    async fn open() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let azure = Azure::start(Number::new(OURS)).await.unwrap();
        let mut config = settings();
        config.acs.connection_string = Some(azure.connection_string());
        config.acs.issuer = azure.issuer().to_owned();
        config.acs.keys_url = azure.keys_url();
        change(&mut config);
        Self { stage: Stage::with(config).await, azure }
    }

    fn webhook(&self, secret: &str) -> String {
        format!("{}/acs/incoming/{secret}", self.stage.door())
    }

    async fn place(&self, to: &str) -> (CallId, Seen) {
        let call = self.stage.place(to, Dialect::Acs24k).await;
        let seen = self.azure.call(&call.to_string(), |_| true).await;
        (call, seen)
    }

    async fn connected(&self, call: &CallId) -> Seen {
        self.azure.call(&call.to_string(), |seen| seen.state == State::Connected).await
    }

    fn counted(&self, what: &'static str) -> u64 {
        self.stage.server.desk.network.acs.as_ref().unwrap().counted(what)
    }

    fn refused(&self, why: &'static str) -> u64 {
        self.stage.server.desk.network.acs.as_ref().unwrap().counted_refused(why)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_rings_us_and_is_talked_to() {
    let mut bridge = Bridge::open().await;
    bridge.azure.subscribe(&bridge.webhook(SECRET)).await.unwrap();
    let incoming = bridge.azure.ring(&[Number::new(TASK_CALLER)]).await;
    let facts = bridge.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    assert!(!said(&facts, Speaker::Agent).is_empty() && !said(&facts, Speaker::Caller).is_empty());
    assert!(matches!(bridge.azure.fate(&incoming[0]).await, Fate::Answered(_)));
    let seen = bridge.azure.call("", |seen| seen.state == State::Disconnected).await;
    assert!(facts.iter().any(|fact| matches!(fact, Fact::CarrierNamed(name) if name.0 == seen.id)));
    assert!(seen.answers.iter().all(|status| *status == 200), "{:?}", seen.answers);
    let learned = bridge.stage.server.desk.store.setting("acs.audience").await.unwrap();
    assert_eq!(learned.unwrap().as_str(), bridge.azure.audience());
    assert_eq!(bridge.azure.keys_fetched(), 1);
    bridge.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doubled_shuffled_and_late_callbacks_make_one_call_of_it() {
    let mut bridge = Bridge::open().await;
    bridge.azure.play_mischief(Mischief { doubled: true, shuffled: true, ..Mischief::default() });
    let (call, _) = bridge.place(LUIGI).await;
    let facts = bridge.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let named = facts.iter().filter(|fact| matches!(fact, Fact::CarrierNamed(_))).count();
    assert_eq!(named, 1);
    // Each event comes twice at once and once more when the call is over.
    let all_told = |seen: &Seen| seen.state == State::Disconnected && seen.answers.len() >= 8;
    let seen = bridge.azure.call(&call.to_string(), all_told).await;
    assert!(seen.answers.iter().all(|status| *status == 200), "{:?}", seen.answers);
    assert!(bridge.counted("callback_again") >= bridge.counted("callback"));
    bridge.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_networks_answer_comes_as_a_callback() {
    let mut bridge = Bridge::open().await;
    bridge.place("+15550101").await;
    let facts = bridge.stage.finalized().await;
    let reason = "busy (code 486, subcode 560486, sip 486)";
    assert_eq!(ending(&facts), (Outcome::Busy, reason));
    bridge.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_ends_a_call_without_a_token_of_azures_for_us() {
    let mut bridge = Bridge::open().await;
    let (call, _) = bridge.place(SILENT).await;
    bridge.stage.until(|fact| matches!(fact, Fact::Replied { .. } | Fact::Turn(_))).await;
    let seen = bridge.connected(&call).await;
    for forgery in Forgery::ALL {
        let status = bridge.azure.slip(&seen, &seen.callback, Shows::Forged(forgery)).await;
        assert_eq!(status, 401, "{forgery:?}");
    }
    assert_eq!(bridge.azure.slip(&seen, &seen.callback, Shows::Nothing).await, 401);
    let wrong = seen.callback.replace("/events/", "/events/0");
    assert_eq!(bridge.azure.slip(&seen, &wrong, Shows::Token).await, 404);
    let media = seen.media.clone().unwrap();
    let media_nonce = media.rsplit('/').next().unwrap();
    let (path, _) = seen.callback.rsplit_once('/').unwrap();
    let swapped = format!("{path}/{media_nonce}");
    assert_eq!(bridge.azure.slip(&seen, &swapped, Shows::Token).await, 404);
    assert_eq!(bridge.refused("token_audience"), 1);
    assert_eq!(bridge.refused("nonce"), 2);
    assert!(bridge.stage.server.desk.exchange.calls().contains(&call), "the call lives");
    assert_eq!(bridge.azure.slip(&seen, &seen.callback, Shows::Token).await, 200);
    let facts = bridge.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    bridge.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_one_call_at_the_address_of_another_changes_neither() {
    let mut bridge = Bridge::open().await;
    let (one, _) = bridge.place(SILENT).await;
    let (other, _) = bridge.place(SILENT).await;
    let (of_one, of_other) = (bridge.connected(&one).await, bridge.connected(&other).await);
    assert_eq!(bridge.azure.slip(&of_one, &of_other.callback, Shows::Token).await, 200);
    assert_eq!(bridge.counted("callback_elsewhere"), 1);
    assert_eq!(bridge.stage.server.desk.exchange.live(), 2);
    for seen in [&of_one, &of_other] {
        assert_eq!(bridge.azure.slip(seen, &seen.callback, Shows::Token).await, 200);
        bridge.stage.finalized().await;
    }
    bridge.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_no_free_line_is_told_that_we_are_busy() {
    let mut bridge = Bridge::with(|config| config.limits.calls = 1).await;
    bridge.azure.subscribe(&bridge.webhook(SECRET)).await.unwrap();
    let two = [Number::new(SILENT), Number::new(TASK_CALLER)];
    let incoming = bridge.azure.ring(&two).await;
    let mut fates = Vec::new();
    for one in &incoming {
        fates.push(bridge.azure.fate(one).await);
    }
    assert!(matches!(fates[0], Fate::Answered(_)), "{fates:?}");
    assert_eq!(fates[1], Fate::Rejected(RejectReason::Busy));
    let seen = bridge.azure.call("", |seen| seen.state == State::Connected).await;
    assert_eq!(bridge.azure.slip(&seen, &seen.callback, Shows::Token).await, 200);
    bridge.stage.finalized().await;
    bridge.stage.server.desk.exchange.close_doors();
    let late = bridge.azure.ring(&[Number::new(TASK_CALLER)]).await;
    assert_eq!(bridge.azure.fate(&late[0]).await, Fate::Rejected(RejectReason::Busy));
    assert_eq!(bridge.counted("ringing_refused"), 2);
    bridge.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_have_event_grid_confirmed() {
    let bridge = Bridge::open().await;
    for secret in ["", "x", "of-the-event", "of-the-events2", &"x".repeat(300)] {
        let refused = bridge.azure.subscribe(&bridge.webhook(secret)).await.unwrap_err();
        assert_eq!(refused.to_string(), "the webhook answered with status 404", "{secret}");
    }
    bridge.azure.subscribe(&bridge.webhook(SECRET)).await.unwrap();
    assert_eq!(bridge.counted("subscription"), 1);
    bridge.stage.close().await;
}
