//! What ACS Call Automation answers to an order. Pure. Unknown fields are ignored, unknown words
//! kept as they are.

use serde::Deserialize;
use tandem_actors::carrier::{Number, Standing};

/// A call (`CallConnectionProperties`): the answer to create, answer and look.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// ACS's name for our leg of the call.
    pub call_connection_id: String,
    /// `connecting`, `connected`, `transferring`, `transferAccepted`, `disconnecting`,
    /// `disconnected`, `unknown`.
    #[serde(default)]
    pub call_connection_state: Option<String>,
    /// Who was rung.
    #[serde(default)]
    targets: Vec<Party>,
    /// Who rang.
    #[serde(default)]
    source: Option<Party>,
}

impl Connection {
    /// The other party's phone: the first number in it that is not `ours`.
    #[must_use]
    pub fn other_party(&self, ours: &Number) -> Option<Number> {
        let parties = self.targets.iter().chain(&self.source);
        parties.filter_map(Party::number).find(|number| number != ours)
    }

    /// How it stands. ACS does not say how a call has ended.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let state = self.call_connection_state.as_deref().unwrap_or_default();
        match state {
            _ if self.is_over() => Standing::Gone,
            _ if state.eq_ignore_ascii_case("connecting") => Standing::Ringing,
            _ => Standing::Live,
        }
    }

    /// Whether ACS says that it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let state = self.call_connection_state.as_deref().unwrap_or_default();
        ["disconnected", "disconnecting"].iter().any(|over| state.eq_ignore_ascii_case(over))
    }
}

/// A party, of which only phones are of interest here.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Party {
    #[serde(default)]
    phone_number: Option<Phone>,
}

#[derive(Clone, Deserialize)]
struct Phone {
    value: String,
}

impl Party {
    fn number(&self) -> Option<Number> {
        self.phone_number.as_ref().map(|phone| Number::new(phone.value.as_str()))
    }
}

impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Party(…)")
    }
}

/// The answer to adding a person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// ACS's name for the invitation.
    #[serde(default)]
    pub invitation_id: Option<String>,
}

/// The answer to starting a recording.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// ACS's name for the recording.
    pub recording_id: String,
}

/// The code in the body of a refusal, when there is one: `8522`, `Unauthorized`. What the
/// service says beside it is not kept, for it may name numbers.
#[must_use]
pub fn code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        code: String,
    }
    let code = serde_json::from_slice::<Envelope>(body).ok()?.error.code;
    let is_word = !code.is_empty()
        && code.len() <= CODE
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    is_word.then_some(code)
}

/// No documented code is longer than a third of this.
const CODE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(text: &str) -> Connection {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_other_party_is_whoever_is_not_us() {
        let us = Number::new("+12065550199");
        let rung = connection(
            r#"{"callConnectionId":"c","targets":[{"rawId":"4:+12065550100","kind":"PhoneNumber","phoneNumber":{"value":"+12065550100"}}],"sourceCallerIdNumber":{"value":"+12065550199"}}"#,
        );
        assert_eq!(rung.other_party(&us), Some(Number::new("+12065550100")));
        let rang = connection(
            r#"{"callConnectionId":"c","targets":[{"phoneNumber":{"value":"+12065550199"}}],"source":{"phoneNumber":{"value":"+12065550100"}}}"#,
        );
        assert_eq!(rang.other_party(&us), Some(Number::new("+12065550100")));
        let app = connection(
            r#"{"callConnectionId":"c","source":{"rawId":"8:acs:a","communicationUser":{"id":"8:acs:a"}}}"#,
        );
        assert_eq!(app.other_party(&us), None);
    }

    #[test]
    fn states_are_read_in_any_case() {
        let state = |state: &str| {
            connection(&format!(r#"{{"callConnectionId":"c","callConnectionState":{state}}}"#))
        };
        assert!(state(r#""disconnected""#).is_over());
        assert!(state(r#""Disconnecting""#).is_over());
        assert!(!state(r#""connected""#).is_over());
        assert!(!state(r#""aNewState""#).is_over());
        assert!(!state("null").is_over());
    }

    #[test]
    fn debug_shows_no_number() {
        let text =
            r#"{"callConnectionId":"c","targets":[{"phoneNumber":{"value":"+12065550100"}}]}"#;
        assert!(!format!("{:?}", connection(text)).contains("2065550100"));
    }

    #[test]
    fn a_refusals_code_is_kept_when_it_is_a_word() {
        let long = format!(r#"{{"error":{{"code":"{}"}}}}"#, "1".repeat(65));
        for (body, kept) in [
            (r#"{"error":{"code":"8522","message":"Call not found."}}"#, Some("8522")),
            (r#"{"error":{"code":"Unauthorized","details":[]}}"#, Some("Unauthorized")),
            (r#"{"error":{"code":"+12065550100 is busy"}}"#, None),
            (r#"{"error":{"code":""}}"#, None),
            (r#"{"error":{"code":8522}}"#, None),
            (r#"{"error":null}"#, None),
            ("<html>", None),
            ("", None),
            (&long, None),
        ] {
            assert_eq!(code(body.as_bytes()).as_deref(), kept, "{body}");
        }
    }
}
