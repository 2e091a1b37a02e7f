//! The issuer's public keys (JWKS): fetched when one is missing or they have grown old, by one
//! task at a time, at most once in ten seconds, whoever asks and however often. Whoever asks in
//! between for a key that is missing waits for the next fetch: the issuer may have a new one.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use futures_util::future::BoxFuture;
use jsonwebtoken::DecodingKey;
use prometheus_client::metrics::counter::Counter;
use serde::Deserialize;
use tandem_actors::clock::{self, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

use super::token::{KEY_ID_MAX, Refused};

/// From one attempt to the next, whether it failed or not: a flood of unknown key ids costs the
/// issuer no more than this. A key that was just rotated in is waited for so long at most; a
/// caller listens to silence for that time, but ACS dials a media socket that was refused no
/// second time. Should ACS itself not wait, it brings a callback again, as after a 503.
const SPACING: Duration = Duration::from_secs(10);

/// Requests that wait for the next fetch. A rotation is met by the few calls that begin in the
/// time; of a flood no more than this waits, and the rest is told to try again.
const WAITING: usize = 64;

/// Keys of this age are renewed in the background, so that one that was withdrawn is not
/// believed for long.
const FRESH: Duration = Duration::from_hours(1);

/// Keys that could not be renewed for so long are not believed any more. An issuer that is away
/// for a day is a worse day than most.
const STALE: Duration = Duration::from_hours(24);

/// One attempt.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest set that is read; Azure's has a few kilobytes.
const SET_MAX: usize = 64 * 1024;

/// Keys of a set that are kept; an issuer has two or three.
const KEYS_MAX: usize = 32;

/// RSA of 2,048 to 8,192 bits, as bytes of the modulus. Shorter keys can be broken, longer ones
/// cost too much time to check.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1_024;

/// Where the keys come from.
pub trait Source: Send + Sync {
    /// The JWKS as it is now, or what went wrong.
    fn fetch(&self) -> BoxFuture<'static, Result<Vec<u8>, String>>;
}

/// The issuer's keys; clones are the same.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    source: Box<dyn Source>,
    kept: RwLock<Option<Kept>>,
    /// Held while a fetch is under way; tells when the last one began.
    gate: Arc<Mutex<Option<Instant>>>,
    waiting: Semaphore,
    fetches: Counter,
}

struct Kept {
    keys: HashMap<String, DecodingKey>,
    /// When the issuer was asked for them.
    at: Instant,
}

/// What is known of a key id.
enum Known {
    Key(DecodingKey),
    /// The keys that are kept, fetched then, do not have it.
    NotIn(Instant),
    NoSet,
}

impl Keys {
    /// The keys of this source; nothing is fetched yet.
    #[must_use]
    pub fn new(source: impl Source + 'static) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            kept: RwLock::default(),
            gate: Arc::default(),
            waiting: Semaphore::new(WAITING),
            fetches: Counter::default(),
        }))
    }

    /// How often the source was asked.
    #[must_use]
    pub fn fetches(&self) -> &Counter {
        &self.0.fetches
    }

    /// How many keys are kept.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.read(|kept| kept.map_or(0, |kept| kept.keys.len()))
    }

    /// The key of this id. One that is missing is waited for until the issuer has been asked
    /// since: for ten seconds and a fetch at most.
    ///
    /// # Errors
    /// [`Refused::Key`] when the issuer has no such key; [`Refused::KeyUnsettled`] when that is
    /// not known and too many wait to know it; [`Refused::NoKeys`] when it cannot be asked.
    pub async fn get(&self, id: &str) -> Result<DecodingKey, Refused> {
        if let Known::Key(key) = self.known(id) {
            self.renew_if_old();
            return Ok(key);
        }
        let asked = clock::now();
        let due = self.look(id).await;
        let is_unsettled = |known| matches!(known, Known::NotIn(then) if then < asked);
        if let Some(due) = due.filter(|_| is_unsettled(self.known(id))) {
            let _place = self.0.waiting.try_acquire().map_err(|_| Refused::KeyUnsettled)?;
            tokio::time::sleep_until(due).await;
            self.look(id).await;
        }
        match self.known(id) {
            Known::Key(key) => Ok(key),
            Known::NotIn(then) if then < asked => Err(Refused::KeyUnsettled),
            Known::NotIn(_) => Err(Refused::Key),
            Known::NoSet => Err(Refused::NoKeys),
        }
    }

    /// Fetches the keys if this one is missing and the issuer may be asked; else tells when it
    /// may be. Who waits here holds its connection and nothing else, and connections are counted.
    async fn look(&self, id: &str) -> Option<Instant> {
        let gate = Arc::clone(&self.0.gate).lock_owned().await;
        match *gate {
            _ if matches!(self.known(id), Known::Key(_)) => None,
            Some(last) if !is_due(Some(last)) => Some(last + SPACING),
            Some(_) | None => {
                self.fetch(gate).await;
                None
            }
        }
    }

    /// Fetches the keys, unless somebody is at it or has just been.
    pub fn renew(&self) {
        let Ok(gate) = Arc::clone(&self.0.gate).try_lock_owned() else { return };
        if is_due(*gate) {
            let keys = self.clone();
            drop(tokio::spawn(async move { keys.fetch(gate).await }));
        }
    }

    fn renew_if_old(&self) {
        let age = self.read(|kept| kept.map(|kept| kept.at.elapsed()));
        if age.is_some_and(|age| age >= FRESH) {
            self.renew();
        }
    }

    fn known(&self, id: &str) -> Known {
        self.read(|kept| match kept {
            Some(kept) if kept.at.elapsed() < STALE => {
                kept.keys.get(id).map_or(Known::NotIn(kept.at), |key| Known::Key(key.clone()))
            }
            _ => Known::NoSet,
        })
    }

    fn read<T>(&self, look: impl FnOnce(Option<&Kept>) -> T) -> T {
        look(self.0.kept.read().unwrap_or_else(PoisonError::into_inner).as_ref())
    }

    /// In a task of its own: a request that is broken off does not break the fetch off.
    async fn fetch(&self, mut gate: OwnedMutexGuard<Option<Instant>>) {
        let inner = Arc::clone(&self.0);
        let fetched = tokio::spawn(async move {
            let at = clock::now();
            *gate = Some(at);
            inner.fetches.inc();
            let answer = tokio::time::timeout(PATIENCE, inner.source.fetch()).await;
            let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            match answer.and_then(|set| read(&set)) {
                Ok(keys) => {
                    let kept = Some(Kept { keys, at });
                    *inner.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
                }
                Err(error) => tracing::warn!(%error, "the issuer's keys were not fetched"),
            }
        });
        if fetched.await.is_err() {
            tracing::error!("the task that fetches the issuer's keys died");
        }
    }
}

