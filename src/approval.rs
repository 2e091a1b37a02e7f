//! What somebody is rung up for to accept or to decline, and what came of it. An approval is a call
//! with one hidden tool: the question is ours, the answer is a human's, and everything but a clear
//! yes is a no. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tandem_actors::briefing::Text;

use crate::store::{CallRow, ConfirmationRow};

/// From the order to the acceptance, at most: who wants an operation approved waits for it.
pub const SETTLED_S: u64 = 300;

/// Characters of what is read out, arguments included: what somebody takes in by ear, and what is
/// said in less than half a minute.
pub const WORDS: usize = 300;

/// Arguments that are read out.
const ARGUMENTS: usize = 8;

/// An operation that waits for its approval.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Approval {
    /// What would be done.
    pub operation: String,
    /// With what.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// What accepts it.
    #[serde(default)]
    pub verify: Verify,
}

/// What accepts an operation.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// A clear yes, or the key for it.
    #[default]
    Yes,
    /// The PIN of the server, on the keypad.
    Pin,
}

impl Approval {
    /// An approval of these, if they can be read out.
    ///
    /// # Errors
    /// What is wrong, by its field.
    pub fn new(
        operation: &str,
        arguments: Map<String, Value>,
        verify: Verify,
    ) -> Result<Self, (&'static str, String)> {
        let operation = operation.split_whitespace().collect::<Vec<_>>().join(" ");
        let operation = operation.trim_end_matches(['.', '?', '!', ' ']).to_owned();
        if !operation.chars().any(char::is_alphanumeric) {
            return Err(("operation", "say what would be done".to_owned()));
        }
        let flat = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
        if arguments.len() > ARGUMENTS || !arguments.values().all(flat) {
            let detail = format!(
                "give at most {ARGUMENTS}, each a text, a number or true or false: all of them are \
                 read out"
            );
            return Err(("arguments", detail));
        }
        let approval = Self { operation, arguments, verify };
        if approval.subject().chars().count() > WORDS {
            let detail = format!("it would be longer than {WORDS} characters when it is read out");
            return Err(("operation", detail));
        }
        Ok(approval)
    }

    /// What has to have been heard, word for word.
    #[must_use]
    pub fn subject(&self) -> String {
        let told = self.arguments.iter().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!(", {} {value}", name.replace('_', " "))
        });
        std::iter::once(self.operation.clone()).chain(told).collect()
    }

    /// The question.
    #[must_use]
    pub fn question(&self) -> String {
        format!("Do you accept this operation: {}?", self.subject())
    }

    /// What the agent on the phone is told.
    #[must_use]
    pub fn task(&self) -> Text {
        Text(format!(
            "Have an operation approved. Somebody asks for the approval of whom you have rung, and \
             nothing happens unless they give it. Call the tool {TOOL} at once; it answers with a \
             question. Put exactly that question and listen. If they accept, call {TOOL} once \
             more, and thank them; if they decline or are not sure, say that nothing will be done. \
             Then say goodbye and call hang_up. Explain nothing that you have not been told, and \
             do not persuade. The operation: {}",
            self.subject()
        ))
    }

    /// As it is kept with its call.
    #[must_use]
    pub fn kept(&self) -> Text {
        Text(serde_json::to_string(self).expect("words are JSON"))
    }

    /// The approval that is kept so.
    #[must_use]
    pub fn of(kept: &str) -> Option<Self> {
        serde_json::from_str(kept).ok()
    }
}

/// The hidden tool.
pub const TOOL: &str = "record_approval";

/// What is written down when it is accepted.
#[must_use]
pub fn accepted() -> Text {
    Text(json!({ "decision": "accepted" }).to_string())
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is being asked.
    Pending,
    /// A human has accepted it.
    Accepted,
    /// Anything else, and what.
    Declined(&'static str),
}

impl Decision {
    /// What came of an approval: of its call, and of the questions that were put in it.
    #[must_use]
    pub fn of(row: &CallRow, questions: &[ConfirmationRow]) -> Self {
        if row.result.as_ref() == Some(&accepted()) {
            return Self::Accepted;
        }
        let Some(outcome) = row.outcome else { return Self::Pending };
        let reason = row.reason.as_deref().unwrap_or_default();
        let verdict = questions.last().map(|question| question.verdict.as_deref());
        Self::Declined(match (reason, verdict) {
            ("node_lost", _) => "server_lost",
            ("voicemail" | "voicemail_left" | "fax", _) => "voicemail",
            _ if !outcome.is_talk() => outcome.word(),
            (_, Some(Some("declined"))) => "declined",
            (_, Some(Some("locked"))) => "wrong_pin",
            ("time_limit", _) => "timeout",
            (_, Some(_)) => "unclear",
            (_, None) => "not_asked",
        })
    }

    /// The word in the API, and the reason of a no.
    #[must_use]
    pub const fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Pending => ("pending", None),
            Self::Accepted => ("accepted", None),
            Self::Declined(reason) => ("declined", Some(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(operation: &str, arguments: Value) -> Result<Approval, &'static str> {
        let Value::Object(arguments) = arguments else { unreachable!("an object") };
        Approval::new(operation, arguments, Verify::Yes).map_err(|(field, _)| field)
    }

    #[test]
    fn everything_is_read_out() {
        let told = approval("Pay the invoice 4711.", json!({ "amount": 20, "to_whom": "Ann" }));
        let question = told.unwrap().question();
        assert!(question.starts_with("Do you accept this operation: Pay the invoice 4711, "));
        assert!(question.contains(", amount 20") && question.ends_with(", to whom Ann?"));
        assert_eq!(approval(" . ", json!({})), Err("operation"));
        assert_eq!(approval(&"x".repeat(301), json!({})), Err("operation"));
        assert_eq!(approval("Pay", json!({ "lines": [1, 2] })), Err("arguments"));
    }

    #[test]
    fn what_is_kept_is_the_approval() {
        let approval = approval("Pay the invoice", json!({ "amount": 20 })).unwrap();
        assert_eq!(Approval::of(approval.kept().as_str()), Some(approval));
    }
}
