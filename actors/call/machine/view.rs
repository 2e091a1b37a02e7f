//! How a call looks from outside.

use super::{Machine, Phase, Session};
use crate::briefing::Lifecycle;
use crate::call::snapshot::Snapshot;
use crate::record::Fact;

/// Turns kept for the snapshot: what fits on a screen.
const TURNS_SHOWN: usize = 50;

impl Machine {
    /// Keeps a turn to be seen, under the number of its fact.
    pub(super) fn show(&mut self, fact: &Fact) {
        if let Fact::Masked { sequence, text } = fact {
            let shown = self.shown.iter_mut().find(|(number, _)| number == sequence);
            if let Some((_, turn)) = shown {
                turn.text = text.clone();
            }
        }
        let Fact::Turn(turn) = fact else { return };
        if self.shown.len() == TURNS_SHOWN {
            self.shown.pop_front();
        }
        self.shown.push_back((self.facts, turn.clone()));
    }

    /// How far the call has come.
    #[must_use]
    pub const fn lifecycle(&self) -> Lifecycle {
        match self.phase {
            Phase::Queued => Lifecycle::Queued,
            Phase::Ringing { .. } => Lifecycle::Dialing,
            Phase::Talking { .. } | Phase::Closing { .. } | Phase::HandingOver { .. } => {
                Lifecycle::Answered
            }
            Phase::Failing { talking, .. } if talking.is_some() => Lifecycle::Answered,
            Phase::Failing { .. } => Lifecycle::Dialing,
            Phase::Over => Lifecycle::Finalized,
        }
    }

    /// The one view of the call.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            lifecycle: self.lifecycle(),
            phase: match self.phase {
                Phase::Queued => "queued",
                Phase::Ringing { .. } => "ringing",
                Phase::Talking { .. } => "talking",
                Phase::Closing { .. } => "closing",
                Phase::HandingOver { .. } => "handing_over",
                Phase::Failing { .. } => "failing",
                Phase::Over => "over",
            },
            link: match self.session {
                Session::Opening => "opening",
                Session::Up => "up",
                Session::Down { .. } => "down",
            },
            facts: self.facts,
            turns: self.shown.iter().map(|(_, turn)| turn.clone()).collect(),
            tools: self.ledger.len(),
            repairs: self.repaired,
        }
    }
}
