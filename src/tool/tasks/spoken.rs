//! The answers of the task tools: JSON objects for the model, each with a sentence fit for the
//! phone. Decides nothing.

use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Verdict};

use super::arguments::Status;
use super::day::Day;
use super::summary::count;
use crate::store::{Priority, TaskRow};

/// Tasks in one answer: beyond that a model's context fills with what nobody will hear.
pub(super) const LISTED_MAX: usize = 20;

/// One task for the model.
pub(super) fn data(task: &TaskRow, day: Day) -> Value {
    json!({
        "title": task.title.as_str(),
        "due_date": task.due.map(|due| due.to_string()),
        "priority": task.priority.word(),
        "status": day.status_of(task),
    })
}

/// Something was done to one task.
pub(super) fn done(spoken: &str, task: &TaskRow, day: Day) -> Done {
    success(&json!({ "status": "success", "spoken_message": spoken, "data": data(task, day) }))
}

/// A task is new.
pub(super) fn added(task: &TaskRow, day: Day) -> Done {
    let priority = match task.priority {
        Priority::Medium => String::new(),
        Priority::Low | Priority::High => format!(", with {} priority", task.priority.word()),
    };
    done(&format!("I have added {}{priority}.", day.with_due(task)), task, day)
}

/// A task has another date, or none.
pub(super) fn moved(task: &TaskRow, day: Day) -> Done {
    let title = task.title.as_str();
    let words = match task.due {
        Some(due) => format!("I have moved {title} to {}.", day.spoken(due)),
        None => format!("{title} has no date any more."),
    };
    done(&words, task, day)
}

/// Tasks are gone, by the caller's own yes: these of as many as were asked about.
pub(super) fn deleted(tasks: &[&TaskRow], asked: usize) -> Done {
    let missing = asked - tasks.len();
    let mut words = match tasks {
        [] if asked == 1 => return gone("That task is already gone."),
        [] => return gone("Those tasks are already gone."),
        [task] => format!("I have deleted {}.", task.title.as_str()),
        [_, _, ..] => format!("I have deleted {} tasks.", count(tasks.len())),
    };
    if missing > 0 {
        words += &format!(" The other {} had gone before.", count(missing));
    }
    let titles: Vec<&str> = tasks.iter().take(LISTED_MAX).map(|task| task.title.as_str()).collect();
    success(&json!({
        "status": "success", "spoken_message": words,
        "data": { "titles": titles, "total": tasks.len() },
    }))
}

/// They were there when the caller was asked about them.
fn gone(spoken: &str) -> Done {
    wrong("not_found", spoken, "tell the caller that nothing is left to do")
}

/// There is nothing to ask about.
pub(super) fn nothing_to_clear(status: Status) -> Done {
    let words = match status {
        Status::All => "Your list is empty already.",
        Status::Pending => "You have no pending tasks.",
        Status::Completed => "You have no completed tasks.",
        Status::Overdue => "You have no overdue tasks.",
    };
    success(&json!({ "status": "success", "spoken_message": words, "total": 0 }))
}

pub(super) fn success(output: &Value) -> Done {
    Done { verdict: Verdict::Success, output: Text(output.to_string()) }
}

pub(super) fn user(output: &Value) -> Done {
    Done { verdict: Verdict::User, output: Text(output.to_string()) }
}

/// A failure of one kind, for more to be added.
pub(super) fn failure(verdict: Verdict, reason: &str, spoken: &str, suggestion: &str) -> Value {
    json!({
        "status": "error", "error_type": verdict.word(), "reason": reason,
        "spoken_message": spoken, "suggestion": suggestion,
    })
}

/// Something that the caller, or the model, can put right.
pub(super) fn wrong(reason: &str, spoken: &str, suggestion: &str) -> Done {
    Done::fault(Verdict::User, reason, spoken, suggestion)
}

/// No task fits.
pub(super) fn not_found() -> Done {
    let spoken = "I could not find that task. Shall I read your list?";
    wrong("not_found", spoken, "list the tasks, or ask for the title")
}

/// A destructive job that nobody was asked about.
pub(super) fn unasked() -> Done {
    wrong("not_confirmed", "I have to ask you first.", "ask the caller to confirm")
}

/// The list is full.
pub(super) fn full() -> Done {
    let spoken = "Your task list is full. Shall I delete the tasks that are done?";
    wrong("full", spoken, "offer to clear the completed tasks")
}

/// Nothing happened; the record cannot be reached.
pub(super) fn unreachable() -> Done {
    let spoken = "I cannot reach the task list right now.";
    Done::fault(Verdict::Temporary, "unavailable", spoken, "offer to try again later")
}

/// Nobody knows whether it happened.
pub(super) fn unknown() -> Done {
    let spoken = "I am not sure whether that was saved.";
    Done::fault(Verdict::Unknown, "unavailable", spoken, "offer to list the tasks and look")
}
