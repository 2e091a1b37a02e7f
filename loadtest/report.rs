//! Everything a run found out, as plain data: written as JSON, as text, as a page.
//! Knows no numbers' meaning; the verdict in it was reached elsewhere.

use serde::Serialize;
use tandem::loads::Tick;

use crate::cli::{Args, Carrier, Mode, Pace};
use crate::faults::{Injected, Spec};
use crate::measure::{Distribution, Summary};
use crate::verdict::Verdict;

mod html;
mod text;

pub use html::page;
pub use text::text;
pub(crate) use text::verdict_text;

/// The report of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// This program's version.
    pub version: &'static str,
    /// When the run began, in seconds since 1970.
    pub began_unix_s: u64,
    /// What was asked for.
    pub asked: Asked,
    /// Where it ran.
    pub machine: Machine,
    /// The verdict.
    pub verdict: Verdict,
    /// Single numbers, in the order of reading.
    pub numbers: Vec<Number>,
    /// How long things took, in the order of reading.
    pub times: Vec<Times>,
    /// The turns with the forwarder.
    pub rounds: Vec<Round>,
    /// Every fault that was injected.
    pub faults: Vec<Injected>,
    /// What went wrong, each with its call.
    pub troubles: Vec<Trouble>,
    /// The bridge second by second.
    pub timeline: Vec<Tick>,
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// `talk`, `floor`, `bridge`, `churn`, `idle`.
    pub mode: &'static str,
    /// Calls at once.
    pub calls: u32,
    /// Measured time in seconds.
    pub for_s: f64,
    /// Time until all calls are up, in seconds.
    pub ramp_s: f64,
    /// What the phones speak.
    pub carrier: Carrier,
    /// How the model sends.
    pub pace: Pace,
    /// The seed.
    pub seed: u64,
    /// Faults with their rates.
    pub faults: Option<Spec>,
}

impl Asked {
    /// What the command line said.
    #[must_use]
    pub fn of(args: &Args) -> Self {
        Self {
            mode: match args.mode() {
                Mode::Talk => "talk",
                Mode::Floor { .. } => "floor",
                Mode::Bridge { .. } => "bridge",
                Mode::Churn { .. } => "churn",
                Mode::Idle => "idle",
            },
            calls: args.calls(),
            for_s: args.lasting.as_secs_f64(),
            ramp_s: args.ramp.as_secs_f64(),
            carrier: args.carrier,
            pace: args.pace,
            seed: args.seed,
            faults: args.faults.clone(),
        }
    }

    /// In a line.
    #[must_use]
    pub fn words(&self) -> String {
        let carrier = self.carrier.word();
        let mut words =
            format!("{} calls, {} s, {carrier}, seed {}", self.calls, self.for_s, self.seed);
        for (kind, rate) in self.faults.iter().flat_map(Spec::rates) {
            words.push_str(&format!(", {kind}={rate}"));
        }
        words
    }
}

/// Where a run took place.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Cores this program may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease");
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
        }
    }
}

/// A number with its name.
#[derive(Clone, Debug, Serialize)]
pub struct Number {
    /// What it counts.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what; empty for counts.
    pub unit: &'static str,
}

/// A distribution with its name.
#[derive(Clone, Debug, Serialize)]
pub struct Times {
    /// What took that long.
    pub name: String,
    /// How long.
    #[serde(flatten)]
    pub summary: Summary,
}

/// One turn with the forwarder.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Round {
    /// Processor seconds of the bridge in 1,000 seconds of calls.
    pub bridge_cpu_per_1000_call_s: f64,
    /// Processor seconds of the forwarder in 1,000 seconds of calls.
    pub floor_cpu_per_1000_call_s: f64,
    /// The former over the latter.
    pub ratio: f64,
}

/// Something that went wrong on a call.
#[derive(Clone, Debug, Serialize)]
pub struct Trouble {
    /// Seconds since the measured time began; before it when negative.
    pub at_s: f64,
    /// The line of the load test.
    pub line: usize,
    /// The server's name of the call, when it had one.
    pub call: Option<String>,
    /// What.
    pub what: String,
}

impl Report {
    /// A report that says nothing yet.
    #[must_use]
    pub fn new(asked: Asked, verdict: Verdict) -> Self {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            began_unix_s: now.map_or(0, |since| since.as_secs()),
            asked,
            machine: Machine::here(),
            verdict,
            numbers: Vec::new(),
            times: Vec::new(),
            rounds: Vec::new(),
            faults: Vec::new(),
            troubles: Vec::new(),
            timeline: Vec::new(),
        }
    }

    /// Adds a number.
    pub fn number(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.numbers.push(Number { name: name.into(), value, unit });
    }

    /// Adds a distribution, when anything was recorded.
    pub fn times(&mut self, name: impl Into<String>, times: &Distribution) {
        if let Some(summary) = times.summary() {
            self.times.push(Times { name: name.into(), summary });
        }
    }

    /// The report as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with text keys")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::faults::Kind;
    use crate::verdict::{Quantity, Readings, at_most, judge};

    pub(crate) fn sample() -> Report {
        use clap::Parser;
        let args = Args::try_parse_from(["tandem-loadtest", "--faults", "leaves=1"]).unwrap();
        let mut readings = Readings::default();
        readings.set(Quantity::CallsLost, 0.0);
        readings.set(Quantity::UplinkP99, 12.25);
        let demands =
            [at_most(Quantity::CallsLost, 0.0, "none"), at_most(Quantity::UplinkP99, 10.0, "half")];
        let verdict = judge(&readings, &[&demands], Vec::new());
        let mut report = Report::new(Asked::of(&args), verdict);
        let mut times = Distribution::default();
        times.record(Duration::from_micros(12_250));
        report.times("added latency to the model", &times);
        report.times("never", &Distribution::default());
        report.number("answers heard", 1_234.0, "");
        report.faults.push(Injected {
            at_s: 1.5,
            kind: Kind::MediaIn,
            call: "call </script>".to_owned(),
            line: 7,
            gap_ms: Some(41.0),
            resumed_ms: None,
            refused: None,
        });
        report.rounds.push(Round {
            bridge_cpu_per_1000_call_s: 1.2,
            floor_cpu_per_1000_call_s: 1.0,
            ratio: 1.2,
        });
        report.timeline.push(Tick { at_s: 1.0, live: 3, cpu_percent: 9.0, rss_mib: 20.0, fds: 9 });
        report
    }

    #[test]
    fn the_json_carries_the_verdict_and_the_faults() {
        let json: serde_json::Value = serde_json::from_str(&sample().json()).expect("JSON");
        assert_eq!(json["verdict"]["word"], "failed");
        assert_eq!(json["verdict"]["checks"][1]["quantity"], "added latency to the model, p99");
        assert_eq!(json["asked"]["faults"][0][0], "leaves");
        assert_eq!(json["faults"][0]["kind"], "media_in");
        assert_eq!(json["faults"][0]["gap_ms"], 41.0);
        assert_eq!(json["times"].as_array().map(Vec::len), Some(1));
    }
}
