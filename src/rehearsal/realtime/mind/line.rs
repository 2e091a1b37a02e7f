//! What every mind does about the line itself: tells machines from humans by what they say, works
//! menus, waits on hold, and calls for a human. Knows no numbers.

use serde_json::{Value, json};

use super::{Act, Mind, Moment, View, behind, phrase, say};
use crate::rehearsal::realtime::conversation::Entry;

const REPORT: &str = "report_answerer";
const PRESS: &str = "press_keys";
const HOLD: &str = "wait_on_hold";
const TRANSFER: &str = "transfer_to_human";

/// What it would have a human told who takes over.
const INTRODUCTION: &str = "Somebody is calling & wants to speak to a human, not to <me>.";

const MACHINE: &[&str] = &["after the tone", "after the beep", "leave a message"];
const PLEASE_HOLD: &[&str] = &["please hold", "hold the line"];
const A_HUMAN: &[&str] = &["speak to a human", "talk to a human", "a real person"];

/// Answers what concerns the line; the rest is the mind's.
pub(super) fn answer(mind: &dyn Mind, view: &View<'_>) -> Vec<Act> {
    match view.moment() {
        Moment::Heard(text) if view.offers(REPORT) => heard(mind, view, text),
        Moment::Answered { name: REPORT, arguments, .. } if who_in(arguments) == "human" => {
            // The words before the report are still to be answered.
            mind.answer(&View { entries: before_last_call(view.entries), ..*view })
        }
        Moment::Answered { name: REPORT | PRESS | HOLD, .. } => Vec::new(),
        Moment::Answered { name: behind::ASK | behind::ASK_LATER, output, .. } => {
            behind::answered(output)
        }
        Moment::Answered { name: TRANSFER, output, .. } => {
            let output: Value = serde_json::from_str(output).unwrap_or_default();
            output["spoken_message"].as_str().map_or(Vec::new(), say)
        }
        Moment::Heard(_)
        | Moment::Answered { .. }
        | Moment::Opening
        | Moment::Waiting
        | Moment::Idle => mind.answer(view),
    }
}

fn heard(mind: &dyn Mind, view: &View<'_>, text: &str) -> Vec<Act> {
    let known = reported(view.entries);
    if phrase::hears(text, MACHINE) {
        return if known == Some("voicemail") { Vec::new() } else { vec![report("voicemail")] };
    }
    if let Some(key) = key_for(text, mind.wants()) {
        let press = call(PRESS, &json!({ "keys": key }));
        return (known != Some("menu"))
            .then(|| report("menu"))
            .into_iter()
            .chain([press])
            .collect();
    }
    if phrase::hears(text, PLEASE_HOLD) {
        return vec![call(HOLD, &json!({}))];
    }
    if phrase::hears(text, A_HUMAN) && view.offers(TRANSFER) {
        let arguments = json!({ "reason": "asked for", "introduction": INTRODUCTION });
        return vec![call(TRANSFER, &arguments)];
    }
    if let Some(acts) = behind::heard(view, text) {
        return acts;
    }
    match known {
        Some("voicemail" | "menu" | "hold") if phrase::plain(text).is_empty() => Vec::new(),
        Some("voicemail" | "menu" | "hold") => vec![report("human")],
        Some(_) | None => mind.answer(view),
    }
}

fn report(who: &str) -> Act {
    call(REPORT, &json!({ "who": who }))
}

fn call(name: &str, arguments: &Value) -> Act {
    Act::Call { name: name.to_owned(), arguments: arguments.to_string() }
}

/// What was last reported of the other side.
fn reported(entries: &[Entry]) -> Option<&'static str> {
    entries.iter().rev().find_map(|entry| match entry {
        Entry::Call { name, .. } if name == HOLD => Some("hold"),
        Entry::Call { name, arguments, .. } if name == REPORT => Some(who_in(arguments)),
        Entry::Call { .. } | Entry::Output { .. } | Entry::Message { .. } => None,
    })
}

fn who_in(arguments: &str) -> &'static str {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    let said = arguments["who"].as_str().unwrap_or_default();
    ["human", "voicemail", "menu", "hold"].into_iter().find(|who| *who == said).unwrap_or("")
}

/// The key that a menu names for what is wanted: "press 1 for reservations".
fn key_for(text: &str, wanted: &str) -> Option<String> {
    let plain = phrase::plain(text);
    let choices = plain.split("press ").skip(1);
    let keyed = choices.filter_map(|choice| choice.split_once(" for "));
    let mut found = keyed.filter(|(_, what)| what.starts_with(wanted));
    found.next().map(|(key, _)| key.to_owned()).filter(|key| key.len() == 1)
}

/// The conversation before the last tool call.
fn before_last_call(entries: &[Entry]) -> &[Entry] {
    let at = entries.iter().rposition(|entry| matches!(entry, Entry::Call { .. }));
    &entries[..at.unwrap_or(entries.len())]
}
