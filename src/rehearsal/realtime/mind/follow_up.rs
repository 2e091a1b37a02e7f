//! Goes on where another call ended: says so, says what it wants now, and reports what came of it.

use serde_json::json;

use super::{Act, Mind, Moment, View, phrase, say};
use crate::rehearsal::realtime::conversation::{Entry, Role};

pub(super) struct FollowUp;

/// In front of what is wanted, in the first line of the task.
const LEAD: &str = "This is a follow-up call. ";

const HELLO: &str = "Hello, this is a follow-up to our call.";
const THAT_IS_ALL: &str = "No, that is all. Thank you, goodbye.";
const PITY: &str = "That is a pity. Thank you anyway, goodbye.";
const NAME: &str = "Under the same name as before, please.";
const WHAT: &str = "Sorry, I did not catch that.";
const STILL_THERE: &str = "Are you still there?";
const REPORT: &str = "report_result";

const AGREED: &[&str] = &["is yours", "very well", "anything else"];
const REFUSED: &[&str] = &["fully booked", "no table", "are closed"];
const REPEAT: &[&str] = &["still there", "again", "pardon", "hello hello"];
const FAREWELL: &[&str] = &["goodbye", "bye"];

impl Mind for FollowUp {
    fn answer(&self, view: &View<'_>) -> Vec<Act> {
        match view.moment() {
            Moment::Opening => say(opening(view)),
            Moment::Heard(text) => heard(view, text),
            Moment::Answered { .. } | Moment::Waiting => Vec::new(),
            Moment::Idle if !view.has_begun(&opening(view)) => say(opening(view)),
            Moment::Idle => say(STILL_THERE),
        }
    }

    fn lines(&self) -> &'static [&'static str] {
        &[THAT_IS_ALL, PITY, NAME, WHAT, STILL_THERE]
    }

    fn message(&self) -> &'static str {
        "Hello, this is a follow-up to our call. Please call back. Goodbye."
    }
}

fn opening(view: &View<'_>) -> String {
    let wanted = view.instructions.lines().find_map(|line| line.split_once(LEAD));
    format!("{HELLO} {}", wanted.map_or("", |(_, wanted)| wanted))
}

fn heard(view: &View<'_>, text: &str) -> Vec<Act> {
    let opening = opening(view);
    if !view.has_begun(&opening) || phrase::hears(text, REPEAT) {
        return say(opening);
    }
    if phrase::hears(text, REFUSED) {
        return part_with(view, PITY, false);
    }
    if phrase::hears(text, AGREED) {
        return part_with(view, THAT_IS_ALL, true);
    }
    if phrase::hears(text, &["name"]) {
        return say(NAME);
    }
    if phrase::hears(text, FAREWELL) {
        return view.hang_up().into_iter().collect();
    }
    say(WHAT)
}

fn part_with(view: &View<'_>, line: &str, agreed: bool) -> Vec<Act> {
    let reported = view.tools.iter().any(|tool| tool == REPORT) && !view.has_called(REPORT);
    let report = reported.then(|| {
        let words = last_heard(view);
        let status = if agreed { "achieved" } else { "blocked" };
        let data = json!({ "agreed": agreed, "terms": words });
        let told = json!({ "status": status, "evidence": words, "data": data });
        Act::Call { name: REPORT.to_owned(), arguments: told.to_string() }
    });
    say(line).into_iter().chain(report).chain(view.hang_up()).collect()
}

fn last_heard<'a>(view: &View<'a>) -> Option<&'a str> {
    view.entries.iter().rev().find_map(|entry| match entry {
        Entry::Message { role: Role::User, text } => Some(text.as_str()),
        Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => None,
    })
}
