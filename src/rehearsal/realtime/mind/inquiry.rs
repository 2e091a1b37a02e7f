//! Asks for information and agrees to nothing: puts its question, then what it costs and whether
//! it is held, and reports what it has heard, in the words it has heard.

use serde_json::{Map, Value, json};

use super::{Act, Mind, Moment, View, phrase, say};
use crate::rehearsal::realtime::conversation::{Entry, Role};

pub(super) struct Inquiry;

/// In front of the question, in the first line of the task.
const QUESTION: &str = "Question: ";

const HELLO: &str = "Hello, just a question.";
const PRICE: &str = "What does it cost?";
const HOLD: &str = "Would you hold it, and until when?";
const THANKS: &str = "Thank you, goodbye.";
const PITY: &str = "That is a pity. Thank you anyway, goodbye.";
const STILL_THERE: &str = "Are you still there?";
const REPORT: &str = "report_result";

const NOTHING: &[&str] = &["fully booked", "no table", "are closed", "we have nothing"];
const REPEAT: &[&str] = &["still there", "again", "pardon", "hello hello"];
const FAREWELL: &[&str] = &["goodbye", "bye"];
const NO_MONEY_NEEDED: &[&str] = &["without payment", "no deposit", "for free"];

/// Times, as they are spoken.
const TIMES: [&str; 7] = ["at five", "at six", "at seven", "at eight", "at nine", "at ten", "now"];

/// What is put to them twice without an answer is left alone.
const PUT_MAX: usize = 2;

impl Mind for Inquiry {
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
        &[PRICE, HOLD, THANKS, PITY, STILL_THERE]
    }
}

fn question<'a>(view: &View<'a>) -> &'a str {
    let line = view.instructions.lines().find_map(|line| line.split_once(QUESTION));
    line.map_or("Is it to be had?", |(_, question)| question)
}

fn opening(view: &View<'_>) -> String {
    format!("{HELLO} {}", question(view))
}

fn heard(view: &View<'_>, text: &str) -> Vec<Act> {
    let opening = opening(view);
    if !view.has_begun(&opening) {
        return say(opening);
    }
    if phrase::hears(text, FAREWELL) {
        return report(view).into_iter().chain(view.hang_up()).collect();
    }
    if phrase::hears(text, NOTHING) {
        return part_with(view, PITY);
    }
    let put = last_put(view, &opening);
    if phrase::hears(text, REPEAT) && times(view, put) < PUT_MAX {
        return say(put);
    }
    let next = [PRICE, HOLD].into_iter().find(|line| !view.has_begun(line));
    next.map_or_else(|| part_with(view, THANKS), say)
}

/// What was put to them last.
fn last_put<'a>(view: &View<'_>, opening: &'a str) -> &'a str {
    [HOLD, PRICE].into_iter().find(|line| view.has_begun(line)).unwrap_or(opening)
}

fn times(view: &View<'_>, line: &str) -> usize {
    view.own_words().matches(&phrase::plain(line)).count()
}

fn part_with(view: &View<'_>, line: &str) -> Vec<Act> {
    say(line).into_iter().chain(report(view)).chain(view.hang_up()).collect()
}

/// What they said to a line of ours: everything up to our next one.
fn reply_to<'a>(view: &View<'a>, line: &str) -> Option<&'a str> {
    let line = phrase::plain(line);
    let mut asked = false;
    let mut reply = None;
    for entry in view.entries {
        match entry {
            // Whoever asks whether they are still there has not asked something else.
            Entry::Message { role: Role::Assistant, text }
                if phrase::plain(text) == phrase::plain(STILL_THERE) => {}
            Entry::Message { role: Role::Assistant, text } => {
                asked = line.ends_with(&phrase::plain(text)) || phrase::plain(text).contains(&line);
            }
            Entry::Message { role: Role::User, text } if asked && !phrase::hears(text, REPEAT) => {
                reply = Some(text.as_str());
            }
            Entry::Message { .. } | Entry::Call { .. } | Entry::Output { .. } => {}
        }
    }
    reply.filter(|reply| !reply.is_empty())
}

fn report(view: &View<'_>) -> Option<Act> {
    if !view.tools.iter().any(|tool| tool == REPORT) || view.has_called(REPORT) {
        return None;
    }
    let mut told = match reply_to(view, &opening(view)) {
        Some(answer) => {
            json!({ "status": "achieved", "evidence": answer, "data": learned(view, answer) })
        }
        None => json!({ "status": "unclear", "evidence": "", "missing": "an answer" }),
    };
    if view.instructions.contains("`decision_needed`") {
        for_campaign(&mut told);
    }
    Some(Act::Call { name: REPORT.to_owned(), arguments: told.to_string() })
}

/// What whoever keeps a campaign wants to know besides.
fn for_campaign(told: &mut Value) {
    let words = told["evidence"].clone();
    if told["data"]["available"] == true {
        told["decision_needed"] = "Whether it is taken.".into();
    } else {
        told["blocker"] = words;
        told["next_action"] = "Ask for another time.".into();
    }
}

/// Only what was said, each thing with the words for it.
fn learned(view: &View<'_>, answer: &str) -> Value {
    let (mut data, mut words) = (Map::new(), Map::new());
    data.insert("available".to_owned(), phrase::hears(answer, &["yes"]).into());
    words.insert("available".to_owned(), answer.into());
    let is_to_be_had = !phrase::hears(answer, NOTHING);
    if let Some(time) = TIMES.into_iter().rfind(|time| phrase::hears(answer, &[time]))
        && is_to_be_had
    {
        data.insert("timing".to_owned(), time.into());
        words.insert("timing".to_owned(), answer.into());
    }
    if let Some((reply, price)) =
        reply_to(view, PRICE).and_then(|reply| Some((reply, euros(reply)?)))
    {
        data.insert("price".to_owned(), price.into());
        data.insert("currency".to_owned(), "EUR".into());
        words.insert("price".to_owned(), reply.into());
    }
    if let Some(reply) = reply_to(view, HOLD) {
        data.insert("hold".to_owned(), held(reply));
        words.insert("hold".to_owned(), reply.into());
    }
    data.insert("words".to_owned(), words.into());
    data.into()
}

fn euros(reply: &str) -> Option<u32> {
    let plain = phrase::plain(reply);
    let words: Vec<&str> = plain.split(' ').collect();
    words.windows(2).find_map(|pair| {
        let price = pair[0].parse().ok()?;
        ["euro", "euros"].contains(&pair[1]).then_some(price)
    })
}

fn held(reply: &str) -> Value {
    if !phrase::hears(reply, &["yes"]) {
        return json!({ "possible": false });
    }
    let mut hold = json!({
        "possible": true,
        "without_payment": phrase::hears(reply, NO_MONEY_NEEDED),
    });
    let plain = phrase::plain(reply);
    if let Some(until) = plain.split_once("until ").and_then(|(_, rest)| rest.split(' ').next()) {
        hold["until"] = until.into();
    }
    hold
}
