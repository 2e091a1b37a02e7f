//! The human at an Asterisk to whom a caller is handed over, or put straight through: rung, joined
//! with the caller's phone, gone.

use std::sync::Arc;
use std::time::Duration;

use tandem_actors::call::event::Input;
use tandem_actors::carrier::{CarrierError, Number};

use super::board::{Board, refused};
use super::live::{Human, Live, Stage};
use crate::carrier::asterisk::ari::Channel;
use crate::carrier::asterisk::names;
use crate::carrier::asterisk::rest::{RestError, Ring};
use crate::reception::Passing;

impl Board {
    pub(super) async fn transfer(&self, phone: &str, to: &Number) -> Result<(), CarrierError> {
        if self.lives.get(phone).is_none_or(|live| live.stage != Stage::Talking) {
            return Err(CarrierError::NotOffered("transfer a call that is not in its hands"));
        }
        let (caller, ringing) = (self.settings.number.as_str(), self.settings.ringing);
        let rung = self.ring_human(phone, to, caller, ringing).await;
        rung.map_err(|error| refused(&error))
    }

    async fn ring_human(
        &self,
        phone: &str,
        to: &Number,
        caller: &str,
        ringing: Duration,
    ) -> Result<(), RestError> {
        self.lives.human(phone, Human::Asked);
        let (human, endpoint) = (names::human(phone), self.endpoint(to));
        self.rest.ring(Ring { id: &human, endpoint: &endpoint, caller, ringing }).await?;
        if self.lives.human_rung(phone) {
            self.look_again(phone).await;
        }
        Ok(())
    }

    /// Rings a human for a caller whom nobody answers until then.
    pub(super) async fn pass_on(self: &Arc<Self>, channel: &Channel, passing: Passing) {
        self.lives.enter(&channel.id, Live::passed_on(passing.call().clone()));
        match self.put_through(channel, passing.human()).await {
            Ok(()) => passing.done(),
            Err(error) => {
                tracing::warn!(%error, "a caller was not put through");
                self.clear(&channel.id).await;
            }
        }
    }

    pub(super) async fn put_through(
        self: &Arc<Self>,
        channel: &Channel,
        to: &Number,
    ) -> Result<(), RestError> {
        let (phone, bridge) = (&channel.id, names::bridge(&channel.id));
        self.rest.sound_ringing(phone).await?;
        self.rest.bridge(&bridge).await?;
        self.rest.join(&bridge, phone).await?;
        let rings = self.settings.passed_rings;
        self.ring_human(phone, to, &channel.caller.number, rings).await?;
        self.look_up_after(rings, phone);
        Ok(())
    }

    /// The human is there: the phone is theirs, and we go.
    pub(super) async fn hand_over(&self, phone: &str) {
        let human = names::human(phone);
        let Some(live) = self.lives.get(phone) else {
            return self.report(self.rest.hang_up(&human).await);
        };
        match live.stage {
            // An event and a look-up have both told of them.
            Stage::HandedOver => return,
            Stage::PassedOn => self.report(self.rest.answer(phone).await),
            Stage::Left | Stage::Asked | Stage::Ringing | Stage::Talking => {}
        }
        if let Err(error) = self.rest.join(&names::bridge(phone), &human).await {
            self.report(self.rest.hang_up(&human).await);
            return self.human_gone(phone, &error.to_string()).await;
        }
        self.lives.handed_over(phone);
        self.tell(&live, Input::Transferred(Ok(())));
        self.report(self.rest.hang_up(&names::media(phone)).await);
    }

    /// The human is gone. A caller who is with us stays there.
    pub(super) async fn human_gone(&self, phone: &str, why: &str) {
        match self.lives.get(phone) {
            Some(live) if live.is_ours() => {
                self.lives.human(phone, Human::Nobody);
                self.tell(&live, Input::Transferred(Err(why.to_owned())));
            }
            Some(_) | None => self.clear(phone).await,
        }
    }
}
