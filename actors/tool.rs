//! The port to tools: what a tool promises, how it is asked, how it answers.
//! Arguments and results are JSON text that this crate never looks into.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::briefing::{CallId, Text};
use crate::call::answer::Who;
use crate::carrier::Key;

/// The model's id of one tool call (`call_id`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolCallId(pub String);

/// The tool by which a call ends itself: say goodbye, then end.
pub const HANG_UP: &str = "hang_up";

/// The tool by which keys are pressed. Its arguments may hold a PIN and are in no record.
pub const PRESS_KEYS: &str = "press_keys";

/// What a call does itself when the model asks for it by a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// Say goodbye, then end.
    HangUp,
    /// The model tells who is on the line.
    Report(Who),
    /// Press these keys towards the other party.
    Press(Vec<Key>),
    /// Stop listening until somebody speaks.
    WaitOnHold,
    /// Hand the other party over to the house's human.
    Transfer,
}

/// Reads the name and the arguments (JSON text) of a tool call: nothing when it is no tool of the
/// call's own, what is wrong in words for the model when it cannot be done as asked.
pub type ReadOwn = fn(name: &str, arguments: &Text) -> Option<Result<Own, String>>;

/// What a tool says of itself.
#[derive(Clone, Debug)]
pub struct Promise {
    /// The name the model calls it by.
    pub name: String,
    /// When and how to use it, for the model.
    pub description: String,
    /// JSON Schema of the arguments, as JSON text.
    pub parameters: String,
    /// What it may do to the world.
    pub risk: Risk,
    /// Whether running it twice with the same arguments is the same as once.
    pub idempotent: bool,
    /// How long one run may take.
    pub deadline: Duration,
}

/// What a tool may do to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Nothing.
    Read,
    /// Something that can be undone.
    Write,
    /// Something that cannot: asked of the human first.
    Destructive,
}

/// One order to run a tool.
#[derive(Clone)]
pub struct Job {
    /// The call.
    pub call: CallId,
    /// The model's id; with `call` the key under which this job happens at most once.
    pub id: ToolCallId,
    /// The tool.
    pub name: String,
    /// JSON text, unchecked.
    pub arguments: Text,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// How it went.
    pub verdict: Verdict,
    /// For the model: a JSON object with `spoken_message` and what else there is.
    pub output: Text,
}

/// How a job went, sorted by what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done.
    Success,
    /// The caller can help: not found, ambiguous, invalid.
    User,
    /// It may work later.
    Temporary,
    /// It will not work.
    Permanent,
    /// It is not known whether it happened; it must not be repeated.
    Unknown,
}

impl Verdict {
    /// The word in records and in the output's `error_type`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::User => "user",
            Self::Temporary => "temporary",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
        }
    }
}

/// The question to put to the human before a destructive job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readback {
    /// The exact effect as a question, e.g. `Shall I delete the task "Buy milk"?`.
    pub question: Text,
    /// What an approval is bound to: the effect, resolved, not the model's wording of it.
    pub fingerprint: String,
}

/// A tool on the shelf.
pub trait Tool: Send + Sync {
    /// What it says of itself.
    fn promise(&self) -> &Promise;

    /// For destructive tools: resolves the exact effect without causing it, or says why it
    /// cannot be. `None` for tools that need no question.
    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>>;

    /// Does it. Never called twice for the same job; a model's own `confirmed` argument means
    /// nothing here.
    fn run(&self, job: Job) -> BoxFuture<'static, Done>;
}
