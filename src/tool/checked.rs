//! Holds a tool's arguments against its schema before anything runs. What is wrong goes back as
//! something to ask the caller; what is right goes on as this read it, and not as it was written:
//! a name that stands twice would otherwise mean one thing here and another behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jsonschema::Validator;
use serde_json::{Map, Value};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Job, Promise, Readback, Tool, Verdict};

/// Faults told at once: a person answers no more questions than these.
const TOLD: usize = 3;

/// Of a fault, the part that a model needs.
const FAULT_CHARS: usize = 200;

/// More than any tool needs to be told on a phone.
const ARGUMENT_BYTES: usize = 16 * 1024;

/// A tool behind its schema.
pub(super) struct Checked {
    tool: Arc<dyn Tool>,
    schema: Arc<Validator>,
    /// Arguments that may be null and mean something by it. For others a model writes null where
    /// it has nothing to say.
    nullable: BTreeSet<String>,
}

impl Checked {
    /// Puts the tool behind the schema that it promises.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub(super) fn new(tool: Arc<dyn Tool>) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let schema: Value =
            serde_json::from_str(&tool.promise().parameters).map_err(|error| told(&error))?;
        let nullable = nullable(&schema);
        let schema = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| told(&error))?;
        Ok(Self { tool, schema: Arc::new(schema), nullable })
    }

    fn check(&self, job: Job) -> Result<Job, Done> {
        let mut arguments = arguments(&job.arguments)?;
        arguments.retain(|name, value| !value.is_null() || self.nullable.contains(name));
        let wrong: Vec<String> = self
            .schema
            .iter_errors(&Value::Object(arguments.clone()))
            .take(TOLD)
            .map(|error| {
                let (place, what) = (error.instance_path().to_string(), error.to_string());
                let place = place.trim_start_matches('/').replace('/', ".");
                let what: String = what.chars().take(FAULT_CHARS).collect();
                if place.is_empty() { what } else { format!("{place}: {what}") }
            })
            .collect();
        if !wrong.is_empty() {
            return Err(invalid(&wrong.join("; ")));
        }
        Ok(Job { arguments: Text(Value::Object(arguments).to_string()), ..job })
    }
}

impl Tool for Checked {
    fn promise(&self) -> &Promise {
        self.tool.promise()
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        match self.check(job) {
            Ok(job) => self.tool.read_back(job),
            Err(done) => async { Some(Err(done)) }.boxed(),
        }
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        match self.check(job) {
            Ok(job) => self.tool.run(job),
            Err(done) => async { done }.boxed(),
        }
    }
}

/// The properties that are not said to be of another type than null.
fn nullable(schema: &Value) -> BTreeSet<String> {
    let takes_null = |property: &Value| {
        let told = &property["type"];
        let kinds = told.as_array().map_or(std::slice::from_ref(told), Vec::as_slice);
        told.is_null() || kinds.iter().any(|kind| kind == "null")
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.filter(|(_, told)| takes_null(told)).map(|(name, _)| name.clone()).collect()
}

/// The arguments as an object. A tool without arguments is often called with none at all.
pub(super) fn arguments(text: &Text) -> Result<Map<String, Value>, Done> {
    let text = text.as_str().trim();
    if text.is_empty() {
        return Ok(Map::new());
    }
    if text.len() > ARGUMENT_BYTES {
        return Err(invalid(&format!("more than {ARGUMENT_BYTES} bytes of arguments")));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) | Err(_) => Err(invalid("the arguments are no JSON object")),
    }
}

fn invalid(wrong: &str) -> Done {
    let suggestion =
        format!("{wrong}. Ask the caller for what is missing or unclear, then call the tool again");
    Done::fault(Verdict::User, "invalid", "I need to know that a little better.", &suggestion)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tandem_actors::tool::Risk;

    use super::super::tests::{Echo, job};
    use super::*;

    fn checked() -> Checked {
        let schema = json!({
            "type": "object",
            "properties": {
                "guests": { "type": "integer", "minimum": 1, "maximum": 8 },
                "day": { "type": "string", "format": "date" },
                "till": { "type": ["string", "null"], "format": "date" },
                "who": { "type": "object", "properties": { "name": { "type": "string" } } },
            },
            "required": ["guests"],
            "additionalProperties": false,
        });
        Checked::new(Arc::new(Echo::new("book", Risk::Write, &schema))).unwrap()
    }

    async fn told(arguments: &str) -> Value {
        let done = checked().run(job("book", arguments)).await;
        serde_json::from_str(done.output.as_str()).unwrap()
    }

    #[tokio::test]
    async fn what_fits_goes_on_as_it_was_read() {
        for (arguments, read) in [
            (
                r#"{ "guests": 9, "guests" : 2, "day":"2026-12-24" }"#,
                r#"{"day":"2026-12-24","guests":2}"#,
            ),
            (r#"{"guests":2,"day":null,"till":null}"#, r#"{"guests":2,"till":null}"#),
        ] {
            assert_eq!(told(arguments).await["spoken_message"], read);
        }
    }

    #[tokio::test]
    async fn what_does_not_is_told_by_its_place_and_nothing_runs() {
        for (arguments, place) in [
            ("", "guests"),
            ("{}", "guests"),
            (r#"{"guests":0}"#, "guests: 0"),
            (r#"{"guests":null}"#, "guests"),
            (r#"{"guests":2,"day":"tomorrow"}"#, "day: "),
            (r#"{"guests":2,"who":{"name":7}}"#, "who.name: 7"),
            (r#"{"guests":2,"confirmed":true}"#, "confirmed"),
            ("[1]", "no JSON object"),
            ("{", "no JSON object"),
        ] {
            let told = told(arguments).await;
            assert_eq!((&told["error_type"], &told["reason"]), (&json!("user"), &json!("invalid")));
            let suggestion = told["suggestion"].as_str().unwrap();
            assert!(suggestion.contains(place), "{arguments}: {suggestion}");
        }
        let long = json!({ "guests": 2, "day": "x".repeat(ARGUMENT_BYTES) }).to_string();
        assert_eq!(told(&long).await["reason"], "invalid");
        let shown = told(&json!({ "guests": 2, "day": "x".repeat(9_000) }).to_string()).await;
        assert!(shown.to_string().len() < 600, "a fault repeats no long argument");
    }

    #[test]
    fn a_schema_that_is_none_is_refused_at_the_start() {
        for schema in [json!({ "type": "objekt" }), json!({ "$ref": "https://a.example/s.json" })] {
            let tool = Arc::new(Echo::new("x", Risk::Read, &schema));
            assert!(Checked::new(tool).is_err(), "{schema}");
        }
    }
}
