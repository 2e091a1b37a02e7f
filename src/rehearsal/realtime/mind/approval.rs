//! Has an operation approved: asks the tool for the question, puts it, claims after a yes.

use super::{Act, Mind, Moment, View, phrase, say, task_line};

pub(super) struct Approval;

const TOOL: &str = "record_approval";
const ACCEPTED: &str = "Thank you, it is accepted. Goodbye.";
const DECLINED: &str = "All right, nothing will be done. Goodbye.";
const LATER: &str = "That did not work, so nothing will be done. Goodbye.";

/// What the server tells when a PIN has been entered that is right.
const RIGHT_PIN: &str = "entered the right PIN";

const YES: &[&str] = &["yes", "i accept", "go ahead"];
const NO: &[&str] = &["no", "i decline", "do not"];

impl Mind for Approval {
    fn answer(&self, view: &View<'_>) -> Vec<Act> {
        match view.moment() {
            Moment::Answered { output, .. } => match task_line::open_question(view) {
                Some((_, question)) => say(question),
                None if output.contains(r#""status":"success""#) => part_with(view, ACCEPTED),
                None => part_with(view, LATER),
            },
            Moment::Heard(text) => heard(view, text),
            Moment::Waiting => Vec::new(),
            Moment::Idle if view.was_told(RIGHT_PIN) => {
                task_line::open_question(view).map_or_else(Vec::new, |(again, _)| vec![again])
            }
            Moment::Opening | Moment::Idle => ask(view),
        }
    }

    fn lines(&self) -> &'static [&'static str] {
        &[ACCEPTED, DECLINED, LATER]
    }
}

fn heard(view: &View<'_>, text: &str) -> Vec<Act> {
    match task_line::open_question(view) {
        Some((again, _)) if phrase::hears(text, YES) => vec![again],
        Some(_) if phrase::hears(text, NO) => part_with(view, DECLINED),
        Some((_, question)) => say(question),
        None => ask(view),
    }
}

/// Asks for the question, or puts it once more.
fn ask(view: &View<'_>) -> Vec<Act> {
    match task_line::open_question(view) {
        Some((_, question)) => say(question),
        None if !view.has_called(TOOL) => {
            vec![Act::Call { name: TOOL.to_owned(), arguments: "{}".to_owned() }]
        }
        None => part_with(view, DECLINED),
    }
}

fn part_with(view: &View<'_>, words: &str) -> Vec<Act> {
    say(words).into_iter().chain(view.hang_up()).collect()
}
