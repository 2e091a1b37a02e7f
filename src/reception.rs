//! Makes a call of an order or of a ringing phone: writes it down, briefs it, admits it, and
//! lets exactly the right media socket in. Knows no HTTP.

mod addresses;
mod briefing;
mod order;
mod resume;
mod ticket;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tandem_actors::audio::Format;
use tandem_actors::briefing::{Briefing, CallId, Direction, Lifecycle, Limits, Text};
use tandem_actors::call::consent::Pin;
use tandem_actors::carrier::{Addresses, Line, Number};
use tandem_actors::exchange::{Exchange, NotAttached, Refusal};
use tandem_actors::record::{Opened, RecordError};
use tandem_actors::tool::Promise;
use uuid::Uuid;

use crate::account::Account;
use crate::carrier::convert::{self, Coding};
use crate::clips::Stock;
use crate::config::{Dialect, Voicemail};
use crate::persona::{Manner, Persona};
use crate::policy::{Gate, Refused};
use crate::recording::Recordings;
use crate::store::{
    Bounds, NoPlace, NotOpened, Once, Ordered, Orders as _, Part, Permit, Policies as _,
    Profiles as _, Store, Terms,
};
use ticket::{Admission, Tickets};

pub use order::{Order, Ringing, Wish};

/// Takes orders and ringing phones.
pub struct Reception {
    exchange: Exchange,
    store: Store,
    recordings: Option<Recordings>,
    tickets: Tickets,
    clips: Stock,
    house: House,
}

/// What is the same for every call of this server.
#[derive(Clone, Debug)]
pub struct House {
    /// `http://host:port` or `https://host`, without a path: where carriers reach us.
    pub url: String,
    /// How the carrier speaks unless an order says otherwise.
    pub dialect: Dialect,
    /// The model's voice.
    pub voice: String,
    /// The formats the model takes, best first.
    pub formats: Vec<Format>,
    /// The tools of every call.
    pub tools: Vec<Promise>,
    /// Whom calls may ring, and when.
    pub gate: Gate,
    /// How long things may take.
    pub limits: Limits,
    /// Our number.
    pub number: Number,
    /// A human's number: whom callers may be handed over to.
    pub human: Option<Number>,
    /// What approves sensitive tools, entered on the keypad.
    pub pin: Option<Pin>,
    /// Who speaks.
    pub persona: Persona,
    /// What calls are held in (ISO 639-1), where that is set.
    pub language: Option<String>,
    /// What is done when an answering machine picks up, unless an order says otherwise.
    pub voicemail: Voicemail,
    /// What an inbound call is for when nothing else is said.
    pub inbound_task: Text,
}

/// A call that has been made of it.
#[derive(Clone, Debug)]
pub struct Made {
    /// The call.
    pub call: CallId,
    /// Where the carrier finds us: holds the call's nonces.
    pub addresses: Addresses,
}

/// What became of an order to ring somebody.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The call.
    pub call: CallId,
    /// Whether it was made before, by the same order.
    pub repeated: bool,
}

/// Why no call was made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotMade {
    /// The exchange refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// They may not be rung, or not now.
    #[error(transparent)]
    Forbidden(Refused),
    /// It could not be written down; then it is not made.
    #[error(transparent)]
    NotWritten(#[from] RecordError),
    /// The key of the order is that of another order.
    #[error("this key came with another order before")]
    OtherOrder,
    /// The same order came a moment ago under another key, and made this call.
    #[error("the same order came a moment ago and made the call {0}")]
    JustNow(CallId),
    /// It is not known whether a call of the same account rings this number.
    #[error("it is not known yet whether the call {0} rings this number")]
    Unsure(CallId),
    /// Whoever rings here is not among those who may.
    #[error("the caller is not among those who may ring this number")]
    NotAdmitted,
    /// Its place in a search is not to be had.
    #[error(transparent)]
    NoPlace(#[from] NoPlace),
}

/// Why a media socket was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    /// No such call, or not its nonce. The two are not told apart.
    #[error("no call waits for this socket")]
    Away,
    /// The call has a live socket.
    #[error("the call has a live media socket")]
    Taken,
}

impl Reception {
    /// A reception for this exchange.
    #[must_use]
    pub fn new(
        exchange: Exchange,
        store: Store,
        recordings: Option<Recordings>,
        clips: Stock,
        house: House,
    ) -> Self {
        let tickets = Tickets::default();
        Self { exchange, store, recordings, tickets, clips, house }
    }

