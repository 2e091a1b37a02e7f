//! The agent behind the voice: asked what the model cannot answer itself, in the background, while
//! the conversation goes on. Its tasks are written down before it is asked, are bounded, outlive
//! the call, and are told to the caller when they are done.

mod asks;
mod chat;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tandem_actors::briefing::{CallId, Text};
use tandem_actors::call::event::{Input, Order};
use tandem_actors::exchange::Exchange;
use tandem_actors::tool::{Done, Job, Tool, Verdict};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::mcp::Server;
use crate::config;
use crate::store::{AgentState, AgentTasks as _, Store};
use asks::Backend;

/// Tasks of all calls at once: what one agent behind a few hundred calls can be asked.
const MOST: usize = 256;

/// The agent, and what it is at.
#[derive(Clone)]
pub struct Agent {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Backend,
    store: Store,
    settings: config::Agent,
    running: Mutex<HashMap<(CallId, u32), CancellationToken>>,
    exchange: OnceLock<Exchange>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What came of a task.
type Answer = Result<Text, Done>;

impl Agent {
    /// The agent that is configured; what an earlier run has asked it is given up.
    ///
    /// # Errors
    /// When its settings cannot be used or the record cannot be written.
    pub(super) async fn open(
        settings: &config::Agent,
        store: &Store,
        server: Option<Arc<Server>>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(backend) = Backend::new(settings, server)? else { return Ok(None) };
        let lost = store.lose_agent_tasks().await?;
        if lost > 0 {
            tracing::warn!(lost, "tasks of the agent were given up with an earlier run");
        }
        Ok(Some(Self {
            inner: Arc::new(Inner {
                backend,
                store: store.clone(),
                settings: settings.clone(),
                running: Mutex::default(),
                exchange: OnceLock::new(),
                tasks: TaskTracker::new(),
                stop: CancellationToken::new(),
            }),
        }))
    }

    /// The tools by which the model asks it.
    #[must_use]
    pub fn tools(&self) -> Vec<Arc<dyn Tool>> {
        tools::all(self)
    }

    /// From now on what is done in the background is announced in the calls that live here.
    pub fn announce_in(&self, exchange: Exchange) {
        // Said once, by the server that owns both.
        let _told_before = self.inner.exchange.set(exchange);
    }

    /// Gives up what runs, and returns when that is written down.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Begins a task. Its answer goes to whoever holds the other end when it comes, and is
    /// announced in the call when nobody does.
    async fn begin(
        &self,
        job: &Job,
        request: Text,
    ) -> Result<(u32, oneshot::Receiver<Answer>), Done> {
        let inner = &self.inner;
        self.has_room(&job.call)?;
        let begun = inner.store.begin_agent_task(&job.call, request.clone()).await;
        let number = begun.map_err(|error| {
            tracing::warn!(call = %job.call, %error, "a task of the agent is not written down");
            Done::fault(
                Verdict::Temporary,
                "not_written",
                "I cannot start that right now.",
                "offer to try it once more in a moment",
            )
        })?;
        let cancel = inner.stop.child_token();
        self.running().insert((job.call.clone(), number), cancel.clone());
        let (answer, answered) = oneshot::channel();
        let (agent, job) = (self.clone(), job.clone());
        inner.tasks.spawn(async move {
            agent.see_through(&job, number, request, cancel, answer).await;
        });
        Ok((number, answered))
    }

    async fn see_through(
        self,
        job: &Job,
        number: u32,
        request: Text,
        cancel: CancellationToken,
        answer: oneshot::Sender<Answer>,
    ) {
        let inner = &self.inner;
        let most = Duration::from_secs(inner.settings.task_s);
        let (state, told) = tokio::select! {
            biased;
            () = cancel.cancelled() => match inner.stop.is_cancelled() {
                true => (AgentState::Lost, Err(given_up("the service is restarting"))),
                false => (AgentState::Cancelled, Err(given_up("it was called off"))),
            },
            told = inner.backend.ask(job, &request) => match told {
                Ok(text) => (AgentState::Done, Ok(text)),
                Err(done) => (AgentState::Failed, Err(done)),
            },
            () = tokio::time::sleep(most) => {
                (AgentState::Failed, Err(given_up("it took too long")))
            }
        };
        let kept = match &told {
            Ok(text) => text.clone(),
            Err(done) => done.output.clone(),
        };
        let ended = inner.store.end_agent_task(&job.call, number, state, Some(kept)).await;
        if let Err(error) = ended {
            tracing::error!(call = %job.call, number, %error, "a task's end is not written down");
        }
        self.running().remove(&(job.call.clone(), number));
        match answer.send(told) {
            Ok(()) => {}
            Err(_) if state == AgentState::Cancelled => {}
            Err(told) => self.announce(&job.call, number, &told),
        }
    }

    fn announce(&self, call: &CallId, number: u32, told: &Answer) {
        let name = tools::name(number);
        let news = match told {
            Ok(text) => format!("The agent has finished {name}: {}", text.as_str()),
            Err(done) => format!("The agent could not finish {name}: {}", done.output.as_str()),
        };
        if let Some(exchange) = self.inner.exchange.get() {
            // A call that is over keeps the answer in its record.
            exchange.tell(call, Input::Order(Order::Announce(Text(news))));
        }
    }

    /// Calls a task off. False when it is not running, or was called off before and is about to
    /// end.
    fn cancel(&self, call: &CallId, number: u32) -> bool {
        let running = self.running();
        let task = running.get(&(call.clone(), number)).filter(|task| !task.is_cancelled());
        task.inspect(|task| task.cancel()).is_some()
    }

    fn has_room(&self, call: &CallId) -> Result<(), Done> {
        let running = self.running();
        let of_call = running.keys().filter(|(of, _)| of == call).count();
        if of_call < self.inner.settings.tasks && running.len() < MOST {
            return Ok(());
        }
        let suggestion = "tell the caller that the earlier requests come first; check on them, \
                          or cancel one";
        let words = "There is already a lot under way.";
        Err(Done::fault(Verdict::RateLimited, "too_many_tasks", words, suggestion))
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<(CallId, u32), CancellationToken>> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn given_up(why: &str) -> Done {
    let suggestion = format!("the task was given up: {why}; offer to ask once more");
    Done::fault(Verdict::Exhausted, "given_up", "I did not get an answer to that.", &suggestion)
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("running", &self.running().len()).finish_non_exhaustive()
    }
}
