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
    pub(super) fn issue(&self, call: &CallId, dialect: Dialect, format: Format) -> String {
        let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; NONCE]>());
        let ticket = Ticket { nonce: nonce.clone(), admission: Admission { dialect, format } };
        self.lock().insert(call.clone(), ticket);
        nonce
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

    pub(super) fn void(&self, call: &CallId) {
        self.lock().remove(call);
    }

    pub(super) fn keep(&self, is_live: impl Fn(&CallId) -> bool) {
        self.lock().retain(|call, _| is_live(call));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallId, Ticket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_calls_own_nonce_is_let_in() {
        let tickets = Tickets::default();
        let (a, b) = (CallId::new("a"), CallId::new("b"));
        let nonce_a = tickets.issue(&a, Dialect::Acs24k, Format::Pcm24k);
        let nonce_b = tickets.issue(&b, Dialect::Twilio, Format::Pcmu8k);
        assert!(tickets.admit(&a, &nonce_a).is_some());
        assert!(tickets.admit(&a, &nonce_b).is_none());
        assert!(tickets.admit(&CallId::new("c"), &"A".repeat(32)).is_none());
        assert!(tickets.admit(&a, "").is_none());
        tickets.keep(|call| *call == b);
        assert!(tickets.admit(&a, &nonce_a).is_none());
    }
}
