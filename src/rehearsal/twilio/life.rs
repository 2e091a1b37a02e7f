//! The life of one call at the simulated Twilio: it rings, does what its TwiML says, and ends.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::Number;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::call::{Order, Status};
use super::post::{self, field};
use super::twiml::{self, Dial, Verb};
use super::{Network, fresh_name, sign};
use crate::rehearsal::callee::{self, Answer, Person, Role};
use crate::rehearsal::phone::{Dialect, Dialled, Ending};

/// A caller and a human talk for so long.
const TALK: Duration = Duration::from_secs(2);

/// What an order to dial says beside the number.
#[derive(Clone, Debug)]
pub(super) struct Outbound {
    pub(super) verbs: Vec<Verb>,
    pub(super) events: String,
    pub(super) timeout_s: u64,
    /// Where the verdict on who answered goes, when it is asked for.
    pub(super) verdict: Option<String>,
}

/// What comes after a verb.
enum Then {
    /// The next verb.
    Next,
    /// These instead of what was left.
    Instead(Vec<Verb>),
    /// Nothing: the call is over.
    Over,
}

/// We were ordered to ring somebody.
pub(super) async fn outbound(
    network: Arc<Network>,
    name: String,
    order: Outbound,
    mut orders: Receiver<Order>,
) {
    let Some(to) = network.state().calls.get(&name).map(|call| call.to.clone()) else { return };
    network.becomes(&name, Status::Initiated, &order.events, &[]).await;
    network.becomes(&name, Status::Ringing, &order.events, &[]).await;
    let ringing = timeout(Duration::from_secs(order.timeout_s + 5), callee::ring(&to));
    let answer = tokio::select! {
        answer = ringing => {
            answer.unwrap_or(Answer::Refuses(Outcome::NoAnswer))
        }
        _order = orders.recv() => {
            return network.becomes(&name, Status::Canceled, &order.events, &[]).await;
        }
    };
    if let Answer::Refuses(outcome) = answer {
        let (status, sip) = Status::of(outcome);
        let sip = [field("SipResponseCode", &sip.to_string())];
        return network.becomes(&name, status, &order.events, &sip).await;
    }
    network.becomes(&name, Status::InProgress, &order.events, &[]).await;
    if let Some(url) = order.verdict {
        drop(tokio::spawn(detect(Arc::clone(&network), name.clone(), to.clone(), url)));
    }
    act(&network, &name, &to, order.verbs, &mut orders).await;
    let duration = [field("CallDuration", "1")];
    // An order may have moved them.
    let events = network.state().calls.get(&name).and_then(|call| call.addresses.clone());
    let events = events.map_or(order.events, |(events, _)| events);
    network.becomes(&name, Status::Completed, &events, &duration).await;
    network.complete_recordings(&name).await;
}

/// Somebody rings the account's number.
pub(super) async fn inbound(network: Arc<Network>, name: String, mut orders: Receiver<Order>) {
    let Some(from) = network.state().calls.get(&name).map(|call| call.from.clone()) else { return };
    network.note(&name, |record| record.status = Status::Ringing);
    let mut fields = network.about(&name);
    fields.push(field("Direction", "inbound"));
    let url = format!("{}/twilio/incoming", network.settings.public_url);
    let verbs = network.instructed(&name, &url, &fields).await.unwrap_or_default();
    if verbs.first().is_none_or(|verb| *verb == Verb::Reject) {
        let status = if verbs.is_empty() { Status::Failed } else { Status::Busy };
        return network.note(&name, |record| record.status = status);
    }
    network.note(&name, |record| record.status = Status::InProgress);
    act(&network, &name, &from, verbs, &mut orders).await;
    network.note(&name, |record| record.status = Status::Completed);
    network.complete_recordings(&name).await;
}

