//! What was lost, and what it cost until it was back.

use std::time::Duration;

use super::{Machine, millis};
use crate::call::event::Part;
use crate::clock::Instant;
use crate::record::Fact;

impl Machine {
    pub(super) fn lost(&mut self, part: &'static str, how: String, now: Instant) {
        self.note(Fact::Lost { part, how });
        if !self.repairs.iter().any(|(known, _)| *known == part) {
            self.repairs.push((part, now));
        }
    }

    /// A part is at work again. `cost` is the hole it left, where that was measured.
    pub(super) fn repaired(&mut self, part: &'static str, cost: Option<Duration>, now: Instant) {
        let Some(at) = self.repairs.iter().position(|(known, _)| *known == part) else { return };
        let (_, since) = self.repairs.remove(at);
        let took = cost.unwrap_or(now - since);
        self.repaired += 1;
        self.note(Fact::Repaired { part, took_ms: millis(took) });
    }

    /// Speech goes out again after a lost session. What the loss cost is the silence that was
    /// heard, not the time until all was as before.
    pub(super) fn spoken_again(&mut self, gap: Duration, now: Instant) {
        let Some((_, since)) = self.repairs.iter().find(|(known, _)| *known == "model") else {
            return;
        };
        let cost = gap.min(now - *since);
        self.repaired("model", Some(cost), now);
    }

    pub(super) fn part_back(&mut self, part: Part, now: Instant) {
        match part {
            // MediaIn is back when its pump moves audio again: see `Phone::Resumed`.
            Part::MediaIn => return,
            Part::RealtimeLink => {}
            Part::ToolRunner => self.hand_jobs_again(),
            Part::Confirmation => self.hand_cases_again(),
        }
        self.repaired(part.word(), None, now);
    }

    pub(super) fn call_back(&mut self, now: Instant) {
        self.note(Fact::Lost { part: "call", how: "panicked".to_owned() });
        self.repaired += 1;
        self.note(Fact::Repaired { part: "call", took_ms: 0 });
        self.hand_jobs_again();
        self.hand_cases_again();
        self.active(now);
    }
}
