//! Which browser stands in for which number, and which calls ring there. Tells browsers what they
//! are to know; asks nobody and decides about no call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subtle::ConstantTimeEq as _;
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::Number;
use tokio::sync::mpsc;

use super::wire::{Outbound, Why};

/// Browsers at once: one house has a handful, a rehearsal as many as somebody opens.
const PHONES: usize = 64;

/// Messages that wait for one browser; a call has two. One that leaves more unread is gone.
const TOLD: usize = 64;

/// Why a browser cannot stand in for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStandingIn {
    /// Another one does.
    #[error("another browser stands in for this number; close it first")]
    Taken,
    /// There are too many.
    #[error("{PHONES} browsers stand in for numbers already; there is room for no more")]
    Full,
    /// The server is going away.
    #[error("the server is going away")]
    Closing,
}

#[derive(Default)]
pub(super) struct Board(Mutex<State>);

#[derive(Default)]
struct State {
    phones: HashMap<Number, Phone>,
    calls: HashMap<Rung, Call>,
    /// Tells one browser from the next at the same number.
    next: u64,
    closed: bool,
}

struct Phone {
    id: u64,
    told: mpsc::Sender<String>,
}

/// What rings at a browser.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rung {
    /// Whose.
    pub(super) call: CallId,
    /// The call itself, or the hand-over of its other party.
    pub(super) why: Why,
}

/// A call, or a hand-over, that rings at a browser or is held with one.
struct Call {
    number: Number,
    stage: Stage,
    /// What answers a hand-over.
    nonce: Option<String>,
}

enum Stage {
    /// It rings, with this message.
    Rings(String),
    /// It has been refused.
    Refused,
    /// It has been answered.
    Answered,
    /// Its call is over, and it is talked on with somebody else.
    HandedOver,
}

impl Board {
    /// From here on a browser stands in for this number, and is told what rings there.
    pub(super) fn stand_in(self: &Arc<Self>, number: Number) -> Result<StandIn, NotStandingIn> {
        let mut state = self.lock();
        if state.closed {
            return Err(NotStandingIn::Closing);
        }
        if state.phones.contains_key(&number) {
            return Err(NotStandingIn::Taken);
        }
        if state.phones.len() >= PHONES {
            return Err(NotStandingIn::Full);
        }
        // It rings on at a number whose browser has gone, and the next one is told.
        let rings: Vec<String> = state
            .calls
            .values()
            .filter(|call| call.number == number)
            .filter_map(|call| match &call.stage {
                Stage::Rings(message) => Some(message.clone()),
                Stage::Refused | Stage::Answered | Stage::HandedOver => None,
            })
            .collect();
        state.next += 1;
        let (id, (told, messages)) = (state.next, mpsc::channel(TOLD + rings.len()));
        state.phones.insert(number.clone(), Phone { id, told });
        let ready = Outbound::Ready { number: number.as_str() }.text();
        for message in std::iter::once(ready).chain(rings) {
            state.tell(&number, message);
        }
        drop(state);
        Ok(StandIn { board: Arc::clone(self), number, id, messages })
    }

    /// Whether a browser stands in for this number.
    pub(super) fn stands_in(&self, number: &Number) -> bool {
        self.lock().phones.contains_key(number)
    }

    /// How many browsers stand in for numbers.
    pub(super) fn phones(&self) -> usize {
        self.lock().phones.len()
    }

    /// Rings whoever stands in for this number; whether anybody does.
    pub(super) fn ring(
        &self,
        number: &Number,
        rung: Rung,
        message: String,
        nonce: Option<String>,
    ) -> bool {
        let mut state = self.lock();
        if !state.phones.contains_key(number) {
            return false;
        }
        let (number, stage) = (number.clone(), Stage::Rings(message.clone()));
        state.tell(&number, message);
        state.calls.insert(rung, Call { number, stage, nonce });
        true
    }

    /// Whoever stands in for this number refuses a call. What of it rang there, if anything.
    pub(super) fn refuse(&self, number: &Number, call: &CallId) -> Option<Rung> {
        let mut state = self.lock();
        [Why::HandOver, Why::Call].into_iter().find_map(|why| {
            let rung = Rung { call: call.clone(), why };
            let ringing = state.ringing(&rung).filter(|ringing| ringing.number == *number)?;
            ringing.stage = Stage::Refused;
            Some(rung)
        })
    }

