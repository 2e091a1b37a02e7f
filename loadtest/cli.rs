//! The command line: what may be asked for, with its bounds, and which kind of run it means.
//! Knows nothing of how a run is done.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};

use crate::faults::{Kind, Spec};
use crate::keep::Keep;

/// Calls at once; more would need more ports and cores than one machine's loopback has.
const CALLS_MAX: i64 = 5_000;
/// Calls of a churn run; bounds its record in memory.
const CHURN_MAX: i64 = 1_000_000;
/// Scripts of one hostile run: a day of two cores.
const SCRIPTS_MAX: u64 = 100_000_000;
/// Kills of one run: some hours.
const KILLS_MAX: u64 = 10_000;
/// The longest run: one soak.
const LASTING_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Calls at once in a run that measures time.
const CALLS: u32 = 50;
/// Calls at once in a run that measures memory: enough that one call's noise is a thousandth.
const CALLS_IDLE: u32 = 1_000;
/// Calls at once while many short ones come and go.
const CALLS_CHURN: u32 = 20;

/// Rings a phone bridge with many phones at once and says whether it held.
///
/// Without --bridge it starts a Tandem server of its own on the loopback interface. The exit
/// status is the verdict: 0 passed, 1 failed, 2 not valid or wrongly asked.
#[derive(Parser, Clone, Debug)]
#[command(name = "tandem-loadtest", version, args_conflicts_with_subcommands = true)]
#[command(group(ArgGroup::new("mode").args(["floor", "bridge", "churn", "idle"])))]
pub struct Args {
    /// Another kind of run
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Calls at once [default: 50; 1000 with --idle, 20 with --churn]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=CALLS_MAX))]
    pub calls: Option<u32>,
    /// How long to measure, once every call is up: 500ms, 30s, 5m, 1h
    #[arg(long = "for", value_name = "T", default_value = "30s", value_parser = duration)]
    pub lasting: Duration,
    /// What the phones speak
    #[arg(long, value_enum, default_value_t = Carrier::Acs)]
    pub carrier: Carrier,
    /// How long it takes until every call is up
    #[arg(long, value_name = "T", default_value = "5s", value_parser = duration)]
    pub ramp: Duration,
    /// The same seed gives the same starts, sentences and faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Faults to inject, each with its rate per second: leaves=1,model_cut=0.5
    #[arg(long, value_name = "SPEC", conflicts_with_all = ["floor", "churn", "idle"])]
    pub faults: Option<Spec>,
    /// How the simulated model sends its speech
    #[arg(long, value_enum, default_value_t = Pace::RealTime)]
    pub pace: Pace,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report as one self-contained page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Keep the run in a folder of its own in DIR, where a server shows it; `none` keeps nothing
    /// [default: loads in the data directory of a server that is started here]
    #[arg(long, global = true, value_name = "DIR", value_parser = keep)]
    pub keep: Option<Keep>,
    /// Run a plain TCP forwarder over the same bytes as well, and compare the processor time
    #[arg(long)]
    pub floor: bool,
    /// Into how many turns --floor cuts the time, bridge and forwarder in alternation
    #[arg(long, value_name = "N", default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=20))]
    pub rounds: u32,
    /// Drive another bridge: the address of its media socket (ws://…)
    #[arg(long, value_name = "URL", requires = "model_port")]
    pub bridge: Option<String>,
    /// Where that bridge finds the simulated model: ws://127.0.0.1:P/v1/realtime
    #[arg(long, value_name = "P", requires = "bridge")]
    pub model_port: Option<u16>,
    /// The process of that bridge, to read its processor time and memory
    #[arg(long, value_name = "PID", requires = "bridge")]
    pub bridge_pid: Option<u32>,
    /// N short calls instead, then look for what was not given back
    #[arg(long, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=CHURN_MAX))]
    pub churn: Option<u32>,
    /// Measure the memory of a live call instead
    #[arg(long)]
    pub idle: bool,
    /// Let the server record the calls as well
    #[arg(long, conflicts_with = "bridge")]
    pub record: bool,
}

