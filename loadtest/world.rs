//! What all lines of a run share: the bridge they ring, the model behind it, the clocks, and
//! where they write what they found.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tandem::rehearsal::phone::Probes;
use tandem::rehearsal::realtime::{self, Behaviour, RealtimeServer};
use tandem::rehearsal::speech::Speech;

use crate::cli::{Args, Carrier, Mode, Pace};
use crate::faults::Kind;
use crate::progress::Board;
use crate::report::Trouble;
use crate::server::{ModelAt, Recording, Server, Wanted};
use crate::tally::Tally;
use crate::target::Target;

/// The server's own patience with silence in runs whose calls talk.
const SILENCE: Duration = Duration::from_secs(30);
/// And in those whose calls are only there.
const SILENCE_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// What all lines share.
pub(crate) struct World {
    /// The bridge. Before the model, so that it goes first.
    pub(crate) target: Target,
    /// The model behind it.
    pub(crate) model: RealtimeServer,
    /// The latency of each line.
    pub(crate) probes: Arc<Probes>,
    /// What is shown meanwhile.
    pub(crate) board: Arc<Board>,
    /// What the phones speak.
    pub(crate) carrier: Carrier,
    /// Of all that is random.
    pub(crate) seed: u64,
    lives: Mutex<BTreeMap<usize, Arc<Live>>>,
    tally: Mutex<Tally>,
    zero: Mutex<Instant>,
}

impl World {
    /// Starts the model, and the bridge when it is ours.
    pub(crate) async fn open(args: &Args, board: Arc<Board>) -> anyhow::Result<Self> {
        let probes = Arc::new(Probes::new());
        let mode = args.mode();
        let port = match &mode {
            Mode::Bridge { model_port, .. } => *model_port,
            Mode::Talk | Mode::Floor { .. } | Mode::Churn { .. } | Mode::Idle => 0,
        };
        let behaviour = Behaviour {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            speech: Speech::SyntheticOnly,
            pace: match args.pace {
                Pace::RealTime => realtime::Pace::RealTime,
                Pace::Burst => Behaviour::default().pace,
            },
            ..Behaviour::default()
        };
        let model = RealtimeServer::start(behaviour, Some(probes.clone()))
            .await
            .with_context(|| format!("no model on port {port}"))?;
        let target = match mode {
            Mode::Bridge { url, pid, .. } => Target::other(url, pid),
            Mode::Talk | Mode::Floor { .. } | Mode::Churn { .. } | Mode::Idle => {
                let at = ModelAt { url: model.url(), key: model.key().to_owned() };
                let wanted = Wanted {
                    calls: args.calls(),
                    recording: if args.record { Recording::On } else { Recording::Off },
                    silence: if args.idle { SILENCE_IDLE } else { SILENCE },
                };
                Target::Own(Server::start(&at, &wanted).await?)
            }
        };
        Ok(Self {
            target,
            model,
            probes,
            board,
            carrier: args.carrier,
            seed: args.seed,
            lives: Mutex::default(),
            tally: Mutex::default(),
            zero: Mutex::new(Instant::now()),
        })
    }

    /// Sets the moment from which everything is counted.
    pub(crate) fn count_from(&self, zero: Instant) {
        *lock(&self.zero) = zero;
    }

    /// Seconds since that moment; negative before it.
    pub(crate) fn at_s(&self, at: Instant) -> f64 {
        let zero = *lock(&self.zero);
        if at >= zero { (at - zero).as_secs_f64() } else { -(zero - at).as_secs_f64() }
    }

    /// What was found so far.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    /// Notes what went wrong on a line.
    pub(crate) fn trouble(&self, line: usize, call: Option<&str>, what: String) {
        let at_s = self.at_s(Instant::now());
        self.tally().trouble(Trouble { at_s, line, call: call.map(str::to_owned), what });
    }

    /// A call is up and may be broken from now on.
    pub(crate) fn enter(&self, live: Arc<Live>) {
        lock(&self.lives).insert(live.line, live);
    }

    /// A call is about to be hung up.
    pub(crate) fn leave(&self, line: usize) {
        lock(&self.lives).remove(&line);
    }

    /// Every call that may be broken, in the order of the lines.
    pub(crate) fn lives(&self) -> Vec<Arc<Live>> {
        lock(&self.lives).values().cloned().collect()
    }
}

/// A call that is up, as whoever breaks it sees it.
#[derive(Debug)]
pub(crate) struct Live {
    /// The line of the load test.
    pub(crate) line: usize,
    /// The server's name of the call.
    pub(crate) call: String,
    /// How much of the answer was heard, in percent; 0 while nobody speaks.
    heard_percent: AtomicU8,
    /// Silence inside speech so far, in microseconds.
    hole_us: AtomicU64,
    wounds: Mutex<Vec<Wound>>,
}

/// A fault that met a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wound {
    /// Its place among the faults of the run.
    pub(crate) fault: usize,
    /// What was broken.
    pub(crate) kind: Kind,
    /// When.
    pub(crate) at: Instant,
    /// Whether the answer was being heard.
    pub(crate) in_speech: bool,
    /// Silence inside speech until then.
    pub(crate) hole: Duration,
}

impl Live {
    /// A call that came up on a line.
    pub(crate) fn new(line: usize, call: String) -> Self {
        Self {
            line,
            call,
            heard_percent: AtomicU8::new(0),
            hole_us: AtomicU64::new(0),
            wounds: Mutex::default(),
        }
    }

    /// Says how much of the answer was heard.
    pub(crate) fn hears(&self, percent: u8) {
        self.heard_percent.store(percent, Ordering::Relaxed);
    }

    /// How much of the answer was heard.
    pub(crate) fn heard_percent(&self) -> u8 {
        self.heard_percent.load(Ordering::Relaxed)
    }

    /// Says how much silence there was inside speech so far.
    pub(crate) fn holes(&self, total: Duration) {
        self.hole_us.store(total.as_micros() as u64, Ordering::Relaxed);
    }

    /// Takes a fault, just before it is ordered.
    pub(crate) fn wound(&self, fault: usize, kind: Kind) {
        let wound = Wound {
            fault,
            kind,
            at: Instant::now(),
            in_speech: (1..100).contains(&self.heard_percent()),
            hole: Duration::from_micros(self.hole_us.load(Ordering::Relaxed)),
        };
        lock(&self.wounds).push(wound);
    }

    /// Gives the faults since the last time.
    pub(crate) fn take_wounds(&self) -> Vec<Wound> {
        std::mem::take(&mut lock(&self.wounds))
    }
}

/// What a line that panicked had written stays true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
