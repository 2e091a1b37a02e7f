//! Twilio as the carrier of calls: places, ends and hands over, and takes what Twilio tells.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{
    Addresses, Carrier, CarrierCallId, CarrierError, Dial, Line, Number, Standing,
};
use tandem_actors::clock;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::book::{self, Arrival, Book, News, Stranger};
use super::form::Form;
use super::outcome::{self, Callback};
use super::recording::{self, Keeper};
use super::rest::{Access, Placing, Rest, RestError};
use super::signature::Seal;
use super::waiting::{Callers, Turn};
use super::whisper::Whispers;
use super::{Start, handover, twiml};
use crate::recording::Recordings;

/// Where Twilio is told that a call rings here, and asks again what comes next.
const INCOMING: &str = "/twilio/incoming";

/// What an operator decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `AC…`.
    pub account: String,
    /// What Twilio signs with.
    pub auth_token: SecretString,
    /// What opens the REST interface.
    pub access: Access,
    /// The REST interface.
    pub api_url: String,
    /// How Twilio reaches us: `https://bridge.example.com`, without a path.
    pub public_url: String,
    /// Seconds a phone may ring.
    pub rings_s: u64,
    /// Whether Twilio listens for answering machines.
    pub detect_machines: bool,
    /// Where the recordings go that Twilio makes; without it there are none.
    pub record: Option<Recordings>,
}

/// Twilio; cheap to clone.
#[derive(Clone, Debug)]
pub struct Twilio(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rest: Rest,
    seal: Seal,
    book: Book,
    whispers: Whispers,
    callers: Callers,
    keeper: Option<Keeper>,
    public_url: String,
    rings_s: u64,
    detect_machines: bool,
}

/// A call that rings here, at Twilio's door.
#[derive(Debug)]
pub enum Ring {
    /// It has not been seen before. What becomes of it is told through this.
    New(Arriving),
    /// It has been taken: the webhook is repeated, and so is its answer.
    Known(String),
    /// It is being taken at this moment.
    Arriving,
}

/// A call that is being made one of ours; when dropped, it was not taken.
#[derive(Debug)]
pub struct Arriving {
    twilio: Twilio,
    name: String,
}

impl Arriving {
    /// It was taken. Returns what Twilio is to do.
    #[must_use]
    pub fn taken(self, call: &CallId, own: Number, addresses: &Addresses) -> String {
        self.twilio.0.book.arrived(call.clone(), &self.name, own, addresses.clone());
        book::stream(call, addresses)
    }

    /// Twilio's name for it.
    #[must_use]
    pub fn name(&self) -> CarrierCallId {
        CarrierCallId(self.name.clone())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.twilio.0.book.turned_away(&self.name);
    }
}

