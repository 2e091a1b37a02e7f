//! From the command line to the exit status: builds the runtime, runs what was asked for, judges
//! it, writes the report.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError};

use anyhow::Context;
use tandem::loads::PAGE;

use crate::cli::{Args, Carrier, Mode, Pace};
use crate::faults::Kind;
use crate::floor::{self, Drive};
use crate::keep::{self, Kept};
use crate::measure::Distribution;
use crate::profile;
use crate::progress::{Board, Progress};
use crate::quiet::{self, Holding};
use crate::report::{self, Asked, Report, Round};
use crate::talk::{self, Cost, Stretch};
use crate::verdict::{Quantity, Readings, Threshold, Verdict, Word, judge};
use crate::watch::{Punctuality, Watch};
use crate::world::World;
use crate::{findings, plan};

pub(crate) fn main(args: &Args) -> ExitCode {
    if let Err(wrong) = args.check() {
        crate::complain(&anyhow::anyhow!(wrong));
        return Word::NotValid.exit_code();
    }
    match go(args) {
        Ok(word) => word.exit_code(),
        Err(error) => {
            // What was to be tested did not come up, or broke in a way nobody thought of.
            crate::complain(&error);
            Word::Failed.exit_code()
        }
    }
}

fn go(args: &Args) -> anyhow::Result<Word> {
    let runtime = tokio::runtime::Runtime::new().context("runtime not built")?;
    let (board, asked) = (Arc::new(Board::default()), Asked::of(args));
    let kept = Kept::begin(args.keep.as_ref(), asked.mode, asked.words(), &board);
    let report = match runtime.block_on(run(args, board)) {
        Ok(report) => report,
        Err(error) => {
            kept.broke(&error);
            return Err(error);
        }
    };
    let (word, json, page) = (report.verdict.word, report.json(), report::page(&report));
    kept.end(word, keep::reasons(&report.verdict), &[("report.json", &json), (PAGE, &page)]);
    write!(std::io::stdout(), "{}", report::text(&report)).context("nobody reads")?;
    if let Some(path) = &args.json {
        save(path, &json)?;
    }
    if let Some(path) = &args.html {
        save(path, &page)?;
    }
    Ok(word)
}

fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} not written", path.display()))
}

