//! How calls end: with the goodbye heard, honestly named, once.

use std::time::Duration;

use super::join::Transfer;
use super::{Cause, Machine, Parting, Phase, Session, millis};
use crate::briefing::{CallId, Lifecycle, Outcome, Text};
use crate::call::event::{Clip, Input, Media, Output};
use crate::call::turn::Owed;
use crate::carrier::CarrierCallId;
use crate::clock::Instant;
use crate::model::Command;
use crate::record::Fact;
use crate::tool::{Done, ToolCallId, Verdict};

/// From the decision to end to the hang-up, at most: time for two sentences.
pub(super) const PARTING: Duration = Duration::from_secs(10);

/// A model that has not begun its goodbye by now is not waited for.
pub(super) const UNSAID: Duration = Duration::from_secs(3);

/// What is known of the order to ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Submission {
    /// Nothing yet, or there was none.
    Sent,
    /// Its answer never came: it may ring, or not.
    Unknown,
    /// The carrier has a name for the call.
    Named,
}

impl Machine {
    pub(super) fn call_id(&self) -> CallId {
        self.briefing.call.clone()
    }

    pub(super) fn watch_ringing(&mut self, since: Instant, now: Instant) {
        if now >= since + self.briefing.limits.ringing {
            self.outputs.push_back(Output::HangUp);
            let (outcome, reason) = match self.submission {
                Submission::Named if self.goes_on() => (Outcome::SystemError, "node_lost"),
                // Whether anything rang is not known, so that it cannot be said that nobody came.
                Submission::Unknown => (Outcome::Failed, "submission_unknown"),
                Submission::Sent | Submission::Named => (Outcome::NoAnswer, "rang_out"),
            };
            self.finish(outcome, reason.to_owned(), now);
        }
    }

    /// The carrier has a name for the call; it may say so more than once.
    pub(super) fn placed(&mut self, name: CarrierCallId) {
        if std::mem::replace(&mut self.submission, Submission::Named) != Submission::Named {
            self.note(Fact::CarrierNamed(name));
        }
    }

    /// Whether the order to ring was taken is not known, unless somebody is there already.
    pub(super) fn unanswered(&mut self) {
        if self.submission == Submission::Sent && matches!(self.phase, Phase::Ringing { .. }) {
            self.submission = Submission::Unknown;
            self.note(Fact::SubmissionUnknown);
        }
    }

    /// Nothing changes any more. But a call that ended before it had a name could not be hung
    /// up, and now it can.
    pub(super) fn after_the_end(&mut self, input: &Input) {
        if matches!(input, Input::Placed(_)) && self.submission != Submission::Named {
            self.submission = Submission::Named;
            self.outputs.push_back(Output::HangUp);
        }
    }

    /// The phone network says that it is over.
    pub(super) fn network_ended(&mut self, outcome: Outcome, reason: String, now: Instant) {
        if self.is_transferring() {
            return self.left(outcome, reason, now);
        }
        match self.phase {
            Phase::Queued | Phase::Ringing { .. } => self.finish(outcome, reason, now),
            Phase::Talking { .. } | Phase::HandingOver { .. } => {
                self.finish(Outcome::Answered, "caller_hung_up".to_owned(), now);
            }
            Phase::Closing { reason, .. } => {
                self.finish(Outcome::Answered, reason.to_owned(), now);
            }
            // What follows ends it, with the reason that led there.
            Phase::Failing { .. } | Phase::Over => {}
        }
    }

    /// The model asks to hang up, in the present response: what it says with that is heard first.
    pub(super) fn asked_to_hang_up(&mut self, id: &ToolCallId, now: Instant) {
        if self.transfer.is_some() {
            let suggestion = "say nothing more: the call ends by itself";
            let done = Done::fault(Verdict::User, "hand_over", "", suggestion);
            self.told_quietly(id, done, now);
            return;
        }
        if self.settle(id, Done::success(""), now).is_none() {
            return;
        }
        // A message on an answering machine ends by itself when all of it has been heard.
        if let Phase::Talking { since } = self.phase
            && !self.is_leaving_message()
        {
            let (talking, reason, speech) = (since, "goodbye", Parting::Said);
            self.phase = Phase::Closing { since: now, talking, reason, speech };
        }
    }

