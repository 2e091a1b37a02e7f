//! Tokens of Microsoft Entra for orders to ACS. One is kept for all orders and renewed before it
//! expires, by one task at a time, whoever asks.

mod answer;
mod asked;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::HeaderValue;
use tandem_actors::clock::{self, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::access::NoToken;
use answer::Token;

pub(super) use asked::{Asked, NotAsked, Who};

/// One attempt; Entra takes some tenths of a second, and a phone is ringing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A token is renewed so long before it expires, or at half its life when that is shorter. Entra
/// may be away for that time and no call notices.
const MARGIN: Duration = Duration::from_mins(5);

/// From one failed attempt to the next, while there is no token: the pause before an order is
/// tried once more. The machine's endpoint takes five a second.
const SPACING: Duration = Duration::from_millis(200);

/// From one failed attempt to renew a token that is still good to the next.
const RENEWING: Duration = Duration::from_secs(10);

/// Where tokens come from.
pub(super) trait Source: Send + Sync {
    /// A fresh token.
    fn ask(&self) -> BoxFuture<'static, Result<Token, NoToken>>;
}

/// Who we are to Microsoft Entra; clones are the same.
#[derive(Clone)]
pub(super) struct Identity(Arc<Inner>);

struct Inner {
    source: Box<dyn Source>,
    kept: RwLock<Option<Kept>>,
    /// Held while a token is fetched; the last attempt, if it failed.
    gate: Arc<Mutex<Option<Failed>>>,
}

struct Kept {
    /// `Bearer …`, marked as sensitive.
    header: HeaderValue,
    renew: Instant,
    expires: Instant,
}

struct Failed {
    at: Instant,
    error: NoToken,
}

impl Identity {
    /// Nothing is asked yet.
    pub(super) fn new(source: impl Source + 'static) -> Self {
        let (source, kept, gate) = (Box::new(source), RwLock::default(), Arc::default());
        Self(Arc::new(Inner { source, kept, gate }))
    }

    /// `Authorization` of an order. Waits for a token when there is none.
    ///
    /// # Errors
    /// [`NoToken`].
    pub(super) async fn authorization(&self) -> Result<HeaderValue, NoToken> {
        if let Some(header) = self.kept() {
            self.renew_if_due();
            return Ok(header);
        }
        let gate = Arc::clone(&self.0.gate).lock_owned().await;
        if let Some(header) = self.kept() {
            return Ok(header);
        }
        match &*gate {
            Some(Failed { at, error }) if at.elapsed() < SPACING => Err(error.clone()),
            Some(_) | None => self.fetch(gate).await,
        }
    }

    fn kept(&self) -> Option<HeaderValue> {
        let kept = self.0.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| clock::now() < kept.expires).map(|kept| kept.header.clone())
    }

    fn is_due(&self) -> bool {
        let kept = self.0.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().is_some_and(|kept| clock::now() >= kept.renew)
    }

    fn renew_if_due(&self) {
        if !self.is_due() {
            return;
        }
        let Ok(gate) = Arc::clone(&self.0.gate).try_lock_owned() else { return };
        let was_tried = gate.as_ref().is_some_and(|failed| failed.at.elapsed() < RENEWING);
        if self.is_due() && !was_tried {
            let identity = self.clone();
            drop(tokio::spawn(async move { identity.fetch(gate).await }));
        }
    }

    /// In a task of its own: an order that is broken off does not break the fetch off.
    async fn fetch(
        &self,
        mut gate: OwnedMutexGuard<Option<Failed>>,
    ) -> Result<HeaderValue, NoToken> {
        let inner = Arc::clone(&self.0);
        let fetched = tokio::spawn(async move {
            let at = clock::now();
            let answer = tokio::time::timeout(PATIENCE, inner.source.ask()).await;
            let late = || Err(NoToken::NotReached(format!("no answer in {PATIENCE:?}")));
            match answer.unwrap_or_else(|_| late()) {
                Ok(Token { header, lifetime }) => {
                    let margin = MARGIN.min(lifetime / 2);
                    let (renew, expires) = (at + (lifetime - margin), at + lifetime);
                    let kept = Some(Kept { header: header.clone(), renew, expires });
                    *inner.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
                    *gate = None;
                    Ok(header)
                }
                Err(error) => {
                    tracing::warn!(%error, "no token for orders to ACS");
                    *gate = Some(Failed { at, error: error.clone() });
                    Err(error)
                }
            }
        });
        fetched.await.unwrap_or(Err(NoToken::Strange("the task that read it died")))
    }
}
