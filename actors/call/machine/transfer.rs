//! Handing over to a human: asked for by the model, or because the model is lost. A hand-over
//! that fails gives the caller back to us.

use std::time::Duration;

use super::join::Transfer;
use super::{Machine, MediaState, Parting, Phase};
use crate::briefing::{Outcome, Text};
use crate::call::event::{Clip, Media, Output};
use crate::call::turn::Owed;
use crate::carrier::Number;
use crate::clock::Instant;
use crate::record::Fact;
use crate::tool::{Done, ToolCallId, Verdict};

/// A human who has not picked up by then will not: carriers ring for a minute at most.
pub(super) const RINGS: Duration = Duration::from_secs(75);

/// From the decision to the order, at most: time for the words before it.
const WORDS: Duration = Duration::from_secs(10);

/// Our part of a call can end before the carrier's word on the hand-over comes. The two are told
/// at once and may overtake each other; one that is lost is told again within a few seconds.
const CONFIRMED: Duration = Duration::from_secs(10);

/// What a human is told who takes over a caller of whom the model has said nothing.
const INTRODUCTION: &str = "The automatic assistant is putting a caller through to you.";

/// The end of our part, which waits for the carrier's word on the hand-over.
#[derive(Debug)]
pub(super) struct Left {
    outcome: Outcome,
    reason: String,
    at: Instant,
}

/// Why a human takes over from us.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// The model cannot be reached.
    ModelLost(&'static str),
    /// A part of the call cannot be kept alive; nothing of ours can speak any more.
    Degraded(String),
}

impl Machine {
    /// Whom the caller can be handed over to, if there is a caller.
    pub(super) fn successor(&self) -> Option<Number> {
        let let_in = self.at_door.is_none();
        self.briefing.human.clone().filter(|_| let_in && self.who.may_be_human())
    }

    /// The model asks for a human.
    pub(super) fn asked_to_transfer(&mut self, id: &ToolCallId, why: Option<Text>, now: Instant) {
        let (Some(human), Phase::Talking { .. }) = (self.briefing.human.clone(), &self.phase)
        else {
            let words = "Nobody else can be reached right now.";
            let done = Done::fault(Verdict::Permanent, "nobody", words, "go on yourself");
            self.told(id, done, now);
            return;
        };
        if self.transfer.is_some() {
            let suggestion = "wait: a hand-over is under way already";
            let done = Done::fault(Verdict::User, "hand_over", "", suggestion);
            self.told_quietly(id, done, now);
            return;
        }
        self.invite(human, why, now);
        let words = "I am connecting you with a colleague. One moment, please.";
        self.told(id, Done::success(words), now);
    }

    /// Whoever ordered the call wants a human in it.
    pub(super) fn ordered_to_transfer(&mut self, now: Instant) {
        if let (Some(human), Phase::Talking { .. }, None) =
            (self.briefing.human.clone(), &self.phase, &self.transfer)
        {
            self.invite(human, None, now);
            self.say(&"I am connecting you with a colleague. One moment, please.".into());
        }
    }

    fn invite(&mut self, human: Number, introduction: Option<Text>, now: Instant) {
        self.note(Fact::HandOver { step: "asked" });
        self.outputs.push_back(Output::Invite(human));
        self.transfer = Some(Transfer::Ringing(now));
        self.introduction = introduction;
    }

    fn order_transfer(&mut self, human: Number) {
        self.note(Fact::HandOver { step: "asked" });
        self.put_through(human);
    }

    /// Orders the carrier to take the caller from us.
    pub(super) fn put_through(&mut self, human: Number) {
        let introduction = self.introduction.take().unwrap_or_else(|| INTRODUCTION.into());
        self.outputs.push_back(Output::Transfer(human, introduction));
    }

    /// The model is lost: a human takes over, when there is one, after a word of apology.
    pub(super) fn hand_over(&mut self, reason: &'static str, now: Instant) -> bool {
        let Phase::Talking { since: talking } = self.phase else { return false };
        let (cause, inviting) = (Cause::ModelLost(reason), self.is_inviting());
        if self.successor().is_none() || self.transfer.is_some() && !inviting {
            return false;
        }
        // A human who is being rung needs no other order.
        let ordered = inviting.then_some(now);
        self.phase = Phase::HandingOver { since: now, talking, ordered, cause };
        self.media(Media::Play(Clip::HandOver));
        true
    }

    /// The last words without the parts have been said: a human takes over, when there is one.
    pub(super) fn hand_over_degraded(&mut self, now: Instant) -> bool {
        let Phase::Failing { talking: Some(talking), reason } = &self.phase else { return false };
        let (talking, reason) = (*talking, reason.clone());
        let Some(human) = self.successor() else { return false };
        let (cause, ordered) = (Cause::Degraded(reason), Some(now));
        self.phase = Phase::HandingOver { since: now, talking, ordered, cause };
        if !self.is_inviting() {
            self.order_transfer(human);
        }
        true
    }

