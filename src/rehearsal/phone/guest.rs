//! One more human on a line: hears what the other two say, mixed as a carrier mixes it, and
//! greets them. Knows no socket and no clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::WeakSender;
use tokio::time::Instant;

use super::line::Command;
use crate::rehearsal::speech::pcm::Coding;
use crate::rehearsal::speech::{Ear, Perceived, Rate, Speech, Voice};

/// Utterances that are kept of a guest.
const HEARD_MAX: usize = 200;

/// What a guest has heard so far, in whole utterances.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// All of it.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where a guest can come onto a line that may be over.
#[derive(Clone)]
pub struct Seat {
    commands: WeakSender<Command>,
    coding: Coding,
    speech: Speech,
}

impl Seat {
    pub(super) const fn new(commands: WeakSender<Command>, coding: Coding, speech: Speech) -> Self {
        Self { commands, coding, speech }
    }

    /// Somebody comes onto the line with these words; what they hear from then on.
    pub async fn take(&self, words: &str) -> Heard {
        let (rate, heard) = (self.coding.rate(), Heard::default());
        let utterance = self.speech.render_async(words, &Voice::callee(), rate).await;
        let guest = Guest::new(rate, &utterance.samples, heard.clone());
        if let Some(commands) = self.commands.upgrade() {
            // A line that has ended has nobody to be heard.
            commands.send(Command::Seat(Box::new(guest))).await.ok();
        }
        heard
    }
}

/// Somebody who has come onto a line.
pub(super) struct Guest {
    ear: Ear,
    saying: VecDeque<i16>,
    heard: Heard,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guest(…)")
    }
}

impl Guest {
    fn new(rate: Rate, saying: &[i16], heard: Heard) -> Self {
        Self { ear: Ear::new(rate), saying: saying.iter().copied().collect(), heard }
    }

    /// The next frame of what they say; silence when that is nothing.
    pub(super) fn speak(&mut self, frame: usize) -> Vec<i16> {
        let mut spoken: Vec<i16> = self.saying.drain(..frame.min(self.saying.len())).collect();
        spoken.resize(frame, 0);
        spoken
    }

    /// Hears a frame of what the others say together.
    pub(super) fn hear(&mut self, sound: &[i16], now: Instant) {
        let mut perceived = Vec::new();
        self.ear.push(sound, now, &mut perceived);
        self.keep(perceived);
    }

    /// The end of the line.
    pub(super) fn finish(&mut self) {
        let mut perceived = Vec::new();
        self.ear.finish(&mut perceived);
        self.keep(perceived);
    }

    fn keep(&self, perceived: Vec<Perceived>) {
        let mut heard = self.heard.0.lock().unwrap_or_else(PoisonError::into_inner);
        for perceived in perceived {
            if let Perceived::Quiet { text, .. } = perceived
                && heard.len() < HEARD_MAX
            {
                heard.push(text);
            }
        }
    }
}

/// Two sounds at once. The shorter is followed by silence.
pub(super) fn mixed(one: &[i16], other: &[i16]) -> Vec<i16> {
    let mut mixed = one.to_vec();
    mixed.resize(one.len().max(other.len()), 0);
    for (sample, more) in mixed.iter_mut().zip(other) {
        *sample = sample.saturating_add(*more);
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sounds_are_added_without_running_over() {
        assert_eq!(mixed(&[1, 2, i16::MAX], &[3, -2, 9, 7]), [4, 0, i16::MAX, 7]);
        assert_eq!(mixed(&[], &[5]), [5]);
    }

    #[test]
    fn a_guest_says_it_all_and_is_silent_then() {
        let mut guest = Guest::new(Rate::Hz8000, &[1, 2, 3], Heard::default());
        assert_eq!(
            (guest.speak(2), guest.speak(2), guest.speak(2)),
            (vec![1, 2], vec![3, 0], vec![0, 0])
        );
    }

    #[test]
    fn a_guest_hears_both_whom_they_have_joined() {
        let say = |words: &str| {
            Speech::synthetic_only().render(words, &Voice::agent(), Rate::Hz8000).samples.clone()
        };
        let (agent, caller) = (say("Here is the caller."), say("Thank you."));
        let pause = vec![0; 2 * 8_000];
        let before_the_caller = vec![0; agent.len() + pause.len()];
        let sound = mixed(&agent, &[before_the_caller, caller, pause].concat());
        let heard = Heard::default();
        let mut guest = Guest::new(Rate::Hz8000, &[], heard.clone());
        for frame in sound.chunks(160) {
            guest.hear(frame, Instant::now());
        }
        guest.finish();
        assert_eq!(heard.words(), ["Here is the caller.", "Thank you."]);
    }
}
