//! What each phase waits for: the times at which the machine wants to be called again.

use super::{Instant, Machine, Parting, Phase, endings};

impl Machine {
    pub(super) fn deadlines(&self) -> [Option<Instant>; 14] {
        match &self.phase {
            Phase::Queued | Phase::Failing { .. } | Phase::Over => [None; 14],
            Phase::Ringing { since } => {
                let mut all = [None; 14];
                all[0] = Some(*since + self.briefing.limits.ringing);
                all
            }
            Phase::Talking { since } => [
                Some(*since + self.briefing.limits.total),
                self.silence_deadline(),
                self.media_deadline(),
                self.session_deadline(),
                self.greet_at.filter(|_| self.opening_is_due()),
                self.fill_deadline(),
                self.answer_deadline(),
                self.transfer_deadline(),
                self.next_key,
                self.dialled_until,
                self.taking_deadline(),
                self.telling_deadline(),
                self.recording_deadline(),
                self.door_deadline(),
            ],
            Phase::HandingOver { .. } => {
                let mut all = [None; 14];
                all[0] = self.transfer_deadline();
                all[1] = self.media_deadline();
                all
            }
            Phase::Closing { since, speech, .. } => {
                let mut all = [None; 14];
                all[0] = Some(*since + endings::PARTING);
                all[2] = (*speech == Parting::Ordered).then(|| *since + endings::UNSAID);
                all[1] = self.media_deadline();
                all[3] = self.transfer_deadline();
                all
            }
        }
    }
}