impl Twilio {
    /// For this account.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let rest = Rest::new(&settings.account, settings.access, &settings.api_url)?;
        Ok(Self(Arc::new(Inner {
            keeper: settings.record.map(|recordings| Keeper::new(rest.clone(), recordings)),
            rest,
            seal: Seal::new(settings.auth_token),
            book: Book::default(),
            whispers: Whispers::default(),
            callers: Callers::default(),
            public_url: settings.public_url.trim_end_matches('/').to_owned(),
            rings_s: settings.rings_s,
            detect_machines: settings.detect_machines,
        })))
    }

    /// Whether Twilio posted this form here. The address it was given is the public one,
    /// whatever proxies made of it and whatever headers they add.
    #[must_use]
    pub fn posted(&self, path: &str, form: &Form, signature: &str) -> bool {
        self.0.seal.is_on_form(&self.public(path), form, signature)
    }

    /// Whether Twilio posted this body, which is no form, here.
    #[must_use]
    pub fn posted_body(&self, path: &str, body: &[u8], signature: &str) -> bool {
        self.0.seal.is_on_body(&self.public(path), body, signature)
    }

    /// Whether Twilio asks for a WebSocket here.
    #[must_use]
    pub fn dials(&self, path: &str, signature: &str) -> bool {
        let url = self.public(path);
        // `http` becomes `ws` and `https` becomes `wss`.
        let url = url.strip_prefix("http").map_or_else(|| url.clone(), |rest| format!("ws{rest}"));
        self.0.seal.is_on_upgrade(&url, signature)
    }

    fn public(&self, path: &str) -> String {
        format!("{}{path}", self.0.public_url)
    }

    /// A call rings here under this name of Twilio's.
    #[must_use]
    pub fn rings(&self, name: &str) -> Ring {
        match self.0.book.arrives(name) {
            Arrival::New => Ring::New(Arriving { twilio: self.clone(), name: name.to_owned() }),
            Arrival::Known(call, addresses) => Ring::Known(book::stream(&call, &addresses)),
            Arrival::Arriving => Ring::Arriving,
        }
    }

    /// Takes a callback that was posted to this call's address.
    ///
    /// # Errors
    /// [`Stranger`]; nothing has changed.
    pub fn hear(&self, call: &CallId, callback: Callback<'_>) -> Result<News, Stranger> {
        self.0.book.hear(call, callback)
    }

    /// Takes a stream that came to this call's address: makes its line one whose end is not
    /// taken for the caller's when they are handed over. The second value is news for the call.
    ///
    /// # Errors
    /// [`Stranger`] when the stream is another call's.
    pub fn take_media(
        &self,
        call: &CallId,
        start: &Start,
        line: Line,
    ) -> Result<(Line, Option<Input>), Stranger> {
        if start.parameters.get(book::CALL).map(String::as_str) != Some(&*call.0) {
            return Err(Stranger);
        }
        let news = self.0.book.named(call, &start.call)?;
        let leaving = self.0.book.leaving(call).ok_or(Stranger)?;
        if let Some(keeper) = &self.0.keeper
            && let Some(events) = self.0.book.first_media(call)
        {
            keeper.begin(call, &start.call, events);
        }
        Ok((handover::line(line, leaving), news.then(|| Input::Placed(start.call.clone()))))
    }

    /// What the human who has picked up is told, by the name in the address that was asked for;
    /// once.
    #[must_use]
    pub fn whispered(&self, name: &str) -> Option<Text> {
        self.0.whispers.take(name)
    }

    /// A caller waits for a place in this task, which tells what becomes of them. Returns what
    /// Twilio is to do meanwhile.
    #[must_use]
    pub fn waits(
        &self,
        name: &str,
        turn: watch::Receiver<Option<Turn>>,
        task: AbortHandle,
    ) -> String {
        self.0.callers.enter(name, (turn, task), &self.public(INCOMING), clock::now())
    }

    /// What Twilio is to do with a caller who waits, after a moment in which their turn may come;
    /// nothing when they do not wait, or not any more.
    pub async fn still_waits(&self, name: &str) -> Option<String> {
        self.0.callers.asked(name, &self.public(INCOMING), clock::now()).await
    }

    /// Forgets calls that are not live any more. It asks for the live ones, in order. Returns those
    /// of callers who hung up while they waited.
    pub fn tidy(&self, live: impl FnOnce() -> Vec<CallId>) -> Vec<CallId> {
        self.0.book.keep(live);
        self.0.whispers.tidy(clock::now());
        self.0.callers.tidy(clock::now())
    }

    /// Takes what Twilio says of a call's recording.
    pub fn recorded(&self, call: &CallId, told: recording::Told) {
        match &self.0.keeper {
            Some(keeper) => keeper.hear(call, told),
            None => tracing::debug!(%call, "a recording that was not ordered"),
        }
    }

    /// How many recordings of Twilio's have been fetched since the start, when it makes any.
    #[must_use]
    pub fn kept(&self) -> Option<watch::Receiver<u64>> {
        self.0.keeper.as_ref().map(Keeper::kept)
    }
}

