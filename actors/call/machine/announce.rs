//! What comes from outside the conversation and is for the caller's ears: told one at a time, at a
//! pause, never over a question that waits for its answer.

use std::time::Duration;

use super::Machine;
use crate::briefing::Text;
use crate::call::log::kept;
use crate::call::turn::Owed;
use crate::clock::Instant;
use crate::record::Fact;

/// Announcements that wait; the oldest gives way. A caller takes in one, perhaps two.
const MOST_WAITING: usize = 8;

/// How long nobody has spoken before an announcement: somebody who was asked something begins to
/// answer sooner.
const PAUSE: Duration = Duration::from_millis(1_500);

impl Machine {
    /// Whoever ordered the call wants this said.
    pub(super) fn say(&mut self, text: &Text) {
        let words = format!("Say exactly: \"{}\"", text.as_str());
        self.turn.owe(Owed::Guided(Text(words)));
    }

    /// Something is to be told at the next pause.
    pub(super) fn announce(&mut self, text: Text) {
        if self.announcements.len() >= MOST_WAITING {
            self.announcements.pop_front();
        }
        self.announcements.push_back(text);
    }

    /// When the next announcement may be told: nobody has spoken for a moment, and nothing is due.
    pub(super) fn telling_deadline(&self) -> Option<Instant> {
        let free = !self.announcements.is_empty() && self.is_resting() && self.question.is_none();
        free.then(|| self.sign + PAUSE)
    }

    /// A pause: the model gets to know the oldest announcement, and is asked to tell it.
    pub(super) fn tell_next(&mut self, now: Instant) {
        if self.telling_deadline().is_none_or(|then| now < then) {
            return;
        }
        let Some(text) = self.announcements.pop_front() else { return };
        self.note(Fact::Announced { text: kept(&text) });
        self.whisper(text);
        self.turn.owe(Owed::Guided(Text::from(
            "News has just come, the last note of the conversation. Tell the caller in one or two \
             short sentences what it means for them; if the talk has moved on, ask whether they \
             want to hear it.",
        )));
    }
}
