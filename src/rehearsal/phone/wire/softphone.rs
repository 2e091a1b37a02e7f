//! The dialect of a browser: raw audio, and JSON beside it. As strict as the page: what is no
//! whole sample, or shorter or longer than was agreed, is odd.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::Received;
use crate::rehearsal::speech::pcm::Coding;

/// Bytes of a piece of audio: 2.5 to 200 ms.
const PIECE: std::ops::RangeInclusive<usize> = 120..=9_600;

pub(super) fn frame(samples: Option<&[i16]>) -> Message {
    let coding = Coding::Pcm24k;
    let silence = vec![0; coding.rate().frame()];
    Message::binary(coding.encode(samples.unwrap_or(&silence)))
}

pub(super) fn key(key: char) -> Message {
    Message::text(json!({ "type": "key", "key": key }).to_string())
}

pub(super) fn mark(name: &str) -> Option<Message> {
    let number: u64 = name.parse().ok()?;
    Some(Message::text(json!({ "type": "played", "mark": number }).to_string()))
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    mark: Option<u64>,
}

pub(super) fn read(message: &Message) -> Option<Received> {
    if let Message::Binary(audio) = message {
        let is_whole = audio.len().is_multiple_of(2) && PIECE.contains(&audio.len());
        return is_whole.then(|| Received::Audio(Coding::Pcm24k.decode(audio)));
    }
    let text = message.to_text().ok()?;
    let told: Told<'_> = serde_json::from_str(text).ok()?;
    match told.kind.as_ref() {
        "start" => is_start(text).then_some(Received::Nothing),
        "mark" => Some(Received::Mark(told.mark?.to_string())),
        "flush" => Some(Received::Flush),
        _ => None,
    }
}

fn is_start(text: &str) -> bool {
    let ours = json!({
        "type": "start",
        "rate": 24_000,
        "channels": 1,
        "encoding": "pcm_s16le",
    });
    serde_json::from_str(text).is_ok_and(|theirs: Value| theirs == ours)
}