    /// A call for this, with everything else as it is usual in the house.
    #[must_use]
    pub fn wish(&self, task: Text) -> Wish {
        Wish {
            account: Account::house(),
            task,
            manner: Manner::default(),
            hand_over: true,
            dialect: self.house.dialect,
            voicemail: self.house.voicemail,
            tools: None,
            result: None,
            only_asks: false,
            part: Part::Alone,
        }
    }

    /// Rings somebody, if the gate lets it. Returns when the order is durable and the call is
    /// supervised.
    ///
    /// # Errors
    /// [`NotMade`]; then nobody has been or will be rung by this order.
    pub async fn place(&self, order: Order) -> Result<Placed, NotMade> {
        let new = New {
            direction: Direction::Outbound,
            remote: order.to,
            local: self.house.number.clone(),
            wish: order.wish,
        };
        let call = new_id();
        match self.write(&call, &new, order.once).await? {
            Ordered::New(()) => {
                self.admit(&call, new)?;
                Ok(Placed { call, repeated: false })
            }
            Ordered::Before(call) => Ok(Placed { call: CallId::new(&call), repeated: true }),
            Ordered::OtherOrder => Err(NotMade::OtherOrder),
            Ordered::JustNow(call) => Err(NotMade::JustNow(CallId::new(&call))),
        }
    }

    /// Takes a call that rings here.
    ///
    /// # Errors
    /// [`NotMade`]; the carrier should be told that we are busy.
    pub async fn take(&self, ringing: Ringing) -> Result<Made, NotMade> {
        let usual = self.wish(self.house.inbound_task.clone());
        let wish = match self.store.inbound(&ringing.to).await? {
            Some((_, profile)) if !profile.admits(&ringing.from) => {
                return Err(NotMade::NotAdmitted);
            }
            Some((account, profile)) => profile.wish(account, usual),
            None => usual,
        };
        self.take_as(ringing, wish).await
    }

    /// Takes a call that rings here for something else than the house's usual task.
    ///
    /// # Errors
    /// [`NotMade`]; the carrier should be told that we are busy.
    pub async fn take_for(&self, ringing: Ringing, task: Text) -> Result<Made, NotMade> {
        self.take_as(ringing, self.wish(task)).await
    }

    async fn take_as(&self, ringing: Ringing, wish: Wish) -> Result<Made, NotMade> {
        let new = New {
            direction: Direction::Inbound,
            remote: ringing.from,
            local: ringing.to,
            wish: Wish { dialect: ringing.dialect, ..wish },
        };
        let call = new_id();
        self.write(&call, &new, None).await?;
        let addresses = self.admit(&call, new)?;
        Ok(Made { call, addresses })
    }

    /// Writes a call down, unless there is no room for it.
    async fn write(
        &self,
        call: &CallId,
        new: &New,
        once: Option<Once>,
    ) -> Result<Ordered<()>, NotMade> {
        if self.exchange.is_draining() {
            return Err(Refusal::Draining.into());
        }
        let (live, limit) = (self.exchange.live(), self.exchange.limit());
        if live >= limit {
            return Err(Refusal::Full { live, limit }.into());
        }
        let lifecycle = match new.direction {
            Direction::Inbound => Lifecycle::Dialing,
            Direction::Outbound => Lifecycle::Queued,
        };
        let opened = Opened {
            call: call.clone(),
            direction: new.direction,
            remote: new.remote.clone(),
            local: new.local.clone(),
            task: new.wish.task.clone(),
            lifecycle,
        };
        let result = new.wish.result.as_ref().map(|schema| Text(schema.to_string()));
        let Wish { account, manner, part, tools, hand_over, only_asks, .. } = new.wish.clone();
        let permit = (new.direction == Direction::Outbound)
            .then(|| self.permit(&new.remote, &account, Timestamp::now()));
        let bounds = Bounds { tools, hand_over, only_asks };
        let terms = Terms { account, manner, result, part, bounds };
        self.store.order(opened, terms, once, permit).await?.map_err(|not| match not {
            NotOpened::Forbidden(refused) => NotMade::Forbidden(refused),
            NotOpened::NoPlace(taken) => NotMade::NoPlace(taken),
            NotOpened::Unsure(call) => NotMade::Unsure(call),
        })
    }

