//! What a client may ask of a session or a response: known fields, known values.

use serde_json::{Map, Value, json};

use crate::rehearsal::realtime::wire::Complaint;

const SESSION_KEYS: &[&str] = &[
    "type",
    "model",
    "instructions",
    "output_modalities",
    "audio",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "max_output_tokens",
    "truncation",
    "tracing",
    "include",
    "prompt",
];
const AUDIO_KEYS: &[&str] = &["input", "output"];
const INPUT_KEYS: &[&str] = &["format", "noise_reduction", "transcription", "turn_detection"];
const OUTPUT_KEYS: &[&str] = &["format", "voice", "speed"];
const SERVER_VAD_KEYS: &[&str] = &[
    "type",
    "threshold",
    "prefix_padding_ms",
    "silence_duration_ms",
    "create_response",
    "interrupt_response",
    "idle_timeout_ms",
];
const SEMANTIC_VAD_KEYS: &[&str] = &["type", "eagerness", "create_response", "interrupt_response"];
const VOICES: &[&str] =
    &["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"];
/// Checks a change of a session as far as it can be checked without the session's history.
pub(super) fn session(change: &Value, current: &Value) -> Result<(), Complaint> {
    let given = keys(change, "session", SESSION_KEYS)?;
    match change["type"].as_str() {
        None => return Err(Complaint::missing("session.type")),
        Some("realtime") => {}
        Some(other) => return Err(not_one_of("session.type", other, &["realtime"])),
    }
    if given.contains_key("model") && change["model"] != current["model"] {
        return Err(Complaint::invalid("session.model", "The model cannot be changed."));
    }
    let instructions = &change["instructions"];
    if !instructions.is_null() && !instructions.is_string() {
        return Err(Complaint::invalid("session.instructions", "Expected a string."));
    }
    modalities(&change["output_modalities"])?;
    tokens(&change["max_output_tokens"])?;
    tools(&change["tools"])?;
    audio(&change["audio"])
}

fn keys<'a>(
    value: &'a Value,
    path: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, Complaint> {
    let object =
        value.as_object().ok_or_else(|| Complaint::invalid(path, "Expected an object."))?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stranger) => Err(Complaint::unknown(format!("{path}.{stranger}"))),
        None => Ok(object),
    }
}

fn not_one_of(path: &str, value: &str, allowed: &[&str]) -> Complaint {
    let allowed = allowed.join("', '");
    let message = format!("Invalid value: '{value}'. Supported values are: '{allowed}'.");
    Complaint::invalid(path, message)
}

/// Checks `output_modalities`.
pub(in crate::rehearsal::realtime) fn modalities(list: &Value) -> Result<(), Complaint> {
    let known = list.is_null() || *list == json!(["audio"]) || *list == json!(["text"]);
    let message = "Supported combinations are: ['text'] and ['audio'].";
    if known { Ok(()) } else { Err(Complaint::invalid("session.output_modalities", message)) }
}

fn tokens(limit: &Value) -> Result<(), Complaint> {
    let number = limit.as_u64().is_some_and(|tokens| (1..=4_096).contains(&tokens));
    let known = limit.is_null() || *limit == "inf" || number;
    let message = "Expected 'inf' or a number from 1 to 4096.";
    if known { Ok(()) } else { Err(Complaint::invalid("session.max_output_tokens", message)) }
}

/// Checks a list of function tools; servers of tools are not simulated.
pub(in crate::rehearsal::realtime) fn tools(tools: &Value) -> Result<(), Complaint> {
    if tools.is_null() {
        return Ok(());
    }
    let list = tools
        .as_array()
        .ok_or_else(|| Complaint::invalid("session.tools", "Expected an array."))?;
    for (at, tool) in list.iter().enumerate() {
        let path = format!("session.tools[{at}]");
        keys(tool, &path, &["type", "name", "description", "parameters"])?;
        match tool["type"].as_str() {
            None => return Err(Complaint::missing(format!("{path}.type"))),
            Some("function") => {}
            Some(other) => return Err(not_one_of(&format!("{path}.type"), other, &["function"])),
        }
        if tool["name"].as_str().is_none_or(str::is_empty) {
            return Err(Complaint::missing(format!("{path}.name")));
        }
        if !tool["parameters"].is_null() && !tool["parameters"].is_object() {
            return Err(Complaint::invalid(format!("{path}.parameters"), "Expected an object."));
        }
    }
    Ok(())
}

