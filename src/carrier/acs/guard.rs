//! Who may speak for Azure: the token check with all it needs, and whom the tokens must be made
//! out to, which is learned once, written down, and never changed by what comes from outside.

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use prometheus_client::metrics::counter::Counter;
use tandem_actors::briefing::Text;
use tandem_actors::clock;
use tandem_actors::record::RecordError;
use tokio::sync::{Mutex, watch};

use super::keys::Keys;
use super::token::{self, Audience, Refused};
use crate::config;
use crate::store::{Archive, Store};

/// Where the record keeps whom the tokens are made out to.
const SETTING: &str = "acs.audience";

/// The longest name of a resource that is learned; Azure's have 36 letters.
const RESOURCE_MAX: usize = 128;

/// In its first call, a server learns whom tokens are made out to from the callback that the
/// call is connected. The media socket comes at that moment too; it waits for the callback so
/// long, well within what a client grants a handshake.
const LEARNING: Duration = Duration::from_secs(3);

/// Checks tokens.
pub struct Guard {
    issuer: String,
    keys: Keys,
    store: Store,
    resource: watch::Sender<Option<String>>,
    /// Held while it is learned: the first one is written down before a second is looked at.
    learning: Mutex<()>,
    strangers: Counter,
    alarmed: AtomicBool,
}

impl Guard {
    /// A guard that knows what the settings say of the audience, or else the record.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn new(acs: &config::Acs, keys: Keys, store: Store) -> Result<Self, RecordError> {
        let known = match acs.audience.as_str() {
            "" => store.setting(SETTING).await?.map(|known| known.0),
            named => Some(named.to_owned()),
        };
        Ok(Self {
            issuer: acs.issuer.clone(),
            keys,
            store,
            resource: watch::Sender::new(known),
            learning: Mutex::default(),
            strangers: Counter::default(),
            alarmed: AtomicBool::new(false),
        })
    }

    /// The issuer's keys.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Tokens that were right in everything but whom they are made out to.
    #[must_use]
    pub const fn strangers(&self) -> &Counter {
        &self.strangers
    }

    /// Lets a callback in whose address held the events nonce of a call of ours. Only ACS knows
    /// that nonce, so its token may teach us our resource's name.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn admit_callback(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let audience = self.judge(headers).await?;
        let known = self.resource.borrow().clone();
        match known {
            Some(known) => self.compare(&audience, &known),
            None => self.learn(&audience).await,
        }
    }

    /// Lets a media socket in. It teaches nothing.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn admit_socket(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let audience = self.judge(headers).await?;
        let mut known = self.resource.subscribe();
        let learned = tokio::time::timeout(LEARNING, known.wait_for(Option::is_some)).await;
        let known = match learned {
            Ok(Ok(known)) => known.clone(),
            Ok(Err(_)) | Err(_) => None,
        };
        self.compare(&audience, &known.ok_or(Refused::Unlearned)?)
    }

    async fn judge(&self, headers: &HeaderMap) -> Result<Audience, Refused> {
        let token = bearer(headers)?;
        let key = self.keys.get(&token::key_id(token)?).await?;
        // Before 1970 no token is valid yet.
        let since = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        token::check(token, &key, &self.issuer, since.as_secs())
    }

    fn compare(&self, audience: &Audience, known: &str) -> Result<(), Refused> {
        if audience.includes(known) {
            return Ok(());
        }
        self.strangers.inc();
        if !self.alarmed.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "a token of the right issuer is made out to another resource than this server's; \
                 it was refused. If the resource has been changed, set acs.audience to its \
                 immutable id"
            );
        }
        Err(Refused::Audience)
    }

    async fn learn(&self, audience: &Audience) -> Result<(), Refused> {
        let _learning = self.learning.lock().await;
        let known = self.resource.borrow().clone();
        if let Some(known) = known {
            return self.compare(audience, &known);
        }
        let only = audience.only().filter(|only| only.len() <= RESOURCE_MAX);
        let only = only.ok_or(Refused::Audience)?;
        let written = self.store.set(SETTING.to_owned(), Text(only.to_owned())).await;
        written.map_err(|error| {
            tracing::error!(%error, "whom tokens are made out to was not written down");
            Refused::Unlearned
        })?;
        self.resource.send_replace(Some(only.to_owned()));
        tracing::info!("learned whom Azure's tokens are made out to; it is kept from now on");
        Ok(())
    }
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(one), None) = (given.next(), given.next()) else { return Err(Refused::Missing) };
    let text = one.to_str().map_err(|_| Refused::Missing)?;
    text.strip_prefix("Bearer ").ok_or(Refused::Missing)
}
