//! Names that have come before: Azure delivers twice, late and out of order. Pure: time is an
//! argument. Forgets after a while and beyond a number, so that it never grows.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tandem_actors::clock::Instant;

/// Names of a while. Kept as keyed hashes of 64 bits: whoever sends names cannot make two alike.
#[derive(Debug)]
pub(super) struct Seen {
    most: usize,
    keep: Duration,
    hasher: RandomState,
    names: HashSet<u64>,
    order: VecDeque<(u64, Instant)>,
}

impl Seen {
    /// Remembers so many names for so long.
    #[must_use]
    pub(super) fn new(most: usize, keep: Duration) -> Self {
        let (names, order) = (HashSet::new(), VecDeque::new());
        Self { most, keep, hasher: RandomState::new(), names, order }
    }

    /// Whether this name comes for the first time in a while. It is remembered from then on.
    pub(super) fn is_new(&mut self, name: &str, now: Instant) -> bool {
        while let Some((oldest, at)) = self.order.front()
            && now.saturating_duration_since(*at) >= self.keep
        {
            self.names.remove(oldest);
            self.order.pop_front();
        }
        let name = self.hasher.hash_one(name);
        if !self.names.insert(name) {
            return false;
        }
        if self.order.len() == self.most
            && let Some((oldest, _)) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        self.order.push_back((name, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use tandem_actors::clock;

    use super::*;

    const KEEP: Duration = Duration::from_mins(10);

    #[test]
    fn a_name_is_new_once_until_it_is_forgotten() {
        let (mut seen, now) = (Seen::new(8, KEEP), clock::now());
        assert!(seen.is_new("a", now));
        assert!(!seen.is_new("a", now));
        assert!(!seen.is_new("a", now + KEEP - Duration::from_secs(1)));
        assert!(seen.is_new("b", now + KEEP - Duration::from_secs(1)));
        assert!(seen.is_new("a", now + KEEP));
        assert!(!seen.is_new("b", now + KEEP));
    }

    #[test]
    fn a_flood_of_names_takes_no_more_room_than_the_bound() {
        let (mut seen, now) = (Seen::new(64, KEEP), clock::now());
        for n in 0..100_000 {
            assert!(seen.is_new(&n.to_string(), now));
        }
        assert_eq!((seen.names.len(), seen.order.len()), (64, 64));
        assert!(!seen.is_new("99999", now) && !seen.is_new("99936", now));
        assert!(seen.is_new("99935", now));
    }
}
