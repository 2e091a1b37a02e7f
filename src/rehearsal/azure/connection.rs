//! One call of the simulated service: what it is, how far it is, and the words in which the
//! service tells of it. Facts: Azure's pages on Call Automation events and result codes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_actors::carrier::Number;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::people::participant;
use super::refusal::Refusal;
pub(super) use super::result::Result;
use super::wire::{Terms, identifier};
use crate::rehearsal::callee::Report;
use crate::rehearsal::phone::{Heard, Seat};

/// Keys that wait for somebody to look at them: one order has at most 18.
const KEYS_MAX: usize = 64;

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The phone rings.
    Connecting,
    /// It was picked up.
    Connected,
    /// It is over.
    Disconnected,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        }
    }
}

/// A call.
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) terms: Terms,
    /// The human.
    pub(super) party: Number,
    /// The number of the resource.
    pub(super) ours: Number,
    server_call: String,
    correlation: String,
    /// The call's end, as soon as somebody wants it.
    pub(super) hang_up: CancellationToken,
    /// Somebody wants the media brought again.
    pub(super) wanted: Notify,
    progress: Mutex<Progress>,
}

struct Progress {
    state: State,
    /// Where events go; gone when there will be none any more.
    courier: Option<mpsc::Sender<Value>>,
    told: u64,
    /// Keys that were pressed towards the human.
    keys: String,
    /// How they reach the human, once there is one.
    presses: Option<mpsc::Sender<char>>,
    /// Who else takes part.
    guests: Vec<Number>,
    /// Where they come onto the line, once there is one.
    seat: Option<Seat>,
    /// What the last of them has heard.
    heard: Option<Heard>,
    /// Who took over.
    transferred: Option<Number>,
    terminated: u32,
    report: Option<Arc<Report>>,
    answers: Vec<u16>,
}

