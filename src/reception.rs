//! Makes a call of an order or of a ringing phone: writes it down, briefs it, admits it, and
//! lets exactly the right media socket in. Knows no HTTP.

mod addresses;
mod briefing;
mod house;
mod made;
mod order;
mod pass_on;
mod queue;
mod resume;
mod seal;
mod take;
mod ticket;
mod whole;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tandem_actors::audio::Format;
use tandem_actors::briefing::{Briefing, CallId, Direction, Lifecycle, Outcome, Text};
use tandem_actors::carrier::{Addresses, Line, Number};
use tandem_actors::exchange::{Exchange, NotAttached, Refusal};
use tandem_actors::record::{Opened, RecordError};
use tandem_actors::tape::Tape;
use tokio::sync::watch;
use uuid::Uuid;

use crate::account::Account;
use crate::carrier::convert::{self, Coding};
use crate::clips::Stock;
use crate::config::{Dialect, Voicemail};
use crate::persona::Manner;
use crate::policy::{Ordered, Refused};
use crate::recording::Recordings;
use crate::store::{
    self, Bounds, NotOpened, Once, Orders as _, Part, Permit, Policies as _, Store, Terms,
};
use queue::Queue;
use seal::Seal;
use ticket::{Admission, Tickets};
pub(crate) use whole::whole;

pub use house::House;
pub use made::{Made, NotMade, Placed, Turned};
pub use order::{Order, Ringing, Wish};
pub use pass_on::Passing;
pub use queue::{Counts, Patience, Taken, Waiting};

/// Takes orders and ringing phones.
pub struct Reception {
    exchange: Exchange,
    store: Store,
    recordings: Option<Recordings>,
    tickets: Tickets,
    clips: Stock,
    queue: Queue,
    /// As it is now; a call keeps what it was briefed with.
    house: watch::Sender<Arc<House>>,
}

impl Reception {
    /// A reception for this exchange.
    ///
    /// # Errors
    /// When the record does not tell what nonces are made of.
    pub async fn open(
        exchange: Exchange,
        store: Store,
        recordings: Option<Recordings>,
        clips: Stock,
        house: House,
    ) -> Result<Self, RecordError> {
        let tickets = Tickets::sealed(Seal::of(&store).await?);
        let (queue, house) = (Queue::default(), watch::Sender::new(Arc::new(house)));
        Ok(Self { exchange, store, recordings, tickets, clips, queue, house })
    }

    /// From the next call on everything is as it is in this house.
    pub fn moves_into(&self, house: House) {
        self.house.send_replace(Arc::new(house));
    }

    fn house(&self) -> Arc<House> {
        Arc::clone(&self.house.borrow())
    }

    /// A call for this, with everything else as it is usual in the house.
    #[must_use]
    pub fn wish(&self, task: Text) -> Wish {
        let house = self.house();
        Wish {
            account: Account::house(),
            task,
            manner: Manner::default(),
            hand_over: true,
            dialect: house.dialect,
            voicemail: house.voicemail,
            recording: house.recording,
            door: None,
            approval: None,
            tools: None,
            result: None,
            only_asks: false,
            part: Part::Alone,
            ordered: Ordered::Now,
            campaign: None,
        }
    }

    /// Rings somebody, if the gate lets it. Returns when the order is durable and the call is
    /// supervised.
    ///
    /// # Errors
    /// [`NotMade`]; then nobody has been or will be rung by this order.
    pub async fn place(self: &Arc<Self>, order: Order) -> Result<Placed, NotMade> {
        let reception = Arc::clone(self);
        whole(async move { reception.carry_out(order).await }).await
    }

    async fn carry_out(&self, order: Order) -> Result<Placed, NotMade> {
        let new = New {
            direction: Direction::Outbound,
            remote: order.to,
            local: self.house().number.clone(),
            wish: order.wish,
        };
        let call = new_id();
        let ordered = match (self.room(), &order.once) {
            (Ok(()), _) => self.write(&call, &new, Lifecycle::Queued, order.once).await?,
            // Who lost the answer gets it, also when their own call has taken the last place.
            (Err(refusal), Some(once)) => {
                self.store.ordered_before(once).await?.ok_or(NotMade::Refused(refusal))?
            }
            (Err(refusal), None) => return Err(refusal.into()),
        };
        match ordered {
            store::Ordered::New(()) => {
                self.admit(&call, new)?;
                Ok(Placed { call, repeated: false })
            }
            store::Ordered::Before(call) => Ok(Placed { call: CallId::new(&call), repeated: true }),
            store::Ordered::OtherOrder => Err(NotMade::OtherOrder),
            store::Ordered::JustNow(call) => Err(NotMade::JustNow(CallId::new(&call))),
        }
    }

    /// Whether there is a place that nobody waits for.
    fn room(&self) -> Result<(), Refusal> {
        let (live, limit) = (self.exchange.live(), self.exchange.limit());
        match live >= limit || self.waiting() > 0 {
            _ if self.exchange.is_draining() => Err(Refusal::Draining),
            true => Err(Refusal::Full { live, limit }),
            false => Ok(()),
        }
    }

