//! The keys that the simulated service signs its tokens with, the tokens, and forgeries of them.
//! Facts: Azure's secure-webhook page; RFC 7515, 7517, 7519.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// A webhook's token, made anew for each delivery, lives so long.
pub(super) const WEBHOOK: Duration = Duration::from_mins(5);
/// A media socket's token lives so long.
pub(super) const SOCKET: Duration = Duration::from_hours(24);

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// It was right an hour ago.
    Expired,
    /// It will be right in an hour.
    NotYet,
    /// It lives for ten years.
    Eternal,
    /// It is made out to another customer of the service.
    OtherAudience,
    /// Somebody else claims to have issued it.
    OtherIssuer,
    /// It names the service's key and was signed with another.
    OtherKey,
    /// It names a key that the service never had.
    UnknownKey,
    /// Its algorithm is `none`.
    Unsigned,
    /// It is signed with the public key as a shared secret.
    Symmetric,
}

impl Forgery {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Expired,
        Self::NotYet,
        Self::Eternal,
        Self::OtherAudience,
        Self::OtherIssuer,
        Self::OtherKey,
        Self::UnknownKey,
        Self::Unsigned,
        Self::Symmetric,
    ];
}

/// Signs for one resource of the simulated service.
pub(super) struct Signer {
    issuer: String,
    audience: String,
    keys: Mutex<Keys>,
    stranger: Key,
    fetched: AtomicUsize,
}

/// The key that signs, and the one before it, which is still published.
struct Keys {
    current: Key,
    former: Option<Key>,
}

struct Key {
    id: String,
    pair: RsaKeyPair,
}

impl Key {
    fn fresh() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key can be generated");
        Self { id: Uuid::new_v4().simple().to_string(), pair }
    }

    fn modulus(&self) -> String {
        let modulus = self.pair.public_key().modulus();
        URL_SAFE_NO_PAD.encode(modulus.big_endian_without_leading_zero())
    }

    fn published(&self) -> Value {
        let exponent = self.pair.public_key().exponent();
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": self.modulus(),
            "e": URL_SAFE_NO_PAD.encode(exponent.big_endian_without_leading_zero()),
        })
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .expect("the signature has the length of the modulus");
        signature
    }
}

impl Signer {
    /// Makes its keys, which takes a moment.
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            audience: Uuid::new_v4().to_string(),
            keys: Mutex::new(Keys { current: Key::fresh(), former: None }),
            stranger: Key::fresh(),
            fetched: AtomicUsize::new(0),
        }
    }

    /// Who issues the tokens.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The immutable id of the resource, which they are made out to.
    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    /// Signs with a new key from now on. The former one stays published, the one before is gone.
    pub(super) fn rotate(&self) {
        let fresh = Key::fresh();
        let mut keys = self.lock();
        keys.former = Some(std::mem::replace(&mut keys.current, fresh));
    }

    /// The JWKS; counts how often it is asked for.
    pub(super) fn published(&self) -> Value {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        let keys = self.lock();
        let all: Vec<Value> =
            std::iter::once(&keys.current).chain(&keys.former).map(Key::published).collect();
        json!({ "keys": all })
    }

    /// How often the keys were fetched.
    pub(super) fn fetched(&self) -> usize {
        self.fetched.load(Ordering::Relaxed)
    }

    /// A token of the service.
    pub(super) fn token(&self, lifetime: Duration, now: Timestamp) -> String {
        let keys = self.lock();
        let claims = self.claims(now, lifetime);
        signed(&keys.current.id, &claims, &keys.current)
    }

    /// A token for a webhook that must be refused.
    pub(super) fn forged(&self, forgery: Forgery, now: Timestamp) -> String {
        const HOUR: Duration = Duration::from_hours(1);
        const TEN_YEARS: Duration = Duration::from_hours(10 * 365 * 24);
        let keys = self.lock();
        let key = &keys.current;
        let mut claims = self.claims(now, WEBHOOK);
        match forgery {
            Forgery::Expired => signed(&key.id, &self.claims(now - HOUR, WEBHOOK), key),
            Forgery::NotYet => signed(&key.id, &self.claims(now + HOUR, WEBHOOK), key),
            Forgery::Eternal => signed(&key.id, &self.claims(now, TEN_YEARS), key),
            Forgery::OtherAudience => {
                claims["aud"] = json!(Uuid::new_v4().to_string());
                signed(&key.id, &claims, key)
            }
            Forgery::OtherIssuer => {
                claims["iss"] = json!("https://acscallautomation.communication.example.com");
                signed(&key.id, &claims, key)
            }
            Forgery::OtherKey => signed(&key.id, &claims, &self.stranger),
            Forgery::UnknownKey => signed(&self.stranger.id, &claims, &self.stranger),
            Forgery::Unsigned => format!("{}.", unsigned("none", &key.id, &claims)),
            Forgery::Symmetric => {
                let text = unsigned("HS256", &key.id, &claims);
                let secret = hmac::Key::new(hmac::HMAC_SHA256, key.modulus().as_bytes());
                let signature = hmac::sign(&secret, text.as_bytes());
                format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
            }
        }
    }

    fn claims(&self, now: Timestamp, lifetime: Duration) -> Value {
        json!({
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now.as_second(),
            "nbf": now.as_second(),
            "exp": (now + lifetime).as_second(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unsigned(algorithm: &str, key: &str, claims: &Value) -> String {
    let header = json!({ "alg": algorithm, "kid": key, "typ": "JWT" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(&header), part(claims))
}

fn signed(name: &str, claims: &Value, key: &Key) -> String {
    let text = unsigned("RS256", name, claims);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(&text));
    format!("{text}.{signature}")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::PublicKeyComponents;
    use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;

    use super::*;

    /// Whether one of the published keys signed this token.
    fn verifies(signer: &Signer, token: &str) -> bool {
        let (text, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let header = text.split('.').next().unwrap();
        let header: Value = serde_json::from_slice(&decode(header)).unwrap();
        let keys = signer.published();
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
        let Some(key) = key else { return false };
        let (n, e) = (decode(key["n"].as_str().unwrap()), decode(key["e"].as_str().unwrap()));
        let public = PublicKeyComponents { n: &n, e: &e };
        let signature = decode(signature);
        header["alg"] == "RS256"
            && public.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn a_token_is_signed_by_a_published_key_also_after_one_rotation() {
        let signer = Signer::new("https://issuer.example.com".to_owned());
        let before = signer.token(WEBHOOK, Timestamp::now());
        assert!(verifies(&signer, &before));
        signer.rotate();
        assert!(verifies(&signer, &before), "the former key is still published");
        assert!(verifies(&signer, &signer.token(SOCKET, Timestamp::now())));
        signer.rotate();
        assert!(!verifies(&signer, &before), "the key before the former one is gone");
        assert_eq!(signer.fetched(), 4);
    }

    #[test]
    fn forgeries_of_the_signature_do_not_verify_and_the_others_do() {
        let signer = Signer::new("https://issuer.example.com".to_owned());
        for forgery in Forgery::ALL {
            let signed = match forgery {
                Forgery::Expired
                | Forgery::NotYet
                | Forgery::Eternal
                | Forgery::OtherAudience
                | Forgery::OtherIssuer => true,
                Forgery::OtherKey
                | Forgery::UnknownKey
                | Forgery::Unsigned
                | Forgery::Symmetric => false,
            };
            let token = signer.forged(forgery, Timestamp::now());
            assert_eq!(verifies(&signer, &token), signed, "{forgery:?}");
        }
    }
}
