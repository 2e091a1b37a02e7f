//! The Exchange: the root supervisor. Admits calls against a limit, finds them, restarts a Call
//! from its seed, watches for the hung, drains. A map and counters, nothing else.

mod root;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ractor::{Actor, ActorRef};
use tokio::sync::{Notify, broadcast, oneshot};

use crate::audio::Format;
use crate::briefing::{Briefing, CallId};
use crate::call::event::{Input, Order, Part, Viewer};
use crate::call::snapshot::Snapshot;
use crate::carrier::{self, CarrierCallId, Number};
use crate::dialling;
use crate::part::Fault;
use crate::pump;
use crate::record::Note;
use crate::seed::{Ports, Seed};
use crate::tape::Tape;
use root::{Msg, Root};

/// How often the watch looks at everybody's pulse.
const LOOK: Duration = Duration::from_millis(100);

/// MediaIn stays in one message this long: it is hung. With the watch's own interval a hung
/// phone side is replaced within half a second.
const HUNG_MEDIA: Duration = Duration::from_millis(350);

/// So long for the others, which are not in the way of the audio.
const HUNG: Duration = Duration::from_secs(2);

/// Facts a slow listener may be behind before it loses the oldest.
const LIVE: usize = 4_096;

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// As many calls live as the limit allows.
    #[error("{live} calls are live, the limit is {limit}")]
    Full {
        /// Live calls.
        live: usize,
        /// The limit.
        limit: usize,
    },
    /// The exchange is going away.
    #[error("draining: no new calls")]
    Draining,
}

/// Why a media socket was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAttached {
    /// No such live call.
    #[error("no such live call")]
    Unknown,
    /// It has a live media socket already.
    #[error("the call has a live media socket")]
    Taken,
}

/// What is inflicted on a call in a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injury {
    /// A fault in a part.
    Part(Part, Fault),
    /// A part that dies and whose successor dies in its start.
    FalseStart(Part),
    /// A fault in the Call actor itself.
    Call(Fault),
    /// A panic in the pump.
    Pump,
    /// The model's socket is cut from our side.
    Model,
}

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Calls admitted.
    pub started: AtomicU64,
    /// Calls whose actors are gone.
    pub ended: AtomicU64,
    /// Call actors restarted.
    pub restarted: AtomicU64,
    /// Parts killed because they hung.
    pub hung: AtomicU64,
}

/// The handle of an exchange; cheap to clone.
#[derive(Clone, Debug)]
pub struct Exchange(Arc<Board>);

#[derive(Debug)]
struct Board {
    limit: usize,
    ports: Ports,
    root: ActorRef<Msg>,
    live: Mutex<BTreeMap<CallId, Arc<Seed>>>,
    draining: AtomicBool,
    counters: Counters,
    ended: Notify,
}

impl Board {
    fn live(&self) -> MutexGuard<'_, BTreeMap<CallId, Arc<Seed>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a new exchange is given.
#[derive(Debug)]
pub struct Setup {
    /// Calls at once.
    pub limit: usize,
    /// What every call is offered.
    pub ports: Ports,
}

impl Exchange {
    /// A channel for [`Ports::live`].
    #[must_use]
    pub fn channel() -> broadcast::Sender<Note> {
        broadcast::Sender::new(LIVE)
    }

    /// Opens an exchange with no calls.
    ///
    /// # Panics
    /// When the root actor cannot be spawned, which only happens outside a runtime.
    pub async fn open(setup: Setup) -> Self {
        let (root, _) = Actor::spawn(None, Root, ()).await.expect("the root has no start to fail");
        let board = Arc::new(Board {
            limit: setup.limit,
            ports: setup.ports,
            root: root.clone(),
            live: Mutex::default(),
            draining: AtomicBool::new(false),
            counters: Counters::default(),
            ended: Notify::new(),
        });
        root.cast(Msg::Open(Arc::clone(&board))).expect("the root was spawned above");
        Self(board)
    }

    /// Admits a call: from here on it is known, supervised and will be finalized.
    ///
    /// # Errors
    /// [`Refusal`] at the limit or while draining.
    pub fn admit(
        &self,
        briefing: Briefing,
        addresses: carrier::Addresses,
        tape: Option<Box<dyn Tape>>,
    ) -> Result<(), Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        let call = briefing.call.clone();
        let seed = Arc::new(Seed::new(briefing, addresses, self.0.ports.clone(), tape));
        let mut live = self.0.live();
        if live.len() >= self.0.limit {
            return Err(Refusal::Full { live: live.len(), limit: self.0.limit });
        }
        live.insert(call, Arc::clone(&seed));
        drop(live);
        self.0.counters.started.fetch_add(1, Ordering::Relaxed);
        seed.tell(Input::Begin);
        self.0.root.cast(Msg::Start(seed)).expect("the root lives as long as its handle");
        Ok(())
    }

    /// Gives a live call its media socket.
    ///
    /// # Errors
    /// [`NotAttached`] when there is no such call, or it has a live socket.
    pub fn attach(&self, call: &CallId, line: carrier::Line) -> Result<(), NotAttached> {
        let seed = self.seed(call).ok_or(NotAttached::Unknown)?;
        if seed.phone.is_stocked() {
            return Err(NotAttached::Taken);
        }
        seed.phone.put(line);
        Ok(())
    }

