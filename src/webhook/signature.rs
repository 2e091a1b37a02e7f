//! How a message of ours is signed, so that its receiver knows that it is ours, when it was sent,
//! and whether it has come before. Pure: the time is an argument.
//!
//! Source: <https://www.standardwebhooks.com>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use standardwebhooks::Webhook;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// As many bytes as the hash has.
const SECRET_BYTES: usize = 32;

/// A secret that nobody has yet.
pub(crate) fn new_secret() -> SecretString {
    format!("whsec_{}", STANDARD.encode(rand::random::<[u8; SECRET_BYTES]>())).into()
}

/// Who signs with this secret; none when it is no secret of Standard Webhooks.
pub(crate) fn signer(secret: &SecretString) -> Option<Webhook> {
    Webhook::new(secret.expose_secret()).ok()
}

/// The headers of a message that all of these sign, at `at_s` seconds since 1970.
pub(crate) fn headers(signers: &[Webhook], id: &str, at_s: i64, body: &str) -> HeaderMap {
    let sign = |signer: &Webhook| signer.sign(id, at_s, body.as_bytes()).ok();
    let signatures: Vec<String> = signers.iter().filter_map(sign).collect();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (WEBHOOK_ID, id),
        (WEBHOOK_TIMESTAMP, &at_s.to_string()),
        (WEBHOOK_SIGNATURE, &signatures.join(" ")),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_a_secret_changes_a_receiver_with_either_knows_us() {
        let secrets = [new_secret(), new_secret(), new_secret()];
        let signers: Vec<_> = secrets[..2].iter().filter_map(signer).collect();
        let now = jiff::Timestamp::now().as_second();
        let headers = headers(&signers, "msg_1", now, "{}");
        let known = secrets.iter().map(|secret| {
            let receiver = signer(secret).expect("a secret of ours");
            receiver.verify(b"{}", &headers).is_ok() && receiver.verify(b"{ }", &headers).is_err()
        });
        assert_eq!(known.collect::<Vec<_>>(), [true, true, false]);
    }
}
