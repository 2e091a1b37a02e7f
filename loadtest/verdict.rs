//! From readings and thresholds to one word. A threshold without a reading is not met by
//! silence: such a run is not valid. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;

use serde::{Serialize, Serializer};

use crate::faults::Kind;
use crate::hostile::truth::Wrong;

/// What can be demanded; the unit is in [`Quantity::unit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// Calls that ended without being hung up by their phone, or never came up.
    CallsLost,
    /// Turns in which somebody heard other words than were said.
    WrongTranscripts,
    /// Answers that were never finished.
    TurnsLost,
    /// Answers that were given twice.
    TurnsDoubled,
    /// Frames that never came out.
    FramesLost,
    /// Frames that came out twice.
    FramesDoubled,
    /// Phone to model, median.
    UplinkP50,
    /// Phone to model, 99th percentile.
    UplinkP99,
    /// Model to phone, median.
    DownlinkP50,
    /// Model to phone, 99th percentile.
    DownlinkP99,
    /// The longest silence inside speech around a fault, 99th percentile.
    GapP99(Kind),
    /// Until speech went on after a fault, 99th percentile.
    ResumedP99(Kind),
    /// Processor time of the bridge over that of a plain forwarder.
    CpuRatio,
    /// Memory of a live call.
    MemoryPerCall,
    /// Calls started but not ended when all are over.
    CallsLeft,
    /// Open files more than before.
    FdsLeft,
    /// Tasks more than before.
    TasksLeft,
    /// Actors more than before.
    ActorsLeft,
    /// Memory that each further call leaves behind.
    MemorySlope,
    /// What a hostile model has brought about.
    Hostile(Wrong),
}

impl Quantity {
    /// Whether it is a time, or a ratio of times, that a machine which is too busy spoils.
    #[must_use]
    pub const fn is_time(self) -> bool {
        match self {
            Self::CallsLost
            | Self::WrongTranscripts
            | Self::TurnsLost
            | Self::TurnsDoubled
            | Self::FramesLost
            | Self::FramesDoubled
            | Self::MemoryPerCall
            | Self::CallsLeft
            | Self::FdsLeft
            | Self::TasksLeft
            | Self::ActorsLeft
            | Self::MemorySlope
            | Self::Hostile(_) => false,
            Self::UplinkP50
            | Self::UplinkP99
            | Self::DownlinkP50
            | Self::DownlinkP99
            | Self::GapP99(_)
            | Self::ResumedP99(_)
            | Self::CpuRatio => true,
        }
    }

    /// Its unit; empty for counts and ratios.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::CallsLost
            | Self::WrongTranscripts
            | Self::TurnsLost
            | Self::TurnsDoubled
            | Self::FramesLost
            | Self::FramesDoubled
            | Self::CpuRatio
            | Self::CallsLeft
            | Self::FdsLeft
            | Self::TasksLeft
            | Self::ActorsLeft
            | Self::Hostile(_) => "",
            Self::UplinkP50
            | Self::UplinkP99
            | Self::DownlinkP50
            | Self::DownlinkP99
            | Self::GapP99(_)
            | Self::ResumedP99(_) => "ms",
            Self::MemoryPerCall | Self::MemorySlope => "KiB",
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallsLost => f.write_str("calls lost"),
            Self::WrongTranscripts => f.write_str("wrong transcripts"),
            Self::TurnsLost => f.write_str("turns lost"),
            Self::TurnsDoubled => f.write_str("turns doubled"),
            Self::FramesLost => f.write_str("frames lost"),
            Self::FramesDoubled => f.write_str("frames doubled"),
            Self::UplinkP50 => f.write_str("added latency to the model, p50"),
            Self::UplinkP99 => f.write_str("added latency to the model, p99"),
            Self::DownlinkP50 => f.write_str("added latency to the phone, p50"),
            Self::DownlinkP99 => f.write_str("added latency to the phone, p99"),
            Self::GapP99(kind) => write!(f, "audio gap around {kind}, p99"),
            Self::ResumedP99(kind) => write!(f, "speech resumed after {kind}, p99"),
            Self::CpuRatio => f.write_str("processor time over a plain forwarder"),
            Self::MemoryPerCall => f.write_str("memory per live call"),
            Self::CallsLeft => f.write_str("calls started but not ended"),
            Self::FdsLeft => f.write_str("open files left"),
            Self::TasksLeft => f.write_str("tasks left"),
            Self::ActorsLeft => f.write_str("actors left"),
            Self::MemorySlope => f.write_str("memory left by each call"),
            Self::Hostile(wrong) => wrong.fmt(f),
        }
    }
}

/// One demand.
#[derive(Clone, Copy, Debug)]
pub struct Threshold {
    /// Of what.
    pub quantity: Quantity,
    /// What it must not exceed.
    pub most: f64,
    /// Why.
    pub why: &'static str,
}

