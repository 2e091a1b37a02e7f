//! What every mind does about itself because its instructions say so: opens the call with the
//! words it was given, and says that it is an AI, first or when asked. A real model reads the
//! same lines.

use super::{Act, Mind, Moment, View, line, phrase, say};
use crate::rehearsal::realtime::conversation::{Entry, Role};

/// In front of the words to open with, on a line of their own and in quotes.
const OPENING: &str = "Opening: \"";

const FIRST: &str = "before anything else you say in this call";

/// What it is once more, when a tool was refused because that was not heard.
const NOT_DISCLOSED: &str = r#""reason":"not_disclosed""#;

const WHEN_ASKED: &str = "say at once that you are an ai assistant";

const QUESTIONS: &[&str] = &[
    "are you a robot",
    "are you a machine",
    "are you a human",
    "are you human",
    "are you an ai",
    "is this a recording",
];

pub(super) const INTRODUCTION: &str = "This is an AI assistant.";
const ANSWER: &str = "I am an AI assistant.";

/// Answers what concerns itself; the rest is the line's and the mind's.
pub(super) fn answer(mind: &dyn Mind, view: &View<'_>) -> Vec<Act> {
    if let Moment::Heard(text) = view.moment()
        && is_told(view, WHEN_ASKED)
        && phrase::hears(text, QUESTIONS)
    {
        return say(ANSWER);
    }
    if let Some(again) = refused(view) {
        return vec![again];
    }
    let acts = line::answer(mind, view);
    let speaks = !acts.is_empty() && acts.iter().all(|act| matches!(act, Act::Say(_)));
    let acts = match opening(view.instructions) {
        Some(words) if speaks && !has_opened(view) => say(words),
        Some(_) | None => acts,
    };
    introduced(view, acts)
}

/// What it says, with what it is in front where that is wanted and was not heard yet.
pub(super) fn introduced(view: &View<'_>, mut acts: Vec<Act>) -> Vec<Act> {
    if is_told(view, FIRST) && !view.own_words().contains("ai assistant") {
        let first = acts.iter_mut().find_map(|act| match act {
            Act::Say(words) => Some(words),
            Act::Call { .. } => None,
        });
        if let Some(words) = first {
            *words = format!("{INTRODUCTION} {words}");
        }
    }
    acts
}

/// The tool that was refused before it was known what it is; it is known now, and nobody has spoken
/// since.
fn refused(view: &View<'_>) -> Option<Act> {
    let last = view.entries.iter().rev().find(|entry| match entry {
        Entry::Message { role, .. } => *role == Role::User,
        Entry::Call { .. } | Entry::Output { .. } => true,
    });
    let Some(Entry::Output { call_id, output }) = last else { return None };
    if !output.contains(NOT_DISCLOSED) || !view.own_words().contains("ai assistant") {
        return None;
    }
    let (name, arguments) = view.call(call_id)?;
    Some(Act::Call { name: name.to_owned(), arguments: arguments.to_owned() })
}

/// Without the rule to say first what it is.
pub(super) fn without_first(instructions: &str) -> String {
    let skipped = |line: &&str| !line.to_ascii_lowercase().contains(FIRST);
    instructions.lines().filter(skipped).collect::<Vec<_>>().join("\n")
}

fn opening(instructions: &str) -> Option<&str> {
    let line = instructions.lines().find_map(|line| line.strip_prefix(OPENING))?;
    Some(&line[..line.rfind('"')?])
}

/// Whether anything but what it is was heard of it.
fn has_opened(view: &View<'_>) -> bool {
    let words = view.own_words().replace(&phrase::plain(INTRODUCTION), "");
    !words.trim().is_empty()
}

fn is_told(view: &View<'_>, words: &str) -> bool {
    view.instructions.to_ascii_lowercase().contains(words)
}
