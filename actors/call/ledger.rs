//! The tools of a call: what was asked, what runs, what the model has been told. Pure.

use std::time::Duration;

use crate::clock::Instant;
use crate::model::ResponseId;
use crate::tool::{Done, Job, Risk, ToolCallId};

/// Tool calls one call may make. A person asks for a few; a model in a loop is stopped here.
const MOST_CALLS: usize = 200;

/// Tool calls one turn of the caller may lead to before the model is told to stop.
pub const MOST_PER_TURN: u32 = 8;

/// The tool calls of one call.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: Vec<Row>,
}

/// One tool call.
#[derive(Debug)]
pub struct Row {
    /// The order.
    pub job: Job,
    /// The response that asked.
    pub response: ResponseId,
    /// What the tool may do.
    pub risk: Risk,
    /// When it was asked.
    pub asked: Instant,
    /// How far it is.
    pub state: State,
}

/// How far a tool call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its exact effect is being looked up, to ask the human.
    ReadingBack,
    /// A second ask of a confirmed action waits for the judge.
    Judging,
    /// The caller enters on the keypad what it asks for.
    Taking,
    /// It runs.
    Running,
    /// The model has its output.
    Told(Done),
}

impl Ledger {
    /// Whether this tool call is known: a model may deliver one twice.
    #[must_use]
    pub fn knows(&self, id: &ToolCallId) -> bool {
        self.rows.iter().any(|row| row.job.id == *id)
    }

    /// Whether there is no room for another.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows.len() >= MOST_CALLS
    }

    /// Enters a new tool call.
    pub fn enter(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// The row of a tool call.
    pub fn row(&mut self, id: &ToolCallId) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.job.id == *id)
    }

    /// The output has been told. Returns the time it took, nothing when it was told before.
    pub fn told(
        &mut self,
        id: &ToolCallId,
        done: Done,
        now: Instant,
    ) -> Option<(String, Duration)> {
        let row = self.row(id)?;
        if matches!(row.state, State::Told(_)) {
            return None;
        }
        row.state = State::Told(done);
        Some((row.job.name.clone(), now - row.asked))
    }

    /// Whether any tool of this response is not answered yet.
    #[must_use]
    pub fn is_open(&self, response: &ResponseId) -> bool {
        self.rows
            .iter()
            .any(|row| row.response == *response && !matches!(row.state, State::Told(_)))
    }

    /// When the oldest unanswered tool call was asked.
    #[must_use]
    pub fn waiting_since(&self) -> Option<Instant> {
        self.open().map(|row| row.asked).min()
    }

    /// The unanswered tool call that was asked first.
    #[must_use]
    pub fn oldest_open(&self) -> Option<&Row> {
        self.open().min_by_key(|row| row.asked)
    }

    /// The tool calls without an answer.
    pub fn open(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !matches!(row.state, State::Told(_)))
    }

    /// How many tool calls the call has made.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no tool has been asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A JSON string. The one piece of JSON this crate writes, so that a machine without a JSON
/// library can answer a tool call.
#[must_use]
pub fn quoted(words: &str) -> String {
    let mut text = String::with_capacity(words.len() + 2);
    text.push('"');
    for c in words.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            c if u32::from(c) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_model() {
        assert_eq!(quoted("a \"b\" \\ \n"), r#""a \"b\" \\ \u000a""#);
    }
}
