//! The tools that agents have: what each is called, takes and gives, and which route does its
//! work.

mod approvals;
pub(super) mod calls;
mod campaigns;
mod schedules;
mod searches;

use std::sync::{Arc, LazyLock};

use rmcp::model::{Tool, ToolAnnotations};
use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::errand::Errand;
use super::guide::Topic;
use super::trouble::Trouble;

/// What a tool does to the world.
#[derive(Clone, Copy)]
enum Deed {
    /// It looks.
    Looks,
    /// It has somebody rung, now or later, which cannot be taken back.
    Rings,
    /// It writes down what is to be known later.
    Keeps,
    /// It has somebody rung and binds the user.
    Commits,
    /// It ends something; once more changes nothing.
    Ends,
}

impl Deed {
    fn hints(self) -> ToolAnnotations {
        let hints = ToolAnnotations::new();
        match self {
            Self::Looks => hints.read_only(true).open_world(false),
            Self::Rings => {
                hints.read_only(false).destructive(false).idempotent(false).open_world(true)
            }
            Self::Keeps => {
                hints.read_only(false).destructive(false).idempotent(false).open_world(false)
            }
            Self::Commits => {
                hints.read_only(false).destructive(true).idempotent(false).open_world(true)
            }
            Self::Ends => {
                hints.read_only(false).destructive(true).idempotent(true).open_world(false)
            }
        }
    }
}

/// Every tool, in the order in which they are needed.
pub(super) fn all() -> &'static [Tool] {
    static ALL: LazyLock<Vec<Tool>> = LazyLock::new(|| {
        let guide = tool::<Guide, GuideText>(
            "get_calling_guide",
            "Read the calling guide",
            Deed::Looks,
            "How to place calls well: how to brief one, wait and report, compare offers, what \
             never goes into a call, handing over, scheduling, what errors mean. Read \"briefing\" \
             before your first call.",
        );
        let mut all = calls::tools();
        all.extend(approvals::tools());
        all.extend(searches::tools());
        all.extend(schedules::tools());
        all.extend(campaigns::tools());
        all.push(guide);
        all
    });
    &ALL
}

/// Does the work of the tool of this name.
pub(super) async fn run(
    errand: &Errand<'_>,
    name: &str,
    arguments: Map<String, Value>,
) -> Result<Value, Trouble> {
    let given = Value::Object(arguments);
    match name {
        "make_voice_call" => told(calls::make(errand, read(given)?).await?),
        "wait_for_call" => told(calls::wait(errand, read(given)?).await?),
        "get_call" => told(calls::shown(errand, &read::<calls::Which>(given)?.id).await?),
        "get_transcript" => told(calls::transcript(errand, read(given)?).await?),
        "list_calls" => told(calls::list(errand, read(given)?).await?),
        "hang_up" => told(calls::hang_up(errand, read(given)?).await?),
        "request_approval" => told(approvals::request(errand, read(given)?).await?),
        "get_approval" => told(approvals::get(errand, read(given)?).await?),
        "compare_options" => told(searches::compare(errand, read(given)?).await?),
        "get_search" => told(searches::get(errand, read(given)?).await?),
        "choose_option" => told(searches::choose(errand, read(given)?).await?),
        "schedule_call" => told(schedules::schedule(errand, read(given)?).await?),
        "list_schedules" => told(schedules::list(errand, read(given)?).await?),
        "cancel_schedule" => told(schedules::cancel(errand, read(given)?).await?),
        "campaign" => told(campaigns::keep(errand, read(given)?).await?),
        "call_campaign_target" => told(campaigns::ring(errand, read(given)?).await?),
        "get_calling_guide" => {
            let Guide { topic } = read(given)?;
            told(GuideText { topic, text: topic.text() })
        }
        _ => {
            let names: Vec<&str> = all().iter().map(|tool| &*tool.name).collect();
            Err(Trouble::no_tool(&names.join(", ")))
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Guide {
    /// Which part.
    topic: Topic,
}

#[derive(Serialize, JsonSchema)]
struct GuideText {
    topic: Topic,
    /// Markdown.
    text: &'static str,
}

/// Arguments of none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn read<T: DeserializeOwned>(given: Value) -> Result<T, Trouble> {
    serde_json::from_value(given).map_err(|error| Trouble::arguments(&error))
}

fn told(done: impl Serialize) -> Result<Value, Trouble> {
    serde_json::to_value(done).map_err(|error| Trouble::unread(&error))
}

fn tool<A: JsonSchema, O: JsonSchema>(
    name: &'static str,
    title: &'static str,
    deed: Deed,
    description: &'static str,
) -> Tool {
    let mut tool = Tool::new(name, description, schema::<A>(Contract::Deserialize));
    tool.output_schema = Some(schema::<O>(Contract::Serialize));
    tool.with_title(title).with_annotations(deed.hints())
}

/// In one piece, without the names of our types. What may be left out may not be null: models
/// read that as something to fill in.
fn schema<T: JsonSchema>(contract: Contract) -> Arc<Map<String, Value>> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings.contract = contract.clone();
    });
    let mut schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.remove("description");
    let mut schema = schema.to_value();
    if contract == Contract::Deserialize {
        without_null(&mut schema);
    }
    let Value::Object(schema) = schema else { unreachable!("arguments are objects") };
    Arc::new(schema)
}

fn without_null(schema: &mut Value) {
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [kind] = &kinds[..] {
            let kind = kind.clone();
            schema["type"] = kind;
        }
    }
    match schema {
        Value::Object(parts) => parts.values_mut().for_each(without_null),
        Value::Array(parts) => parts.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
