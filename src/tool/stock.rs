//! Fills the shelf with what is configured: the task list, the endpoints, what MCP servers bring,
//! the agent behind the voice.

use std::sync::Arc;

use super::agent::Agent;
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

/// The tools that are configured.
///
/// # Errors
/// When a tool cannot be used or a server cannot be reached, by its name.
pub async fn stock(config: &Config, store: &Store) -> anyhow::Result<Stock> {
    let clock: tasks::Clock = Arc::new(jiff::Zoned::now);
    let mut shelf = Shelf::new();
    for tool in tasks::all(store, &clock) {
        shelf.put(tool)?;
    }
    shelf.put(Arc::new(ResultTool::new(store.clone())))?;
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
        anyhow::bail!(
            "there are {have} tools and limits.tools is {most}: a model that is shown more \
             chooses worse; narrow an MCP server by its `allow`, or raise the limit"
        );
    }
    Ok(Stock { shelf, agent })
}
