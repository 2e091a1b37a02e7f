//! Tools that servers of the Model Context Protocol bring: programs of one's own, or addresses.
//! The only file of the tools that knows the protocol's library.
//!
//! A server is asked at the start what it has. When its connection ends it is made anew by the
//! next call that wants one of its tools.

use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rmcp::model::{CallToolRequestParams, CallToolResult, ErrorCode};
use rmcp::service::{RoleClient, RunningService, ServiceError, ServiceExt as _};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use tandem_actors::tool::{Done, Job, Promise, Readback, Tool};
use tokio::process::Command;
use tokio::sync::Mutex;

use super::checked::arguments;
use super::question::Question;
use super::reply::{self, NoAnswer};
use crate::config;

#[cfg(test)]
mod tests;

/// A program that has to be fetched or started first gets this long.
const CONNECT: Duration = Duration::from_secs(20);

/// An answer over HTTP; what a model reads of it is far less.
const ANSWER_BYTES: usize = 256 * 1024;

type Link = RunningService<RoleClient, ()>;

/// One server and the connection to it.
pub(super) struct Server {
    settings: config::Mcp,
    client: reqwest::Client,
    link: Mutex<Option<Arc<Link>>>,
}

impl Server {
    /// Connects to a server.
    ///
    /// # Errors
    /// When it cannot be reached or does not speak the protocol.
    pub(super) async fn connect(settings: &config::Mcp) -> anyhow::Result<Arc<Self>> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let server = Self { settings: settings.clone(), client, link: Mutex::default() };
        server.link().await.with_context(|| server.named())?;
        Ok(Arc::new(server))
    }

    /// Its tools, those that the settings let calls have, but for the one that is the agent.
    ///
    /// # Errors
    /// When it does not tell them, or the settings name one that it does not have.
    pub(super) async fn tools(
        self: &Arc<Self>,
        agent: Option<&str>,
    ) -> anyhow::Result<Vec<Arc<dyn Tool>>> {
        let link = self.link().await?;
        let told = tokio::time::timeout(CONNECT, link.list_all_tools()).await;
        let told = told.map_err(anyhow::Error::from).and_then(|told| Ok(told?));
        let told = told.with_context(|| format!("{} does not tell its tools", self.named()))?;
        let names: Vec<&str> = told.iter().map(|tool| &*tool.name).collect();
        let allow = &self.settings.allow;
        let wanted = allow.iter().chain(self.settings.tools.keys()).map(String::as_str);
        if let Some(missing) = wanted.chain(agent).find(|name| !names.contains(name)) {
            let have = names.join(", ");
            return Err(anyhow!("{} has no tool {missing:?}; it has: {have}", self.named()));
        }
        told.iter()
            .filter(|tool| agent != Some(&*tool.name))
            .filter(|tool| allow.is_empty() || allow.iter().any(|name| *name == tool.name))
            .map(|tool| self.tool(tool))
            .collect()
    }

    fn tool(self: &Arc<Self>, told: &rmcp::model::Tool) -> anyhow::Result<Arc<dyn Tool>> {
        let said = self.settings.tools.get(&*told.name).cloned().unwrap_or_default();
        let promise = promise(told, &said);
        let question = Question::new(&promise.name, &said.question, &told.input_schema)
            .map_err(anyhow::Error::msg)?;
        let (server, name) = (Arc::clone(self), told.name.to_string());
        Ok(Arc::new(McpTool { server, name, promise, question }))
    }

    /// Runs one of its tools; what came of it.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        idempotent: bool,
    ) -> Done {
        let link = match self.link().await {
            Ok(link) => link,
            Err(error) => {
                tracing::warn!(server = %self.settings.name, %error, "no MCP server");
                return reply::without(NoAnswer::NotReached, idempotent);
            }
        };
        let mut asked = CallToolRequestParams::new(tool.to_owned());
        asked.arguments = Some(arguments);
        match link.call_tool(asked).await {
            Ok(result) => answer(&result),
            Err(ServiceError::McpError(error)) if error.code == ErrorCode::INVALID_PARAMS => {
                reply::of(422, b"", idempotent)
            }
            Err(ServiceError::McpError(_)) => reply::of(500, b"", idempotent),
            Err(_) => reply::without(NoAnswer::Lost, idempotent),
        }
    }

    /// The connection, made anew when it is gone.
    async fn link(&self) -> anyhow::Result<Arc<Link>> {
        let mut held = self.link.lock().await;
        if let Some(link) = held.as_ref().filter(|link| !link.is_transport_closed()) {
            return Ok(Arc::clone(link));
        }
        let made = tokio::time::timeout(CONNECT, self.open()).await;
        let link = Arc::new(made.map_err(|_| anyhow!("no answer in {CONNECT:?}"))??);
        *held = Some(Arc::clone(&link));
        Ok(link)
    }

    async fn open(&self) -> anyhow::Result<Link> {
        let Some((program, rest)) = self.settings.command.split_first() else {
            let mut config =
                StreamableHttpClientTransportConfig::with_uri(self.settings.url.as_str())
                    .max_json_response_size(ANSWER_BYTES)
                    .max_sse_event_size(ANSWER_BYTES);
            if let Some(token) = &self.settings.token {
                config = config.auth_header(token.expose_secret());
            }
            let client = self.client.clone();
            return Ok(().serve(StreamableHttpClientTransport::with_client(client, config)).await?);
        };
        let mut command = Command::new(program);
        command.args(rest);
        // Our secrets are none of its business.
        for name in config::environment().keys() {
            command.env_remove(name);
        }
        let spawned = TokioChildProcess::builder(command).stderr(Stdio::null()).spawn();
        let (child, _stderr) = spawned.with_context(|| format!("{program:?} cannot be started"))?;
        Ok(().serve(child).await?)
    }

    fn named(&self) -> String {
        format!("MCP server {:?}", self.settings.name)
    }
}

