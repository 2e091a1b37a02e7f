//! Fills the shelf with what is configured: the task list, the endpoints, what MCP servers bring,
//! the agent behind the voice.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tandem_actors::tool::Tool;
use tokio::net::TcpStream;

use super::agent::Agent;
use super::approve::ApprovalTool;
use super::endpoint::HttpTool;
use super::mcp::Server;
use super::result::ResultTool;
use super::{Shelf, tasks};
use crate::config::{AgentKind, Config};
use crate::store::Store;

/// What a server works with.
#[derive(Debug)]
pub struct Stock {
    /// Its tools.
    pub shelf: Shelf,
    /// The agent behind some of them.
    pub agent: Option<Agent>,
}

/// How long an endpoint has to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Looks at what is configured without running any of it: what there is, in words.
///
/// # Errors
/// What cannot be used or reached, by its name, and what to do.
pub async fn try_out(config: &Config) -> anyhow::Result<String> {
    let mut shelf = Shelf::new();
    for tool in &config.tools {
        shelf.put(Arc::new(HttpTool::new(tool)?))?;
        reached(&tool.url).await.with_context(|| format!("tool {:?}", tool.name))?;
    }
    let mut brought = 0;
    for settings in &config.mcp {
        let tools = Server::connect(settings).await?.tools(None).await?;
        brought += tools.len();
        for tool in tools {
            shelf.put(tool)?;
        }
    }
    let agent = match config.agent.kind {
        AgentKind::None => "no agent",
        AgentKind::Chat | AgentKind::Http => {
            reached(&config.agent.url).await.context("agent")?;
            "the agent takes connections"
        }
        AgentKind::Mcp => "the agent is a tool of an MCP server",
    };
    let own = config.tools.len();
    Ok(format!("{own} of [[tools]] take connections, {brought} of [[mcp]] are told; {agent}"))
}

/// Whether something takes connections there.
async fn reached(url: &str) -> anyhow::Result<()> {
    let url: reqwest::Url = url.parse()?;
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default());
    let address = (host, port.unwrap_or(443));
    match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => bail!("nothing takes connections at {host}: {error}; is it running?"),
        Err(_) => bail!("nothing takes connections at {host} within {CONNECT:?}; is it running?"),
    }
}

/// The tools that are configured, and `more`.
///
/// # Errors
/// When a tool cannot be used or a server cannot be reached, by its name.
pub async fn stock(
    config: &Config,
    store: &Store,
    more: Vec<Arc<dyn Tool>>,
) -> anyhow::Result<Stock> {
    let clock: tasks::Clock = Arc::new(jiff::Zoned::now);
    let mut shelf = Shelf::new();
    for tool in tasks::all(store, &clock) {
        shelf.put_strict(tool)?;
    }
    for tool in more {
        shelf.put(tool)?;
    }
    shelf.put(Arc::new(ResultTool::new(store.clone())))?;
    shelf.put(Arc::new(ApprovalTool::new(store.clone())))?;
    for tool in &config.tools {
        shelf.put(Arc::new(HttpTool::new(tool)?))?;
    }
    let mut behind = None;
    for settings in &config.mcp {
        let server = Server::connect(settings).await?;
        let is_agent = config.agent.kind == AgentKind::Mcp && config.agent.server == settings.name;
        // The agent is asked by its own tools, which do not wait for it.
        let without = is_agent.then_some(config.agent.tool.as_str());
        for tool in server.tools(without).await? {
            shelf.put(tool)?;
        }
        if is_agent {
            behind = Some(server);
        }
    }
    let agent = Agent::open(&config.agent, store, behind).await?;
    for tool in agent.iter().flat_map(Agent::tools) {
        shelf.put(tool)?;
    }
    let (have, most) = (shelf.promises().len(), config.limits.tools);
    if have > most {
        bail!(
            "there are {have} tools and limits.tools is {most}: a model that is shown more \
             chooses worse; narrow an MCP server by its `allow`, or raise the limit"
        );
    }
    Ok(Stock { shelf, agent })
}
