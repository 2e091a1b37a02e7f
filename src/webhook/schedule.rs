//! When a delivery that failed is tried again, and until when: pure, time and chance are arguments.

use std::time::Duration;

/// The longest pauses from one attempt to the next, as multiples of the first: of ten seconds they
/// make 10 s, 1 min, 5 min, 30 min, 2 h, 6 h and 12 h, and 12 h from then on.
const STEPS: [u32; 7] = [1, 6, 30, 180, 720, 2_160, 4_320];

/// The shortest pause is this part of the longest: between them it is drawn, so that what failed
/// together does not come back together, and never so short that a dead receiver is asked on end.
const SHORTEST: f64 = 0.1;

/// The longest that a receiver may ask us to wait before the next attempt.
const ASKED_MAX: Duration = Duration::from_hours(6);

/// The longest that a failing endpoint is left alone, as a multiple of the first pause: a minute.
/// What waits for it is not tried all at once, and one that is back is noticed within it.
const REST_MAX: u32 = 6;

/// How often, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The longest pause after the first attempt.
    pub first: Duration,
    /// From the event to the last attempt.
    pub lifetime: Duration,
}

/// How a delivery has fared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    /// Attempts, at least one.
    pub(super) attempts: u32,
    /// Since the event.
    pub(super) age: Duration,
    /// How long the receiver asks us to wait.
    pub(super) asked: Option<Duration>,
}

impl Schedule {
    /// Over three days: a receiver that breaks on a Friday night has until Monday.
    pub const DAYS: Self =
        Self { first: Duration::from_secs(10), lifetime: Duration::from_hours(72) };

    /// How long to wait before the next attempt; none when that was the last. `draw` is a chance
    /// from 0 to 1. The last attempt is made at the end of the lifetime.
    pub(super) fn next(&self, tried: &Tried, draw: f64) -> Option<Duration> {
        let left = self.lifetime.checked_sub(tried.age).filter(|left| !left.is_zero())?;
        let step = (tried.attempts.max(1) - 1) as usize;
        let longest = self.first * STEPS[step.min(STEPS.len() - 1)];
        let drawn = longest.mul_f64(SHORTEST + (1.0 - SHORTEST) * draw.clamp(0.0, 1.0));
        let asked = tried.asked.unwrap_or_default().min(ASKED_MAX);
        Some(drawn.max(asked).min(left))
    }

    /// How long an endpoint is left alone that has failed this often in a row.
    pub(super) fn rest(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let grown = self.first.mul_f64(SHORTEST) * 2_u32.pow(failures.clamp(1, 8) - 1);
        grown.max(asked.unwrap_or_default()).min(self.first * REST_MAX)
    }
}

/// What a `Retry-After` says at this time: seconds, or a date.
pub(super) fn retry_after(value: &str, now: jiff::Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_receiver_that_stays_away_is_tried_for_three_days() {
        let (mut age, mut pauses) = (Duration::ZERO, Vec::new());
        loop {
            let tried = Tried { attempts: pauses.len() as u32 + 1, age, asked: None };
            let Some(pause) = Schedule::DAYS.next(&tried, 1.0) else { break };
            age += pause;
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses[..7], [10, 60, 300, 1_800, 7_200, 21_600, 43_200]);
        assert_eq!((pauses.len(), age), (12, Schedule::DAYS.lifetime));
    }

    #[test]
    fn what_a_receiver_asks_for_is_seconds_or_a_date() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let asked = |value| retry_after(value, now);
        assert_eq!(asked(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        for nothing in ["", "soon", "-1", "1.5"] {
            assert_eq!(asked(nothing), None, "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn every_delivery_comes_to_an_end_and_no_receiver_is_pressed(
            draws in prop::collection::vec(0.0..=1.0_f64, 100),
            asked in prop::option::of(0..1_000_000_u64),
        ) {
            let (mut age, mut attempts) = (Duration::ZERO, 1);
            let asked = asked.map(Duration::from_secs);
            for draw in draws {
                let tried = Tried { attempts, age, asked };
                let Some(pause) = Schedule::DAYS.next(&tried, draw) else { break };
                let left = Schedule::DAYS.lifetime - age;
                prop_assert!(pause >= Duration::from_secs(1).min(left));
                prop_assert!(pause <= Duration::from_hours(12));
                prop_assert!(pause >= asked.unwrap_or_default().min(ASKED_MAX).min(left));
                (age, attempts) = (age + pause, attempts + 1);
            }
            prop_assert_eq!(age, Schedule::DAYS.lifetime);
            prop_assert!(attempts <= 80, "{} attempts", attempts);
        }

        #[test]
        fn a_failing_endpoint_rests_longer_each_time_up_to_a_minute(
            failures in 1..u32::MAX,
            asked in prop::option::of(0..u64::MAX),
        ) {
            let rest = |n, asked| Schedule::DAYS.rest(n, asked);
            let asked = asked.map(Duration::from_secs);
            prop_assert!(rest(failures, None) <= rest(failures.saturating_add(1), None));
            prop_assert!(rest(failures, asked) >= Duration::from_secs(1));
            prop_assert!(rest(failures, asked) <= Duration::from_mins(1));
        }
    }
}
