//! The port to tools: what a tool promises, how it is asked, how it answers.
//! Arguments and results are JSON text that this crate never looks into.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::briefing::{CallId, Direction, Text};
use crate::call::answer::Who;
use crate::call::ledger::quoted;
use crate::call::restricted::What;
use crate::carrier::{Key, Number};
use crate::record::Turn;

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
    /// Let the caller enter something restricted, of so many figures where that is known.
    Take(What, Option<usize>),
    /// Hand the other party over to the house's human, who is told this where they can be told
    /// something before they meet.
    Transfer(Option<Text>),
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
    /// How long one run may take, all its attempts together.
    pub deadline: Duration,
    /// How often it is tried when it fails for now, the first time included; only what is
    /// idempotent is tried again.
    pub attempts: u32,
    /// What the caller hears while it takes long, in words; none for the usual ones.
    pub filler: Option<Text>,
    /// Whether its jobs come with the [`Scene`].
    pub wants_scene: bool,
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
    /// Something only one person may order: asked first, and approved by a PIN on the keypad.
    Sensitive,
}

impl Risk {
    /// Whether a human is asked first.
    #[must_use]
    pub const fn is_asked(self) -> bool {
        match self {
            Self::Read | Self::Write => false,
            Self::Destructive | Self::Sensitive => true,
        }
    }
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
    /// The conversation around it, for a tool that wants it.
    pub scene: Option<Arc<Scene>>,
}

/// What a tool may know of the call that it works for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Who rang whom.
    pub direction: Direction,
    /// The other party.
    pub remote: Number,
    /// What the call is for.
    pub task: Text,
    /// The last turns, oldest first, as many as fit [`SCENE_CHARS`].
    pub turns: Vec<Turn>,
}

/// Characters of conversation in a [`Scene`]: some minutes of talk, and a small part of what an
/// agent's model reads at once.
pub const SCENE_CHARS: usize = 8_000;

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
    /// For the model: a JSON object with `status`, `spoken_message` and what else there is; of an
    /// error also `error_type`, `reason` and `suggestion`.
    pub output: Text,
}

impl Done {
    /// It went well; there is nothing to tell but these words, which may be none.
    #[must_use]
    pub fn success(spoken: &str) -> Self {
        let output = format!(r#"{{"status":"success","spoken_message":{}}}"#, quoted(spoken));
        Self { verdict: Verdict::Success, output: Text(output) }
    }

    /// It did not: what of the verdict's kind it was in a word, what the caller may hear, and what
    /// the model shall do about it.
    #[must_use]
    pub fn fault(verdict: Verdict, reason: &str, spoken: &str, suggestion: &str) -> Self {
        let [kind, reason, spoken, suggestion] =
            [verdict.word(), reason, spoken, suggestion].map(quoted);
        let output = format!(r#"{{"status":"error","error_type":{kind},"reason":{reason},"#,)
            + &format!(r#""spoken_message":{spoken},"suggestion":{suggestion}}}"#);
        Self { verdict, output: Text(output) }
    }
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
    /// It may work later, and is asked too often now.
    RateLimited,
    /// Nobody here may do it.
    Permission,
    /// It will not work.
    Permanent,
    /// It is not known whether it happened; it must not be repeated.
    Unknown,
    /// It was tried as often as may be, or has failed so often that it is not tried for now.
    Exhausted,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 8] = [
        Self::Success,
        Self::User,
        Self::Temporary,
        Self::RateLimited,
        Self::Permission,
        Self::Permanent,
        Self::Unknown,
        Self::Exhausted,
    ];

    /// Whether another attempt may go better, and cannot do harm where the tool is idempotent.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Temporary | Self::RateLimited => true,
            Self::Success
            | Self::User
            | Self::Permission
            | Self::Permanent
            | Self::Unknown
            | Self::Exhausted => false,
        }
    }

    /// The word in records and in the output's `error_type`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::User => "user",
            Self::Temporary => "temporary",
            Self::RateLimited => "rate_limited",
            Self::Permission => "permission",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
            Self::Exhausted => "exhausted",
        }
    }
}

/// The question to put to the human before a destructive job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readback {
    /// The exact effect as a question, e.g. `Shall I delete the task "Buy milk"?`.
    pub question: Text,
    /// What of it must have been heard whatever language it is put in: the names and numbers of
    /// the effect, between commas, e.g. `Buy milk, Call Anna`. Empty where there are none.
    pub subject: Text,
    /// What an approval is bound to: the effect, resolved, not the model's wording of it.
    pub fingerprint: String,
}

/// A tool on the shelf.
pub trait Tool: Send + Sync {
    /// What it says of itself.
    fn promise(&self) -> &Promise;

    /// For tools whose [`Risk`] is asked about: resolves the exact effect without causing it, or
    /// says why it cannot be. `None` for tools that need no question.
    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>>;

    /// Does it. Never called twice for the same job; a model's own `confirmed` argument means
    /// nothing here.
    fn run(&self, job: Job) -> BoxFuture<'static, Done>;
}
