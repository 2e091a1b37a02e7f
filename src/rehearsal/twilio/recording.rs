//! Recordings at the simulated Twilio: begun by order, complete when their call is over, then told
//! of and given out as a file to whoever shows a password.

use std::io::Cursor;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::json;

use super::call::Status;
use super::post::field;
use super::rest::{Refused, said, taken, user};
use super::{Network, fresh_name};

/// A recording of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// `RE…`.
    pub name: String,
    /// Whether it goes on.
    pub runs: bool,
    /// How often its file was fetched.
    pub fetched: u32,
    /// Where to tell of it.
    events: String,
}

const HZ: u32 = 8_000;

pub(super) async fn begin(
    State(network): State<Arc<Network>>,
    Path((account, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refused> {
    let fields = taken(&network, &account, &headers, &body)?;
    let told = said(&fields, "RecordingStatusCallbackEvent").unwrap_or("completed");
    let events = said(&fields, "RecordingStatusCallback").unwrap_or_default();
    let good = said(&fields, "RecordingChannels") == Some("dual")
        && said(&fields, "RecordingStatusCallbackMethod") == Some("POST")
        && told.split(' ').any(|event| event == "completed")
        && events.starts_with("https://");
    if !good {
        return Err(Refused(400, 20_001));
    }
    match network.state().calls.get(&name).map(|call| call.record.status) {
        Some(Status::InProgress) => {}
        Some(_) => return Err(Refused(400, 21_220)),
        None => return Err(Refused(404, 20_404)),
    }
    let recording =
        Recording { name: fresh_name("RE"), runs: true, fetched: 0, events: events.to_owned() };
    let body =
        json!({ "sid": recording.name, "call_sid": name, "status": "in-progress", "channels": 2 });
    network.note(&name, |record| record.recordings.push(recording));
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

pub(super) async fn file(
    State(network): State<Arc<Network>>,
    Path((account, file)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    user(&network, &headers)?;
    if account != network.settings.account {
        return Err(Refused(401, 20_003));
    }
    let wanted = file.strip_suffix(".wav").ok_or(Refused(404, 20_404))?;
    if query.as_deref() != Some("RequestedChannels=2") {
        return Err(Refused(400, 20_001));
    }
    let mut found = false;
    let names: Vec<String> = network.state().calls.keys().cloned().collect();
    for name in names {
        network.note(&name, |record| {
            let complete = |it: &&mut Recording| it.name == wanted && !it.runs;
            for recording in record.recordings.iter_mut().filter(complete) {
                recording.fetched += 1;
                found = true;
            }
        });
    }
    if !found {
        return Err(Refused(404, 20_404));
    }
    Ok(([(header::CONTENT_TYPE, "audio/x-wav")], audio(wanted)).into_response())
}

/// The file of a recording: no sound of the call, but a channel for each side and different for
/// every recording.
#[must_use]
pub fn audio(name: &str) -> Vec<u8> {
    let spec = WavSpec {
        channels: 2,
        sample_rate: HZ,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut file, spec).expect("memory takes every write");
    for byte in name.bytes().cycle().take(HZ as usize) {
        for sample in [i16::from(byte), -i16::from(byte)] {
            writer.write_sample(sample).expect("memory takes every write");
        }
    }
    writer.finalize().expect("memory takes every write");
    file.into_inner()
}

impl Network {
    /// The call is over, and so are its recordings: tells of each.
    pub(super) async fn complete_recordings(&self, name: &str) {
        let mut complete = Vec::new();
        self.note(name, |record| {
            for recording in &mut record.recordings {
                recording.runs = false;
                complete.push(recording.clone());
            }
        });
        let account = &self.settings.account;
        for Recording { name: recording, events, .. } in complete {
            let url = format!(
                "https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{recording}"
            );
            let fields = vec![
                field("AccountSid", account),
                field("CallSid", name),
                field("RecordingSid", &recording),
                field("RecordingUrl", &url),
                field("RecordingStatus", "completed"),
                field("RecordingDuration", "1"),
                field("RecordingChannels", "2"),
                field("RecordingSource", "StartCallRecordingAPI"),
            ];
            self.tell(name, &events, fields).await;
        }
    }
}
