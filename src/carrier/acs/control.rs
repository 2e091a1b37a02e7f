//! The control side of ACS: what a call, the routes of ringing phones and a hand-over ask of
//! ACS outside the media socket. How each went is told later, by ACS's callbacks.

mod people;
mod recording;

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::Method;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::carrier::{
    Addresses, Carrier, CarrierCallId, CarrierError, Dial, Digit, Number, Standing,
};
use uuid::{Builder, Uuid};

use super::Rate;
use super::connection::Connection;
use super::order::{self, Begin, IncomingContext, Rejection};
use super::outcome;
use super::reply;
use super::rest::{Failure, Order, Rest};
use people::Parties;

pub use recording::{FetchError, Part};

/// `operationContext` of a hand-over: comes back in `CallTransferAccepted` and
/// `CallTransferFailed`.
pub const TRANSFER: &str = "transfer";

/// `operationContext` of a human who is rung into a call: comes back in
/// `AddParticipantSucceeded` and `AddParticipantFailed`.
pub const INVITE: &str = "invite";

/// How long that human is rung: carriers' mailboxes pick up after some thirty seconds.
const RINGS_S: u8 = 45;

/// `operationContext` of pressed keys: comes back in `SendDtmfTonesCompleted` and
/// `SendDtmfTonesFailed`.
pub const KEYS: &str = "keys";

/// The first segments of every path.
const CALLING: &str = "calling";
const CALLS: &str = "callConnections";

/// The code of a call that is not there (any more).
const CALL_NOT_FOUND: &str = "8522";

/// What ACS has to be told about us.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The resource.
    pub connection: Connection,
    /// The `api-version` of every request; it also decides the shape of the callbacks.
    pub api_version: String,
    /// Our number: the caller id of calls, hand-overs and people we add.
    pub number: Number,
    /// The audio of every call.
    pub rate: Rate,
}

/// The control side of ACS. Cheap to clone; all clones are one.
///
/// Every order is authorized anew, sent at most twice and the second time as the same order
/// (`Repeatability-Request-ID`), and only after a connection that failed, a 429 or a 5xx.
#[derive(Clone)]
pub struct Control(Arc<Desk>);

struct Desk {
    rest: Rest,
    number: Number,
    rate: Rate,
    parties: Parties,
}

impl Control {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// When the TLS of this machine cannot be set up.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let Settings { connection, api_version, number, rate } = settings;
        let rest = Rest::new(connection, api_version)?;
        Ok(Self(Arc::new(Desk { rest, number, rate, parties: Parties::default() })))
    }

    /// Answers a ringing call. ACS then connects to `addresses.media` and tells
    /// `addresses.events` what becomes of the call, with `call` as `operationContext`.
    /// `caller` is whom keys are pressed towards.
    ///
    /// # Errors
    /// [`CarrierError::Refused`] with [`Outcome::Cancelled`] when the caller gave up, with
    /// another outcome when ACS refused; [`CarrierError::Unknown`] when it may be answered.
    pub async fn answer(
        &self,
        incoming: &IncomingContext,
        caller: Number,
        call: &CallId,
        addresses: &Addresses,
    ) -> Result<CarrierCallId, CarrierError> {
        let begin = Begin { addresses, context: &call.0, rate: self.0.rate };
        let body = order::answer(incoming, begin);
        let path = [CALLING, "callConnections:answer"];
        self.begin(Order::once("answer", path, body, only("answer", call)), caller).await
    }

    /// Does not answer a ringing call.
    ///
    /// # Errors
    /// [`CarrierError`]; then it may ring on until the caller gives up.
    pub async fn reject(
        &self,
        incoming: &IncomingContext,
        why: Rejection,
    ) -> Result<(), CarrierError> {
        let body = order::reject(incoming, why);
        let path = [CALLING, "callConnections:reject"];
        self.done(Order::once("reject", path, body, Uuid::now_v7())).await
    }

    /// Lets a ringing call ring at another number.
    ///
    /// # Errors
    /// [`CarrierError`]; then it may ring on here.
    pub async fn redirect(
        &self,
        incoming: &IncomingContext,
        to: &Number,
    ) -> Result<(), CarrierError> {
        let body = order::redirect(incoming, to);
        let path = [CALLING, "callConnections:redirect"];
        self.done(Order::once("redirect", path, body, Uuid::now_v7())).await
    }

    /// Asks for a call; nothing when ACS does not know it (any more).
    ///
    /// # Errors
    /// [`CarrierError`]; then nothing is known.
    pub async fn look(
        &self,
        call: &CarrierCallId,
    ) -> Result<Option<reply::Connection>, CarrierError> {
        let order = Order::harmless("look", Method::GET, [CALLING, CALLS, &call.0]);
        match self.0.rest.send(&order).await {
            Ok(body) => read(&order, &body).map(Some),
            Err(failure) if is_over(&failure) => Ok(None),
            Err(failure) => Err(told(&order, failure)),
        }
    }

    /// Carries out an order that begins a call with somebody.
    async fn begin(&self, order: Order, who: Number) -> Result<CarrierCallId, CarrierError> {
        let connection: reply::Connection = self.asked(order).await?;
        let call = CarrierCallId(connection.call_connection_id);
        self.0.parties.remember(&call, who);
        Ok(call)
    }

    /// Carries out an order whose answer says nothing.
    async fn done(&self, order: Order) -> Result<(), CarrierError> {
        self.0.rest.send(&order).await.map(drop).map_err(|failure| told(&order, failure))
    }

    /// Carries out an order that ends something; that it is over already is a success.
    async fn ended(&self, order: Order) -> Result<(), CarrierError> {
        match self.0.rest.send(&order).await {
            Ok(_) => Ok(()),
            Err(failure) if is_over(&failure) => Ok(()),
            Err(failure) => Err(told(&order, failure)),
        }
    }

    /// Carries out an order and reads its answer.
    async fn asked<T: DeserializeOwned>(&self, order: Order) -> Result<T, CarrierError> {
        let body = self.0.rest.send(&order).await.map_err(|failure| told(&order, failure))?;
        read(&order, &body)
    }

    async fn press_all(&self, call: CarrierCallId, keys: Vec<Digit>) -> Result<(), CarrierError> {
        let party = self.party(&call).await?;
        for group in keys.chunks(order::KEYS_AT_ONCE) {
            let body = order::press(group, &party, KEYS);
            let path = [CALLING, CALLS, &format!("{}:sendDtmfTones", call.0)];
            self.done(Order::once("press", path, body, Uuid::now_v7())).await?;
        }
        Ok(())
    }
}

