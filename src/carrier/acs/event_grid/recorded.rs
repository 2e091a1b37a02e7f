//! What Event Grid says of a recording that is finished: under which names it may be known to us,
//! and where its pieces are. Pure.
//!
//! Source: Azure's documentation of `Microsoft.Communication.RecordingFileStatusUpdated`, and
//! events as its users show them: the call in their subject is the `correlationId` of callbacks.

use serde::Deserialize;
use tandem_actors::briefing::Text;

/// The longest name that is kept; those of ACS are some hundred letters of base64.
pub(in crate::carrier::acs) const NAME_MAX: usize = 1_024;

/// A recording that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its names, the surest first: its own, its call's at ACS's server, the call's.
    pub names: Vec<String>,
    /// Its pieces, of which a long one has several.
    pub pieces: Vec<Piece>,
}

/// A piece of a recording, which is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its place, from 0.
    pub index: u32,
    /// Where it is, as whoever sent the event claims.
    pub location: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    recording_storage_info: Storage,
    #[serde(default)]
    recording_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Storage {
    recording_chunks: Vec<Chunk>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    index: u32,
    content_location: String,
}

/// Reads `data` of an event with this subject.
pub(super) fn read(subject: &str, data: &str) -> Option<Recorded> {
    let file: File = serde_json::from_str(data).ok()?;
    let (call, server, recording) = parts(subject);
    let all = [file.recording_id.as_deref(), recording, server, call];
    let names = known(all.map(|name| name.map(str::to_owned)));
    let chunks = file.recording_storage_info.recording_chunks;
    if names.is_empty() || chunks.is_empty() {
        return None;
    }
    let piece = |chunk: Chunk| Piece { index: chunk.index, location: Text(chunk.content_location) };
    Some(Recorded { names, pieces: chunks.into_iter().map(piece).collect() })
}

/// Those of these names that can be kept, each once.
pub(in crate::carrier::acs) fn known<const N: usize>(all: [Option<String>; N]) -> Vec<String> {
    let mut names = Vec::new();
    for name in all.into_iter().flatten() {
        if !name.is_empty() && name.len() <= NAME_MAX && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Call, server call and recording of `/recording/call/…/serverCallId/…/recordingId/…`. The
/// middle one may be missing, and base64 may hold a `/`.
fn parts(subject: &str) -> (Option<&str>, Option<&str>, Option<&str>) {
    let Some(rest) = subject.strip_prefix("/recording/call/") else { return (None, None, None) };
    let (rest, recording) = cut(rest, "/recordingId/");
    let (call, server) = cut(rest, "/serverCallId/");
    (Some(call), server, recording)
}

fn cut<'a>(text: &'a str, at: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SUBJECT: &str = "/recording/call/8c1d/serverCallId/aHR0/+==/recordingId/eyJQ";

    fn data(chunks: &serde_json::Value) -> String {
        json!({ "recordingStorageInfo": { "recordingChunks": chunks } }).to_string()
    }

    #[test]
    fn a_subject_names_a_recording_in_several_ways() {
        for (subject, names) in [
            (SUBJECT, &["eyJQ", "aHR0/+==", "8c1d"][..]),
            ("/recording/call/8c1d/recordingId/eyJQ", &["eyJQ", "8c1d"]),
            ("/recording/call/8c1d/serverCallId/aHR0", &["aHR0", "8c1d"]),
            ("/recording/call/8c1d", &["8c1d"]),
            ("/recording/call/8c1d/recordingId/8c1d", &["8c1d"]),
        ] {
            let chunks = json!([{ "index": 0, "contentLocation": "https://a.example/" }]);
            assert_eq!(read(subject, &data(&chunks)).unwrap().names, names, "{subject}");
        }
    }

    #[test]
    fn its_own_name_counts_before_its_subject_and_its_pieces_come_in_any_order() {
        let event = json!({
            "recordingId": "r-1",
            "recordingStorageInfo": { "recordingChunks": [
                { "index": 1, "contentLocation": "https://a.example/1", "documentId": "d-1" },
                { "contentLocation": "https://a.example/0" },
            ] },
        });
        let read = read(SUBJECT, &event.to_string()).unwrap();
        assert_eq!(read.names, ["r-1", "eyJQ", "aHR0/+==", "8c1d"]);
        let piece = |index, at: &str| Piece { index, location: Text::from(at) };
        assert_eq!(read.pieces, [piece(1, "https://a.example/1"), piece(0, "https://a.example/0")]);
        assert!(!format!("{read:?}").contains("a.example"));
    }

    #[test]
    fn without_a_name_or_a_file_it_is_broken() {
        let good = data(&json!([{ "index": 0, "contentLocation": "https://a.example/" }]));
        let long = format!("/recording/call/{}", "a".repeat(NAME_MAX + 1));
        for subject in ["", "/caller/4:+1", "/recording/call/", &long] {
            assert_eq!(read(subject, &good), None, "{subject:.30}");
        }
        let negative = data(&json!([{ "index": -1, "contentLocation": "https://a.example/" }]));
        let nowhere = data(&json!([{ "index": 0 }]));
        for data in ["null", "{}", &data(&json!([])), &negative, &nowhere] {
            assert_eq!(read(SUBJECT, data), None, "{data}");
        }
    }
}
