//! A model's JSON arguments as typed values, or an answer that says what is wrong with them.
//! Fields nobody knows are ignored, `confirmed` among them.

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tandem_actors::briefing::Text;
use tandem_actors::tool::Done;

use super::day::Day;
use super::{due, spoken};
use crate::store::Priority;

/// Characters of a title: what one sentence holds, and what can be read back on the phone.
const TITLE_MAX: usize = 200;

/// Characters of an identifier: a title and some words around it.
const IDENTIFIER_MAX: usize = 400;

/// How a date is written that is to be taken off a task.
const NO_DATE: &str = "none";

/// A checked order to create a task.
pub(super) struct NewTask {
    pub(super) title: Text,
    pub(super) due: Option<Date>,
    pub(super) priority: Priority,
}

#[derive(Deserialize)]
struct CreateArguments {
    title: Option<String>,
    due_date: Option<String>,
    past_date_meant: Option<bool>,
    priority: Option<String>,
}

impl NewTask {
    pub(super) fn parse(arguments: &Text, day: Day) -> Result<Self, Done> {
        let asked: CreateArguments = parse(
            arguments,
            "title and due_date are text, priority is low, medium or high, past_date_meant is \
             true or false",
        )?;
        let title = line(&asked.title.unwrap_or_default());
        if title.is_empty() {
            return Err(spoken::wrong("invalid", "What is the task?", "ask for its title"));
        }
        if title.chars().count() > TITLE_MAX {
            return Err(spoken::wrong(
                "invalid",
                "That is too long for a task. Can you say it in one sentence?",
                &format!("use a title of at most {TITLE_MAX} characters"),
            ));
        }
        let meant = asked.past_date_meant.unwrap_or(false);
        let due = match asked.due_date.as_deref().map(str::trim) {
            None | Some("" | NO_DATE) => None,
            Some(written) => Some(due::read(written, meant, day)?),
        };
        Ok(Self { title: Text(title), due, priority: priority(asked.priority.as_deref())? })
    }
}

fn priority(written: Option<&str>) -> Result<Priority, Done> {
    match written.map(str::trim).unwrap_or_default() {
        "" => Ok(Priority::Medium),
        word => {
            let mut all = [Priority::Low, Priority::Medium, Priority::High].into_iter();
            all.find(|priority| priority.word().eq_ignore_ascii_case(word)).ok_or_else(|| {
                let words = "Is that of low, medium or high priority?";
                spoken::wrong("invalid_priority", words, "use low, medium or high")
            })
        }
    }
}

/// Which tasks by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    All,
    #[default]
    Pending,
    Completed,
    Overdue,
}

/// Which tasks by their date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Due {
    #[default]
    All,
    Today,
    Tomorrow,
    ThisWeek,
}

/// A checked order to list tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) status: Status,
    pub(super) due: Due,
}

#[derive(Deserialize)]
struct ListArguments {
    status: Option<Status>,
    due_filter: Option<Due>,
}

impl Listing {
    pub(super) fn parse(arguments: &Text) -> Result<Self, Done> {
        // A model may send nothing at all for a tool without required arguments.
        if arguments.as_str().trim().is_empty() {
            return Ok(Self { status: Status::default(), due: Due::default() });
        }
        let ListArguments { status, due_filter } = parse(
            arguments,
            "status is all, pending, completed or overdue; due_filter is all, today, tomorrow or \
             this_week",
        )?;
        Ok(Self { status: status.unwrap_or_default(), due: due_filter.unwrap_or_default() })
    }
}

/// A checked order to clear a list: which tasks of it is never left to a default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clearing(pub(super) Status);

#[derive(Deserialize)]
struct ClearArguments {
    status: Status,
}

impl Clearing {
    pub(super) fn parse(arguments: &Text) -> Result<Self, Done> {
        let form = "status is required: all, pending, completed or overdue";
        parse(arguments, form).map(|ClearArguments { status }| Self(status))
    }
}

/// How a task was named.
#[derive(Debug)]
pub(super) struct Identified(pub(super) String);

#[derive(Deserialize)]
struct IdentifiedArguments {
    task_identifier: Option<Identifier>,
}

/// Models write "number two" as 2 now and then.
#[derive(Deserialize)]
#[serde(untagged)]
enum Identifier {
    Words(String),
    Number(u32),
}

const IDENTIFIER_FORM: &str =
    "task_identifier is text: the title, words of it, or the number in the list last read out";

impl Identified {
    pub(super) fn parse(arguments: &Text) -> Result<Self, Done> {
        let IdentifiedArguments { task_identifier } = parse(arguments, IDENTIFIER_FORM)?;
        Self::read(task_identifier)
    }

    fn read(identifier: Option<Identifier>) -> Result<Self, Done> {
        let said = match identifier {
            None => String::new(),
            Some(Identifier::Words(words)) => line(&words),
            Some(Identifier::Number(number)) => number.to_string(),
        };
        if said.is_empty() || said.chars().count() > IDENTIFIER_MAX {
            let suggestion = format!("ask which task; {IDENTIFIER_FORM}");
            return Err(spoken::wrong("invalid", "Which task do you mean?", &suggestion));
        }
        Ok(Self(said))
    }
}

/// A checked order to give a task another date, or none.
#[derive(Debug)]
pub(super) struct Rescheduled {
    pub(super) task: Identified,
    pub(super) due: Option<Date>,
}

#[derive(Deserialize)]
struct RescheduleArguments {
    task_identifier: Option<Identifier>,
    /// Left out is not the same as `null`: nobody means "no date" by saying nothing.
    #[serde(default, deserialize_with = "present")]
    due_date: Option<Option<String>>,
    past_date_meant: Option<bool>,
}

fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl Rescheduled {
    pub(super) fn parse(arguments: &Text, day: Day) -> Result<Self, Done> {
        let form = format!("{IDENTIFIER_FORM}; due_date is YYYY-MM-DD or {NO_DATE}");
        let asked: RescheduleArguments = parse(arguments, &form)?;
        let task = Identified::read(asked.task_identifier)?;
        let meant = asked.past_date_meant.unwrap_or(false);
        let due = match asked.due_date.as_ref().map(|date| date.as_deref().map(str::trim)) {
            None | Some(Some("")) => {
                let words = "To which day shall I move it?";
                return Err(spoken::wrong("invalid_date", words, "ask for the new day"));
            }
            Some(None | Some(NO_DATE)) => None,
            Some(Some(written)) => Some(due::read(written, meant, day)?),
        };
        Ok(Self { task, due })
    }
}

/// The arguments, or in which `form` they are expected: what a library says of a mistake is for
/// nobody on the phone.
fn parse<T: DeserializeOwned>(arguments: &Text, form: &str) -> Result<T, Done> {
    serde_json::from_str(arguments.as_str()).map_err(|_| {
        let suggestion = format!("the arguments are one JSON object; {form}");
        spoken::wrong("invalid", "I did not get that quite right.", &suggestion)
    })
}

/// Trimmed, and on one line: a title is spoken and stands in a question.
fn line(words: &str) -> String {
    words.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
