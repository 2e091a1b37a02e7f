//! Telling the endpoints of users what happens. What is told is a row in the record, written with
//! its fact; here it is brought to its endpoint, at least once, for days if it must be. A call
//! waits for none of it, and no endpoint for another.

pub(crate) mod signature;

mod post;
mod reach;
mod schedule;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use reqwest::dns::Resolve;
use tandem_actors::clock::{Instant, now};
use tokio::sync::mpsc;
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::store::{Attempt, Deliveries as _, Due, Next, Store};
use post::{Answer, Post};
use schedule::Tried;

pub use reach::Reach;
pub use schedule::Schedule;

/// Attempts at once: each is a socket and little else.
const AT_ONCE: usize = 128;

/// Of them to one endpoint, so that a slow one leaves room for others; one only while it fails.
const OF_ONE: usize = 8;

/// Looked at this often at least: the wall clock may have been set.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A record that cannot be read is left alone this long.
const UNREAD: Duration = Duration::from_secs(5);

/// What is old is thrown away this often.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// What was delivered is kept this long: to see that it was.
const KEEP_DELIVERED: Duration = Duration::from_hours(7 * 24);

/// What was given up is kept this long: to send it again.
const KEEP_FAILED: Duration = Duration::from_hours(30 * 24);

/// What is under way when the server stops gets this long; the next run sends it again.
const GRACE: Duration = Duration::from_secs(3);

/// Endpoints that somebody wants tried now; who finds no room has it tried within a minute.
const HURRIED: usize = 64;

/// A handle for the routes; clones are the same.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// Which addresses may be told anything.
    pub reach: Reach,
    /// What came of it, since the start.
    pub counts: Arc<Counts>,
    hurry: mpsc::Sender<String>,
}

/// What came of deliveries.
#[derive(Debug, Default)]
pub struct Counts {
    /// Deliveries that were taken.
    pub delivered: AtomicU64,
    /// Attempts that were not.
    pub failed: AtomicU64,
    /// Deliveries that are not tried any more.
    pub given_up: AtomicU64,
}

impl Webhooks {
    /// Deliveries of this record, and who brings them.
    ///
    /// # Errors
    /// When TLS is not to be had.
    pub fn open(
        store: Store,
        reach: Reach,
        schedule: Schedule,
    ) -> reqwest::Result<(Self, Deliverer)> {
        Self::resolving(store, reach, schedule, reach::System)
    }

    fn resolving(
        store: Store,
        reach: Reach,
        schedule: Schedule,
        resolver: impl Resolve + 'static,
    ) -> reqwest::Result<(Self, Deliverer)> {
        let post = Arc::new(Post::new(reach, Arc::new(resolver))?);
        let (hurry, hurried) = mpsc::channel(HURRIED);
        let webhooks = Self { reach, counts: Arc::default(), hurry };
        let deliverer = Deliverer {
            store,
            post,
            schedule,
            counts: Arc::clone(&webhooks.counts),
            hurried,
            under_way: JoinSet::new(),
            sent: HashMap::new(),
            failing: HashMap::new(),
            sweep_at: now(),
        };
        Ok((webhooks, deliverer))
    }

    /// An endpoint is not left alone any longer: somebody wants to see how it does.
    pub fn hurry(&self, webhook: &str) {
        // Without room it is tried when its rest is over.
        let _tried_later = self.hurry.try_send(webhook.to_owned());
    }
}

/// Brings what waits.
pub struct Deliverer {
    store: Store,
    post: Arc<Post>,
    schedule: Schedule,
    counts: Arc<Counts>,
    hurried: mpsc::Receiver<String>,
    under_way: JoinSet<Seen>,
    sent: HashMap<task::Id, Sent>,
    failing: HashMap<String, Failing>,
    sweep_at: Instant,
}

/// A delivery under way.
struct Sent {
    webhook: String,
    delivery: String,
    host: String,
}

/// An endpoint that did not take what it was told last.
struct Failing {
    times: u32,
    rests_until: Instant,
}

/// An attempt, seen through.
struct Seen {
    answer: Answer,
    /// What follows; none when even that could not be written down.
    next: Option<Next>,
}

