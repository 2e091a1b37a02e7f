//! The calls that an Asterisk holds for us, by the channel of their phone. Bounded by the limit
//! of calls: each is entered for one call and leaves with its channel, or with the order for one
//! that nobody has answered.

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
    pub(super) human: Human,
}

/// Who is rung to have a phone from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Human {
    /// Nobody, or nobody any more.
    Nobody,
    /// Asterisk is being asked to ring them: there may be no channel yet.
    Asked,
    /// Their phone rings, or the caller is with them: without a channel they are gone.
    Rung,
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// An earlier run left it, and nobody has seen to it yet.
    Left,
    /// Asterisk is being asked to ring its phone, or has not answered: there may be no channel yet.
    Asked,
    /// Its phone rings.
    Ringing,
    /// Its phone is with us.
    Talking,
    /// A human is rung for it, and nobody has answered it.
    PassedOn,
    /// Its phone is with a human; we are out of it.
    HandedOver,
}

impl Live {
    /// A call of this stage. Media addresses end in the nonce.
    pub(super) fn of(call: CallId, addresses: &Addresses, stage: Stage) -> Self {
        let nonce = addresses.media.rsplit('/').next().unwrap_or_default().to_owned();
        Self { call, nonce, stage, human: Human::Nobody }
    }

    /// One that an earlier run left: its media comes when it is gone on with.
    pub(super) const fn left(call: CallId) -> Self {
        Self { call, nonce: String::new(), stage: Stage::Left, human: Human::Nobody }
    }

    /// One that is put straight through; it has no media here.
    pub(super) const fn passed_on(call: CallId) -> Self {
        Self { call, nonce: String::new(), stage: Stage::PassedOn, human: Human::Nobody }
    }

    /// Whether it is with us, or will be: no human has it or is to have it.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.stage, Stage::HandedOver | Stage::PassedOn)
    }

    /// One that an earlier run handed over; all that is known of it is its phone.
    pub(super) fn handed_over(phone: &str) -> Self {
        let (call, stage) = (CallId::new(phone), Stage::HandedOver);
        Self { call, nonce: String::new(), stage, human: Human::Rung }
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

    /// Asterisk has taken the order; it may have told of the answer before.
    pub(super) fn asked(&self, phone: &str) {
        if let Some(live) = self.lock().get_mut(phone).filter(|live| live.stage == Stage::Asked) {
            live.stage = Stage::Ringing;
        }
    }

    /// A human is to be rung for it, or nobody is any more.
    pub(super) fn human(&self, phone: &str, human: Human) {
        if let Some(live) = self.lock().get_mut(phone) {
            live.human = human;
        }
    }

    /// Asterisk has taken the order to ring them; it may have told of their end before.
    pub(super) fn human_rung(&self, phone: &str) {
        if let Some(live) = self.lock().get_mut(phone).filter(|live| live.human == Human::Asked) {
            live.human = Human::Rung;
        }
    }

    /// The phone is with the human.
    pub(super) fn handed_over(&self, phone: &str) {
        if let Some(live) = self.lock().get_mut(phone) {
            (live.stage, live.human) = (Stage::HandedOver, Human::Rung);
        }
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
