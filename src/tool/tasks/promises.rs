//! What the four tools say of themselves to the model: when to use them, with which arguments.
//! The promises of risk and repetition are what the runtime holds them to.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_actors::tool::{Promise, Risk};

/// Longer than the record lets anyone wait, so that its own answer comes first.
const DEADLINE: Duration = Duration::from_secs(8);

/// Which of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    List,
    Complete,
    Delete,
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
             \"what am I late with\". Tell at most three tasks and how many there are.",
            Risk::Read,
        ),
        Kind::Complete => (
            "complete_task",
            "Marks a task as done. Use it for \"I have done …\", \"tick off number two\". If \
             several tasks fit, you get the candidates: ask which one is meant.",
            Risk::Write,
        ),
        Kind::Delete => (
            "delete_task",
            "Deletes a task for good. Use it for \"delete\", \"remove\", \"forget about\", not \
             for tasks that were done. The caller is asked to confirm before anything happens.",
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
            Kind::List | Kind::Complete | Kind::Delete => true,
        },
        deadline: DEADLINE,
        attempts: 3,
        filler: None,
        wants_scene: false,
    }
}

fn parameters(kind: Kind) -> Value {
    match kind {
        Kind::Create => json!({
            "type": "object",
            "properties": {
                "title": {
                    "type": "string", "description": "What is to be done, in the caller's words",
                },
                "due_date": { "type": "string", "description": "YYYY-MM-DD, if a date was said" },
                "priority": {
                    "type": "string", "enum": ["low", "medium", "high"], "default": "medium",
                },
            },
            "required": ["title"],
        }),
        Kind::List => json!({
            "type": "object",
            "properties": {
                "status": {
                    "type": "string", "enum": ["all", "pending", "completed", "overdue"],
                    "default": "pending",
                },
                "due_filter": {
                    "type": "string", "enum": ["all", "today", "tomorrow", "this_week"],
                    "default": "all",
                },
            },
        }),
        Kind::Complete => json!({
            "type": "object",
            "properties": { "task_identifier": identifier() },
            "required": ["task_identifier"],
        }),
        Kind::Delete => json!({
            "type": "object",
            "properties": {
                "task_identifier": identifier(),
                "confirmed": {
                    "type": "boolean",
                    "description": "Ignored: the caller's own answer decides",
                },
            },
            "required": ["task_identifier"],
        }),
    }
}

fn identifier() -> Value {
    json!({
        "type": ["string", "integer"],
        "description": "The title, words of the title, or the number in the list last read out",
    })
}
