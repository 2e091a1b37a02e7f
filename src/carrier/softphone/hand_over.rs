//! Handing the other party of a call over to a browser: it rings there, and whoever answers is put
//! together with them. The call's part is over then, as with every carrier; the two lines are held
//! together by a task of their own.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{Carrier as _, CarrierCallId, CarrierError, Line, Number};
use tandem_actors::exchange::Exchange;
use tokio::time::{Instant, interval};

use super::board::Rung;
use super::bridge::Bridge;
use super::control::Softphones;
use super::wire::{Outbound, Why};
use super::{CODING, media_path_of};
use crate::carrier::convert;
use crate::store::Bridges as _;

/// How long it rings: as long as carriers do, and less than a call waits for their word.
const RINGS: Duration = Duration::from_secs(60);

/// How often it is looked whether there is still somebody to be handed over.
const LOOK: Duration = Duration::from_millis(250);

/// A line that has been without media for so long is not waited for: a carrier that lost its
/// socket is back sooner.
const AWAY: Duration = Duration::from_secs(3);

/// Pairs of people at once: each is two sockets and as much audio as a call.
const BRIDGES: usize = 64;

/// Bytes of a nonce: beyond guessing.
const NONCE_BYTES: usize = 24;

impl Softphones {
    /// Rings the browser that stands in for this number, for the other party of a call.
    pub(super) async fn hand_over(
        self,
        name: CarrierCallId,
        to: Number,
        introduction: Text,
    ) -> Result<(), CarrierError> {
        let failed = || CarrierError::Refused(Outcome::Failed);
        let exchange = self.exchange.get().ok_or_else(failed)?;
        let is_it = |call: &CallId| exchange.carrier_call(call).as_ref() == Some(&name);
        let call = exchange.calls().into_iter().find(is_it).ok_or_else(failed)?;
        let from = exchange.remote(&call).ok_or_else(failed)?;
        if self.bridges.len() >= BRIDGES {
            return Err(CarrierError::Refused(Outcome::Busy));
        }
        // A process that is killed from here on leaves a caller on a line of ours: the next start
        // must know of it.
        if let Err(error) = self.store.bridge(call.clone(), name.clone()).await {
            tracing::warn!(%call, %error, "a hand-over to a browser is not written down");
        }
        if exchange.remote(&call).is_none() {
            self.let_go(&call).await;
            return Err(failed());
        }
        let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; NONCE_BYTES]>());
        let media = media_path_of(&call, &nonce);
        let message = Outbound::Ring {
            call: &call.0,
            from: from.as_str(),
            why: Why::HandOver,
            introduction: Some(introduction.as_str()),
            media: &media,
        }
        .text();
        let rung = Rung { call, why: Why::HandOver };
        if !self.board.ring(&to, rung.clone(), message, Some(nonce.clone())) {
            return Err(CarrierError::Refused(Outcome::NoAnswer));
        }
        drop(tokio::spawn(self.clone().wait(exchange.clone(), rung, nonce, name)));
        Ok(())
    }

    /// Waits until it has been answered or refused, as long as it may ring and there is somebody
    /// to be handed over.
    async fn wait(self, exchange: Exchange, rung: Rung, nonce: String, name: CarrierCallId) {
        let (begun, mut look) = (Instant::now(), interval(LOOK));
        let mut heard = begun;
        let outcome = loop {
            look.tick().await;
            // Another one for the same call has a wait of its own.
            if !self.board.awaits(&rung.call, &nonce) {
                return;
            }
            // A line that broke comes back, or not within what a call waits for it.
            heard = if exchange.has_media(&rung.call) { Instant::now() } else { heard };
            if heard.elapsed() >= AWAY {
                break Outcome::Cancelled;
            }
            if begun.elapsed() >= RINGS {
                break Outcome::NoAnswer;
            }
        };
        if !self.board.take_back(&rung, outcome.word()) {
            return;
        }
        let is_left = outcome == Outcome::Cancelled;
        if is_left {
            // The call takes the end of its media for the hand-over.
            let ended = Input::Ended(Outcome::Answered, "remote_hung_up".to_owned());
            exchange.tell(&rung.call, ended);
        }
        exchange.tell(&rung.call, Input::Transferred(Err(outcome.word().to_owned())));
        // Their line may be there when its media is not.
        if is_left {
            self.part(&rung.call, name).await;
        }
    }

    /// Whether a hand-over waits for a browser that knows this nonce.
    #[must_use]
    pub fn awaits(&self, call: &CallId, nonce: &str) -> bool {
        self.board.awaits(call, nonce)
    }

    /// A browser has answered a hand-over: it is put together with the other party of the call,
    /// whose part is over with that.
    pub async fn meet(&self, call: CallId, nonce: &str, browser: Line) {
        let Some(exchange) = self.exchange.get().filter(|_| self.board.pick_up(&call, nonce))
        else {
            return;
        };
        let rung = Rung { call: call.clone(), why: Why::HandOver };
        let (format, name) = (exchange.format(&call), exchange.carrier_call(&call));
        let other = exchange.take_line(&call).await;
        let (Some(format), Some(name), Some(other)) = (format, name, other) else {
            self.board.over(&rung, Outcome::Cancelled.word());
            exchange.tell(&call, Input::Transferred(Err("gone".to_owned())));
            return;
        };
        let browser = convert::line(browser, CODING, format);
        self.board.handed_over(&call);
        let softphones = self.clone();
        self.bridges.spawn(async move {
            Bridge::between(other, browser).run(&softphones.stop).await;
            for why in [Why::HandOver, Why::Call] {
                let rung = Rung { call: rung.call.clone(), why };
                softphones.board.over(&rung, Outcome::Answered.word());
            }
            softphones.part(&rung.call, name).await;
        });
        exchange.tell(&call, Input::Transferred(Ok(())));
    }

    /// Ends the line of whom a browser had, or was to have; whether that was done. Behind a bridge
    /// a line that is not ended is known to the next start.
    pub async fn part(&self, call: &CallId, name: CarrierCallId) -> bool {
        if let Err(error) = self.hang_up(name).await {
            tracing::warn!(%call, %error, "hang-up behind a browser");
            return false;
        }
        self.let_go(call).await;
        true
    }

    async fn let_go(&self, call: &CallId) {
        if let Err(error) = self.store.unbridge(call.clone()).await {
            tracing::warn!(%call, %error, "the next start hangs up once more");
        }
    }

    /// How many pairs of people talk.
    #[must_use]
    pub fn bridges(&self) -> usize {
        self.bridges.len()
    }

    /// Waits until nobody talks any more.
    pub async fn emptied(&self) {
        self.bridges.close();
        self.bridges.wait().await;
    }
}
