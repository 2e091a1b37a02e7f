//! The caller's last seconds: what a fresh model session must hear that the lost one cannot be
//! trusted to have understood. Oldest dropped, drops counted. Pure.

use std::collections::VecDeque;

use crate::audio::Payload;

/// Frames kept while nothing is owed to the caller: 400 ms, more than the 300 ms of prefix and
/// the reaction time a voice detector has, so that a turn whose beginning died with a session
/// is heard from its first sound.
const PREROLL: usize = 20;

/// Frames kept at most: 10 s, an uncommonly long turn. At 1.3 KiB a frame this is 650 KiB for
/// the one call in trouble; calls in good order keep the pre-roll.
const MOST: usize = 500;

/// The caller's audio, in order, with a cursor of what the present session has been sent.
#[derive(Debug, Default)]
pub struct Ring {
    frames: VecDeque<Payload>,
    /// The number of the first frame kept; frames are numbered from the start of the call.
    first: u64,
    /// The next frame to send.
    cursor: u64,
    /// Frames from here on belong to a turn that is not yet understood.
    held: Option<u64>,
    /// Frames before this belong to turns that are: a new session must not hear them again.
    settled: u64,
    /// Where the present turn ended.
    turn_end: u64,
    dropped: u64,
}

impl Ring {
    /// Appends one frame.
    pub fn push(&mut self, frame: &Payload) {
        self.frames.push_back(frame.compact());
        if self.frames.len() > MOST {
            self.frames.pop_front();
            self.first += 1;
            if self.cursor < self.first {
                self.cursor = self.first;
                self.dropped += 1;
            }
        }
    }

    /// The next frame the session has not been sent.
    pub fn take(&mut self) -> Option<Payload> {
        let index = usize::try_from(self.cursor.saturating_sub(self.first)).ok()?;
        let frame = self.frames.get(index)?.clone();
        self.cursor += 1;
        self.trim();
        Some(frame)
    }

    /// A turn began: keep its audio, and what led to it, until it is understood.
    pub fn turn_began(&mut self) {
        let from = self.end().saturating_sub(PREROLL as u64).max(self.settled).max(self.first);
        self.held.get_or_insert(from);
    }

    /// The turn ended here; its words are not known yet.
    pub fn turn_ended(&mut self) {
        self.turn_end = self.end();
    }

    /// The words of the turn are known: its audio is no longer needed.
    pub fn understood(&mut self) {
        if self.held.take().is_some() {
            self.settled = self.settled.max(self.turn_end);
        }
        self.trim();
    }

    /// The session is lost: the next one shall hear again what this one may not have understood.
    /// Returns whether an unfinished turn will be heard again.
    pub fn rewind(&mut self) -> bool {
        let preroll = self.end().saturating_sub(PREROLL as u64);
        let from = self.held.unwrap_or(preroll.min(self.cursor)).max(self.settled);
        self.cursor = from.max(self.first);
        self.held.is_some()
    }

    /// Nobody has listened for a while: all but the last frames is passed over, an open turn
    /// included.
    pub fn forget_but(&mut self, frames: usize) {
        let from = self.end().saturating_sub(frames as u64).max(self.cursor);
        (self.cursor, self.settled, self.held) = (from, from, None);
        self.trim();
    }

    /// Frames that fell out before any session heard them.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    fn trim(&mut self) {
        let preroll = self.end().saturating_sub(PREROLL as u64);
        let keep = self.held.unwrap_or(preroll).min(preroll).min(self.cursor);
        while self.first < keep && self.frames.pop_front().is_some() {
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(n: u64) -> Payload {
        Payload::from_base64(Bytes::from(format!("{n:08}"))).expect("digits are base64")
    }

    fn number(payload: &Payload) -> u64 {
        payload.as_str().parse().expect("a frame made by this test")
    }

    fn feed(ring: &mut Ring, from: u64, to: u64) -> Vec<u64> {
        let mut sent = Vec::new();
        for n in from..to {
            ring.push(&frame(n));
            while let Some(frame) = ring.take() {
                sent.push(number(&frame));
            }
        }
        sent
    }

    fn drain(ring: &mut Ring) -> Vec<u64> {
        std::iter::from_fn(|| ring.take()).map(|frame| number(&frame)).collect()
    }

    #[test]
    fn frames_pass_in_order_and_only_the_preroll_is_kept() {
        let mut ring = Ring::default();
        assert_eq!(feed(&mut ring, 0, 100), (0..100).collect::<Vec<_>>());
        assert_eq!(ring.frames.len(), PREROLL);
    }

    #[test]
    fn after_a_hold_only_the_last_frames_are_heard() {
        let mut ring = Ring::default();
        feed(&mut ring, 0, 100);
        ring.turn_began();
        for n in 100..900 {
            ring.push(&frame(n));
        }
        ring.forget_but(150);
        assert_eq!(drain(&mut ring), (750..900).collect::<Vec<_>>());
        ring.push(&frame(900));
        ring.forget_but(150);
        assert_eq!(drain(&mut ring), [900], "nothing is heard twice");
    }

    #[test]
    fn a_turn_cut_in_the_middle_is_heard_again_from_its_first_sound() {
        let mut ring = Ring::default();
        feed(&mut ring, 0, 100);
        ring.turn_began();
        feed(&mut ring, 100, 200);
        assert!(ring.rewind());
        assert_eq!(drain(&mut ring), (80..200).collect::<Vec<_>>());
    }

    #[test]
    fn a_turn_that_was_understood_is_not_heard_twice() {
        let mut ring = Ring::default();
        feed(&mut ring, 0, 100);
        ring.turn_began();
        feed(&mut ring, 100, 200);
        ring.turn_ended();
        feed(&mut ring, 200, 205);
        ring.understood();
        assert!(!ring.rewind());
        assert_eq!(drain(&mut ring), (200..205).collect::<Vec<_>>());
    }

    #[test]
    fn ten_seconds_without_a_session_drop_the_oldest_and_count_them() {
        let mut ring = Ring::default();
        for n in 0..600 {
            ring.push(&frame(n));
        }
        assert_eq!(ring.dropped(), 100);
        assert_eq!(drain(&mut ring), (100..600).collect::<Vec<_>>());
    }
}
