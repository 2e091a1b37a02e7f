//! The port to the store: the facts of a call, told in order, and the two promises that effects
//! hang on. Off the audio path: telling a fact never waits.

use std::time::SystemTime;

use futures_util::future::BoxFuture;

use crate::briefing::{CallId, Direction, Lifecycle, Outcome, Text};
use crate::call::playout::Spoken;
use crate::carrier::{CarrierCallId, Number};
use crate::tool::{Done, Job, ToolCallId, Verdict};
use crate::usage::Usage;

/// One thing that happened, at its place in the call's order.
#[derive(Clone, Debug)]
pub struct Note {
    /// The call.
    pub call: CallId,
    /// 1, 2, 3 … without a gap within a call.
    pub sequence: u64,
    /// When, by the wall clock.
    pub at: SystemTime,
    /// What.
    pub fact: Fact,
}

/// What can happen to a call, as records, operators and listeners see it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The call moved on.
    Lifecycle(Lifecycle),
    /// The carrier was told to ring and its answer never came: it may ring, or not. Over when the
    /// carrier names the call, or media comes, or the call ends.
    SubmissionUnknown,
    /// The carrier's name for it became known.
    CarrierNamed(CarrierCallId),
    /// A turn of the conversation is complete.
    Turn(Turn),
    /// A turn that was told before held a part of what must not be kept: this is left of it.
    Masked {
        /// The turn's place in the call's order.
        sequence: u64,
        /// What is left.
        text: Text,
    },
    /// The caller was `asked` to enter something restricted, and it was `given` or `not_given`; at
    /// the beginning of a call a `pin` without which nothing is said to them.
    Restricted {
        /// `card_number`, `code`, `pin`, `password`.
        what: &'static str,
        /// How far it has come.
        step: &'static str,
    },
    /// The caller pressed a key while talking (the key itself is not recorded here).
    Pressed,
    /// Who or what is taken to be on the line from here on. It may be reversed.
    Answerer {
        /// `unknown`, `human`, `voicemail`, `menu`, `hold`, `fax`.
        who: &'static str,
        /// Who says so: `carrier`, `tone`, `speech`, `model`, `time`.
        by: &'static str,
    },
    /// Whoever is there has heard to its end that we are an AI; told where it has to be known
    /// first.
    DisclosureHeard {
        /// The number of the turn that says it.
        turn: u64,
    },
    /// Whether the call is recorded, where that has to be said or asked first: `asked`;
    /// `announced`, `agreed`: from here on; `declined`, `no_answer`, `not_said`: it is not.
    Recording {
        /// Which.
        step: &'static str,
    },
    /// We pressed keys (which ones is not recorded: they may be a PIN).
    Keyed,
    /// A hand-over to a human moved on: `asked`, `joined`, `done`, `failed`.
    HandOver {
        /// How far it has come.
        step: &'static str,
    },
    /// A tool was asked for.
    ToolAsked {
        /// The model's id.
        id: ToolCallId,
        /// The tool.
        name: String,
        /// JSON text.
        arguments: Text,
    },
    /// A tool answered.
    ToolAnswered {
        /// The model's id.
        id: ToolCallId,
        /// The tool.
        name: String,
        /// How it went.
        verdict: Verdict,
        /// Milliseconds from being asked.
        took_ms: u64,
    },
    /// What came of a tool after the model had been told that it takes longer.
    ToolLate {
        /// The model's id.
        id: ToolCallId,
        /// The tool.
        name: String,
        /// How it went.
        verdict: Verdict,
        /// Milliseconds from being asked.
        took_ms: u64,
    },
    /// Something from outside the conversation is told to the caller.
    Announced {
        /// The words, as the model was given them.
        text: Text,
    },
    /// The human is asked to confirm.
    ConfirmationAsked {
        /// The tool.
        name: String,
        /// The words.
        question: Text,
    },
    /// The question is settled for now: `approved`, `declined`, `unclear`, `expired`, `replaced`,
    /// `locked`. The human may still change their mind until an approval is used.
    ConfirmationSettled {
        /// The tool.
        name: String,
        /// How.
        verdict: &'static str,
        /// By what: `voice`, `key`, `pin`, `time`, `question`.
        by: &'static str,
    },
    /// Anything else that happened to it: `heard` to its end, `used` by a tool call, `wrong_pin`,
    /// and why a tool call was not granted the approval: `claimed_unanswered`, `claimed_declined`,
    /// `claimed_unclear`, `claimed_too_late`.
    ConfirmationStep {
        /// The tool.
        name: String,
        /// What.
        step: &'static str,
    },
    /// A stretch of our speech is over: what the model, or a clip, had for it, what of it was sent
    /// to the carrier, and what was heard. One that the call's end cuts off is not told.
    Spoken(Spoken),
    /// The caller spoke over us; milliseconds of the interrupted item that were heard.
    BargedIn {
        /// Milliseconds.
        heard_ms: u64,
    },
    /// Some part was lost.
    Lost {
        /// Which part: `media_in`, `realtime_link`, `tool_runner`, `confirmation`, `pump`,
        /// `call`, `model`, `carrier`.
        part: &'static str,
        /// How, without payloads.
        how: String,
    },
    /// That part is at work again; milliseconds from the loss.
    Repaired {
        /// The same words as in [`Fact::Lost`].
        part: &'static str,
        /// Milliseconds.
        took_ms: u64,
    },
    /// From the end of the caller's speech to our first audio on the carrier's socket.
    Replied {
        /// Milliseconds.
        ms: u64,
    },
    /// What the model has used in the whole call, as its provider tells; told once, with the end,
    /// and not at all where no response told anything. A response that ends after the call is not
    /// in it.
    Used(Usage),
    /// The call is over.
    Finalized {
        /// What the network made of it.
        outcome: Outcome,
        /// A code of ours: `remote_hung_up`, `goodbye`, `silence`, `time_limit`, `ordered`,
        /// `drained`, `media_lost`, `model_lost`, `degraded`, `node_lost`, `voicemail`,
        /// `voicemail_left`, `fax`, `transferred`, `handed_over_model_down`, `submission_unknown` …
        reason: String,
        /// From answer to the end, in milliseconds.
        talk_ms: u64,
    },
}

