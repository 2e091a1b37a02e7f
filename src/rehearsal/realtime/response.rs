//! One response from its creation to `response.done`: the acts of the mind as the protocol's
//! events, each at its time. Knows the conversation it adds to, and no session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::behaviour::Pace;
use super::conversation::{Conversation, Item};
use super::delivery::{Delivery, Format};
use super::mind::Act;
use super::settings::Modality;
use super::tokens::{Reading, Tokens};
use super::wire::Outbox;
use crate::rehearsal::speech::Utterance;

mod account;
mod speech;

/// What a response is to be.
pub(super) struct Plan {
    pub(super) id: String,
    pub(super) acts: VecDeque<Act>,
    /// Shown in `response.created` and `response.done` as the client gave it.
    pub(super) metadata: Value,
    pub(super) conversation: Membership,
    pub(super) modality: Modality,
    pub(super) format: Format,
    pub(super) pace: Pace,
    pub(super) trick: Trick,
    /// What the model has read for it; nothing from a server that tells no usage.
    pub(super) reading: Option<Reading>,
    /// When the first of it is sent.
    pub(super) begins: Instant,
}

/// Whether what is said becomes part of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    Inside,
    OutOfBand,
}

/// What is wrong with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trick {
    None,
    /// Tool calls come twice.
    Twice,
    /// Speech is followed by silence up to this much audio.
    PadTo(Duration),
    /// It fails instead of answering, with this code.
    Fail(&'static str),
}

/// How a response ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    ByCaller,
    ByClient,
}

/// Whether there is more to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Running,
    Done,
}

/// A running response.
pub(super) struct Response {
    plan: Plan,
    stage: Stage,
    due: Instant,
    output: Vec<Value>,
    /// Tokens of it: transcripts and what was asked of tools.
    written: Tokens,
    audio: Duration,
    /// Speech that was rendered and not yet begun, in order.
    rendered: VecDeque<Arc<Utterance>>,
}

enum Stage {
    Between,
    Speaking(Box<Speaking>),
}

struct Speaking {
    item: Item,
    delivery: Delivery,
    /// Frames sent.
    sent: usize,
    /// Words whose audio has begun.
    words: usize,
}

/// What a response writes into.
pub(super) struct Surroundings<'a> {
    pub(super) conversation: &'a mut Conversation,
    pub(super) out: &'a mut Outbox,
    pub(super) ids: &'a mut Ids,
}

/// Fresh ids, unlike those of any other session of this server.
#[derive(Debug)]
pub(super) struct Ids {
    session: usize,
    given: u64,
}

impl Ids {
    pub(super) const fn of_session(session: usize) -> Self {
        Self { session, given: 0 }
    }

    pub(super) fn next(&mut self, kind: &str) -> String {
        self.given += 1;
        format!("{kind}_{}_{}", self.session, self.given)
    }
}

impl Response {
    /// Announces it.
    pub(super) fn begin(plan: Plan, out: &mut Outbox) -> Self {
        let due = plan.begins;
        let response = Self {
            plan,
            stage: Stage::Between,
            due,
            output: Vec::new(),
            written: Tokens::default(),
            audio: Duration::ZERO,
            rendered: VecDeque::new(),
        };
        let body = response.body("in_progress", &Value::Null, &Value::Null);
        out.event("response.created", body);
        response
    }

    pub(super) fn id(&self) -> &str {
        &self.plan.id
    }

    /// What it will say, to be rendered and given back in the same order; nothing when it writes.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |act: &Act| match act {
            Act::Say(text) if self.plan.modality == Modality::Audio => Some(text.clone()),
            Act::Say(_) | Act::Call { .. } => None,
        };
        self.plan.acts.iter().filter_map(line).collect()
    }

    /// Takes the next line as speech. One that was waited for begins now, at its own pace.
    pub(super) fn take_rendered(&mut self, utterance: Arc<Utterance>, now: Instant) {
        if self.due().is_none() {
            self.due = self.due.max(now);
        }
        self.rendered.push_back(utterance);
    }

    /// When it has something to send next; never, while it waits for its speech to be rendered.
    pub(super) fn due(&self) -> Option<Instant> {
        let waits = matches!(self.stage, Stage::Between)
            && self.plan.modality == Modality::Audio
            && matches!(self.plan.acts.front(), Some(Act::Say(_)))
            && !matches!(self.plan.trick, Trick::Fail(_))
            && self.rendered.is_empty();
        (!waits).then_some(self.due)
    }

    /// Whether that is now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// How much audio of it was sent.
    pub(super) const fn audio(&self) -> Duration {
        self.audio
    }

    /// Whether it is in the middle of a sentence.
    pub(super) fn is_speaking(&self) -> bool {
        match &self.stage {
            Stage::Between => false,
            Stage::Speaking(speaking) => speaking.sent > 0,
        }
    }

    /// Sends one step when it is due; `frames` is told which frames of audio went out.
    pub(super) fn step(
        &mut self,
        around: &mut Surroundings<'_>,
        mut frames: impl FnMut(u8, Instant),
    ) -> Progress {
        let due = self.due;
        match std::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Speaking(mut speaking) => {
                let pace = self.plan.pace;
                let piece = self.speak(&mut speaking, around);
                for frame in piece.clone() {
                    if let Some(sequence) = speaking.delivery.sequence(frame) {
                        frames(sequence, due);
                    }
                }
                self.due += pace.sends(piece.len());
                if speaking.sent == speaking.delivery.frames() {
                    self.close_speech(speaking, "completed", around);
                } else {
                    self.stage = Stage::Speaking(speaking);
                }
                Progress::Running
            }
            Stage::Between => {
                if let Trick::Fail(code) = self.plan.trick {
                    let error = json!({ "type": code, "code": code,
                        "message": "The request could not be served." });
                    self.done("failed", &json!({ "type": "failed", "error": error }), around);
                    return Progress::Done;
                }
                match self.plan.acts.pop_front() {
                    None => {
                        self.done("completed", &Value::Null, around);
                        return Progress::Done;
                    }
                    Some(Act::Say(text)) => self.open_speech(text, around),
                    Some(Act::Call { name, arguments }) => self.call(&name, &arguments, around),
                }
                Progress::Running
            }
        }
    }

    /// Stops it where it is.
    pub(super) fn stop(mut self, why: Stopped, around: &mut Surroundings<'_>) {
        if let Stage::Speaking(speaking) = std::mem::replace(&mut self.stage, Stage::Between) {
            self.close_speech(speaking, "incomplete", around);
        }
        let reason = match why {
            Stopped::ByCaller => "turn_detected",
            Stopped::ByClient => "client_cancelled",
        };
        self.done("cancelled", &json!({ "type": "cancelled", "reason": reason }), around);
    }
}
