//! The calls that an Asterisk holds for us, by the channel of their phone. Bounded by the limit
//! of calls: each is entered for one call and leaves with its channel.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tandem_actors::briefing::CallId;
use tandem_actors::carrier::Addresses;

/// A call at an Asterisk.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) call: CallId,
    /// The nonce of its media.
    pub(super) nonce: String,
    pub(super) stage: Stage,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its phone rings.
    Ringing,
    /// Its phone is with us.
    Talking,
    /// Its phone is with a human; we are out of it.
    HandedOver,
}

impl Live {
    /// One that rings. Media addresses end in the nonce.
    pub(super) fn of(call: CallId, addresses: &Addresses) -> Self {
        let nonce = addresses.media.rsplit('/').next().unwrap_or_default().to_owned();
        Self { call, nonce, stage: Stage::Ringing }
    }
}

/// Every call at an Asterisk.
#[derive(Default)]
pub(super) struct Lives(Mutex<HashMap<String, Live>>);

impl Lives {
    pub(super) fn enter(&self, phone: &str, live: Live) {
        self.lock().insert(phone.to_owned(), live);
    }

    pub(super) fn get(&self, phone: &str) -> Option<Live> {
        self.lock().get(phone).cloned()
    }

    /// Notes how far it has come; gives the call if it is there.
    pub(super) fn advance(&self, phone: &str, stage: Stage) -> Option<Live> {
        let mut lives = self.lock();
        let live = lives.get_mut(phone)?;
        live.stage = stage;
        Some(live.clone())
    }

    pub(super) fn leave(&self, phone: &str) -> Option<Live> {
        self.lock().remove(phone)
    }

    pub(super) fn all(&self) -> Vec<(String, Live)> {
        self.lock().iter().map(|(phone, live)| (phone.clone(), live.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
