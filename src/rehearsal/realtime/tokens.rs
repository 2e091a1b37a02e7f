//! What a response of the simulated server costs, in tokens: counted from the text and the audio
//! that really passed, at the rates the real service documents. Knows no wire but its own account.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::time::Duration;

use serde_json::{Value, json};

/// About four letters of English are a token (OpenAI, "What are tokens").
const LETTERS: usize = 4;

/// What the caller said is a token every 100 ms, what the model said one every 50 ms (OpenAI,
/// Realtime API, "Managing costs").
const HEARD: Duration = Duration::from_millis(100);
const SPOKEN: Duration = Duration::from_millis(50);

/// Tokens of text and of audio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) text: u64,
    pub(super) audio: u64,
}

impl Tokens {
    pub(super) fn of_text(text: &str) -> Self {
        Self { text: text.len().div_ceil(LETTERS) as u64, audio: 0 }
    }

    pub(super) fn heard(lasted: Duration) -> Self {
        Self { text: 0, audio: begun(lasted, HEARD) }
    }

    pub(super) fn spoken(lasted: Duration) -> Self {
        Self { text: 0, audio: begun(lasted, SPOKEN) }
    }

    const fn all(self) -> u64 {
        self.text + self.audio
    }
}

/// How many pieces of this length there are in it, the last one begun.
fn begun(lasted: Duration, piece: Duration) -> u64 {
    lasted.as_millis().div_ceil(piece.as_millis()) as u64
}

impl Add for Tokens {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { text: self.text + more.text, audio: self.audio + more.audio }
    }
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl Sum for Tokens {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// What a model reads before the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Preface {
    tokens: Tokens,
    text: u64,
}

impl Preface {
    pub(super) fn new(instructions: &str, tools: &Value) -> Self {
        let tools = tools.to_string();
        let mut text = DefaultHasher::new();
        (instructions, &tools).hash(&mut text);
        let tokens = Tokens::of_text(instructions) + Tokens::of_text(&tools);
        Self { tokens, text: text.finish() }
    }
}

/// What a model has read for a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// All of it.
    pub(super) input: Tokens,
    /// Of it, what it had read for the response before and what stands before everything new.
    /// The real service keeps only beginnings of 1,024 tokens and more.
    pub(super) cached: Tokens,
}

/// What was read for the last response.
#[derive(Debug, Default)]
pub(super) struct Memory {
    preface: Option<Preface>,
    /// Items that have not changed since.
    items: usize,
}

impl Memory {
    /// Reads everything once more.
    pub(super) fn read(&mut self, preface: Preface, items: &[Tokens]) -> Reading {
        let sum = |items: &[Tokens]| preface.tokens + items.iter().copied().sum();
        let cached = match self.preface == Some(preface) {
            true => sum(&items[..self.items]),
            false => Tokens::default(),
        };
        *self = Self { preface: Some(preface), items: items.len() };
        Reading { input: sum(items), cached }
    }

    /// The item at this place is another one now; so is all that follows.
    pub(super) fn changed(&mut self, at: usize) {
        self.items = self.items.min(at);
    }
}

/// The `usage` of a response that has read this and given that (`response.done` in the
/// reference).
pub(super) fn usage(reading: Reading, output: Tokens) -> Value {
    let Reading { input, cached } = reading;
    json!({
        "total_tokens": input.all() + output.all(),
        "input_tokens": input.all(),
        "output_tokens": output.all(),
        "input_token_details": {
            "text_tokens": input.text,
            "audio_tokens": input.audio,
            "cached_tokens": cached.all(),
            "cached_tokens_details": { "text_tokens": cached.text, "audio_tokens": cached.audio },
        },
        "output_token_details": { "text_tokens": output.text, "audio_tokens": output.audio },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn text_and_audio_are_counted_at_their_rates() {
        assert_eq!(Tokens::of_text("").all() + Tokens::heard(Duration::ZERO).all(), 0);
        assert_eq!(Tokens::of_text("Hello").text, 2);
        assert_eq!((Tokens::heard(SECOND).audio, Tokens::spoken(SECOND).audio), (10, 20));
        assert_eq!(Tokens::spoken(SECOND + Duration::from_millis(1)).audio, 21);
    }

    #[test]
    fn what_was_read_before_and_has_not_changed_is_cached() {
        let preface = Preface::new("Be brief.", &json!([]));
        let items = [Tokens::heard(SECOND), Tokens::spoken(SECOND), Tokens::heard(SECOND)];
        let mut memory = Memory::default();
        assert_eq!(memory.read(preface, &items[..1]).cached, Tokens::default());
        let second = memory.read(preface, &items);
        assert_eq!(second.cached, preface.tokens + items[0]);
        assert_eq!(second.input.audio, 40);
        memory.changed(1);
        assert_eq!(memory.read(preface, &items).cached, preface.tokens + items[0]);
        let other = Preface::new("Be brief. Say goodbye.", &json!([]));
        assert_eq!(memory.read(other, &items).cached, Tokens::default());
    }
}
