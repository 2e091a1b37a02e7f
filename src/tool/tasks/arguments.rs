//! A model's JSON arguments as typed values, or an answer that says what is wrong with them.
//! Fields nobody knows are ignored, `confirmed` among them.

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tandem_actors::briefing::Text;
use tandem_actors::tool::Done;

use super::spoken::{self, Day};
use crate::store::Priority;

/// Characters of a title: what one sentence holds, and what can be read back on the phone.
const TITLE_MAX: usize = 200;

/// Characters of an identifier: a title and some words around it.
const IDENTIFIER_MAX: usize = 400;

/// A checked order to create a task.
pub(super) struct NewTask {
    pub(super) title: Text,
    pub(super) due: Option<Date>,
    pub(super) priority: Priority,
}

#[derive(Deserialize)]
struct CreateArguments {
    title: String,
    due_date: Option<String>,
    priority: Option<Priority>,
}

impl NewTask {
    pub(super) fn parse(arguments: &Text, day: Day) -> Result<Self, Done> {
        let asked: CreateArguments = parse(arguments)?;
        let title = line(&asked.title);
        if title.is_empty() {
            return Err(spoken::invalid(
                "I did not get what the task is.",
                "ask for the title of the task",
            ));
        }
        if title.chars().count() > TITLE_MAX {
            return Err(spoken::invalid(
                "That is too long for a task.",
                &format!("use a title of at most {TITLE_MAX} characters"),
            ));
        }
        let due = match asked.due_date.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(written) => Some(due_date(written, day)?),
        };
        let priority = asked.priority.unwrap_or(Priority::Medium);
        Ok(Self { title: Text(title), due, priority })
    }
}

/// A past date is nearly always a model's wrong year, so it is asked about.
fn due_date(written: &str, day: Day) -> Result<Date, Done> {
    let today = day.today;
    let suggestion = format!("today is {today}; give due_date as YYYY-MM-DD, from today on");
    let iso = written.len() == "YYYY-MM-DD".len();
    match written.parse::<Date>() {
        Ok(date) if iso && date >= today => Ok(date),
        Ok(_) if iso => Err(spoken::invalid("That date is in the past.", &suggestion)),
        Ok(_) | Err(_) => Err(spoken::invalid("I did not understand the date.", &suggestion)),
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
    /// Monday to Sunday around today.
    ThisWeek,
}

/// A checked order to list tasks.
#[derive(Clone, Copy)]
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
        let ListArguments { status, due_filter } = parse(arguments)?;
        Ok(Self { status: status.unwrap_or_default(), due: due_filter.unwrap_or_default() })
    }
}

/// How a task was named.
pub(super) struct Identified(pub(super) String);

#[derive(Deserialize)]
struct IdentifiedArguments {
    task_identifier: Identifier,
}

/// Models write "number two" as 2 now and then.
#[derive(Deserialize)]
#[serde(untagged)]
enum Identifier {
    Words(String),
    Number(u32),
}

impl Identified {
    pub(super) fn parse(arguments: &Text) -> Result<Self, Done> {
        let IdentifiedArguments { task_identifier } = parse(arguments)?;
        let said = match task_identifier {
            Identifier::Words(words) => line(&words),
            Identifier::Number(number) => number.to_string(),
        };
        if said.is_empty() || said.chars().count() > IDENTIFIER_MAX {
            return Err(spoken::invalid("I did not get which task you mean.", "ask which task"));
        }
        Ok(Self(said))
    }
}

fn parse<T: DeserializeOwned>(arguments: &Text) -> Result<T, Done> {
    serde_json::from_str(arguments.as_str()).map_err(|error| {
        // The model may read its own mistake; nobody else does.
        spoken::invalid("I did not get that quite right.", &format!("fix the arguments: {error}"))
    })
}

/// Trimmed, and on one line: a title is spoken and stands in a question.
fn line(words: &str) -> String {
    words.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
