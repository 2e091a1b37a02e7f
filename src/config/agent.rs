//! The agent behind the voice: whom the model may ask what it cannot answer itself.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Where the agent is, and how long it may take. None is configured while `kind` is `none`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// How it is asked.
    pub kind: AgentKind,
    /// `chat`: the base address of the API, such as `https://api.openai.com/v1`; `http`: the
    /// endpoint.
    pub url: String,
    /// `chat`: the model's name.
    pub model: String,
    /// `chat`: what the agent is told of itself before each request; empty for the usual words.
    pub instructions: String,
    /// `mcp`: the name of the server in `[[mcp]]`.
    pub server: String,
    /// `mcp`: the tool of that server; it takes `request` and `context`, both text.
    pub tool: String,
    /// What it can do, for the model; empty for the usual words.
    pub description: String,
    /// What it may do to the world when it is asked something.
    pub risk: super::Risk,
    /// Seconds the caller waits for an answer before the agent goes on in the background.
    pub deadline_s: u64,
    /// Seconds a task may take in the background.
    pub task_s: u64,
    /// Tasks of one call at once.
    pub tasks: usize,
    /// `chat`: the Bearer token; `http`: signs what is asked (Standard Webhooks). Only from
    /// `TANDEM__AGENT__SECRET` or the file in `TANDEM__AGENT__SECRET_FILE`.
    #[serde(skip)]
    pub secret: Option<SecretString>,
}

/// How the agent is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentKind {
    /// There is none.
    #[default]
    None,
    /// By an OpenAI-compatible chat endpoint.
    Chat,
    /// By a plain HTTP endpoint.
    Http,
    /// By a tool of an MCP server.
    Mcp,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            kind: AgentKind::None,
            url: String::new(),
            model: String::new(),
            instructions: String::new(),
            server: String::new(),
            tool: String::new(),
            description: String::new(),
            risk: super::Risk::Write,
            // With the fillers a caller waits this long without asking.
            deadline_s: 12,
            task_s: 600,
            tasks: 4,
            secret: None,
        }
    }
}

/// What is wrong with it, in words.
pub(super) fn check(agent: &Agent, servers: &[super::Mcp]) -> Result<(), String> {
    let missing = |setting: &str| Err(format!("agent.{setting} is missing"));
    match agent.kind {
        AgentKind::None => return Ok(()),
        AgentKind::Chat | AgentKind::Http => super::tools::reached("agent", &agent.url)?,
        AgentKind::Mcp if agent.tool.is_empty() => return missing("tool"),
        AgentKind::Mcp if !servers.iter().any(|server| server.name == agent.server) => {
            return Err(format!(
                "agent.server is {:?}; it must be the name of an [[mcp]] server",
                agent.server
            ));
        }
        AgentKind::Mcp => {}
    }
    if agent.kind == AgentKind::Chat && agent.model.is_empty() {
        return missing("model");
    }
    if !(1..=60).contains(&agent.deadline_s) || !(1..=3_600).contains(&agent.task_s) {
        return Err("agent.deadline_s must be 1 to 60 and agent.task_s 1 to 3600".to_owned());
    }
    if !(1..=16).contains(&agent.tasks) {
        return Err(format!("agent.tasks is {}; use 1 to 16", agent.tasks));
    }
    Ok(())
}