    /// The response that asked to hang up is complete: if nothing of it is left to hear, now.
    pub(super) fn hang_up_if_said(&mut self, now: Instant) {
        if let Phase::Closing { speech: Parting::Said, .. } = self.phase
            && !self.turn.is_speaking()
            && !self.turn.is_due()
        {
            self.hang_up(now);
        }
    }

    /// The caller speaks into our goodbye: then it is not one, unless it was ordered.
    pub(super) fn stay(&mut self) {
        if let Phase::Closing { talking, speech: Parting::Said, .. } = self.phase {
            self.phase = Phase::Talking { since: talking };
        }
    }

    /// Says goodbye and hangs up when it has been heard.
    pub(super) fn part_politely(&mut self, reason: &'static str, now: Instant) {
        if self.is_joined() {
            return self.leave_them(now);
        }
        self.taken(now);
        match self.phase {
            Phase::Talking { since } => {
                self.media(Media::Flush(self.generation));
                self.fence = self.generation;
                let (up, due) = (self.session == Session::Up, self.turn.is_due());
                if up && due {
                    self.tell(Command::Cancel);
                }
                let free = up && !due;
                let speech = if free { Parting::Ordered } else { Parting::Stored };
                self.phase = Phase::Closing { since: now, talking: since, reason, speech };
                if free {
                    let words = "Say goodbye politely in one short sentence; the call ends now.";
                    self.turn.owe(Owed::Guided(Text(words.to_owned())));
                } else {
                    self.media(Media::Play(Clip::Goodbye));
                }
            }
            Phase::Queued | Phase::Ringing { .. } => self.ordered_to_hang_up(now),
            Phase::Closing { .. }
            | Phase::HandingOver { .. }
            | Phase::Failing { .. }
            | Phase::Over => {}
        }
    }

    /// Says that we cannot go on; then a human takes over, or we hang up.
    pub(super) fn apologise(&mut self, reason: &'static str, now: Instant) {
        if self.is_joined() {
            return self.leave_them(now);
        }
        self.taken(now);
        if self.hand_over(reason, now) {
            return;
        }
        let Phase::Talking { since } = self.phase else {
            if matches!(self.phase, Phase::Queued | Phase::Ringing { .. }) {
                self.outputs.push_back(Output::HangUp);
                self.finish(Outcome::SystemError, reason.to_owned(), now);
            }
            return;
        };
        let (talking, speech) = (since, Parting::Stored);
        self.phase = Phase::Closing { since: now, talking, reason, speech };
        self.media(Media::Play(Clip::Apology));
    }

    pub(super) fn watch_closing(&mut self, now: Instant) {
        if let Phase::Closing { since, .. } = self.phase
            && now >= since + PARTING
        {
            self.hang_up(now);
        }
        if let Phase::Closing { since, speech: speech @ Parting::Ordered, .. } = &mut self.phase
            && now >= *since + UNSAID
        {
            *speech = Parting::Stored;
            self.media(Media::Play(Clip::Goodbye));
        }
    }

    /// A part died too often: the rest is done without the parts.
    pub(super) fn degrade(&mut self, part: &'static str, now: Instant) {
        let talking = match self.phase {
            Phase::Talking { since } => Some(since),
            Phase::Closing { talking, .. } | Phase::HandingOver { talking, .. } => Some(talking),
            Phase::Queued | Phase::Ringing { .. } => None,
            Phase::Failing { .. } | Phase::Over => return,
        };
        self.lost(part, "too often".to_owned(), now);
        if self.is_joined() {
            return self.leave_them(now);
        }
        let reason = format!("degraded_{part}");
        // The carrier is at work already and needs no parts.
        if let Phase::HandingOver { ordered: Some(_), cause, .. } = &mut self.phase {
            *cause = Cause::Degraded(reason);
            return;
        }
        if let (Some(talking), true, Some(Transfer::Given(asked))) =
            (talking, self.is_transferring(), self.transfer)
        {
            let (ordered, cause) = (Some(asked), Cause::Degraded(reason));
            self.phase = Phase::HandingOver { since: now, talking, ordered, cause };
            return;
        }
        self.phase = Phase::Failing { talking, reason };
        let human = talking.is_some() && self.successor().is_some();
        let words = if human { Clip::HandOver } else { Clip::Apology };
        self.outputs.push_back(Output::Farewell(words));
    }

