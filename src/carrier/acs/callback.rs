//! What ACS tells of a call of ours: a list of CloudEvents, or one. Pure; knows no other call.
//!
//! Source: Azure's events of Call Automation (`tests/fixtures/acs/callbacks.jsonl`). What is not
//! listed here is told as [`What::Other`] and changes nothing.

pub mod story;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::CarrierCallId;

use super::event_grid::{Malformed, elements, recorded};
use super::outcome::{self, Meaning, Told};

/// Begins the types of these events.
const TYPE: &str = "Microsoft.Communication.";

/// Begins the source of an event about a call.
const SOURCE: &str = "calling/callConnections/";

/// The longest name of a call that is kept; ACS's have 36 letters.
const NAME_MAX: usize = 128;

/// One event about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same when it is delivered again.
    pub id: String,
    /// Which call, in ACS's words (`callConnectionId`).
    pub call: CarrierCallId,
    /// What happened.
    pub what: What,
}

/// What can happen to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody or something picked up, or our answer was taken.
    Connected,
    /// The call we placed did not come about.
    NotPlaced(Meaning, Told),
    /// The call that rang here was not there to be answered any more.
    NotAnswered(Meaning, Told),
    /// The call is over.
    Disconnected(Meaning, Told),
    /// The hand-over was carried out.
    TransferAccepted,
    /// The hand-over was not carried out.
    TransferFailed(Meaning),
    /// Somebody whom we rang into the call is in it.
    Added,
    /// Somebody whom we rang into the call is not.
    NotAdded(Meaning),
    /// ACS could not bring us the call's audio.
    MediaFailed(Unheard),
    /// Who is in the call. Of two lists the one with the higher number counts.
    Parties {
        /// Counts the lists of a call.
        sequence: u64,
        /// How many are in the call besides us.
        count: usize,
    },
    /// How a recording of the call is.
    Recording {
        /// The names by which ACS may tell of its file.
        names: Vec<String>,
        /// Whether it runs.
        runs: bool,
    },
    /// The call is not recorded.
    NotRecorded(Meaning),
    /// Something else, by its type.
    Other(String),
}

/// What became of the audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// ACS could not reach us or was refused; it will not try again by itself.
    Never,
    /// It was interrupted, or for a reason that may pass. ACS may dial again, and the call has a
    /// deadline of its own for that.
    ForNow,
}

/// Why an event of a list cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken;

#[derive(Deserialize)]
struct CloudEvent<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    source: Option<Cow<'a, str>>,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Data {
    call_connection_id: Option<String>,
    result_information: Option<Told>,
    sequence_number: Option<u64>,
    participants: Option<Vec<Box<RawValue>>>,
    media_streaming_update: Option<Update>,
    recording_id: Option<String>,
    server_call_id: Option<String>,
    correlation_id: Option<String>,
    state: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Update {
    media_streaming_status_details: Option<String>,
}

/// Reads a callback, event by event: one that is broken does not spoil the others.
///
/// # Errors
/// [`Malformed`] when there are no events to be seen in it.
pub fn read(body: &[u8]) -> Result<Vec<Result<Event, Broken>>, Malformed> {
    Ok(elements(body)?.into_iter().map(|event| one(event).ok_or(Broken)).collect())
}

fn one(event: &RawValue) -> Option<Event> {
    let event: CloudEvent<'_> = serde_json::from_str(event.get()).ok()?;
    let data = event.data;
    let source = event.source.as_deref().and_then(|source| source.strip_prefix(SOURCE));
    let call = data.call_connection_id.as_deref().or(source)?;
    if event.id.is_empty() || call.is_empty() || call.len() > NAME_MAX {
        return None;
    }
    let call = CarrierCallId(call.to_owned());
    let told = data.result_information.unwrap_or_default();
    let failure = || match told == Told::default() {
        true => Meaning { outcome: Outcome::Failed, reason: "failed" },
        false => outcome::of(&told),
    };
    let what = match event.kind.strip_prefix(TYPE).unwrap_or(&event.kind) {
        "CallConnected" => What::Connected,
        "CreateCallFailed" => What::NotPlaced(failure(), told),
        "AnswerFailed" => What::NotAnswered(failure(), told),
        "CallDisconnected" => What::Disconnected(outcome::of(&told), told),
        "CallTransferAccepted" => What::TransferAccepted,
        "CallTransferFailed" => What::TransferFailed(failure()),
        "AddParticipantSucceeded" => What::Added,
        "AddParticipantFailed" => What::NotAdded(failure()),
        "MediaStreamingFailed" => {
            let details =
                data.media_streaming_update.and_then(|it| it.media_streaming_status_details);
            What::MediaFailed(unheard(details.as_deref().unwrap_or_default()))
        }
        "ParticipantsUpdated" => What::Parties {
            sequence: data.sequence_number?,
            count: data.participants.map_or(0, |all| all.len()),
        },
        "RecordingStateChanged" => {
            let runs = data.state.is_some_and(|state| state.eq_ignore_ascii_case("active"));
            let call = Some(call.0.clone());
            let all = [data.recording_id, data.server_call_id, data.correlation_id, call];
            What::Recording { names: recorded::known(all), runs }
        }
        "StartRecordingFailed" => What::NotRecorded(failure()),
        _ => What::Other(event.kind.into_owned()),
    };
    Some(Event { id: event.id.into_owned(), call, what })
}

/// `mediaStreamingStatusDetails`.
fn unheard(details: &str) -> Unheard {
    const NEVER: [&str; 6] = [
        "initialWebSocketConnectionFailed",
        "streamConnectionUnsuccessful",
        "streamUrlMissing",
        "authenticationFailure",
        "badRequest",
        "forbidden",
    ];
    let never = NEVER.iter().any(|word| word.eq_ignore_ascii_case(details));
    if never { Unheard::Never } else { Unheard::ForNow }
}