    /// Whether a call rings at a browser, or is held with one.
    pub(super) fn has(&self, call: &CallId) -> bool {
        self.lock().calls.contains_key(&Rung { call: call.clone(), why: Why::Call })
    }

    /// A call has been answered.
    pub(super) fn answered(&self, call: &CallId) {
        let rung = Rung { call: call.clone(), why: Why::Call };
        if let Some(ringing) = self.lock().ringing(&rung) {
            ringing.stage = Stage::Answered;
        }
    }

    /// Whether a hand-over of this call rings that this nonce answers.
    pub(super) fn awaits(&self, call: &CallId, nonce: &str) -> bool {
        self.lock().awaited(call, nonce).is_some()
    }

    /// A hand-over is answered, once; whether it was.
    pub(super) fn pick_up(&self, call: &CallId, nonce: &str) -> bool {
        let mut state = self.lock();
        let Some(call) = state.awaited(call, nonce) else { return false };
        call.stage = Stage::Answered;
        true
    }

    /// It rings no more, if it still did; whether it did.
    pub(super) fn take_back(&self, rung: &Rung, how: &str) -> bool {
        let mut state = self.lock();
        let rang = state.ringing(rung).is_some();
        if rang {
            state.over(rung, how);
        }
        rang
    }

    /// A call that is held with a browser is handed over: its end is not that of the talk.
    pub(super) fn handed_over(&self, call: &CallId) {
        let rung = Rung { call: call.clone(), why: Why::Call };
        if let Some(call) = self.lock().calls.get_mut(&rung) {
            call.stage = Stage::HandedOver;
        }
    }

    /// A call has ended.
    pub(super) fn ended(&self, rung: &Rung, how: &str) {
        let mut state = self.lock();
        let talks_on = |call: &Call| matches!(call.stage, Stage::HandedOver);
        if !state.calls.get(rung).is_some_and(talks_on) {
            state.over(rung, how);
        }
    }

    /// It is over.
    pub(super) fn over(&self, rung: &Rung, how: &str) {
        self.lock().over(rung, how);
    }

    /// Has every browser go, and takes none any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.phones.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ringing(&mut self, rung: &Rung) -> Option<&mut Call> {
        self.calls.get_mut(rung).filter(|call| matches!(call.stage, Stage::Rings(_)))
    }

    fn awaited(&mut self, call: &CallId, nonce: &str) -> Option<&mut Call> {
        let rung = Rung { call: call.clone(), why: Why::HandOver };
        let is_its = |wanted: &String| wanted.as_bytes().ct_eq(nonce.as_bytes()).into();
        self.ringing(&rung).filter(|call| call.nonce.as_ref().is_some_and(is_its))
    }

    fn over(&mut self, rung: &Rung, how: &str) {
        let Some(Call { number, .. }) = self.calls.remove(rung) else { return };
        self.tell(&number, Outbound::Over { call: &rung.call.0, how }.text());
    }

    fn tell(&mut self, number: &Number, message: String) {
        let Some(phone) = self.phones.get(number) else { return };
        if phone.told.try_send(message).is_err() {
            // Its socket ends with this.
            self.phones.remove(number);
        }
    }
}

/// A browser stands in for a number until this is dropped.
pub struct StandIn {
    board: Arc<Board>,
    number: Number,
    id: u64,
    messages: mpsc::Receiver<String>,
}

impl StandIn {
    /// For which.
    #[must_use]
    pub const fn number(&self) -> &Number {
        &self.number
    }

