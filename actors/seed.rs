//! What outlives every actor of a call: its vaults, its lanes, its ports.
//! Whoever is started anew finds here where its predecessor stood.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::briefing::{Briefing, CallId, Recording};
use crate::call::event::{Case, Input, Media, Part, Phone, ToLink};
use crate::call::machine::Machine;
use crate::carrier::{self, Carrier};
use crate::clock::{self, Instant};
use crate::desk::Desk;
use crate::lane::Lane;
use crate::leg::Vault;
use crate::listener::Listening;
use crate::model::{self, Model};
use crate::pump;
use crate::realtime_link;
use crate::record::{Note, Record};
use crate::tape::Tape;
use crate::tool::{Job, Tool, ToolCallId};

/// Inputs a Call may be behind. A call in full conversation makes about ten a second, so this is
/// half a minute of a Call that does not run; beyond it something is lost and counted.
const INPUTS: usize = 512;

/// Orders or events one part may be behind; a response brings a few dozen at most.
const ORDERS: usize = 256;

/// What every call of an exchange is given.
#[derive(Clone)]
pub struct Ports {
    /// Opens model sessions.
    pub model: Arc<dyn Model>,
    /// Controls phone calls.
    pub carrier: Arc<dyn Carrier>,
    /// The shelf, by name.
    pub tools: Arc<HashMap<String, Arc<dyn Tool>>>,
    /// Where calls are written down.
    pub record: Arc<dyn Record>,
    /// Where facts are told live; slow listeners lose the oldest.
    pub live: tokio::sync::broadcast::Sender<Note>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// What outlives every actor of one call.
#[derive(Debug)]
pub struct Seed {
    /// The call.
    pub call: CallId,
    /// What it is for.
    pub briefing: Briefing,
    /// Where the carrier finds us, for dialling.
    pub addresses: carrier::Addresses,
    /// What is offered to it.
    pub ports: Ports,
    /// The decisions, with everything known of the call.
    pub machine: Vault<Machine>,
    /// The phone's socket.
    pub phone: Vault<carrier::Line>,
    /// The model's socket.
    pub voice: Vault<model::Line>,
    /// What lies between the two.
    pub desk: Vault<Desk>,
    /// To the Call.
    pub inputs: Lane<Input>,
    /// To MediaIn: orders.
    pub media: Lane<Media>,
    /// To MediaIn: what the pump saw of the phone.
    pub heard: Lane<Phone>,
    /// To RealtimeLink: orders.
    pub link: Lane<ToLink>,
    /// To RealtimeLink: what the pump saw of the model.
    pub said: Lane<realtime_link::Seen>,
    /// To ToolRunner.
    pub jobs: Lane<Errand>,
    /// To Confirmation.
    pub cases: Lane<Case>,
    /// To the pump.
    pub pump: Lane<pump::Order>,
    /// Tool calls whose task is alive.
    pub running: Running,
    /// Who is busy since when.
    pub pulses: Pulses,
    /// What has been lost at a bound.
    pub losses: Losses,
    /// When the model session in use is to be replaced; its age goes on whoever watches it.
    pub renew_at: Mutex<Option<Instant>>,
    /// The carrier's name for the call, when it became known.
    pub carrier_call: Mutex<Option<carrier::CarrierCallId>>,
    /// How many actors it has at this moment.
    pub actors: AtomicUsize,
    /// Whether the call is over and nobody reads its lanes any more.
    pub over: AtomicBool,
    /// Parts whose next start shall fail: a fault for rehearsals.
    pub trapped: Mutex<HashSet<Part>>,
}

/// What ToolRunner is asked.
#[derive(Debug)]
pub enum Errand {
    /// Look up the exact effect.
    ReadBack(Job),
    /// Do it.
    Run(Job),
}

impl Seed {
    /// Everything a new call needs, with nothing in its vaults but its machine and its desk.
    #[must_use]
    pub fn new(
        briefing: Briefing,
        addresses: carrier::Addresses,
        ports: Ports,
        tape: Option<Box<dyn Tape>>,
    ) -> Self {
        let now = clock::now();
        let machine = Vault::default();
        machine.put(Machine::new(briefing.clone(), now).resumed());
        let desk = Vault::default();
        let mut empty = Desk::new(briefing.format, tape, now);
        empty.record(briefing.recording == Recording::FromTheStart);
        if briefing.door.is_some() {
            empty.listen(Listening::Privately);
        }
        desk.put(empty);
        Self {
            call: briefing.call.clone(),
            briefing,
            addresses,
            ports,
            machine,
            phone: Vault::default(),
            voice: Vault::default(),
            desk,
            inputs: Lane::new(INPUTS),
            media: Lane::new(ORDERS),
            heard: Lane::new(ORDERS),
            link: Lane::new(ORDERS),
            said: Lane::new(ORDERS),
            jobs: Lane::new(ORDERS),
            cases: Lane::new(ORDERS),
            pump: Lane::new(ORDERS),
            running: Running::default(),
            pulses: Pulses::new(now),
            losses: Losses::default(),
            renew_at: Mutex::new(None),
            carrier_call: Mutex::new(None),
            actors: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            trapped: Mutex::new(HashSet::new()),
        }
    }