    pub(super) fn farewell_said(&mut self, now: Instant) {
        if self.hand_over_degraded(now) {
            return;
        }
        let Phase::Failing { reason, .. } = &self.phase else { return };
        let reason = reason.clone();
        self.outputs.push_back(Output::HangUp);
        self.finish(Outcome::SystemError, reason, now);
    }

    pub(super) fn ordered_to_hang_up(&mut self, now: Instant) {
        self.outputs.push_back(Output::HangUp);
        self.media(Media::Close);
        let outcome = match self.phase {
            Phase::Queued | Phase::Ringing { .. } => Outcome::Cancelled,
            Phase::Talking { .. }
            | Phase::Closing { .. }
            | Phase::HandingOver { .. }
            | Phase::Failing { .. }
            | Phase::Over => Outcome::Answered,
        };
        self.finish(outcome, "ordered".to_owned(), now);
    }

    pub(super) fn remote_hung_up(&mut self, now: Instant) {
        if self.is_inviting() {
            // Nobody shall pick up for a caller who has gone.
            self.outputs.push_back(Output::HangUp);
        }
        let reason = match self.phase {
            Phase::Closing { reason, .. } => reason,
            Phase::Queued
            | Phase::Ringing { .. }
            | Phase::Talking { .. }
            | Phase::HandingOver { .. }
            | Phase::Failing { .. }
            | Phase::Over => "remote_hung_up",
        };
        self.finish(self.outcome_of(reason), reason.to_owned(), now);
    }

    pub(super) fn hang_up(&mut self, now: Instant) {
        let Phase::Closing { reason, .. } = self.phase else { return };
        self.outputs.push_back(Output::HangUp);
        self.media(Media::Close);
        self.finish(self.outcome_of(reason), reason.to_owned(), now);
    }

    fn outcome_of(&self, reason: &str) -> Outcome {
        match (reason, &self.phase) {
            ("model_lost", _) => Outcome::SystemError,
            (_, Phase::Queued | Phase::Ringing { .. }) => Outcome::NoAnswer,
            (
                _,
                Phase::Talking { .. }
                | Phase::Closing { .. }
                | Phase::HandingOver { .. }
                | Phase::Failing { .. }
                | Phase::Over,
            ) => Outcome::Answered,
        }
    }

    /// The end, told once.
    pub(super) fn finish(&mut self, outcome: Outcome, reason: String, now: Instant) {
        let talking = match self.phase {
            Phase::Talking { since }
            | Phase::Closing { talking: since, .. }
            | Phase::HandingOver { talking: since, .. } => Some(since),
            Phase::Failing { talking, .. } => talking,
            Phase::Queued | Phase::Ringing { .. } => None,
            Phase::Over => return,
        };
        for turn in self.log.drained() {
            self.note(Fact::Turn(turn));
        }
        self.taking = None;
        if talking.is_some() {
            self.recording_unsettled();
        }
        let talked = talking.map_or(Duration::ZERO, |since| now - since);
        let (outcome, talk_ms) = (self.as_answered(outcome), millis(self.talked_before() + talked));
        self.phase = Phase::Over;
        if !self.usage.is_empty() {
            self.note(Fact::Used(self.usage));
        }
        self.note(Fact::Lifecycle(Lifecycle::Finalized));
        self.note(Fact::Finalized { outcome, reason, talk_ms });
        self.outputs.push_back(Output::End);
    }
}
