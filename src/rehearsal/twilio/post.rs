//! The webhooks of the simulated Twilio: signed for the public address, sent through the tunnel.

use std::time::Duration;

use form_urlencoded::Serializer;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;

use super::{Delivery, Network, sign};

/// Twilio waits fifteen seconds for an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a webhook is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) body: String,
}

pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().timeout(PATIENCE).build()
}

/// A field of a form.
pub(super) fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

impl Network {
    /// What every webhook about this call says of it.
    pub(super) fn about(&self, name: &str) -> Vec<(String, String)> {
        let state = self.state();
        let call = state.calls.get(name);
        let number = |which: Option<&str>| which.unwrap_or_default().to_owned();
        let status = call.map_or("", |call| call.record.status.word());
        vec![
            field("CallSid", name),
            field("AccountSid", &self.settings.account),
            field("ApiVersion", "2010-04-01"),
            field("CallStatus", status),
            field("From", &number(call.map(|call| call.from.as_str()))),
            field("To", &number(call.map(|call| call.to.as_str()))),
        ]
    }

    /// Tells what becomes of a call; nothing of the answer counts.
    pub(super) async fn tell(&self, name: &str, url: &str, fields: Vec<(String, String)>) {
        self.may_speak().await;
        let due = {
            let mut state = self.state();
            let delivery = state.delivery;
            let Some(call) = state.calls.get_mut(name) else { return };
            call.told.push((url.to_owned(), fields.clone()));
            match delivery {
                Delivery::Orderly => vec![(url.to_owned(), fields)],
                Delivery::Shuffled => {
                    let again = call.told.iter().rev().cloned();
                    std::iter::once((url.to_owned(), fields)).chain(again).collect()
                }
            }
        };
        for (url, fields) in due {
            let status = self.ask(&url, &fields).await.map_or(0, |answer| answer.status);
            self.note(name, |record| record.answers.push(status));
        }
    }

    /// Posts a form; nothing when there was no answer.
    pub(super) async fn ask(&self, url: &str, fields: &[(String, String)]) -> Option<Answer> {
        let signature = sign::form(self.settings.auth_token.expose_secret(), url, fields);
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let sent = self
            .client
            .post(self.through_the_tunnel(url)?)
            .header("x-twilio-signature", signature)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
            .body(body)
            .send()
            .await
            .ok()?;
        let kind = sent.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        Some(Answer { status: sent.status().as_u16(), kind, body: sent.text().await.ok()? })
    }

    /// Where an address under the public one really is; no other is ever asked.
    pub(super) fn through_the_tunnel(&self, url: &str) -> Option<String> {
        let tunnel = self.tunnel.get()?;
        let host = self.settings.public_url.strip_prefix("https://")?;
        let (scheme, rest) = url.split_once("://")?;
        let path = rest.strip_prefix(host).filter(|path| path.starts_with('/'))?;
        match scheme {
            "https" => Some(format!("http://{tunnel}{path}")),
            "wss" => Some(format!("ws://{tunnel}{path}")),
            _ => None,
        }
    }
}
