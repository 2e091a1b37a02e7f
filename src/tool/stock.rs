//! Fills the shelf with what is configured: the task list, the endpoints, what MCP servers bring,
//! the agent behind the voice.

use std::collections::BTreeMap;
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
use crate::config::{self, AgentKind, Config};
use crate::store::Store;

/// What a server works with.
#[derive(Debug)]
pub struct Stock {
    /// Its tools.
    pub shelf: Shelf,
    /// The agent behind some of them.
    pub agent: Option<Agent>,
    /// Where each tool comes from, in words.
    pub sources: Sources,
}

/// Where tools come from, in words, by their names.
pub type Sources = BTreeMap<String, String>;

/// Notes whence those came that are new on the shelf.
fn note(sources: &mut Sources, shelf: &Shelf, from: &str) {
    for name in shelf.tools.keys() {
        sources.entry(name.clone()).or_insert_with(|| from.to_owned());
    }
}

/// How long an endpoint has to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// One thing that was tried out: its name, and what was seen of it or is wrong with it.
#[derive(Debug)]
pub struct Tried {
    /// As the settings call it.
    pub name: String,
    /// In words; of trouble, what to do as well.
    pub seen: Result<String, String>,
}

/// Looks at each tool, server and agent that is configured without running any of it.
pub async fn try_out(config: &Config) -> Vec<Tried> {
    let (mut shelf, mut all) = (Shelf::new(), Vec::new());
    let mut tried = |name: &str, seen: anyhow::Result<String>| {
        let seen = seen.map_err(|error| format!("{error:#}"));
        all.push(Tried { name: name.to_owned(), seen });
    };
    for settings in &config.tools {
        tried(&settings.name, endpoint(settings, &mut shelf).await);
    }
    for settings in &config.mcp {
        tried(&settings.name, server(settings, &mut shelf).await);
    }
    match config.agent.kind {
        AgentKind::None => {}
        AgentKind::Chat | AgentKind::Http => {
            let seen = reached(&config.agent.url).await.context("agent");
            tried("agent", seen.map(|()| "takes connections".to_owned()));
        }
        AgentKind::Mcp => tried("agent", Ok("is a tool of an MCP server".to_owned())),
    }
    all
}

async fn endpoint(settings: &config::Tool, shelf: &mut Shelf) -> anyhow::Result<String> {
    shelf.put(Arc::new(HttpTool::new(settings)?))?;
    reached(&settings.url).await.with_context(|| format!("tool {:?}", settings.name))?;
    Ok("takes connections".to_owned())
}

async fn server(settings: &config::Mcp, shelf: &mut Shelf) -> anyhow::Result<String> {
    let tools = Server::connect(settings).await?.tools(None).await?;
    let names: Vec<String> = tools.iter().map(|tool| tool.promise().name.clone()).collect();
    for tool in tools {
        shelf.put(tool)?;
    }
    Ok(format!("brings {}", names.join(", ")))
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
    let (mut shelf, mut sources) = (Shelf::new(), Sources::new());
    for tool in tasks::all(store, &clock) {
        shelf.put_strict(tool)?;
    }
    for tool in more {
        shelf.put(tool)?;
    }
    shelf.put(Arc::new(ResultTool::new(store.clone())))?;
    shelf.put(Arc::new(ApprovalTool::new(store.clone())))?;
    note(&mut sources, &shelf, "the house");
    for tool in &config.tools {
        shelf.put(Arc::new(HttpTool::new(tool)?))?;
    }
    note(&mut sources, &shelf, "an endpoint of [[tools]]");
    let mut behind = None;
    for settings in &config.mcp {
        let server = Server::connect(settings).await?;
        let is_agent = config.agent.kind == AgentKind::Mcp && config.agent.server == settings.name;
        // The agent is asked by its own tools, which do not wait for it.
        let without = is_agent.then_some(config.agent.tool.as_str());
        for tool in server.tools(without).await? {
            shelf.put(tool)?;
        }
        note(&mut sources, &shelf, &format!("the MCP server {}", settings.name));
        if is_agent {
            behind = Some(server);
        }
    }
    let agent = Agent::open(&config.agent, store, behind).await?;
    for tool in agent.iter().flat_map(Agent::tools) {
        shelf.put(tool)?;
    }
    note(&mut sources, &shelf, "the agent behind the voice");
    let (have, most) = (shelf.promises().len(), config.limits.tools);
    if have > most {
        bail!(
            "there are {have} tools and limits.tools is {most}: a model that is shown more \
             chooses worse; narrow an MCP server by its `allow`, or raise the limit"
        );
    }
    Ok(Stock { shelf, agent, sources })
}
