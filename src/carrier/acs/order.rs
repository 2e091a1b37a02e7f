//! The JSON of ACS Call Automation, as it is ordered and answered. Pure; knows no request.
//!
//! Shapes are those of `api-version` 2025-06-15 and later, as Azure's own library writes them
//! (`tests/fixtures/acs/orders.jsonl`). What is left out of an order has the service's default.

use std::fmt;

use serde::{Deserialize, Serialize};
use tandem_actors::carrier::{Addresses, Digit, Number};

use super::Rate;

/// The most keys that one order may press.
pub const KEYS_AT_ONCE: usize = 18;

/// The ticket of a ringing call (`incomingCallContext`): whoever has it can answer, so `Debug`
/// does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncomingContext(pub String);

impl fmt::Debug for IncomingContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IncomingContext(…)")
    }
}

/// Why a ringing call is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rejection {
    /// No line is free.
    Busy,
    /// This caller may not call.
    Forbidden,
}

/// A number, written as `+…`.
#[derive(Serialize)]
struct PhoneNumber<'a> {
    value: &'a str,
}

/// A party of a call, by phone number or by the id of a user of ACS.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Party<'a> {
    kind: &'static str,
    raw_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<PhoneNumber<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    communication_user: Option<User<'a>>,
}

#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
}

/// Begins the raw id of a phone number.
const PHONE: &str = "4:";
/// Begins the raw id of a user of ACS, Teams or an app.
const USER: [&str; 2] = ["8:", "28:"];

impl<'a> Party<'a> {
    /// Takes a number in E.164 or a raw id.
    fn new(number: &'a Number) -> Self {
        let written = number.as_str();
        if !is_phone(number) {
            return Self {
                kind: "communicationUser",
                raw_id: written.to_owned(),
                phone_number: None,
                communication_user: Some(User { id: written }),
            };
        }
        let value = written.strip_prefix(PHONE).unwrap_or(written);
        Self {
            kind: "phoneNumber",
            raw_id: format!("{PHONE}{value}"),
            phone_number: Some(PhoneNumber { value }),
            communication_user: None,
        }
    }
}

/// Whether this is a phone, not a user of an app.
#[must_use]
pub fn is_phone(number: &Number) -> bool {
    !USER.iter().any(|prefix| number.as_str().starts_with(prefix))
}

/// How ACS brings the audio to us.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Media<'a> {
    transport_type: &'static str,
    audio_channel_type: &'static str,
    transport_url: &'a str,
    content_type: &'static str,
    start_media_streaming: bool,
    enable_bidirectional: bool,
    audio_format: &'static str,
    enable_dtmf_tones: bool,
}

impl<'a> Media<'a> {
    fn new(addresses: &'a Addresses, rate: Rate) -> Self {
        Self {
            transport_type: "websocket",
            audio_channel_type: "mixed",
            transport_url: &addresses.media,
            content_type: "audio",
            start_media_streaming: true,
            enable_bidirectional: true,
            audio_format: match rate {
                Rate::Hz16000 => "pcm16KMono",
                Rate::Hz24000 => "pcm24KMono",
            },
            enable_dtmf_tones: true,
        }
    }
}

/// What every call is told when it begins, whoever rings.
#[derive(Clone, Copy)]
pub struct Begin<'a> {
    /// Where ACS finds us.
    pub addresses: &'a Addresses,
    /// Returned in every callback of the call (`operationContext`): our own name of it.
    pub context: &'a str,
    /// The audio.
    pub rate: Rate,
}

/// Rings a number.
#[must_use]
pub fn create(to: &Number, from: &Number, begin: Begin<'_>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Create<'a> {
        targets: [Party<'a>; 1],
        source_caller_id_number: PhoneNumber<'a>,
        operation_context: &'a str,
        callback_uri: &'a str,
        media_streaming_options: Media<'a>,
    }
    written(&Create {
        targets: [Party::new(to)],
        source_caller_id_number: PhoneNumber { value: from.as_str() },
        operation_context: begin.context,
        callback_uri: &begin.addresses.events,
        media_streaming_options: Media::new(begin.addresses, begin.rate),
    })
}

/// Answers a ringing call.
#[must_use]
pub fn answer(incoming: &IncomingContext, begin: Begin<'_>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        incoming_call_context: &'a IncomingContext,
        callback_uri: &'a str,
        operation_context: &'a str,
        media_streaming_options: Media<'a>,
    }
    written(&Answer {
        incoming_call_context: incoming,
        callback_uri: &begin.addresses.events,
        operation_context: begin.context,
        media_streaming_options: Media::new(begin.addresses, begin.rate),
    })
}

/// Does not answer a ringing call.
#[must_use]
pub fn reject(incoming: &IncomingContext, why: Rejection) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Reject<'a> {
        incoming_call_context: &'a IncomingContext,
        call_reject_reason: Rejection,
    }
    written(&Reject { incoming_call_context: incoming, call_reject_reason: why })
}

