//! A caller who has to enter a PIN before anything is said to them: asked with stored speech, heard
//! by nobody. What is entered goes to the profile's check and nowhere else.

use std::time::Duration;

use super::{Machine, Parting, Phase};
use crate::call::answer::Course;
use crate::call::consent::{MOST_WRONG_PINS, Pin};
use crate::call::event::{Clip, Media};
use crate::carrier::Digit;
use crate::clock::Instant;
use crate::listener::Listening;
use crate::record::Fact;

/// From the last word or key to the next one: time to look the PIN up.
const PATIENCE: Duration = Duration::from_secs(20);

/// The key that ends it.
const END: char = '#';

/// The key that takes back what was entered.
const AGAIN: char = '*';

/// Somebody who has not been let in.
#[derive(Debug, Default)]
pub(super) struct AtDoor {
    entered: Pin,
    wrong: u32,
    /// They have been asked again, because nothing came.
    reminded: bool,
}

impl Machine {
    /// The call is answered: whoever has to enter a PIN is asked for it.
    pub(super) fn meet_at_door(&mut self) {
        if self.at_door.is_some() {
            self.course = Course::Take;
            self.greet_at = None;
            self.note(Fact::Restricted { what: "pin", step: "asked" });
            self.media(Media::Play(Clip::EnterPin));
        }
    }

    /// A key, if somebody is at the door. Returns whether it was for that.
    pub(super) fn door_key(&mut self, digit: Digit, now: Instant) -> bool {
        let Some(door) = &mut self.at_door else { return false };
        let whole = match digit.key() {
            AGAIN => {
                door.entered = Pin::default();
                false
            }
            END => true,
            _ => door.entered.push(digit),
        };
        if whole && !door.entered.is_empty() {
            let entered = std::mem::take(&mut door.entered);
            self.knock(&entered, now);
        }
        true
    }

    fn knock(&mut self, entered: &Pin, now: Instant) {
        // Whoever has been turned away is not let in any more.
        if !matches!(self.phase, Phase::Talking { .. }) {
            return;
        }
        let right = self.briefing.door.as_ref().is_some_and(|door| (door.0)(entered));
        let Some(door) = &mut self.at_door else { return };
        if right {
            return self.let_in(now);
        }
        door.wrong += 1;
        if door.wrong >= MOST_WRONG_PINS {
            return self.turn_away("wrong_pin", now);
        }
        self.media(Media::Play(Clip::WrongPin));
    }

    /// The line is an open one from here on.
    fn let_in(&mut self, now: Instant) {
        self.at_door = None;
        self.note(Fact::Restricted { what: "pin", step: "given" });
        self.course = Course::Talk;
        // What the stored voice is still saying is not needed any more.
        self.media(Media::Flush(self.generation));
        self.media(Media::Listen(Listening::Nothing));
        self.greet_at = Some(now);
        self.take_course(now);
    }

    fn turn_away(&mut self, reason: &'static str, now: Instant) {
        let Phase::Talking { since } = self.phase else { return };
        self.note(Fact::Restricted { what: "pin", step: "not_given" });
        let (talking, speech) = (since, Parting::Stored);
        self.phase = Phase::Closing { since: now, talking, reason, speech };
        self.media(Media::Flush(self.generation));
        self.media(Media::Play(Clip::TurnedAway));
    }

    pub(super) fn door_deadline(&self) -> Option<Instant> {
        // A request that is still being said is waited for.
        let waits = self.at_door.is_some() && !self.turn.is_speaking();
        waits.then(|| self.sign + PATIENCE)
    }

    /// Who enters nothing is asked once more.
    pub(super) fn watch_door(&mut self, now: Instant) {
        if self.door_deadline().is_none_or(|then| now < then) {
            return;
        }
        self.active(now);
        let Some(door) = &mut self.at_door else { return };
        if std::mem::replace(&mut door.reminded, true) {
            return self.turn_away("no_pin", now);
        }
        self.media(Media::Play(Clip::EnterPin));
    }
}