    /// The words before the hand-over have been heard, or have had their time.
    pub(super) fn hand_over_said(&mut self, now: Instant) {
        if let Phase::HandingOver { ordered: ordered @ None, .. } = &mut self.phase {
            *ordered = Some(now);
            if let Some(human) = self.briefing.human.clone() {
                self.order_transfer(human);
            }
        }
    }

    /// Whether the carrier is at work on a hand-over that takes the caller from us.
    pub(super) fn is_transferring(&self) -> bool {
        match self.phase {
            Phase::HandingOver { ordered, .. } => ordered.is_some() && !self.is_inviting(),
            Phase::Talking { .. } | Phase::Closing { .. } => {
                matches!(self.transfer, Some(Transfer::Given(_)))
            }
            Phase::Queued | Phase::Ringing { .. } | Phase::Failing { .. } | Phase::Over => false,
        }
    }

    /// Our part is over while the carrier is at work on a hand-over. That ends our part, and so
    /// does a caller who hangs up meanwhile: the carrier's word tells which.
    pub(super) fn left(&mut self, outcome: Outcome, reason: String, now: Instant) {
        self.media = MediaState::Given;
        self.left.get_or_insert(Left { outcome, reason, at: now });
    }

    /// The carrier's word on the hand-over.
    pub(super) fn transferred(&mut self, result: Result<(), String>, now: Instant) {
        if !self.is_transferring() {
            return;
        }
        if let Err(why) = result {
            self.not_transferred(&why, now);
            if let Some(Left { outcome, reason, .. }) = self.left.take() {
                self.network_ended(outcome, reason, now);
            }
            return;
        }
        // No hang-up: that would end the call of those two as well.
        self.media(Media::Close);
        self.handed_over(now);
    }

    /// A human is with the caller, and our part is over.
    pub(super) fn handed_over(&mut self, now: Instant) {
        let reason = match self.phase {
            Phase::HandingOver { .. } | Phase::Failing { .. } => "handed_over_model_down",
            Phase::Queued
            | Phase::Ringing { .. }
            | Phase::Talking { .. }
            | Phase::Closing { .. }
            | Phase::Over => "transferred",
        };
        self.note(Fact::HandOver { step: "done" });
        self.finish(Outcome::Answered, reason.to_owned(), now);
    }

    pub(super) fn not_transferred(&mut self, why: &str, now: Instant) {
        self.note(Fact::HandOver { step: "failed" });
        self.transfer = None;
        if self.media == MediaState::Given {
            self.media = MediaState::Lost { since: now };
        }
        match &self.phase {
            Phase::HandingOver { talking, cause: Cause::ModelLost(reason), .. } => {
                let (talking, reason, speech) = (*talking, *reason, Parting::Stored);
                self.phase = Phase::Closing { since: now, talking, reason, speech };
                self.media(Media::Play(Clip::Apology));
            }
            Phase::HandingOver { cause: Cause::Degraded(reason), .. } => {
                let reason = reason.clone();
                self.outputs.push_back(Output::HangUp);
                self.finish(Outcome::SystemError, reason, now);
            }
            Phase::Talking { .. } => {
                let text = Text(format!(
                    "The hand-over has failed: {}. Apologise, tell the caller why in one sentence, \
                     and go on helping yourself.",
                    explained(why)
                ));
                self.whisper(text.clone());
                self.turn.owe(Owed::Guided(text));
            }
            Phase::Closing { .. }
            | Phase::Queued
            | Phase::Ringing { .. }
            | Phase::Failing { .. }
            | Phase::Over => {}
        }
    }

    pub(super) fn watch_transfer(&mut self, now: Instant) {
        if self.transfer_deadline().is_none_or(|then| now < then) {
            return;
        }
        if self.is_joined() {
            self.leave_them(now);
        } else if self.is_inviting() {
            self.not_transferred(Outcome::NoAnswer.word(), now);
        } else if !self.is_transferring() {
            self.hand_over_said(now);
        } else if self.left.is_some() || self.media == MediaState::Given {
            self.finish(Outcome::Answered, "transfer_unconfirmed".to_owned(), now);
        } else {
            self.not_transferred(Outcome::NoAnswer.word(), now);
        }
    }

    pub(super) fn transfer_deadline(&self) -> Option<Instant> {
        if let Some(left) = &self.left {
            return Some(left.at + CONFIRMED);
        }
        match self.phase {
            Phase::HandingOver { since, ordered: None, .. } => Some(since + WORDS),
            Phase::HandingOver { ordered: Some(since), .. } => Some(since + RINGS),
            Phase::Talking { .. } | Phase::Closing { .. } => self.transfer.map(Transfer::deadline),
            Phase::Queued | Phase::Ringing { .. } | Phase::Failing { .. } | Phase::Over => None,
        }
    }
}

/// What the caller may hear of it; carriers name it by the words of outcomes.
fn explained(why: &str) -> &'static str {
    match why {
        "busy" => "the colleague is on another call",
        "no_answer" => "the colleague did not pick up",
        "rejected" | "declined" => "the colleague cannot take the call now",
        _ => "nobody could take over",
    }
}