/// Another kind of run.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Play scripts of a hostile model against the actors of calls, in virtual time
    Hostile(Hostile),
    /// Kill a server in the middle of what it does, again and again
    Crash(Crash),
}

/// Kills a server (`kill -9`) at moments drawn from seeds, starts it anew and orders the same
/// again.
///
/// The phone network and an endpoint for webhooks outlive every kill. Judged is that nobody is
/// rung twice, that no acknowledged order is forgotten, that no call of a dead run stays open, and
/// that every end is told.
#[derive(clap::Args, Clone, Debug)]
pub struct Crash {
    /// How many kills
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u64).range(1..=KILLS_MAX))]
    pub seeds: u64,
    /// The same seed gives the same moments; they follow each other
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Plays scripts of a hostile model against the actors of calls, in virtual time.
///
/// Each script has two or three calls with the same names in them. A model tries to have effects
/// that no human has approved; humans answer from a script of their own. Judged is what came about
/// against what they really approved. A script with something wrong is printed in full, with the
/// seed that plays it again: --scripts 1 --seed X.
#[derive(clap::Args, Clone, Debug)]
pub struct Hostile {
    /// How many scripts
    #[arg(long, value_name = "N", default_value_t = 10_000,
        value_parser = clap::value_parser!(u64).range(1..=SCRIPTS_MAX))]
    pub scripts: u64,
    /// The same seed gives the same scripts; the first of them has this very seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// What the phones speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// Azure Communication Services, PCM at 24 kHz
    Acs,
    /// Azure Communication Services, PCM at 16 kHz
    Acs16k,
    /// Twilio Media Streams, µ-law at 8 kHz
    Twilio,
}

impl Carrier {
    /// The word in the rehearsal interface of the server.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Acs => "acs24k",
            Self::Acs16k => "acs16k",
            Self::Twilio => "twilio",
        }
    }

    /// Bytes of audio in a frame of 20 ms.
    #[must_use]
    pub const fn frame_bytes(self) -> usize {
        match self {
            Self::Acs => 960,
            Self::Acs16k => 640,
            Self::Twilio => 160,
        }
    }
}

/// How the simulated model sends its speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// A frame every 20 ms: what comes out late was made late by the bridge
    RealTime,
    /// Four times as fast as it is heard, as real models do: the bridge has to pace it
    Burst,
}

/// The kind of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Calls that talk, perhaps with faults.
    Talk,
    /// The same in turns with a plain forwarder.
    Floor {
        /// How many turns.
        rounds: u32,
    },
    /// Calls that talk through somebody else's bridge.
    Bridge {
        /// Its media socket.
        url: String,
        /// Where it looks for the model.
        model_port: u16,
        /// Its process, when it may be looked at.
        pid: Option<u32>,
    },
    /// Many short calls.
    Churn {
        /// How many.
        total: u32,
    },
    /// Calls that stay, to be weighed.
    Idle,
}

