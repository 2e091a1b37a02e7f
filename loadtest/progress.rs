//! What is seen while a run goes on: one line, repainted on a terminal a few times a second,
//! printed now and then anywhere else. Reads counters; knows nothing of calls.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tandem::loads::Tick;
use tokio::time::{Instant, MissedTickBehavior};

/// Between two repaints of a terminal: fast enough to be live, too slow to cost anything.
const REPAINT: Duration = Duration::from_millis(250);
/// Between two plain lines.
const LINE: Duration = Duration::from_secs(5);

/// The counters that are shown. All lines of a run write here.
#[derive(Debug, Default)]
pub struct Board {
    /// What is being done.
    phase: Mutex<String>,
    /// Calls that are up.
    pub live: AtomicU64,
    /// Calls that were started.
    pub started: AtomicU64,
    /// Calls that are over.
    pub ended: AtomicU64,
    /// Calls that were lost.
    pub lost: AtomicU64,
    /// Answers that were heard.
    pub turns: AtomicU64,
    /// Answers that were not what they had to be.
    pub wrong: AtomicU64,
    /// Faults that were injected.
    pub faults: AtomicU64,
    /// The bridge's process, second by second.
    pub timeline: Mutex<Vec<Tick>>,
}

impl Board {
    /// Says what is being done now.
    pub fn phase(&self, text: impl Into<String>) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = text.into();
    }

    /// What is being done now.
    #[must_use]
    pub fn what(&self) -> String {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn line(&self, since: Duration) -> String {
        let phase = self.what();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut line = format!(
            "{:>6.1}s  {phase}  live {}  ended {}  answers {}",
            since.as_secs_f64(),
            read(&self.live),
            read(&self.ended),
            read(&self.turns),
        );
        for (name, count) in
            [("faults", &self.faults), ("wrong", &self.wrong), ("lost", &self.lost)]
        {
            if read(count) > 0 {
                line.push_str(&format!("  {name} {}", read(count)));
            }
        }
        line
    }
}

/// Shows a board until dropped.
#[derive(Debug)]
pub struct Progress(tokio::task::JoinHandle<()>);

impl Progress {
    /// Begins to show it on standard error.
    #[must_use]
    pub fn show(board: Arc<Board>) -> Self {
        Self(tokio::spawn(async move {
            let terminal = std::io::stderr().is_terminal();
            let mut ticks = tokio::time::interval(if terminal { REPAINT } else { LINE });
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let began = Instant::now();
            // The first tick comes at once, when there is nothing to be seen.
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let line = board.line(began.elapsed());
                let painted = if terminal {
                    write!(std::io::stderr(), "\r\x1b[2K{line}")
                } else {
                    writeln!(std::io::stderr(), "{line}")
                };
                if painted.is_err() {
                    break;
                }
            }
        }))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.abort();
        if std::io::stderr().is_terminal() {
            // Nobody sees it when this fails.
            let _unseen = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_shown_only_when_there_is_some() {
        let board = Board::default();
        board.phase("ringing");
        board.live.store(3, Ordering::Relaxed);
        let line = board.line(Duration::from_millis(1_500));
        assert_eq!(line, "   1.5s  ringing  live 3  ended 0  answers 0");
        board.lost.store(1, Ordering::Relaxed);
        assert!(board.line(Duration::ZERO).ends_with("answers 0  lost 1"));
    }
}
