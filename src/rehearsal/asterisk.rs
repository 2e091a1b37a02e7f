//! A simulated Asterisk: its REST interface with the socket of events, phones that simulated
//! people answer, and media channels that dial us as `chan_websocket` does. As strict as the
//! original where it matters: a channel that is not bridged hears nothing, one that is not
//! removed stays.

mod channels;
mod events;
mod keys;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::Number;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::callee::Report;

/// Events that a slow listener may be behind.
const EVENTS: usize = 1_024;

/// Reports that nobody has asked for; what comes beyond is lost.
const REPORTS: usize = 64;

/// Somebody who asks waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name and password of its one user.
pub const USER: (&str, &str) = ("tandem", "ari-password");

/// The one connection in its `websocket_client.conf`.
pub const CONNECTION: &str = "tandem";

/// A running simulated Asterisk. Stops when it is dropped.
pub struct Asterisk {
    address: SocketAddr,
    pbx: Arc<Pbx>,
    reports: tokio::sync::Mutex<mpsc::Receiver<Report>>,
    stop: CancellationToken,
}

impl Asterisk {
    /// Starts one on a port of its own.
    ///
    /// # Errors
    /// When no port is to be had.
    pub fn start() -> BoxFuture<'static, std::io::Result<Self>> {
        Box::pin(Self::started())
    }

    async fn started() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (told, reports) = mpsc::channel(REPORTS);
        let pbx = Arc::new(Pbx {
            hall: Mutex::default(),
            events: broadcast::Sender::new(EVENTS),
            cut: Mutex::default(),
            is_mute: AtomicBool::new(false),
            is_slow: watch::Sender::new(false),
            changed: watch::Sender::new(0),
            reports: told,
            media: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let routes = routes::all(Arc::clone(&pbx));
        let serving = axum::serve(listener, routes);
        drop(tokio::spawn(stop.clone().run_until_cancelled_owned(serving.into_future())));
        Ok(Self { address, pbx, reports: tokio::sync::Mutex::new(reports), stop })
    }

    /// Its REST interface.
    #[must_use]
    pub fn ari_url(&self) -> String {
        format!("http://{}/ari", self.address)
    }

    /// Writes its `websocket_client.conf`: where media goes, user name and password included.
    pub fn bring_media_to(&self, url: String) {
        *self.pbx.media.lock().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// Somebody rings a number that the dialplan sends to our application.
    pub fn ring_in(&self, from: &str, to: &str) {
        self.pbx.ring_in(from, to);
    }

    /// Somebody rings a number that the dialplan connects with us by itself.
    pub fn dial_in(&self, from: &str, to: &str) {
        self.pbx.dial_in(from, to);
    }

    /// What the next person who has hung up has to say; nothing when nobody does in a minute.
    pub async fn report(&self) -> Option<Report> {
        let mut reports = self.reports.lock().await;
        tokio::time::timeout(PATIENCE, reports.recv()).await.ok().flatten()
    }

    /// Waits until something is so; whether it became so within a minute.
    pub async fn until(&self, so: impl Fn(&Asterisk) -> bool) -> bool {
        let mut changed = self.pbx.changed.subscribe();
        let became = async { while !so(self) && changed.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, became).await.is_ok()
    }

    /// Whether somebody listens to its events.
    #[must_use]
    pub fn is_listened_to(&self) -> bool {
        self.pbx.events.receiver_count() > 0
    }

    /// Whether there is neither a channel nor a bridge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let hall = self.pbx.hall();
        hall.channels.is_empty() && hall.bridges.is_empty()
    }

    /// The numbers in the largest bridge, and `media` for a media channel.
    #[must_use]
    pub fn bridged(&self) -> Vec<String> {
        let hall = self.pbx.hall();
        let largest = hall.bridges.values().max_by_key(|channels| channels.len());
        let name = |id: &String| hall.channels.get(id).map(|channel| channel.kind.name());
        largest.map(|channels| channels.iter().filter_map(name).collect()).unwrap_or_default()
    }

    /// How the phone of this number is doing: `Ringing`, `Up`; nothing when it has no channel.
    #[must_use]
    pub fn state(&self, number: &str) -> Option<&'static str> {
        let hall = self.pbx.hall();
        let of = |channel: &&Channel| channel.kind.name() == number;
        hall.channels.values().find(of).map(|channel| channel.state)
    }

    /// A fault: orders to ring are taken and lie there, unanswered, until this is over.
    pub fn be_slow(&self, is_slow: bool) {
        self.pbx.is_slow.send_replace(is_slow);
    }

    /// The keys that were sent to phones.
    #[must_use]
    pub fn keys(&self) -> String {
        self.pbx.hall().keys.clone()
    }

    /// A fault: every socket of events is cut; what happens meanwhile nobody is told.
    pub fn cut_events(&self) {
        self.pbx.cut().cancel();
        *self.pbx.cut() = CancellationToken::new();
        self.pbx.is_mute.store(false, Ordering::SeqCst);
    }

    /// A fault: the sockets of events are dead, and neither side knows until they are cut.
    pub fn lose_events(&self) {
        self.pbx.is_mute.store(true, Ordering::SeqCst);
    }

    /// Whoever has this number hangs up.
    pub fn hang_up(&self, number: &str) {
        let channel = {
            let hall = self.pbx.hall();
            let of = |(_, channel): &(&String, &Channel)| channel.kind.name() == number;
            hall.channels.iter().find(of).map(|(id, _)| id.clone())
        };
        if let Some(id) = channel {
            self.pbx.destroy(&id, BYE);
        }
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        self.stop.cancel();
        self.pbx.cut().cancel();
        for channel in self.pbx.hall().channels.values() {
            channel.hang_up.cancel();
        }
    }
}

