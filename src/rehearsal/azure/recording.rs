//! Recordings that the service makes, keeps for a day and hands out. They are as long as they
//! should be, and every sample is the number of its piece: what is said in a simulated call is
//! known from the people in it.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::connection::Connection;
use super::courier;
use super::grid;
use super::keys::WEBHOOK;
use super::refusal::Refusal;
use super::wire;
use super::{Books, Hall};

/// Samples a second.
const RATE: u32 = 16_000;

/// Files are kept for so long.
const KEPT: Duration = Duration::from_hours(24);

/// One recording.
#[derive(Clone)]
pub(super) struct Recording {
    id: String,
    /// Its name in the storage; its pieces have a number behind it.
    document: String,
    call: Arc<Connection>,
    order: wire::Record,
    begun: Timestamp,
    ended: Option<Timestamp>,
    /// Whether each of its pieces was deleted.
    deleted: Vec<bool>,
    fetched: usize,
}

/// A recording as an onlooker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taped {
    /// The `callConnectionId` of what it is of.
    pub call: String,
    /// Whether it still runs.
    pub runs: bool,
    /// How often one of its files was handed out.
    pub fetched: usize,
    /// Its files.
    pub files: Vec<Vec<u8>>,
}

impl Recording {
    fn state(&self) -> &'static str {
        if self.ended.is_some() { "inactive" } else { "active" }
    }

    fn written(&self) -> Response {
        Json(json!({
            "recordingId": self.id,
            "recordingState": self.state(),
            "recordingKind": "azureCommunicationServices",
        }))
        .into_response()
    }

    fn milliseconds(&self) -> i64 {
        let ended = self.ended.unwrap_or(self.begun);
        ended.duration_since(self.begun).as_millis().try_into().unwrap_or(i64::MAX)
    }

    pub(super) fn look(&self) -> Taped {
        Taped {
            call: self.call.id.clone(),
            runs: self.ended.is_none(),
            fetched: self.fetched,
            files: (0..self.deleted.len()).map(|piece| self.wav(piece)).collect(),
        }
    }

    /// Whether this piece is in the storage.
    pub(super) fn is_kept(&self, piece: usize, now: Timestamp) -> bool {
        let in_time = self.ended.is_some_and(|ended| now < ended + KEPT);
        in_time && self.deleted.get(piece) == Some(&false)
    }

    /// The file of a piece.
    fn wav(&self, piece: usize) -> Vec<u8> {
        let channels = self.order.channels();
        let spec = hound::WavSpec {
            channels,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let pieces = i64::try_from(self.deleted.len()).expect("a few");
        let frames = self.milliseconds() * i64::from(RATE) / 1_000 / pieces;
        let sample = i16::try_from(piece).expect("a few");
        let mut file = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut file, spec).expect("memory takes it");
        for _ in 0..frames * i64::from(channels) {
            writer.write_sample(sample).expect("memory takes it");
        }
        writer.finalize().expect("memory takes it");
        file.into_inner()
    }

    /// Where the files are, for Event Grid; the last piece first, for nothing is promised.
    fn file_event(&self, host: &str) -> Value {
        let last = self.deleted.len() - 1;
        let chunk = |piece: usize| {
            let document = format!("{}-{piece}", self.document);
            let at = format!("http://{host}/v1/objects/{document}");
            let cut = "ChunkMaximumSizeExceeded";
            json!({
                "documentId": document,
                "index": piece,
                "endReason": if piece == last { "SessionEnded" } else { cut },
                "contentLocation": format!("{at}/content/acscomposite"),
                "metadataLocation": format!("{at}/content/acsmetadata"),
                "deleteLocation": at,
            })
        };
        let chunks: Vec<Value> = (0..=last).rev().map(chunk).collect();
        let data = json!({
            "recordingStorageInfo": { "recordingChunks": chunks },
            "recordingStartTime": self.begun.to_string(),
            "recordingDurationMs": self.milliseconds(),
            "recordingId": self.id,
            "storageType": "ACS",
            "sessionEndReason": "SessionEnded",
        });
        let subject = self.call.recording_subject(&self.id);
        grid::event("Microsoft.Communication.RecordingFileStatusUpdated", &subject, &data)
    }
}

/// `POST /calling/recordings`.
pub(super) fn start(hall: &Arc<Hall>, body: &[u8]) -> Result<Response, Refusal> {
    let order: wire::Record = wire::read(body)?;
    order.check()?;
    let call = hall.established(order.call())?;
    let mut books = hall.books();
    let runs = |known: &&Recording| known.call.id == call.id && known.ended.is_none();
    if books.recordings.iter().find(runs).is_some() {
        let status = StatusCode::CONFLICT;
        let message = "Recording is already running.".to_owned();
        return Err(Refusal { status, code: "8553", message });
    }
    let recording = Recording {
        id: Uuid::new_v4().simple().to_string(),
        document: format!("0-wus-d1-{}", Uuid::new_v4().simple()),
        call,
        order,
        begun: Timestamp::now(),
        ended: None,
        deleted: vec![false; books.pieces.unwrap_or(1)],
        fetched: 0,
    };
    let answer = recording.written();
    books.recordings.push(recording.clone());
    drop(books);
    drop(tokio::spawn(tell_state(Arc::clone(hall), recording)));
    Ok(answer)
}

