//! Which media socket belongs to which call: a nonce per call, compared in constant time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use tandem_actors::audio::Format;
use tandem_actors::briefing::CallId;

use crate::config::Dialect;

/// Bytes of a nonce: beyond guessing.
const NONCE: usize = 24;

/// The nonces of live calls.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<BTreeMap<CallId, Ticket>>);

struct Ticket {
    nonce: String,
    admission: Admission,
}

/// A nonce lets media in; it never reaches a log.
impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("admission", &self.admission).finish_non_exhaustive()
    }
}

/// What a valid nonce tells of the socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    pub(super) dialect: Dialect,
    pub(super) format: Format,
}

impl Tickets {
    /// Admits a call and issues its ticket in one step, or `keep` could take a call that is
    /// about to be live for one that is over.
    pub(super) fn issue<E>(
        &self,
        call: &CallId,
        admission: Admission,
        admit: impl FnOnce(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; NONCE]>());
        let mut tickets = self.lock();
        admit(&nonce)?;
        tickets.insert(call.clone(), Ticket { nonce, admission });
        Ok(())
    }

    /// The same time for an unknown call as for a wrong nonce.
    pub(super) fn admit(&self, call: &CallId, nonce: &str) -> Option<Admission> {
        let tickets = self.lock();
        let ticket = tickets.get(call);
        let known = ticket.map_or("", |ticket| ticket.nonce.as_str());
        let padding = "A".repeat(NONCE / 3 * 4);
        let wanted = if known.is_empty() { padding.as_str() } else { known };
        let same: bool = wanted.as_bytes().ct_eq(nonce.as_bytes()).into();
        ticket.filter(|_| same).map(|ticket| ticket.admission)
    }

    /// Forgets the tickets of all calls but the live ones, which it asks for; in order.
    pub(super) fn keep(&self, live: impl FnOnce() -> Vec<CallId>) {
        let mut tickets = self.lock();
        let live = live();
        tickets.retain(|call, _| live.binary_search(call).is_ok());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallId, Ticket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::mpsc;

    use super::*;

    const ADMISSION: Admission = Admission { dialect: Dialect::Acs24k, format: Format::Pcm24k };

    fn issue(tickets: &Tickets, call: &CallId) -> String {
        let mut issued = String::new();
        let admit = |nonce: &str| {
            issued = nonce.to_owned();
            Ok::<(), Infallible>(())
        };
        tickets.issue(call, ADMISSION, admit).unwrap();
        issued
    }

    #[test]
    fn only_the_calls_own_nonce_is_let_in() {
        let tickets = Tickets::default();
        let (a, b) = (CallId::new("a"), CallId::new("b"));
        let (nonce_a, nonce_b) = (issue(&tickets, &a), issue(&tickets, &b));
        assert!(tickets.admit(&a, &nonce_a).is_some());
        assert!(tickets.admit(&a, &nonce_b).is_none());
        assert!(tickets.admit(&CallId::new("c"), &"A".repeat(32)).is_none());
        assert!(tickets.admit(&a, "").is_none());
        tickets.keep(|| vec![b]);
        assert!(tickets.admit(&a, &nonce_a).is_none());
    }

    #[test]
    fn a_call_that_is_refused_has_no_ticket() {
        let tickets = Tickets::default();
        let call = CallId::new("a");
        let mut nonce = String::new();
        let refused = tickets.issue(&call, ADMISSION, |issued| {
            nonce = issued.to_owned();
            Err("full")
        });
        assert_eq!(refused, Err("full"));
        assert!(tickets.admit(&call, &nonce).is_none());
    }

    #[test]
    fn the_ticket_of_a_call_that_is_being_admitted_is_not_tidied_away() {
        let tickets = Tickets::default();
        let call = CallId::new("a");
        let live = Mutex::new(Vec::new());
        let (tidying, begun) = mpsc::channel();
        let mut nonce = String::new();
        std::thread::scope(|scope| {
            let admit = |issued: &str| {
                nonce = issued.to_owned();
                scope.spawn(|| {
                    tidying.send(()).unwrap();
                    tickets.keep(|| live.lock().unwrap().clone());
                });
                begun.recv().unwrap();
                live.lock().unwrap().push(call.clone());
                Ok::<(), Infallible>(())
            };
            tickets.issue(&call, ADMISSION, admit).unwrap();
        });
        assert!(tickets.admit(&call, &nonce).is_some());
    }
}
