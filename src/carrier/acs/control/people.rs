//! The people of a call: who the other party is, one more person, one less.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use tandem_actors::carrier::{CarrierCallId, CarrierError, Number};
use uuid::Uuid;

use super::{CALLING, CALLS, Control};
use crate::carrier::acs::order;
use crate::carrier::acs::reply::Invitation;
use crate::carrier::acs::rest::Order;

/// Calls whose other party is remembered; of older ones ACS is asked. Four times the calls that
/// a server takes at once by default.
const PARTIES: usize = 4_096;

/// Whom each call is with, the newest calls only.
#[derive(Default)]
pub(super) struct Parties(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    numbers: HashMap<CarrierCallId, Number>,
    in_order: VecDeque<CarrierCallId>,
}

impl Parties {
    pub(super) fn remember(&self, call: &CarrierCallId, who: Number) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.numbers.insert(call.clone(), who).is_none() {
            calls.in_order.push_back(call.clone());
        }
        if calls.in_order.len() > PARTIES
            && let Some(oldest) = calls.in_order.pop_front()
        {
            calls.numbers.remove(&oldest);
        }
    }

    fn known(&self, call: &CarrierCallId) -> Option<Number> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.numbers.get(call).cloned()
    }
}

impl Control {
    /// Rings one more person into the call, for at most `ringing_s` seconds (0 to 180). The
    /// callbacks `AddParticipantSucceeded` and `AddParticipantFailed` carry `context`.
    ///
    /// # Errors
    /// [`CarrierError`]; with [`CarrierError::Unknown`] they may be ringing.
    pub async fn add(
        &self,
        call: &CarrierCallId,
        who: &Number,
        ringing_s: u8,
        context: &str,
    ) -> Result<Invitation, CarrierError> {
        let body = order::add(who, &self.0.number, ringing_s, context);
        let path = [CALLING, CALLS, &call.0, "participants:add"];
        self.asked(Order::once("add", path, body, Uuid::now_v7())).await
    }

    /// Takes a person out of the call. The callbacks `RemoveParticipantSucceeded` and
    /// `RemoveParticipantFailed` carry `context`.
    ///
    /// # Errors
    /// [`CarrierError`]; then they may still be in it.
    pub async fn remove(
        &self,
        call: &CarrierCallId,
        who: &Number,
        context: &str,
    ) -> Result<(), CarrierError> {
        let body = order::remove(who, context);
        let path = [CALLING, CALLS, &call.0, "participants:remove"];
        self.done(Order::once("remove", path, body, Uuid::now_v7())).await
    }

    /// The other party's phone.
    pub(super) async fn party(&self, call: &CarrierCallId) -> Result<Number, CarrierError> {
        let party = match self.0.parties.known(call) {
            Some(party) => Some(party),
            None => self.look(call).await?.and_then(|found| found.other_party(&self.0.number)),
        };
        party
            .filter(order::is_phone)
            .ok_or(CarrierError::NotOffered("press keys towards somebody without a phone"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_calls_are_forgotten() {
        let parties = Parties::default();
        let call = |n: usize| CarrierCallId(n.to_string());
        for n in 0..=PARTIES {
            parties.remember(&call(n), Number::new("+12065550100"));
        }
        assert_eq!(parties.known(&call(0)), None);
        assert_eq!(parties.known(&call(1)), Some(Number::new("+12065550100")));
        assert_eq!(parties.known(&call(PARTIES)), Some(Number::new("+12065550100")));
        assert_eq!(parties.0.lock().unwrap().numbers.len(), PARTIES);
    }

    #[test]
    fn a_call_is_remembered_once_with_its_last_party() {
        let parties = Parties::default();
        let call = CarrierCallId("c".into());
        parties.remember(&call, Number::new("+12065550100"));
        parties.remember(&call, Number::new("+12065550101"));
        assert_eq!(parties.known(&call), Some(Number::new("+12065550101")));
        assert_eq!(parties.0.lock().unwrap().in_order.len(), 1);
    }
}
