//! How a call looks from outside.

use super::{Machine, Phase, Session};
use crate::briefing::Lifecycle;
use crate::call::snapshot::Snapshot;

impl Machine {
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
