//! One-way latency of one call, measured by the sequence numbers inside the audio. Phone and
//! simulated model share a probe in the same process; the call itself carries only audio.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

/// Which way the audio goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the phone to the model.
    Uplink,
    /// From the model to the phone.
    Downlink,
}

/// Sequence numbers wrap after 5.12 s; what took half as long cannot be told from the next turn.
const OLDEST: Duration = Duration::from_millis(2_500);
/// Two significant digits: 6 KiB a direction, and nobody reads more.
const DIGITS: u8 = 2;

/// The latency of one call, each way.
#[derive(Debug)]
pub struct Probe {
    ways: Option<Box<[Mutex<Way>; 2]>>,
    /// Shared by all probes of a run.
    messages: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Way {
    /// For each sequence number, when the frame was due at its source, until it is heard.
    due: [Option<Instant>; 256],
    latency_us: Histogram<u32>,
}

impl Way {
    fn new() -> Self {
        Self { due: [None; 256], latency_us: empty() }
    }
}

fn empty() -> Histogram<u32> {
    let most = OLDEST.as_micros() as u64;
    Histogram::new_with_bounds(1, most, DIGITS).expect("the bounds are a valid range")
}

impl Probe {
    /// Measures.
    #[must_use]
    pub fn new() -> Self {
        Self::counting(Arc::default())
    }

    /// Measures no latency.
    #[must_use]
    pub fn silent() -> Self {
        Self { ways: None, messages: Arc::default() }
    }

    fn counting(messages: Arc<AtomicU64>) -> Self {
        let ways = Some(Box::new([Mutex::new(Way::new()), Mutex::new(Way::new())]));
        Self { ways, messages }
    }

    /// A message with audio has reached the phone, with speech in it or without.
    pub(super) fn message(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// A frame was to leave its source at this moment.
    pub fn sent(&self, direction: Direction, sequence: u8, due: Instant) {
        self.with(direction, |way| way.due[usize::from(sequence)] = Some(due));
    }

    /// A frame has arrived. Only the first arrival counts, and only within 2.5 s.
    pub fn heard(&self, direction: Direction, sequence: u8, at: Instant) {
        self.with(direction, |way| {
            let Some(due) = way.due[usize::from(sequence)].take() else { return };
            let took = at.saturating_duration_since(due);
            if took < OLDEST {
                way.latency_us.saturating_record(took.as_micros() as u64);
            }
        });
    }

    /// Microseconds from the moment a frame was due at its source until it arrived.
    #[must_use]
    pub fn latency_us(&self, direction: Direction) -> Histogram<u32> {
        self.with(direction, |way| way.latency_us.clone()).unwrap_or_else(empty)
    }

    fn with<T>(&self, direction: Direction, act: impl FnOnce(&mut Way) -> T) -> Option<T> {
        let way = match direction {
            Direction::Uplink => 0,
            Direction::Downlink => 1,
        };
        let ways = self.ways.as_ref()?;
        Some(act(&mut ways[way].lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self::new()
    }
}

/// The probes of all calls, by the number of the line that the callers say in their first words.
#[derive(Debug, Default)]
pub struct Probes {
    lines: Mutex<HashMap<u32, Arc<Probe>>>,
    messages: Arc<AtomicU64>,
}

impl Probes {
    /// No probes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new probe for a line, in place of its old one.
    pub fn add(&self, line: u32) -> Arc<Probe> {
        let probe = Arc::new(Probe::counting(Arc::clone(&self.messages)));
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.insert(line, Arc::clone(&probe));
        probe
    }

    /// Forgets a line's probe.
    pub fn remove(&self, line: u32) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(&line);
    }

    /// Messages with audio that have reached the phones of all lines so far, pauses of the speech
    /// included.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// The words by which a caller tells its line, e.g. `line 0427`.
    #[must_use]
    pub fn words(line: u32) -> String {
        format!("line {line:04}")
    }

    /// The probe of the line that is named in these words.
    #[must_use]
    pub fn find_in(&self, text: &str) -> Option<Arc<Probe>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        named(text).find_map(|line| lines.get(&line).map(Arc::clone))
    }
}

/// All numbers of four digits or more that follow the word `line`.
fn named(text: &str) -> impl Iterator<Item = u32> {
    const DIGITS_MIN: usize = 4;
    text.split("line ").skip(1).filter_map(|after| {
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        if end < DIGITS_MIN { None } else { after[..end].parse().ok() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_runs_from_the_deadline_to_the_first_arrival() {
        let probe = Probe::new();
        let due = Instant::now();
        probe.sent(Direction::Uplink, 7, due);
        probe.heard(Direction::Downlink, 7, due + Duration::from_millis(1));
        probe.heard(Direction::Uplink, 7, due + Duration::from_millis(30));
        probe.heard(Direction::Uplink, 7, due + Duration::from_millis(90));
        let latency = probe.latency_us(Direction::Uplink);
        assert_eq!(latency.len(), 1);
        assert!(latency.equivalent(latency.max(), 30_000));
        assert_eq!(probe.latency_us(Direction::Downlink).len(), 0);
    }

    #[test]
    fn what_is_as_old_as_half_a_turn_of_the_numbers_is_not_believed() {
        let probe = Probe::new();
        let due = Instant::now();
        probe.sent(Direction::Downlink, 0, due);
        probe.heard(Direction::Downlink, 0, due + OLDEST);
        assert_eq!(probe.latency_us(Direction::Downlink).len(), 0);
    }

    #[test]
    fn a_silent_probe_measures_nothing() {
        let probe = Probe::silent();
        probe.sent(Direction::Uplink, 0, Instant::now());
        probe.heard(Direction::Uplink, 0, Instant::now());
        assert_eq!(probe.latency_us(Direction::Uplink).len(), 0);
    }

    #[test]
    fn a_line_is_found_by_its_words() {
        let probes = Probes::new();
        let probe = probes.add(427);
        let words = format!("Hello, this is {}. Good evening.", Probes::words(427));
        assert!(Arc::ptr_eq(&probes.find_in(&words).expect("named"), &probe));
        assert!(probes.find_in("Hold the line 0427x").is_some());
        for other in ["line 0428", "line 042", "the line is busy", "line 99999999999", ""] {
            assert!(probes.find_in(other).is_none(), "{other}");
        }
        probes.remove(427);
        assert!(probes.find_in(&words).is_none());
    }
}
