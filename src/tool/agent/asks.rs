//! How the agent is asked: a chat endpoint, an HTTP endpoint or a tool of an MCP server. Each gets
//! the request and what it may know of the call, and answers in words.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tandem_actors::briefing::Text;
use tandem_actors::tool::{Done, Job, Verdict};

use super::chat::Chat;
use crate::config::{self, AgentKind};
use crate::tool::endpoint::{Endpoint, key};
use crate::tool::mcp::Server;
use crate::tool::reply;

/// Of an answer, what a model can tell on a phone, with room for a list.
const ANSWER_CHARS: usize = 4_000;

/// Whom to ask.
pub(super) enum Backend {
    Chat(Chat),
    Http(Endpoint),
    Mcp { server: Arc<Server>, tool: String },
}

impl Backend {
    /// The one that is configured; none when there is none.
    pub(super) fn new(
        settings: &config::Agent,
        server: Option<Arc<Server>>,
    ) -> anyhow::Result<Option<Self>> {
        let most = Duration::from_secs(settings.task_s);
        let secret = settings.secret.as_ref();
        Ok(match settings.kind {
            AgentKind::None => None,
            AgentKind::Chat => Some(Self::Chat(Chat::new(settings, most)?)),
            AgentKind::Http => Some(Self::Http(Endpoint::new(&settings.url, secret, most)?)),
            AgentKind::Mcp => {
                server.map(|server| Self::Mcp { server, tool: settings.tool.clone() })
            }
        })
    }

    /// Asks, and waits for the answer as long as it takes.
    pub(super) async fn ask(&self, job: &Job, request: &Text) -> Result<Text, Done> {
        let context = context(job);
        let answer = match self {
            Self::Chat(chat) => chat.ask(&key(job), request.as_str(), &context).await?,
            Self::Http(endpoint) => {
                let body = json!({
                    "call": job.call.to_string(),
                    "request": request.as_str(),
                    "context": context,
                });
                let told = endpoint.ask(&key(job), &body).await;
                let (status, body) = told.map_err(|why| reply::without(why, false))?;
                words(&reply::of(status, &body, false))?
            }
            Self::Mcp { server, tool } => {
                let arguments = Map::from_iter([
                    ("request".to_owned(), request.as_str().into()),
                    ("context".to_owned(), context.to_string().into()),
                ]);
                words(&server.call(tool, arguments, false).await)?
            }
        };
        Ok(Text(answer.trim().chars().take(ANSWER_CHARS).collect()))
    }
}

/// The words of an answer: what it says of itself, or all of it.
fn words(done: &Done) -> Result<String, Done> {
    if done.verdict != Verdict::Success {
        return Err(done.clone());
    }
    let output: Value = serde_json::from_str(done.output.as_str()).unwrap_or_default();
    let data = &output["data"];
    let said = ["answer", "spoken_message", "text"].into_iter().find_map(|name| data.get(name));
    let said = said.unwrap_or(data);
    Ok(said.as_str().map_or_else(|| said.to_string(), str::to_owned))
}

/// What the agent may know of the call: bounded by the scene.
fn context(job: &Job) -> Value {
    let Some(scene) = &job.scene else { return json!({}) };
    let turns: Vec<Value> = scene
        .turns
        .iter()
        .map(|turn| json!({ "role": turn.speaker.word(), "text": turn.text.as_str() }))
        .collect();
    json!({
        "direction": scene.direction.word(),
        "number": scene.remote.as_str(),
        "task": scene.task.as_str(),
        "transcript": turns,
    })
}
