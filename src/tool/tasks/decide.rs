//! What each task tool does, as pure decisions: the list in, changes and an answer out.
//! Knows neither the store nor the clock.

use jiff::civil::Date;
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Readback};
use uuid::Uuid;

use super::arguments::{Clearing, Due, Identified, Listing, NewTask, Rescheduled, Status};
use super::day::Day;
use super::spoken::{self, LISTED_MAX};
use super::summary;
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
    let done = spoken::added(&task, day);
    Decision { changes: vec![TaskChange::Add(task)], done }
}

pub(super) fn list(book: &TaskBook, listing: Listing, day: Day) -> Decision {
    let mut tasks: Vec<&TaskRow> = of_status(book, listing.status, day)
        .into_iter()
        .filter(|task| is_due(task.due, listing.due, day))
        .collect();
    in_order(&mut tasks);
    read_out(&tasks, summary::listed(listing, &tasks, day))
}

pub(super) fn complete(book: &TaskBook, said: &Identified, day: Day) -> Decision {
    match pending(book, said, day) {
        Ok(task) => {
            let id = task.id.clone();
            let mut task = task.clone();
            task.status = TaskStatus::Completed;
            let words = format!("I have marked {} as done.", task.title.as_str());
            let done = spoken::done(&words, &task, day);
            Decision { changes: vec![TaskChange::Complete { id, at_ms: day.now_ms }], done }
        }
        Err(decision) => decision,
    }
}

pub(super) fn reschedule(book: &TaskBook, asked: &Rescheduled, day: Day) -> Decision {
    match pending(book, &asked.task, day) {
        Ok(task) => {
            let (id, due) = (task.id.clone(), asked.due);
            let mut task = task.clone();
            task.due = due;
            Decision {
                changes: vec![TaskChange::Move { id, due }],
                done: spoken::moved(&task, day),
            }
        }
        Err(decision) => decision,
    }
}

/// The one pending task that was named; else what to say instead.
fn pending<'a>(book: &'a TaskBook, said: &Identified, day: Day) -> Result<&'a TaskRow, Decision> {
    let (pending, completed): (Vec<_>, Vec<_>) =
        in_default_order(book).into_iter().partition(|task| task.status == TaskStatus::Pending);
    match find(&said.0, &pending, &numbers(book)) {
        Found::One(task) => Ok(task),
        Found::Many(tasks) => Err(read_out(&tasks, summary::ambiguous(&tasks, day))),
        Found::Nothing => match find(&said.0, &completed, &numbers(book)) {
            Found::One(task) => {
                let words = format!("You have done {} already.", task.title.as_str());
                Err(only(spoken::done(&words, task, day)))
            }
            Found::Many(_) | Found::Nothing => Err(only(spoken::not_found())),
        },
    }
}

/// Finds the one task that is to be deleted, and the question to ask about it.
pub(super) fn deletion(book: &TaskBook, said: &Identified, day: Day) -> Result<Resolved, Decision> {
    match find(&said.0, &in_default_order(book), &numbers(book)) {
        Found::One(task) => {
            let words = day.with_due(task);
            let question = Text(format!("Shall I delete the task {words}?"));
            let fingerprint = hex_digest(&["delete_task", &task.id]);
            let readback = Readback { question, subject: task.title.clone(), fingerprint };
            Ok(Resolved { ids: vec![task.id.clone()], readback })
        }
        Found::Many(tasks) => Err(read_out(&tasks, summary::ambiguous(&tasks, day))),
        Found::Nothing => Err(only(spoken::not_found())),
    }
}

/// Finds all tasks that are to be deleted at once, and the question: how many, and of what list.
pub(super) fn clearing(
    book: &TaskBook,
    Clearing(status): Clearing,
    day: Day,
) -> Result<Resolved, Decision> {
    let mut tasks = of_status(book, status, day);
    in_order(&mut tasks);
    if tasks.is_empty() {
        return Err(only(spoken::nothing_to_clear(status)));
    }
    let (question, subject) = summary::clearing(status, &tasks, day);
    // In the order of creation, whatever they are read out in: the same tasks, the same effect.
    let mut ids: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
    ids.sort_unstable();
    let parts: Vec<&str> =
        std::iter::once("clear_tasks").chain(ids.iter().map(|id| &**id)).collect();
    let fingerprint = hex_digest(&parts);
    Ok(Resolved { ids, readback: Readback { question, subject, fingerprint } })
}

/// Deletes what the caller was asked about, whatever the arguments would mean by now.
pub(super) fn delete(book: &TaskBook) -> Decision {
    if book.resolved.is_empty() {
        return only(spoken::unasked());
    }
    let asked = |task: &&TaskRow| book.resolved.contains(&task.id);
    let tasks: Vec<&TaskRow> = book.tasks.iter().filter(asked).collect();
    let changes = tasks.iter().map(|task| TaskChange::Delete { id: task.id.clone() }).collect();
    Decision { changes, done: spoken::deleted(&tasks, book.resolved.len()) }
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

fn of_status(book: &TaskBook, status: Status, day: Day) -> Vec<&TaskRow> {
    let fits = |task: &&TaskRow| match status {
        Status::All => true,
        Status::Pending => task.status == TaskStatus::Pending,
        Status::Completed => task.status == TaskStatus::Completed,
        Status::Overdue => day.overdue(task),
    };
    book.tasks.iter().filter(fits).collect()
}

fn is_due(due: Option<Date>, filter: Due, day: Day) -> bool {
    match filter {
        Due::All => true,
        Due::Today => due == Some(day.today),
        Due::Tomorrow => due == Some(day.tomorrow()),
        Due::ThisWeek => due.is_some_and(|due| day.has_in_week(due)),
    }
}