/// What a run brought beside the tally of its lines.
#[derive(Default)]
struct Brought {
    readings: Readings,
    costs: Vec<Cost>,
    rounds: Vec<(Round, floor::Driven)>,
    holdings: Vec<(&'static str, Holding)>,
}

async fn run(args: &Args, board: Arc<Board>) -> anyhow::Result<Report> {
    let progress = Progress::show(board.clone());
    board.phase("starting");
    let world = Arc::new(World::open(args, board.clone()).await?);
    let watch = world.target.pid().map(|pid| Watch::begin(pid, board.clone()));
    let punctuality = Punctuality::begin();
    let mut brought = bring(args, &world).await?;
    drop((watch, progress));

    let drivers = punctuality.lateness();
    let tally = world.tally().clone();
    let uplink = world.model.heard();
    findings::read(&mut brought.readings, &tally, &uplink, args.carrier);
    let verdict = verdict(args, &brought.readings, late(args, [&tally.lateness, &drivers]));
    if let (Word::Failed, Some(server)) = (verdict.word, world.target.own()) {
        let said = server.last_words();
        crate::complain(&anyhow::anyhow!("the run failed; this may say why{said}"));
    }
    let mut report = Report::new(Asked::of(args), verdict);
    findings::tell(&mut report, &tally, &uplink);
    report.times("drivers' runtime late", &drivers);
    tell_costs(&mut report, &brought);
    report.timeline = board.timeline.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(report)
}

async fn bring(args: &Args, world: &Arc<World>) -> anyhow::Result<Brought> {
    let (calls, ramp, lasting) = (args.calls(), args.ramp, args.lasting);
    match args.mode() {
        Mode::Talk | Mode::Bridge { .. } => {
            let spec = args.faults.clone().unwrap_or_default();
            let faults = plan::faults(&spec, lasting, args.seed);
            let stretch = Stretch { calls, first_line: 0, ramp, lasting, faults };
            let cost = talk::stretch(world, &stretch).await?;
            Ok(Brought { costs: vec![cost], ..Brought::default() })
        }
        Mode::Floor { rounds } => floor_in_turns(args, world, rounds).await,
        Mode::Churn { total } => {
            let (readings, holdings) = quiet::churn(world, total, calls, ramp).await?;
            Ok(Brought { readings, holdings, ..Brought::default() })
        }
        Mode::Idle => {
            let (readings, holdings) = quiet::idle(world, calls, ramp, lasting).await?;
            Ok(Brought { readings, holdings, ..Brought::default() })
        }
    }
}

/// The bridge and the forwarder in turns, so that the machine's noise meets both.
async fn floor_in_turns(args: &Args, world: &Arc<World>, rounds: u32) -> anyhow::Result<Brought> {
    let (calls, ramp, lasting) = (args.calls(), args.ramp, args.lasting / rounds);
    let mut brought = Brought::default();
    for round in 0..rounds {
        let first_line = (round * calls) as usize;
        let stretch = Stretch { calls, first_line, ramp, lasting, faults: Vec::new() };
        let cost = talk::stretch(world, &stretch).await?;
        world.board.phase("the same bytes through a plain forwarder");
        let (carrier, seed, talk) = (args.carrier, args.seed, cost.talk);
        let driven = floor::run(&Drive { calls, carrier, ramp, lasting, talk, seed }).await?;
        let bridge = cost.per_1000().context("the bridge's processor time is not known")?;
        let plain = driven.cpu.as_secs_f64() * 1_000.0 / driven.call_seconds;
        let ratio = bridge / plain;
        let round =
            Round { bridge_cpu_per_1000_call_s: bridge, floor_cpu_per_1000_call_s: plain, ratio };
        brought.rounds.push((round, driven));
        brought.costs.push(cost);
    }
    let mut ratios: Vec<f64> = brought.rounds.iter().map(|(round, _)| round.ratio).collect();
    ratios.sort_by(f64::total_cmp);
    // The median: one turn that was disturbed decides nothing.
    let median = ratios.get(ratios.len() / 2).copied().filter(|ratio| ratio.is_finite());
    brought.readings.set_if(Quantity::CpuRatio, median);
    Ok(brought)
}

/// Why the run says nothing, when the drivers were late. What is left behind and what is held does
/// not depend on how punctual they were.
fn late(args: &Args, drivers: [&Distribution; 2]) -> Vec<String> {
    let depends = match args.mode() {
        Mode::Talk | Mode::Floor { .. } | Mode::Bridge { .. } => true,
        Mode::Churn { .. } | Mode::Idle => false,
    };
    let most = profile::DRIVER_LATE_MS;
    let late = drivers.iter().filter_map(|times| times.ms_at(0.99)).fold(0.0, f64::max);
    if depends && late > most {
        vec![format!("the drivers were late: p99 {late:.1} ms, at most {most} ms")]
    } else {
        Vec::new()
    }
}

fn verdict(args: &Args, readings: &Readings, not_valid: Vec<String>) -> Verdict {
    let kinds: Vec<Kind> = args.faults.as_ref().map(|spec| spec.kinds()).unwrap_or_default();
    let (uplink, downlink) = match args.carrier {
        Carrier::Acs | Carrier::Twilio => (profile::STRAIGHT, profile::REAL_TIME),
        Carrier::Acs16k => (profile::RESAMPLED, profile::RESAMPLED_REAL_TIME),
    };
    let downlink = if args.pace == Pace::RealTime { downlink } else { &[] };
    let clean = [profile::TALK, profile::CLEAN, uplink, downlink];
    let mut demands: Vec<&[Threshold]> = match args.mode() {
        Mode::Talk | Mode::Bridge { .. } if !kinds.is_empty() => vec![profile::TALK],
        Mode::Talk | Mode::Bridge { .. } => clean.to_vec(),
        Mode::Floor { .. } => clean.into_iter().chain([profile::FLOOR]).collect(),
        Mode::Churn { total } if total >= profile::CHURN_LONG_CALLS => {
            vec![profile::CHURN, profile::CHURN_LONG]
        }
        Mode::Churn { .. } => vec![profile::CHURN],
        Mode::Idle => vec![profile::IDLE],
    };
    demands.extend(kinds.into_iter().map(profile::of_fault));
    judge(readings, &demands, not_valid)
}

fn tell_costs(report: &mut Report, brought: &Brought) {
    let costs: Vec<f64> = brought.costs.iter().filter_map(Cost::per_1000).collect();
    if !costs.is_empty() {
        let mean = costs.iter().sum::<f64>() / costs.len() as f64;
        report.number("processor time per 1,000 s of calls", mean, "s");
        report.number("processor time per minute of a call", mean * 60.0, "ms");
    }
    if let Some(cost) = brought.costs.last() {
        report.number("share of the time audio came to the phones", cost.talk * 100.0, "%");
    }
    let mut plain = floor::Driven::default();
    for (round, driven) in &brought.rounds {
        report.rounds.push(*round);
        plain.add(driven);
    }
    if !brought.rounds.is_empty() {
        report.times("forwarder to the model", &plain.uplink);
        report.times("forwarder to the phone", &plain.downlink);
        report.times("forwarder's drivers late", &plain.lateness);
        report.number("frames lost by the forwarder", (plain.sent - plain.arrived) as f64, "");
        let ratios = || brought.rounds.iter().map(|(round, _)| round.ratio);
        report.number("lowest ratio", ratios().fold(f64::INFINITY, f64::min), "");
        report.number("highest ratio", ratios().fold(0.0, f64::max), "");
    }
    if let Some(slope) = brought.readings.get(Quantity::MemorySlope) {
        report.number("memory left by each call of the second half", slope, "KiB");
    }
    for (when, holding) in &brought.holdings {
        let mib = holding.process.rss_bytes as f64 / f64::from(1 << 20);
        report.number(format!("memory {when}"), mib, "MiB");
        report.number(format!("open files {when}"), holding.process.fds as f64, "");
        report.number(format!("threads {when}"), holding.process.threads as f64, "");
        report.number(format!("tasks {when}"), holding.tasks, "");
        report.number(format!("actors {when}"), holding.actors, "");
        report.number(format!("calls started {when}"), holding.started, "");
    }
}
