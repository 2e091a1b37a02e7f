//! A hostile model at scale: scripts drawn from seeds, played against the real actors, judged by
//! what the humans in them really approved. Virtual time, one script at a time on each core.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tandem::loads::TEXT;

use crate::cli::Hostile;
use crate::keep::{self, Keep, Kept};
use crate::progress::Board;
use crate::verdict::Word;
use findings::Findings;
use script::Script;

mod book;
mod deeds;
mod findings;
mod human;
mod lines;
mod model;
mod names;
mod play;
mod script;
mod stage;
mod steps;
pub(crate) mod truth;

/// Between two looks at how far the run is.
const LOOK: Duration = Duration::from_millis(250);

/// Looks between two lines where nobody repaints them.
const LINE: u32 = 20;

pub(crate) fn main(asked: &Hostile, keep: Option<&Keep>) -> ExitCode {
    // Faults are injected by the thousand; what a panic says is in the story of its script.
    std::panic::set_hook(Box::new(|_| {}));
    match go(asked, keep) {
        Ok(word) => word.exit_code(),
        Err(error) => {
            crate::complain(&error);
            Word::Failed.exit_code()
        }
    }
}

fn go(asked: &Hostile, keep: Option<&Keep>) -> anyhow::Result<Word> {
    let (began, board) = (Instant::now(), Arc::new(Board::default()));
    let words = format!("{} scripts, seed {}", asked.scripts, asked.seed);
    let kept = Kept::begin(keep, "hostile", words, &board);
    let findings = match run(asked, began, &board) {
        Ok(findings) => findings,
        Err(error) => {
            kept.broke(&error);
            return Err(error);
        }
    };
    let mut out = std::io::stdout();
    for seed in findings.shown() {
        tell(&mut out, seed)?;
    }
    let (text, verdict) = (findings.text(asked.seed, began.elapsed()), findings.verdict());
    kept.end(verdict.word, keep::reasons(&verdict), &[(TEXT, &text)]);
    write!(out, "{text}").context("nobody reads")?;
    Ok(verdict.word)
}

/// Prints a script in full, and how it goes: it is played again for that.
fn tell(out: &mut impl std::io::Write, seed: u64) -> anyhow::Result<()> {
    let script = Script::draw(seed);
    writeln!(out, "{script}").context("nobody reads")?;
    let truth = play::play(script, true).truth;
    for line in truth.story.into_iter().flatten() {
        writeln!(out, "{line}").context("nobody reads")?;
    }
    for (wrong, line) in truth.wrong {
        writeln!(out, "WRONG {wrong:?}: {line}").context("nobody reads")?;
    }
    writeln!(out, "again: tandem-loadtest hostile --scripts 1 --seed {seed}\n")
        .context("nobody reads")
}

/// Plays all scripts on all cores.
fn run(asked: &Hostile, began: Instant, board: &Board) -> anyhow::Result<Findings> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
    let (next, wrong) = (&next, &wrong);
    std::thread::scope(|scope| {
        let work = || {
            let mut findings = Findings::default();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                if place >= asked.scripts {
                    return findings;
                }
                let script = Script::draw(names::seed_at(asked.seed, place));
                let before = findings.failing();
                findings.add(play::play(script, false));
                wrong.fetch_add((findings.failing() - before) as u64, Ordering::Relaxed);
            }
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut looks = 0;
        while !workers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(LOOK);
            looks += 1;
            let done = next.load(Ordering::Relaxed).saturating_sub(cores as u64);
            let (done, wrong) = (done.min(asked.scripts), wrong.load(Ordering::Relaxed));
            board.phase(format!("script {done} of {}", asked.scripts));
            board.wrong.store(wrong, Ordering::Relaxed);
            show(looks, began, done, asked.scripts, wrong);
        }
        let mut findings = Findings::default();
        for worker in workers {
            findings.merge(worker.join().map_err(|_| anyhow::anyhow!("a script fell"))?);
        }
        Ok(findings)
    })
}

/// How far the run is: repainted on a terminal, else a line every few seconds.
fn show(looks: u32, began: Instant, done: u64, all: u64, wrong: u64) {
    let mut err = std::io::stderr();
    let since = began.elapsed().as_secs_f64();
    let line = format!("{since:>6.1}s  scripts {done} of {all}  with something wrong {wrong}");
    // Nobody sees it when this fails.
    let _unseen = match err.is_terminal() {
        true => write!(err, "\r\x1b[2K{line}{}", if done == all { "\n" } else { "" }),
        false if looks.is_multiple_of(LINE) => writeln!(err, "{line}"),
        false => Ok(()),
    };
}
