//! A hundred thousand forged tokens of every kind, the same at every run: none is believed, and
//! nothing is left of them.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::*;
use crate::carrier::acs::signer::{NEXT, Signer, message};

const FORGED: usize = 100_000;

/// Signing costs twenty times as much as checking, so that signatures come from a stock.
const STOCK: u64 = 24;

/// The kinds of [`Forger::token`].
const KINDS: usize = 16;

struct Forger {
    chance: StdRng,
    /// Good tokens, whose parts are put together anew.
    good: Vec<String>,
    /// Signed by somebody else in the name of Azure's key, and in that of the next.
    strangers: Vec<String>,
    /// Signed by Azure's key, and wrong otherwise.
    wrong: Vec<String>,
    secrets: Vec<Vec<u8>>,
}

/// Good claims but for one.
fn but(name: &str, value: Value) -> Value {
    let mut claims = claims(now());
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

impl Forger {
    fn new() -> Self {
        let now = now();
        let times = || (0..STOCK).map(|n| now - n);
        let by = |signer: &'static Signer| move |at| signer.sign(&signer.header(), &claims(at));
        let (n, e) = AZURE.components();
        let jwk = AZURE.jwk().to_string().into_bytes();
        let text = BASE64.encode(&n).into_bytes();
        let wrong = [
            ("aud", json!(ANOTHER)),
            ("aud", json!([ANOTHER, "b"])),
            ("aud", json!(format!("{RESOURCE} "))),
            ("aud", Value::Null),
            ("iss", json!("https://acscallautomation.communication.example.com")),
            ("iss", json!([config::Acs::default().issuer])),
            ("iss", Value::Null),
            ("exp", json!(now - 60)),
            ("exp", json!(now + 10 * 365 * 86_400)),
            ("exp", json!("tomorrow")),
            ("exp", Value::Null),
            ("nbf", json!(now + 86_400)),
            ("nbf", json!(0)),
            ("nbf", Value::Null),
        ];
        let sign = |(name, value)| AZURE.sign(&AZURE.header(), &but(name, value));
        Self {
            chance: StdRng::seed_from_u64(5),
            good: times().map(by(&AZURE)).collect(),
            strangers: times().map(by(&STRANGER)).chain(times().map(by(&NEXT))).collect(),
            wrong: wrong.into_iter().map(sign).collect(),
            secrets: vec![n, e, jwk, text, Vec::new()],
        }
    }

    fn one_of(&mut self, which: fn(&Self) -> &Vec<String>) -> String {
        let at = self.chance.random_range(0..which(self).len());
        which(self)[at].clone()
    }

    /// Letters of a token's alphabet, and dots.
    fn noise(&mut self, letters: usize) -> String {
        const ALPHABET: &[u8] = b"abcdefghijklmABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_..";
        let any = |_| char::from(ALPHABET[self.chance.random_range(0..ALPHABET.len())]);
        (0..letters).map(any).collect()
    }

    /// One letter of one part is another one.
    fn changed(&mut self, part: usize) -> String {
        let mut parts: Vec<String> =
            self.one_of(|forger| &forger.good).split('.').map(str::to_owned).collect();
        let at = self.chance.random_range(0..parts[part].len());
        let old = parts[part].as_bytes()[at];
        let new = if old == b'A' { "B" } else { "A" };
        parts[part].replace_range(at..=at, new);
        parts.join(".")
    }

    /// Signed with the public key as if that were a secret.
    fn symmetric(&mut self, algorithm: &str) -> String {
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": AZURE.id });
        let text = message(&header, &claims(now()));
        let secret = &self.secrets[self.chance.random_range(0..self.secrets.len())];
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
        format!("{text}.{}", BASE64.encode(tag))
    }

    fn unsigned(&mut self, header: &Value) -> String {
        let text = message(header, &claims(now()));
        let signature = self.one_of(|forger| &forger.good);
        match self.chance.random_range(0..3) {
            0 => format!("{text}."),
            1 => text,
            _ => format!("{text}.{}", signature.rsplit_once('.').unwrap().1),
        }
    }

    fn token(&mut self, kind: usize) -> String {
        let n = self.chance.random_range(0..u32::MAX);
        match kind {
            0 => self.one_of(|forger| &forger.strangers),
            1 | 2 => self.one_of(|forger| &forger.wrong),
            // The words of one, the signature of another.
            3 => {
                let text = message(&AZURE.header(), &but("jti", json!(n)));
                let good = self.one_of(|forger| &forger.good);
                format!("{text}.{}", good.rsplit_once('.').unwrap().1)
            }
            4..=6 => self.changed(kind - 4),
            7 => self.symmetric("HS256"),
            8 => self.symmetric("RS256"),
            9 => {
                let name = ["none", "None", "NONE", "", "RS1", "ES256"][n as usize % 6];
                self.unsigned(&json!({ "alg": name, "kid": AZURE.id }))
            }
            10 => self.unsigned(&json!({ "alg": "RS256", "kid": format!("unknown-{n}") })),
            11 => self.unsigned(&json!({ "alg": "RS256", "jwk": STRANGER.jwk() })),
            12 => {
                let good = self.one_of(|forger| &forger.good);
                format!("{good}{}", self.noise(1 + n as usize % 40))
            }
            13 => {
                let good = self.one_of(|forger| &forger.good);
                good[..n as usize % good.len()].to_owned()
            }
            // Larger than is read at all.
            14 => "a.".repeat(5_000 + n as usize % 5_000),
            _ => self.noise(n as usize % 300),
        }
    }
}

#[tokio::test]
async fn of_a_hundred_thousand_forged_tokens_none_is_believed_and_nothing_is_left() {
    let (_dir, store) = record().await;
    let guard = guard(&store, RESOURCE).await;
    let mut forger = Forger::new();
    // A flood in no time at all: whatever is asked for more than once is asked for in vain.
    tokio::time::pause();
    let mut refused = [0_usize; KINDS];
    for n in 0..FORGED {
        let kind = n % KINDS;
        let token = forger.token(kind);
        let headers = one(header::AUTHORIZATION, &format!("Bearer {token}"));
        let believed = guard.admit_callback(&headers).await;
        assert!(believed.is_err(), "number {n}, of kind {kind}, is believed: {token}");
        refused[kind] += 1;
        // The sockets' door is the same but for what it learns.
        if n.is_multiple_of(10) {
            assert!(guard.admit_socket(&headers).await.is_err(), "number {n}, of kind {kind}");
        }
    }
    tokio::time::resume();
    assert!(refused.iter().all(|count| *count == FORGED / KINDS), "{refused:?}");
    assert_eq!(guard.keys().fetches().get(), 1, "whatever key ids were made up");
    assert_eq!(guard.keys().held(), 1, "only the issuer's own key is kept");
    assert_eq!(guard.resource.borrow().as_deref(), Some(RESOURCE));
    assert_eq!(store.setting(SETTING).await.unwrap(), None, "nothing was written");
    guard.admit_callback(&made_out_to(RESOURCE)).await.expect("the real one is believed still");
}
