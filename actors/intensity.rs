//! Restart policy as data: how often a part may fail before its owner gives up, and how long to
//! wait before each replacement. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Instant;

/// At most so many failures within a window.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// How many failures are repaired; one more within the window is too many.
    pub failures: usize,
    /// The window.
    pub within: Duration,
}

/// A part of a call. Five in ten seconds: a poisoned event cannot loop for long, while a fault a
/// second, the worst weather we promise to survive, stays far from it when spread over parts.
pub const PART: Limit = Limit { failures: 5, within: Duration::from_secs(10) };

/// The Call itself. Its failure takes all four parts with it, so less is borne.
pub const CALL: Limit = Limit { failures: 2, within: Duration::from_secs(30) };

/// The wait before the second replacement within a window; doubled for each further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// No wait is longer: the person on the line hears it.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Replace the part after this wait (zero for the first failure in a window).
    Replace(Duration),
    /// It has failed too often.
    GiveUp,
}

/// Counts the failures of one part.
#[derive(Debug)]
pub struct Intensity {
    limit: Limit,
    failures: VecDeque<Instant>,
}

impl Intensity {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self { limit, failures: VecDeque::new() }
    }

    /// Counts a failure and says what to do.
    pub fn failed(&mut self, now: Instant) -> Answer {
        while self.failures.front().is_some_and(|&then| now - then > self.limit.within) {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        match self.failures.len() {
            1 => Answer::Replace(Duration::ZERO),
            n if n <= self.limit.failures => {
                let doublings = u32::try_from(n - 2).unwrap_or(u32::MAX).min(8);
                Answer::Replace((FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT))
            }
            _ => Answer::GiveUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_repaired_at_once_and_the_sixth_in_ten_seconds_is_too_many() {
        let start = crate::clock::now();
        let mut intensity = Intensity::new(PART);
        let answers: Vec<_> =
            (0..6).map(|n| intensity.failed(start + Duration::from_secs(n))).collect();
        let wait = |ms| Answer::Replace(Duration::from_millis(ms));
        let expected = [wait(0), wait(50), wait(100), wait(200), wait(400), Answer::GiveUp];
        assert_eq!(answers, expected);
    }

    #[test]
    fn a_failure_every_four_seconds_is_borne_for_ever() {
        let start = crate::clock::now();
        let mut intensity = Intensity::new(PART);
        for n in 0..1_000 {
            let answer = intensity.failed(start + Duration::from_secs(4 * n));
            assert_ne!(answer, Answer::GiveUp);
        }
    }
}