/// What a tool is promised to be: what the settings say, then what the server hints, then what is
/// safe.
fn promise(told: &rmcp::model::Tool, said: &config::McpTool) -> Promise {
    let hints = told.annotations.clone().unwrap_or_default();
    let reads = hints.read_only_hint == Some(true);
    let hinted = match hints.destructive_hint {
        _ if reads => config::Risk::Read,
        Some(false) => config::Risk::Write,
        Some(true) | None => config::Risk::Destructive,
    };
    let idempotent = hints.idempotent_hint.unwrap_or(reads);
    Promise {
        name: ours(&told.name),
        description: told.description.clone().unwrap_or_default().into_owned(),
        parameters: Value::Object((*told.input_schema).clone()).to_string(),
        risk: said.risk.unwrap_or(hinted).into(),
        idempotent: said.idempotent.unwrap_or(idempotent),
        deadline: Duration::from_secs(said.deadline_s.unwrap_or(config::deadline_s())),
        attempts: said.attempts.unwrap_or(config::attempts()),
        filler: (!said.filler.is_empty()).then(|| said.filler.as_str().into()),
        wants_scene: false,
    }
}

/// The name as models take it: 64 of letters, figures, `_` and `-`.
fn ours(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    name.chars().take(64).map(|c| if fits(c) { c } else { '_' }).collect()
}

fn answer(result: &CallToolResult) -> Done {
    let words = || {
        let texts = result.content.iter().filter_map(|block| block.as_text());
        texts.map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n")
    };
    let body = match &result.structured_content {
        Some(data) => data.to_string(),
        None => words(),
    };
    match result.is_error {
        Some(true) => reply::of(422, body.as_bytes(), false),
        Some(false) | None => reply::success(&body),
    }
}

struct McpTool {
    server: Arc<Server>,
    /// As the server calls it.
    name: String,
    promise: Promise,
    question: Question,
}

impl Tool for McpTool {
    fn promise(&self) -> &Promise {
        &self.promise
    }

    fn read_back(&self, job: Job) -> BoxFuture<'static, Option<Result<Readback, Done>>> {
        let told = self.question.if_asked(self.promise.risk, &job);
        async { told }.boxed()
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Done> {
        let (server, name) = (Arc::clone(&self.server), self.name.clone());
        let idempotent = self.promise.idempotent;
        async move {
            match arguments(&job.arguments) {
                Ok(arguments) => server.call(&name, arguments, idempotent).await,
                Err(done) => done,
            }
        }
        .boxed()
    }
}

impl fmt::Debug for McpTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.promise.name)
    }
}