impl Carrier for Control {
    fn place(&self, dial: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>> {
        let control = self.clone();
        Box::pin(async move {
            let rate = control.0.rate;
            let begin = Begin { addresses: &dial.addresses, context: &dial.call.0, rate };
            let body = order::create(&dial.to, &dial.from, begin);
            let id = only("create", &dial.call);
            control.begin(Order::once("create", [CALLING, CALLS], body, id), dial.to).await
        })
    }

    fn look(&self, call: CarrierCallId) -> BoxFuture<'static, Result<Standing, CarrierError>> {
        let control = self.clone();
        Box::pin(async move {
            let known = Self::look(&control, &call).await?;
            Ok(known.map_or(Standing::Gone, |connection| connection.standing()))
        })
    }

    fn reconnects(&self) -> bool {
        true
    }

    /// To where ACS was told at first: the addresses of a call are always the same.
    fn reconnect(
        &self,
        call: CarrierCallId,
        dial: Dial,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let control = self.clone();
        Box::pin(async move {
            control.0.parties.remember(&call, dial.to);
            let path = [CALLING, CALLS, &format!("{}:startMediaStreaming", call.0)];
            let order = Order::harmless("stream", Method::POST, path).with("{}");
            match control.0.rest.send(&order).await {
                Ok(_) => Ok(()),
                Err(failure) if is_over(&failure) => Err(told(&order, failure)),
                // It may have noticed that its socket broke, and be on its way by itself.
                Err(failure) => Err(CarrierError::Unknown(told(&order, failure).to_string())),
            }
        })
    }

    fn hang_up(&self, call: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        let control = self.clone();
        Box::pin(async move {
            let path = [CALLING, CALLS, &format!("{}:terminate", call.0)];
            control.ended(Order::harmless("terminate", Method::POST, path)).await
        })
    }

    fn press(
        &self,
        call: CarrierCallId,
        keys: Vec<Digit>,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let control = self.clone();
        Box::pin(async move { control.press_all(call, keys).await })
    }

    fn invite(
        &self,
        call: CarrierCallId,
        who: Number,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let control = self.clone();
        Box::pin(async move { control.add(&call, &who, RINGS_S, INVITE).await.map(drop) })
    }

    fn leave(&self, call: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        let control = self.clone();
        Box::pin(async move {
            let path = [CALLING, CALLS, &call.0];
            control.ended(Order::harmless("leave", Method::DELETE, path)).await
        })
    }

    fn transfer(
        &self,
        call: CarrierCallId,
        to: Number,
        _introduction: Text,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let control = self.clone();
        Box::pin(async move {
            let body = order::transfer(&to, &control.0.number, TRANSFER);
            let path = [CALLING, CALLS, &format!("{}:transferToParticipant", call.0)];
            control.done(Order::once("transfer", path, body, Uuid::now_v7())).await
        })
    }
}

/// The id of an order that a call gives at most once in its life.
fn only(order: &str, call: &CallId) -> Uuid {
    let hash = Sha256::digest(format!("{order} {call}"));
    let bytes = hash.first_chunk().expect("32 bytes hold 16");
    Builder::from_custom_bytes(*bytes).into_uuid()
}

fn is_over(failure: &Failure) -> bool {
    match failure {
        Failure::Refused { status, code } => {
            *status == 404 && code.as_deref() == Some(CALL_NOT_FOUND)
        }
        Failure::NotReached(_) | Failure::NoToken(_) | Failure::Unknown(_) => false,
    }
}

fn read<T: DeserializeOwned>(order: &Order, body: &[u8]) -> Result<T, CarrierError> {
    serde_json::from_slice(body).map_err(|error| {
        // serde's words may quote the body.
        let (line, column) = (error.line(), error.column());
        tracing::warn!(order = order.name, line, column, "an answer of ACS makes no sense");
        CarrierError::Unknown(format!("{}: an answer that makes no sense", order.name))
    })
}

/// The failure in the words of the port. The carrier's own codes end here, so they are logged.
fn told(order: &Order, failure: Failure) -> CarrierError {
    let name = order.name;
    match failure {
        Failure::Refused { status, code } => {
            let meaning = outcome::of_refusal(status, code.as_deref());
            let code = code.unwrap_or_default();
            tracing::warn!(order = name, status, code, reason = meaning.reason, "refused by ACS");
            CarrierError::Refused(meaning.outcome)
        }
        Failure::NotReached(error) => {
            tracing::warn!(order = name, error, "ACS not reached");
            CarrierError::Refused(Outcome::NetworkError)
        }
        Failure::NoToken(error) => {
            tracing::warn!(order = name, %error, "not authorized to ask ACS");
            let passes = error.may_pass();
            let outcome = if passes { Outcome::NetworkError } else { Outcome::SystemError };
            CarrierError::Refused(outcome)
        }
        Failure::Unknown(why) => CarrierError::Unknown(format!("{name}: {why}")),
    }
}
