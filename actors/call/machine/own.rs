//! The tools that a call performs itself: who is there, keys, hold; hanging up and handing over
//! are with the endings.

use std::time::Duration;

use super::{Machine, Phase};
use crate::briefing::{Text, Voicemail};
use crate::call::answer::{Source, Who};
use crate::call::event::{Clip, Media, Output};
use crate::call::turn::Owed;
use crate::carrier::{CarrierError, Digit, Key};
use crate::clock::Instant;
use crate::record::Fact;
use crate::tool::{Done, Own, ToolCallId, Verdict};

/// Keys waiting to be pressed; one order has at most 32.
const MOST_KEYS: usize = 64;

/// A pause between keys: long enough for a menu to read on.
const PAUSE: Duration = Duration::from_secs(2);

/// One key and the pause after it, as the stored tones are made and carriers press them.
const KEY: Duration = Duration::from_millis(200);

impl Machine {
    /// Somebody outside wants this said.
    pub(super) fn say(&mut self, text: &Text) {
        let words = format!("Say exactly: \"{}\"", text.as_str());
        self.turn.owe(Owed::Guided(Text(words)));
    }

    /// Does what the model asks of the call itself.
    pub(super) fn does(&mut self, id: &ToolCallId, own: Own, now: Instant) {
        match own {
            Own::HangUp => self.asked_to_hang_up(id, now),
            Own::Report(who) => self.reported(id, who, now),
            Own::Press(keys) => self.asked_to_press(id, keys, now),
            Own::Take(what, figures) => self.asked_to_take(id, what, figures, now),
            Own::WaitOnHold => self.reported(id, Who::Hold, now),
            Own::Transfer(why) => self.asked_to_transfer(id, why, now),
        }
    }

    /// The model says who is there. A human is talked to; of the rest nobody waits for an answer.
    fn reported(&mut self, id: &ToolCallId, who: Who, now: Instant) {
        let done = Done::success("");
        // A response that has said something already has answered the human.
        if who == Who::Human && (self.muted || !self.said_something) {
            self.told(id, done, now);
        } else {
            self.told_quietly(id, done, now);
        }
        // The tool promises a word when to leave a message.
        if who == Who::Voicemail && self.briefing.voicemail == Voicemail::Wait {
            self.whisper(
                "Nobody will tell you when to leave a message on this call: decide by yourself \
                 whether to speak, to wait or to hang up.",
            );
        }
        self.take_for(who, Source::Model, now);
    }

    fn asked_to_press(&mut self, id: &ToolCallId, keys: Vec<Key>, now: Instant) {
        if !self.has_room_for(&keys) {
            let suggestion = "wait: keys are still being pressed";
            self.told_quietly(id, Done::fault(Verdict::Temporary, "busy", "", suggestion), now);
            return;
        }
        self.told_quietly(id, Done::success(""), now);
        self.press(keys, now);
    }

    /// Whoever ordered the call wants keys pressed; the model is told, for it hears what follows.
    pub(super) fn ordered_to_press(&mut self, keys: Vec<Key>, now: Instant) {
        if self.has_room_for(&keys) {
            self.whisper("Keys were pressed on your behalf: wait for what they bring about.");
            self.press(keys, now);
        }
    }

    fn has_room_for(&self, keys: &[Key]) -> bool {
        self.keys.len() + keys.len() <= MOST_KEYS && matches!(self.phase, Phase::Talking { .. })
    }

    fn press(&mut self, keys: Vec<Key>, now: Instant) {
        self.keys.extend(keys);
        self.next_key.get_or_insert(now);
    }

    /// Presses the next run of keys, when it is time.
    pub(super) fn watch_keys(&mut self, now: Instant) {
        if self.next_key.is_none_or(|then| now < then) {
            return;
        }
        let mut run = Vec::new();
        while let Some(Key::Digit(digit)) = self.keys.front() {
            run.push(*digit);
            self.keys.pop_front();
        }
        let pause = self.keys.pop_front().map_or(Duration::ZERO, |_| PAUSE);
        let lasts = lasting(&run);
        if !run.is_empty() {
            self.note(Fact::Keyed);
            self.active(now);
            self.outputs.push_back(Output::Press(run));
        }
        self.next_key = (!self.keys.is_empty()).then(|| now + lasts + pause);
    }

    /// The carrier has not pressed them: where it has no such order, they are played as tones.
    pub(super) fn unpressed(&mut self, keys: &[Digit], error: &CarrierError, now: Instant) {
        if !matches!(self.phase, Phase::Talking { .. }) {
            return;
        }
        match error {
            CarrierError::NotOffered(_) => {
                self.keying = Some(now + lasting(keys));
                for key in keys {
                    self.media(Media::Play(Clip::Key(*key)));
                }
            }
            CarrierError::Refused(_) | CarrierError::Unknown(_) => {
                self.whisper("The keys may not have been pressed: the line failed.");
                self.turn.owe(Owed::Answer);
            }
        }
    }

    /// Whether tones of keys are on their way: a voice that goes on reading a menu does not stop
    /// them.
    pub(super) fn is_keying(&self, now: Instant) -> bool {
        self.keying.is_some_and(|until| now < until)
    }
}

fn lasting(keys: &[Digit]) -> Duration {
    KEY * u32::try_from(keys.len()).unwrap_or(u32::MAX)
}
