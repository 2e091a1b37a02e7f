//! What the tools say of themselves to the model: when to use them, with which arguments.
//! The promises of risk and repetition are what the runtime holds them to.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_actors::tool::{Promise, Risk};

/// Longer than the record lets anyone wait, so that its own answer comes first.
const DEADLINE: Duration = Duration::from_secs(8);

const STATUSES: [&str; 4] = ["all", "pending", "completed", "overdue"];

/// Which tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    List,
    Complete,
    Reschedule,
    Delete,
    Clear,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Create, Self::List, Self::Complete, Self::Reschedule, Self::Delete, Self::Clear];
}

pub(super) fn promise(kind: Kind) -> Promise {
    let (name, description, risk) = match kind {
        Kind::Create => (
            "create_task",
            "Adds a task to the list. Use it for \"remind me to\", \"I need to\", \"add … to my \
             list\". Turn spoken dates such as \"tomorrow\" into YYYY-MM-DD yourself; leave the \
             date out when none was said.",
            Risk::Write,
        ),
        Kind::List => (
            "list_tasks",
            "Reads the task list. Use it for \"what do I have to do\", \"what is due today\", \
             \"what am I late with\". Tell at most three tasks, how many there are, and what could \
             come next, as spoken_message does.",
            Risk::Read,
        ),
        Kind::Complete => (
            "complete_task",
            "Marks a task as done. Use it for \"I have done …\", \"tick off number two\". If \
             several tasks fit, you get the candidates: ask which one is meant.",
            Risk::Write,
        ),
        Kind::Reschedule => (
            "reschedule_task",
            "Gives a task another date, or none. Use it for \"move … to Friday\", \"postpone …\", \
             \"… has no date any more\". Turn spoken dates into YYYY-MM-DD yourself.",
            Risk::Write,
        ),
        Kind::Delete => (
            "delete_task",
            "Deletes one task for good. Use it for \"delete\", \"remove\", \"forget about\", not \
             for tasks that were done. The caller is asked to confirm before anything happens.",
            Risk::Destructive,
        ),
        Kind::Clear => (
            "clear_tasks",
            "Deletes many tasks for good. Use it only for \"clear my list\", \"delete all …\", \
             never for a single task. The caller is asked to confirm before anything happens.",
            Risk::Destructive,
        ),
    };
    Promise {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: parameters(kind).to_string(),
        risk,
        idempotent: match kind {
            Kind::Create => false,
            Kind::List | Kind::Complete | Kind::Reschedule | Kind::Delete | Kind::Clear => true,
        },
        deadline: DEADLINE,
        attempts: 3,
        filler: None,
        wants_scene: false,
    }
}

fn parameters(kind: Kind) -> Value {
    let (properties, required): (Value, &[&str]) = match kind {
        Kind::Create => (
            json!({
                "title": {
                    "type": "string", "description": "What is to be done, in the caller's words",
                },
                "due_date": { "type": "string", "description": "YYYY-MM-DD, if a date was said" },
                "past_date_meant": past_date_meant(),
                "priority": {
                    "type": "string", "enum": ["low", "medium", "high"], "default": "medium",
                },
            }),
            &["title"],
        ),
        Kind::List => (
            json!({
                "status": { "type": "string", "enum": STATUSES, "default": "pending" },
                "due_filter": {
                    "type": "string", "enum": ["all", "today", "tomorrow", "this_week"],
                    "default": "all",
                },
            }),
            &[],
        ),
        Kind::Complete => (json!({ "task_identifier": identifier() }), &["task_identifier"]),
        Kind::Reschedule => (
            json!({
                "task_identifier": identifier(),
                "due_date": {
                    "type": "string",
                    "description": "YYYY-MM-DD, or `none` when the task shall have no date",
                },
                "past_date_meant": past_date_meant(),
            }),
            &["task_identifier", "due_date"],
        ),
        Kind::Delete => (
            json!({ "task_identifier": identifier(), "confirmed": confirmed() }),
            &["task_identifier"],
        ),
        Kind::Clear => {
            let which = json!({
                "type": "string", "enum": STATUSES,
                "description": "Which tasks, as the caller has said it",
            });
            (json!({ "status": which, "confirmed": confirmed() }), &["status"])
        }
    };
    let mut parameters = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        parameters["required"] = json!(required);
    }
    parameters
}

fn identifier() -> Value {
    json!({
        "type": ["string", "integer"],
        "description": "The title, words of the title, or the number in the list last read out",
    })
}

fn confirmed() -> Value {
    json!({ "type": "boolean", "description": "Ignored: the caller's own answer decides" })
}

fn past_date_meant() -> Value {
    json!({
        "type": "boolean",
        "description": "Only after the caller was asked about a past date and means that day",
    })
}