fn audio(audio: &Value) -> Result<(), Complaint> {
    if audio.is_null() {
        return Ok(());
    }
    keys(audio, "session.audio", AUDIO_KEYS)?;
    let (input, output) = (&audio["input"], &audio["output"]);
    if !input.is_null() {
        keys(input, "session.audio.input", INPUT_KEYS)?;
        format_of(&input["format"], "session.audio.input.format")?;
        detection_of(&input["turn_detection"])?;
        if !input["transcription"].is_null() && !input["transcription"].is_object() {
            let path = "session.audio.input.transcription";
            return Err(Complaint::invalid(path, "Expected an object."));
        }
    }
    if !output.is_null() {
        keys(output, "session.audio.output", OUTPUT_KEYS)?;
        format_of(&output["format"], "session.audio.output.format")?;
        if let Some(voice) = output["voice"].as_str()
            && !VOICES.contains(&voice)
        {
            return Err(not_one_of("session.audio.output.voice", voice, VOICES));
        }
    }
    Ok(())
}

fn format_of(format: &Value, path: &str) -> Result<(), Complaint> {
    if format.is_null() {
        return Ok(());
    }
    keys(format, path, &["type", "rate"])?;
    match format["type"].as_str() {
        None => Err(Complaint::missing(format!("{path}.type"))),
        Some("audio/pcm") if format["rate"].is_null() || format["rate"] == 24_000 => Ok(()),
        Some("audio/pcm") => {
            Err(Complaint::invalid(format!("{path}.rate"), "PCM audio has 24000 samples a second."))
        }
        Some("audio/pcmu") => Ok(()),
        Some(other) => {
            Err(not_one_of(&format!("{path}.type"), other, &["audio/pcm", "audio/pcmu"]))
        }
    }
}

fn detection_of(detection: &Value) -> Result<(), Complaint> {
    const PATH: &str = "session.audio.input.turn_detection";
    if detection.is_null() {
        return Ok(());
    }
    let within = |key: &str, low: f64, high: f64| {
        let value = &detection[key];
        let fits = value.as_f64().is_some_and(|number| (low..=high).contains(&number));
        if value.is_null() || fits {
            return Ok(());
        }
        let message = format!("Expected a number from {low} to {high}.");
        Err(Complaint::invalid(format!("{PATH}.{key}"), message))
    };
    match detection["type"].as_str() {
        None => Err(Complaint::missing(format!("{PATH}.type"))),
        Some("server_vad") => {
            keys(detection, PATH, SERVER_VAD_KEYS)?;
            within("threshold", 0.0, 1.0)?;
            within("prefix_padding_ms", 0.0, 5_000.0)?;
            within("silence_duration_ms", 0.0, 10_000.0)?;
            within("idle_timeout_ms", 5_000.0, 30_000.0)
        }
        Some("semantic_vad") => {
            keys(detection, PATH, SEMANTIC_VAD_KEYS)?;
            let known = ["low", "medium", "high", "auto"];
            match detection["eagerness"].as_str() {
                Some(word) if !known.contains(&word) => {
                    Err(not_one_of(&format!("{PATH}.eagerness"), word, &known))
                }
                _ => Ok(()),
            }
        }
        Some(other) => {
            Err(not_one_of(&format!("{PATH}.type"), other, &["server_vad", "semantic_vad"]))
        }
    }
}
