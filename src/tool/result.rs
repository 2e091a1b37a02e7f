//! `report_result`: what whoever ordered the call wants brought back, held against the JSON Schema
//! that came with the order.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jsonschema::Validator;
use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Job, Promise, Readback, Risk, Tool, Verdict};

use super::checked::arguments;
use crate::store::{Results as _, Store, Unkept};

/// The tool's name.
pub const REPORT_RESULT: &str = "report_result";

/// Longer than the record lets anyone wait, so that its own answer comes first.
const DEADLINE: Duration = Duration::from_secs(8);

/// A schema: what a person would want of one call is far shorter.
pub const SCHEMA_BYTES: usize = 16 * 1024;

/// Checks the JSON Schema of an order.
///
/// # Errors
/// What is wrong with it.
pub fn check(schema: &Value) -> Result<(), String> {
    if schema["type"] != "object" {
        return Err("it must be a JSON Schema of type \"object\"".to_owned());
    }
    if schema.to_string().len() > SCHEMA_BYTES {
        return Err(format!("it is longer than {SCHEMA_BYTES} bytes"));
    }
    compiled(schema).map(drop)
}

fn compiled(schema: &Value) -> Result<Validator, String> {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema).map_err(|error| error.to_string())
}

/// What the tool promises where `data` is to be this.
#[must_use]
pub fn promise(data: &Value) -> Promise {
    promised(&parameters(data))
}

/// The same for a call of a campaign: it also brings what the campaign keeps.
#[must_use]
pub fn promise_of_campaign(data: &Value) -> Promise {
    let mut parameters = parameters(data);
    for (name, about) in [
        ("blocker", "What stands in the way, if anything"),
        ("decision_needed", "What whoever ordered the call has to decide, if anything"),
        ("next_action", "What should be done next with them, if anything"),
    ] {
        let text = json!({ "type": "string", "maxLength": 500, "description": about });
        parameters["properties"][name] = text;
    }
    promised(&parameters)
}

fn parameters(data: &Value) -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["achieved", "blocked", "unclear"] },
            "evidence": text("The words it rests on, as they were said"),
            "data": data,
            "missing": text("What could not be learned, unless all was"),
            "next_step": text("What whoever ordered the call should do next, if anything"),
        },
        "required": ["status", "evidence"],
    })
}

fn promised(parameters: &Value) -> Promise {
    Promise {
        name: REPORT_RESULT.to_owned(),
        description: "Reports what the call has brought: `achieved` with all of `data`, `blocked` \
                      when it cannot be had, `unclear` when the answer was none. May be called \
                      again when you learn more; the last report counts."
            .to_owned(),
        parameters: parameters.to_string(),
        risk: Risk::Write,
        idempotent: true,
        deadline: DEADLINE,
        attempts: 2,
        filler: None,
        wants_scene: false,
    }
}

/// The tool.
pub(super) struct ResultTool {
    store: Store,
    promise: Promise,
}

impl ResultTool {
    pub(super) fn new(store: Store) -> Self {
        Self { store, promise: promise(&json!({ "type": "object" })) }
    }
}

impl Tool for ResultTool {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, _job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        async { None }.boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let store = self.store.clone();
        async move { report(&store, &job).await.unwrap_or_else(|done| done) }.boxed()
    }
}

async fn report(store: &Store, job: &Job) -> Result<Done, Done> {
    let told = arguments(&job.arguments)?;
    let wanted = store.wanted_result(&job.call).await.map_err(|_| unreachable_now())?;
    let schema = wanted.and_then(|wanted| serde_json::from_str::<Value>(wanted.as_str()).ok());
    if let Some(schema) = schema {
        fits(&schema, told.get("data"), told["status"] == "achieved")?;
    }
    let result = Text(Value::Object(told).to_string());
    match store.bring_result(&job.call, result).await {
        Ok(()) => Ok(Done::success("")),
        Err(unkept) => {
            tracing::warn!(call = %job.call, %unkept, "a result is not written down");
            Err(match unkept {
                Unkept::Refused(_) | Unkept::Unknown(_) => unreachable_now(),
            })
        }
    }
}

/// An achieved result is whole; another may have no data, or what fits.
fn fits(schema: &Value, data: Option<&Value>, achieved: bool) -> Result<(), Done> {
    let wrong = match (data, achieved) {
        (None, false) => return Ok(()),
        (None, true) => "data is missing".to_owned(),
        (Some(data), _) => {
            let schema = compiled(schema).map_err(|_| unreachable_now())?;
            let wrong = schema.iter_errors(data).take(3);
            let told = wrong.map(|error| {
                let place = error.instance_path().to_string().replace('/', ".");
                format!("data{place}: {error}").chars().take(200).collect::<String>()
            });
            told.collect::<Vec<_>>().join("; ")
        }
    };
    if wrong.is_empty() {
        return Ok(());
    }
    let suggestion = format!(
        "{wrong}. Ask for what is missing, then report again; what cannot be had is `blocked` or \
         `unclear`, without data"
    );
    Err(Done::fault(Verdict::User, "invalid", "", &suggestion))
}

fn unreachable_now() -> Done {
    Done::fault(Verdict::Temporary, "unavailable", "", "report it once more in a moment")
}

#[cfg(test)]
mod tests {
    use tandem_actors::briefing::CallId;

    use super::super::tests::job;
    use super::*;
    use crate::store::conformance::opened;
    use crate::store::{Archive as _, Orders as _, Terms};

    #[tokio::test]
    async fn a_result_fits_what_was_asked_for_and_the_last_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "a").await.unwrap();
        let schema = json!({
            "type": "object",
            "properties": { "price": { "type": "number" } },
            "required": ["price"],
        });
        let call = CallId::new("call-1");
        let result = Some(Text(schema.to_string()));
        let terms = Terms { result, ..Terms::default() };
        store.order(opened("call-1"), terms, None, None).await.unwrap().unwrap();
        let tool = ResultTool::new(store.clone());
        let report = async |told: Value| tool.run(job(REPORT_RESULT, &told.to_string())).await;
        let evidence = "it costs twenty";
        for wrong in [
            json!({ "status": "achieved", "evidence": evidence }),
            json!({ "status": "achieved", "evidence": evidence, "data": { "price": "20" } }),
            json!({ "status": "unclear", "evidence": evidence, "data": {} }),
        ] {
            assert_eq!(report(wrong.clone()).await.verdict, Verdict::User, "{wrong}");
        }
        let unclear = json!({ "status": "unclear", "evidence": "it depends" });
        let achieved =
            json!({ "status": "achieved", "evidence": evidence, "data": { "price": 20 } });
        for right in [unclear, achieved.clone()] {
            assert_eq!(report(right).await.verdict, Verdict::Success);
        }
        let kept = store.call(&call).await.unwrap().unwrap().result.unwrap();
        assert_eq!(serde_json::from_str::<Value>(kept.as_str()).unwrap(), achieved);
    }

    #[test]
    fn a_schema_is_checked_when_the_call_is_ordered() {
        assert_eq!(check(&json!({ "type": "object", "properties": {} })), Ok(()));
        for wrong in [json!({ "type": "array" }), json!({ "type": "object", "required": 7 })] {
            assert!(check(&wrong).is_err(), "{wrong}");
        }
    }
}
