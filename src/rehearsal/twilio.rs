//! A simulated Twilio: its REST interface, its signed webhooks, its media sockets and the people
//! whom it rings. Written from Twilio's documents; shares no code with the adapter it rehearses,
//! or both could share a mistake.

mod call;
mod life;
mod post;
pub mod recording;
mod rest;
pub mod sign;
mod twiml;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use tandem_actors::carrier::Number;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use call::{CallRecord, Status};

use call::Call;

/// The account, and how it is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `AC…`.
    pub account: String,
    /// Opens the REST interface and signs the webhooks.
    pub auth_token: SecretString,
    /// An API key, `SK…`, with its secret: opens the REST interface too.
    pub api_key: Option<(String, SecretString)>,
    /// The account's number.
    pub number: String,
    /// The address under which the account's owner says that it is reached.
    pub public_url: String,
}

/// How webhooks about calls are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Each once, in order.
    #[default]
    Orderly,
    /// Each twice, and after each all that came before it once more, the latest first.
    Shuffled,
}

/// What is kept back of calls whose order was obeyed and answered with a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hush {
    /// Webhooks about them.
    Webhooks,
    /// Those, and they are missing in the list of calls.
    Everything,
}

/// The simulated Twilio. Stops when dropped.
#[derive(Debug)]
pub struct TwilioNetwork {
    network: Arc<Network>,
    address: SocketAddr,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Network {
    settings: Settings,
    client: reqwest::Client,
    /// Where the public address leads.
    tunnel: OnceLock<SocketAddr>,
    told: watch::Sender<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: BTreeMap<String, Call>,
    delivery: Delivery,
    mute: bool,
    hush: Option<Hush>,
    patient: bool,
    orders: u64,
    /// Who has opened the REST interface.
    users: BTreeSet<String>,
}

/// A call that was waited for did not come to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call did not come to that within {PATIENCE:?}")]
pub struct TooLong;

/// No call of a rehearsal takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

impl TwilioNetwork {
    /// Opens the REST interface on a port of its own.
    ///
    /// # Errors
    /// When no port or no client can be had.
    pub fn start(settings: Settings) -> BoxFuture<'static, anyhow::Result<Self>> {
        Box::pin(Self::started(settings))
    }

    async fn started(settings: Settings) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let network = Arc::new(Network {
            settings,
            client: post::client()?,
            tunnel: OnceLock::new(),
            told: watch::Sender::new(0),
            state: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let serving = axum::serve(listener, rest::routes(Arc::clone(&network)));
        let until = stop.clone();
        drop(tokio::spawn(async move {
            tokio::select! {
                _ended = serving => {}
                () = until.cancelled() => {}
            }
        }));
        Ok(Self { network, address, stop })
    }

    /// The REST interface.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the public address leads: what a tunnel or a proxy is told.
    pub fn lead_to(&self, address: SocketAddr) {
        // A tunnel has one end for its life.
        let _first = self.network.tunnel.set(address);
    }

    /// How webhooks about calls are delivered from now on.
    pub fn deliver(&self, delivery: Delivery) {
        self.network.state().delivery = delivery;
    }

    /// From now on orders are carried out and never answered.
    pub fn fall_mute(&self) {
        self.network.state().mute = true;
    }

    /// From now on orders to ring are obeyed and answered with 503, and less is told of the calls,
    /// until [`TwilioNetwork::speak_up`].
    pub fn lose_answers(&self, hush: Hush) {
        self.network.state().hush = Some(hush);
    }

    /// From now on whoever is to wait waits for an order, however long.
    pub fn be_patient(&self) {
        self.network.state().patient = true;
    }

    /// Everything is told again, what was kept back too.
    pub fn speak_up(&self) {
        self.network.state().hush = None;
        self.network.told.send_modify(|told| *told += 1);
    }

    /// Somebody rings the account's number. Returns the call's name.
    #[must_use]
    pub fn ring_in(&self, from: &str) -> String {
        let to = self.network.settings.number.clone();
        let (name, call, orders) = Call::new(Number::new(from), Number::new(to));
        self.network.state().calls.insert(name.clone(), call);
        drop(tokio::spawn(life::inbound(Arc::clone(&self.network), name.clone(), orders)));
        name
    }

    /// The names of all calls, in the order in which they were made.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.network.state().calls.keys().cloned().collect()
    }

    /// How often a call was ordered.
    #[must_use]
    pub fn orders(&self) -> u64 {
        self.network.state().orders
    }

    /// Who has opened the REST interface: the account, or its API key.
    #[must_use]
    pub fn users(&self) -> Vec<String> {
        self.network.state().users.iter().cloned().collect()
    }

    /// What became of a call until now.
    #[must_use]
    pub fn call(&self, name: &str) -> Option<CallRecord> {
        self.network.state().calls.get(name).map(|call| call.record.clone())
    }

    /// Where a call that was ordered has its callbacks and its media, as the order says.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Option<(String, String)> {
        self.network.state().calls.get(name).and_then(|call| call.addresses.clone())
    }

    /// Waits until a call has come to something.
    ///
    /// # Errors
    /// [`TooLong`].
    pub async fn until(
        &self,
        name: &str,
        wanted: impl Fn(&CallRecord) -> bool,
    ) -> Result<CallRecord, TooLong> {
        let mut told = self.network.told.subscribe();
        let come = async {
            loop {
                if let Some(record) = self.call(name).filter(&wanted) {
                    return record;
                }
                if told.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, come).await.map_err(|_elapsed| TooLong)
    }

    /// Waits until a call is over.
    ///
    /// # Errors
    /// [`TooLong`].
    pub async fn ended(&self, name: &str) -> Result<CallRecord, TooLong> {
        self.until(name, |record| record.status.is_final()).await
    }
}

impl Drop for TwilioNetwork {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when webhooks are not kept back.
    async fn may_speak(&self) {
        let mut told = self.told.subscribe();
        while self.state().hush.is_some() {
            if told.changed().await.is_err() {
                return;
            }
        }
    }

    /// Writes into a call's record and tells whoever waits.
    fn note(&self, name: &str, write: impl FnOnce(&mut CallRecord)) {
        if let Some(call) = self.state().calls.get_mut(name) {
            write(&mut call.record);
        }
        self.told.send_modify(|told| *told += 1);
    }
}

/// A name as Twilio makes them: two letters and 32 digits.
fn fresh_name(kind: &str) -> String {
    format!("{kind}{}", Uuid::now_v7().simple())
}

#[cfg(test)]
mod tests;
