//! What the nonces of calls are made of: a secret in the record. So the addresses that a carrier
//! was given hold for the next process too, when it takes a call up that was left.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::record::RecordError;

use super::ticket::{NONCE, Nonce, Nonces};
use crate::store::{Archive as _, Store};

/// Where it is kept in the record.
const SETTING: &str = "reception.seal";

/// Makes nonces.
pub(super) struct Seal(SecretString);

impl Seal {
    /// The one of this record, made at its first start.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub(super) async fn of(store: &Store) -> Result<Self, RecordError> {
        if let Some(Text(known)) = store.setting(SETTING).await? {
            return Ok(Self(known.into()));
        }
        let fresh = Self::fresh();
        let text = Text(fresh.0.expose_secret().to_owned());
        store.set(SETTING.to_owned(), text).await?;
        Ok(fresh)
    }

    pub(super) fn fresh() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into())
    }

    /// The nonces of this call.
    pub(super) fn nonces(&self, call: &CallId) -> Nonces {
        Nonces { media: self.nonce("media", call), events: self.nonce("events", call) }
    }

    fn nonce(&self, what: &str, call: &CallId) -> Nonce {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes())
            .expect("a key of any length");
        mac.update(format!("{what} {call}").as_bytes());
        let digest = mac.finalize().into_bytes();
        let bytes: &[u8; NONCE] = digest.first_chunk().expect("32 bytes hold 24");
        Nonce::of(bytes)
    }
}
