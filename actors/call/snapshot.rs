//! The one view of a call that tests, operators and the API see: plain data.

use crate::briefing::Lifecycle;
use crate::record::Turn;

/// A call at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// How far it has come.
    pub lifecycle: Lifecycle,
    /// The phase of the machine, as a word.
    pub phase: &'static str,
    /// Whether a model session is in use.
    pub link: &'static str,
    /// Facts told so far.
    pub facts: u64,
    /// Completed turns, the last few.
    pub turns: Vec<Turn>,
    /// Tool calls made.
    pub tools: usize,
    /// Losses repaired.
    pub repairs: u32,
}
