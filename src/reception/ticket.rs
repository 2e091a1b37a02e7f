//! Who may speak for a call: a nonce for its media and one for its callbacks, compared in
//! constant time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use tandem_actors::audio::Format;
use tandem_actors::briefing::CallId;

use super::seal::Seal;
use crate::config::Dialect;

/// Bytes of a nonce: beyond guessing.
pub(super) const NONCE: usize = 24;

/// Characters of a nonce in base64.
const NONCE_CHARS: usize = NONCE / 3 * 4;

/// A carrier's callbacks about a call may come so long after its end.
const LATE: Duration = Duration::from_mins(10);

/// The nonces of live calls, and of those that have just ended.
pub(super) struct Tickets {
    seal: Seal,
    issued: Mutex<BTreeMap<CallId, Ticket>>,
}

struct Ticket {
    nonces: Nonces,
    admission: Admission,
    /// Since when the call is known to be over.
    over: Option<Instant>,
}

/// The nonces of a call: never one for the other, so that an address that leaks into a log of
/// callbacks lets nobody listen.
#[derive(Clone)]
pub(super) struct Nonces {
    pub(super) media: Nonce,
    pub(super) events: Nonce,
}

/// A nonce as it stands in an address. Kept inline: of ended calls there are many.
#[derive(Clone)]
pub(super) struct Nonce([u8; NONCE_CHARS]);

impl Nonce {
    pub(super) fn of(bytes: &[u8; NONCE]) -> Self {
        let mut text = [0; NONCE_CHARS];
        let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text);
        written.expect("the length is that of the encoding");
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64 is ascii")
    }
}

/// What a valid nonce tells of the socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    pub(super) dialect: Dialect,
    pub(super) format: Format,
}

impl Tickets {
    /// None yet; they will be made of this.
    pub(super) const fn sealed(seal: Seal) -> Self {
        Self { seal, issued: Mutex::new(BTreeMap::new()) }
    }

    /// Admits a call and issues its ticket in one step, or `keep` could take a call that is
    /// about to be live for one that is over.
    pub(super) fn issue<E>(
        &self,
        call: &CallId,
        admission: Admission,
        admit: impl FnOnce(&Nonces) -> Result<(), E>,
    ) -> Result<(), E> {
        let nonces = self.seal.nonces(call);
        let mut tickets = self.lock();
        admit(&nonces)?;
        tickets.insert(call.clone(), Ticket { nonces, admission, over: None });
        Ok(())
    }

    /// What this nonce lets in, if it is that of the call's media.
    pub(super) fn admit(&self, call: &CallId, nonce: &str) -> Option<Admission> {
        self.check(call, nonce, |nonces| &nonces.media)
    }

    /// Whether this nonce is that of the call's callbacks.
    pub(super) fn tells(&self, call: &CallId, nonce: &str) -> bool {
        self.check(call, nonce, |nonces| &nonces.events).is_some()
    }

    /// Takes the same time for an unknown call as for a wrong nonce.
    fn check(
        &self,
        call: &CallId,
        nonce: &str,
        which: impl Fn(&Nonces) -> &Nonce,
    ) -> Option<Admission> {
        let tickets = self.lock();
        let ticket = tickets.get(call);
        let nobodys = Nonce([b'A'; NONCE_CHARS]);
        let wanted = ticket.map_or(&nobodys, |ticket| which(&ticket.nonces));
        let same: bool = wanted.0.ct_eq(nonce.as_bytes()).into();
        ticket.filter(|_| same).map(|ticket| ticket.admission)
    }

