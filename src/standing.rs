//! Whether a carrier or a model works, as far as this server has seen: what came of what was last
//! asked of it. Asks nothing by itself, so before the first call nobody knows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

/// Letters of a reason that are kept.
const WHY_CHARS: usize = 200;

/// What came of what was last asked of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    /// Nothing was asked of it yet.
    #[default]
    NotAsked,
    /// It did what it is for.
    Works,
    /// It could not be reached, or did not do it; it may the next time.
    Fails,
    /// It refuses us until somebody puts that right.
    Refuses,
}

/// What was last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What came of it.
    pub state: State,
    /// When that was seen, in milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// Why it did not work.
    pub why: Option<String>,
}

/// Is told what came of whatever is asked of one of them.
#[derive(Debug, Default)]
pub struct Standing(Mutex<Seen>);

impl Standing {
    /// What was last seen.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// It did what was asked.
    pub fn worked(&self) {
        *self.lock() = Seen { state: State::Works, at_ms: now(), why: None };
    }

    /// It did not, and may the next time.
    pub fn failed(&self, why: &str) {
        self.not(State::Fails, why);
    }

    /// It refuses us.
    pub fn refused(&self, why: &str) {
        self.not(State::Refuses, why);
    }

    fn not(&self, state: State, why: &str) {
        let why = Some(why.chars().take(WHY_CHARS).collect());
        *self.lock() = Seen { state, at_ms: now(), why };
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Option<i64> {
    Some(jiff::Timestamp::now().as_millisecond())
}
