//! Rings a restaurant and books a table for Sam.

use super::{Act, Mind, Moment, View, calendar, phrase, say};
use crate::rehearsal::realtime::conversation::{Entry, Role};

pub(super) struct Reservation;

const OPENING: &str = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
const NAME: &str = "Under the name Sam, please.";
const THAT_IS_ALL: &str = "No, that is all. Thank you, goodbye.";
const THANKS_ANYWAY: &str = "That is a pity. Thank you anyway, goodbye.";
const YES: &str = "Yes, please.";
const WHAT: &str = "Sorry, I did not catch that.";
const MESSAGE: &str = "Hello, I am calling for Sam. He asks for a table for four at seven tonight. \
    Please call back. Goodbye.";
const REPORT: &str = "report_result";
const STILL_THERE: &str = "Are you still there?";

/// What hearing something leads to.
#[derive(Clone, Copy)]
enum Then {
    Repeat,
    Say(&'static str),
    WriteDown,
    SayAndHangUp(&'static str),
    HangUp,
}

/// The first row that was heard decides.
const RULES: &[(&[&str], Then)] = &[
    (&["still there", "again", "pardon", "hello hello"], Then::Repeat),
    (&["anything else"], Then::WriteDown),
    (&["fully booked", "no table", "are closed"], Then::SayAndHangUp(THANKS_ANYWAY)),
    (&["name"], Then::Say(NAME)),
    (&["goodbye", "bye"], Then::HangUp),
];

impl Mind for Reservation {
    fn answer(&self, view: &View<'_>) -> Vec<Act> {
        match view.moment() {
            Moment::Opening => say(OPENING),
            Moment::Heard(text) => heard(view, text),
            Moment::Answered { name: "create_task", .. } => part_with(view, THAT_IS_ALL),
            Moment::Answered { .. } | Moment::Waiting => Vec::new(),
            Moment::Idle if !view.has_begun(OPENING) => say(OPENING),
            Moment::Idle => say(STILL_THERE),
        }
    }

    fn lines(&self) -> &'static [&'static str] {
        &[OPENING, NAME, THAT_IS_ALL, THANKS_ANYWAY, YES, WHAT, STILL_THERE, MESSAGE]
    }

    fn message(&self) -> &'static str {
        MESSAGE
    }

    fn wants(&self) -> &'static str {
        "reservation"
    }
}

fn heard(view: &View<'_>, text: &str) -> Vec<Act> {
    if !view.has_begun(OPENING) {
        return say(OPENING);
    }
    let rule = RULES.iter().find(|(phrases, _)| phrase::hears(text, phrases));
    match rule.map(|(_, then)| *then) {
        Some(Then::Repeat) => {
            say(view.last_sentence(Reservation.lines()).unwrap_or_else(|| OPENING.to_owned()))
        }
        Some(Then::Say(line)) => say(line),
        Some(Then::WriteDown) => write_down(view),
        Some(Then::SayAndHangUp(line)) => part_with(view, line),
        Some(Then::HangUp) => view.hang_up().into_iter().collect(),
        None if !view.has_said(OPENING) => say(OPENING),
        None if phrase::plain(text).is_empty() => say(WHAT),
        None => say(YES),
    }
}

/// Everything is agreed: noted as a task once, then good-bye.
fn write_down(view: &View<'_>) -> Vec<Act> {
    if !view.offers("create_task") || view.has_called("create_task") {
        return part_with(view, THAT_IS_ALL);
    }
    let mut arguments = serde_json::json!({
        "title": "Table for four at seven at Luigi's",
        "priority": "high",
    });
    // "Tonight" is the day that the instructions give.
    if let Some(today) = calendar::today(view.instructions) {
        arguments["due_date"] = today.into();
    }
    vec![Act::Call { name: "create_task".to_owned(), arguments: arguments.to_string() }]
}

fn part_with(view: &View<'_>, line: &str) -> Vec<Act> {
    say(line).into_iter().chain(report(view, line)).chain(view.hang_up()).collect()
}

/// What whoever ordered the call wants back, where they want something: whether there is a table,
/// by the restaurant's own words.
fn report(view: &View<'_>, line: &str) -> Option<Act> {
    if !view.offers(REPORT) || view.has_called(REPORT) {
        return None;
    }
    let evidence = view.entries.iter().rev().find_map(|entry| match entry {
        Entry::Message { role: Role::User, text } => Some(text.as_str()),
        Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => None,
    });
    let arguments = match line {
        THANKS_ANYWAY => serde_json::json!({ "status": "blocked", "evidence": evidence }),
        _ => serde_json::json!({
            "status": "achieved",
            "evidence": evidence,
            "data": { "available": true, "time": "19:00" },
        }),
    };
    Some(Act::Call { name: REPORT.to_owned(), arguments: arguments.to_string() })
}
