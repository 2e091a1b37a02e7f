//! How one place does: well, or left alone for a while and then tried by one session first.
//! Pure; the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// Failures without a success between them before a place is left alone: one may be chance, and
/// each costs a caller a moment.
const FAILURES: u32 = 3;

/// How long a place is left alone that could not be reached: a server that restarts is back.
const REST: Duration = Duration::from_secs(30);

/// How long one is that refused for good: a key, a quota or an account is put right by a human.
const LONG_REST: Duration = Duration::from_mins(5);

/// How long the one session that tries a place again may take before another may try, too.
const TRIAL: Duration = Duration::from_secs(10);

/// How a place does.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: u32,
    rest: Option<Rest>,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    /// It refused for good.
    refused: bool,
}

impl Health {
    /// Whether a session may be opened here now. Of a place that has rested long enough only one
    /// at a time may, to see whether it is back.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match &mut self.rest {
            None => true,
            Some(rest) if now >= rest.until => {
                rest.until = now + TRIAL;
                true
            }
            Some(_) => false,
        }
    }

    /// A session did what it is for.
    pub(super) fn worked(&mut self) {
        *self = Self::default();
    }

    /// It did not, which may be chance. Returns how long the place is left alone if it now is.
    pub(super) fn failed(&mut self, now: Instant) -> Option<Duration> {
        self.failures += 1;
        if self.failures < FAILURES && self.rest.is_none() {
            return None;
        }
        self.rest(now, REST, false)
    }

    /// It never will until somebody puts it right.
    pub(super) fn refused(&mut self, now: Instant) -> Option<Duration> {
        self.rest(now, LONG_REST, true)
    }

    fn rest(&mut self, now: Instant, time: Duration, refused: bool) -> Option<Duration> {
        let fresh = self.rest.is_none();
        self.rest = Some(Rest { until: now + time, refused });
        fresh.then_some(time)
    }

    /// Whether nothing speaks against it.
    pub(super) const fn is_well(&self) -> bool {
        self.rest.is_none()
    }

    /// Whether it is left alone because it refused for good.
    pub(super) const fn is_refusing(&self) -> bool {
        matches!(self.rest, Some(Rest { refused: true, .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_earn_a_rest_and_one_trial_ends_it() {
        let mut now = Instant::now();
        let mut health = Health::default();
        assert_eq!((health.failed(now), health.failed(now)), (None, None));
        health.worked();
        assert_eq!((health.failed(now), health.failed(now)), (None, None), "counted anew");
        assert_eq!(health.failed(now), Some(REST));
        assert!(!health.admits(now) && !health.is_refusing());
        now += REST;
        assert!(health.admits(now), "one may try");
        assert!(!health.admits(now), "and no second one meanwhile");
        assert_eq!(health.failed(now), None, "it is known to rest");
        assert!(!health.admits(now + REST / 2), "and rests again at once");
        now += REST;
        assert!(health.admits(now));
        health.worked();
        assert!(health.admits(now) && health.admits(now), "back");
    }

    #[test]
    fn a_trial_that_never_ends_does_not_bar_the_next() {
        let now = Instant::now();
        let mut health = Health::default();
        assert_eq!(health.refused(now), Some(LONG_REST));
        assert!(health.is_refusing());
        assert!(!health.admits(now + REST));
        assert!(health.admits(now + LONG_REST));
        assert!(!health.admits(now + LONG_REST + TRIAL / 2));
        assert!(health.admits(now + LONG_REST + TRIAL));
    }
}
