//! What will happen when, drawn from one seed before anything begins: call starts, fault times,
//! and the sentences each line speaks. Pure; knows no clock.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::faults::{Kind, Spec};

/// The most faults of one run; bounds the plan and the report.
const FAULTS_MAX: usize = 100_000;

/// Words that are said: short and long ones, none that a simulated caller or model obeys.
const WORDS: [&str; 32] = [
    "amber", "boat", "candle", "distant", "early", "forest", "garden", "harbour", "island",
    "jacket", "kettle", "lantern", "market", "narrow", "orchard", "paper", "quiet", "river",
    "silver", "table", "under", "valley", "window", "yellow", "bridge", "corner", "december",
    "every", "family", "green", "hundred", "iron",
];

/// Words in a sentence, at least and at most: one to about three seconds of speech.
const SENTENCE: std::ops::RangeInclusive<usize> = 3..=8;

/// When each of `calls` lines starts, spread evenly over `ramp`; each gets a place of its own
/// inside one frame of 20 ms, or all phones would tick together.
#[must_use]
pub fn starts(calls: u32, ramp: Duration, seed: u64) -> Vec<Duration> {
    let mut rng = stream(seed, Stream::Starts);
    (0..calls)
        .map(|n| ramp * n / calls.max(1) + Duration::from_micros(rng.random_range(0..20_000)))
        .collect()
}

/// One fault to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    /// From the beginning of the measured time.
    pub at: Duration,
    /// What to break, the leaves told apart.
    pub kind: Kind,
    /// Which of the calls that can be met, as a share of their number.
    pub pick: f64,
}

/// Every fault of a run in order of time: independent arrivals at the rates asked for.
#[must_use]
pub fn faults(spec: &Spec, lasting: Duration, seed: u64) -> Vec<Due> {
    let mut due = Vec::new();
    for (n, &(kind, rate)) in spec.rates().iter().enumerate() {
        let mut rng = stream(seed, Stream::Faults(n));
        let mut leaves = Kind::LEAVES.iter().cycle();
        let mut at = 0.0_f64;
        loop {
            // The gap between independent arrivals: exponential, with the mean 1 / rate.
            at += -(1.0 - rng.random::<f64>()).ln() / rate;
            if at >= lasting.as_secs_f64() || due.len() >= FAULTS_MAX {
                break;
            }
            let kind = match kind {
                Kind::Leaves => *leaves.next().expect("a cycle has no end"),
                Kind::MediaIn
                | Kind::RealtimeLink
                | Kind::ToolRunner
                | Kind::Confirmation
                | Kind::Call
                | Kind::Pump
                | Kind::ModelCut => kind,
            };
            due.push(Due { at: Duration::from_secs_f64(at), kind, pick: rng.random() });
        }
    }
    due.sort_by_key(|fault| fault.at);
    due
}

/// What one line says, sentence after sentence without end.
#[derive(Debug)]
pub struct Sentences {
    rng: StdRng,
    line: usize,
    spoken: usize,
}

impl Sentences {
    /// The sentences of a line.
    #[must_use]
    pub fn new(seed: u64, line: usize) -> Self {
        Self { rng: stream(seed, Stream::Line(line)), line, spoken: 0 }
    }
}

impl Iterator for Sentences {
    type Item = String;

    /// Every sentence names its line, so that audio crossing between calls cannot hide, and its
    /// number, so that an answer that was lost or doubled cannot either. The first is short: from
    /// it the model learns whose latency it measures.
    fn next(&mut self) -> Option<String> {
        self.spoken += 1;
        if self.spoken == 1 {
            return Some(format!("line {:04}", self.line));
        }
        let count = self.rng.random_range(SENTENCE);
        let words: Vec<&str> =
            (0..count).map(|_| WORDS[self.rng.random_range(0..WORDS.len())]).collect();
        Some(format!("line {:04} turn {:03} {}", self.line, self.spoken, words.join(" ")))
    }
}

/// What a random stream is for; each has its own, so that more of one does not change another.
enum Stream {
    Starts,
    Faults(usize),
    Line(usize),
}

fn stream(seed: u64, of: Stream) -> StdRng {
    let (kind, n) = match of {
        Stream::Starts => (1_u64, 0),
        Stream::Faults(n) => (2, n),
        Stream::Line(n) => (3, n),
    };
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&kind.to_le_bytes());
    bytes[16..24].copy_from_slice(&(n as u64).to_le_bytes());
    StdRng::from_seed(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_plans_the_same() {
        let spec: Spec = "leaves=3,model_cut".parse().unwrap();
        let lasting = Duration::from_secs(60);
        assert_eq!(faults(&spec, lasting, 7), faults(&spec, lasting, 7));
        assert_ne!(faults(&spec, lasting, 7), faults(&spec, lasting, 8));
        let say = |seed, line| Sentences::new(seed, line).take(5).collect::<Vec<_>>();
        assert_eq!(say(7, 3), say(7, 3));
        assert_ne!(say(7, 3), say(8, 3));
    }

    #[test]
    fn starts_fill_the_ramp_and_stay_in_it() {
        let starts = starts(100, Duration::from_secs(10), 1);
        assert_eq!(starts.len(), 100);
        assert!(starts.is_sorted());
        let half = starts.iter().filter(|at| **at < Duration::from_secs(5)).count();
        assert!((48..=52).contains(&half), "{half} in the first half");
        assert!(starts[99] < Duration::from_secs(10));
    }

    #[test]
    fn faults_come_at_the_rate_asked_for_and_the_leaves_take_turns() {
        let spec: Spec = "leaves=2,call=0.5".parse().unwrap();
        let due = faults(&spec, Duration::from_secs(1_000), 1);
        let of = |kind| due.iter().filter(|fault| fault.kind == kind).count();
        let leaves = Kind::LEAVES.map(of);
        let most = leaves.iter().max().unwrap();
        assert!(leaves.iter().all(|count| most - count <= 1), "{leaves:?}");
        let (leaves, calls) = (leaves.iter().sum::<usize>(), of(Kind::Call));
        assert!((1_800..2_200).contains(&leaves), "{leaves}");
        assert!((430..570).contains(&calls), "{calls}");
        assert!(due.is_sorted_by_key(|fault| fault.at));
        assert!(due.iter().all(|fault| fault.at < Duration::from_secs(1_000)));
    }

    #[test]
    fn no_two_sentences_are_the_same() {
        let mut all: Vec<String> =
            (0..20).flat_map(|line| Sentences::new(1, line).take(50)).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 1_000);
    }
}
