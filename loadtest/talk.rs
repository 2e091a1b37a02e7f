//! A stretch of calls that talk: all of them up within the ramp, measured together, hung up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use tandem::rehearsal::pacer::sleep_until;
use tokio::task::JoinSet;

use crate::floor::driver::FRAME;
use crate::inject;
use crate::line::{self, Course, Then};
use crate::plan::{self, Due};
use crate::process;
use crate::world::World;

/// From the last start until the last call is surely up: its greeting is being heard.
const SETTLING: Duration = Duration::from_secs(2);

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// Calls at once.
    pub(crate) calls: u32,
    /// The number of the first line; lines of one run never share one.
    pub(crate) first_line: usize,
    /// Until all calls were started.
    pub(crate) ramp: Duration,
    /// How long to measure after that.
    pub(crate) lasting: Duration,
    /// The faults meanwhile.
    pub(crate) faults: Vec<Due>,
}

/// What it cost the bridge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Processor time in the measured time; none of a bridge whose process is not known.
    pub(crate) cpu: Option<Duration>,
    /// Calls times measured time.
    pub(crate) call_seconds: f64,
    /// Messages with audio that reached the phones in the measured time, as a share of those that
    /// would if nobody ever paused.
    pub(crate) talk: f64,
}

impl Cost {
    /// Processor seconds in 1,000 seconds of calls.
    pub(crate) fn per_1000(&self) -> Option<f64> {
        let cpu = self.cpu?.as_secs_f64();
        (self.call_seconds > 0.0).then(|| cpu * 1_000.0 / self.call_seconds)
    }
}

/// Lets calls come, measures, lets them go.
pub(crate) async fn stretch(world: &Arc<World>, what: &Stretch) -> anyhow::Result<Cost> {
    let began = Instant::now();
    let from = began + what.ramp + SETTLING;
    let until = from + what.lasting;
    world.count_from(from);
    world.board.phase("calls are coming");
    let mut lines = JoinSet::new();
    let starts = plan::starts(what.calls, what.ramp, world.seed);
    for (n, start) in starts.into_iter().enumerate() {
        let then = Then::TalkUntil(until);
        let course = Course { line: what.first_line + n, start: began + start, then };
        lines.spawn(line::hold(world.clone(), course));
    }
    let injecting = tokio::spawn(inject::inject(world.clone(), what.faults.clone(), from));

    sleep_until(from.into()).await;
    world.board.phase("measuring");
    let pid = world.target.pid();
    let cpu = || pid.and_then(|pid| process::sample(pid).ok()).map(|sample| sample.cpu);
    let (before, up) = (cpu(), world.board.live.load(Ordering::Relaxed));
    let (measured, messages) = (Instant::now(), world.probes.messages());
    sleep_until(until.into()).await;
    let (after, still_up) = (cpu(), world.board.live.load(Ordering::Relaxed));
    let lasted = measured.elapsed().as_secs_f64();
    let call_seconds = lasted * (up + still_up) as f64 / 2.0;
    let messages = (world.probes.messages() - messages) as f64;

    world.board.phase("calls are ending");
    injecting.await.context("the injection of faults panicked")?;
    while let Some(line) = lines.join_next().await {
        line.context("a line panicked")?;
    }
    ask_for_repairs(world).await;
    Ok(Cost {
        cpu: before.zip(after).map(|(before, after)| after.saturating_sub(before)),
        call_seconds,
        talk: messages * FRAME.as_secs_f64() / call_seconds.max(FRAME.as_secs_f64()),
    })
}

/// Asks the server how long it took to repair what was broken.
async fn ask_for_repairs(world: &World) {
    let Some(server) = world.target.own() else { return };
    let broken: BTreeSet<(usize, String)> = {
        let tally = world.tally();
        let broken = tally.faults.iter().filter(|fault| fault.refused.is_none());
        broken.map(|fault| (fault.line, fault.call.clone())).collect()
    };
    for (line, call) in broken {
        match server.repairs(&call).await {
            Ok(repairs) => {
                let mut tally = world.tally();
                for (part, took) in repairs {
                    tally.repairs.entry(part).or_default().record(took);
                }
            }
            Err(error) => world.trouble(line, Some(&call), format!("no events: {error:#}")),
        }
    }
}