    /// Forgets the tickets of calls that have long been over. It asks for the live ones, in
    /// order.
    pub(super) fn keep(&self, live: impl FnOnce() -> Vec<CallId>, now: Instant) {
        let mut tickets = self.lock();
        let live = live();
        tickets.retain(|call, ticket| {
            if live.binary_search(call).is_ok() {
                return true;
            }
            now - *ticket.over.get_or_insert(now) < LATE
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallId, Ticket>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::mpsc;

    use super::*;

    const ADMISSION: Admission = Admission { dialect: Dialect::Acs24k, format: Format::Pcm24k };

    fn issue(tickets: &Tickets, call: &CallId) -> Nonces {
        let mut issued = None;
        let admit = |nonces: &Nonces| {
            issued = Some(nonces.clone());
            Ok::<(), Infallible>(())
        };
        tickets.issue(call, ADMISSION, admit).unwrap();
        issued.unwrap()
    }

    #[test]
    fn only_the_calls_own_nonce_is_let_in() {
        let tickets = Tickets::sealed(Seal::fresh());
        let (a, b) = (CallId::new("a"), CallId::new("b"));
        let (of_a, of_b) = (issue(&tickets, &a), issue(&tickets, &b));
        assert!(tickets.admit(&a, of_a.media.as_str()).is_some());
        assert!(tickets.tells(&a, of_a.events.as_str()));
        assert!(tickets.admit(&a, of_a.events.as_str()).is_none());
        assert!(!tickets.tells(&a, of_a.media.as_str()));
        assert!(tickets.admit(&a, of_b.media.as_str()).is_none());
        assert!(!tickets.tells(&a, of_b.events.as_str()));
        assert!(tickets.admit(&CallId::new("c"), &"A".repeat(32)).is_none());
        assert!(tickets.admit(&a, "").is_none());
    }

    #[test]
    fn the_next_process_knows_the_nonces_that_a_carrier_was_told() {
        let call = CallId::new("a");
        let seal = Seal::fresh();
        let (before, after) = (seal.nonces(&call), seal.nonces(&call));
        assert_eq!(before.media.as_str(), after.media.as_str());
        assert_eq!(before.events.as_str(), after.events.as_str());
        assert_ne!(before.media.as_str(), Seal::fresh().nonces(&call).media.as_str());
        assert_ne!(before.media.as_str(), seal.nonces(&CallId::new("b")).media.as_str());
    }

    #[test]
    fn callbacks_are_heard_for_a_while_after_the_end() {
        let tickets = Tickets::sealed(Seal::fresh());
        let (a, b) = (CallId::new("a"), CallId::new("b"));
        let (of_a, of_b) = (issue(&tickets, &a), issue(&tickets, &b));
        let over = Instant::now();
        tickets.keep(|| vec![b.clone()], over);
        tickets.keep(|| vec![b.clone()], over + LATE - Duration::from_secs(1));
        assert!(tickets.tells(&a, of_a.events.as_str()));
        tickets.keep(|| vec![b.clone()], over + LATE);
        assert!(!tickets.tells(&a, of_a.events.as_str()));
        assert!(tickets.tells(&b, of_b.events.as_str()));
    }

    #[test]
    fn a_call_that_is_refused_has_no_ticket() {
        let tickets = Tickets::sealed(Seal::fresh());
        let call = CallId::new("a");
        let mut issued = None;
        let refused = tickets.issue(&call, ADMISSION, |nonces| {
            issued = Some(nonces.clone());
            Err("full")
        });
        assert_eq!(refused, Err("full"));
        assert!(tickets.admit(&call, issued.unwrap().media.as_str()).is_none());
    }

    #[test]
    fn the_ticket_of_a_call_that_is_being_admitted_is_not_tidied_away() {
        let tickets = Tickets::sealed(Seal::fresh());
        let call = CallId::new("a");
        let live = Mutex::new(Vec::new());
        let (tidying, begun) = mpsc::channel();
        let mut issued = None;
        let now = Instant::now();
        std::thread::scope(|scope| {
            let admit = |nonces: &Nonces| {
                issued = Some(nonces.clone());
                scope.spawn(|| {
                    tidying.send(()).unwrap();
                    tickets.keep(|| live.lock().unwrap().clone(), now);
                });
                begun.recv().unwrap();
                live.lock().unwrap().push(call.clone());
                Ok::<(), Infallible>(())
            };
            tickets.issue(&call, ADMISSION, admit).unwrap();
        });
        tickets.keep(|| live.lock().unwrap().clone(), now + LATE);
        assert!(tickets.admit(&call, issued.unwrap().media.as_str()).is_some());
    }
}