impl Carrier for Twilio {
    fn place(&self, dial: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let Dial { call, to, from, addresses } = dial;
            let mut named = inner.book.dialled(call.clone(), from.clone(), addresses.clone());
            let twiml = book::stream(&call, &addresses);
            let order = Placing {
                to: &to,
                from: &from,
                twiml: &twiml,
                events: &addresses.events,
                rings_s: inner.rings_s,
                detect_machines: inner.detect_machines,
            };
            // The answer to the order tells the call's name, or else the first callback does.
            let placed = tokio::select! {
                Ok(name) = &mut named => return Ok(name),
                placed = inner.rest.place(order) => placed,
            };
            named.close();
            match (placed, named.try_recv()) {
                (_, Ok(name)) => Ok(name),
                (Ok(name), Err(_)) => match inner.book.named(&call, &name) {
                    Ok(_) => Ok(name),
                    Err(error) => Err(CarrierError::Unknown(error.to_string())),
                },
                (Err(error), Err(_)) => Err(sort(&call, &error)),
            }
        })
    }

    fn find(
        &self,
        dial: Dial,
        ordered: SystemTime,
    ) -> BoxFuture<'static, Result<Option<CarrierCallId>, CarrierError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let listed = inner.rest.calls(&dial.to, &dial.from).await;
            let listed = listed.map_err(|error| CarrierError::Unknown(error.to_string()))?;
            let found = listed.ordered(ordered, |name| inner.book.has(name));
            match found {
                // A callback may have named it meanwhile.
                Some(name) if inner.book.named(&dial.call, &name).is_err() => Ok(None),
                found => Ok(found),
            }
        })
    }

    fn look(&self, call: CarrierCallId) -> BoxFuture<'static, Result<Standing, CarrierError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let seen = inner.rest.look(&call).await;
            let seen = seen.map_err(|error| CarrierError::Unknown(error.to_string()))?;
            Ok(seen.map_or(Standing::Gone, |seen| {
                let seconds = seen.duration.and_then(|seconds| seconds.parse().ok());
                outcome::standing(&seen.status, seconds.map(Duration::from_secs))
            }))
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
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let Dial { call: ours, from, addresses, .. } = dial;
            let twiml = book::stream(&ours, &addresses);
            inner.book.arrived(ours, &call.0, from, addresses.clone());
            match inner.rest.take_back(&call, &twiml, &addresses.events).await {
                Ok(()) => Ok(()),
                // It was live a moment ago.
                Err(RestError::Refused { .. }) => Err(CarrierError::Refused(Outcome::Answered)),
                Err(error @ (RestError::NotSent(_) | RestError::Unknown(_))) => {
                    Err(CarrierError::Unknown(error.to_string()))
                }
            }
        })
    }

    fn hang_up(&self, call: CarrierCallId) -> BoxFuture<'static, Result<(), CarrierError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            // We have left; the two who talk now hang up themselves.
            if inner.book.is_with_human(&call) {
                return Ok(());
            }
            inner.rest.end(&call).await.map_err(|error| CarrierError::Unknown(error.to_string()))
        })
    }

    fn transfer(
        &self,
        call: CarrierCallId,
        to: Number,
        introduction: Text,
    ) -> BoxFuture<'static, Result<(), CarrierError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let Some((own, addresses)) = inner.book.hand_over(&call) else {
                return Err(CarrierError::Refused(Outcome::Failed));
            };
            let name = inner.whispers.keep(introduction, clock::now());
            let whisper = format!("{}/twilio/whisper/{name}", inner.public_url);
            let dial = twiml::dial(&to, &own, &addresses, &whisper);
            match inner.rest.redirect(&call, &dial).await {
                Ok(()) => Ok(()),
                // It may have been carried out: then the end of the stream is not the caller's.
                Err(RestError::Unknown(why)) => Err(CarrierError::Unknown(why)),
                Err(error @ (RestError::NotSent(_) | RestError::Refused { .. })) => {
                    inner.book.stay(&call);
                    drop(inner.whispers.take(&name));
                    tracing::warn!(%error, "hand-over order");
                    Err(CarrierError::Refused(Outcome::Failed))
                }
            }
        })
    }
}

fn sort(call: &CallId, error: &RestError) -> CarrierError {
    match error {
        RestError::Unknown(why) => CarrierError::Unknown(why.clone()),
        RestError::NotSent(_) => {
            tracing::error!(%call, %error, "dial order");
            CarrierError::Refused(Outcome::NetworkError)
        }
        RestError::Refused { code, .. } => {
            tracing::warn!(%call, %error, "dial order");
            CarrierError::Refused(outcome::refused(*code))
        }
    }
}