impl Args {
    /// Finds what the parser cannot: faults that this kind of run has no way to inject.
    ///
    /// # Errors
    ///
    /// Says what makes no sense.
    pub fn check(&self) -> Result<(), String> {
        let kinds = self.faults.as_ref().map(Spec::kinds).unwrap_or_default();
        match kinds.into_iter().find(|kind| *kind != Kind::ModelCut) {
            Some(kind) if self.bridge.is_some() => {
                Err(format!("another bridge has no {kind} to break; with --bridge: model_cut"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The kind of run these arguments mean.
    #[must_use]
    pub fn mode(&self) -> Mode {
        if let (Some(url), Some(model_port)) = (&self.bridge, self.model_port) {
            Mode::Bridge { url: url.clone(), model_port, pid: self.bridge_pid }
        } else if let Some(total) = self.churn {
            Mode::Churn { total }
        } else if self.floor {
            Mode::Floor { rounds: self.rounds }
        } else if self.idle {
            Mode::Idle
        } else {
            Mode::Talk
        }
    }

    /// How many calls are up at once.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.calls.unwrap_or(match self.mode() {
            Mode::Talk | Mode::Floor { .. } | Mode::Bridge { .. } => CALLS,
            Mode::Churn { .. } => CALLS_CHURN,
            Mode::Idle => CALLS_IDLE,
        })
    }
}

fn keep(word: &str) -> Result<Keep, String> {
    if word.is_empty() { Err("name a folder, or none".to_owned()) } else { Ok(word.into()) }
}

/// Reads a time as it is written on a command line: a number and its unit.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "" => return Err(format!("{text:?} has no unit; write {text}s, {text}ms, {text}m")),
        other => return Err(format!("unknown unit {other:?}; one of ms, s, m, h")),
    };
    let number: f64 = number.parse().map_err(|_| format!("{number:?} is not a number"))?;
    let time = Duration::try_from_secs_f64(number * scale)
        .map_err(|_| format!("{text:?} is no length of time"))?;
    if time > LASTING_MAX { Err(format!("{text} is longer than a day")) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(std::iter::once("tandem-loadtest").chain(words.split_whitespace()))
    }

    #[test]
    fn the_arguments_decide_the_kind_of_run() {
        assert_eq!(parse("").unwrap().mode(), Mode::Talk);
        assert_eq!(parse("--floor --rounds 5").unwrap().mode(), Mode::Floor { rounds: 5 });
        assert_eq!(parse("--churn 900").unwrap().mode(), Mode::Churn { total: 900 });
        assert_eq!(parse("--idle").unwrap().calls(), 1_000);
        assert_eq!(parse("--idle --calls 7").unwrap().calls(), 7);
        let url = "ws://127.0.0.1:1/media".to_owned();
        assert_eq!(
            parse("--bridge ws://127.0.0.1:1/media --model-port 9 --bridge-pid 4").unwrap().mode(),
            Mode::Bridge { url, model_port: 9, pid: Some(4) }
        );
    }

    #[test]
    fn every_kind_of_run_may_be_kept_elsewhere_or_not() {
        assert_eq!(parse("").unwrap().keep, None);
        assert_eq!(parse("--keep none").unwrap().keep, Some(Keep::Nothing));
        let there = Some(Keep::In("there".into()));
        assert_eq!(parse("--idle --keep there").unwrap().keep, there);
        assert_eq!(parse("crash --seeds 3 --keep there").unwrap().keep, there);
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for words in [
            "--calls 0",
            "--for 30",
            "--for 3weeks",
            "--for 25h",
            "--for -1s",
            "--bridge ws://127.0.0.1:1/",
            "--model-port 9",
            "--floor --idle",
            "--idle --faults leaves",
            "--faults leafs",
            "--carrier pigeon",
            "--rounds 0",
            "hostile --scripts 0",
            "--calls 3 hostile",
            "--keep=",
        ] {
            let error = parse(words).expect_err(words);
            assert_eq!(error.exit_code(), 2, "{words}");
        }
    }

    #[test]
    fn another_bridge_has_no_parts_that_could_be_broken() {
        let bridge = "--bridge ws://127.0.0.1:1/ --model-port 9 --faults";
        assert_eq!(parse(&format!("{bridge} model_cut=2")).unwrap().check(), Ok(()));
        let wrong = parse(&format!("{bridge} model_cut,pump")).unwrap().check();
        assert_eq!(
            wrong,
            Err("another bridge has no pump to break; with --bridge: model_cut".to_owned())
        );
    }

    #[test]
    fn times_are_written_with_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("30"), Err("\"30\" has no unit; write 30s, 30ms, 30m".to_owned()));
        assert!(duration("..s").is_err());
        assert!(duration("99999999999999999999999h").is_err());
    }
}
