//! Gives back what it heard, so that a listener can compare; tells a story when asked for one.
//! The mind of the load test, and of every session whose instructions name no other.

use super::{Act, Mind, Moment, View, phrase, say};

pub(super) struct Chatter;

const GREETING: &str = "Hello. I am listening.";
const WHAT: &str = "Sorry, I did not catch that.";
const STILL_HERE: &str = "I am still here.";
const GOODBYE: &str = "Goodbye.";

/// Long enough that everybody interrupts it.
const STORY: &str = "Once upon a time there was a telephone exchange in a small town by the sea. \
    Every evening the operator sat down at the board and joined one caller to the next. \
    One night a storm came up and the lines began to sing. \
    She held the last good line in her hand until the morning, and not one call was lost.";

/// How often the story is told to a caller who wants no end: minutes of speech, yet bounded.
const TELLINGS: usize = 10;

impl Mind for Chatter {
    fn answer(&self, view: &View<'_>) -> Vec<Act> {
        match view.moment() {
            Moment::Opening => say(GREETING),
            Moment::Heard(text) => {
                let untold = view.untold().map(Act::Say);
                untold.into_iter().chain(heard(view, text)).collect()
            }
            Moment::Answered { name: "hang_up", .. } | Moment::Waiting => Vec::new(),
            Moment::Answered { output, .. } => {
                let answer: serde_json::Value = serde_json::from_str(output).unwrap_or_default();
                say(answer["spoken_message"].as_str().unwrap_or("That is done."))
            }
            Moment::Idle => say(STILL_HERE),
        }
    }

    fn lines(&self) -> &'static [&'static str] {
        &[GREETING, WHAT, STILL_HERE, GOODBYE, STORY]
    }
}

fn heard(view: &View<'_>, text: &str) -> Vec<Act> {
    if phrase::plain(text).is_empty() {
        return say(WHAT);
    }
    if phrase::hears(text, &["tell me a story"]) {
        return say(STORY);
    }
    if phrase::hears(text, &["keep talking"]) {
        return vec![Act::Say(STORY.to_owned()); TELLINGS];
    }
    if phrase::hears(text, &["goodbye"]) {
        return say(GOODBYE).into_iter().chain(view.hang_up()).collect();
    }
    if let Some(spoken) = phrase::after(text, &["use the tool "]) {
        let wanted = phrase::plain(spoken);
        if let Some(tool) = view.tools.iter().find(|tool| phrase::plain(tool) == wanted) {
            return vec![Act::Call { name: tool.clone(), arguments: "{}".to_owned() }];
        }
    }
    say(format!("You said: {}.", text.trim_end_matches(['.', ' ', '!', '?'])))
}
