//! The tools by which the model asks the agent: at once, in the background, how far it is, and
//! never mind.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Job, Promise, Readback, Risk, Tool, Verdict};

use super::{Agent, Answer};
use crate::store::{AgentState, AgentTask, AgentTasks as _};
use crate::tool::checked::arguments;
use crate::tool::question::Question;

/// More than anybody asks for in one breath.
const REQUEST_CHARS: u32 = 2_000;

/// Writing a task down and the answer's way back, beside the agent's own time.
const MARGIN: Duration = Duration::from_secs(6);

/// Reading the record.
const READ: Duration = Duration::from_secs(6);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ask,
    AskLater,
    Check,
    Cancel,
}

pub(super) fn all(agent: &Agent) -> Vec<Arc<dyn Tool>> {
    let tool = |kind| -> Arc<dyn Tool> {
        let promise = promise(kind, agent);
        let question = Question::of_all(&promise.name);
        Arc::new(AgentTool { kind, promise, question, agent: agent.clone() })
    };
    [Kind::Ask, Kind::AskLater, Kind::Check, Kind::Cancel].map(tool).into()
}

/// What the model calls a task.
pub(super) fn name(number: u32) -> String {
    format!("task-{number}")
}

fn number(name: &str) -> Option<u32> {
    name.strip_prefix("task-")?.parse().ok()
}

struct AgentTool {
    kind: Kind,
    promise: Promise,
    question: Question,
    agent: Agent,
}

fn promise(kind: Kind, agent: &Agent) -> Promise {
    let settings = &agent.inner.settings;
    let about = match settings.description.trim() {
        "" => "It can look things up and work things out that you cannot.",
        said => said,
    };
    let (name, description, risk, deadline) = match kind {
        Kind::Ask => (
            "invoke_agent",
            format!(
                "Asks the agent behind you and waits for its answer. {about} When it takes long \
                 you get a task id, and the answer comes by itself."
            ),
            settings.risk.into(),
            Duration::from_secs(settings.deadline_s) + MARGIN,
        ),
        Kind::AskLater => (
            "invoke_agent_async",
            format!(
                "Gives the agent behind you something to do in the background, for what takes \
                 more than a few seconds. {about} You get a task id at once; go on talking. The \
                 answer comes by itself."
            ),
            settings.risk.into(),
            READ,
        ),
        Kind::Check => (
            "check_agent_task",
            "Tells how far the agent's tasks of this call are, when the caller asks. Without a \
             task id it tells of all."
                .to_owned(),
            Risk::Read,
            READ,
        ),
        Kind::Cancel => (
            "cancel_agent_task",
            "Calls off a task of the agent, when the caller does not want it any more.".to_owned(),
            Risk::Write,
            READ,
        ),
    };
    Promise {
        name: name.to_owned(),
        description,
        parameters: parameters(kind).to_string(),
        risk,
        idempotent: matches!(kind, Kind::Check | Kind::Cancel),
        deadline,
        attempts: 1,
        filler: None,
        wants_scene: matches!(kind, Kind::Ask | Kind::AskLater),
    }
}

fn parameters(kind: Kind) -> Value {
    let request = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": REQUEST_CHARS,
        "description": "All it needs to know, in full sentences: it does not hear the call.",
    });
    let task = json!({ "type": "string", "pattern": "^task-[0-9]{1,9}$" });
    let (properties, required) = match kind {
        Kind::Ask | Kind::AskLater => (json!({ "request": request }), json!(["request"])),
        Kind::Check => (json!({ "task_id": task }), json!([])),
        Kind::Cancel => (json!({ "task_id": task }), json!(["task_id"])),
    };
    json!({ "type": "object", "properties": properties, "required": required })
}

impl Tool for AgentTool {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        let told = self.question.if_asked(self.promise.risk, &job);
        async { told }.boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let (kind, agent) = (self.kind, self.agent.clone());
        async move {
            let done = match kind {
                Kind::Ask => ask(&agent, &job).await,
                Kind::AskLater => ask_later(&agent, &job).await,
                Kind::Check => check(&agent, &job).await,
                Kind::Cancel => cancel(&agent, &job),
            };
            done.unwrap_or_else(|done| done)
        }
        .boxed()
    }
}

