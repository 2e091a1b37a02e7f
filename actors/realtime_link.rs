//! RealtimeLink: the model side of a call. Opens sessions, gives them the conversation, puts
//! them in use; the only way by which a model is told anything but audio.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use rand::RngExt;

use crate::call::event::{Generation, Input, Link, Part, ToLink, Unfinished};
use crate::clock::{self, Instant};
use crate::leg::Broken;
use crate::model::{self, Command, ConnectError, Entry, Event, Loss, Session};
use crate::part::{self, Msg, Own, Owned};
use crate::pump;
use crate::seed::{Enlisted, Seed};

/// From dialling to a configured session. A healthy provider needs a few hundred milliseconds;
/// after this long another attempt is the better bet.
const DIAL: Duration = Duration::from_secs(3);

/// Waits before the first, second … attempt after a loss. The first costs nothing to try.
const WAITS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// A session is handed over this long before its provider ends it: time to wait for a pause. Of a
/// short life a quarter.
const MARGIN: Duration = Duration::from_mins(2);

/// A life said to be shorter than this is a clock that goes wrong, ours or theirs, and no word
/// about the session: believed, it would have us open sessions without end.
const SHORTEST: Duration = Duration::from_secs(10);

/// After a session could not be made fresh for a hand-over, the next attempt waits this long.
const AGAIN: Duration = Duration::from_secs(20);

/// What the pump saw of the model.
#[derive(Debug)]
pub enum Seen {
    /// An event that is not audio, with the count of responses so far, and when it came.
    Event(Event, Generation, Instant),
    /// The session in use is lost.
    Lost(Broken, Unfinished),
}

/// How a dial ended: a configured, empty session, and when it is to be replaced.
pub type Dialled = Result<(model::Line, Instant), ConnectError>;

/// The model side of a call.
#[derive(Debug)]
pub struct RealtimeLink;

/// What dies with it: attempts under way. A session in use lies in the vault.
pub struct State {
    seed: Arc<Seed>,
    dial: Option<Owned>,
    failures: usize,
    fresh: Option<(model::Line, Instant)>,
    age: Option<Owned>,
    _enlisted: Enlisted,
}

impl Actor for RealtimeLink {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Seed>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        seed: Arc<Seed>,
    ) -> Result<State, ActorProcessingErr> {
        part::start(&seed, Part::RealtimeLink);
        part::listen(&seed.link, &myself);
        part::listen(&seed.said, &myself);
        let _enlisted = seed.enlist();
        let mut state = State { seed, dial: None, failures: 0, fresh: None, age: None, _enlisted };
        if state.seed.voice.is_stocked() {
            // Adopted: the session never noticed, and is as old as it is.
            let seed = Arc::clone(&state.seed);
            let known = *seed.renew_at.lock().unwrap_or_else(PoisonError::into_inner);
            let limit = seed.briefing.limits.session;
            state.watch_age(&myself, known.unwrap_or_else(|| clock::now() + limit));
        } else {
            state.dial(&myself);
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let seed = Arc::clone(&state.seed);
        let _busy = seed.pulses.beat(Part::RealtimeLink);
        match msg {
            Msg::Wake => state.look(&myself),
            Msg::Fault(fault) => fault.inflict().await?,
            Msg::Own(Own::Dialled(dialled)) => state.dialled(&myself, dialled),
            Msg::Own(Own::Aged) => state.dial(&myself),
            Msg::Own(Own::PumpFell | Own::Expired(_)) => {}
        }
        Ok(())
    }
}

impl State {
    fn look(&mut self, myself: &ActorRef<Msg>) {
        while let Some(seen) = self.seed.said.pop() {
            match seen {
                Seen::Event(Event::Expires(left), ..) => {
                    let limit = self.seed.briefing.limits.session;
                    self.watch_age(myself, clock::now() + renewed_after(limit, Some(left)));
                }
                Seen::Event(event, generation, came) => {
                    self.seed.tell(Input::Link(Link::Said(event, generation, came)));
                }
                Seen::Lost(broken, unfinished) => self.lost(myself, &broken, unfinished),
            }
        }
        while let Some(order) = self.seed.link.pop() {
            match order {
                ToLink::Tell(command) => {
                    self.order(pump::Order::Tell(self.seed.voice.number(), command));
                }
                ToLink::Replay(conversation) => self.replay(myself, conversation),
                // Lost meanwhile, it is being replaced as it is; its successor is not meant.
                ToLink::Renew(why) if self.seed.voice.is_stocked() => {
                    self.order(pump::Order::Cut(why));
                }
                ToLink::Renew(_) => {}
            }
        }
    }