impl Connection {
    pub(super) fn new(
        terms: Terms,
        party: Number,
        ours: Number,
        courier: mpsc::Sender<Value>,
    ) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            terms,
            party,
            ours,
            server_call: Uuid::new_v4().simple().to_string(),
            correlation: Uuid::new_v4().to_string(),
            hang_up: CancellationToken::new(),
            wanted: Notify::new(),
            progress: Mutex::new(Progress {
                state: State::Connecting,
                courier: Some(courier),
                told: 0,
                keys: String::new(),
                presses: None,
                guests: Vec::new(),
                seat: None,
                heard: None,
                transferred: None,
                terminated: 0,
                report: None,
                answers: Vec::new(),
            }),
        }
    }

    /// `CallConnectionProperties`.
    pub(super) fn properties(&self) -> Value {
        let mut properties = json!({
            "callConnectionId": self.id,
            "serverCallId": self.server_call,
            "correlationId": self.correlation,
            "callConnectionState": self.state().word(),
            "targets": [identifier(&self.party)],
            "sourceCallerIdNumber": { "value": self.ours.as_str() },
            "callbackUri": self.terms.callback,
        });
        if self.terms.media.is_some() {
            properties["mediaStreamingSubscription"] = json!({
                "id": self.correlation,
                "state": "active",
                "subscribedContentTypes": ["audio"],
            });
        }
        properties
    }

    pub(super) fn state(&self) -> State {
        self.progress().state
    }

    pub(super) fn becomes_connected(&self) {
        self.progress().state = State::Connected;
    }

    /// The call is over: this is the last event.
    pub(super) fn ends(&self, name: &str, result: Result) {
        self.progress().state = State::Disconnected;
        self.tell(name, result, json!({}));
        self.progress().courier = None;
    }

    /// Sends an event, in the context in which the call was made.
    pub(super) fn tell(&self, name: &str, result: Result, more: Value) {
        self.tell_of(self.terms.context.as_deref(), name, result, more);
    }

    /// Sends an event about something that was asked for in a context of its own.
    pub(super) fn tell_of(&self, context: Option<&str>, name: &str, result: Result, more: Value) {
        let event = self.event(context, name, result, more);
        let courier = self.progress().courier.clone();
        if let Some(courier) = courier {
            // A call has a dozen events; what does not fit is lost, as events can be.
            courier.try_send(event).ok();
        }
    }

    /// An event of this call, as a CloudEvent.
    pub(super) fn event(
        &self,
        context: Option<&str>,
        name: &str,
        result: Result,
        more: Value,
    ) -> Value {
        let source = format!("calling/callConnections/{}", self.id);
        let mut data = json!({
            "callConnectionId": self.id,
            "serverCallId": self.server_call,
            "correlationId": self.correlation,
            "resultInformation": result.written(self.terms.version.tells_of_sip()),
        });
        if let Some(context) = context {
            data["operationContext"] = json!(context);
        }
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        envelope(&source, name, data)
    }

    /// Who takes part, now.
    pub(super) fn tell_of_participants(&self) {
        let sequence = {
            let mut progress = self.progress();
            progress.told += 1;
            progress.told
        };
        let people: Vec<Value> = self.people().iter().map(participant).collect();
        let more = json!({ "participants": people, "sequenceNumber": sequence });
        // It comes of no order, and has no context.
        self.tell_of(None, "ParticipantsUpdated", Result::OK, more);
    }

    /// What became of the media stream.
    pub(super) fn tell_of_media(&self, name: &str, details: &str, result: Result) {
        let mut status = name.to_owned();
        status[..1].make_ascii_lowercase();
        let update = json!({
            "contentType": "Audio",
            "mediaStreamingStatus": status,
            "mediaStreamingStatusDetails": details,
        });
        self.tell(name, result, json!({ "mediaStreamingUpdate": update }));
    }

    pub(super) fn presses(&self, keys: &str) {
        let mut progress = self.progress();
        progress.keys.push_str(keys);
        if let Some(presses) = &progress.presses {
            for key in keys.chars() {
                // Whoever has hung up, or does not look, hears no keys.
                let _unheard = presses.try_send(key);
            }
        }
    }

    /// The human is on the phone: where the keys come out.
    pub(super) fn keypad(&self) -> mpsc::Receiver<char> {
        let (presses, keys) = mpsc::channel(KEYS_MAX);
        self.progress().presses = Some(presses);
        keys
    }

    /// Everybody but us.
    pub(super) fn people(&self) -> Vec<Number> {
        let progress = self.progress();
        std::iter::once(&self.party).chain(&progress.guests).cloned().collect()
    }

    pub(super) fn is_joined_by(&self, guest: Number) {
        self.progress().guests.push(guest);
    }

    pub(super) fn is_left_by(&self, guest: &Number) {
        self.progress().guests.retain(|known| known != guest);
    }

    /// How a recording of this call is, as a CloudEvent.
    pub(super) fn recording_event(&self, id: &str, state: &str, begun: Timestamp) -> Value {
        let source = format!("calling/recordings/{id}");
        let data = json!({
            "callConnectionId": self.id,
            "serverCallId": self.server_call,
            "correlationId": self.correlation,
            "recordingId": id,
            "state": state,
            "startDateTime": begun.to_string(),
            "recordingKind": "azureCommunicationServices",
        });
        envelope(&source, "RecordingStateChanged", data)
    }

    /// What an event about the file of a recording is about.
    pub(super) fn recording_subject(&self, id: &str) -> String {
        let (call, server) = (&self.correlation, &self.server_call);
        format!("/recording/call/{call}/serverCallId/{server}/recordingId/{id}")
    }

    pub(super) fn is_taken_over_by(&self, human: Number) {
        self.progress().transferred = Some(human);
    }

    /// Asks for the media once more, where it has ended.
    pub(super) fn media_is_wanted(&self) -> std::result::Result<(), Refusal> {
        if self.terms.media.is_none() {
            return Err(Refusal::bad("the call has no media streaming"));
        }
        if self.progress().seat.is_some() {
            return Err(Refusal::bad("media streaming is started already"));
        }
        self.wanted.notify_one();
        Ok(())
    }

    /// The line is over, and nobody can come onto it.
    pub(super) fn has_no_line(&self) {
        self.progress().seat = None;
    }

    /// There is a line: where others come onto it.
    pub(super) fn has_line(&self, seat: Seat) {
        self.progress().seat = Some(seat);
    }

    pub(super) fn seat(&self) -> Option<Seat> {
        self.progress().seat.clone()
    }

    pub(super) fn is_heard_by_guest(&self, heard: Heard) {
        self.progress().heard = Some(heard);
    }

    /// We leave; when there is somebody else, they and the human talk on without us.
    pub(super) fn is_left_by_us(&self) {
        let guest = self.progress().guests.first().cloned();
        match guest {
            Some(guest) => {
                self.is_taken_over_by(guest);
                self.hang_up.cancel();
            }
            None => self.is_terminated(),
        }
    }

    /// We want it ended.
    pub(super) fn is_terminated(&self) {
        self.progress().terminated += 1;
        self.hang_up.cancel();
    }

    pub(super) fn is_told(&self, report: Report) {
        self.progress().report = Some(Arc::new(report));
    }

    pub(super) fn is_answered(&self, status: u16) {
        self.progress().answers.push(status);
    }

    /// What can be seen of it.
    pub(super) fn look(&self) -> Seen {
        let progress = self.progress();
        Seen {
            id: self.id.clone(),
            state: progress.state,
            party: self.party.clone(),
            callback: self.terms.callback.clone(),
            media: self.terms.media.as_ref().map(|media| media.url.clone()),
            keys: progress.keys.clone(),
            guests: progress.guests.clone(),
            guest_heard: progress.heard.as_ref().map(Heard::words).unwrap_or_default(),
            transferred: progress.transferred.clone(),
            terminated: progress.terminated,
            report: progress.report.clone(),
            answers: progress.answers.clone(),
        }
    }

    pub(super) fn transferred(&self) -> bool {
        self.progress().transferred.is_some()
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A CloudEvent.
fn envelope(source: &str, name: &str, data: Value) -> Value {
    json!({
        "id": Uuid::new_v4().to_string(),
        "source": source,
        "subject": source,
        "type": format!("Microsoft.Communication.{name}"),
        "specversion": "1.0",
        "time": Timestamp::now().to_string(),
        "datacontenttype": "application/json",
        "data": data,
    })
}

/// A call as the phone network sees it.
#[derive(Clone)]
pub struct Seen {
    /// `callConnectionId`.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// The human.
    pub party: Number,
    /// Where the service tells of it; holds the nonce.
    pub callback: String,
    /// Where its media goes, if it has any; holds the nonce.
    pub media: Option<String>,
    /// The keys that were pressed towards the human.
    pub keys: String,
    /// Who else takes part.
    pub guests: Vec<Number>,
    /// What the last of them has heard, in whole utterances.
    pub guest_heard: Vec<String>,
    /// Who took over.
    pub transferred: Option<Number>,
    /// How often we ended or left it.
    pub terminated: u32,
    /// What the human had to say, once they have hung up.
    pub report: Option<Arc<Report>>,
    /// The status of every delivery of an event, in order.
    pub answers: Vec<u16>,
}
