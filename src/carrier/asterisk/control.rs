//! The orders of a call to an Asterisk, and what becomes of them: rings, bridges with the media
//! channel, presses keys, hands over, removes what is left. How the steps follow each other is
//! told in the module above.

mod board;
mod human;
mod live;
mod overdue;
mod resume;
#[cfg(test)]
mod tests;
mod waiting;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::carrier::{Carrier, CarrierCallId, CarrierError, Dial, Digit, Number, Standing};
use tandem_actors::exchange::Exchange;

use super::ari::Event;
use super::names;
use super::rest::{Rest, RestError};
use crate::config::Dialect;
use crate::reception;
use board::{Board, refused};
use live::{Live, Lives};
use waiting::Callers;

/// How calls are made at this Asterisk.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is dialled, `{number}` standing for the number.
    pub endpoint: String,
    /// The name of the connection to us in its `websocket_client.conf`.
    pub connection: String,
    /// The audio of the media channel.
    pub dialect: Dialect,
    /// How long a phone may ring. The call gives up by itself before that.
    pub ringing: Duration,
    /// How long a human's phone may ring for a caller who is put straight through.
    pub passed_rings: Duration,
    /// Our number, shown to a human whom somebody is handed over to.
    pub number: Number,
}

/// The control of one Asterisk; cheap to clone.
#[derive(Clone)]
pub struct Control(Arc<Board>);

impl Control {
    /// A control without calls.
    #[must_use]
    pub fn new(rest: Rest, settings: Settings) -> Self {
        let (lives, waiting, house) = (Lives::default(), Callers::default(), OnceLock::new());
        Self(Arc::new(Board { rest, settings, lives, waiting, house }))
    }

    /// Tells it whom to tell, and who takes those that ring.
    pub fn serve(&self, exchange: Exchange, reception: reception::Shared) {
        // A control serves one house for its life.
        let _first = self.0.house.set((exchange, reception));
    }

    /// Keeps a call that an earlier run left until somebody goes on with it or hangs up. Without a
    /// name it is one that we have placed.
    pub fn keep(&self, call: &CallId, name: Option<&CarrierCallId>) {
        let phone = name.map_or_else(|| names::phone(call), |name| name.0.clone());
        self.0.lives.enter(&phone, Live::left(call.clone()));
    }

    /// Whether Asterisk is there.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn ping(&self) -> Result<(), RestError> {
        self.0.rest.ping().await
    }

    /// Does what an event asks for.
    pub async fn handle(&self, event: Event) {
        match event {
            Event::Came(channel) => self.0.came(channel).await,
            Event::Gone(channel, cause) => self.0.gone(&channel.id, cause).await,
            Event::Left(channel) => self.0.left(&channel.id).await,
            Event::Replaced => {
                tracing::error!("another server has taken our place at this asterisk");
            }
            Event::Other => {}
        }
    }

    /// Looks up every live call after events may have been missed: calls that are over are
    /// ended, calls that were answered get their media, humans who have picked up get their
    /// callers. What no call has is removed, unless two humans of an earlier run talk there.
    ///
    /// # Errors
    /// [`RestError`]; then nothing is known.
    pub async fn resume(&self) -> Result<(), RestError> {
        self.0.resume().await
    }
}

impl Carrier for Control {
    fn place(&self, dial: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>> {
        let board = Arc::clone(&self.0);
        Box::pin(async move { board.place(dial).await })
    }

    fn look(&self, call: CarrierCallId) -> BoxFuture<'static, Result<Standing, CarrierError>> {
        let board = Arc::clone(&self.0);
        Box::pin(async move {
            let channel = board.rest.channel(&call.0).await;
            let channel = channel.map_err(|error| CarrierError::Unknown(error.to_string()))?;
            Ok(match channel {
                Some(channel) if channel.state == "Up" => Standing::Live,
                Some(_) => Standing::Ringing,
                None => {
                    board.lives.leave(&call.0);
                    Standing::Gone
                }
            })
        })
    }

    fn reconnects(&self) -> bool {
        true
    }

    fn reconnect(
        &self,
        call: CarrierCallId,
        dial: Dial,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let board = Arc::clone(&self.0);
        Box::pin(async move { board.reconnect(&call.0, &dial).await })
    }

    fn find(
        &self,
        dial: Dial,
        _ordered: SystemTime,
    ) -> BoxFuture<'static, Result<Option<CarrierCallId>, CarrierError>> {
        let board = Arc::clone(&self.0);
        Box::pin(async move {
            // The channel has the name that the order gave it.
            let phone = names::phone(&dial.call);
            let exists = board.rest.exists(&phone).await;
            let exists = exists.map_err(|error| CarrierError::Unknown(error.to_string()))?;
            if exists && board.lives.asked(&phone) {
                board.look_again(&phone).await;
            }
            Ok(exists.then_some(CarrierCallId(phone)))
        })
    }

    fn hang_up(&self, call: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        let board = Arc::clone(&self.0);
        Box::pin(async move { board.hang_up(&call.0).await })
    }

    fn press(
        &self,
        call: CarrierCallId,
        keys: Vec<Digit>,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let board = Arc::clone(&self.0);
        let keys: String = keys.into_iter().map(Digit::key).collect();
        Box::pin(
            async move { board.rest.press(&call.0, &keys).await.map_err(|error| refused(&error)) },
        )
    }

    fn transfer(
        &self,
        call: CarrierCallId,
        to: Number,
        _introduction: Text,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let board = Arc::clone(&self.0);
        Box::pin(async move { board.transfer(&call.0, &to).await })
    }
}