    fn order(&self, order: pump::Order) {
        self.seed.losses.push(&self.seed.pump, order);
    }

    fn lost(&mut self, myself: &ActorRef<Msg>, broken: &Broken, unfinished: Unfinished) {
        self.age = None;
        self.seed.tell(Input::Link(Link::Down(broken.to_string(), unfinished)));
        if self.fresh.is_some() {
            self.seed.tell(Input::Link(Link::Ready));
        } else {
            self.dial(myself);
        }
    }

    /// Dials in a task of its own: nothing waits for a socket in here.
    fn dial(&mut self, myself: &ActorRef<Msg>) {
        let wait = WAITS[self.failures.min(WAITS.len() - 1)];
        self.dial_after(myself, jittered(wait));
    }

    fn dial_after(&mut self, myself: &ActorRef<Msg>, wait: Duration) {
        let seed = Arc::clone(&self.seed);
        let owner = myself.clone();
        self.dial = Some(Owned::spawn(async move {
            tokio::time::sleep(wait).await;
            let dialled = match tokio::time::timeout(DIAL, open(&seed)).await {
                Ok(dialled) => dialled,
                Err(_) => Err(ConnectError {
                    what: format!("no session within {DIAL:?}"),
                    loss: Loss::Passing("timeout".to_owned()),
                }),
            };
            let _gone = owner.cast(Msg::Own(Own::Dialled(dialled)));
        }));
    }

    fn dialled(&mut self, myself: &ActorRef<Msg>, dialled: Dialled) {
        self.dial = None;
        let error = match dialled {
            Ok(fresh) => {
                self.failures = 0;
                self.fresh = Some(fresh);
                self.seed.tell(Input::Link(Link::Ready));
                return;
            }
            Err(error) => error,
        };
        tracing::warn!(call = %self.seed.call, %error, "no model session");
        self.failures += 1;
        let in_use = self.seed.voice.is_stocked();
        match error.loss {
            Loss::Final(_) if in_use => {}
            Loss::Final(_) => self.seed.tell(Input::Link(Link::GaveUp(error.what))),
            // Not before the time it asks for.
            Loss::RateLimited(wait) => self.dial_after(myself, wait + jittered(wait / 2)),
            Loss::Passing(_) if in_use => self.dial_after(myself, AGAIN),
            Loss::Passing(_) => self.dial(myself),
        }
    }

    /// Gives the fresh session the conversation and puts it in use.
    fn replay(&mut self, myself: &ActorRef<Msg>, conversation: Vec<Entry>) {
        // The order may be older than this actor; then the session it meant died with the last.
        let Some((mut line, renew_at)) = self.fresh.take() else { return };
        for entry in conversation {
            if let Err(broken) = line.send(Command::Remember(entry)) {
                tracing::warn!(call = %self.seed.call, %broken, "replay failed");
                return self.dial(myself);
            }
        }
        self.seed.voice.put(line);
        self.order(pump::Order::Swap);
        self.watch_age(myself, renew_at);
        self.seed.tell(Input::Link(Link::Up));
    }

    /// Sees to it that the session in use is replaced then.
    fn watch_age(&mut self, myself: &ActorRef<Msg>, renew_at: Instant) {
        *self.seed.renew_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(renew_at);
        let owner = myself.clone();
        self.age = Some(Owned::spawn(async move {
            tokio::time::sleep_until(renew_at).await;
            let _gone = owner.cast(Msg::Own(Own::Aged));
        }));
    }
}

/// Opens a session and configures it.
async fn open(seed: &Seed) -> Dialled {
    let mut line = seed.ports.model.connect().await?;
    let briefing = &seed.briefing;
    let session = Session {
        instructions: briefing.instructions.clone(),
        voice: briefing.voice.clone(),
        format: briefing.format,
        tools: briefing.tools.clone(),
    };
    let opened = clock::now();
    let left = model::configure(&mut line, session).await?;
    Ok((line, opened + renewed_after(briefing.limits.session, left)))
}

/// How long a session is used that will end in `left`, where that is known.
fn renewed_after(limit: Duration, left: Option<Duration>) -> Duration {
    match left.filter(|left| *left >= SHORTEST) {
        Some(left) => (left - MARGIN.min(left / 4)).min(limit),
        None => limit,
    }
}

/// Between half the time and all of it, so that many calls do not come back in one moment.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests;