    /// Tells a live call something. Returns whether there is such a call.
    pub fn tell(&self, call: &CallId, input: Input) -> bool {
        let seed = self.seed(call);
        let known = seed.is_some();
        match (seed, input) {
            (Some(seed), Input::Placed(name)) => dialling::placed(&seed, name),
            (Some(seed), input) => seed.tell(input),
            (None, Input::Placed(name)) => {
                // It ended before it had a name by which it could be hung up.
                let hung_up = self.0.ports.carrier.hang_up(name);
                drop(tokio::spawn(async move {
                    if let Err(error) = hung_up.await {
                        tracing::warn!(%error, "hang-up of a call that is over");
                    }
                }));
            }
            (None, _) => {}
        }
        known
    }

    /// What a live call's audio is.
    #[must_use]
    pub fn format(&self, call: &CallId) -> Option<Format> {
        Some(self.seed(call)?.briefing.format)
    }

    /// The other party of a live call.
    #[must_use]
    pub fn remote(&self, call: &CallId) -> Option<Number> {
        Some(self.seed(call)?.briefing.remote.clone())
    }

    /// Takes the phone's line out of a live call, whose own it is no more: whoever takes it says
    /// what has become of the call. None when it has no line at this moment.
    pub async fn take_line(&self, call: &CallId) -> Option<carrier::Line> {
        let seed = self.seed(call)?;
        // Where no pump works on it any more, it lies there.
        if let Some(line) = seed.phone.take_out() {
            return Some(line);
        }
        let (taker, line) = oneshot::channel();
        seed.pump.push(pump::Order::Give(pump::Taker(taker))).ok()?;
        tokio::time::timeout(HUNG, line).await.ok()?.ok()
    }

    /// Has one more told of a live call's audio, from here on until the call ends. Returns whether
    /// it will be; otherwise the tape is dropped.
    pub fn tape(&self, call: &CallId, tape: Box<dyn Tape>) -> bool {
        let seed = self.seed(call);
        seed.is_some_and(|seed| seed.pump.push(pump::Order::Tape(tape)).is_ok())
    }

    /// A live call as it is now; waits a moment when it is in the middle of a decision.
    pub async fn snapshot(&self, call: &CallId) -> Option<Snapshot> {
        let seed = self.seed(call)?;
        let (answer, asked) = oneshot::channel();
        // Whoever asked may have gone by then.
        let viewer = Viewer(Box::new(move |snapshot| drop(answer.send(snapshot))));
        seed.tell(Input::Order(Order::Show(viewer)));
        tokio::time::timeout(HUNG, asked).await.ok()?.ok()
    }

    /// Whether the call has a live media socket.
    #[must_use]
    pub fn has_media(&self, call: &CallId) -> bool {
        self.seed(call).is_some_and(|seed| seed.phone.is_stocked())
    }

    /// The carrier's name for a live call, once it is known.
    #[must_use]
    pub fn carrier_call(&self, call: &CallId) -> Option<CarrierCallId> {
        let seed = self.seed(call)?;
        seed.carrier_call.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many actors the live calls have.
    #[must_use]
    pub fn actors(&self) -> usize {
        let live: Vec<_> = self.0.live().values().cloned().collect();
        live.iter().map(|seed| seed.actors.load(Ordering::Relaxed)).sum()
    }

    /// The live calls.
    #[must_use]
    pub fn calls(&self) -> Vec<CallId> {
        self.0.live().keys().cloned().collect()
    }

    /// How many calls are live.
    #[must_use]
    pub fn live(&self) -> usize {
        self.0.live().len()
    }

    /// How many calls may be live.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Counters since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Every fact of every call, from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Note> {
        self.0.ports.live.subscribe()
    }

    /// Inflicts a fault on a live call. Returns whether there is such a call.
    pub fn injure(&self, call: &CallId, injury: Injury) -> bool {
        let Some(seed) = self.seed(call) else { return false };
        match injury {
            Injury::Pump => seed.losses.push(&seed.pump, pump::Order::Panic),
            Injury::Model => {
                let why = "cut by a rehearsal".to_owned();
                seed.losses.push(&seed.pump, pump::Order::Cut(why));
            }
            Injury::Part(..) | Injury::FalseStart(_) | Injury::Call(_) => {
                let injure = Msg::Injure(call.clone(), injury);
                self.0.root.cast(injure).expect("the root lives as long as its handle");
            }
        }
        true
    }

    /// Whether new calls are refused because the exchange is going away.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// Refuses new calls from here on.
    pub fn close_doors(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
        // Whoever waits for room waits in vain.
        self.0.ended.notify_waiters();
    }

    /// Resolves when there is room for a call, or none will be taken any more.
    pub async fn room(&self) {
        loop {
            let changed = self.0.ended.notified();
            if self.is_draining() || self.live() < self.limit() {
                return;
            }
            changed.await;
        }
    }

    /// Lets live calls finish for `time`, then has them say goodbye. Returns how many had to.
    pub async fn drain(&self, time: Duration) -> usize {
        self.close_doors();
        if tokio::time::timeout(time, self.emptied()).await.is_ok() {
            return 0;
        }
        let left = self.calls();
        for call in &left {
            self.tell(call, Input::Order(Order::Drain));
        }
        self.emptied().await;
        left.len()
    }

    /// Resolves when no call is live.
    pub async fn emptied(&self) {
        loop {
            let ended = self.0.ended.notified();
            if self.live() == 0 {
                return;
            }
            ended.await;
        }
    }

    fn seed(&self, call: &CallId) -> Option<Arc<Seed>> {
        self.0.live().get(call).cloned()
    }
}

#[cfg(test)]
mod tests;
