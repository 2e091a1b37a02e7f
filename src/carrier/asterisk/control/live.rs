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
    /// It was looked up while an order of it was not answered: what was seen says nothing.
    overlooked: bool,
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
        Self { call, nonce, stage, human: Human::Nobody, overlooked: false }
    }

    /// One that an earlier run left: its media comes when it is gone on with.
    pub(super) const fn left(call: CallId) -> Self {
        Self::without_media(call, Stage::Left, Human::Nobody)
    }

    /// One that is put straight through; it has no media here.
    pub(super) const fn passed_on(call: CallId) -> Self {
        Self::without_media(call, Stage::PassedOn, Human::Nobody)
    }

    /// Whether it is with us, or will be: no human has it or is to have it.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.stage, Stage::HandedOver | Stage::PassedOn)
    }

    /// One that an earlier run handed over; all that is known of it is its phone.
    pub(super) fn handed_over(phone: &str) -> Self {
        Self::without_media(CallId::new(phone), Stage::HandedOver, Human::Rung)
    }

    const fn without_media(call: CallId, stage: Stage, human: Human) -> Self {
        Self { call, nonce: String::new(), stage, human, overlooked: false }
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

    /// Asterisk has taken the order; it may have told of the answer before. Whether it has to be
    /// looked up once more.
    pub(super) fn asked(&self, phone: &str) -> bool {
        let mut lives = self.lock();
        let asked = lives.get_mut(phone).filter(|live| live.stage == Stage::Asked);
        asked.is_some_and(|live| {
            live.stage = Stage::Ringing;
            std::mem::take(&mut live.overlooked)
        })
    }

    /// A human is to be rung for it, or nobody is any more.
    pub(super) fn human(&self, phone: &str, human: Human) {
        if let Some(live) = self.lock().get_mut(phone) {
            live.human = human;
        }
    }

    /// Asterisk has taken the order to ring them; it may have told of their end before. Whether it
    /// has to be looked up once more.
    pub(super) fn human_rung(&self, phone: &str) -> bool {
        let mut lives = self.lock();
        let asked = lives.get_mut(phone).filter(|live| live.human == Human::Asked);
        asked.is_some_and(|live| {
            live.human = Human::Rung;
            std::mem::take(&mut live.overlooked)
        })
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

    /// All of them, to look up. What is asked for at this moment may be there and not be seen.
    pub(super) fn to_look_up(&self) -> Vec<(String, Live)> {
        let mut lives = self.lock();
        for live in lives.values_mut() {
            live.overlooked = live.stage == Stage::Asked || live.human == Human::Asked;
        }
        lives.iter().map(|(phone, live)| (phone.clone(), live.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_up_before_an_order_is_answered_is_looked_up_once_more() {
        let lives = Lives::default();
        let live = || Live::without_media(CallId::new("c"), Stage::Asked, Human::Nobody);
        lives.enter("p", live());
        assert!(!lives.asked("p"), "nobody has looked");
        lives.enter("p", live());
        lives.to_look_up();
        assert!(lives.asked("p") && !lives.asked("p"));
        lives.to_look_up();
        lives.human("p", Human::Asked);
        assert!(!lives.human_rung("p"), "that was before");
        lives.human("p", Human::Asked);
        lives.to_look_up();
        assert!(lives.human_rung("p") && !lives.human_rung("p"));
    }
}
