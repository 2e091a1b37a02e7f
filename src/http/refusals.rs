//! What was turned away, counted by reason for `/metrics`. A reason is a word of ours: no
//! address, number, path or id is ever part of it.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Why something was turned away.
///
/// An answer that is a problem counts itself, under its code; whoever answers otherwise, or not
/// at all, counts one of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// As many connections as the listener may hold.
    Connections,
    /// As many connections as one address may hold.
    ConnectionsOfAddress,
    /// The operating system gave no connection (too many open files, for example).
    NotAccepted,
    /// The request line and headers did not come in time.
    SlowHeaders,
    /// The answer was not read in time.
    SlowReader,
    /// A connection without a request for too long.
    Idle,
    /// The request could not be parsed.
    Unparsed,
    /// The headers are too large or too many.
    HeadersTooLarge,
    /// The request target is too long.
    TargetTooLong,
    /// A nonce or a secret in an address that is not ours.
    WrongSecret,
    /// A token that does not hold: signature, issuer, audience or time.
    WrongToken,
    /// A signature over a request that does not hold.
    WrongSignature,
    /// A carrier told of a call that we do not have.
    UnknownCall,
    /// A carrier told something that is too old to act on.
    Stale,
    /// A carrier told again what it has told before.
    Repeated,
    /// A carrier told something that cannot be read.
    Unreadable,
    /// A call was not taken because the server is full or going away.
    Busy,
    /// A problem was answered with this code.
    Answered(&'static str),
}

impl Reason {
    const fn word(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsOfAddress => "connections_of_address",
            Self::NotAccepted => "not_accepted",
            Self::SlowHeaders => "slow_headers",
            Self::SlowReader => "slow_reader",
            Self::Idle => "idle",
            Self::Unparsed => "unparsed",
            Self::HeadersTooLarge => "headers_too_large",
            Self::TargetTooLong => "target_too_long",
            Self::WrongSecret => "wrong_secret",
            Self::WrongToken => "wrong_token",
            Self::WrongSignature => "wrong_signature",
            Self::UnknownCall => "unknown_call",
            Self::Stale => "stale",
            Self::Repeated => "repeated",
            Self::Unreadable => "unreadable",
            Self::Busy => "busy",
            Self::Answered(code) => code,
        }
    }
}

/// One counter for each reason that has occurred. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    counters: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Refusals {
    /// Counts one.
    pub fn count(&self, reason: Reason) {
        self.counters.get_or_create(&[("reason", reason.word())]).inc();
    }

    /// How often so far.
    #[must_use]
    pub fn counted(&self, reason: Reason) -> u64 {
        self.counters.get(&[("reason", reason.word())]).map_or(0, |counter| counter.get())
    }

    /// Shows them as `tandem_refusals_total{reason="…"}`.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("refusals", "What was turned away", self.counters.clone());
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn a_refusal_is_shown_under_its_reason_and_clones_count_together() {
        let refusals = Refusals::default();
        refusals.clone().count(Reason::SlowHeaders);
        refusals.count(Reason::SlowHeaders);
        refusals.count(Reason::Answered("no_such_route"));
        assert_eq!(refusals.counted(Reason::SlowHeaders), 2);
        assert_eq!(refusals.counted(Reason::Idle), 0);
        let mut registry = Registry::with_prefix("tandem");
        refusals.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        assert!(text.contains("tandem_refusals_total{reason=\"slow_headers\"} 2"), "{text}");
        assert!(text.contains("tandem_refusals_total{reason=\"no_such_route\"} 1"), "{text}");
    }
}
