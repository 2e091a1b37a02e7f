//! ToolRunner: runs tools beside the audio. Each job has a task, a deadline and a key of its
//! own; the task outlives this actor, its result goes straight to the Call's lane.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::call::event::{Input, Part};
use crate::clock::{self, Instant};
use crate::part::{self, Msg};
use crate::record::Intent;
use crate::seed::{Enlisted, Errand, Seed};
use crate::tool::{Done, Job, Promise, Tool, Verdict};

/// The longest wait before the second attempt at an idempotent job; doubled with each further one.
/// The wait itself is drawn at random up to this, so that calls which failed together do not come
/// back together.
const RETRY: Duration = Duration::from_millis(400);

/// How long a job may go on after its deadline has passed and the model was told so: a result that
/// comes by then is kept, and offered. Later nobody remembers the question.
const LATE: Duration = Duration::from_mins(5);

/// Looking up an exact effect is a read; it gets this long.
const READ_BACK: Duration = Duration::from_secs(5);

/// Runs the tools of a call.
#[derive(Debug)]
pub struct ToolRunner;

/// What dies with it: nothing. Work under way goes on in its own tasks.
#[derive(Debug)]
pub struct State {
    seed: Arc<Seed>,
    _enlisted: Enlisted,
}

impl Actor for ToolRunner {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Seed>;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        seed: Arc<Seed>,
    ) -> Result<State, ActorProcessingErr> {
        part::start(&seed, Part::ToolRunner);
        part::listen(&seed.jobs, &myself);
        Ok(State { _enlisted: seed.enlist(), seed })
    }

    async fn handle(
        &self,
        _myself: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let seed = &state.seed;
        let _busy = seed.pulses.beat(Part::ToolRunner);
        match msg {
            Msg::Wake => {
                while let Some(errand) = seed.jobs.pop() {
                    begin(seed, errand);
                }
            }
            Msg::Fault(fault) => fault.inflict().await?,
            Msg::Own(_) => {}
        }
        Ok(())
    }
}

fn begin(seed: &Arc<Seed>, errand: Errand) {
    let seed = Arc::clone(seed);
    match errand {
        Errand::ReadBack(job) => {
            drop(tokio::spawn(async move {
                let answer = read_back(&seed, &job).await;
                seed.tell(Input::ReadBack(job.id, answer));
            }));
        }
        Errand::Run(job) => {
            // Handed over twice, after this actor died, it is begun once.
            let Some(entered) = seed.running.enter(&job.id) else { return };
            drop(tokio::spawn(async move {
                at_most_once(&seed, job).await;
                drop(entered);
            }));
        }
    }
}

async fn read_back(seed: &Seed, job: &Job) -> Option<Result<crate::tool::Readback, Done>> {
    let Some(tool) = seed.ports.tools.get(&job.name) else {
        return Some(Err(missing(&job.name)));
    };
    let asked = AssertUnwindSafe(tool.read_back(job.clone())).catch_unwind();
    match tokio::time::timeout(READ_BACK, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) => Some(Err(failed(Verdict::Temporary))),
    }
}

/// The intent is written before the effect is tried; a job that is known gets its stored result.
async fn at_most_once(seed: &Seed, job: Job) {
    let Some(tool) = seed.ports.tools.get(&job.name) else {
        return seed.tell(Input::Ran(job.id, missing(&job.name)));
    };
    match seed.ports.record.intend(&job).await {
        Ok(Intent::Fresh) => run(seed, Arc::clone(tool), job).await,
        Ok(Intent::Known(done)) => seed.tell(Input::Ran(job.id, done)),
        Ok(Intent::Begun) => seed.tell(Input::Ran(job.id, failed(Verdict::Unknown))),
        Err(error) => {
            tracing::error!(call = %seed.call, %error, "intent not written, tool not run");
            seed.tell(Input::Ran(job.id, failed(Verdict::Temporary)));
        }
    }
}

/// Runs a job to its end; the model waits for it until its deadline and no longer.
async fn run(seed: &Seed, tool: Arc<dyn Tool>, job: Job) {
    let promise = tool.promise().clone();
    let end = clock::now() + promise.deadline;
    let mut work = Box::pin(attempts(tool, job.clone(), end));
    if let Ok(done) = tokio::time::timeout_at(end, &mut work).await {
        settle(seed, &job, &done).await;
        return seed.tell(Input::Ran(job.id, done));
    }
    seed.tell(Input::Ran(job.id.clone(), overdue(&promise)));
    let late = tokio::time::timeout(LATE, work).await;
    let done = late.unwrap_or_else(|_| failed(Verdict::Unknown));
    settle(seed, &job, &done).await;
    seed.tell(Input::Late(job.id, done));
}

async fn settle(seed: &Seed, job: &Job, done: &Done) {
    if let Err(error) = seed.ports.record.settle(job, done).await {
        tracing::error!(call = %seed.call, %error, "tool result not written");
    }
}

/// Tries a job until it succeeds, its attempts are used up, or there is no time for another.
async fn attempts(tool: Arc<dyn Tool>, job: Job, end: Instant) -> Done {
    let promise = tool.promise();
    let most = if promise.idempotent { promise.attempts.max(1) } else { 1 };
    let mut longest = RETRY;
    for attempt in 1.. {
        let run = AssertUnwindSafe(tool.run(job.clone())).catch_unwind();
        let done = run.await.unwrap_or_else(|_| {
            failed(if promise.idempotent { Verdict::Temporary } else { Verdict::Unknown })
        });
        let wait = longest.mul_f64(rand::random());
        if !done.verdict.may_pass() || most == 1 {
            return done;
        }
        if attempt >= most || clock::now() + wait >= end {
            return failed(Verdict::Exhausted);
        }
        tokio::time::sleep(wait).await;
        longest *= 2;
    }
    unreachable!("the last attempt returns")
}

fn missing(name: &str) -> Done {
    let suggestion = format!("there is no tool called {name}; offer what you can do");
    Done::fault(Verdict::Permanent, "no_such_tool", "I cannot do that.", &suggestion)
}

/// The deadline has passed and the work goes on.
fn overdue(promise: &Promise) -> Done {
    let (verdict, suggestion) = match promise.idempotent {
        true => (Verdict::Temporary, "say that you will tell the result when it comes"),
        false => {
            (Verdict::Unknown, "do not repeat it; say that you will tell the result when it comes")
        }
    };
    Done::fault(verdict, "overdue", "That takes longer than I thought.", suggestion)
}

fn failed(verdict: Verdict) -> Done {
    let (reason, words, suggestion) = match verdict {
        Verdict::Unknown => (
            "not_known",
            "I cannot tell whether that worked.",
            "do not repeat it; offer to check whether it happened",
        ),
        Verdict::Exhausted => (
            "retries",
            "I have tried that several times, and it does not work right now.",
            "offer to try again later, or another way",
        ),
        Verdict::Success
        | Verdict::User
        | Verdict::Temporary
        | Verdict::RateLimited
        | Verdict::Permission
        | Verdict::Permanent => {
            ("unavailable", "That did not work just now.", "offer to try it once more")
        }
    };
    Done::fault(verdict, reason, words, suggestion)
}
