//! A circuit breaker for each tool: one that has failed several times in a row for all calls is
//! left alone for a while, so that callers hear at once that it does not work, and not after its
//! deadline. Then one call tries it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tandem_actors::clock::{self, Instant};
use tandem_actors::tool::{Done, Job, Promise, Readback, Tool, Verdict};

/// Failures in a row: fewer could be one call's bad luck with its retries.
const FAILURES: u32 = 5;

/// As long as a service that restarts needs, and shorter than most calls.
const REST: Duration = Duration::from_secs(30);

/// A tool that is left alone when it keeps failing.
pub(super) struct Resting {
    tool: Arc<dyn Tool>,
    breaker: Arc<Mutex<Breaker>>,
}

/// Counts what came of the last attempts. Pure.
#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    until: Option<Instant>,
}

impl Breaker {
    /// Whether the tool may be tried now. After a rest one may; the others wait for how that went.
    fn lets_in(&mut self, now: Instant) -> bool {
        match self.until {
            Some(until) if now < until => false,
            Some(_) => {
                self.until = Some(now + REST);
                true
            }
            None => true,
        }
    }

    fn went(&mut self, failed: bool, now: Instant) {
        if !failed {
            *self = Self::default();
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.until = Some(now + REST);
        }
    }
}

impl Resting {
    pub(super) fn new(tool: Arc<dyn Tool>) -> Self {
        Self { tool, breaker: Arc::default() }
    }
}

impl Tool for Resting {
    fn promise(&self) -> &Promise {
        self.tool.promise()
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        self.tool.read_back(job)
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let breaker = Arc::clone(&self.breaker);
        if !locked(&breaker).lets_in(clock::now()) {
            return async { rests() }.boxed();
        }
        let (mut work, deadline) = (self.tool.run(job), self.promise().deadline);
        async move {
            // What hangs has failed for those who wait, whatever comes of it later.
            let Ok(done) = tokio::time::timeout(deadline, &mut work).await else {
                locked(&breaker).went(true, clock::now());
                return work.await;
            };
            locked(&breaker).went(is_failure(done.verdict), clock::now());
            done
        }
        .boxed()
    }
}

fn locked(breaker: &Mutex<Breaker>) -> std::sync::MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the tool itself did badly; a wrong argument or a missing right is not its fault.
const fn is_failure(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Temporary | Verdict::RateLimited | Verdict::Unknown | Verdict::Exhausted => true,
        Verdict::Success | Verdict::User | Verdict::Permission | Verdict::Permanent => false,
    }
}

fn rests() -> Done {
    let (words, suggestion) = (
        "That is not working at the moment.",
        "do not try it again for half a minute; offer another way, or to call back",
    );
    Done::fault(Verdict::Exhausted, "resting", words, suggestion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_after_failures_in_a_row_and_one_tries_it_then() {
        let (mut breaker, start) = (Breaker::default(), clock::now());
        for _ in 0..3 {
            for _ in 1..FAILURES {
                assert!(breaker.lets_in(start));
                breaker.went(true, start);
            }
            breaker.went(false, start);
        }
        for _ in 0..FAILURES {
            assert!(breaker.lets_in(start));
            breaker.went(true, start);
        }
        let rested = start + REST;
        assert!(!breaker.lets_in(start) && !breaker.lets_in(rested - Duration::from_millis(1)));
        assert!(breaker.lets_in(rested), "one tries it");
        assert!(!breaker.lets_in(rested), "the others wait for it");
        breaker.went(true, rested);
        assert!(!breaker.lets_in(rested + REST / 2));
        assert!(breaker.lets_in(rested + REST));
        breaker.went(false, rested + REST);
        assert!(breaker.lets_in(rested + REST) && breaker.lets_in(rested + REST));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tool_that_hangs_is_left_alone_and_the_callers_hear_it_at_once() {
        let tool = Resting::new(Arc::new(super::super::tests::Hanging::new()));
        for _ in 0..FAILURES {
            let waits = tool.promise().deadline + Duration::from_millis(1);
            let run = tokio::time::timeout(waits, tool.run(super::super::tests::job("hang", "{}")));
            assert!(run.await.is_err());
        }
        let done = tool.run(super::super::tests::job("hang", "{}")).await;
        assert_eq!(done.verdict, Verdict::Exhausted);
        assert!(done.output.as_str().contains("resting"));
    }
}
