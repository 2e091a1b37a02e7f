//! Tools that take long or fail: the caller hears that work is going on, one voice at a time, and
//! what came of it, once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tandem::rehearsal::speech::{Rate, Voice, render_async};
use tandem_actors::tool::{Done, Job, Promise, Readback, Risk, Tool, Verdict};
use tokio::sync::Semaphore;

use super::caller::{Caller, told};
use crate::stage::Stage;

const CHAT: &str = "Chat with the caller.";
const LOOK_UP: &str = "Use the tool look up.";
const FILLER: &str = "One moment, I am looking into it.";
const FOUND: &str = "The shop opens at nine.";

/// Looks something up once it is let, and answers in this order.
struct LookUp {
    promise: Promise,
    gate: Arc<Semaphore>,
    runs: Arc<AtomicUsize>,
    answers: Arc<Mutex<VecDeque<Done>>>,
}

impl LookUp {
    fn new(answers: Vec<Done>) -> Self {
        let promise = Promise {
            name: "look_up".to_owned(),
            description: "Looks something up.".to_owned(),
            parameters: r#"{"type":"object","properties":{}}"#.to_owned(),
            risk: Risk::Read,
            idempotent: true,
            deadline: Duration::from_secs(60),
            attempts: 3,
            filler: None,
            wants_scene: false,
        };
        Self {
            promise,
            gate: Arc::new(Semaphore::new(0)),
            runs: Arc::new(AtomicUsize::new(0)),
            answers: Arc::new(Mutex::new(answers.into())),
        }
    }

    /// It may answer at once.
    fn open(self) -> Self {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
        self
    }

    /// To do it twice is not the same as once.
    fn once(mut self) -> Self {
        self.promise.idempotent = false;
        self
    }
}

impl Tool for LookUp {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, _: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        std::future::ready(None).boxed()
    }

    fn run(&self, _: Job) -> BoxFuture<'static, Done> {
        let (gate, answers) = (self.gate.clone(), self.answers.clone());
        self.runs.fetch_add(1, Ordering::Relaxed);
        async move {
            gate.acquire().await.expect("a gate is never closed").forget();
            answers.lock().unwrap().pop_front().expect("an answer for each run")
        }
        .boxed()
    }
}

fn found() -> Done {
    Done::success(FOUND)
}

fn busy() -> Done {
    let words = "The directory is busy.";
    Done::fault(Verdict::Temporary, "unavailable", words, "offer to try again later")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_tool_is_bridged_by_one_voice() {
    let tool = LookUp::new(vec![found()]);
    let gate = tool.gate.clone();
    let stage = Stage::with_tool(Arc::new(tool)).await;
    let mut caller = Caller::rings_about(&stage, Some(CHAT)).await;
    caller.hears().await;
    assert_eq!(caller.asks(LOOK_UP).await, FILLER);
    let second = caller.hears().await;
    assert_ne!(second, FILLER, "in other words the second time");
    gate.add_permits(1);
    assert_eq!(caller.hears().await, FOUND);
    let account = caller.hangs_up().await;
    assert_eq!((account.lost, account.doubled, account.reordered), (0, 0, 0));
    assert_eq!((account.cut_off, account.unreadable), (0, 0), "no two voices");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_comes_after_an_interruption_is_told_once() {
    let tool = LookUp::new(vec![found()]);
    let (gate, runs) = (tool.gate.clone(), tool.runs.clone());
    let stage = Stage::with_tool(Arc::new(tool)).await;
    // Nobody waits for these words to be made when they are wanted.
    render_async("Take your time.", &Voice::callee(), Rate::Hz24000).await;
    let mut caller = Caller::rings_about(&stage, Some(CHAT)).await;
    caller.hears().await;
    caller.says(LOOK_UP).await;
    caller.hears_begin("One moment").await;
    caller.says("Take your time.").await;
    gate.add_permits(1);
    // Where the result falls into the caller's words, those are answered with it.
    let mut heard = String::new();
    while !heard.contains(FOUND) {
        heard += &caller.hears().await;
    }
    let interrupted = told(&stage, &caller.call, &["barged_in"], &[]).await;
    assert_eq!(interrupted.len(), 1, "the filler was interrupted");
    caller.says("Thank you.").await;
    while !heard.contains("You said: Thank you.") {
        heard += &caller.hears().await;
    }
    assert_eq!(heard.matches(FOUND).count(), 1, "{heard}");
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    let answered = told(&stage, &caller.call, &["tool_answered"], &["verdict"]).await;
    assert_eq!(answered, ["tool_answered success"]);
    caller.hangs_up().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_for_now_is_tried_again_before_anybody_hears_of_it() {
    let tool = LookUp::new(vec![busy(), busy(), found(), busy(), busy(), busy()]).open();
    let runs = tool.runs.clone();
    let stage = Stage::with_tool(Arc::new(tool)).await;
    let mut caller = Caller::rings_about(&stage, Some(CHAT)).await;
    caller.hears().await;
    assert_eq!(caller.asks(LOOK_UP).await, FOUND);
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    assert_eq!(
        caller.asks(LOOK_UP).await,
        "I have tried that several times, and it does not work right now."
    );
    assert_eq!(runs.load(Ordering::Relaxed), 6);
    caller.hangs_up().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_happened_is_not_tried_again() {
    let tool = LookUp::new(vec![busy()]).once().open();
    let runs = tool.runs.clone();
    let stage = Stage::with_tool(Arc::new(tool)).await;
    let mut caller = Caller::rings_about(&stage, Some(CHAT)).await;
    caller.hears().await;
    assert_eq!(caller.asks(LOOK_UP).await, "The directory is busy.");
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    caller.hangs_up().await;
    stage.close().await;
}
