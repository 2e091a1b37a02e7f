//! How a call looks from outside.

use super::{Machine, Phase, Session};
use crate::briefing::Lifecycle;
use crate::call::snapshot::Snapshot;
use crate::record::Turn;

/// Turns kept for the snapshot: what fits on a screen.
const TURNS_SHOWN: usize = 50;

impl Machine {
    /// Keeps a turn to be seen.
    pub(super) fn show(&mut self, turn: Turn) {
        if self.shown.len() == TURNS_SHOWN {
            self.shown.pop_front();
        }
        self.shown.push_back(turn);
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
            turns: self.shown.iter().cloned().collect(),
            tools: self.ledger.len(),
            repairs: self.repaired,
        }
    }
}
