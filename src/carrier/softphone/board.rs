//! Which browser stands in for which number, and which calls ring there. Tells browsers what they
//! are to know; asks nobody and decides about no call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tandem_actors::briefing::CallId;
use tandem_actors::carrier::Number;
use tokio::sync::mpsc;

use super::wire::Outbound;

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
    calls: HashMap<CallId, Call>,
    /// Tells one browser from the next at the same number.
    next: u64,
    closed: bool,
}

struct Phone {
    id: u64,
    told: mpsc::Sender<String>,
}

/// A call that rings a browser, or is held with one.
struct Call {
    number: Number,
    stage: Stage,
}

enum Stage {
    /// It rings, with this message.
    Rings(String),
    /// It has been refused.
    Refused,
    /// It has been answered.
    Answered,
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
                Stage::Refused | Stage::Answered => None,
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
    #[cfg(test)]
    pub(super) fn stands_in(&self, number: &Number) -> bool {
        self.lock().phones.contains_key(number)
    }

    /// How many browsers stand in for numbers.
    pub(super) fn phones(&self) -> usize {
        self.lock().phones.len()
    }

    /// Rings whoever stands in for this number; whether anybody does.
    pub(super) fn ring(&self, number: &Number, call: CallId, message: String) -> bool {
        let mut state = self.lock();
        if !state.phones.contains_key(number) {
            return false;
        }
        let (number, stage) = (number.clone(), Stage::Rings(message.clone()));
        state.tell(&number, message);
        state.calls.insert(call, Call { number, stage });
        true
    }

    /// Whoever stands in for this number refuses a call. Whether it rang there.
    pub(super) fn refuse(&self, number: &Number, call: &CallId) -> bool {
        let mut state = self.lock();
        let Some(Call { number: rung, stage: stage @ Stage::Rings(_) }) = state.calls.get_mut(call)
        else {
            return false;
        };
        if rung != number {
            return false;
        }
        *stage = Stage::Refused;
        true
    }

    /// A call has been answered.
    pub(super) fn answered(&self, call: &CallId) {
        if let Some(call) = self.lock().calls.get_mut(call) {
            call.stage = Stage::Answered;
        }
    }

    /// A call is over.
    pub(super) fn over(&self, call: &CallId, how: &str) {
        let mut state = self.lock();
        let Some(Call { number, .. }) = state.calls.remove(call) else { return };
        state.tell(&number, Outbound::Over { call: &call.0, how }.text());
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

    fn told(stand_in: &mut StandIn) -> Vec<String> {
        std::iter::from_fn(|| stand_in.messages.try_recv().ok()).collect()
    }

    #[test]
    fn it_rings_on_at_a_number_and_the_next_browser_there_is_told() {
        let (board, call) = (Arc::new(Board::default()), CallId::new("c1"));
        assert!(!board.ring(&number(), call.clone(), "ring".to_owned()), "nobody is there");
        let mut first = board.stand_in(number()).unwrap();
        assert_eq!(board.stand_in(number()).err(), Some(NotStandingIn::Taken));
        assert!(board.ring(&number(), call.clone(), "ring".to_owned()));
        assert_eq!(told(&mut first)[1..], ["ring"]);
        drop(first);
        let mut second = board.stand_in(number()).unwrap();
        assert_eq!(told(&mut second)[1..], ["ring"]);
        board.answered(&call);
        drop(second);
        let mut third = board.stand_in(number()).unwrap();
        assert_eq!(told(&mut third).len(), 1, "it rings no more");
        board.over(&call, "answered");
        board.over(&call, "answered");
        assert_eq!(told(&mut third), [r#"{"type":"over","call":"c1","how":"answered"}"#]);
    }

    #[test]
    fn a_call_is_refused_once_where_it_rings_and_nowhere_else() {
        let (board, call) = (Arc::new(Board::default()), CallId::new("c1"));
        let _browser = board.stand_in(number()).unwrap();
        assert!(board.ring(&number(), call.clone(), "ring".to_owned()));
        assert!(!board.refuse(&Number::new("+15550101"), &call), "another number's");
        assert!(!board.refuse(&number(), &CallId::new("c2")), "another call");
        assert!(board.refuse(&number(), &call));
        assert!(!board.refuse(&number(), &call), "once");
    }

    #[test]
    fn a_browser_that_does_not_read_goes_and_leaves_its_number() {
        let board = Arc::new(Board::default());
        let mut deaf = board.stand_in(number()).unwrap();
        for call in 0..TOLD {
            board.ring(&number(), CallId::new(&call.to_string()), "ring".to_owned());
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
