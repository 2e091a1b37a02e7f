//! `X-Twilio-Signature`: what shows that a request comes from Twilio. Pure; knows no request,
//! only its address as Twilio was given it, its body and the header.
//!
//! Source: Twilio's "Validating requests" and `RequestValidator` of its official SDKs, which made
//! the pinned vectors in `tests/fixtures/twilio/signatures.json`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::form::Form;

/// The header.
pub const HEADER: &str = "x-twilio-signature";

/// The parameter in the address that holds the hash of a body that is no form.
const BODY_HASH: &str = "bodySHA256";

/// Checks signatures with the account's primary auth token, which signs also when the REST
/// interface is used with another key.
#[derive(Clone, Debug)]
pub struct Seal(SecretString);

impl Seal {
    /// With this auth token.
    #[must_use]
    pub const fn new(auth_token: SecretString) -> Self {
        Self(auth_token)
    }

    /// Whether Twilio posted this form to this address.
    #[must_use]
    pub fn is_on_form(&self, url: &str, form: &Form, signature: &str) -> bool {
        let fields: BTreeSet<(&str, &str)> = form.fields().collect();
        self.is_on(url, &fields, signature)
    }

    /// Whether Twilio posted this body, which is no form, to this address. The address must hold
    /// the body's hash: without it nothing ties the two together.
    #[must_use]
    pub fn is_on_body(&self, url: &str, body: &[u8], signature: &str) -> bool {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let Some(told) = query.split('&').find_map(|pair| {
            pair.split_once('=').filter(|(name, _)| *name == BODY_HASH).map(|(_, hash)| hash)
        }) else {
            return false;
        };
        let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        let same: bool = hash.as_bytes().ct_eq(told.as_bytes()).into();
        same && self.is_on(url, &BTreeSet::new(), signature)
    }

    /// Whether Twilio asks for a WebSocket at this `wss://` address. It is signed like a request
    /// without parameters; with or without a slash at the end.
    #[must_use]
    pub fn is_on_upgrade(&self, url: &str, signature: &str) -> bool {
        let none = BTreeSet::new();
        let bare = url.trim_end_matches('/');
        self.is_on(bare, &none, signature) || self.is_on(&format!("{bare}/"), &none, signature)
    }

    /// Twilio signs now with the port in the address and now without.
    fn is_on(&self, url: &str, fields: &BTreeSet<(&str, &str)>, signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        spellings(url).iter().any(|url| self.mac(url, fields).verify_slice(&signature).is_ok())
    }

    fn mac(&self, url: &str, fields: &BTreeSet<(&str, &str)>) -> Hmac<Sha1> {
        let token = self.0.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha1>::new_from_slice(token).expect("HMAC takes keys of any length");
        mac.update(url.as_bytes());
        for (name, value) in fields {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        mac
    }
}

/// An address without its port, and with one.
fn spellings(url: &str) -> [Cow<'_, str>; 2] {
    let given = Cow::Borrowed(url);
    let Some((scheme, rest)) = url.split_once("://") else { return [given.clone(), given] };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            [Cow::Owned(format!("{scheme}://{bare}{path}")), given]
        }
        Some(_) | None => {
            let port = if matches!(scheme, "https" | "wss") { 443 } else { 80 };
            [given, Cow::Owned(format!("{scheme}://{host}:{port}{path}"))]
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    const VECTORS: &str = include_str!("../../../tests/fixtures/twilio/signatures.json");

    #[derive(Deserialize)]
    struct Vectors {
        token: String,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        url: String,
        body: Option<String>,
        json: Option<String>,
        signature: String,
    }

    impl Case {
        fn is_good(&self, seal: &Seal) -> bool {
            match (&self.body, &self.json) {
                (Some(body), _) => {
                    seal.is_on_form(&self.url, &Form::read(body.as_bytes()), &self.signature)
                }
                (None, Some(json)) => seal.is_on_body(&self.url, json.as_bytes(), &self.signature),
                (None, None) => seal.is_on_upgrade(&self.url, &self.signature),
            }
        }
    }

    fn vectors() -> (Seal, Vec<Case>) {
        let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
        (Seal::new(vectors.token.into()), vectors.cases)
    }

    #[test]
    fn what_the_official_library_signs_is_taken() {
        let (seal, cases) = vectors();
        assert!(cases.len() > 10);
        for case in cases {
            assert!(case.is_good(&seal), "{}", case.name);
        }
    }

    #[test]
    fn another_token_address_body_or_signature_is_refused() {
        let (seal, cases) = vectors();
        let stranger = Seal::new("another token".to_owned().into());
        for mut case in cases {
            assert!(!case.is_good(&stranger), "{}", case.name);
            let url = case.url.clone();
            case.url = url.replace("bridge", "bridges");
            assert!(!case.is_good(&seal), "{}", case.name);
            case.url = url.replace("/twilio/", "/Twilio/");
            assert!(!case.is_good(&seal), "{}", case.name);
            case.url = url;
            for body in case.body.iter_mut().chain(case.json.iter_mut()) {
                body.push_str("&x=1");
                assert!(
                    !Case { signature: case.signature.clone(), ..forged(body, &case.url) }
                        .is_good(&seal)
                );
            }
            for bad in ["", "AAAA", "not base64!", &case.signature[1..]] {
                let forged = Case { signature: bad.to_owned(), ..forged("", &case.url) };
                assert!(!forged.is_good(&seal), "{}: {bad}", case.name);
            }
        }
    }

    fn forged(body: &str, url: &str) -> Case {
        let body = Some(body.to_owned());
        let (name, url) = ("forged".to_owned(), url.to_owned());
        Case { name, url, body, json: None, signature: String::new() }
    }

    #[test]
    fn a_body_without_its_hash_in_the_address_is_refused() {
        let (seal, cases) = vectors();
        // Signed by Twilio, and says nothing of any body.
        let upgrade = cases.iter().find(|case| case.name == "upgrade").unwrap();
        assert!(!seal.is_on_body(&upgrade.url, b"{}", &upgrade.signature));
    }

    #[test]
    fn the_port_may_be_there_or_not() {
        let (seal, cases) = vectors();
        let case = cases.iter().find(|case| case.name == "with a port").unwrap();
        let form = Form::read(case.body.as_ref().unwrap().as_bytes());
        assert!(seal.is_on_form(&case.url, &form, &case.signature));
        let usual = cases.iter().find(|case| case.name == "the usual port written out").unwrap();
        let bare = usual.url.replace(":443", "");
        let form = Form::read(usual.body.as_ref().unwrap().as_bytes());
        assert!(seal.is_on_form(&bare, &form, &usual.signature));
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(signature in ".*", url in ".*", body in any::<Vec<u8>>()) {
            let (seal, _) = vectors();
            prop_assert!(!seal.is_on_form(&url, &Form::read(&body), &signature));
            prop_assert!(!seal.is_on_body(&url, &body, &signature));
            prop_assert!(!seal.is_on_upgrade(&url, &signature));
        }
    }
}
