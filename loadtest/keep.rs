//! What is kept of a run: a folder of its own, in which it says once a second how it stands, and
//! leaves its report. A run is none the worse when it cannot be kept: that is said, and it goes on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use jiff::Timestamp;
use tandem::loads::{self, Counts, POINTS_MAX, RUN, Run, Tick};

use crate::progress::Board;
use crate::verdict::{Verdict, Word};

/// How often a run says how it stands.
const EVERY: Duration = Duration::from_secs(1);
/// Reasons of a verdict that are kept; the report has all.
const REASONS: usize = 40;

/// Where runs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nowhere.
    Nothing,
    /// In this folder.
    In(PathBuf),
}

impl From<&str> for Keep {
    fn from(word: &str) -> Self {
        if word == "none" { Self::Nothing } else { Self::In(word.into()) }
    }
}

/// A run that is being kept, or is not.
pub(crate) struct Kept(Option<Folder>);

/// The folder of a run.
struct Folder {
    path: PathBuf,
    run: Run,
    board: Arc<Board>,
    /// Writes it down once a second, until this end is dropped.
    writer: JoinHandle<()>,
    goes_on: SyncSender<()>,
    /// Held for as long as it goes on.
    _held: File,
}

impl Kept {
    /// Begins to keep a run: of this kind, asked for in these words.
    pub(crate) fn begin(
        keep: Option<&Keep>,
        mode: &'static str,
        asked: String,
        board: &Arc<Board>,
    ) -> Self {
        let folder = place(keep).and_then(|dir| match dir {
            Some(dir) => Folder::make(&dir, mode, asked, board.clone()).map(Some),
            None => Ok(None),
        });
        Self(folder.unwrap_or_else(|error| {
            crate::complain(&error.context("this run is not kept; --keep DIR names a folder"));
            None
        }))
    }

    /// Leaves its reports, each under its name, and what it was worth.
    pub(crate) fn end(self, word: Word, why: Vec<String>, reports: &[(&str, &str)]) {
        if let Some(folder) = self.0
            && let Err(error) = folder.end(word, why, reports)
        {
            crate::complain(&error.context("this run is not kept whole"));
        }
    }

    /// The run broke.
    pub(crate) fn broke(self, error: &anyhow::Error) {
        self.end(Word::Failed, vec![format!("{error:#}")], &[]);
    }
}

/// The folder of runs: where a server with the settings of this directory looks for them, unless
/// another is named.
fn place(keep: Option<&Keep>) -> anyhow::Result<Option<PathBuf>> {
    match keep {
        Some(Keep::Nothing) => Ok(None),
        Some(Keep::In(dir)) => Ok(Some(dir.clone())),
        None => Ok(Some(tandem::config::load(None)?.store.dir.join(loads::FOLDER))),
    }
}

impl Folder {
    fn make(
        dir: &Path,
        mode: &'static str,
        asked: String,
        board: Arc<Board>,
    ) -> anyhow::Result<Self> {
        let now = Timestamp::now();
        // In the order of time, and no two alike on one machine.
        let name = format!("{}-{mode}-{}", now.strftime("%Y%m%dT%H%M%SZ"), std::process::id());
        let path = dir.join(name);
        let held = loads::hold(&path).with_context(|| format!("{}", path.display()))?;
        let run = Run {
            mode: mode.to_owned(),
            asked,
            began_ms: now.as_millisecond(),
            seen_ms: now.as_millisecond(),
            phase: String::new(),
            counts: Counts::default(),
            timeline: Vec::new(),
            verdict: None,
        };
        write(&path, &seen(&run, &board))?;
        let (goes_on, over) = mpsc::sync_channel(0);
        let writer = {
            let (path, run, board) = (path.clone(), run.clone(), board.clone());
            std::thread::Builder::new().name("keep".to_owned()).spawn(move || {
                while over.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    if let Err(error) = write(&path, &seen(&run, &board)) {
                        crate::complain(&error.context("this run is not kept any more"));
                        return;
                    }
                }
            })?
        };
        Ok(Self { path, run, board, writer, goes_on, _held: held })
    }

    fn end(self, word: Word, mut why: Vec<String>, reports: &[(&str, &str)]) -> anyhow::Result<()> {
        drop(self.goes_on);
        // One that fell has complained.
        let _fallen = self.writer.join();
        for (name, text) in reports {
            put(&self.path, name, text)?;
        }
        why.truncate(REASONS);
        let word = match word {
            Word::Passed => loads::Word::Passed,
            Word::Failed => loads::Word::Failed,
            Word::NotValid => loads::Word::NotValid,
        };
        let verdict = Some(loads::Verdict { word, why });
        write(&self.path, &Run { verdict, timeline: Vec::new(), ..seen(&self.run, &self.board) })
    }
}

/// The run as it stands now.
fn seen(run: &Run, board: &Board) -> Run {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let counts = Counts {
        live: read(&board.live),
        started: read(&board.started),
        ended: read(&board.ended),
        lost: read(&board.lost),
        turns: read(&board.turns),
        wrong: read(&board.wrong),
        faults: read(&board.faults),
    };
    let timeline = thinned(&board.timeline.lock().unwrap_or_else(PoisonError::into_inner));
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let seen_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    Run { seen_ms, phase: board.what(), counts, timeline, ..run.clone() }
}

/// Not more than are wanted, evenly, the last among them.
fn thinned(ticks: &[Tick]) -> Vec<Tick> {
    let step = ticks.len().div_ceil(POINTS_MAX).max(1);
    let mut kept: Vec<Tick> = ticks.iter().rev().step_by(step).copied().collect();
    kept.reverse();
    kept
}

fn write(folder: &Path, run: &Run) -> anyhow::Result<()> {
    put(folder, RUN, &serde_json::to_string(run).context("a run is plain data")?)
}

/// Puts a whole file there at once: whoever reads meanwhile sees the one before.
fn put(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let (part, whole) = (folder.join(format!("{name}.part")), folder.join(name));
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, &whole))
        .with_context(|| format!("{} not written", whole.display()))
}

/// What was not met of a verdict, or why nothing can be said.
pub(crate) fn reasons(verdict: &Verdict) -> Vec<String> {
    let missed = verdict.checks.iter().filter(|check| !check.holds).filter_map(|check| {
        let value = check.value?;
        let (quantity, most, unit) = (check.quantity, check.most, check.unit);
        Some(format!("{quantity}: {value:.2} {unit}, at most {most} {unit}").replace(" ,", ","))
    });
    missed.chain(verdict.not_valid.iter().cloned()).map(|why| why.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::sample;

    #[test]
    fn a_long_run_is_thinned_out_and_keeps_its_last_moment() {
        let tick =
            |n: u32| Tick { at_s: f64::from(n), live: 1, cpu_percent: 1.0, rss_mib: 1.0, fds: 1 };
        let ticks: Vec<Tick> = (0..1_000).map(tick).collect();
        let kept = thinned(&ticks);
        assert!(kept.len() <= POINTS_MAX && kept.len() > POINTS_MAX / 2, "{}", kept.len());
        assert_eq!(kept.last(), ticks.last());
        assert_eq!(thinned(&ticks[..3]).len(), 3);
        assert_eq!(thinned(&[]), []);
    }

    #[test]
    fn a_verdict_says_what_was_not_met() {
        let why = reasons(&sample().verdict);
        assert_eq!(why, ["added latency to the model, p99: 12.25 ms, at most 10 ms"]);
    }
}
