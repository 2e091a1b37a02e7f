//! What is done at an Asterisk, step by step, as orders and events come.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tandem_actors::briefing::Outcome;
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{CarrierCallId, CarrierError, Dial, Number};
use tandem_actors::exchange::Exchange;

use super::Settings;
use super::live::{Live, Lives, Stage};
use super::waiting::Callers;
use crate::carrier::asterisk::ari::Channel;
use crate::carrier::asterisk::names::{self, Role};
use crate::carrier::asterisk::outcome;
use crate::carrier::asterisk::rest::{External, Rest, RestError, Ring};
use crate::config::Dialect;
use crate::reception::{self, Ringing, Taken};

/// A call that is over is gone from the exchange by then.
const SETTLED: Duration = Duration::from_millis(500);

/// Why something is over that nobody has told us of.
pub(super) const UNSEEN: &str = "lost_from_sight";

/// The calls at one Asterisk, and whom to tell of them.
pub(super) struct Board {
    pub(super) rest: Rest,
    pub(super) settings: Settings,
    pub(super) lives: Lives,
    pub(super) waiting: Callers,
    pub(super) house: OnceLock<(Exchange, reception::Shared)>,
}

impl Board {
    /// A channel has come into our application.
    pub(super) async fn came(self: &Arc<Self>, channel: Channel) {
        match names::role(&channel.id) {
            Role::Phone => match self.lives.get(&channel.id).map(|live| live.stage) {
                Some(Stage::Left) => {}
                Some(_) => self.connect(&channel.id).await,
                // Answered after its call was over.
                None => self.clear(&channel.id).await,
            },
            Role::Media(phone) => self.add(phone, &channel.id).await,
            Role::Human(phone) => self.hand_over(phone).await,
            // They may wait for a place, which other events make.
            Role::Caller => {
                let board = Arc::clone(self);
                drop(tokio::spawn(async move { board.rings(channel).await }));
            }
        }
    }

    /// Somebody rings.
    async fn rings(self: &Arc<Self>, channel: Channel) {
        let Some((exchange, reception)) = self.house.get() else { return };
        let from = match channel.caller.number.as_str() {
            "" => "anonymous",
            number => number,
        };
        let (from, to) = (Number::new(from), Number::new(channel.dialplan.exten.as_str()));
        let dialect = self.settings.dialect;
        let gone = self.waiting.enter(&channel.id);
        let made = match reception.take_in_turn(Ringing { from, to, dialect }).await {
            Ok(Taken::Made(made)) => Some(Ok(made)),
            Ok(Taken::Waits(waiting)) => {
                self.report(self.rest.sound_ringing(&channel.id).await);
                gone.run_until_cancelled(waiting.turn()).await
            }
            Ok(Taken::PassedOn(passing)) => {
                self.waiting.leave(&channel.id);
                return self.pass_on(&channel, passing).await;
            }
            Err(error) => Some(Err(error)),
        };
        self.waiting.leave(&channel.id);
        let made = match made {
            // They hung up while it was written down.
            Some(Ok(made)) if gone.is_cancelled() => {
                let ended = Input::Ended(Outcome::Cancelled, "caller_gave_up".to_owned());
                exchange.tell(&made.call, ended);
                return;
            }
            Some(Ok(made)) => made,
            Some(Err(error)) => {
                tracing::warn!(%error, "a caller was not taken");
                return self.clear(&channel.id).await;
            }
            // They have given up.
            None => return,
        };
        self.lives.enter(&channel.id, Live::of(made.call.clone(), &made.addresses, Stage::Ringing));
        exchange.tell(&made.call, Input::Placed(CarrierCallId(channel.id.clone())));
        match self.rest.answer(&channel.id).await {
            Ok(()) => self.connect(&channel.id).await,
            Err(error) => self.fail(&channel.id, &error).await,
        }
    }

    /// Joins an answered phone with a media channel to us.
    pub(super) async fn connect(&self, phone: &str) {
        if let Err(error) = self.try_connect(phone).await {
            self.fail(phone, &error).await;
        }
    }

    /// Brings the media of a call that an earlier run left to where it is wanted now.
    pub(super) async fn reconnect(&self, phone: &str, dial: &Dial) -> Result<(), CarrierError> {
        // That run's media channel ends with its socket; it may not have noticed yet.
        self.report(self.rest.hang_up(&names::media(phone)).await);
        let live = Live::of(dial.call.clone(), &dial.addresses, Stage::Talking);
        self.lives.enter(phone, live);
        let connected = self.try_connect(phone).await;
        if connected.is_err() {
            self.clear(phone).await;
        }
        connected.map_err(|error| refused(&error))
    }

    async fn try_connect(&self, phone: &str) -> Result<(), RestError> {
        let Some(live) = self.lives.advance(phone, Stage::Talking) else { return Ok(()) };
        let (bridge, media) = (names::bridge(phone), names::media(phone));
        self.rest.bridge(&bridge).await?;
        self.rest.join(&bridge, phone).await?;
        let external = External {
            id: &media,
            connection: &self.settings.connection,
            format: codec(self.settings.dialect),
            call: &live.call.to_string(),
            nonce: &live.nonce,
        };
        match self.rest.external_media(external).await {
            // It is on its way already: an event and a look-up have both told of the answer.
            Err(RestError::Refused { status: 409, .. }) => Ok(()),
            made => made,
        }
    }

    /// Puts a channel into the bridge of a phone.
    pub(super) async fn add(&self, phone: &str, channel: &str) {
        if let Err(error) = self.rest.join(&names::bridge(phone), channel).await {
            self.fail(phone, &error).await;
        }
    }

