//! What ACS has told this server: the phones that rang, the story of each call, and how much of
//! it was not believed. Knows no HTTP but the headers that a token is in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::{CarrierCallId, Number};
use tandem_actors::clock::{self, Instant};
use tandem_actors::record::RecordError;
use tokio::sync::{Semaphore, watch};

use super::allowance::Allowance;
use super::callback::Event;
use super::callback::story::{Story, Taken};
use super::control::Control;
use super::event_grid::Incoming;
use super::event_grid::recorded::Recorded;
use super::guard::Guard;
use super::recording::Keeper;
use super::seen::Seen;
use crate::recording::Recordings;
use crate::store::Store;

/// Ringing phones that are remembered, two names each: many times what rings in the time.
const RUNG: usize = 16_384;

/// A phone that rang is remembered for longer than an event about it is believed.
const RUNG_FOR: Duration = Duration::from_mins(10);

/// A call brings some twenty events in its life and keys at most ten a second; what comes faster
/// was not made by a call.
const BURST: u32 = 100;

/// From one event of a call to the next, in the long run.
const PACE: Duration = Duration::from_millis(50);

/// A story of which nothing was heard for so long is forgotten. No call is that long and that
/// quiet, and one that is told anew ends the same way.
const QUIET: Duration = Duration::from_hours(1);

/// Calls that are being rejected at once. Beyond it a phone rings on until ACS gives up.
const REJECTING: usize = 64;

/// Labels of a counter: one word.
type Word = [(&'static str, &'static str); 1];

/// What happened, and how often.
pub(super) type Events = Family<Word, Counter>;

/// Everything that is needed to believe ACS, and what it has said.
pub struct Inbox {
    /// What we order of ACS.
    pub control: Control,
    /// Checks tokens; none when that is switched off.
    pub guard: Option<Guard>,
    /// Places for calls that are being rejected.
    pub rejecting: Arc<Semaphore>,
    number: Number,
    secret: Option<SecretString>,
    rung: Mutex<Seen>,
    stories: Mutex<BTreeMap<CallId, Told>>,
    keeper: Option<Keeper>,
    events: Events,
    refused: Family<Word, Counter>,
}

/// What is kept of a call.
struct Told {
    story: Story,
    allowance: Allowance,
    at: Instant,
}

/// Why a ringing phone is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// It has been told before.
    Again,
    /// Another number was rung.
    OtherNumber,
    /// Nobody can be waiting any more.
    Over,
}

impl NotOurs {
    /// The word in the metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Again => "ringing_again",
            Self::OtherNumber => "ringing_elsewhere",
            Self::Over => "ringing_over",
        }
    }
}

impl Inbox {
    /// An empty inbox for this number of ours.
    #[must_use]
    pub fn new(
        control: Control,
        guard: Option<Guard>,
        number: Number,
        secret: Option<SecretString>,
    ) -> Self {
        Self {
            control,
            guard,
            rejecting: Arc::new(Semaphore::new(REJECTING)),
            number,
            secret,
            rung: Mutex::new(Seen::new(RUNG, RUNG_FOR)),
            stories: Mutex::default(),
            keeper: None,
            events: Family::default(),
            refused: Family::default(),
        }
    }