    /// Has a call that is written down supervised. Returns where its carrier finds us.
    fn admit(&self, call: &CallId, new: New) -> Result<Addresses, Refusal> {
        let dialect = new.wish.dialect;
        let briefing = briefing::of(&self.house, &self.clips, call, new, self.format(dialect));
        self.supervise(dialect, briefing).inspect_err(|_| {
            // The last place went in this moment. Who repeats the order learns that it is over.
            self.give_up(call);
        })
    }

    fn supervise(&self, dialect: Dialect, briefing: Briefing) -> Result<Addresses, Refusal> {
        let (call, format) = (briefing.call.clone(), briefing.format);
        let tape = self.recordings.as_ref().and_then(|recordings| {
            recordings
                .tape(&call, format)
                .inspect_err(|error| tracing::error!(%call, %error, "not recorded"))
                .ok()
        });
        let mut made = None;
        self.tickets.issue(&call, Admission { dialect, format }, |nonces| {
            let addresses = self.addresses(&call, dialect, nonces);
            made = Some(addresses.clone());
            self.exchange.admit(briefing, addresses, tape)
        })?;
        Ok(made.expect("a ticket was issued"))
    }

    /// Judges an order where it is written, so that of two orders at once one sees the other.
    fn permit(&self, to: &Number, account: &Account, now: Timestamp) -> Permit {
        let (gate, to) = (self.house.gate.clone(), to.clone());
        let ask = gate.ask(&to, account.as_str(), now);
        Permit { ask, judge: Box::new(move |facts| gate.judge(&to, facts, now)) }
    }

    /// Whether this number may be rung in this moment; rings nobody.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn may_ring(
        &self,
        to: &Number,
        account: &Account,
    ) -> Result<Result<(), Refused>, RecordError> {
        let Permit { ask, judge } = self.permit(to, account, Timestamp::now());
        let facts = self.store.facts(&ask).await?;
        Ok(judge(&facts))
    }

    /// Lets a media socket in that knows the call's nonce; once.
    ///
    /// # Errors
    /// [`Turned`].
    pub fn attach(
        &self,
        call: &CallId,
        nonce: &str,
        line: impl FnOnce(Dialect) -> (Line, Coding),
    ) -> Result<(), Turned> {
        let admission = self.tickets.admit(call, nonce).ok_or(Turned::Away)?;
        let (line, coding) = line(admission.dialect);
        let line = convert::line(line, coding, admission.format);
        self.exchange.attach(call, line).map_err(|error| match error {
            NotAttached::Unknown => Turned::Away,
            NotAttached::Taken => Turned::Taken,
        })
    }

    /// Whether this nonce is this call's and the call has no live socket: asked before an
    /// upgrade is granted.
    #[must_use]
    pub fn knows(&self, call: &CallId, nonce: &str) -> bool {
        self.tickets.admit(call, nonce).is_some()
    }

    /// Whether this nonce is that of the call's callbacks; also for a while after its end.
    #[must_use]
    pub fn is_told_by(&self, call: &CallId, nonce: &str) -> bool {
        self.tickets.tells(call, nonce)
    }

    /// Where this carrier tells what becomes of a call.
    #[must_use]
    pub fn events_address(&self, vendor: &str, call: &CallId, nonce: &str) -> String {
        format!("{}/{vendor}/events/{call}/{nonce}", self.house.url)
    }

    /// How the carrier speaks unless an order says otherwise.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.house.dialect
    }

    /// What is done when an answering machine picks up, unless an order says otherwise.
    #[must_use]
    pub const fn voicemail(&self) -> Voicemail {
        self.house.voicemail
    }

    /// Whom callers may be handed over to.
    #[must_use]
    pub const fn human(&self) -> Option<&Number> {
        self.house.human.as_ref()
    }

    /// The names of the tools that calls have.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        self.house.tools.iter().map(|promise| promise.name.as_str())
    }

    /// Forgets the tickets of calls that are over.
    pub fn tidy(&self) {
        self.tickets.keep(|| self.exchange.calls(), Instant::now());
    }
}

/// A call about to be made.
struct New {
    direction: Direction,
    remote: Number,
    local: Number,
    wish: Wish,
}

fn new_id() -> CallId {
    CallId::new(&Uuid::now_v7().to_string())
}

/// A reception that several routes share.
pub type Shared = Arc<Reception>;
