//! The dialect of Asterisk's `chan_websocket` with `f(json)`: raw audio, and JSON beside it.
//! As strict as the original: what is too long is ignored or ends the call. Facts: Asterisk's
//! `channels/chan_websocket.c`.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::Received;
use crate::rehearsal::phone::{Dialect, Dialled, PhoneError};
use crate::rehearsal::speech::pcm::Coding;

/// About 1,000 frames.
pub(super) const HOLDS: Duration = Duration::from_secs(20);
/// Frames that wait when it asks for a pause.
const XOFF: usize = 900;
/// Frames that wait when it ends the pause.
const XON: usize = 800;
/// Bytes of a command; a longer one is not looked at.
const COMMAND_MAX: usize = 128;
/// Bytes of any message; a longer one ends the call.
const MESSAGE_MAX: usize = 65_500;

/// Offers the subprotocol, and shows user name and password as `websocket_client.conf` has them.
pub(super) fn introduce(request: &mut Request) -> Result<(), PhoneError> {
    let authority = request.uri().authority().map_or("", |authority| authority.as_str());
    let shown = authority.rsplit_once('@').map(|(pair, _)| STANDARD.encode(pair));
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_static("media"));
    if let Some(pair) = shown {
        let basic = HeaderValue::from_str(&format!("Basic {pair}"));
        headers.insert("authorization", basic.map_err(|_| PhoneError::Request)?);
    }
    Ok(())
}

pub(super) fn opening(dialled: &Dialled) -> Message {
    let coding = dialled.dialect.coding();
    let format = match dialled.dialect {
        Dialect::Twilio | Dialect::Asterisk8k => "ulaw",
        Dialect::Acs24k | Dialect::Acs16k | Dialect::Asterisk24k | Dialect::Softphone => "slin24",
    };
    let variables: serde_json::Map<_, _> =
        dialled.parameters.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let start = json!({
        "event": "MEDIA_START",
        "connection_id": "rehearsal",
        "channel": "WebSocket/tandem",
        "channel_id": dialled.carrier_call,
        "format": format,
        "optimal_frame_size": coding.frame_bytes(),
        "ptime": 20,
        "channel_variables": variables,
    });
    Message::text(start.to_string())
}

pub(super) fn frame(coding: Coding, samples: Option<&[i16]>) -> Message {
    let silence = vec![0; coding.rate().frame()];
    Message::binary(coding.encode(samples.unwrap_or(&silence)))
}

pub(super) fn key(channel: &str, key: char) -> Message {
    let event = json!({ "event": "DTMF_END", "channel_id": channel, "digit": key });
    Message::text(event.to_string())
}

pub(super) fn mark(channel: &str, name: &str) -> Message {
    let event =
        json!({ "event": "MEDIA_MARK_PROCESSED", "channel_id": channel, "correlation_id": name });
    Message::text(event.to_string())
}

/// What it says when so many frames wait, if that is news.
pub(super) fn room(channel: &str, waiting: usize, full: &mut bool) -> Option<Message> {
    let word = if !*full && waiting >= XOFF {
        "MEDIA_XOFF"
    } else if *full && waiting < XON {
        "MEDIA_XON"
    } else {
        return None;
    };
    *full = !*full;
    Some(Message::text(json!({ "event": word, "channel_id": channel }).to_string()))
}

#[derive(Deserialize)]
struct Command<'a> {
    #[serde(borrow)]
    command: Cow<'a, str>,
    #[serde(borrow, default)]
    correlation_id: Option<Cow<'a, str>>,
}

pub(super) fn read(message: &Message, coding: Coding) -> Option<Received> {
    if message.len() > MESSAGE_MAX {
        return Some(Received::Unbearable);
    }
    if let Message::Binary(audio) = message {
        // What is behind the last whole frame is thrown away.
        let whole = audio.len() / coding.frame_bytes() * coding.frame_bytes();
        return Some(Received::Audio(coding.decode(&audio[..whole])));
    }
    let text = message.to_text().ok().filter(|text| text.len() <= COMMAND_MAX)?;
    let command: Command<'_> = serde_json::from_str(text).ok()?;
    match command.command.as_ref() {
        "FLUSH_MEDIA" => Some(Received::Flush),
        "MARK_MEDIA" => Some(Received::Mark(command.correlation_id?.into_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<Received> {
        read(&Message::text(text.to_owned()), Coding::Pcm24k)
    }

    #[test]
    fn commands_are_taken_up_to_128_bytes_and_no_longer() {
        assert_eq!(told(r#"{"command":"FLUSH_MEDIA"}"#), Some(Received::Flush));
        let mark = |name: &str| format!(r#"{{"command":"MARK_MEDIA","correlation_id":"{name}"}}"#);
        let rest = mark("").len();
        let name = "m".repeat(COMMAND_MAX - rest);
        assert_eq!(told(&mark(&name)), Some(Received::Mark(name.clone())));
        assert_eq!(told(&mark(&format!("{name}m"))), None);
        assert_eq!(told(r#"{"command":"flush_media"}"#), None, "commands are case-sensitive");
    }

    #[test]
    fn a_message_beyond_65500_bytes_ends_the_call() {
        let audio = |bytes: usize| read(&Message::binary(vec![0; bytes]), Coding::Pcm24k);
        assert_eq!(audio(MESSAGE_MAX), Some(Received::Audio(vec![0; 68 * 480])), "whole frames");
        assert_eq!(audio(MESSAGE_MAX + 1), Some(Received::Unbearable));
    }

    #[test]
    fn a_pause_is_asked_for_once_and_ended_once() {
        let mut full = false;
        let mut said = |waiting| room("c", waiting, &mut full).map(|it| it.to_string());
        assert_eq!(said(XOFF - 1), None);
        assert!(said(XOFF).is_some_and(|it| it.contains("MEDIA_XOFF")));
        assert_eq!((said(XOFF + 1), said(XON)), (None, None));
        assert!(said(XON - 1).is_some_and(|it| it.contains("MEDIA_XON")));
        assert_eq!(said(XON - 1), None);
    }
}
