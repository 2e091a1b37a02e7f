//! A server whose phone network is a simulated Azure Communication Services, and whose model is
//! a simulated one: it reaches both as it would reach the real ones.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, LazyLock};

use tandem::config::{Config, Dialect, Kind};
use tandem::rehearsal::azure::{Azure, Seen, State};
use tandem::rehearsal::callee::Report;
use tandem::rehearsal::realtime::{Behaviour, RealtimeServer};
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::Number;

use crate::stage::Stage;

/// In the path of the Event Grid webhook.
const SECRET: &str = "a-secret-that-nobody-guesses-4711";

/// Ports that the system gives to nobody who asks for any: 32768 and above are for those.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

pub(crate) struct AcsStage {
    pub(crate) stage: Stage,
    pub(crate) azure: Azure,
    pub(crate) model: RealtimeServer,
    config: Config,
}

impl AcsStage {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::open_at(|config, _| change(config)).await
    }

    pub(crate) async fn open_at(change: impl FnOnce(&mut Config, &Azure)) -> Self {
        let azure = Azure::start(Number::new("+15550199")).await.unwrap();
        let model = RealtimeServer::start(Behaviour::default(), None).await.unwrap();
        let door = free_port();
        let mut config = Config::default();
        config.http.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.http.carriers = door;
        config.http.public_url = format!("http://{door}");
        config.carrier.kind = Kind::Acs;
        config.policy.hours = Some("always".to_owned());
        config.acs.connection_string = Some(azure.connection_string());
        config.acs.events_secret = Some(SECRET.to_owned().into());
        config.acs.issuer = azure.issuer().to_owned();
        config.acs.keys_url = azure.keys_url();
        config.acs.audience = azure.audience().to_owned();
        config.model.url = model.url();
        config.model.key = Some(model.key().to_owned().into());
        change(&mut config, &azure);
        let stage = Stage::with(config.clone()).await;
        let stage = Self { stage, azure, model, config };
        stage.subscribe().await;
        stage
    }

    async fn subscribe(&self) {
        let webhook = format!("{}/acs/incoming/{SECRET}", self.stage.door());
        self.azure.subscribe(&webhook).await.unwrap();
    }

    /// The next run of the server, to which the network tells its events.
    pub(crate) async fn restarted(self) -> Self {
        let stage = self.stage.restarted(self.config.clone()).await;
        let stage = Self { stage, ..self };
        stage.subscribe().await;
        stage
    }

    pub(crate) async fn place(&self, to: &str) -> CallId {
        self.stage.place(to, Dialect::Acs24k).await
    }

    /// The network's side of a call, once it has so far.
    pub(crate) async fn seen(&self, call: &CallId, so_far: impl Fn(&Seen) -> bool) -> Seen {
        self.azure.call(&call.0, so_far).await
    }

    /// What the human has to say of a call that is over, for the network too.
    pub(crate) async fn report(&self, call: &CallId) -> Arc<Report> {
        let over = |seen: &Seen| seen.state == State::Disconnected && seen.report.is_some();
        self.seen(call, over).await.report.unwrap()
    }

    pub(crate) async fn close(self) {
        self.stage.close().await;
        // One that is left alive in the network is waited for in vain.
        for call in self.azure.calls() {
            self.azure.call(&call.callback, |seen| seen.state == State::Disconnected).await;
        }
    }
}

/// A port that the carriers can be told before the server listens on it: never one that another
/// story has been given.
pub(crate) fn free_port() -> SocketAddr {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(rand::random()));
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed) % (PORTS.end - PORTS.start);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORTS.start + next));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
