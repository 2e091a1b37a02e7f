//! Event Grid: proves a webhook, tells it who rings, and keeps what became of them. Facts:
//! Azure's pages on Event Grid delivery and on the IncomingCall event.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_actors::carrier::Number;
use tokio::time::sleep;
use uuid::Uuid;

use super::refusal::Refusal;
use super::wire::{RejectReason, identifier};
use super::{Books, Hall};

/// A phone that nobody answers stops ringing after so long.
const RINGS: Duration = Duration::from_secs(30);
/// What is not taken is delivered again after these pauses; the real ones are longer.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
/// A resource of no one.
const TOPIC: &str = "/subscriptions/0/resourceGroups/0/providers/Microsoft.Communication/\
                     communicationServices/rehearsal";

/// Somebody who rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming(String);

/// What becomes of somebody who rings.
#[derive(Clone, PartialEq, Eq)]
pub enum Fate {
    /// The call with this `callConnectionId`.
    Answered(String),
    /// Sent away.
    Rejected(RejectReason),
    /// Sent to another number.
    Redirected(Number),
    /// Rang until they had enough.
    NotAnswered,
}

impl std::fmt::Debug for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Answered(_) => "Answered",
            Self::Rejected(_) => "Rejected",
            Self::Redirected(_) => "Redirected",
            Self::NotAnswered => "NotAnswered",
        })
    }
}

/// Why a webhook gets no events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSubscribed {
    /// It answered with another status than 200; 0 when not at all.
    #[error("the webhook answered with status {0}")]
    Status(u16),
    /// It did not return the code.
    #[error("the webhook did not return the validation code")]
    Code,
}

/// A phone that rings here, or rang.
pub(super) struct Ringing {
    /// Also its `incomingCallContext`.
    incoming: Incoming,
    caller: Number,
    fate: Option<Fate>,
}

impl Hall {
    pub(super) async fn subscribe(&self, webhook: &str) -> Result<(), NotSubscribed> {
        let code = Uuid::new_v4().to_string();
        let url = format!("http://{}/validate?id={code}", self.host);
        let data = json!({ "validationCode": code, "validationUrl": url });
        let event = event("Microsoft.EventGrid.SubscriptionValidationEvent", "", &data);
        let sent = self.deliver(webhook, "SubscriptionValidation", &[event]).await;
        let answer = sent.ok_or(NotSubscribed::Status(0))?;
        if answer.status() != 200 {
            return Err(NotSubscribed::Status(answer.status().as_u16()));
        }
        let body: Value = answer.json().await.map_err(|_| NotSubscribed::Code)?;
        if body["validationResponse"] != json!(code) {
            return Err(NotSubscribed::Code);
        }
        self.books().webhook = Some(webhook.to_owned());
        Ok(())
    }

    pub(super) async fn ring(self: &Arc<Self>, callers: &[Number]) -> Vec<Incoming> {
        let mut all = Vec::new();
        let mut events = Vec::new();
        for caller in callers {
            let incoming = Incoming(Uuid::new_v4().to_string());
            let (from, to) = (identifier(caller), identifier(&self.number));
            let subject =
                format!("/caller/4:{}/recipient/4:{}", caller.as_str(), self.number.as_str());
            let data = json!({
                "to": to,
                "from": from,
                "serverCallId": Uuid::new_v4().simple().to_string(),
                "callerDisplayName": "",
                "customContext": { "sipHeaders": {}, "voipHeaders": {} },
                "incomingCallContext": incoming.0,
                "correlationId": Uuid::new_v4().to_string(),
            });
            events.push(event("Microsoft.Communication.IncomingCall", &subject, &data));
            let ringing =
                Ringing { incoming: incoming.clone(), caller: caller.clone(), fate: None };
            self.books().incoming.push(ringing);
            all.push(incoming);
        }
        self.announce(&events).await;
        let hall = Arc::clone(self);
        let ringing = all.clone();
        drop(tokio::spawn(async move {
            sleep(RINGS).await;
            for incoming in ringing {
                // Whoever was answered rings no more.
                hall.settle(&incoming.0, |_, _| Fate::NotAnswered).ok();
            }
        }));
        all
    }

    pub(super) async fn announce(&self, events: &[Value]) {
        let (webhook, mischief) = {
            let books = self.books();
            (books.webhook.clone(), books.mischief)
        };
        let Some(webhook) = webhook else { return };
        sleep(mischief.delay).await;
        for _ in 0..if mischief.doubled { 2 } else { 1 } {
            let mut pauses = PAUSES.into_iter();
            loop {
                let answer = self.deliver(&webhook, "Notification", events).await;
                if answer.is_some_and(|answer| answer.status().is_success()) {
                    break;
                }
                let Some(pause) = pauses.next() else { break };
                sleep(pause).await;
            }
        }
    }

    async fn deliver(&self, to: &str, kind: &str, events: &[Value]) -> Option<reqwest::Response> {
        let request = self
            .client
            .post(self.through_the_tunnel(to))
            .header("aeg-event-type", kind)
            .json(events);
        request.send().await.ok()
    }

    /// Decides what becomes of somebody who rings.
    ///
    /// # Errors
    /// When they do not ring, or not any more.
    pub(super) fn settle(
        &self,
        context: &str,
        decide: impl FnOnce(Number, &mut Books) -> Fate,
    ) -> Result<(), Refusal> {
        let mut books = self.books();
        let rings = |ringing: &Ringing| ringing.incoming.0 == context && ringing.fate.is_none();
        let place = books.incoming.iter().position(rings).ok_or_else(Refusal::rings_no_more)?;
        let caller = books.incoming[place].caller.clone();
        let fate = decide(caller, &mut books);
        books.incoming[place].fate = Some(fate);
        drop(books);
        self.has_changed();
        Ok(())
    }

    pub(super) fn fate(&self, incoming: &Incoming) -> Option<Fate> {
        let books = self.books();
        let ringing = books.incoming.iter().find(|ringing| ringing.incoming == *incoming);
        ringing.and_then(|ringing| ringing.fate.clone())
    }
}

/// An event in Event Grid's own schema.
pub(super) fn event(kind: &str, subject: &str, data: &Value) -> Value {
    json!({
        "id": Uuid::new_v4().to_string(),
        "topic": TOPIC,
        "subject": subject,
        "eventType": kind,
        "eventTime": Timestamp::now().to_string(),
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "data": data,
    })
}
