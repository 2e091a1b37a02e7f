//! The human at an Asterisk to whom a caller is handed over, or put straight through: rung, joined
//! with the caller's phone, gone.

use std::time::Duration;

use tandem_actors::call::event::Input;
use tandem_actors::carrier::{CarrierError, Number};

use super::board::{Board, refused};
use super::live::{Live, Stage};
use crate::carrier::asterisk::ari::Channel;
use crate::carrier::asterisk::names;
use crate::carrier::asterisk::rest::Ring;
use crate::reception::Passing;

/// How long a human's phone rings for somebody who is put straight through: as long as any phone
/// does before a voicemail takes it.
const PASSED_RINGS: Duration = Duration::from_secs(30);

impl Board {
    pub(super) async fn transfer(&self, phone: &str, to: &Number) -> Result<(), CarrierError> {
        if self.lives.get(phone).is_none_or(|live| live.stage != Stage::Talking) {
            return Err(CarrierError::NotOffered("transfer a call that is not in its hands"));
        }
        let ring = Ring {
            id: &names::human(phone),
            endpoint: &self.endpoint(to),
            caller: self.settings.number.as_str(),
            ringing: self.settings.ringing,
        };
        self.rest.ring(ring).await.map_err(|error| refused(&error))
    }

    /// Rings a human for a caller whom nobody answers until then.
    pub(super) async fn pass_on(&self, channel: &Channel, passing: Passing) {
        let (phone, bridge) = (&channel.id, names::bridge(&channel.id));
        self.lives.enter(phone, Live::passed_on(passing.call().clone()));
        let ring = Ring {
            id: &names::human(phone),
            endpoint: &self.endpoint(passing.human()),
            caller: &channel.caller.number,
            ringing: PASSED_RINGS,
        };
        let rung = async {
            self.rest.sound_ringing(phone).await?;
            self.rest.bridge(&bridge).await?;
            self.rest.join(&bridge, phone).await?;
            self.rest.ring(ring).await
        };
        match rung.await {
            Ok(()) => passing.done(),
            Err(error) => {
                tracing::warn!(%error, "a caller was not put through");
                self.clear(phone).await;
            }
        }
    }

    /// The human is there: the phone is theirs, and we go.
    pub(super) async fn hand_over(&self, phone: &str) {
        let human = names::human(phone);
        let Some(live) = self.lives.get(phone) else {
            return self.report(self.rest.hang_up(&human).await);
        };
        if live.stage == Stage::PassedOn {
            self.report(self.rest.answer(phone).await);
        }
        if let Err(error) = self.rest.join(&names::bridge(phone), &human).await {
            if !live.is_ours() {
                return self.clear(phone).await;
            }
            self.report(self.rest.hang_up(&human).await);
            return self.tell(&live, Input::Transferred(Err(error.to_string())));
        }
        self.lives.advance(phone, Stage::HandedOver);
        self.tell(&live, Input::Transferred(Ok(())));
        self.report(self.rest.hang_up(&names::media(phone)).await);
    }
}
