//! The question before something is done that cannot be undone: the exact arguments, read out,
//! and what an approval of it is bound to.

use serde_json::{Map, Value};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Job, Readback, Risk};

use super::checked::arguments;
use crate::store::hex_digest;

/// Asks about one tool's jobs.
#[derive(Clone, Debug)]
pub(super) struct Question {
    tool: String,
    /// With arguments in braces; none for one that reads all of them out.
    words: Option<String>,
}

impl Question {
    /// Of these words, in which arguments stand in braces; of the tool's name when there are none.
    ///
    /// # Errors
    /// When a brace names nothing that the tool takes.
    pub(super) fn new(
        tool: &str,
        words: &str,
        schema: &Map<String, Value>,
    ) -> Result<Self, String> {
        let takes = |name: &str| {
            let properties = schema.get("properties").and_then(Value::as_object);
            properties.is_some_and(|properties| properties.contains_key(name))
        };
        if let Some(name) = names(words).find(|name| !takes(name)) {
            return Err(format!(
                "the question of tool {tool:?} asks about {{{name}}}, which its parameters do not \
                 have"
            ));
        }
        let words = (!words.trim().is_empty()).then(|| words.trim().to_owned());
        Ok(Self { tool: tool.to_owned(), words })
    }

    /// Reads all arguments out.
    pub(super) fn of_all(tool: &str) -> Self {
        Self { tool: tool.to_owned(), words: None }
    }

    /// What is asked about a job, where its risk is asked about.
    pub(super) fn if_asked(&self, risk: Risk, job: &Job) -> Option<Result<Readback, Done>> {
        let asked = || arguments(&job.arguments).map(|arguments| self.about(&arguments));
        risk.is_asked().then(asked)
    }

    /// What is asked about these arguments: all of them, for all are done. One sentence that ends
    /// as a question, for only what is in it counts as asked.
    fn about(&self, arguments: &Map<String, Value>) -> Readback {
        let words = match &self.words {
            Some(words) => filled(words, arguments),
            None => format!("Shall I do this: {}", self.tool.replace('_', " ")),
        };
        let unsaid = |name: &str| {
            self.words.as_ref().is_none_or(|words| !names(words).any(|said| said == name))
        };
        let more: Vec<String> = arguments
            .iter()
            .filter(|(name, _)| unsaid(name))
            .map(|(name, value)| format!("{} {}", name.replace('_', " "), plain(value)))
            .collect();
        let with =
            if more.is_empty() { String::new() } else { format!(", with {}", more.join(", ")) };
        let subject: Vec<String> = arguments.values().flat_map(named).collect();
        let whole = Value::Object(arguments.clone()).to_string();
        Readback {
            question: Text(format!("{}{with}?", words.trim_end_matches('?'))),
            subject: Text(subject.join(", ")),
            fingerprint: hex_digest(&[&self.tool, &whole]),
        }
    }
}

/// The words with the arguments in place of their braces; in one go, for an argument may have
/// braces too.
fn filled(words: &str, arguments: &Map<String, Value>) -> String {
    let mut parts = words.split('{');
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((name, rest)) => {
                told.push_str(&arguments.get(name).map_or("nothing".to_owned(), plain));
                told.push_str(rest);
            }
            None => told.push_str(part),
        }
    }
    told
}

/// What stands in braces.
fn names(words: &str) -> impl Iterator<Item = &str> {
    words.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

/// The names and numbers in a value.
fn named(value: &Value) -> Vec<String> {
    match value {
        Value::Null | Value::Bool(_) => Vec::new(),
        Value::Number(_) | Value::String(_) => vec![plain(value)],
        Value::Array(values) => values.iter().flat_map(named).collect(),
        Value::Object(fields) => fields.values().flat_map(named).collect(),
    }
}

/// A value as it is said.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" and "),
        Value::Object(fields) => fields.values().map(plain).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn question(words: &str) -> Result<Question, String> {
        let schema = json!({ "properties": { "booking": {}, "guests": {}, "names": {} } });
        Question::new("cancel_booking", words, &object(schema))
    }

    #[test]
    fn the_arguments_are_read_out_and_must_be_heard() {
        let asked = question("Shall I cancel {booking} for {guests}?").unwrap();
        let told = asked.about(&object(json!({ "booking": "A7", "guests": 2 })));
        assert_eq!(told.question.as_str(), "Shall I cancel A7 for 2?");
        assert_eq!(told.subject.as_str(), "A7, 2");
        let told =
            asked.about(&object(json!({ "booking": "{guests}", "guests": 2, "names": "Bo" })));
        assert_eq!(told.question.as_str(), "Shall I cancel {guests} for 2, with names Bo?");
        let without = question("").unwrap();
        let told = without.about(&object(json!({ "names": ["Ann", "Bo"], "guests": 2 })));
        let words = "Shall I do this: cancel booking, with guests 2, names Ann and Bo?";
        assert_eq!(told.question.as_str(), words);
        assert_eq!(told.subject.as_str(), "2, Ann, Bo");
        let told = without.about(&Map::new());
        assert_eq!(told.question.as_str(), "Shall I do this: cancel booking?");
    }

    #[test]
    fn an_approval_is_bound_to_all_arguments_in_whatever_order() {
        let bound = |text: &str| {
            let arguments = object(serde_json::from_str(text).unwrap());
            question("Cancel {booking}?").unwrap().about(&arguments).fingerprint
        };
        let one = bound(r#"{"booking":"A7","guests":2}"#);
        assert_eq!(one, bound(r#"{"guests":2, "booking":"A7"}"#));
        assert_ne!(one, bound(r#"{"booking":"A7","guests":3}"#));
    }

    #[test]
    fn a_brace_names_an_argument() {
        let error = question("Cancel {bookng}?").unwrap_err();
        assert!(error.contains("{bookng}") && error.contains("cancel_booking"), "{error}");
    }
}