fn said(job: &Job, name: &str) -> Result<Option<String>, Done> {
    let mut arguments = arguments(&job.arguments)?;
    Ok(arguments.remove(name).and_then(|value| value.as_str().map(str::to_owned)))
}

fn request(job: &Job) -> Result<Text, Done> {
    Ok(Text(said(job, "request")?.unwrap_or_default()))
}

async fn ask(agent: &Agent, job: &Job) -> Result<Done, Done> {
    let (number, mut answered) = agent.begin(job, request(job)?).await?;
    let patience = Duration::from_secs(agent.inner.settings.deadline_s);
    if let Ok(Ok(answer)) = tokio::time::timeout(patience, &mut answered).await {
        return answer.map(|text| answer_of(&text));
    }
    // From here on it is announced; what came in between is taken.
    answered.close();
    match answered.try_recv() {
        Ok(answer) => answer.map(|text: Text| answer_of(&text)),
        Err(_) => Ok(under_way(number)),
    }
}

async fn ask_later(agent: &Agent, job: &Job) -> Result<Done, Done> {
    let (number, answered) = agent.begin(job, request(job)?).await?;
    drop::<tokio::sync::oneshot::Receiver<Answer>>(answered);
    Ok(under_way(number))
}

async fn check(agent: &Agent, job: &Job) -> Result<Done, Done> {
    let tasks = agent.inner.store.agent_tasks(&job.call).await.map_err(|error| {
        tracing::warn!(call = %job.call, %error, "the agent's tasks cannot be read");
        let words = "I cannot look that up right now.";
        Done::fault(Verdict::Temporary, "unavailable", words, "offer to look again in a moment")
    })?;
    let wanted = said(job, "task_id")?;
    let asked_for = |task: &&AgentTask| {
        wanted.as_deref().is_none_or(|wanted| number(wanted) == Some(task.number))
    };
    let found: Vec<Value> = tasks.iter().filter(asked_for).map(shown).collect();
    if found.is_empty() && wanted.is_some() {
        return Err(unknown());
    }
    let running = tasks.iter().filter(|task| task.state == AgentState::Running).count();
    let output = json!({
        "status": "success",
        "spoken_message": match running {
            0 => "Nothing is under way.".to_owned(),
            1 => "One request is still under way.".to_owned(),
            more => format!("{more} requests are still under way."),
        },
        "tasks": found,
    });
    Ok(Done { verdict: Verdict::Success, output: Text(output.to_string()) })
}

fn cancel(agent: &Agent, job: &Job) -> Result<Done, Done> {
    let number = said(job, "task_id")?.as_deref().and_then(number).ok_or_else(unknown)?;
    match agent.cancel(&job.call, number) {
        true => Ok(Done::success("I have called that off.")),
        false => Err(unknown()),
    }
}

fn shown(task: &AgentTask) -> Value {
    let answer = task.answer.as_ref().filter(|_| task.state == AgentState::Done);
    json!({
        "task_id": name(task.number),
        "request": task.request.as_str(),
        "state": task.state.word(),
        "answer": answer.map(Text::as_str),
    })
}

fn answer_of(text: &Text) -> Done {
    let output = json!({ "status": "success", "spoken_message": "", "answer": text.as_str() });
    Done { verdict: Verdict::Success, output: Text(output.to_string()) }
}

fn under_way(number: u32) -> Done {
    let output = json!({
        "status": "running",
        "task_id": name(number),
        "spoken_message": "That takes a moment. I will tell you as soon as I know.",
        "suggestion": "go on with the conversation; the answer comes by itself",
    });
    Done { verdict: Verdict::Success, output: Text(output.to_string()) }
}

fn unknown() -> Done {
    let words = "I have nothing like that under way.";
    Done::fault(Verdict::User, "no_such_task", words, "check the tasks without a task id")
}
