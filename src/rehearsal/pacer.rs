//! Waking on time. The runtime's own timers count in milliseconds and its poll rounds up once
//! more, so a phone that uses them is a millisecond late at the median: as much as a bridge may
//! add. This is one thread that sleeps by the kernel's fine clock and wakes whoever is due.
//! Knows nobody whom it wakes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

/// At least this long between two rounds of waking, so that many sleepers cost no more than five
/// thousand wake-ups of the thread a second.
const ROUND: Duration = Duration::from_micros(200);

/// What is further away is left to the runtime's timers first, so that the thread knows only those
/// who are due soon, and forgets soon those who no longer wait.
const SOON: Duration = Duration::from_millis(100);

/// The thread's list; the thread starts with the first who waits, and stays.
static BELL: LazyLock<Arc<Bell>> = LazyLock::new(|| {
    let bell = Arc::new(Bell::default());
    let thread = Arc::clone(&bell);
    std::thread::spawn(move || ring(&thread));
    bell
});

#[derive(Default)]
struct Bell {
    sleepers: Mutex<BinaryHeap<Reverse<Entry>>>,
    earlier: Condvar,
}

struct Entry {
    due: Instant,
    sleeper: Arc<Sleeper>,
}

#[derive(Default)]
struct Sleeper {
    is_due: AtomicBool,
    waker: AtomicWaker,
}

/// Waits until this moment, late by a fraction of a millisecond on a machine that is not busy.
pub async fn sleep_until(due: tokio::time::Instant) {
    let soon = due.checked_sub(SOON);
    if let Some(soon) = soon.filter(|soon| *soon > tokio::time::Instant::now()) {
        tokio::time::sleep_until(soon).await;
    }
    let due = due.into_std();
    if due <= Instant::now() {
        return;
    }
    let sleeper = Arc::new(Sleeper::default());
    BELL.register(Entry { due, sleeper: Arc::clone(&sleeper) });
    poll_fn(|context| {
        sleeper.waker.register(context.waker());
        let is_due = sleeper.is_due.load(Ordering::Acquire);
        if is_due { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Bell {
    fn register(&self, entry: Entry) {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = sleepers.peek().is_none_or(|Reverse(first)| entry.due < first.due);
        sleepers.push(Reverse(entry));
        drop(sleepers);
        if is_first {
            self.earlier.notify_one();
        }
    }
}

/// The thread.
fn ring(bell: &Bell) {
    loop {
        let due = bell.wait();
        if due.is_empty() {
            continue;
        }
        for sleeper in due {
            sleeper.is_due.store(true, Ordering::Release);
            sleeper.waker.wake();
        }
        std::thread::sleep(ROUND);
    }
}

impl Bell {
    /// Waits for the next who is due, or for one who is due earlier; gives all who are due.
    fn wait(&self) -> Vec<Arc<Sleeper>> {
        let sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = sleepers
            .peek()
            .map(|Reverse(first)| first.due.saturating_duration_since(Instant::now()));
        let mut sleepers = match wait {
            None => self.earlier.wait(sleepers).unwrap_or_else(PoisonError::into_inner),
            Some(wait) => {
                let woken = self.earlier.wait_timeout(sleepers, wait);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        let now = Instant::now();
        let mut due = Vec::new();
        while sleepers.peek().is_some_and(|Reverse(first)| first.due <= now) {
            due.extend(sleepers.pop().map(|Reverse(entry)| entry.sleeper));
        }
        due
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_woken_early_and_a_later_sleeper_does_not_hold_up_an_earlier_one() {
        let now = tokio::time::Instant::now();
        let after = |ms| now + Duration::from_millis(ms);
        let order = Arc::new(Mutex::new(Vec::new()));
        // Tasks of one thread run in the order in which they are woken, however late that is.
        let sleep = |due, name| {
            let order = Arc::clone(&order);
            tokio::spawn(async move {
                sleep_until(due).await;
                assert!(tokio::time::Instant::now() >= due);
                order.lock().unwrap().push(name);
            })
        };
        let all = [
            sleep(after(1_300), "far"),
            sleep(after(1_200), "long"),
            sleep(after(1_000), "short"),
            sleep(now, "past"),
        ];
        for slept in all {
            slept.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["past", "short", "long", "far"]);
    }
}
