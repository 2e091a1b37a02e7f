//! What every mind does about itself because its instructions say so: opens the call with the
//! words it was given, and says that it is an AI, first or when asked. A real model reads the
//! same lines.

use super::{Act, Mind, Moment, View, line, phrase, say};

/// In front of the words to open with, on a line of their own and in quotes.
const OPENING: &str = "Opening: \"";

const FIRST: &str = "before anything else you say in this call";
const WHEN_ASKED: &str = "say at once that you are an ai assistant";

const QUESTIONS: &[&str] = &[
    "are you a robot",
    "are you a machine",
    "are you a human",
    "are you human",
    "are you an ai",
    "is this a recording",
];

const INTRODUCTION: &str = "This is an AI assistant.";
const ANSWER: &str = "I am an AI assistant.";

/// Answers what concerns itself; the rest is the line's and the mind's.
pub(super) fn answer(mind: &dyn Mind, view: &View<'_>) -> Vec<Act> {
    if let Moment::Heard(text) = view.moment()
        && is_told(view, WHEN_ASKED)
        && phrase::hears(text, QUESTIONS)
    {
        return say(ANSWER);
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
