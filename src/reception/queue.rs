//! Callers who ring while every place is taken: they wait, first come first served, until there is
//! a place, they give up, or their time is over. Each is in the record from the beginning.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tandem_actors::briefing::{CallId, Lifecycle, Outcome};
use tandem_actors::carrier::Addresses;
use tandem_actors::exchange::Refusal;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Made, New, NotMade, Passing, Reception, Ringing, Shared, new_id};

/// How long callers wait, and how many at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// Each of them; zero: nobody waits.
    pub time: Duration,
    /// At once.
    pub callers: usize,
}

/// What became of callers since the start for whom there was no place at once.
#[derive(Debug, Default)]
pub struct Counts {
    /// They waited.
    pub queued: AtomicU64,
    /// They were gone before it was their turn.
    pub gave_up: AtomicU64,
    /// They heard that we are busy: too many waited, or they had waited for too long.
    pub turned_away: AtomicU64,
}

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Everybody, with what sends them away; in the order of their ids, which is that in which they
    /// came.
    waiting: Mutex<BTreeMap<CallId, CancellationToken>>,
    /// Somebody has left.
    left: Notify,
    counts: Counts,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<CallId, CancellationToken>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when nobody is before them.
    async fn first(&self, call: &CallId) {
        loop {
            let left = self.left.notified();
            if self.waiting().first_key_value().is_none_or(|(first, _)| first == call) {
                return;
            }
            left.await;
        }
    }

    /// Takes a place in the queue, if one of so many is free.
    fn enter(&self, call: &CallId, most: usize) -> Option<CancellationToken> {
        let mut waiting = self.waiting();
        (waiting.len() < most).then(|| {
            self.counts.queued.fetch_add(1, Ordering::Relaxed);
            waiting.entry(call.clone()).or_default().clone()
        })
    }
}

/// What becomes of a phone that rings here.
#[derive(Debug)]
pub enum Taken {
    /// It is a call.
    Made(Made),
    /// It waits to be one.
    Waits(Waiting),
    /// It is put straight through to the human.
    PassedOn(Passing),
}

/// A caller who waits. Dropped, they have given up.
#[derive(Debug)]
pub struct Waiting {
    place: Place,
    new: Box<New>,
    until: Instant,
    sent_away: CancellationToken,
}

/// A place in the queue. Whoever has not been served when it is dropped has given up.
struct Place {
    reception: Shared,
    call: CallId,
    end: Option<(Outcome, &'static str)>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Place").field(&self.call).finish()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let queue = &self.reception.queue;
        queue.waiting().remove(&self.call);
        queue.left.notify_waiters();
        let Some((outcome, reason)) = self.end else { return };
        let is_busy = outcome == Outcome::Busy;
        let count = if is_busy { &queue.counts.turned_away } else { &queue.counts.gave_up };
        count.fetch_add(1, Ordering::Relaxed);
        tracing::info!(call = %self.call, reason, "a caller for whom there was no place");
        self.reception.end_unmade(&self.call, outcome, reason);
    }
}

impl Waiting {
    /// Not longer than this, whatever is set: the phone network gives up then.
    #[must_use]
    pub fn at_most(self, time: Duration) -> Self {
        Self { until: self.until.min(Instant::now() + time), ..self }
    }

    /// Waits until it is their turn. Dropped before, they have given up.
    ///
    /// # Errors
    /// [`NotMade`]; the carrier should be told that we are busy.
    pub async fn turn(self) -> Result<Made, NotMade> {
        let Self { mut place, new, until, sent_away } = self;
        let reception = Arc::clone(&place.reception);
        let (live, limit) = (reception.exchange.live(), reception.exchange.limit());
        let (refusal, end) = tokio::select! {
            turn = reception.turn(&place.call, &new) => match turn {
                Ok(addresses) => {
                    place.end = None;
                    return Ok(Made { call: place.call.clone(), addresses });
                }
                Err(refusal) => (refusal, (Outcome::Busy, "draining")),
            },
            () = sent_away.cancelled() => {
                (Refusal::Full { live, limit }, (Outcome::Cancelled, "ordered"))
            }
            () = tokio::time::sleep_until(until) => {
                (Refusal::Full { live, limit }, (Outcome::Busy, "waited_too_long"))
            }
        };
        place.end = Some(end);
        Err(refusal.into())
    }
}

impl Reception {
    /// Takes a call that rings here, or has the caller wait until there is room.
    ///
    /// # Errors
    /// [`NotMade`]; the carrier should be told that we are busy.
    pub async fn take_in_turn(self: &Arc<Self>, ringing: Ringing) -> Result<Taken, NotMade> {
        let (wish, human) = self.wish_of(&ringing).await?;
        if let Some(human) = human {
            return self.pass_on(ringing, wish, human).await.map(Taken::PassedOn);
        }
        let patience = self.house().patience;
        let refusal = match self.room() {
            Err(refusal @ Refusal::Full { .. }) if !patience.time.is_zero() => refusal,
            Ok(()) | Err(_) => return self.take_as(ringing, wish).await.map(Taken::Made),
        };
        let (call, new) = (new_id(), New::ringing(ringing, wish));
        let place = self.queue.enter(&call, patience.callers);
        let reception = Arc::clone(self);
        // Whatever happens from here on, the place is given back.
        let gave_up = Some((Outcome::Cancelled, "caller_gave_up"));
        let mut waits = Place { reception, call: call.clone(), end: gave_up };
        if place.is_none() {
            waits.end = Some((Outcome::Busy, "queue_full"));
        }
        let written = self.write(&call, &new, Lifecycle::Queued, None).await;
        written.inspect_err(|_| waits.end = None)?;
        let Some(sent_away) = place else { return Err(refusal.into()) };
        tracing::info!(%call, waiting = self.waiting(), "a caller waits for a place");
        let until = Instant::now() + patience.time;
        Ok(Taken::Waits(Waiting { place: waits, new: Box::new(new), until, sent_away }))
    }

    /// Admits a call as soon as it is first and there is room.
    async fn turn(&self, call: &CallId, new: &New) -> Result<Addresses, Refusal> {
        self.queue.first(call).await;
        loop {
            self.exchange.room().await;
            match self.try_admit(call, new.clone()) {
                // Somebody else was faster.
                Err(Refusal::Full { .. }) => {}
                admitted => return admitted,
            }
        }
    }

    /// How many callers wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting().len()
    }

    /// Sends a caller away who waits. Returns whether they did.
    pub fn send_away(&self, call: &CallId) -> bool {
        let waiting = self.queue.waiting().get(call).cloned();
        waiting.inspect(CancellationToken::cancel).is_some()
    }

    /// What became of those who waited.
    #[must_use]
    pub fn queue_counts(&self) -> &Counts {
        &self.queue.counts
    }
}
