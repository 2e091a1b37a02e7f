//! The answers of the task tools: JSON objects for the model, each with a sentence fit for the
//! phone. Knows dates and plurals, decides nothing.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Verdict};

use crate::store::{TaskRow, TaskStatus};

/// Tasks named in a sentence: more cannot be kept in mind.
const NAMED_MAX: usize = 3;

/// Tasks in one answer: beyond that a model's context fills with what nobody will hear.
pub(super) const LISTED_MAX: usize = 20;

/// The caller's day.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) today: Date,
    pub(super) now_ms: i64,
}

impl Day {
    pub(super) fn tomorrow(self) -> Date {
        self.today.saturating_add(1.day())
    }

    /// Not done though its day is over.
    pub(super) fn overdue(self, task: &TaskRow) -> bool {
        task.status == TaskStatus::Pending && task.due.is_some_and(|due| due < self.today)
    }

    fn status_of(self, task: &TaskRow) -> &'static str {
        if self.overdue(task) { "overdue" } else { task.status.word() }
    }

    /// `today`, `March 5`, `March 5, 2031`.
    pub(super) fn spoken(self, date: Date) -> String {
        if date == self.today {
            "today".to_owned()
        } else if date == self.tomorrow() {
            "tomorrow".to_owned()
        } else if date.year() == self.today.year() {
            date.strftime("%B %-d").to_string()
        } else {
            date.strftime("%B %-d, %Y").to_string()
        }
    }

    /// The title and, where there is one, the date: `buy milk, due tomorrow`.
    pub(super) fn with_due(self, task: &TaskRow) -> String {
        let title = task.title.as_str();
        match task.due {
            None => title.to_owned(),
            Some(due) if self.overdue(task) => {
                format!("{title}, overdue since {}", self.spoken(due))
            }
            Some(due) => format!("{title}, due {}", self.spoken(due)),
        }
    }

    fn numbered(self, tasks: &[&TaskRow]) -> Vec<Value> {
        let rows = (1..).zip(tasks.iter().take(LISTED_MAX));
        rows.map(|(number, task): (u32, _)| self.numbered_one(number, task)).collect()
    }

    fn numbered_one(self, number: u32, task: &TaskRow) -> Value {
        let mut row = self.data(task);
        row["number"] = number.into();
        row
    }

    fn data(self, task: &TaskRow) -> Value {
        json!({
            "title": task.title.as_str(),
            "due_date": task.due.map(|due| due.to_string()),
            "priority": task.priority.word(),
            "status": self.status_of(task),
        })
    }

    /// Something was done to one task.
    pub(super) fn done(self, spoken: &str, task: &TaskRow) -> Done {
        success(&json!({
            "status": "success", "spoken_message": spoken, "data": self.data(task),
        }))
    }

    /// Tasks, as many as fit an answer, and how many there are. `what` is e.g. `pending task`.
    pub(super) fn listed(self, what: &str, when: &str, tasks: &[&TaskRow]) -> Done {
        let total = tasks.len();
        let named: Vec<String> =
            tasks.iter().take(NAMED_MAX).map(|task| self.with_due(task)).collect();
        let spoken = match total {
            0 => format!("You have no {what}s{when}."),
            1 => format!("You have one {what}{when}: {}.", named.join("; ")),
            _ if total <= NAMED_MAX => {
                format!("You have {total} {what}s{when}: {}.", named.join("; "))
            }
            _ => format!("You have {total} {what}s{when}. The first three: {}.", named.join("; ")),
        };
        success(&json!({
            "status": "success", "spoken_message": spoken,
            "tasks": self.numbered(tasks), "total": total,
        }))
    }

    /// Several tasks fit.
    pub(super) fn ambiguous(self, tasks: &[&TaskRow]) -> Done {
        let named: Vec<String> =
            tasks.iter().take(NAMED_MAX).map(|task| self.with_due(task)).collect();
        let spoken = format!(
            "That fits {} tasks: {}. Which one do you mean?",
            tasks.len(),
            named.join("; ")
        );
        let mut output = wrong("ambiguous", &spoken, "ask which one, then use its number");
        output["candidates"] = self.numbered(tasks).into();
        user(&output)
    }
}

/// A task is gone, by the caller's own yes.
pub(super) fn deleted(task: &TaskRow) -> Done {
    let title = task.title.as_str();
    success(&json!({
        "status": "success", "spoken_message": format!("Deleted: {title}."),
        "data": { "title": title },
    }))
}

fn success(output: &Value) -> Done {
    Done { verdict: Verdict::Success, output: Text(output.to_string()) }
}

fn user(output: &Value) -> Done {
    Done { verdict: Verdict::User, output: Text(output.to_string()) }
}

fn wrong(reason: &str, spoken: &str, suggestion: &str) -> Value {
    failed(Verdict::User, reason, spoken, suggestion)
}

fn failed(verdict: Verdict, reason: &str, spoken: &str, suggestion: &str) -> Value {
    json!({
        "status": "error", "error_type": verdict.word(), "reason": reason,
        "spoken_message": spoken, "suggestion": suggestion,
    })
}

/// The arguments cannot be used.
pub(super) fn invalid(spoken: &str, suggestion: &str) -> Done {
    user(&wrong("invalid", spoken, suggestion))
}

/// No task fits.
pub(super) fn not_found() -> Done {
    let suggestion = "list the tasks, or ask for the title";
    user(&wrong("not_found", "I could not find that task.", suggestion))
}

/// It was there when the caller was asked about it.
pub(super) fn gone() -> Done {
    let suggestion = "tell the caller that it is already gone";
    user(&wrong("not_found", "That task is already gone.", suggestion))
}

/// A destructive job that nobody was asked about.
pub(super) fn unasked() -> Done {
    let (spoken, suggestion) = ("I have to ask you first.", "ask the caller to confirm");
    user(&wrong("not_confirmed", spoken, suggestion))
}

/// The list is full.
pub(super) fn full() -> Done {
    let suggestion = "suggest to delete tasks that are done";
    user(&wrong("full", "The task list is full.", suggestion))
}

/// Nothing happened; the record cannot be reached.
pub(super) fn unreachable() -> Done {
    let verdict = Verdict::Temporary;
    let (spoken, suggestion) = ("I cannot reach the task list right now.", "offer to try later");
    Done { verdict, output: Text(failed(verdict, "unavailable", spoken, suggestion).to_string()) }
}

/// Nobody knows whether it happened.
pub(super) fn unknown() -> Done {
    let verdict = Verdict::Unknown;
    let spoken = "I am not sure whether that was saved.";
    let output = failed(verdict, "unavailable", spoken, "offer to list the tasks and look");
    Done { verdict, output: Text(output.to_string()) }
}
