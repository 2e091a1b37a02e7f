//! What each task tool does, as pure decisions: the list in, changes and an answer out.
//! Knows neither the store nor the clock.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Readback};
use uuid::Uuid;

use super::arguments::{Due, Identified, Listing, NewTask, Status};
use super::spoken::{self, Day, LISTED_MAX};
use super::which::{Found, find};
use crate::store::{
    Decision, Resolved, TASKS_MAX, TaskBook, TaskChange, TaskRow, TaskStatus, hex_digest,
};

pub(super) fn create(book: &TaskBook, new: NewTask, day: Day) -> Decision {
    if book.tasks.len() >= TASKS_MAX {
        return only(spoken::full());
    }
    let NewTask { title, due, priority } = new;
    let task = TaskRow {
        id: Uuid::now_v7().to_string(),
        title,
        due,
        priority,
        status: TaskStatus::Pending,
        created_ms: day.now_ms,
    };
    let done = day.done(&format!("Added: {}.", day.with_due(&task)), &task);
    Decision { changes: vec![TaskChange::Add(task)], done }
}

pub(super) fn list(book: &TaskBook, listing: Listing, day: Day) -> Decision {
    let mut tasks: Vec<&TaskRow> = book
        .tasks
        .iter()
        .filter(|task| has_status(task, listing.status, day))
        .filter(|task| is_due(task.due, listing.due, day))
        .collect();
    in_order(&mut tasks);
    let what = match listing.status {
        Status::All => "task",
        Status::Pending => "pending task",
        Status::Completed => "completed task",
        Status::Overdue => "overdue task",
    };
    let when = match listing.due {
        Due::All => "",
        Due::Today => " due today",
        Due::Tomorrow => " due tomorrow",
        Due::ThisWeek => " due this week",
    };
    read_out(&tasks, day.listed(what, when, &tasks))
}

pub(super) fn complete(book: &TaskBook, said: &Identified, day: Day) -> Decision {
    let (pending, completed): (Vec<_>, Vec<_>) =
        in_default_order(book).into_iter().partition(|task| task.status == TaskStatus::Pending);
    match find(&said.0, &pending, &numbers(book)) {
        Found::One(task) => {
            let id = task.id.clone();
            let mut task = task.clone();
            task.status = TaskStatus::Completed;
            let done = day.done(&format!("Done: {}.", task.title.as_str()), &task);
            Decision { changes: vec![TaskChange::Complete { id, at_ms: day.now_ms }], done }
        }
        Found::Many(tasks) => read_out(&tasks, day.ambiguous(&tasks)),
        Found::Nothing => match find(&said.0, &completed, &numbers(book)) {
            Found::One(task) => {
                let words = format!("{} was already done.", task.title.as_str());
                only(day.done(&words, task))
            }
            Found::Many(_) | Found::Nothing => only(spoken::not_found()),
        },
    }
}

/// Finds the one task that is to be deleted, and the question to ask about it.
pub(super) fn resolve(book: &TaskBook, said: &Identified, day: Day) -> Result<Resolved, Decision> {
    match find(&said.0, &in_default_order(book), &numbers(book)) {
        Found::One(task) => {
            let words = day.with_due(task);
            let question = Text(format!("Shall I delete the task {words}?"));
            let fingerprint = hex_digest(&["delete_task", &task.id]);
            let readback = Readback { question, subject: task.title.clone(), fingerprint };
            Ok(Resolved { id: task.id.clone(), readback })
        }
        Found::Many(tasks) => Err(read_out(&tasks, day.ambiguous(&tasks))),
        Found::Nothing => Err(only(spoken::not_found())),
    }
}

/// Deletes what the caller was asked about, whatever the arguments would mean by now.
pub(super) fn delete(book: &TaskBook) -> Decision {
    let Some(id) = &book.resolved else { return only(spoken::unasked()) };
    let Some(task) = book.tasks.iter().find(|task| task.id == *id) else {
        return only(spoken::gone());
    };
    let done = spoken::deleted(task);
    Decision { changes: vec![TaskChange::Delete { id: id.clone() }], done }
}

fn only(done: Done) -> Decision {
    Decision { changes: Vec::new(), done }
}

/// Numbers mean from now on what is read out here.
fn read_out(tasks: &[&TaskRow], done: Done) -> Decision {
    let ids = tasks.iter().take(LISTED_MAX).map(|task| task.id.clone()).collect();
    Decision { changes: vec![TaskChange::Number(ids)], done }
}

/// What numbers mean: the last reading, or, where there was none in this call, the order in which
/// the pending tasks would be read.
fn numbers(book: &TaskBook) -> Vec<String> {
    if !book.numbers.is_empty() {
        return book.numbers.clone();
    }
    let tasks = in_default_order(book).into_iter();
    let pending = tasks.filter(|task| task.status == TaskStatus::Pending);
    pending.map(|task| task.id.clone()).collect()
}

fn in_default_order(book: &TaskBook) -> Vec<&TaskRow> {
    let mut tasks: Vec<&TaskRow> = book.tasks.iter().collect();
    in_order(&mut tasks);
    tasks
}

/// What is due first comes first, then what is urgent, then what is old.
fn in_order(tasks: &mut [&TaskRow]) {
    tasks.sort_by_key(|task| {
        let due = task.due.unwrap_or(Date::MAX);
        (due, std::cmp::Reverse(task.priority), task.created_ms)
    });
}

fn has_status(task: &TaskRow, status: Status, day: Day) -> bool {
    match status {
        Status::All => true,
        Status::Pending => task.status == TaskStatus::Pending,
        Status::Completed => task.status == TaskStatus::Completed,
        Status::Overdue => day.overdue(task),
    }
}

fn is_due(due: Option<Date>, filter: Due, day: Day) -> bool {
    match filter {
        Due::All => true,
        Due::Today => due == Some(day.today),
        Due::Tomorrow => due == Some(day.tomorrow()),
        Due::ThisWeek => {
            let since_monday = i32::from(day.today.weekday().since(Weekday::Monday));
            let monday = day.today.saturating_sub(since_monday.days());
            let sunday = monday.saturating_add(6.days());
            due.is_some_and(|due| (monday..=sunday).contains(&due))
        }
    }
}