/// Lets a ringing call ring elsewhere.
#[must_use]
pub fn redirect(incoming: &IncomingContext, to: &Number) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Redirect<'a> {
        incoming_call_context: &'a IncomingContext,
        target: Party<'a>,
    }
    written(&Redirect { incoming_call_context: incoming, target: Party::new(to) })
}

/// Hands the other party over; `context` comes back in the callback that says how it went.
#[must_use]
pub fn transfer(to: &Number, from: &Number, context: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Transfer<'a> {
        target_participant: Party<'a>,
        operation_context: &'a str,
        source_caller_id_number: PhoneNumber<'a>,
    }
    written(&Transfer {
        target_participant: Party::new(to),
        operation_context: context,
        source_caller_id_number: PhoneNumber { value: from.as_str() },
    })
}

/// Rings one more person into the call. ACS takes 0 to 180 seconds of ringing.
#[must_use]
pub fn add(who: &Number, from: &Number, ringing_s: u8, context: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Add<'a> {
        source_caller_id_number: PhoneNumber<'a>,
        participant_to_add: Party<'a>,
        invitation_timeout_in_seconds: u8,
        operation_context: &'a str,
    }
    written(&Add {
        source_caller_id_number: PhoneNumber { value: from.as_str() },
        participant_to_add: Party::new(who),
        invitation_timeout_in_seconds: ringing_s,
        operation_context: context,
    })
}

/// Takes a person out of the call.
#[must_use]
pub fn remove(who: &Number, context: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Remove<'a> {
        participant_to_remove: Party<'a>,
        operation_context: &'a str,
    }
    written(&Remove { participant_to_remove: Party::new(who), operation_context: context })
}

/// Presses keys towards a phone; at most [`KEYS_AT_ONCE`].
#[must_use]
pub fn press(keys: &[Digit], towards: &Number, context: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Press<'a> {
        tones: Vec<&'static str>,
        target_participant: Party<'a>,
        operation_context: &'a str,
    }
    written(&Press {
        tones: keys.iter().map(|key| tone(*key)).collect(),
        target_participant: Party::new(towards),
        operation_context: context,
    })
}

/// Records a call in ACS: one WAV file with a channel for each party. Callbacks about the
/// recording go to `events`.
#[must_use]
pub fn record(call: &str, events: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Record<'a> {
        call_connection_id: &'a str,
        recording_state_callback_uri: &'a str,
        recording_content_type: &'static str,
        recording_channel_type: &'static str,
        recording_format_type: &'static str,
    }
    written(&Record {
        call_connection_id: call,
        recording_state_callback_uri: events,
        recording_content_type: "audio",
        recording_channel_type: "unmixed",
        recording_format_type: "wav",
    })
}

/// The word for a key.
fn tone(key: Digit) -> &'static str {
    match key.key() {
        '0' => "zero",
        '1' => "one",
        '2' => "two",
        '3' => "three",
        '4' => "four",
        '5' => "five",
        '6' => "six",
        '7' => "seven",
        '8' => "eight",
        '9' => "nine",
        'A' => "a",
        'B' => "b",
        'C' => "c",
        'D' => "d",
        '*' => "asterisk",
        '#' => "pound",
        _ => unreachable!("a keypad has sixteen keys"),
    }
}

fn written<T: Serialize>(order: &T) -> String {
    serde_json::to_string(order).expect("structs of strings become JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(body: &str) -> Value {
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn every_key_has_its_word() {
        let keys: Vec<Digit> = "0123456789ABCD*#".chars().filter_map(Digit::new).collect();
        let body = value(&press(&keys, &Number::new("+12065550100"), "keys"));
        let tones = json!([
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "a",
            "b", "c", "d", "asterisk", "pound"
        ]);
        assert_eq!(body["tones"], tones);
    }

    #[test]
    fn a_party_is_a_phone_or_a_user() {
        let party = |written: &str| value(&remove(&Number::new(written), "c"));
        let phone = json!({"kind": "phoneNumber", "rawId": "4:+12065550100",
            "phoneNumber": {"value": "+12065550100"}});
        assert_eq!(party("+12065550100")["participantToRemove"], phone);
        assert_eq!(party("4:+12065550100")["participantToRemove"], phone);
        let user = json!({"kind": "communicationUser", "rawId": "8:acs:a_b",
            "communicationUser": {"id": "8:acs:a_b"}});
        assert_eq!(party("8:acs:a_b")["participantToRemove"], user);
    }

    #[test]
    fn the_audio_agreed_on_is_ordered() {
        let addresses = Addresses { media: "wss://a/m".into(), events: "https://a/e".into() };
        for (rate, format) in [(Rate::Hz16000, "pcm16KMono"), (Rate::Hz24000, "pcm24KMono")] {
            let begin = Begin { addresses: &addresses, context: "c", rate };
            let body = value(&answer(&IncomingContext("t".into()), begin));
            assert_eq!(body["mediaStreamingOptions"]["audioFormat"], format);
        }
    }

    #[test]
    fn the_ticket_of_a_ringing_call_is_not_shown() {
        assert!(!format!("{:?}", IncomingContext("eyJhbGciOi".into())).contains("eyJ"));
    }
}