impl Deliverer {
    /// Until it is stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut told = self.store.told();
        loop {
            told.mark_unchanged();
            let again = self.look().await;
            tokio::select! {
                () = stop.cancelled() => break,
                rung = told.changed() => if rung.is_err() { break },
                Some(webhook) = self.hurried.recv() => {
                    self.failing.remove(&webhook);
                }
                Some(joined) = self.under_way.join_next_with_id() => self.back(joined),
                () = tokio::time::sleep_until(again) => {}
            }
        }
        let left = async {
            while let Some(joined) = self.under_way.join_next_with_id().await {
                self.back(joined);
            }
        };
        // What is cut off is sent again by the next run.
        let _in_time = tokio::time::timeout(GRACE, left).await;
    }

    /// Begins what is due; when to look again.
    async fn look(&mut self) -> Instant {
        let now = now();
        self.sweep(now).await;
        let mut again = now + LOOK_EVERY;
        let due = match self.store.endpoints_due().await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "what is to be delivered cannot be read");
                return now + UNREAD;
            }
        };
        // One that nothing waits for may as well be well.
        self.failing.retain(|webhook, _| due.iter().any(|(waits, _)| waits == webhook));
        for (webhook, due_ms) in due {
            let rests = self.failing.get(&webhook).map(|failing| failing.rests_until);
            if let Some(rests) = rests.filter(|rests| *rests > now) {
                again = again.min(rests);
                continue;
            }
            let due = now + until(due_ms);
            again = again.min(if due > now { due } else { self.send_due(&webhook, now).await });
        }
        again
    }

    /// Begins what is due at one endpoint, as much as there is room for; when the rest is.
    async fn send_due(&mut self, webhook: &str, now: Instant) -> Instant {
        let later = now + LOOK_EVERY;
        let under_way = self.sent.values().filter(|sent| sent.webhook == webhook).count();
        let most = if self.failing.contains_key(webhook) { 1 } else { OF_ONE };
        let room = most.saturating_sub(under_way).min(AT_ONCE.saturating_sub(self.sent.len()));
        if room == 0 {
            // Who comes back makes room.
            return later;
        }
        let waiting = match self.store.deliveries_due(webhook, under_way + room).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(%error, "what is to be delivered cannot be read");
                return now + UNREAD;
            }
        };
        let sent: Vec<_> = self.sent.values().map(|sent| sent.delivery.clone()).collect();
        for due in waiting.into_iter().filter(|due| !sent.contains(&due.id)).take(room) {
            let due_at = now + until(due.due_ms);
            if due_at > now {
                return due_at;
            }
            self.send(webhook, due);
        }
        later
    }

    fn send(&mut self, webhook: &str, due: Due) {
        let sent = Sent {
            webhook: webhook.to_owned(),
            delivery: due.id.clone(),
            host: host(due.url.as_str()),
        };
        let (post, store, schedule) = (self.post.clone(), self.store.clone(), self.schedule);
        let task = self.under_way.spawn(async move {
            let answer = post.send(&due).await;
            let next = next(&answer, &due, &schedule);
            let attempt = Attempt { status: answer.status, error: answer.error, next };
            let kept = store.settle_delivery(&due.id, attempt).await;
            Seen { answer, next: kept.is_ok().then_some(next) }
        });
        self.sent.insert(task.id(), sent);
    }

    fn back(&mut self, joined: Result<(task::Id, Seen), JoinError>) {
        let (id, seen) = match joined {
            Ok((id, seen)) => (id, Some(seen)),
            Err(error) => (error.id(), None),
        };
        let Some(Sent { webhook, host, .. }) = self.sent.remove(&id) else { return };
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        let (answer, next) = seen.map_or_else(Default::default, |seen| (seen.answer, seen.next));
        if next == Some(Next::Delivered) {
            count(&self.counts.delivered);
            if self.failing.remove(&webhook).is_some() {
                tracing::info!(webhook, host, "a webhook takes what it is told again");
            }
            return;
        }
        count(&self.counts.failed);
        let times = self.failing.get(&webhook).map_or(1, |failing| failing.times + 1);
        let rests_until = now() + self.schedule.rest(times, answer.asked);
        self.failing.insert(webhook.clone(), Failing { times, rests_until });
        let (status, error) = (answer.status, answer.error);
        match next {
            Some(Next::Gone) => {
                count(&self.counts.given_up);
                tracing::warn!(webhook, host, "a webhook is gone; nothing is sent there any more");
            }
            Some(Next::GivenUp) => {
                count(&self.counts.given_up);
                tracing::warn!(webhook, host, status, error, "a webhook was not told something");
            }
            Some(Next::Again { .. } | Next::Delivered) | None if times == 1 => {
                tracing::warn!(webhook, host, status, error, "a webhook fails; it is tried again");
            }
            Some(Next::Again { .. } | Next::Delivered) | None => {}
        }
    }

    /// Throws away what is old, now and then.
    async fn sweep(&mut self, now: Instant) {
        if now < self.sweep_at {
            return;
        }
        self.sweep_at = now + SWEEP_EVERY;
        let before = |kept: Duration| {
            let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
            Timestamp::now().as_millisecond().saturating_sub(kept)
        };
        let swept = self.store.forget_deliveries(before(KEEP_DELIVERED), before(KEEP_FAILED)).await;
        if let Err(error) = swept {
            tracing::warn!(%error, "old deliveries are not thrown away");
        }
    }
}

fn next(answer: &Answer, due: &Due, schedule: &Schedule) -> Next {
    match answer.status {
        Some(200..=299) => return Next::Delivered,
        Some(410) => return Next::Gone,
        // Whatever else is answered: only a success says that it was taken.
        Some(_) | None => {}
    }
    let now_ms = Timestamp::now().as_millisecond();
    let age = Duration::from_millis(u64::try_from(now_ms - due.created_ms).unwrap_or_default());
    let tried = Tried { attempts: due.attempts.saturating_add(1), age, asked: answer.asked };
    match schedule.next(&tried, rand::random()) {
        Some(pause) => {
            let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            Next::Again { due_ms: now_ms.saturating_add(pause_ms) }
        }
        None => Next::GivenUp,
    }
}

/// From now to this time since 1970; nothing when it is past.
fn until(at_ms: i64) -> Duration {
    let ms = at_ms.saturating_sub(Timestamp::now().as_millisecond());
    Duration::from_millis(u64::try_from(ms).unwrap_or_default()).min(LOOK_EVERY)
}

/// All of an address that a log may have.
fn host(url: &str) -> String {
    let url = Url::parse(url).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