fn is_due(last: Option<Instant>) -> bool {
    last.is_none_or(|last| last.elapsed() >= SPACING)
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// RFC 7517 §4 and RFC 7518 §6.3.1; other fields are ignored.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
}

/// Reads a JWKS. What is no RSA key for RS256 signatures is passed over; of two keys with one
/// id the first counts.
fn read(set: &[u8]) -> Result<HashMap<String, DecodingKey>, String> {
    let set: Set = serde_json::from_slice(set).map_err(|_| "not a JWKS".to_owned())?;
    let mut keys = HashMap::new();
    for value in set.keys.into_iter().take(KEYS_MAX) {
        let Ok(jwk) = serde_json::from_value::<Jwk>(value) else { continue };
        if let Some(key) = usable(&jwk) {
            keys.entry(jwk.kid).or_insert(key);
        }
    }
    if keys.is_empty() { Err("the JWKS holds no usable key".to_owned()) } else { Ok(keys) }
}

fn usable(jwk: &Jwk) -> Option<DecodingKey> {
    let signs = jwk.kty == "RSA"
        && jwk.alg.as_deref().is_none_or(|alg| alg == "RS256")
        && jwk.used_for.as_deref().is_none_or(|used| used == "sig")
        && (1..=KEY_ID_MAX).contains(&jwk.kid.len());
    let (n, e) = (BASE64.decode(&jwk.n).ok()?, BASE64.decode(&jwk.e).ok()?);
    // With the exponent 1 every message is its own signature; even ones belong to no key.
    let sound = e.len() <= 4 && e.last().is_some_and(|last| last % 2 == 1) && e != [1];
    (signs && sound && MODULUS.contains(&n.len()) && n[0] != 0)
        .then(|| DecodingKey::from_rsa_raw_components(&n, &e))
}

/// The keys at an address of the issuer's.
pub struct Published {
    client: reqwest::Client,
    url: reqwest::Url,
}

/// Why keys cannot be taken from an address.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished {
    /// Anybody between there and here could put in keys of their own.
    #[error("acs.keys_url is {0:?}; use an https:// address")]
    Url(String),
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Published {
    /// The keys at this address: `https://`, or `http://` on this machine, for rehearsals.
    ///
    /// # Errors
    /// [`NotPublished`].
    pub fn at(url: &str) -> Result<Self, NotPublished> {
        let refused = || NotPublished::Url(url.to_owned());
        let url = reqwest::Url::parse(url).map_err(|_| refused())?;
        let here = url
            .host_str()
            .and_then(|host| host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().ok())
            .is_some_and(|address| address.is_loopback());
        if url.scheme() != "https" && !(here && url.scheme() == "http") {
            return Err(refused());
        }
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, url })
    }
}

impl Source for Published {
    fn fetch(&self) -> BoxFuture<'static, Result<Vec<u8>, String>> {
        let request = self.client.get(self.url.clone());
        Box::pin(async move {
            let mut answer =
                request.send().await.map_err(|error| error.without_url().to_string())?;
            if !answer.status().is_success() {
                return Err(format!("status {}", answer.status().as_u16()));
            }
            let mut set = Vec::new();
            while let Some(piece) =
                answer.chunk().await.map_err(|error| error.without_url().to_string())?
            {
                set.extend_from_slice(&piece);
                if set.len() > SET_MAX {
                    return Err(format!("more than {SET_MAX} bytes"));
                }
            }
            Ok(set)
        })
    }
}
