//! ToolRunner: runs tools beside the audio. Each job has a task, a deadline and a key of its
//! own; the task outlives this actor, its result goes straight to the Call's lane.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::call::event::{Input, Part};
use crate::call::ledger;
use crate::clock;
use crate::part::{self, Msg};
use crate::record::Intent;
use crate::seed::{Enlisted, Errand, Seed};
use crate::tool::{Done, Job, Tool, Verdict};

/// Attempts at an idempotent job whose failure may pass, all inside its one deadline.
const ATTEMPTS: u32 = 3;

/// The wait before the second attempt; doubled for the third.
const RETRY: Duration = Duration::from_millis(250);

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
                let done = at_most_once(&seed, &job).await;
                seed.tell(Input::Ran(job.id, done));
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
async fn at_most_once(seed: &Seed, job: &Job) -> Done {
    let Some(tool) = seed.ports.tools.get(&job.name) else { return missing(&job.name) };
    match seed.ports.record.intend(job).await {
        Ok(Intent::Fresh) => {}
        Ok(Intent::Known(done)) => return done,
        Ok(Intent::Begun) => return failed(Verdict::Unknown),
        Err(error) => {
            tracing::error!(call = %seed.call, %error, "intent not written, tool not run");
            return failed(Verdict::Temporary);
        }
    }
    let done = within_deadline(tool, job).await;
    if let Err(error) = seed.ports.record.settle(job, &done).await {
        tracing::error!(call = %seed.call, %error, "tool result not written");
    }
    done
}

async fn within_deadline(tool: &Arc<dyn Tool>, job: &Job) -> Done {
    let promise = tool.promise();
    let end = clock::now() + promise.deadline;
    let mut attempt = 1;
    loop {
        let run = AssertUnwindSafe(tool.run(job.clone())).catch_unwind();
        let done = match tokio::time::timeout_at(end, run).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => {
                failed(if promise.idempotent { Verdict::Temporary } else { Verdict::Unknown })
            }
            Err(_) if promise.idempotent => return failed(Verdict::Temporary),
            Err(_) => return failed(Verdict::Unknown),
        };
        let again = done.verdict == Verdict::Temporary
            && promise.idempotent
            && attempt < ATTEMPTS
            && clock::now() + RETRY * attempt < end;
        if !again {
            return done;
        }
        tokio::time::sleep(RETRY * attempt).await;
        attempt += 1;
    }
}

fn missing(name: &str) -> Done {
    let words = format!("There is no tool called {name}.");
    Done { verdict: Verdict::Permanent, output: ledger::output("error", &words) }
}

fn failed(verdict: Verdict) -> Done {
    let words = match verdict {
        Verdict::Unknown => "I cannot tell whether that worked. Please check before repeating it.",
        Verdict::Success | Verdict::User | Verdict::Temporary | Verdict::Permanent => {
            "That did not work just now."
        }
    };
    Done { verdict, output: ledger::output(verdict.word(), words) }
}
