//! How often somebody may come: a bucket that fills steadily. Pure: time is an argument.

use std::time::Duration;

use tandem_actors::clock::Instant;

/// A bucket of permissions.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    most: u32,
    /// From one new permission to the next.
    every: Duration,
    /// Up to when permissions have been put in.
    filled: Instant,
}

impl Allowance {
    /// A full bucket.
    #[must_use]
    pub(super) const fn new(most: u32, every: Duration, now: Instant) -> Self {
        Self { left: most, most, every, filled: now }
    }

    /// Takes one permission, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.filled);
        let new = u32::try_from(since.as_nanos() / self.every.as_nanos()).unwrap_or(u32::MAX);
        if new >= self.most - self.left {
            (self.left, self.filled) = (self.most, now);
        } else {
            self.left += new;
            self.filled += self.every * new;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use tandem_actors::clock;

    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_steady_rate() {
        let begun = clock::now();
        let mut allowance = Allowance::new(100, Duration::from_millis(50), begun);
        let mut let_through = |now| (0..1_000).filter(|_| allowance.take(now)).count();
        assert_eq!(let_through(begun), 100);
        assert_eq!(let_through(begun + Duration::from_millis(49)), 0);
        assert_eq!(let_through(begun + Duration::from_millis(50)), 1);
        assert_eq!(let_through(begun + Duration::from_millis(1_049)), 19);
        assert_eq!(let_through(begun + Duration::from_hours(1_000)), 100);
    }
}