async fn act(
    network: &Arc<Network>,
    name: &str,
    party: &Number,
    verbs: Vec<Verb>,
    orders: &mut Receiver<Order>,
) {
    let mut left = verbs.into_iter();
    while let Some(verb) = left.next() {
        let then = match verb {
            Verb::Stream { url, parameters } => {
                stream(network, name, party, (url, parameters), orders).await
            }
            Verb::Dial(dial) => put_through(network, name, dial, orders).await,
            Verb::Say(words) => {
                network.note(name, |record| record.heard.push(words));
                Then::Next
            }
            Verb::Pause(seconds) => pause(network, name, seconds, orders).await,
            Verb::Redirect(url) => {
                let fields = network.about(name);
                tokio::select! {
                    verbs = network.instructed(name, &url, &fields) => {
                        Then::Instead(verbs.unwrap_or_default())
                    }
                    order = orders.recv() => network.obey(name, order),
                }
            }
            Verb::Reject | Verb::Hangup => Then::Over,
        };
        match then {
            Then::Next => {}
            Then::Instead(verbs) => left = verbs.into_iter(),
            Then::Over => return,
        }
    }
}

/// The person talks through the media socket until one side ends it or an order does.
async fn stream(
    network: &Arc<Network>,
    name: &str,
    party: &Number,
    (url, parameters): (String, Vec<(String, String)>),
    orders: &mut Receiver<Order>,
) -> Then {
    let Some(real) = network.through_the_tunnel(&url) else { return Then::Next };
    let signature = sign::upgrade(network.settings.auth_token.expose_secret(), &url);
    let dialled = Dialled {
        url: real,
        dialect: Dialect::Twilio,
        carrier_call: name.to_owned(),
        parameters,
        token: Some(signature.into()),
        bridged: None,
    };
    network.note(name, |record| record.streams += 1);
    let role = Role::at(party).unwrap_or(Role::TaskCaller);
    let stop = CancellationToken::new();
    let talk = Person::new(role).converse(dialled, stop.clone());
    tokio::pin!(talk);
    let (report, order) = tokio::select! {
        report = &mut talk => (report, None),
        order = orders.recv() => {
            stop.cancel();
            (talk.await, order)
        }
    };
    network.note(name, |record| record.heard_on(&report));
    if let Some(error) = &report.not_connected {
        tracing::warn!(error = error as &dyn std::error::Error, "no media for a phone");
    }
    match (order, report.account.ending) {
        (Some(Order::End), _) => network.ended_by_order(name),
        (Some(Order::Redirect(verbs)), _) => Then::Instead(verbs),
        (None, Some(Ending::HungUp)) => Then::Over,
        (None, Some(Ending::Remote | Ending::Lost | Ending::Cut | Ending::Stuck) | None) => {
            Then::Next
        }
    }
}

/// Nobody hears anything until the time is up or an order comes.
async fn pause(network: &Network, name: &str, seconds: u64, orders: &mut Receiver<Order>) -> Then {
    let patient = network.state().patient;
    tokio::select! {
        () = sleep(Duration::from_secs(seconds)), if !patient => Then::Next,
        order = orders.recv() => network.obey(name, order),
    }
}

