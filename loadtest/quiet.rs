//! The runs that look at what stays behind: the memory of a live call, and what many short calls
//! do not give back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tandem::rehearsal::pacer::sleep_until;
use tokio::task::JoinSet;

use crate::line::{self, Course, Then};
use crate::plan;
use crate::process::{self, Sample};
use crate::server::Server;
use crate::verdict::{Quantity, Readings};
use crate::watch::slope;
use crate::world::World;

/// How long the server may take until nothing of its calls is left.
const CLEARED_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(200);
/// Calls before anything is counted: they fill caches, pools and free lists once.
const WARM_UP: u32 = 40;
/// Places on the way of a churn run at which the memory is read.
const READS: u32 = 50;
/// Lines of the warm-up are numbered from here.
const WARM_UP_LINES: usize = 1_000_000;

/// What a server holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding {
    /// By the operating system's account.
    pub(crate) process: Sample,
    /// By its own.
    pub(crate) tasks: f64,
    /// Actors of calls.
    pub(crate) actors: f64,
    /// Calls admitted so far.
    pub(crate) started: f64,
    /// Calls whose actors are gone.
    pub(crate) ended: f64,
}

impl Holding {
    async fn of(server: &Server) -> anyhow::Result<Self> {
        let metrics = server.metrics().await?;
        Ok(Self {
            process: process::sample(server.pid()).context("server not seen")?,
            tasks: metrics.get("tasks_live")?,
            actors: metrics.get("actors_live")?,
            started: metrics.get("calls_started_total")?,
            ended: metrics.get("calls_ended_total")?,
        })
    }
}

/// Waits until no call is left, and until the counts have come back to `base` or it is clear that
/// they will not.
async fn cleared(server: &Server, base: Option<Holding>) -> anyhow::Result<Holding> {
    let give_up = Instant::now() + CLEARED_WITHIN;
    loop {
        let holding = Holding::of(server).await?;
        let calls_gone = holding.started <= holding.ended && holding.actors <= 0.0;
        let is_back = base.is_none_or(|base| {
            holding.process.fds <= base.process.fds && holding.tasks <= base.tasks
        });
        if (calls_gone && is_back) || Instant::now() >= give_up {
            return Ok(holding);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn own(world: &World) -> anyhow::Result<&Server> {
    match world.target.own() {
        Some(server) => Ok(server),
        None => bail!("only a server of ours tells what it holds"),
    }
}

/// Some short calls, then the state to which everything has to come back.
async fn warm_up(world: &Arc<World>) -> anyhow::Result<Holding> {
    world.board.phase("warming up");
    let mut lines = JoinSet::new();
    for n in 0..WARM_UP as usize {
        let line = WARM_UP_LINES + n;
        let course = Course { line, start: Instant::now(), then: Then::Say(1) };
        lines.spawn(line::hold(world.clone(), course));
    }
    while let Some(line) = lines.join_next().await {
        line.context("a line panicked")?;
    }
    cleared(own(world)?, None).await
}

/// The memory of a live call, in KiB, and what the server held before and with all calls up.
pub(crate) async fn idle(
    world: &Arc<World>,
    calls: u32,
    ramp: Duration,
    lasting: Duration,
) -> anyhow::Result<(Readings, Vec<(&'static str, Holding)>)> {
    let server = own(world)?;
    let before = warm_up(world).await?;
    world.board.phase("calls are coming");
    let began = Instant::now();
    let until = began + ramp + lasting;
    let mut lines = JoinSet::new();
    for (n, start) in plan::starts(calls, ramp, world.seed).into_iter().enumerate() {
        let course = Course { line: n, start: began + start, then: Then::StayUntil(until) };
        lines.spawn(line::hold(world.clone(), course));
    }
    sleep_until((began + ramp).into()).await;
    world.board.phase("weighing");
    // The last moment at which all are up.
    let weighing = until.checked_sub(LOOK).unwrap_or(until);
    sleep_until(weighing.into()).await;
    let live = world.board.live.load(Ordering::Relaxed);
    let with = Holding::of(server).await?;
    world.board.phase("calls are ending");
    while let Some(line) = lines.join_next().await {
        line.context("a line panicked")?;
    }
    let after = cleared(server, Some(before)).await?;
    let mut readings = Readings::default();
    if live > 0 {
        let more = with.process.rss_bytes as f64 - before.process.rss_bytes as f64;
        readings.set(Quantity::MemoryPerCall, more / 1_024.0 / live as f64);
    }
    Ok((readings, vec![("before", before), ("with all calls", with), ("after", after)]))
}

/// Many short calls; what they left behind.
pub(crate) async fn churn(
    world: &Arc<World>,
    total: u32,
    at_once: u32,
    ramp: Duration,
) -> anyhow::Result<(Readings, Vec<(&'static str, Holding)>)> {
    let server = own(world)?;
    let before = warm_up(world).await?;
    world.board.phase("calls come and go");
    let begun = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    let began = Instant::now();
    for first in plan::starts(at_once, ramp, world.seed) {
        let (world, begun, done) = (world.clone(), begun.clone(), done.clone());
        callers.spawn(async move {
            sleep_until((began + first).into()).await;
            loop {
                let line = begun.fetch_add(1, Ordering::Relaxed);
                if line >= u64::from(total) {
                    return;
                }
                let start = Instant::now();
                let course = Course { line: line as usize, start, then: Then::Say(1) };
                line::hold(world.clone(), course).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    // Memory is read while about the same number of calls is up, so that it can be compared.
    let every = u64::from((total / READS).max(1));
    let mut points = Vec::new();
    let mut next = every;
    loop {
        tokio::select! {
            caller = callers.join_next() => match caller {
                Some(caller) => caller.context("a caller panicked")?,
                None => break,
            },
            () = tokio::time::sleep(LOOK) => {
                let done = done.load(Ordering::Relaxed);
                let still_full = begun.load(Ordering::Relaxed) < u64::from(total);
                if done >= next && still_full {
                    let sample = process::sample(server.pid()).context("server not seen")?;
                    points.push((done as f64, sample.rss_bytes as f64 / 1_024.0));
                    next = done + every;
                }
            }
        }
    }
    world.board.phase("waiting until all is given back");
    let after = cleared(server, Some(before)).await?;
    let mut readings = Readings::default();
    let left = |after: f64, before: f64| (after - before).max(0.0);
    readings.set(Quantity::CallsLeft, after.started - after.ended);
    readings.set(Quantity::FdsLeft, left(after.process.fds as f64, before.process.fds as f64));
    readings.set(Quantity::TasksLeft, left(after.tasks, before.tasks));
    readings.set(Quantity::ActorsLeft, left(after.actors, before.actors));
    // What is still growing in the first half is a cache that fills; a leak goes on.
    readings.set_if(Quantity::MemorySlope, slope(&points[points.len() / 2..]));
    Ok((readings, vec![("before", before), ("after", after)]))
}