/// One turn of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub speaker: Speaker,
    /// What was said; of ours, what was heard.
    pub text: Text,
}

/// Who speaks in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The human at the phone.
    Caller,
    /// We.
    Agent,
}

impl Speaker {
    /// ClawCall's word for the role.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Caller => "user",
            Self::Agent => "assistant",
        }
    }
}

/// A call as it is first written down.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Ours.
    pub call: CallId,
    /// Who rang.
    pub direction: Direction,
    /// The other party.
    pub remote: Number,
    /// Our number.
    pub local: Number,
    /// What it is for.
    pub task: Text,
    /// Where it starts: `Queued` for ours, `Dialing` for theirs.
    pub lifecycle: Lifecycle,
}

/// What the store knows of a job that is about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Never seen: it is written down now and may run.
    Fresh,
    /// It has run; this came of it.
    Known(Done),
    /// It was begun and its end is not written: it must not run again.
    Begun,
}

/// The store failed; what it was asked and what it saw, without payloads.
#[derive(Clone, Debug, thiserror::Error)]
#[error("store: {0}")]
pub struct RecordError(pub String);

/// Where calls are written down.
pub trait Record: Send + Sync {
    /// Writes a new call; durable before it returns.
    fn open(&self, call: Opened) -> BoxFuture<'static, Result<(), RecordError>>;

    /// Writes that the carrier will be asked now, before it is asked; durable before it returns.
    /// A call that reached this is never dialled again.
    fn dialing(&self, call: CallId) -> BoxFuture<'static, Result<(), RecordError>>;

    /// Takes a fact. Never waits and never fails: when the store cannot keep up it spools in
    /// memory up to a bound, then says so in the log and in its metrics.
    fn note(&self, note: Note);

    /// Writes that a job will run, unless it is known; durable before it returns.
    fn intend(&self, job: &Job) -> BoxFuture<'static, Result<Intent, RecordError>>;

    /// Writes what came of it; durable before it returns.
    fn settle(&self, job: &Job, done: &Done) -> BoxFuture<'static, Result<(), RecordError>>;
}
