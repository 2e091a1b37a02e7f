//! Twilio's signature, as Twilio makes it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The signature of a form that is posted to `url`. A name that is given more than once counts
/// with each of its values once.
#[must_use]
pub fn form(auth_token: &str, url: &str, fields: &[(String, String)]) -> String {
    let mut sorted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in fields {
        sorted.entry(name).or_default().push(value);
    }
    let mut text = url.to_owned();
    for (name, mut values) in sorted {
        values.sort_unstable();
        values.dedup();
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes any key");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The signature of a media socket's upgrade at this `wss://` address.
#[must_use]
pub fn upgrade(auth_token: &str, url: &str) -> String {
    form(auth_token, url, &[])
}
