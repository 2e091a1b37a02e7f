//! A session's settings: the document that `session.updated` shows, the check of every change to
//! it, and the few values the server acts on. A change is taken whole or not at all.

use std::time::Duration;

use serde_json::{Value, json};

use super::delivery::Format;
use super::wire::Complaint;

pub(super) mod check;

/// Objects that a change replaces whole instead of merging into.
const REPLACED: &[&str] =
    &["format", "noise_reduction", "transcription", "tool_choice", "truncation", "reasoning"];

/// Who decides that the caller has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turns {
    /// The client, by committing.
    Manual,
    /// The server, by listening.
    Detected {
        /// How much is counted to the speech before its onset.
        prefix: Duration,
        /// How long a silence ends the turn.
        silence: Duration,
        /// Whether a response follows by itself.
        create: bool,
        /// Whether speech stops the running response.
        interrupt: bool,
        /// How long a caller may be silent before the server speaks up.
        idle: Option<Duration>,
    },
}

/// What a response gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modality {
    Audio,
    Text,
}

/// The settings of one session.
#[derive(Debug)]
pub(super) struct Settings {
    document: Value,
    pub(super) turns: Turns,
    pub(super) input: Format,
    pub(super) output: Format,
    pub(super) modality: Modality,
    pub(super) transcribes: bool,
    pub(super) instructions: String,
    pub(super) tools: Vec<String>,
}

impl Settings {
    /// What a fresh session has. `expires_at` in seconds of the Unix epoch.
    pub(super) fn new(id: &str, model: &str, expires_at: u64) -> Self {
        let format = json!({ "type": "audio/pcm", "rate": 24_000 });
        let document = json!({
            "type": "realtime", "object": "realtime.session", "id": id, "model": model,
            "expires_at": expires_at, "instructions": "", "output_modalities": ["audio"],
            "tools": [], "tool_choice": "auto", "max_output_tokens": "inf",
            "truncation": "auto", "tracing": null, "include": null, "prompt": null,
            "audio": {
                "input": { "format": format, "noise_reduction": null, "transcription": null,
                    "turn_detection": detection_defaults("server_vad") },
                "output": { "format": format, "voice": "marin", "speed": 1.0 },
            },
        });
        Self::read(document)
    }

    /// The session as `session.created` and `session.updated` show it.
    pub(super) fn document(&self) -> &Value {
        &self.document
    }

    /// Takes a partial change. `has_spoken` fixes the voice.
    pub(super) fn update(&mut self, change: &Value, has_spoken: bool) -> Result<(), Complaint> {
        let current = &self.document;
        check::session(change, current)?;
        let voice = &change["audio"]["output"]["voice"];
        if has_spoken && !voice.is_null() && *voice != current["audio"]["output"]["voice"] {
            let message = "Cannot update a conversation's voice if assistant audio is present.";
            let complaint = Complaint::new("cannot_update_voice", message);
            return Err(complaint.at("session.audio.output.voice"));
        }
        let mut document = current.clone();
        merge(&mut document, change);
        *self = Self::read(document);
        Ok(())
    }

    fn read(document: Value) -> Self {
        let audio = &document["audio"];
        let tools = document["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self {
            turns: turns(&audio["input"]["turn_detection"]),
            input: format(&audio["input"]["format"]),
            output: format(&audio["output"]["format"]),
            modality: modality(&document["output_modalities"]),
            transcribes: !audio["input"]["transcription"].is_null(),
            instructions: document["instructions"].as_str().unwrap_or_default().to_owned(),
            tools: tool_names(tools),
            document,
        }
    }
}

/// The names of the function tools in a list that was checked.
pub(super) fn tool_names(tools: &[Value]) -> Vec<String> {
    tools.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
}

/// Reads a checked list of modalities; audio when there is none.
pub(super) fn modality(list: &Value) -> Modality {
    if list[0] == "text" { Modality::Text } else { Modality::Audio }
}

fn format(object: &Value) -> Format {
    if object["type"] == "audio/pcmu" { Format::Pcmu8k } else { Format::Pcm24k }
}

fn turns(detection: &Value) -> Turns {
    if detection.is_null() {
        return Turns::Manual;
    }
    let ms =
        |key: &str, default: u64| Duration::from_millis(detection[key].as_u64().unwrap_or(default));
    // A simulator hears pauses, not sense: eagerness becomes a length of silence.
    let eager_ms = match detection["eagerness"].as_str() {
        Some("low") => 1_000,
        Some("high") => 300,
        _ => 500,
    };
    Turns::Detected {
        prefix: ms("prefix_padding_ms", 300),
        silence: ms("silence_duration_ms", eager_ms),
        create: detection["create_response"].as_bool().unwrap_or(true),
        interrupt: detection["interrupt_response"].as_bool().unwrap_or(true),
        idle: detection["idle_timeout_ms"].as_u64().map(Duration::from_millis),
    }
}

fn detection_defaults(kind: &str) -> Value {
    if kind == "semantic_vad" {
        json!({ "type": kind, "eagerness": "auto", "create_response": true,
            "interrupt_response": true })
    } else {
        json!({ "type": kind, "threshold": 0.5, "prefix_padding_ms": 300,
            "silence_duration_ms": 500, "idle_timeout_ms": null, "create_response": true,
            "interrupt_response": true })
    }
}

/// Objects are merged, everything else is replaced; turn detection starts from the defaults when
/// its type changes.
fn merge(document: &mut Value, change: &Value) {
    let (Some(target), Some(source)) = (document.as_object_mut(), change.as_object()) else {
        *document = change.clone();
        return;
    };
    for (key, value) in source {
        let old = target.entry(key.as_str()).or_insert(Value::Null);
        if key == "turn_detection" && value["type"] != old["type"] {
            *old = value["type"].as_str().map_or(Value::Null, detection_defaults);
        }
        if REPLACED.contains(&key.as_str()) {
            *old = value.clone();
        } else {
            merge(old, value);
        }
    }
}

#[cfg(test)]
mod tests;
