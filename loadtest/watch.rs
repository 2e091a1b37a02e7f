//! What is looked at while a run goes on, beside the calls: the bridge's process second by second,
//! and whether the drivers' own runtime is on time.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tandem::loads::Tick;
use tandem::rehearsal::pacer::sleep_until;
use tokio::task::JoinHandle;

use crate::measure::Distribution;
use crate::process;
use crate::progress::Board;

/// Between two looks at the process.
const LOOK: Duration = Duration::from_secs(1);
/// Looks that are kept: one a second for an hour; a longer run is thinned out by half.
const TICKS_MAX: usize = 3_600;
/// How often it is measured whether the runtime is on time: the pace of the phones.
const BEAT: Duration = Duration::from_millis(20);

/// Looks at a process until dropped; what is seen is on the board.
#[derive(Debug)]
pub(crate) struct Watch(JoinHandle<()>);

impl Watch {
    /// Begins to look.
    pub(crate) fn begin(pid: u32, board: Arc<Board>) -> Self {
        Self(tokio::spawn(look(pid, board)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look(pid: u32, board: Arc<Board>) {
    let began = Instant::now();
    let (mut last, mut last_cpu) = (began, process::sample(pid).map(|sample| sample.cpu));
    for n in 1_u32.. {
        tokio::time::sleep_until((began + LOOK * n).into()).await;
        // The process has ended; whoever started it says so.
        let Ok(sample) = process::sample(pid) else { return };
        let now = Instant::now();
        let used = sample.cpu.saturating_sub(last_cpu.unwrap_or(sample.cpu));
        let tick = Tick {
            at_s: (now - began).as_secs_f64(),
            live: board.live.load(Ordering::Relaxed),
            cpu_percent: used.as_secs_f64() / (now - last).as_secs_f64() * 100.0,
            rss_mib: sample.rss_bytes as f64 / f64::from(1 << 20),
            fds: sample.fds,
        };
        (last, last_cpu) = (now, Ok(sample.cpu));
        let mut ticks = board.timeline.lock().unwrap_or_else(PoisonError::into_inner);
        if ticks.len() == TICKS_MAX {
            let mut n = 0;
            ticks.retain(|_| {
                n += 1;
                n % 2 == 0
            });
        }
        ticks.push(tick);
    }
}

/// Measures whether a task that is due runs on time, until dropped.
#[derive(Debug)]
pub(crate) struct Punctuality {
    lateness: Arc<Mutex<Distribution>>,
    task: JoinHandle<()>,
}

impl Punctuality {
    /// Begins to measure.
    pub(crate) fn begin() -> Self {
        let lateness = Arc::new(Mutex::new(Distribution::default()));
        let task = tokio::spawn({
            let lateness = lateness.clone();
            async move {
                let began = Instant::now();
                for n in 1_u32.. {
                    let due = began + BEAT * n;
                    sleep_until(due.into()).await;
                    let late = due.elapsed();
                    lateness.lock().unwrap_or_else(PoisonError::into_inner).record(late);
                }
            }
        });
        Self { lateness, task }
    }

    /// How late it was.
    pub(crate) fn lateness(&self) -> Distribution {
        self.lateness.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Punctuality {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes the slope of a line through points, by least squares; none through fewer than two.
pub(crate) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_found_through_noise_and_not_through_one_point() {
        let points: Vec<(f64, f64)> =
            (0..100).map(|n| (f64::from(n), 3.0 * f64::from(n) + f64::from(n % 2))).collect();
        let slope_found = slope(&points).expect("a hundred points");
        assert!((slope_found - 3.0).abs() < 0.01, "{slope_found}");
        assert_eq!(slope(&points[..1]), None);
        assert_eq!(slope(&[]), None);
        assert_eq!(slope(&[(1.0, 1.0), (1.0, 2.0)]), None);
    }
}
