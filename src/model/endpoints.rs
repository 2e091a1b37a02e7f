//! Several places where sessions can be opened, as one model: the first that is well is taken,
//! and what each session went through is remembered for the next call. Knows no protocol.

mod health;
mod line;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tandem_actors::audio::Format;
use tandem_actors::model::{ConnectError, Line, Loss, Model};
use tandem_actors::usage::Usage;
use tokio::time::Instant;

use crate::standing::{Seen, Standing};
use health::Health;
use line::Watched;

/// A place that has not answered by now has a healthy one tried after it, while a caller waits:
/// over three times what a healthy provider needs.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// A dial that its call gave up after less than this says nothing about the place.
const TELLING: Duration = Duration::from_secs(1);

/// Places that speak no format in common: a call could not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the places have no format in common")]
pub struct NoCommonFormat;

/// Several places as one model. The first is preferred.
#[derive(Clone)]
pub struct Endpoints {
    places: Arc<[Place]>,
    formats: Vec<Format>,
    counts: Arc<Counts>,
}

impl std::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoints").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

/// One place and how it does.
struct Place {
    name: &'static str,
    model: Arc<dyn Model>,
    health: Mutex<Health>,
    seen: Standing,
}

/// How a place does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceSeen {
    /// The name of its settings.
    pub name: &'static str,
    /// What came of what was last asked of it.
    pub seen: Seen,
    /// It is left alone for a while, for it has failed.
    pub rests: bool,
}

impl Place {
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn worked(&self) {
        self.health().worked();
        self.seen.worked();
    }

    fn failed(&self, why: &Loss) {
        let now = Instant::now();
        match why {
            Loss::Final(code) => self.seen.refused(code),
            Loss::Passing(code) => self.seen.failed(code),
            Loss::RateLimited(_) => self.seen.failed("rate_limited"),
        }
        let rests = match why {
            Loss::Final(_) => self.health().refused(now),
            Loss::Passing(_) | Loss::RateLimited(_) => self.health().failed(now),
        };
        if let Some(rest) = rests {
            let (place, rest_s) = (self.name, rest.as_secs());
            tracing::warn!(place, ?why, rest_s, "others are preferred to this model for a while");
        }
    }
}

/// What happened at all places together.
#[derive(Debug, Default)]
pub struct Counts {
    /// Sessions opened at another place than the first.
    pub elsewhere: AtomicU64,
    /// Responses refused for a rate limit.
    pub rate_limited: AtomicU64,
    /// Times an allowance was used up before anything was refused.
    pub exhausted: AtomicU64,
    /// Tokens, as the providers tell them; of what none tells there is no counter.
    pub tokens: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Counts {
    fn used(&self, usage: Option<&Usage>) {
        for (figure, tokens) in usage.into_iter().flat_map(Usage::told) {
            self.tokens.get_or_create(&[("figure", figure.word())]).inc_by(tokens);
        }
    }
}

impl Endpoints {
    /// These places, by the name of their settings, the preferred one first.
    ///
    /// # Errors
    /// [`NoCommonFormat`].
    pub fn new(places: Vec<(&'static str, Arc<dyn Model>)>) -> Result<Self, NoCommonFormat> {
        let (_, first) = places.first().ok_or(NoCommonFormat)?;
        let everywhere =
            |format: &&Format| places.iter().all(|(_, model)| model.formats().contains(format));
        let formats: Vec<Format> = first.formats().iter().filter(everywhere).copied().collect();
        if formats.is_empty() {
            return Err(NoCommonFormat);
        }
        let place = |(name, model)| Place {
            name,
            model,
            health: Mutex::default(),
            seen: Standing::default(),
        };
        let places = places.into_iter().map(place).collect();
        Ok(Self { places, formats, counts: Arc::default() })
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// How each place does, the preferred one first.
    #[must_use]
    pub fn seen(&self) -> Vec<PlaceSeen> {
        let each = |place: &Place| PlaceSeen {
            name: place.name,
            seen: place.seen.seen(),
            rests: !place.health().is_well(),
        };
        self.places.iter().map(each).collect()
    }

    /// Opens a session at the first place that gives one.
    async fn open(self) -> Result<Line, ConnectError> {
        let mut seen: Option<ConnectError> = None;
        for at in 0..self.places.len() {
            if !self.places[at].health().admits(Instant::now()) {
                continue;
            }
            match self.attempt(at).await {
                Ok(line) => return Ok(line),
                Err(error) => seen = Some(milder(seen, error)),
            }
        }
        let mut error = match seen {
            Some(seen) => seen,
            // All of them rest. One that may be back is a better bet than an apology.
            None => {
                let hopeful = self.places.iter().position(|place| !place.health().is_refusing());
                match self.attempt(hopeful.unwrap_or(0)).await {
                    Ok(line) => return Ok(line),
                    Err(error) => error,
                }
            }
        };
        error.loss = self.helps(error.loss);
        Err(error)
    }

    async fn attempt(&self, at: usize) -> Result<Line, ConnectError> {
        let place = &self.places[at];
        let mut dial = Dial { place, since: Instant::now(), settled: false };
        let others_wait = self.places[at + 1..].iter().any(|place| place.health().is_well());
        let connecting = place.model.connect();
        let dialled = if others_wait {
            tokio::time::timeout(PATIENCE, connecting).await.unwrap_or_else(|_| {
                let what = format!("no answer within {PATIENCE:?}");
                Err(ConnectError { what, loss: Loss::Passing("timeout".to_owned()) })
            })
        } else {
            connecting.await
        };
        dial.settled = true;
        match dialled {
            Ok(line) => {
                if at > 0 {
                    self.counts.elsewhere.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Box::new(Watched::new(line, self.clone(), at)))
            }
            Err(error) => {
                place.failed(&error.loss);
                Err(error)
            }
        }
    }

    /// What helps after a loss that its place knows of: what is final there is worth another try
    /// as long as some place has not refused for good.
    fn helps(&self, loss: Loss) -> Loss {
        match loss {
            Loss::Final(code) if self.has_hope() => Loss::Passing(code),
            Loss::Final(_) | Loss::Passing(_) | Loss::RateLimited(_) => loss,
        }
    }

    fn has_hope(&self) -> bool {
        self.places.iter().any(|place| !place.health().is_refusing())
    }

    /// Whether a session here should move: this place rests and another one is well.
    fn should_move(&self, at: usize) -> bool {
        !self.places[at].health().is_well() && self.places.iter().any(|it| it.health().is_well())
    }
}

impl Model for Endpoints {
    fn formats(&self) -> &[Format] {
        &self.formats
    }

    fn connect(&self) -> BoxFuture<'static, Result<Line, ConnectError>> {
        Box::pin(self.clone().open())
    }
}

/// Of two errors the one after which there is more hope.
fn milder(one: Option<ConnectError>, other: ConnectError) -> ConnectError {
    let hope = |error: &ConnectError| match error.loss {
        Loss::Passing(_) => 2,
        Loss::RateLimited(_) => 1,
        Loss::Final(_) => 0,
    };
    match one {
        Some(one) if hope(&one) >= hope(&other) => one,
        Some(_) | None => other,
    }
}

/// A dial under way. One that its call gives up after a while has failed, too: nobody else would
/// tell of a place that swallows dials.
struct Dial<'a> {
    place: &'a Place,
    since: Instant,
    settled: bool,
}

impl Drop for Dial<'_> {
    fn drop(&mut self) {
        if !self.settled && self.since.elapsed() >= TELLING {
            self.place.failed(&Loss::Passing("no answer".to_owned()));
        }
    }
}
