//! What the edge reads back from the record, as plain rows, and the trait it reads them through.
//! Knows no database: a store on another engine gives the same rows.

use std::fmt;
use std::str::FromStr;

use futures_util::future::BoxFuture;
use tandem_actors::briefing::{CallId, Direction, Lifecycle, Outcome, Text};
use tandem_actors::carrier::{CarrierCallId, Number};
use tandem_actors::record::{Record, RecordError, Speaker};
use tandem_actors::tool::{ToolCallId, Verdict};

use super::desk::Tenure;
use super::floor::LiveRow;
use super::orders::Bounds;
use crate::account::Account;
use crate::persona::Manner;

/// A record that can be read, and settled after a crash.
pub trait Archive: Record {
    /// One call; none when it was never opened.
    fn call<'a>(&'a self, id: &'a CallId) -> Answer<'a, Option<CallRow>>;

    /// Calls, newest first, from behind `after`; at most `limit`, at most [`PAGE_MAX`].
    fn calls(&self, filter: CallFilter, after: Option<Cursor>, limit: u32) -> Answer<'_, Page>;

    /// The calls that are not over, oldest first; of one account where that is said.
    fn floor(&self, of: Option<Account>) -> Answer<'_, Vec<LiveRow>>;

    /// The conversation in its order.
    fn turns<'a>(&'a self, id: &'a CallId) -> Answer<'a, Vec<TurnRow>>;

    /// Events with a sequence number above `after`, in order, at most [`ROWS_MAX`]; ask again with
    /// the last number for more. A gap in the numbers is a fact that was dropped.
    fn events<'a>(&'a self, id: &'a CallId, after: u64) -> Answer<'a, Vec<EventRow>>;

    /// The tool calls in the order they were asked.
    fn tool_ledger<'a>(&'a self, id: &'a CallId) -> Answer<'a, Vec<LedgerRow>>;

    /// The questions put to the human, in their order.
    fn confirmations<'a>(&'a self, id: &'a CallId) -> Answer<'a, Vec<ConfirmationRow>>;

    /// A setting that was set before.
    fn setting<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Text>>;

    /// Keeps a setting; durable before it returns.
    fn set(&self, key: String, value: Text) -> Answer<'static, ()>;

    /// Finalizes every unfinished call of earlier runs of `node` (of all its runs, when that is
    /// another node than this one) and takes them over, so that a late writer is refused.
    ///
    /// A call that was still queued has never rung: `cancelled`. Any other: `system_error`. Both
    /// with the reason `node_lost` and an event. Jobs that were begun stay so: what came of them
    /// is not known. Queued calls are not dialled later: whoever ordered them was told nothing.
    fn settle_orphans(&self, node: String) -> Answer<'static, Vec<SettledCall>>;

    /// Takes over the calls that [`Archive::settle_orphans`] would end and that had been given to
    /// a carrier, without ending them: whoever asks for them asks the carrier, and ends each with
    /// [`Archive::end_orphan`] or has it live on. What is not ended is found by the next run.
    fn adopt_orphans(&self, node: String) -> Answer<'static, Vec<Orphan>>;

    /// Ends a call that was taken over, with an event; durable before it returns.
    fn end_orphan(&self, call: CallId, end: End) -> Answer<'static, ()>;

    /// Returns when everything told before is durable.
    fn flush(&self) -> Answer<'static, ()>;

    /// Who writes here.
    fn tenure(&self) -> &Tenure;
}

/// What a reading comes to.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, RecordError>>;

/// The most calls of one page: a page is held in memory and sent at once.
pub const PAGE_MAX: u32 = 200;

/// The most rows of one call read at once: an hour of lively talk has about two thousand.
pub const ROWS_MAX: u32 = 5_000;

/// A call as it stands. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRow {
    /// Its id.
    pub id: CallId,
    /// Whose it is.
    pub account: Account,
    /// Who rang.
    pub direction: Direction,
    /// The other party.
    pub remote: Number,
    /// Our number.
    pub local: Number,
    /// What it is for.
    pub task: Text,
    /// How it differs from other calls.
    pub manner: Manner,
    /// How far it has come.
    pub lifecycle: Lifecycle,
    /// What the network made of it; with the end.
    pub outcome: Option<Outcome>,
    /// Why it ended; with the end.
    pub reason: Option<String>,
    /// It is not known whether the carrier took the order to ring.
    pub submission_unknown: bool,
    /// The carrier's name for it.
    pub carrier_call: Option<CarrierCallId>,
    /// Who may write.
    pub owner: Tenure,
    /// When it was opened.
    pub queued_ms: i64,
    /// When the carrier was asked, or it rang here.
    pub dialing_ms: Option<i64>,
    /// When both sides could talk.
    pub answered_ms: Option<i64>,
    /// When it was over.
    pub finalized_ms: Option<i64>,
    /// From answer to the end.
    pub talk_ms: Option<i64>,
    /// What the model has used: a JSON object of tokens by figure; with the end, where it was told.
    pub usage: Option<String>,
    /// How its recording stands, where that had to be said or asked first: the last word of
    /// `Fact::Recording`.
    pub recording: Option<String>,
    /// When it began, where it had to wait.
    pub recorded_ms: Option<i64>,
    /// What it has brought back: a JSON object; none unless it was to bring something.
    pub result: Option<Text>,
    /// The call that it goes on from.
    pub follows: Option<CallId>,
    /// The campaign that it belongs to.
    pub campaign: Option<String>,
}

impl CallRow {
    /// From answer to the beginning of its recording, where that had to wait.
    #[must_use]
    pub fn recording_offset_ms(&self) -> Option<i64> {
        Some(self.recorded_ms? - self.answered_ms?)
    }
}