    /// A channel is gone.
    pub(super) async fn gone(&self, channel: &str, cause: u32) {
        match names::role(channel) {
            Role::Media(phone) => self.media_gone(phone).await,
            Role::Human(phone) => self.human_gone(phone, outcome::of(cause).word()).await,
            Role::Phone | Role::Caller => {
                self.waiting.gone(channel);
                if let Some(live) = self.lives.leave(channel) {
                    let reason = format!("cause_{cause}");
                    self.tell(&live, Input::Ended(outcome::of(cause), reason));
                    self.clear(channel).await;
                }
            }
        }
    }

    /// A channel has left our application. Nothing more is told of those that rang us; of our own
    /// we hear why they are gone.
    pub(super) async fn left(&self, channel: &str) {
        match names::role(channel) {
            Role::Caller => self.gone(channel, outcome::NORMAL).await,
            Role::Phone | Role::Media(_) | Role::Human(_) => {}
        }
    }

    /// The media channel is gone and the phone is not. The socket told the call of it: one that
    /// closed in order was the end, and any other is to be brought back.
    async fn media_gone(&self, phone: &str) {
        tokio::time::sleep(SETTLED).await;
        let Some((exchange, _)) = self.house.get() else { return };
        match self.lives.get(phone) {
            Some(live) if live.stage != Stage::Talking => {}
            Some(live) if exchange.calls().contains(&live.call) => self.connect(phone).await,
            Some(_) => self.clear(phone).await,
            None => {}
        }
    }

    /// A phone is gone, and nobody heard why.
    pub(super) async fn lost(&self, phone: &str) {
        if let Some(live) = self.lives.leave(phone) {
            self.tell(&live, Input::Ended(Outcome::NetworkError, UNSEEN.to_owned()));
        }
        self.clear(phone).await;
    }

    /// An order that a call cannot do without was refused.
    async fn fail(&self, phone: &str, error: &RestError) {
        // A human has the phone by now, and our media is not wanted any more.
        if self.lives.get(phone).is_some_and(|live| !live.is_ours()) {
            return self.report(self.rest.hang_up(&names::media(phone)).await);
        }
        if let Some(live) = self.lives.leave(phone) {
            tracing::warn!(call = %live.call, %error, "a call at asterisk cannot go on");
            self.tell(&live, Input::Ended(Outcome::NetworkError, "not_connected".to_owned()));
        }
        self.clear(phone).await;
    }

    /// Removes all that belongs to a phone.
    pub(super) async fn clear(&self, phone: &str) {
        self.lives.leave(phone);
        self.report(self.rest.hang_up(phone).await);
        self.report(self.rest.hang_up(&names::media(phone)).await);
        self.report(self.rest.hang_up(&names::human(phone)).await);
        self.report(self.rest.remove(&names::bridge(phone)).await);
    }

    /// What cannot be removed now is found again when events come back.
    pub(super) fn report(&self, removed: Result<(), RestError>) {
        if let Err(error) = removed {
            tracing::debug!(%error, "not removed from asterisk");
        }
    }

    pub(super) fn tell(&self, live: &Live, input: Input) {
        if let Some((exchange, _)) = self.house.get() {
            exchange.tell(&live.call, input);
        }
    }

    pub(super) fn endpoint(&self, number: &Number) -> String {
        self.settings.endpoint.replace("{number}", number.as_str())
    }

    pub(super) async fn place(self: &Arc<Self>, dial: Dial) -> Result<CarrierCallId, CarrierError> {
        let phone = names::phone(&dial.call);
        self.lives.enter(&phone, Live::of(dial.call.clone(), &dial.addresses, Stage::Asked));
        let ring = Ring {
            id: &phone,
            endpoint: &self.endpoint(&dial.to),
            caller: dial.from.as_str(),
            ringing: self.settings.ringing,
        };
        match self.rest.ring(ring).await {
            // 409: there is a channel of this name, and only this call has it.
            Ok(()) | Err(RestError::Refused { status: 409, .. }) => {}
            // It took the order and its answer was lost: looking is not ringing twice.
            Err(RestError::NotAnswered(_)) if self.rest.exists(&phone).await == Ok(true) => {}
            // It may take it yet.
            Err(error @ RestError::NotAnswered(_)) => {
                self.look_up_after(self.settings.ringing, &phone);
                return Err(refused(&error));
            }
            Err(error @ (RestError::Refused { .. } | RestError::NotReached(_))) => {
                self.lives.leave(&phone);
                return Err(refused(&error));
            }
        }
        if self.lives.asked(&phone) {
            self.look_again(&phone).await;
        }
        Ok(CarrierCallId(phone))
    }

    pub(super) async fn hang_up(&self, phone: &str) -> Result<(), CarrierError> {
        if self.lives.get(phone).is_some_and(|live| live.stage == Stage::HandedOver) {
            return Ok(());
        }
        self.lives.leave(phone);
        let ended = self.rest.hang_up(phone).await;
        self.clear(phone).await;
        ended.map_err(|error| refused(&error))
    }
}

/// Asterisk's name for the audio.
const fn codec(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Asterisk8k | Dialect::Twilio => "ulaw",
        Dialect::Asterisk24k | Dialect::Acs24k | Dialect::Acs16k | Dialect::Softphone => "slin24",
    }
}

/// 400 is an order that it does not understand, so its endpoint is no endpoint; 500 one that it
/// has no channel for: a trunk that it does not know or reach.
pub(super) fn refused(error: &RestError) -> CarrierError {
    tracing::debug!(%error, "an order to asterisk");
    match error {
        RestError::Refused { status: 400 | 401 | 403, .. } => {
            CarrierError::Refused(Outcome::SystemError)
        }
        RestError::Refused { .. } | RestError::NotReached(_) => {
            CarrierError::Refused(Outcome::NetworkError)
        }
        RestError::NotAnswered(why) => CarrierError::Unknown(why.clone()),
    }
}
