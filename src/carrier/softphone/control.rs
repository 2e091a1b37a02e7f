//! The orders of calls: those that concern a browser are carried out here, all others by the
//! carrier behind.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{Carrier, CarrierCallId, CarrierError, Dial, Digit, Number, Standing};
use tandem_actors::exchange::Exchange;
use tandem_actors::record::{Fact, Note};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::board::{Board, NotStandingIn, Rung, StandIn};
use super::wire::{Outbound, Why};
use super::{call_of, media_path, name};
use crate::store::Store;

/// How often it is looked whether a call is still there whose end nobody has told.
const LOOK: Duration = Duration::from_millis(500);

/// Browsers as phones, in front of a carrier. Cheap to clone.
#[derive(Clone)]
pub struct Softphones {
    behind: Arc<dyn Carrier>,
    pub(super) store: Store,
    pub(super) board: Arc<Board>,
    pub(super) exchange: Arc<OnceLock<Exchange>>,
    /// Those who talk after a hand-over.
    pub(super) bridges: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Softphones {
    /// In front of this carrier; the record knows whose lines are held here.
    #[must_use]
    pub fn over(behind: Arc<dyn Carrier>, store: Store) -> Self {
        Self {
            behind,
            store,
            board: Arc::default(),
            exchange: Arc::default(),
            bridges: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Tells them which calls there are. Before that nobody stands in for anything.
    pub fn serve(&self, exchange: Exchange) {
        // They serve one exchange for their life.
        let _first = self.exchange.set(exchange);
    }

    /// A browser stands in for this number as long as what is returned lives.
    ///
    /// # Errors
    /// [`NotStandingIn`].
    pub fn stand_in(&self, number: Number) -> Result<StandIn, NotStandingIn> {
        self.board.stand_in(number)
    }

    /// How many do.
    #[must_use]
    pub fn phones(&self) -> usize {
        self.board.phones()
    }

    /// Whoever stands in for this number refuses a call that rings there. One that does not is
    /// left as it is.
    pub fn refuse(&self, number: &Number, call: &CallId, outcome: Outcome) {
        let Some(exchange) = self.exchange.get() else { return };
        let Some(rung) = self.board.refuse(number, call) else { return };
        let word = outcome.word();
        match rung.why {
            Why::Call => exchange.tell(call, Input::Ended(outcome, word.to_owned())),
            Why::HandOver => {
                self.board.over(&rung, word);
                exchange.tell(call, Input::Transferred(Err(word.to_owned())))
            }
        };
    }

    /// Whether a call rings at a browser, or is held with one.
    #[must_use]
    pub fn has(&self, call: &CallId) -> bool {
        self.board.has(call)
    }

    /// A call has got its media: it rings no more.
    pub fn answered(&self, call: &CallId) {
        self.board.answered(call);
    }

    /// Has all browsers go, and ends what is talked after hand-overs: the server goes.
    pub async fn close(&self) {
        self.stop.cancel();
        self.emptied().await;
        self.board.close();
    }

    /// Rings the browser that stands in for the number; whether one does.
    fn ring(&self, dial: &Dial) -> bool {
        let Some(exchange) = self.exchange.get() else { return false };
        let media = media_path(&dial.call, &dial.addresses);
        let message = Outbound::Ring {
            call: &dial.call.0,
            from: dial.from.as_str(),
            why: Why::Call,
            introduction: None,
            media: &media,
        };
        let facts = exchange.listen();
        let rung = Rung { call: dial.call.clone(), why: Why::Call };
        let rings = self.board.ring(&dial.to, rung.clone(), message.text(), None);
        if rings {
            let board = Arc::clone(&self.board);
            drop(tokio::spawn(follow(board, exchange.clone(), rung, facts)));
        }
        rings
    }

    fn standing(&self, call: &CallId) -> Standing {
        let live = self.exchange.get().filter(|exchange| exchange.format(call).is_some());
        match live {
            Some(exchange) if exchange.has_media(call) => Standing::Live,
            Some(_) => Standing::Ringing,
            // Of a run before this one: its sockets have gone with it.
            None => Standing::Gone,
        }
    }
}

/// Tells the browser of the end of a call.
async fn follow(board: Arc<Board>, exchange: Exchange, rung: Rung, mut facts: Receiver<Note>) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            note = facts.recv() => match note {
                Ok(Note { call, fact: Fact::Finalized { outcome, .. }, .. })
                    if call == rung.call =>
                {
                    return board.ended(&rung, outcome.word());
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            // Its end was told before anybody listened, or overheard.
            _ = look.tick() => if exchange.format(&rung.call).is_none() {
                return board.ended(&rung, Outcome::Cancelled.word());
            },
        }
    }
}

type Ordered = BoxFuture<'static, Result<(), CarrierError>>;

fn not_offered(what: &'static str) -> Ordered {
    Box::pin(std::future::ready(Err(CarrierError::NotOffered(what))))
}

impl Carrier for Softphones {
    fn place(&self, dial: Dial) -> BoxFuture<'static, Result<CarrierCallId, CarrierError>> {
        if self.ring(&dial) {
            return Box::pin(std::future::ready(Ok(name(&dial.call))));
        }
        self.behind.place(dial)
    }

    fn find(
        &self,
        dial: Dial,
        ordered: SystemTime,
    ) -> BoxFuture<'static, Result<Option<CarrierCallId>, CarrierError>> {
        self.behind.find(dial, ordered)
    }

    fn look(&self, call: CarrierCallId) -> BoxFuture<'static, Result<Standing, CarrierError>> {
        match call_of(&call) {
            Some(call) => Box::pin(std::future::ready(Ok(self.standing(&call)))),
            None => self.behind.look(call),
        }
    }

    fn reconnects(&self) -> bool {
        self.behind.reconnects()
    }

    fn reconnect(&self, call: CarrierCallId, dial: Dial) -> Ordered {
        match call_of(&call) {
            Some(_) => not_offered("bring the media of a browser anew"),
            None => self.behind.reconnect(call, dial),
        }
    }

    fn hang_up(&self, call: CarrierCallId) -> Ordered {
        match call_of(&call) {
            // Its socket ends with the call, and the browser is told.
            Some(_) => Box::pin(std::future::ready(Ok(()))),
            None => self.behind.hang_up(call),
        }
    }

    fn press(&self, call: CarrierCallId, keys: Vec<Digit>) -> Ordered {
        match call_of(&call) {
            // They are heard there, as tones.
            Some(_) => not_offered("press keys towards a browser"),
            None => self.behind.press(call, keys),
        }
    }

    fn invite(&self, call: CarrierCallId, who: Number) -> Ordered {
        match call_of(&call) {
            None if !self.board.stands_in(&who) => self.behind.invite(call, who),
            // It hands the other party over instead.
            Some(_) | None => not_offered("have three on a line of a browser"),
        }
    }

    fn leave(&self, call: CarrierCallId) -> Ordered {
        self.behind.leave(call)
    }

    fn transfer(&self, call: CarrierCallId, to: Number, introduction: Text) -> Ordered {
        if self.board.stands_in(&to) {
            let softphones = self.clone();
            return Box::pin(async move { softphones.hand_over(call, to, introduction).await });
        }
        match call_of(&call) {
            Some(_) => not_offered("hand a browser over to a telephone"),
            None => self.behind.transfer(call, to, introduction),
        }
    }
}