/// Which calls to list; the default is all.
#[derive(Clone, Debug, Default)]
pub struct CallFilter {
    /// Only calls that have come exactly this far.
    pub lifecycle: Option<Lifecycle>,
    /// Only calls of this direction.
    pub direction: Option<Direction>,
    /// Only calls with this outcome.
    pub outcome: Option<Outcome>,
    /// Only calls with this party.
    pub remote: Option<Number>,
    /// Only calls of this account.
    pub account: Option<Account>,
    /// Only calls that were over at this time since 1970, in milliseconds, or later.
    pub finalized_since_ms: Option<i64>,
}

/// A place in the list of calls. Its text is opaque to callers of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) queued_ms: i64,
    pub(super) id: String,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.queued_ms, self.id)
    }
}

/// The text is no cursor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (queued_ms, id) = text.split_once('.').ok_or(NoCursor)?;
        let queued_ms = queued_ms.parse().map_err(|_| NoCursor)?;
        Ok(Self { queued_ms, id: id.to_owned() })
    }
}

/// Some calls.
#[derive(Clone, Debug)]
pub struct Page {
    /// Newest first.
    pub calls: Vec<CallRow>,
    /// Where the next page begins; none behind the last.
    pub next: Option<Cursor>,
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    /// Its place among the events.
    pub sequence: u64,
    /// When it was complete.
    pub at_ms: i64,
    /// Who.
    pub speaker: Speaker,
    /// What was said; of ours, what was heard.
    pub text: Text,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in the call.
    pub sequence: u64,
    /// When.
    pub at_ms: i64,
    /// What kind: the variant of `Fact` in snake case.
    pub kind: String,
    /// A JSON object.
    pub body: Text,
}

/// How far a tool call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerState {
    /// The model asked; nothing has run.
    Asked,
    /// It was about to run; whether it did is known only with `Done`.
    Begun,
    /// It ran; verdict and output hold.
    Done,
}

impl LedgerState {
    /// The word in the API and the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Begun => "begun",
            Self::Done => "done",
        }
    }
}

/// One tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The model's id.
    pub tool_call: ToolCallId,
    /// The tool.
    pub name: String,
    /// JSON text.
    pub arguments: Text,
    /// SHA-256 of the arguments.
    pub arguments_hash: String,
    /// How far.
    pub state: LedgerState,
    /// How it went, or why it never began.
    pub verdict: Option<Verdict>,
    /// What the model was told, once done.
    pub output: Option<Text>,
    /// When it was asked.
    pub asked_ms: i64,
    /// When it began.
    pub begun_ms: Option<i64>,
    /// When its end was written.
    pub done_ms: Option<i64>,
}

/// One question to the human.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmationRow {
    /// The tool.
    pub name: String,
    /// The words.
    pub question: Text,
    /// When it was asked.
    pub asked_ms: i64,
    /// How it was settled; none while it is open.
    pub verdict: Option<String>,
    /// When.
    pub settled_ms: Option<i64>,
}

/// A call that an earlier run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledCall {
    /// The call.
    pub id: CallId,
    /// How far it had come.
    pub was: Lifecycle,
    /// What was written.
    pub outcome: Outcome,
    /// By which the carrier can be told to end it, where that was known.
    pub carrier_call: Option<CarrierCallId>,
}

/// A call that an earlier run had given to a carrier.
#[derive(Clone, Debug, PartialEq)]
pub struct Orphan {
    /// The call, as that run left it.
    pub call: CallRow,
    /// The number of the last fact that was told of it; 0 when none was.
    pub facts: u64,
    /// When that was.
    pub last_ms: Option<i64>,
    /// Who its other party may be talking with.
    pub with: With,
    /// What it may do; none where that was not kept.
    pub bounds: Option<Bounds>,
}

/// With whom the other party of an orphan was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// With that run.
    Us,
    /// A browser was rung for them, or had come: their line was held by that run.
    Browser,
    /// A human was rung for them by the carrier and has not failed to come: two humans may talk.
    Human,
}

/// How a call has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What the network made of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// From answer to the end, in milliseconds.
    pub talk_ms: u64,
}

const LIFECYCLES: [Lifecycle; 4] =
    [Lifecycle::Queued, Lifecycle::Dialing, Lifecycle::Answered, Lifecycle::Finalized];
const STATES: [LedgerState; 3] = [LedgerState::Asked, LedgerState::Begun, LedgerState::Done];

pub(super) fn direction_named(word: &str) -> Result<Direction, RecordError> {
    named(&[Direction::Inbound, Direction::Outbound], Direction::word, word)
}

pub(super) fn lifecycle_named(word: &str) -> Result<Lifecycle, RecordError> {
    named(&LIFECYCLES, Lifecycle::word, word)
}

pub(super) fn outcome_named(word: &str) -> Result<Outcome, RecordError> {
    named(&Outcome::ALL, Outcome::word, word)
}

pub(super) fn speaker_named(word: &str) -> Result<Speaker, RecordError> {
    named(&[Speaker::Caller, Speaker::Agent], Speaker::word, word)
}

pub(super) fn verdict_named(word: &str) -> Result<Verdict, RecordError> {
    named(&Verdict::ALL, Verdict::word, word)
}

pub(super) fn state_named(word: &str) -> Result<LedgerState, RecordError> {
    named(&STATES, LedgerState::word, word)
}

/// The value with that word. The words are ours, so that the word may stand in the error.
pub(super) fn named<T: Copy>(
    all: &[T],
    word_of: fn(T) -> &'static str,
    word: &str,
) -> Result<T, RecordError> {
    let found = all.iter().copied().find(|&value| word_of(value) == word);
    found.ok_or_else(|| RecordError(format!("the word {word:?} is not known in its column")))
}
