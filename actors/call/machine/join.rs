//! The warm hand-over: a human is rung into the call while we go on talking, is introduced, and
//! we leave the two to each other. Where a carrier cannot do that, it hands the caller over.

use std::time::Duration;

use super::transfer::RINGS;
use super::{Machine, Phase};
use crate::call::event::{Media, Output};
use crate::call::turn::Owed;
use crate::carrier::CarrierError;
use crate::clock::Instant;
use crate::record::Fact;

/// From the moment at which the human is there to the moment at which we leave, at most: time for
/// two sentences, even when those two speak first.
const INTRODUCED: Duration = Duration::from_secs(20);

/// Asks for the words with which we leave.
const INTRODUCE: &str = "The colleague is in the call now: the caller, the colleague and you hear \
                         each other. In one or two short sentences tell the colleague who is \
                         calling and why, and the caller that the colleague is there. Ask \
                         nothing: you leave the call with these words.";

/// A hand-over that the model asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// The carrier rings the human into the call; we stay in it.
    Ringing(Instant),
    /// The human is in the call.
    Joined { since: Instant, introduction: Introduction },
    /// The carrier takes the caller from us.
    Given(Instant),
}

/// How far the introduction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Introduction {
    /// Another response comes first.
    Behind,
    /// It is the next response: the model knows that the human is there.
    Owed,
    /// The model says it.
    Begun,
    /// It can be heard.
    Sounding,
}

impl Transfer {
    pub(super) fn deadline(self) -> Instant {
        match self {
            Self::Ringing(since) | Self::Given(since) => since + RINGS,
            Self::Joined { since, .. } => since + INTRODUCED,
        }
    }
}

impl Machine {
    /// Whether a human is being rung into the call.
    pub(super) const fn is_inviting(&self) -> bool {
        matches!(self.transfer, Some(Transfer::Ringing(_)))
    }

    /// Whether a human is in the call with us and the caller.
    pub(super) const fn is_joined(&self) -> bool {
        matches!(self.transfer, Some(Transfer::Joined { .. }))
    }

    /// The carrier has not taken the order to ring the human.
    pub(super) fn uninvited(&mut self, error: &CarrierError, now: Instant) {
        if !self.is_inviting() {
            return;
        }
        match error {
            CarrierError::NotOffered(_) => self.hand_over_instead(now),
            CarrierError::Refused(outcome) => self.not_transferred(outcome.word(), now),
            // They may be ringing: the carrier's word or the deadline decides.
            CarrierError::Unknown(_) => {}
        }
    }

    fn hand_over_instead(&mut self, now: Instant) {
        self.transfer = match self.phase {
            Phase::Talking { .. } | Phase::Closing { .. } => Some(Transfer::Given(now)),
            // What follows the last words orders it.
            Phase::Failing { .. } => return self.transfer = None,
            Phase::HandingOver { .. } | Phase::Queued | Phase::Ringing { .. } | Phase::Over => None,
        };
        if let Some(human) = self.briefing.human.clone() {
            self.put_through(human);
        }
    }

    /// The carrier's word on the human that it rang.
    pub(super) fn joined(&mut self, result: Result<(), String>, now: Instant) {
        match result {
            Ok(()) if !self.is_joined() => self.human_joined(now),
            Ok(()) => {}
            Err(why) if self.is_inviting() => self.not_transferred(&why, now),
            Err(_) => {}
        }
    }

    fn human_joined(&mut self, now: Instant) {
        match self.phase {
            Phase::Talking { .. } => {
                self.note(Fact::HandOver { step: "joined" });
                // The human would hear the tones of what nobody may hear.
                self.taken(now);
                let first = self.turn.is_due() && !self.turn.is_responding();
                let introduction = if first { Introduction::Behind } else { Introduction::Owed };
                self.transfer = Some(Transfer::Joined { since: now, introduction });
                self.whisper(
                    "The colleague has joined the call. You leave it as soon as you have \
                     introduced the caller.",
                );
                self.turn.owe(Owed::Guided(INTRODUCE.into()));
            }
            // Nothing of ours can introduce anybody, or has the time to.
            Phase::Closing { .. } | Phase::HandingOver { .. } | Phase::Failing { .. } => {
                self.note(Fact::HandOver { step: "joined" });
                self.leave_them(now);
            }
            Phase::Queued | Phase::Ringing { .. } | Phase::Over => {}
        }
    }

    /// A response has begun. What was asked for before the human came is no introduction.
    pub(super) fn introduction_begun(&mut self, tag: Option<u64>) {
        let aside = self.is_filler(tag);
        let Some(Transfer::Joined { introduction, .. }) = &mut self.transfer else { return };
        match introduction {
            Introduction::Behind if !aside => {
                *introduction = Introduction::Owed;
                self.turn.owe(Owed::Guided(INTRODUCE.into()));
            }
            Introduction::Owed if !aside => *introduction = Introduction::Begun,
            Introduction::Behind
            | Introduction::Owed
            | Introduction::Begun
            | Introduction::Sounding => {}
        }
    }

    /// Words of ours go out.
    pub(super) const fn introduction_sounds(&mut self) {
        if let Some(Transfer::Joined { introduction, .. }) = &mut self.transfer
            && matches!(introduction, Introduction::Begun)
        {
            *introduction = Introduction::Sounding;
        }
    }

    /// We leave when the introduction has been heard, and whoever spoke into it has been answered.
    pub(super) fn introduced(&mut self, now: Instant) {
        let sounded = matches!(
            self.transfer,
            Some(Transfer::Joined { introduction: Introduction::Sounding, .. })
        );
        if sounded && self.turn.is_still() {
            self.leave_them(now);
        }
    }

    /// Leaves the caller and the human to each other.
    pub(super) fn leave_them(&mut self, now: Instant) {
        // No hang-up: that would end the call of those two as well.
        self.outputs.push_back(Output::Leave);
        self.media(Media::Close);
        self.handed_over(now);
    }
}
