//! Callers at an Asterisk whom nobody has answered yet, by their channels: they may have to wait.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// What says of each that they have hung up.
#[derive(Default)]
pub(super) struct Callers(Mutex<HashMap<String, CancellationToken>>);

impl Callers {
    /// A caller rings. The token tells that they have hung up.
    pub(super) fn enter(&self, channel: &str) -> CancellationToken {
        self.lock().entry(channel.to_owned()).or_default().clone()
    }

    /// They are answered, or not to be answered.
    pub(super) fn leave(&self, channel: &str) {
        self.lock().remove(channel);
    }

    /// A caller has hung up.
    pub(super) fn gone(&self, channel: &str) {
        if let Some(gone) = self.lock().get(channel) {
            gone.cancel();
        }
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