/// Demands that a quantity does not exceed a bound.
#[must_use]
pub const fn at_most(quantity: Quantity, most: f64, why: &'static str) -> Threshold {
    Threshold { quantity, most, why }
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Readings(BTreeMap<Quantity, f64>);

impl Readings {
    /// Takes a reading.
    pub fn set(&mut self, quantity: Quantity, value: f64) {
        self.0.insert(quantity, value);
    }

    /// What was read.
    #[must_use]
    pub fn get(&self, quantity: Quantity) -> Option<f64> {
        self.0.get(&quantity).copied()
    }

    /// Takes a reading when there is one.
    pub fn set_if(&mut self, quantity: Quantity, value: Option<f64>) {
        if let Some(value) = value {
            self.set(quantity, value);
        }
    }
}

/// A threshold with what was read.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    #[serde(serialize_with = "in_words")]
    pub quantity: Quantity,
    /// What was read; none when nothing was.
    pub value: Option<f64>,
    /// What it must not exceed.
    pub most: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// Why.
    pub why: &'static str,
    /// Whether it holds.
    pub holds: bool,
}

fn in_words<S: Serializer>(quantity: &Quantity, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(quantity)
}

/// The end of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The word.
    pub word: Word,
    /// Why nothing can be said, when nothing can.
    pub not_valid: Vec<String>,
    /// Every demand with what was read.
    pub checks: Vec<Check>,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Every demand was met.
    Passed,
    /// At least one was not.
    Failed,
    /// The run says nothing about the bridge.
    NotValid,
}

impl Word {
    /// The exit status.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Passed => ExitCode::SUCCESS,
            Self::Failed => ExitCode::from(1),
            Self::NotValid => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotValid => "not valid",
        })
    }
}

/// Judges a run. `late` says why its times say nothing, when they do not.
///
/// Times that were taken by late drivers would blame the bridge for the machine, so such a run
/// fails for none of them. What was lost, doubled or misheard was lost all the same.
#[must_use]
pub fn judge(readings: &Readings, demands: &[&[Threshold]], late: Vec<String>) -> Verdict {
    let checks: Vec<Check> = demands
        .iter()
        .copied()
        .flatten()
        .map(|demand| {
            let value = readings.get(demand.quantity);
            Check {
                quantity: demand.quantity,
                value,
                most: demand.most,
                unit: demand.quantity.unit(),
                why: demand.why,
                holds: value.is_some_and(|value| value <= demand.most),
            }
        })
        .collect();
    let is_on_time = late.is_empty();
    let fails = |check: &Check| {
        check.value.is_some() && !check.holds && (is_on_time || !check.quantity.is_time())
    };
    let has_failed = checks.iter().any(fails);
    let unread = checks.iter().filter(|check| check.value.is_none());
    let unread = unread.map(|check| format!("nothing was read for: {}", check.quantity));
    let not_valid: Vec<String> = late.into_iter().chain(unread).collect();
    let word = if has_failed {
        Word::Failed
    } else if not_valid.is_empty() {
        Word::Passed
    } else {
        Word::NotValid
    };
    Verdict { word, not_valid, checks }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMANDS: &[Threshold] = &[
        at_most(Quantity::CallsLost, 0.0, "none"),
        at_most(Quantity::GapP99(Kind::MediaIn), 60.0, "three frames"),
    ];

    fn readings(lost: f64, gap: f64) -> Readings {
        let mut readings = Readings::default();
        readings.set(Quantity::CallsLost, lost);
        readings.set(Quantity::GapP99(Kind::MediaIn), gap);
        readings
    }

    #[test]
    fn every_demand_must_be_met_up_to_its_bound() {
        let word = |lost, gap| judge(&readings(lost, gap), &[DEMANDS], Vec::new()).word;
        assert_eq!(word(0.0, 60.0), Word::Passed);
        assert_eq!(word(0.0, 60.1), Word::Failed);
        assert_eq!(word(1.0, 0.0), Word::Failed);
        assert_eq!(word(0.0, f64::NAN), Word::Failed);
    }

    #[test]
    fn what_was_not_read_does_not_pass_and_excuses_nothing() {
        let mut readings = Readings::default();
        readings.set(Quantity::CallsLost, 0.0);
        readings.set(Quantity::GapP99(Kind::Call), 0.0);
        let verdict = judge(&readings, &[DEMANDS], Vec::new());
        assert_eq!(verdict.word, Word::NotValid);
        assert_eq!(verdict.not_valid, ["nothing was read for: audio gap around media_in, p99"]);
        readings.set(Quantity::CallsLost, 1.0);
        assert_eq!(judge(&readings, &[DEMANDS], Vec::new()).word, Word::Failed);
    }

    #[test]
    fn late_drivers_excuse_times_and_nothing_else() {
        let word = |lost, gap| {
            judge(&readings(lost, gap), &[DEMANDS], vec!["the drivers were late".to_owned()]).word
        };
        assert_eq!(word(0.0, 900.0), Word::NotValid);
        assert_eq!(word(0.0, 0.0), Word::NotValid);
        assert_eq!(word(1.0, 900.0), Word::Failed);
    }
}
