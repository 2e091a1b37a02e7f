//! What happened on one line, in numbers.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::Ending;
use crate::rehearsal::speech::Account;

/// What happened on a phone's line.
#[derive(Clone, Debug)]
pub struct PhoneAccount {
    /// Frames of 20 ms sent, silence included.
    pub frames_sent: u64,
    /// Frames that a script had dropped.
    pub frames_dropped: u64,
    /// Frames of speech heard, each once.
    pub heard: u64,
    /// Frames never heard, though later ones of the same utterance were.
    pub lost: u64,
    /// Frames heard again right after themselves.
    pub doubled: u64,
    /// Frames heard after a later one.
    pub reordered: u64,
    /// Frames of sound in which no speech of ours was found.
    pub unreadable: u64,
    /// Utterances whose last frame was not heard; after a flush that is as it should be.
    pub cut_off: u64,
    /// Holes in the middle of an utterance where nothing was there to be played.
    pub underruns: u64,
    /// How long all of them were together.
    pub underrun_total: Duration,
    /// How long the longest was.
    pub underrun_longest: Duration,
    /// Audio that came when the carrier already held all it holds, and was thrown away.
    pub overflow: Duration,
    /// Messages that are none of the dialect's.
    pub odd_messages: u64,
    /// By how many microseconds the phone missed its own deadlines, scripted stalls aside. When
    /// this is large, the measuring machine is too slow for what it measures.
    pub lateness_us: Histogram<u32>,
    /// How the line ended, once it has.
    pub ending: Option<Ending>,
}

/// The latest a deadline is recorded: a minute.
const LATENESS_MAX_US: u64 = 60_000_000;
/// Two significant digits: 8 KiB a phone instead of 64, and nobody reads more.
const DIGITS: u8 = 2;

impl Default for PhoneAccount {
    fn default() -> Self {
        let lateness_us = Histogram::new_with_bounds(1, LATENESS_MAX_US, DIGITS)
            .expect("the bounds are a valid range");
        Self {
            frames_sent: 0,
            frames_dropped: 0,
            heard: 0,
            lost: 0,
            doubled: 0,
            reordered: 0,
            unreadable: 0,
            cut_off: 0,
            underruns: 0,
            underrun_total: Duration::ZERO,
            underrun_longest: Duration::ZERO,
            overflow: Duration::ZERO,
            odd_messages: 0,
            lateness_us,
            ending: None,
        }
    }
}

impl PhoneAccount {
    /// The longest hole inside an utterance, in milliseconds.
    #[must_use]
    pub fn longest_gap_ms(&self) -> u64 {
        u64::try_from(self.underrun_longest.as_millis()).unwrap_or(u64::MAX)
    }

    /// An utterance was heard.
    pub(super) fn heard(&mut self, account: Account) {
        self.heard += account.frames;
        self.lost += account.lost;
        self.doubled += account.doubled;
        self.reordered += account.reordered;
        self.unreadable += account.unreadable;
        self.cut_off += account.cut_off;
    }

    /// A deadline that was met now.
    pub(super) fn late(&mut self, due: Instant, now: Instant) {
        let late = now.saturating_duration_since(due).as_micros();
        self.lateness_us.saturating_record(u64::try_from(late).unwrap_or(LATENESS_MAX_US));
    }

    /// A hole in an utterance.
    pub(super) fn underrun(&mut self, hole: Duration) {
        self.underruns += 1;
        self.underrun_total += hole;
        self.underrun_longest = self.underrun_longest.max(hole);
    }
}
