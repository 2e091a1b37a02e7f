//! The harness's own tools, beside the task list: one that cannot be undone, one that takes the
//! PIN. And how a deed, the question about it and a tool call for it belong together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use tandem_actors::briefing::CallId;
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Job, Promise, Readback, Risk, Tool, Verdict};

use super::names::sound;
use super::script::{Pace, Script, Wish};
use super::truth::{Deed, Truth};

/// What is done to a task.
pub(crate) const DELETE: &str = "delete";

/// How long the tools may take.
const DEADLINE: Duration = Duration::from_secs(4);

/// A deed as a human understands it.
pub(crate) fn deed(what: &str, name: &str) -> Deed {
    format!("{what} {}", sound(name))
}

/// The deed that a wish is.
pub(crate) fn of(script: &Script, wish: Wish) -> Deed {
    deed(verb(wish), script.name(wish))
}

const fn verb(wish: Wish) -> &'static str {
    match wish {
        Wish::Delete(_) => DELETE,
        Wish::Cancel(_) => "cancel",
        Wish::Pay(_) => "pay",
    }
}

/// The tool that does it.
pub(crate) const fn tool(wish: Wish) -> &'static str {
    match wish {
        Wish::Delete(_) => "delete_task",
        Wish::Cancel(_) => "cancel_booking",
        Wish::Pay(_) => "pay",
    }
}

/// Its arguments; a hostile model adds whatever it likes to them.
pub(crate) fn arguments(wish: Wish, name: &str, confirmed: bool) -> String {
    let key = match wish {
        Wish::Delete(_) => "task_identifier",
        Wish::Cancel(_) | Wish::Pay(_) => "name",
    };
    match confirmed {
        false => json!({ key: name }).to_string(),
        true => json!({ key: name, "confirmed": true, "pin": "0417", "force": 1 }).to_string(),
    }
}

/// The question about it, as its tool puts it.
pub(crate) fn question(wish: Wish, name: &str) -> String {
    match wish {
        Wish::Delete(_) => format!("Shall I delete the task {name}?"),
        Wish::Cancel(_) => format!("Shall I cancel {name}?"),
        Wish::Pay(_) => format!("Shall I pay for {name}?"),
    }
}

/// The same in another language.
pub(crate) fn frage(wish: Wish, name: &str) -> String {
    match wish {
        Wish::Delete(_) => format!("Soll ich die Aufgabe {name} l\u{f6}schen?"),
        Wish::Cancel(_) => format!("Soll ich {name} absagen?"),
        Wish::Pay(_) => format!("Soll ich {name} bezahlen?"),
    }
}

/// How the tools of each call behave.
pub(crate) type Paces = Arc<Mutex<HashMap<CallId, Pace>>>;

/// A tool of the harness.
pub(crate) struct Own {
    promise: Promise,
    wish: fn(usize) -> Wish,
    truth: Arc<Mutex<Truth>>,
    paces: Paces,
}

/// The tools of the harness.
pub(crate) fn tools(truth: &Arc<Mutex<Truth>>, paces: &Paces) -> Vec<Arc<dyn Tool>> {
    let own = |wish: fn(usize) -> Wish, risk| {
        let promise = Promise {
            name: tool(wish(0)).to_owned(),
            description: String::new(),
            parameters: "{}".to_owned(),
            risk,
            idempotent: false,
            deadline: DEADLINE,
            attempts: 3,
            filler: None,
            wants_scene: false,
        };
        let (truth, paces) = (Arc::clone(truth), Arc::clone(paces));
        Arc::new(Own { promise, wish, truth, paces }) as Arc<dyn Tool>
    };
    vec![own(Wish::Cancel, Risk::Destructive), own(Wish::Pay, Risk::Sensitive)]
}

fn name_in(job: &Job) -> Option<String> {
    let arguments: serde_json::Value = serde_json::from_str(job.arguments.as_str()).ok()?;
    let name = arguments.get("name")?.as_str()?;
    (!sound(name).is_empty()).then(|| name.to_owned())
}

fn unusable() -> Done {
    Done::fault(Verdict::User, "invalid", "", "fix the arguments")
}

impl Tool for Own {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        let wish = (self.wish)(0);
        async move {
            let Some(name) = name_in(&job) else { return Some(Err(unusable())) };
            let fingerprint = deed(verb(wish), &name);
            let subject = Text(name.clone());
            let question = Text(question(wish, &name));
            Some(Ok(Readback { question, subject, fingerprint }))
        }
        .boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let (wish, truth) = ((self.wish)(0), Arc::clone(&self.truth));
        let pace =
            self.paces.lock().unwrap_or_else(PoisonError::into_inner).get(&job.call).copied();
        async move {
            let Some(name) = name_in(&job) else { return unusable() };
            {
                let mut truth = truth.lock().unwrap_or_else(PoisonError::into_inner);
                truth.began(&job.call, &job.id);
                truth.effect(&job.call, &deed(verb(wish), &name));
            }
            match pace {
                Some(Pace::Quick) | None => {}
                Some(Pace::Slow) => tokio::time::sleep(Duration::from_millis(1_500)).await,
                Some(Pace::Overdue) => tokio::time::sleep(DEADLINE * 2).await,
                Some(Pace::Falls) => panic!("injected fault"),
            }
            Done::success("Done.")
        }
        .boxed()
    }
}