/// A human is rung; the caller talks with them, or comes back to what the action says.
async fn put_through(
    network: &Arc<Network>,
    name: &str,
    dial: Dial,
    orders: &mut Receiver<Order>,
) -> Then {
    let leg = fresh_name("CA");
    let human = Number::new(dial.number.as_str());
    let ringing = timeout(Duration::from_secs(dial.timeout_s), callee::ring(&human));
    let answer = tokio::select! {
        answer = ringing => answer,
        order = orders.recv() => return network.obey(name, order),
    };
    let status = match answer {
        Ok(Answer::PicksUp) => {
            let status = Status::InProgress.word();
            let fields = vec![
                field("CallSid", &leg),
                field("ParentCallSid", name),
                field("AccountSid", &network.settings.account),
                field("CallStatus", status),
                field("From", dial.caller_id.as_deref().unwrap_or_default()),
                field("To", &dial.number),
            ];
            if let Some(answered) = &dial.answered {
                network.tell(name, answered, fields.clone()).await;
            }
            let told = match &dial.whisper {
                Some(url) => network.whisper(name, url, &fields).await,
                None => true,
            };
            if told {
                network.note(name, |record| record.with_human = Some(dial.number.clone()));
                tokio::select! {
                    () = sleep(TALK) => {}
                    order = orders.recv() => return network.obey(name, order),
                }
            }
            Status::Completed
        }
        Ok(Answer::Refuses(outcome)) => Status::of(outcome).0,
        Err(_elapsed) => Status::NoAnswer,
    };
    let Some(action) = dial.action else { return Then::Next };
    let mut fields = network.about(name);
    fields.extend([field("DialCallStatus", status.word()), field("DialCallSid", &leg)]);
    Then::Instead(network.instructed(name, &action, &fields).await.unwrap_or_default())
}

/// Says who answered, as machine detection finds after a while.
async fn detect(network: Arc<Network>, name: String, to: Number, url: String) {
    let (after, verdict) = match Role::at(&to) {
        Some(Role::Voicemail) => (Duration::from_secs(6), "machine_end_beep"),
        Some(Role::Silent) => (Duration::from_secs(4), "unknown"),
        Some(_) | None => (Duration::from_secs(2), "human"),
    };
    sleep(after).await;
    let fields = vec![
        field("CallSid", &name),
        field("AccountSid", &network.settings.account),
        field("AnsweredBy", verdict),
        field("MachineDetectionDuration", &after.as_millis().to_string()),
    ];
    network.tell(&name, &url, fields).await;
    network.note(&name, |record| record.detected = Some(verdict));
}

impl Network {
    async fn becomes(&self, name: &str, status: Status, url: &str, more: &[(String, String)]) {
        // Whoever waits for the end waits for what is told of it too.
        if !status.is_final() {
            self.note(name, |record| record.status = status);
        }
        let mut fields = self.about(name);
        fields.retain(|(name, _)| name != "CallStatus");
        fields.push(field("CallStatus", status.word()));
        fields.push(field("CallbackSource", "call-progress-events"));
        fields.extend_from_slice(more);
        self.tell(name, url, fields).await;
        self.note(name, |record| record.status = status);
    }

    /// Tells a human who has picked up what the answer says. Without one, or with more than words
    /// in it, their part of the call ends.
    async fn whisper(&self, name: &str, url: &str, fields: &[(String, String)]) -> bool {
        let Some(verbs) = self.instructed(name, url, fields).await else { return false };
        verbs.into_iter().all(|verb| match verb {
            Verb::Say(words) => {
                self.note(name, |record| record.whispered.push(words));
                true
            }
            Verb::Stream { .. }
            | Verb::Dial(_)
            | Verb::Pause(_)
            | Verb::Redirect(_)
            | Verb::Reject
            | Verb::Hangup => false,
        })
    }

    /// Asks for TwiML; nothing when there is none to be had, which ends the call.
    async fn instructed(
        &self,
        name: &str,
        url: &str,
        fields: &[(String, String)],
    ) -> Option<Vec<Verb>> {
        let answer = self.ask(url, fields).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        self.note(name, |record| record.answers.push(status));
        let good =
            |answer: &post::Answer| answer.status == 200 && answer.kind.starts_with("text/xml");
        let read = twiml::read(&answer.filter(good)?.body);
        read.inspect_err(|error| tracing::warn!(%error, "the answer to a webhook")).ok()
    }

    fn obey(&self, name: &str, order: Option<Order>) -> Then {
        match order {
            Some(Order::End) => self.ended_by_order(name),
            Some(Order::Redirect(verbs)) => Then::Instead(verbs),
            None => Then::Over,
        }
    }

    fn ended_by_order(&self, name: &str) -> Then {
        self.note(name, |record| record.ended_by_order = true);
        Then::Over
    }
}