    /// Has ACS record every call from now on, and fetches what an earlier run was told of.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn recording(
        mut self,
        store: Store,
        recordings: Recordings,
    ) -> Result<Self, RecordError> {
        let keeper = Keeper::new(self.control.clone(), store, recordings, self.events.clone());
        keeper.resume().await?;
        self.keeper = Some(keeper);
        Ok(self)
    }

    /// Takes what a callback says that concerns the recording of a call.
    pub fn hear_recording(&self, call: &CallId, event: Event, events: String) {
        if let Some(keeper) = &self.keeper {
            keeper.hear(call, event, events);
        }
    }

    /// Takes a recording that can be fetched.
    ///
    /// # Errors
    /// When it could not be written down; it should be told again.
    pub async fn take_recording(&self, recorded: Recorded) -> Result<(), RecordError> {
        match &self.keeper {
            Some(keeper) => keeper.take(recorded).await,
            None => {
                self.count("recording_elsewhere");
                Ok(())
            }
        }
    }

    /// How many files of recordings have been fetched since the start, when ACS makes any.
    #[must_use]
    pub fn kept(&self) -> Option<watch::Receiver<u64>> {
        self.keeper.as_ref().map(Keeper::kept)
    }

    /// Whether this is the secret of Event Grid's address. Takes the same time whatever is
    /// asked; with no secret set, nothing is.
    #[must_use]
    pub fn is_secret(&self, asked: &str) -> bool {
        let known = self.secret.as_ref().map_or("", |secret| secret.expose_secret());
        // Of equal length, so that the comparison does not tell how long the secret is.
        let same: bool = Sha256::digest(known).ct_eq(&Sha256::digest(asked)).into();
        same && !known.is_empty()
    }

    /// Whether a ringing phone is to be answered: ours, in time, for the first time.
    ///
    /// # Errors
    /// [`NotOurs`].
    pub fn take_ringing(&self, incoming: &Incoming) -> Result<(), NotOurs> {
        if incoming.to.as_ref().is_some_and(|to| *to != self.number) {
            return Err(NotOurs::OtherNumber);
        }
        if incoming.is_over(jiff::Timestamp::now()) {
            return Err(NotOurs::Over);
        }
        let (mut rung, now) = (lock(&self.rung), clock::now());
        let is_new = rung.is_new(&format!("event {}", incoming.event), now);
        let call = incoming.correlation.as_ref();
        let rings_anew = call.is_none_or(|call| rung.is_new(&format!("call {call}"), now));
        if is_new && rings_anew { Ok(()) } else { Err(NotOurs::Again) }
    }

    /// Our number.
    #[must_use]
    pub const fn number(&self) -> &Number {
        &self.number
    }

    /// Whether one more delivery about a call may be looked at now. The call must be known.
    pub fn allows(&self, call: &CallId) -> bool {
        let now = clock::now();
        self.with(call, now, |told| told.allowance.take(now))
    }

    /// Takes an event of a call into its story.
    pub fn take(&self, call: &CallId, event: Event, known: Option<CarrierCallId>) -> Taken {
        let now = clock::now();
        self.with(call, now, |told| told.story.take(event, known, now))
    }

    fn with<T>(&self, call: &CallId, now: Instant, look: impl FnOnce(&mut Told) -> T) -> T {
        let mut stories = lock(&self.stories);
        if !stories.contains_key(call) {
            stories.retain(|_, told| now.saturating_duration_since(told.at) < QUIET);
        }
        let told = stories.entry(call.clone()).or_insert_with(|| Told {
            story: Story::default(),
            allowance: Allowance::new(BURST, PACE, now),
            at: now,
        });
        told.at = now;
        look(told)
    }

    /// Counts an event.
    pub fn count(&self, what: &'static str) {
        self.events.get_or_create(&[("what", what)]).inc();
    }

    /// Counts a request that was refused.
    pub fn count_refused(&self, why: &'static str) {
        self.refused.get_or_create(&[("why", why)]).inc();
    }

    /// How often a word was counted among the events.
    #[must_use]
    pub fn counted(&self, what: &'static str) -> u64 {
        self.events.get_or_create(&[("what", what)]).get()
    }

    /// How often a word was counted among the refused.
    #[must_use]
    pub fn counted_refused(&self, why: &'static str) -> u64 {
        self.refused.get_or_create(&[("why", why)]).get()
    }

    /// Puts the counters into a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("acs_events", "What ACS told", self.events.clone());
        registry.register("acs_refused", "Requests in ACS's name refused", self.refused.clone());
        if let Some(guard) = &self.guard {
            let fetches = guard.keys().fetches().clone();
            registry.register("acs_key_fetches", "Times the issuer's keys were asked for", fetches);
            let strangers = guard.strangers().clone();
            registry.register("acs_strangers", "Tokens made out to another resource", strangers);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