    /// Tells the Call something. What does not fit any more is counted.
    pub fn tell(&self, input: Input) {
        if self.inputs.push(input).is_err() {
            self.losses.inputs.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether this part's next start shall fail; asked once.
    pub fn springs_trap(&self, part: Part) -> bool {
        self.trapped.lock().unwrap_or_else(PoisonError::into_inner).remove(&part)
    }

    /// Counts an actor until it is gone, however it goes.
    #[must_use]
    pub fn enlist(self: &Arc<Self>) -> Enlisted {
        self.actors.fetch_add(1, Ordering::Relaxed);
        Enlisted(Arc::clone(self))
    }

    /// Forgets every actor, so that a finished call is freed.
    pub fn detach(&self) {
        self.inputs.detach();
        self.media.detach();
        self.heard.detach();
        self.link.detach();
        self.said.detach();
        self.jobs.detach();
        self.cases.detach();
        self.pump.detach();
    }
}

/// An actor that counts as alive; part of its state, so that it goes with it.
#[derive(Debug)]
pub struct Enlisted(Arc<Seed>);

impl Drop for Enlisted {
    fn drop(&mut self) {
        self.0.actors.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What has been lost at a bound.
#[derive(Debug, Default)]
pub struct Losses {
    /// Inputs the Call never saw.
    pub inputs: AtomicU64,
    /// Orders or events a part never saw.
    pub orders: AtomicU64,
}

impl Losses {
    /// Pushes, or counts what did not fit.
    pub fn push<T>(&self, lane: &Lane<T>, thing: T) {
        if lane.push(thing).is_err() {
            self.orders.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The tool calls whose task is alive: handed over twice, they are begun once.
#[derive(Clone, Debug, Default)]
pub struct Running(Arc<Mutex<HashSet<ToolCallId>>>);

impl Running {
    /// Enters a tool call; nothing when its task is alive already. Leaves when dropped.
    #[must_use]
    pub fn enter(&self, id: &ToolCallId) -> Option<Entered> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        fresh.then(|| Entered { running: self.clone(), id: id.clone() })
    }
}

/// A tool call whose task is alive.
#[derive(Debug)]
pub struct Entered {
    running: Running,
    id: ToolCallId,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Who is in the middle of a message, since when. Read by the exchange's watch: an actor that
/// stays in one message is hung, and is killed.
#[derive(Debug)]
pub struct Pulses {
    origin: Instant,
    parts: [AtomicU64; 4],
    call: AtomicU64,
}

impl Pulses {
    fn new(origin: Instant) -> Self {
        Self { origin, parts: Default::default(), call: AtomicU64::new(0) }
    }

    /// Marks a part busy until the guard is dropped.
    #[must_use]
    pub fn beat(&self, part: Part) -> Busy<'_> {
        Busy::new(&self.parts[part as usize], self.origin)
    }

    /// Marks the Call busy until the guard is dropped.
    #[must_use]
    pub fn beat_call(&self) -> Busy<'_> {
        Busy::new(&self.call, self.origin)
    }

    /// How long a part has been in one message.
    #[must_use]
    pub fn busy(&self, part: Part) -> Duration {
        self.since(&self.parts[part as usize])
    }

    /// How long the Call has been in one message.
    #[must_use]
    pub fn call_busy(&self) -> Duration {
        self.since(&self.call)
    }

    fn since(&self, pulse: &AtomicU64) -> Duration {
        let now = elapsed_ms(self.origin);
        match pulse.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            busy => Duration::from_millis(now.saturating_sub(busy)),
        }
    }
}

/// A message is being worked on.
#[derive(Debug)]
pub struct Busy<'a>(&'a AtomicU64);

impl<'a> Busy<'a> {
    fn new(pulse: &'a AtomicU64, origin: Instant) -> Self {
        pulse.store(elapsed_ms(origin).max(1), Ordering::Relaxed);
        Self(pulse)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

fn elapsed_ms(origin: Instant) -> u64 {
    u64::try_from((clock::now() - origin).as_millis()).unwrap_or(u64::MAX)
}
