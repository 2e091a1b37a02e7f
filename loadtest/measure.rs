//! Times and what became of them: one histogram per quantity, merged at the end, told in
//! percentiles. Values saturate and are never thrown away.

use std::time::Duration;

use hdrhistogram::{Counter, Histogram};
use serde::Serialize;

/// The longest time told apart; anything longer counts as this.
const LONGEST: Duration = Duration::from_secs(120);
/// Significant digits: an error of one in a thousand.
const DIGITS: u8 = 3;

/// How long something took, many times over.
#[derive(Clone, Debug)]
pub struct Distribution(Histogram<u64>);

impl Default for Distribution {
    fn default() -> Self {
        let longest = LONGEST.as_micros() as u64;
        Self(Histogram::new_with_bounds(1, longest, DIGITS).expect("the bounds are in order"))
    }
}

impl Distribution {
    /// Takes one time.
    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    /// Takes everything that another has taken.
    pub fn merge(&mut self, other: &Self) {
        self.merge_microseconds(&other.0);
    }

    /// Takes a histogram that counted microseconds.
    pub fn merge_microseconds<C: Counter>(&mut self, other: &Histogram<C>) {
        for value in other.iter_recorded() {
            let count = value.count_at_value().as_u64();
            self.0.saturating_record_n(value.value_iterated_to().max(1), count);
        }
    }

    /// How many times were taken.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that a share of all did not exceed, in milliseconds; none when there are no times.
    #[must_use]
    pub fn ms_at(&self, share: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.0.value_at_quantile(share) as f64 / 1_000.0)
    }

    /// In numbers; none when there are no times.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        let at = |share| self.ms_at(share);
        Some(Summary {
            count: self.count(),
            mean_ms: self.0.mean() / 1_000.0,
            p50_ms: at(0.5)?,
            p90_ms: at(0.9)?,
            p99_ms: at(0.99)?,
            p999_ms: at(0.999)?,
            max_ms: self.0.max() as f64 / 1_000.0,
            curve: CURVE.iter().filter_map(|&share| Some((share, at(share)?))).collect(),
        })
    }
}

/// The shares at which a curve is drawn: half of what is left, again and again.
const CURVE: [f64; 15] = [
    0.0,
    0.25,
    0.5,
    0.75,
    0.875,
    0.9375,
    0.968_75,
    0.984_375,
    0.992_187_5,
    0.996_093_75,
    0.998_046_875,
    0.999_023_437_5,
    0.999_511_718_75,
    0.999_755_859_375,
    1.0,
];

/// A distribution in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// Mean.
    pub mean_ms: f64,
    /// Half did not exceed this.
    pub p50_ms: f64,
    /// Nine in ten.
    pub p90_ms: f64,
    /// 99 in a hundred.
    pub p99_ms: f64,
    /// 999 in a thousand.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// (share, milliseconds), for drawing.
    pub curve: Vec<(f64, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut times = Distribution::default();
        assert_eq!(times.summary(), None);
        for ms in 1..=1_000 {
            times.record(Duration::from_millis(ms));
        }
        let told = times.summary().expect("a thousand times");
        assert_eq!(told.count, 1_000);
        for (told, truth) in
            [(told.p50_ms, 500.0), (told.p99_ms, 990.0), (told.p999_ms, 999.0), (told.max_ms, 1e3)]
        {
            assert!((told - truth).abs() / truth < 0.002, "{told} is not {truth}");
        }
        assert!(told.curve.is_sorted_by(|a, b| a.1 <= b.1));
    }

    #[test]
    fn merging_loses_nothing_and_the_extremes_saturate() {
        let (mut one, mut two) = (Distribution::default(), Distribution::default());
        one.record(Duration::ZERO);
        two.record(Duration::from_secs(100_000));
        two.record(Duration::from_millis(5));
        one.merge(&two);
        assert_eq!(one.count(), 3);
        let longest = one.ms_at(1.0).expect("three times");
        assert!((longest - 120_000.0).abs() < 200.0, "{longest}");
    }
}