/// `GET /calling/recordings/{id}`.
pub(super) fn show(hall: &Hall, id: &str) -> Result<Response, Refusal> {
    find(&mut hall.books(), id).map(|recording| recording.written())
}

/// `DELETE /calling/recordings/{id}`.
pub(super) fn stop(hall: &Arc<Hall>, id: &str) -> Result<Response, Refusal> {
    let mut books = hall.books();
    let recording = find(&mut books, id)?;
    if recording.ended.is_some() {
        return Err(Refusal::no_call());
    }
    recording.ended = Some(Timestamp::now());
    drop(tokio::spawn(finished(Arc::clone(hall), recording.clone())));
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A call is over, and so is what records it.
pub(super) fn stop_all(hall: &Arc<Hall>, call: &Connection) {
    let mut books = hall.books();
    let runs = |known: &&mut Recording| known.call.id == call.id && known.ended.is_none();
    for recording in books.recordings.iter_mut().filter(runs) {
        recording.ended = Some(Timestamp::now());
        drop(tokio::spawn(finished(Arc::clone(hall), recording.clone())));
    }
}

async fn finished(hall: Arc<Hall>, recording: Recording) {
    let file = recording.file_event(&hall.host);
    tell_state(Arc::clone(&hall), recording).await;
    hall.announce(&[file]).await;
}

/// Tells of every recording that is finished once more.
pub(super) async fn tell_again(hall: &Arc<Hall>) {
    let ended = |recording: &&Recording| recording.ended.is_some();
    let files: Vec<Value> = {
        let books = hall.books();
        let ended = books.recordings.iter().filter(ended);
        ended.map(|recording| recording.file_event(&hall.host)).collect()
    };
    hall.announce(&files).await;
}

async fn tell_state(hall: Arc<Hall>, recording: Recording) {
    let Some(to) = recording.order.callback() else { return };
    let event = recording.call.recording_event(&recording.id, recording.state(), recording.begun);
    let token = hall.signer.token(WEBHOOK, Timestamp::now());
    courier::post(&hall, to, Some(&token), &[event]).await;
}

/// `GET` and `DELETE` in the storage; signed for the resource's host, which stands in
/// `x-ms-host`.
pub(super) fn stored(
    hall: &Hall,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let host = headers.get("x-ms-host").and_then(|host| host.to_str().ok());
    if host != Some(hall.host.as_str()) {
        return Err(Refusal::denied("x-ms-host is not the resource's host"));
    }
    let (document, rest) = path.split_once('/').unwrap_or((path, ""));
    let (document, piece) = document.rsplit_once('-').ok_or_else(Refusal::no_such_interface)?;
    let piece: usize = piece.parse().map_err(|_| Refusal::no_such_interface())?;
    let now = Timestamp::now();
    let mut books = hall.books();
    let kept = |known: &&mut Recording| known.document == document && known.is_kept(piece, now);
    let recording = books.recordings.iter_mut().find(kept);
    let recording = recording.ok_or_else(Refusal::no_such_interface)?;
    match (method.as_str(), rest) {
        ("GET", "content/acscomposite") => {
            recording.fetched += 1;
            let range = headers.get("range").and_then(|range| range.to_str().ok());
            part(&recording.wav(piece), range)
        }
        ("DELETE", "") => {
            recording.deleted[piece] = true;
            Ok(StatusCode::OK.into_response())
        }
        _ => Err(Refusal::no_such_interface()),
    }
}

/// The bytes that `Range: bytes=a-b` asks for, or all.
fn part(file: &[u8], range: Option<&str>) -> Result<Response, Refusal> {
    let Some(range) = range else { return Ok(file.to_vec().into_response()) };
    let ends = range.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last): (usize, usize) = ends.ok_or_else(|| Refusal::bad("Range: bytes=a-b"))?;
    let bytes = file.get(first..=last.min(file.len().saturating_sub(1)));
    let bytes = bytes.ok_or_else(|| Refusal {
        status: StatusCode::RANGE_NOT_SATISFIABLE,
        ..Refusal::bad("Range is beyond the end")
    })?;
    Ok((StatusCode::PARTIAL_CONTENT, bytes.to_vec()).into_response())
}

fn find<'a>(books: &'a mut Books, id: &str) -> Result<&'a mut Recording, Refusal> {
    let found = books.recordings.iter_mut().find(|recording| recording.id == id);
    found.ok_or_else(Refusal::no_call)
}
