//! The JSON of the protocol, both ways: reading a client's event with as little work as audio
//! needs, and writing the server's. Made without the product's codec on purpose.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

/// The longest `event_id` a client may choose.
const EVENT_ID_MAX: usize = 512;

/// What every event has, and the audio that most of them carry; borrowed from the message.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) event_id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) audio: Cow<'a, str>,
}

/// Reads the head of a client's event.
pub(super) fn head(text: &str) -> Result<Head<'_>, Complaint> {
    let head: Head<'_> = serde_json::from_str(text)
        .map_err(|_| Complaint::new("invalid_json", "The event is not a valid JSON object."))?;
    if head.event_id.len() > EVENT_ID_MAX {
        return Err(Complaint::invalid("event_id", "String too long."));
    }
    if head.kind.is_empty() {
        return Err(Complaint::missing("type"));
    }
    Ok(head)
}

/// What the server has against a client's event; goes out as an `error` event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) param: Option<String>,
}

impl Complaint {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), param: None }
    }

    /// Names the parameter it is about.
    pub(super) fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(super) fn missing(param: impl Into<String>) -> Self {
        let param = param.into();
        let message = format!("Missing required parameter: '{param}'.");
        Self::new("missing_required_parameter", message).at(param)
    }

    pub(super) fn unknown(param: impl Into<String>) -> Self {
        let param = param.into();
        Self::new("unknown_parameter", format!("Unknown parameter: '{param}'.")).at(param)
    }

    pub(super) fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new("invalid_value", message).at(param)
    }

    /// The body of the `error` event; `event_id` is the client's event that caused it.
    pub(super) fn body(&self, event_id: &str) -> Value {
        let caused_by = (!event_id.is_empty()).then_some(event_id);
        json!({ "error": {
            "type": "invalid_request_error", "code": self.code, "message": self.message,
            "param": self.param, "event_id": caused_by } })
    }
}

/// A required string of an event.
pub(super) fn text<'a>(event: &'a Value, key: &str) -> Result<&'a str, Complaint> {
    let value = given(event, key)?;
    value
        .as_str()
        .ok_or_else(|| Complaint::invalid(key, format!("Invalid type for '{key}': not a string.")))
}

/// A required count of an event.
pub(super) fn count(event: &Value, key: &str) -> Result<u64, Complaint> {
    let value = given(event, key)?;
    value.as_u64().ok_or_else(|| {
        Complaint::invalid(key, format!("Invalid value for '{key}': not a whole number."))
    })
}

fn given<'a>(event: &'a Value, key: &str) -> Result<&'a Value, Complaint> {
    event.get(key).filter(|value| !value.is_null()).ok_or_else(|| Complaint::missing(key))
}

/// The events that wait to be sent, each with its `event_id`, and how the session shall end.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Complete messages in order.
    pub(super) messages: Vec<Outgoing>,
    /// What happens to the socket after them.
    pub(super) end: Option<End>,
    sent: u64,
}

/// One message to the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// An event, or text that is none.
    Text(String),
    /// Bytes, which the protocol does not know.
    Binary(Vec<u8>),
}

/// How a session ends from this side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The connection is dropped without a word.
    Drop,
    /// With a close code and a reason.
    Close(u16, String),
}

impl Outbox {
    /// Writes an event: `body` is an object with everything but type and id.
    pub(super) fn event(&mut self, kind: &str, mut body: Value) {
        let id = self.next_id();
        body["type"] = kind.into();
        body["event_id"] = id.into();
        self.messages.push(Outgoing::Text(body.to_string()));
    }

    /// Writes an audio delta without building a tree of values around it: the ids and the audio
    /// hold nothing that JSON would escape.
    pub(super) fn audio(&mut self, place: &Place<'_>, audio: &str) {
        let Place { response, item, output_index } = place;
        let id = self.next_id();
        self.messages.push(Outgoing::Text(format!(
            r#"{{"type":"response.output_audio.delta","event_id":"{id}","response_id":"{response}","item_id":"{item}","output_index":{output_index},"content_index":0,"delta":"{audio}"}}"#
        )));
    }

    fn next_id(&mut self) -> String {
        self.sent += 1;
        format!("event_{}", self.sent)
    }
}

/// Where in a response something belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) response: &'a str,
    pub(super) item: &'a str,
    pub(super) output_index: usize,
}

impl Place<'_> {
    /// The fields that events of an item carry, with `more` among them.
    pub(super) fn body(&self, more: Value) -> Value {
        let mut body = more;
        body["response_id"] = self.response.into();
        body["item_id"] = self.item.into();
        body["output_index"] = self.output_index.into();
        body
    }

    /// The same for events of its first and only content part.
    pub(super) fn part(&self, more: Value) -> Value {
        let mut body = self.body(more);
        body["content_index"] = 0.into();
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_is_borrowed_from_the_message() {
        let text = r#"{"type":"input_audio_buffer.append","audio":"AAAA"}"#;
        let head = head(text).expect("an event");
        assert!(matches!(head.audio, Cow::Borrowed("AAAA")));
        assert_eq!(head.kind, "input_audio_buffer.append");
    }

    #[test]
    fn an_audio_delta_is_json_with_its_place() {
        let mut out = Outbox::default();
        let place = Place { response: "resp_1", item: "item_2", output_index: 3 };
        out.audio(&place, "AAAA");
        let Outgoing::Text(text) = &out.messages[0] else { panic!("audio goes out as text") };
        let event: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(
            event,
            json!({ "type": "response.output_audio.delta", "event_id": "event_1",
                "response_id": "resp_1", "item_id": "item_2", "output_index": 3,
                "content_index": 0, "delta": "AAAA" })
        );
    }

    #[test]
    fn what_is_no_event_is_complained_about() {
        assert_eq!(head("{").err().expect("not JSON").code, "invalid_json");
        let missing = head("{}").err().expect("no type");
        assert_eq!(missing.code, "missing_required_parameter");
        assert_eq!(missing.body("c1")["error"]["event_id"], "c1");
        assert_eq!(missing.body("")["error"]["event_id"], Value::Null);
    }
}
