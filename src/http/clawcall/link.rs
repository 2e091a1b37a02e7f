//! Addresses of recordings that open without a key, for a while: signed with a key that lives as
//! long as the server. Pure but for that key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

/// An address is good for so long.
pub(super) const MINUTES: i64 = 10;

/// Makes such addresses and knows its own.
#[derive(Clone)]
pub struct Links([u8; 32]);

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links(…)")
    }
}

impl Default for Links {
    fn default() -> Self {
        Self(rand::random())
    }
}

impl Links {
    /// The address of a call's recording from now on.
    pub(super) fn of(&self, call: &str, now: Timestamp) -> String {
        let until = now.as_second() + MINUTES * 60;
        let signature = URL_SAFE_NO_PAD.encode(self.sealed(call, until).finalize().into_bytes());
        format!("/call/{call}/recording/{until}/{signature}")
    }

    /// Whether this is one of ours and is good now.
    pub(super) fn hold(&self, call: &str, until: i64, signature: &str, now: Timestamp) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        now.as_second() <= until && self.sealed(call, until).verify_slice(&signature).is_ok()
    }

    fn sealed(&self, call: &str, until: i64) -> Hmac<Sha256> {
        let mut seal = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        seal.update(format!("{until} {call}").as_bytes());
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_good_for_its_call_and_for_a_while() {
        let (links, now) = (Links::default(), Timestamp::from_second(1_000).unwrap());
        let address = links.of("c1", now);
        let parts: Vec<&str> = address.split('/').collect();
        let (until, signature) = (parts[4].parse::<i64>().unwrap(), parts[5]);
        assert!(links.hold("c1", until, signature, now));
        assert!(links.hold("c1", until, signature, Timestamp::from_second(until).unwrap()));
        assert!(!links.hold("c1", until, signature, Timestamp::from_second(until + 1).unwrap()));
        assert!(!links.hold("c1", until + 1, signature, now));
        assert!(!links.hold("c2", until, signature, now));
        assert!(!links.hold("c1", until, "AA", now) && !links.hold("c1", until, "ä", now));
        assert!(!Links::default().hold("c1", until, signature, now), "another server's");
    }
}
