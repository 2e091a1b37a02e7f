//! Who listens to calls at this moment, how many may, and tickets by which a browser may once.
//! In memory: neither outlives the server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tandem_actors::briefing::CallId;
use tokio::time::Instant;

/// Listeners of one call: each costs it a copy of every frame.
pub(super) const OF_A_CALL: usize = 4;

/// A ticket is good for so long: a page asks for it when it connects.
pub(super) const TICKET_LASTS: Duration = Duration::from_secs(30);

/// Tickets that wait at the same time, of all calls: a thousand listeners that come at once.
const TICKETS: usize = 1_000;

/// Bytes of a ticket: beyond guessing.
const TICKET_BYTES: usize = 24;

/// Those of one server.
#[derive(Clone, Default)]
pub struct Listeners(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    listening: HashMap<CallId, usize>,
    /// By their digest, so that the time a look-up takes tells nothing of them.
    tickets: HashMap<[u8; 32], (CallId, Instant)>,
}

impl Listeners {
    /// A place of this call, while there is one.
    pub(super) fn enter(&self, call: &CallId) -> Option<Place> {
        let mut state = self.lock();
        let count = state.listening.entry(call.clone()).or_default();
        if *count >= OF_A_CALL {
            return None;
        }
        *count += 1;
        Some(Place { of: self.clone(), call: call.clone() })
    }

    /// A ticket for this call; none while too many wait.
    pub(super) fn issue(&self, call: &CallId) -> Option<String> {
        let now = Instant::now();
        let mut state = self.lock();
        state.tickets.retain(|_, (_, until)| *until > now);
        if state.tickets.len() >= TICKETS {
            return None;
        }
        let ticket = URL_SAFE_NO_PAD.encode(rand::random::<[u8; TICKET_BYTES]>());
        state.tickets.insert(digest(&ticket), (call.clone(), now + TICKET_LASTS));
        Some(ticket)
    }

    /// Whether this ticket is this call's; it is used up either way.
    pub(super) fn redeem(&self, call: &CallId, ticket: &str) -> bool {
        let found = self.lock().tickets.remove(&digest(ticket));
        found.is_some_and(|(of, until)| of == *call && until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listeners(…)")
    }
}

fn digest(ticket: &str) -> [u8; 32] {
    Sha256::digest(ticket.as_bytes()).into()
}

/// Somebody listens until it is dropped.
pub(super) struct Place {
    of: Listeners,
    call: CallId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.of.lock();
        let Some(count) = state.listening.get_mut(&self.call) else { return };
        *count -= 1;
        if *count == 0 {
            state.listening.remove(&self.call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_once_for_its_call_and_for_a_while() {
        let (listeners, call) = (Listeners::default(), CallId::new("c1"));
        let ticket = listeners.issue(&call).unwrap();
        assert!(listeners.redeem(&call, &ticket));
        assert!(!listeners.redeem(&call, &ticket), "once");
        let ticket = listeners.issue(&call).unwrap();
        assert!(!listeners.redeem(&CallId::new("c2"), &ticket), "another call");
        let ticket = listeners.issue(&call).unwrap();
        tokio::time::advance(TICKET_LASTS).await;
        assert!(!listeners.redeem(&call, &ticket), "for a while");
        assert!((0..TICKETS).all(|_| listeners.issue(&call).is_some()));
        assert_eq!(listeners.issue(&call), None);
        tokio::time::advance(TICKET_LASTS).await;
        assert!(listeners.issue(&call).is_some());
    }

    #[test]
    fn a_call_has_so_many_places_and_whoever_leaves_gives_one_back() {
        let (listeners, call) = (Listeners::default(), CallId::new("c1"));
        let mut places: Vec<Place> =
            (0..OF_A_CALL).map(|_| listeners.enter(&call).unwrap()).collect();
        assert!(listeners.enter(&call).is_none());
        assert!(listeners.enter(&CallId::new("c2")).is_some());
        places.pop();
        places.push(listeners.enter(&call).unwrap());
        drop(places);
        assert!(listeners.lock().listening.is_empty());
    }
}
