//! A call that goes on after the server that had it was lost: the machine is a new one, the
//! conversation is that of the record.

use std::time::Duration;

use super::endings::Submission;
use super::{Machine, MediaState, Phase, Session};
use crate::briefing::{Lifecycle, Outcome};
use crate::clock::Instant;
use crate::record::Fact;

/// The word for the lost server in the facts.
const SERVER: &str = "server";

impl Machine {
    /// With what was before, where something was.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        let Some(before) = &mut self.briefing.before else { return self };
        self.facts = before.facts;
        self.submission = Submission::Named;
        for entry in std::mem::take(&mut before.conversation) {
            self.log.recall(entry);
        }
        self
    }

    /// Whether the call was begun by a server that was lost.
    pub(super) const fn goes_on(&self) -> bool {
        self.briefing.before.is_some()
    }

    /// Waits for the media that the carrier was told to bring. Nothing is ordered.
    pub(super) fn go_on_waiting(&mut self, now: Instant) {
        self.phase = Phase::Ringing { since: now };
        self.lost(SERVER, "killed".to_owned(), now);
        if self.briefing.before.as_ref().is_some_and(|before| before.handing_over) {
            self.note(Fact::HandOver { step: "failed" });
        }
    }

    /// The media has come to a call that talked before: it says sorry and goes on.
    pub(super) fn go_on_talking(&mut self, now: Instant) {
        self.media = MediaState::Flowing;
        self.phase = Phase::Talking { since: now };
        if self.session == Session::Opening {
            self.session = Session::Down { since: now, bridged: false };
        }
        if !self.was_answered() {
            self.note(Fact::Lifecycle(Lifecycle::Answered));
        }
        let silent = self.briefing.before.as_ref().map(|before| before.silent);
        self.repaired(SERVER, silent, now);
        self.greet_at = Some(now);
        self.take_course(now);
    }

    fn was_answered(&self) -> bool {
        self.briefing.before.as_ref().is_some_and(|before| before.answered)
    }

    /// How long they had talked before.
    pub(super) fn talked_before(&self) -> Duration {
        self.briefing.before.as_ref().map_or(Duration::ZERO, |before| before.talked)
    }

    /// What the network made of a call that had been answered before: that.
    pub(super) fn as_answered(&self, outcome: Outcome) -> Outcome {
        let is_unanswered = matches!(outcome, Outcome::NoAnswer | Outcome::Cancelled);
        if is_unanswered && self.was_answered() { Outcome::Answered } else { outcome }
    }
}