    /// Writes a call down.
    async fn write(
        &self,
        call: &CallId,
        new: &New,
        lifecycle: Lifecycle,
        once: Option<Once>,
    ) -> Result<store::Ordered<()>, NotMade> {
        let opened = Opened {
            call: call.clone(),
            direction: new.direction,
            remote: new.remote.clone(),
            local: new.local.clone(),
            task: new.wish.task.clone(),
            lifecycle,
        };
        let result = new.wish.result.as_ref().map(|schema| Text(schema.to_string()));
        let Wish { account, manner, approval, part, ordered, campaign, .. } = new.wish.clone();
        let Wish { tools, hand_over, only_asks, recording, .. } = new.wish.clone();
        let permit = (new.direction == Direction::Outbound)
            .then(|| self.permit(&new.remote, &account, ordered));
        let bounds = Bounds { tools, hand_over, only_asks, recording };
        let terms = Terms { account, manner, result, approval, part, ordered, bounds, campaign };
        self.store.order(opened, terms, once, permit).await?.map_err(|not| match not {
            NotOpened::Forbidden(refused) => NotMade::Forbidden(refused),
            NotOpened::NoPlace(taken) => NotMade::NoPlace(taken),
            NotOpened::Unsure(call) => NotMade::Unsure(call),
        })
    }

    /// Has a call that is written down supervised. Returns where its carrier finds us.
    fn admit(&self, call: &CallId, new: New) -> Result<Addresses, Refusal> {
        self.try_admit(call, new).inspect_err(|_| {
            // The last place went in this moment. Who repeats the order learns that it is over.
            self.end_unmade(call, Outcome::Cancelled, "not_admitted");
        })
    }

    fn try_admit(&self, call: &CallId, new: New) -> Result<Addresses, Refusal> {
        let dialect = new.wish.dialect;
        let format = self.format(dialect);
        let tape = self.tape(call, format);
        let audio = (format, tape.is_some());
        let briefing = briefing::of(&self.house(), &self.clips, call, new, audio);
        self.supervise(dialect, briefing, tape)
    }

    /// What records it; nothing where calls are not recorded, or it cannot be.
    fn tape(&self, call: &CallId, format: Format) -> Option<Box<dyn Tape>> {
        self.recordings.as_ref().and_then(|recordings| {
            recordings
                .tape(call, format)
                .inspect_err(|error| tracing::error!(%call, %error, "not recorded"))
                .ok()
        })
    }

    fn supervise(
        &self,
        dialect: Dialect,
        briefing: Briefing,
        tape: Option<Box<dyn Tape>>,
    ) -> Result<Addresses, Refusal> {
        let (call, format) = (briefing.call.clone(), briefing.format);
        let mut made = None;
        self.tickets.issue(&call, Admission { dialect, format }, |nonces| {
            let addresses = self.addresses(&call, dialect, nonces);
            made = Some(addresses.clone());
            self.exchange.admit(briefing, addresses, tape)
        })?;
        Ok(made.expect("a ticket was issued"))
    }

    /// Judges an order where it is written, so that of two orders at once one sees the other.
    fn permit(&self, to: &Number, account: &Account, ordered: Ordered) -> Permit {
        let (gate, to, now) = (self.house().gate.clone(), to.clone(), Timestamp::now());
        let ask = gate.ask(&to, account.as_str(), ordered, now);
        Permit { ask, judge: Box::new(move |facts| gate.judge(&to, facts, ordered, now)) }
    }

    /// Whether this number may be rung in this moment; rings nobody.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn may_ring(
        &self,
        to: &Number,
        account: &Account,
        ordered: Ordered,
    ) -> Result<Result<(), Refused>, RecordError> {
        let Permit { ask, judge } = self.permit(to, account, ordered);
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

    /// Whether this nonce is that of the call's callbacks; also for a while after its end.
    #[must_use]
    pub fn is_told_by(&self, call: &CallId, nonce: &str) -> bool {
        self.tickets.tells(call, nonce)
    }

    /// Where this carrier tells what becomes of a call.
    #[must_use]
    pub fn events_address(&self, vendor: &str, call: &CallId, nonce: &str) -> String {
        format!("{}/{vendor}/events/{call}/{nonce}", self.house().url)
    }

    /// How the carrier speaks unless an order says otherwise.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.house().dialect
    }

    /// What is done when an answering machine picks up, unless an order says otherwise.
    #[must_use]
    pub fn voicemail(&self) -> Voicemail {
        self.house().voicemail
    }

    /// Our number.
    #[must_use]
    pub fn number(&self) -> Number {
        self.house().number.clone()
    }

    /// Whom callers may be handed over to.
    #[must_use]
    pub fn human(&self) -> Option<Number> {
        self.house().human.clone()
    }

    /// Whether calls can wait with their recording until the other side knows of it.
    #[must_use]
    pub fn can_wait_for_consent(&self) -> bool {
        !self.house().carrier_records
    }

    /// Whether there is a PIN to approve something with.
    #[must_use]
    pub fn has_pin(&self) -> bool {
        self.house().pin.is_some()
    }

    /// The names of the tools that calls have.
    #[must_use]
    pub fn tools(&self) -> Vec<String> {
        self.house().tools.iter().map(|promise| promise.name.clone()).collect()
    }

    /// Forgets the tickets of calls that are over.
    pub fn tidy(&self) {
        self.tickets.keep(|| self.exchange.calls(), Instant::now());
    }
}

/// A call about to be made.
#[derive(Clone, Debug)]
struct New {
    direction: Direction,
    remote: Number,
    local: Number,
    wish: Wish,
}

impl New {
    fn ringing(ringing: Ringing, wish: Wish) -> Self {
        let Ringing { from, to, dialect } = ringing;
        let (direction, wish) = (Direction::Inbound, Wish { dialect, ..wish });
        Self { direction, remote: from, local: to, wish }
    }
}

fn new_id() -> CallId {
    CallId::new(&Uuid::now_v7().to_string())
}

/// A reception that several routes share.
pub type Shared = Arc<Reception>;
