//! What is said of several tasks at once: the first three, how many there are, and what could
//! come next. On the phone nobody keeps more in mind. Decides nothing.

use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Verdict};

use super::arguments::{Due, Listing, Status};
use super::day::Day;
use super::spoken::{self, LISTED_MAX};
use crate::store::TaskRow;

/// Tasks named in a sentence.
const NAMED_MAX: usize = 3;

/// Tasks, as many as fit an answer, and how many there are.
pub(super) fn listed(listing: Listing, tasks: &[&TaskRow], day: Day) -> Done {
    let (total, named) = (tasks.len(), named(tasks, day));
    let what = what(listing.status);
    let when = when(listing.due);
    let told = match total {
        0 => format!("You have no {what}s{when}."),
        1 => format!("You have one {what}{when}: {named}."),
        _ if total <= NAMED_MAX => format!("You have {} {what}s{when}: {named}.", count(total)),
        _ => format!("You have {} {what}s{when}. The first three are {named}.", count(total)),
    };
    let spoken = match next(listing.status, total) {
        "" => told,
        next => format!("{told} {next}"),
    };
    spoken::success(&json!({
        "status": "success", "spoken_message": spoken,
        "tasks": numbered(tasks, day), "total": total,
    }))
}

/// What could come next, as a question; nothing where there is nothing to do.
fn next(status: Status, total: usize) -> &'static str {
    match (status, total) {
        (Status::Completed | Status::Overdue, 0) => "",
        (Status::All | Status::Pending, 0) => "Shall I add one?",
        (Status::Overdue, 1) => "Shall I move it to another day?",
        (_, 1) => "Do you want to change it?",
        (Status::Overdue, ..=NAMED_MAX) => "Shall I move one to another day?",
        (_, ..=NAMED_MAX) => "Do you want to change one of them?",
        (_, ..=LISTED_MAX) => "Shall I read on?",
        _ => "Shall I read on, or only what is due this week?",
    }
}

/// Several tasks fit.
pub(super) fn ambiguous(tasks: &[&TaskRow], day: Day) -> Done {
    let lead = if tasks.len() > NAMED_MAX { ", for example" } else { ":" };
    let spoken = format!(
        "That fits {} tasks{lead} {}. Which one do you mean?",
        count(tasks.len()),
        named(tasks, day)
    );
    let suggestion = "ask which one, then use its number or its whole title";
    let mut output = spoken::failure(Verdict::User, "ambiguous", &spoken, suggestion);
    output["candidates"] = numbered(tasks, day).into();
    output["total"] = tasks.len().into();
    spoken::user(&output)
}

/// The question before a whole list is deleted, and what of it must have been heard: the tasks
/// by name. Of the number a listener cannot tell whether it is heard as a word or as a figure.
pub(super) fn clearing(status: Status, tasks: &[&TaskRow], day: Day) -> (Text, Text) {
    let total = tasks.len();
    let whole = match status {
        Status::All => "Your list has",
        Status::Pending | Status::Completed | Status::Overdue => "You have",
    };
    let what = what(status);
    let (some, all) = match total {
        1 => (format!("one {what}"), "it"),
        2 => (format!("two {what}s"), "both of them"),
        _ => (format!("{} {what}s", count(total)), "all of them"),
    };
    let mut names = titles(tasks, |task| day.with_due(task));
    if let Some(more) = total.checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        names.push(format!("{} more", count(more)));
    }
    let question = format!("{whole} {some}: {}. Shall I delete {all} for good?", joined(&names));
    let subject = titles(tasks, |task| task.title.as_str().to_owned()).join(", ");
    (Text(question), Text(subject))
}

fn what(status: Status) -> &'static str {
    match status {
        Status::All => "task",
        Status::Pending => "pending task",
        Status::Completed => "completed task",
        Status::Overdue => "overdue task",
    }
}

fn when(due: Due) -> &'static str {
    match due {
        Due::All => "",
        Due::Today => " due today",
        Due::Tomorrow => " due tomorrow",
        Due::ThisWeek => " due this week",
    }
}

fn numbered(tasks: &[&TaskRow], day: Day) -> Vec<Value> {
    let row = |(number, task): (u32, &&TaskRow)| {
        let mut row = spoken::data(task, day);
        row["number"] = number.into();
        row
    };
    (1..).zip(tasks.iter().take(LISTED_MAX)).map(row).collect()
}

fn titles(tasks: &[&TaskRow], of: impl Fn(&TaskRow) -> String) -> Vec<String> {
    tasks.iter().take(NAMED_MAX).map(|task| of(task)).collect()
}

fn named(tasks: &[&TaskRow], day: Day) -> String {
    joined(&titles(tasks, |task| day.with_due(task)))
}

/// `a, b and c`; where there are commas inside, `a, due today; b; and c`.
fn joined(names: &[String]) -> String {
    let nested = names.iter().any(|name| name.contains(','));
    let (between, before_last) = if nested { ("; ", "; and ") } else { (", ", " and ") };
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{}{before_last}{last}", first.join(between)),
    }
}

/// `one` to `twelve` in words, as a figure above.
pub(super) fn count(number: usize) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    WORDS.get(number).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_as_they_are_said() {
        let said = |names: &[&str]| {
            joined(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(said(&[]), "");
        assert_eq!(said(&["a"]), "a");
        assert_eq!(said(&["a", "b"]), "a and b");
        assert_eq!(said(&["a", "b", "two more"]), "a, b and two more");
        assert_eq!(said(&["a, due today", "b"]), "a, due today; and b");
    }

    #[test]
    fn small_numbers_are_words() {
        assert_eq!([1, 12, 13].map(count), ["one", "twelve", "13"]);
    }
}