    /// The next message for the browser; none when it is to go.
    pub async fn message(&mut self) -> Option<String> {
        self.messages.recv().await
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let mut state = self.board.lock();
        if state.phones.get(&self.number).is_some_and(|phone| phone.id == self.id) {
            state.phones.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number() -> Number {
        Number::new("+15550100")
    }

    fn call(name: &str) -> Rung {
        Rung { call: CallId::new(name), why: Why::Call }
    }

    fn told(stand_in: &mut StandIn) -> Vec<String> {
        std::iter::from_fn(|| stand_in.messages.try_recv().ok()).collect()
    }

    #[test]
    fn it_rings_on_at_a_number_and_the_next_browser_there_is_told() {
        let (board, call) = (Arc::new(Board::default()), call("c1"));
        assert!(!board.ring(&number(), call.clone(), "ring".to_owned(), None), "nobody is there");
        let mut first = board.stand_in(number()).unwrap();
        assert_eq!(board.stand_in(number()).err(), Some(NotStandingIn::Taken));
        assert!(board.ring(&number(), call.clone(), "ring".to_owned(), None));
        assert_eq!(told(&mut first)[1..], ["ring"]);
        drop(first);
        let mut second = board.stand_in(number()).unwrap();
        assert_eq!(told(&mut second)[1..], ["ring"]);
        board.answered(&call.call);
        drop(second);
        let mut third = board.stand_in(number()).unwrap();
        assert_eq!(told(&mut third).len(), 1, "it rings no more");
        board.handed_over(&call.call);
        board.ended(&call, "answered");
        assert!(told(&mut third).is_empty(), "it is talked on");
        board.over(&call, "answered");
        board.ended(&call, "answered");
        assert_eq!(told(&mut third), [r#"{"type":"over","call":"c1","how":"answered"}"#]);
    }

    #[test]
    fn a_call_is_refused_once_where_it_rings_and_nowhere_else() {
        let (board, rung) = (Arc::new(Board::default()), call("c1"));
        let mut browser = board.stand_in(number()).unwrap();
        assert!(board.ring(&number(), rung.clone(), "ring".to_owned(), None));
        let refuse =
            |number: &str, call: &str| board.refuse(&Number::new(number), &CallId::new(call));
        assert_eq!(refuse("+15550101", "c1"), None, "another number's");
        assert_eq!(refuse("+15550100", "c2"), None, "another call");
        assert_eq!(refuse("+15550100", "c1"), Some(rung.clone()));
        assert_eq!(refuse("+15550100", "c1"), None, "once");
        assert!(!board.take_back(&rung, "cancelled"), "it rings no more");
        assert_eq!(told(&mut browser).len(), 2);
    }

    #[test]
    fn a_hand_over_is_answered_once_by_who_knows_its_nonce() {
        let (board, of) = (Arc::new(Board::default()), CallId::new("c1"));
        let mut browser = board.stand_in(number()).unwrap();
        let rung = Rung { call: of.clone(), why: Why::HandOver };
        assert!(board.ring(&number(), rung.clone(), "ring".to_owned(), Some("n".to_owned())));
        assert!(board.ring(&number(), call("c1"), "ring".to_owned(), None), "beside its call");
        assert!(!board.awaits(&of, "m") && !board.awaits(&CallId::new("c2"), "n"));
        assert!(board.awaits(&of, "n") && board.pick_up(&of, "n"));
        assert!(!board.awaits(&of, "n") && !board.pick_up(&of, "n"));
        board.over(&rung, "answered");
        assert_eq!(told(&mut browser).len(), 4);
        assert!(board.take_back(&call("c1"), "cancelled"), "its call rings on");
    }

    #[test]
    fn a_browser_that_does_not_read_goes_and_leaves_its_number() {
        let board = Arc::new(Board::default());
        let mut deaf = board.stand_in(number()).unwrap();
        for call in 0..TOLD {
            board.ring(&number(), self::call(&call.to_string()), "ring".to_owned(), None);
        }
        assert!(!board.stands_in(&number()));
        assert_eq!(told(&mut deaf).len(), TOLD);
        let next = board.stand_in(number()).unwrap();
        drop(deaf);
        assert!(board.stands_in(&number()), "the late end of the first takes nothing from it");
        drop(next);
        assert_eq!(board.phones(), 0);
        board.close();
        assert_eq!(board.stand_in(number()).err(), Some(NotStandingIn::Closing));
    }

    #[test]
    fn there_is_room_for_so_many() {
        let board = Arc::new(Board::default());
        let taken: Vec<StandIn> = (0..PHONES)
            .map(|n| board.stand_in(Number::new(format!("+1555{n}"))).unwrap())
            .collect();
        assert_eq!(board.stand_in(number()).err(), Some(NotStandingIn::Full));
        drop(taken);
        assert!(board.stand_in(number()).is_ok());
    }
}
