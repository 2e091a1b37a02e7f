//! What a Call asks of its carrier, in tasks of their own: ring once, hang up.

use std::sync::{Arc, PoisonError};

use crate::call::event::Input;
use crate::carrier::{CarrierError, Dial};
use crate::seed::Seed;

/// Rings, once: the intent is durable before the carrier is asked, and nothing repeats it.
pub(crate) async fn place(seed: Arc<Seed>) {
    if let Err(error) = seed.ports.record.dialing(seed.call.clone()).await {
        tracing::error!(call = %seed.call, %error, "not dialled: the intent could not be written");
        let outcome = crate::briefing::Outcome::SystemError;
        seed.tell(Input::NotPlaced(outcome, "record_failed".to_owned()));
        return;
    }
    seed.tell(Input::Dialed);
    let dial = Dial {
        call: seed.call.clone(),
        to: seed.briefing.remote.clone(),
        from: seed.briefing.local.clone(),
        media_url: seed.media_url.clone(),
    };
    match seed.ports.carrier.place(dial).await {
        Ok(name) => seed.tell(Input::Placed(name)),
        Err(CarrierError::Refused(outcome)) => {
            seed.tell(Input::NotPlaced(outcome, outcome.word().to_owned()));
        }
        Err(error @ CarrierError::Unknown(_)) => {
            // It may be ringing: the carrier's callbacks or the ringing limit decide.
            tracing::warn!(call = %seed.call, %error, "dial order");
        }
    }
}

pub(crate) async fn hang_up(seed: Arc<Seed>) {
    let known = seed.carrier_call.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(name) = known else { return };
    if let Err(error) = seed.ports.carrier.hang_up(name).await {
        tracing::warn!(call = %seed.call, %error, "hang-up at the carrier");
    }
}
