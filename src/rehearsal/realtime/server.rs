//! The simulated server as its owner sees it: started, asked about its sessions, made to
//! misbehave, stopped. Knows that there are connections, not what is said on them.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::behaviour::{Behaviour, Fault, Script, Whom};
use super::connection;
use super::conversation::Entry;
use super::session::Session;
use super::wire::End;
use crate::rehearsal::phone::Probes;
use crate::rehearsal::speech::Account;

/// Ended sessions whose history is kept for inspection; the oldest are forgotten first.
const HISTORIES_MAX: usize = 1_024;

/// A simulated server of the Realtime protocol on a port of its own. Dropping it cuts everything.
#[derive(Debug)]
pub struct RealtimeServer {
    address: SocketAddr,
    hall: Arc<Hall>,
    acceptor: AbortHandle,
    tasks: TaskTracker,
}

/// What a session held, as the server sees it.
#[derive(Clone, Debug)]
pub struct SessionHistory {
    /// Its place in the order of opening, from 0.
    pub index: usize,
    /// Whether it is open still.
    pub open: bool,
    /// The session's instructions.
    pub instructions: String,
    /// The names of the tools on offer.
    pub tools: Vec<String>,
    /// The conversation; of the model's speech what is left after truncation.
    pub entries: Vec<Entry>,
}

impl RealtimeServer {
    /// Starts listening. With probes, frames of probed utterances are reported as they pass.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(
        behaviour: Behaviour,
        probes: Option<Arc<Probes>>,
    ) -> BoxFuture<'static, io::Result<Self>> {
        Box::pin(Self::started(behaviour, probes))
    }

    async fn started(behaviour: Behaviour, probes: Option<Arc<Probes>>) -> io::Result<Self> {
        let listener = TcpListener::bind(behaviour.bind).await?;
        let address = listener.local_addr()?;
        let script = Mutex::new(Script::new(behaviour.faults.clone()));
        let hall = Arc::new(Hall {
            behaviour,
            probes,
            script,
            opened: AtomicUsize::new(0),
            seats: Mutex::default(),
            heard: Mutex::default(),
        });
        let tasks = TaskTracker::new();
        let accepting = accept(listener, Arc::clone(&hall), tasks.clone());
        let acceptor = tasks.spawn(accepting).abort_handle();
        tasks.close();
        Ok(Self { address, hall, acceptor, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address to connect to, without the model: `ws://127.0.0.1:1234/v1/realtime`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}/v1/realtime", self.address)
    }

    /// The key that clients must show.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.hall.behaviour.key
    }

    /// How many sessions were opened so far.
    #[must_use]
    pub fn sessions_opened(&self) -> usize {
        self.hall.opened.load(Ordering::Relaxed)
    }

    /// How many sessions are open.
    #[must_use]
    pub fn live(&self) -> usize {
        self.hall.seats().iter().filter(|seat| seat.is_open()).count()
    }

    /// Every session that is open or remembered, in the order of opening.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionHistory> {
        self.hall.seats().iter().map(|seat| seat.history()).collect()
    }

    /// How the frames of what callers said arrived, in all sessions together.
    #[must_use]
    pub fn heard(&self) -> Account {
        let seats: Vec<Arc<Seat>> = self.hall.seats().iter().cloned().collect();
        let mut sum = *lock(&self.hall.heard);
        for open in seats.iter().filter_map(|seat| seat.with(|session| session.caller_account())) {
            sum += open;
        }
        sum
    }

    /// Lets something go wrong.
    pub fn misbehave(&self, whom: Whom, fault: Fault) {
        let now = Instant::now();
        let meets = |seat: &&Arc<Seat>| match whom {
            Whom::Live | Whom::Every => true,
            Whom::Next => false,
            Whom::Session(index) => seat.index == index,
        };
        let met: Vec<Arc<Seat>> = self.hall.seats().iter().filter(meets).cloned().collect();
        let stays = match whom {
            Whom::Live => false,
            Whom::Next | Whom::Every => true,
            Whom::Session(_) => met.is_empty(),
        };
        if stays {
            lock(&self.hall.script).add(whom, fault.clone());
        }
        if !fault.is_of_handshake() {
            for seat in met {
                seat.change(|session| session.meet(fault.clone(), now));
            }
        }
    }

    /// Forgets every fault that was to meet sessions to come.
    pub fn behave(&self) {
        lock(&self.hall.script).clear();
    }

    /// Drops every open connection without a close; returns how many.
    pub fn cut_all(&self) -> usize {
        let seats: Vec<Arc<Seat>> = self.hall.seats().iter().cloned().collect();
        seats.iter().filter(|seat| seat.cut_if(|_| true)).count()
    }

    /// Drops the connection of one session that is in the middle of a sentence; says whether
    /// there was one.
    pub fn cut_one_speaking(&self) -> bool {
        let seats: Vec<Arc<Seat>> = self.hall.seats().iter().cloned().collect();
        seats.iter().any(|seat| seat.cut_if(Session::is_speaking))
    }

    /// Stops listening and drops every connection; returns when all of them are gone.
    pub async fn stop(&self) {
        self.acceptor.abort();
        self.tasks.wait().await;
    }
}