/// The cause of a hang-up in order (Q.850).
const NORMAL: u32 = 16;

/// A SIP phone's BYE says no cause, and none is made up.
const BYE: u32 = 0;

/// The inside of it.
struct Pbx {
    hall: Mutex<Hall>,
    events: broadcast::Sender<String>,
    /// Ends every socket of events.
    cut: Mutex<CancellationToken>,
    /// Whether what happens reaches no socket of events.
    is_mute: AtomicBool,
    /// Whether orders to ring wait.
    is_slow: watch::Sender<bool>,
    changed: watch::Sender<u64>,
    reports: mpsc::Sender<Report>,
    media: Mutex<String>,
}

#[derive(Default)]
struct Hall {
    channels: BTreeMap<String, Channel>,
    bridges: BTreeMap<String, BTreeSet<String>>,
    keys: String,
}

struct Channel {
    kind: Kind,
    state: &'static str,
    /// Whether it is in our application.
    is_ours: bool,
    hang_up: CancellationToken,
    /// To whoever is on this phone: keys that are to sound there.
    keypad: Option<mpsc::Sender<char>>,
}

enum Kind {
    /// Somebody's phone; the number they rang if it was they who rang.
    Phone { person: Number, rang: String },
    /// A channel of `chan_websocket` with its codec and variables.
    Media { format: String, variables: Vec<(String, String)>, is_connected: bool },
}

impl Kind {
    fn name(&self) -> String {
        match self {
            Self::Phone { person, .. } => person.as_str().to_owned(),
            Self::Media { .. } => "media".to_owned(),
        }
    }

    /// Whether it was they who rang, into the dialplan.
    fn rang(&self) -> bool {
        match self {
            Self::Phone { rang, .. } => !rang.is_empty(),
            Self::Media { .. } => false,
        }
    }
}

impl Channel {
    fn shown(&self, id: &str) -> Value {
        let (number, exten) = match &self.kind {
            Kind::Phone { person, rang } => (person.as_str(), rang.as_str()),
            Kind::Media { .. } => ("", ""),
        };
        json!({
            "id": id,
            "state": self.state,
            "caller": { "name": "", "number": number },
            "dialplan": { "context": "tandem", "exten": exten, "priority": 1 },
        })
    }
}

/// How the network's answer is written (Q.850).
const fn cause(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Busy => 17,
        Outcome::NoAnswer => 19,
        Outcome::Rejected => 21,
        Outcome::InvalidNumber => 1,
        Outcome::Unreachable => 27,
        Outcome::NetworkError | Outcome::SystemError | Outcome::Failed => 38,
        Outcome::Answered | Outcome::Cancelled => NORMAL,
    }
}

impl Pbx {
    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) -> MutexGuard<'_, CancellationToken> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changed.send_modify(|changes| *changes += 1);
    }
}
