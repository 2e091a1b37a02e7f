//! What a Call asks of its carrier, in tasks of their own: ring once, hang up, bring in a human.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use crate::briefing::Text;
use crate::call::event::Input;
use crate::carrier::{CarrierCallId, CarrierError, Dial, Digit, Number};
use crate::clock;
use crate::seed::Seed;

/// When the carrier is asked about an order whose answer never came, counted from the time before:
/// what it has taken it can list within a second or two, and a failing one needs longer.
const ASKS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];

/// Rings, once: the intent is durable before the carrier is asked, and nothing repeats it.
pub(crate) async fn place(seed: Arc<Seed>) {
    if let Err(error) = seed.ports.record.dialing(seed.call.clone()).await {
        tracing::error!(call = %seed.call, %error, "not dialled: the intent could not be written");
        let outcome = crate::briefing::Outcome::SystemError;
        seed.tell(Input::Ended(outcome, "record_failed".to_owned()));
        return;
    }
    seed.tell(Input::Dialed);
    let dial = Dial {
        call: seed.call.clone(),
        to: seed.briefing.remote.clone(),
        from: seed.briefing.local.clone(),
        addresses: seed.addresses.clone(),
    };
    let ordered = clock::wall();
    match seed.ports.carrier.place(dial.clone()).await {
        Ok(name) => placed(&seed, name),
        Err(CarrierError::Refused(outcome)) => {
            seed.tell(Input::Ended(outcome, outcome.word().to_owned()));
        }
        Err(error @ CarrierError::NotOffered(_)) => {
            tracing::error!(call = %seed.call, %error, "dial order");
            let outcome = crate::briefing::Outcome::SystemError;
            seed.tell(Input::Ended(outcome, "carrier_cannot_place".to_owned()));
        }
        Err(error @ CarrierError::Unknown(_)) => {
            // It may be ringing: the carrier decides, when it tells or is asked, or the ringing
            // limit does.
            tracing::warn!(call = %seed.call, %error, "dial order");
            seed.tell(Input::Unanswered);
            find(&seed, &dial, ordered).await;
        }
    }
}

/// Asks the carrier for a call that it may have made, as long as nobody knows.
async fn find(seed: &Arc<Seed>, dial: &Dial, ordered: SystemTime) {
    for pause in ASKS {
        tokio::time::sleep(pause).await;
        if seed.over.load(Ordering::SeqCst) || name(seed).is_some() {
            return;
        }
        match seed.ports.carrier.find(dial.clone(), ordered).await {
            Ok(Some(name)) => return placed(seed, name),
            Ok(None) => {}
            Err(CarrierError::NotOffered(_)) => return,
            Err(error @ (CarrierError::Refused(_) | CarrierError::Unknown(_))) => {
                tracing::warn!(call = %seed.call, %error, "asked about a dial order");
            }
        }
    }
}

/// The carrier has taken the order. A call that ended meanwhile could not be hung up without a
/// name: that is done now.
pub(crate) fn placed(seed: &Arc<Seed>, name: CarrierCallId) {
    if !seed.over.load(Ordering::SeqCst) {
        return seed.tell(Input::Placed(name));
    }
    let mut known = seed.carrier_call.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_none() {
        *known = Some(name);
        drop(known);
        drop(tokio::spawn(hang_up(Arc::clone(seed))));
    }
}

/// The carrier's name for the call, once it is known.
fn name(seed: &Seed) -> Option<CarrierCallId> {
    seed.carrier_call.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(crate) async fn hang_up(seed: Arc<Seed>) {
    let Some(name) = name(&seed) else { return };
    if let Err(error) = seed.ports.carrier.hang_up(name).await {
        tracing::warn!(call = %seed.call, %error, "hang-up at the carrier");
    }
}

/// Presses keys towards the other party.
pub(crate) async fn press(seed: Arc<Seed>, keys: Vec<Digit>) {
    // A carrier that has not named the call can be told nothing about it.
    let pressed = match name(&seed) {
        Some(name) => seed.ports.carrier.press(name, keys.clone()).await,
        None => Err(CarrierError::NotOffered("press keys in a call it has not named")),
    };
    if let Err(error) = pressed {
        tracing::debug!(call = %seed.call, %error, "keys at the carrier");
        seed.tell(Input::Unpressed(keys, error));
    }
}

/// Rings a human into the call.
pub(crate) async fn invite(seed: Arc<Seed>, who: Number) {
    let invited = match name(&seed) {
        Some(name) => seed.ports.carrier.invite(name, who).await,
        None => Err(CarrierError::NotOffered("ring into a call it has not named")),
    };
    if let Err(error) = invited {
        tracing::debug!(call = %seed.call, %error, "a human for the call at the carrier");
        seed.tell(Input::Uninvited(error));
    }
}

/// Leaves the call to the others.
pub(crate) async fn leave(seed: Arc<Seed>) {
    let Some(name) = name(&seed) else { return };
    if let Err(error) = seed.ports.carrier.leave(name).await {
        tracing::warn!(call = %seed.call, %error, "leaving a call at the carrier");
    }
}

/// Hands the other party over to a human.
pub(crate) async fn transfer(seed: Arc<Seed>, to: Number, introduction: Text) {
    let ordered = match name(&seed) {
        Some(name) => seed.ports.carrier.transfer(name, to, introduction).await,
        None => Err(CarrierError::NotOffered("transfer a call it has not named")),
    };
    if let Err(error) = ordered {
        tracing::warn!(call = %seed.call, %error, "hand-over at the carrier");
        seed.tell(Input::Transferred(Err(error.to_string())));
    }
}