impl Drop for RealtimeServer {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

/// The tasks of the connections are the acceptor's: when it is stopped they stop.
async fn accept(listener: TcpListener, hall: Arc<Hall>, tasks: TaskTracker) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let hall = Arc::clone(&hall);
                    connections.spawn(tasks.track_future(serve(stream, hall)));
                }
                Err(error) => tracing::warn!(%error, "a connection was not accepted"),
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended
                    && error.is_panic()
                {
                    tracing::error!("a simulated session panicked");
                }
            }
        }
    }
}

async fn serve(stream: TcpStream, hall: Arc<Hall>) {
    if let Err(error) = connection::serve(stream, &hall).await {
        tracing::debug!(%error, "a connection ended");
    }
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Hall {
    pub(super) behaviour: Behaviour,
    pub(super) probes: Option<Arc<Probes>>,
    script: Mutex<Script>,
    opened: AtomicUsize,
    seats: Mutex<Vec<Arc<Seat>>>,
    /// How the callers' frames arrived in sessions that have ended.
    heard: Mutex<Account>,
}

impl Hall {
    /// The faults of the next handshake.
    pub(super) fn handshake_faults(&self) -> Vec<Fault> {
        lock(&self.script).take(self.opened.load(Ordering::Relaxed), true)
    }

    /// Gives a session its place; `open` makes it from its index and faults.
    pub(super) fn seat(&self, open: impl FnOnce(usize, Vec<Fault>) -> Session) -> Arc<Seat> {
        let mut seats = self.seats();
        let index = self.opened.fetch_add(1, Ordering::Relaxed);
        let faults = lock(&self.script).take(index, false);
        let held = Held::Open(Box::new(open(index, faults)));
        let seat = Arc::new(Seat { index, held: Mutex::new(held), bell: Notify::new() });
        if seats.len() >= HISTORIES_MAX
            && let Some(oldest) = seats.iter().position(|seat| !seat.is_open())
        {
            seats.remove(oldest);
        }
        seats.push(Arc::clone(&seat));
        seat
    }

    /// Keeps what a session that has ended had heard.
    pub(super) fn keep(&self, heard: Account) {
        *lock(&self.heard) += heard;
    }

    fn seats(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        lock(&self.seats)
    }
}

/// One session's place. Its connection works on it, the server's owner looks in; the lock is held
/// for one message and never across an await.
pub(super) struct Seat {
    index: usize,
    held: Mutex<Held>,
    /// Rung when something else than the connection has changed the session.
    pub(super) bell: Notify,
}

enum Held {
    Open(Box<Session>),
    Ended(SessionHistory),
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Seat {
    /// Works on the session, as long as it is open.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Session) -> T) -> Option<T> {
        match &mut *lock(&self.held) {
            Held::Open(session) => Some(work(session)),
            Held::Ended(_) => None,
        }
    }

    /// The same for everybody but the connection, which is told.
    pub(super) fn change(&self, work: impl FnOnce(&mut Session)) {
        if self.with(work).is_some() {
            self.bell.notify_one();
        }
    }

    fn cut_if(&self, is_met: impl FnOnce(&Session) -> bool) -> bool {
        let cut = self.with(|session| {
            let met = session.out.end.is_none() && is_met(session);
            if met {
                session.out.end = Some(End::Drop);
            }
            met
        });
        self.bell.notify_one();
        cut.unwrap_or(false)
    }

    fn is_open(&self) -> bool {
        matches!(*lock(&self.held), Held::Open(_))
    }

    fn history(&self) -> SessionHistory {
        match &*lock(&self.held) {
            Held::Open(session) => SessionHistory {
                index: self.index,
                open: true,
                instructions: session.settings.instructions.clone(),
                tools: session.settings.tools.clone(),
                entries: session.entries(),
            },
            Held::Ended(history) => history.clone(),
        }
    }

    /// Keeps of the session only what can be asked for later; gives how its caller was heard.
    pub(super) fn end(&self) -> Account {
        let heard = self.with(|session| session.caller_account()).unwrap_or_default();
        let history = SessionHistory { open: false, ..self.history() };
        *lock(&self.held) = Held::Ended(history);
        heard
    }
}

/// A panic in one session is that session's end, not the server's.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
