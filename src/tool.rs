//! The shelf: the tools there are, by name. Knows nothing of what they do, nor who asks.

mod agent;
pub mod approve;
mod checked;
mod endpoint;
mod mcp;
pub mod own;
mod question;
mod reply;
mod resting;
pub mod result;
mod stock;
pub mod tasks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use tandem_actors::briefing::Text;
use tandem_actors::tool::{Promise, Tool};

use checked::Checked;
use resting::Resting;

pub use agent::Agent;
pub use stock::{Sources, Stock, Tried, stock, try_out};

/// The tools of a process. Filled at the start, then only read.
#[derive(Clone, Default)]
pub struct Shelf {
    tools: BTreeMap<String, Arc<dyn Tool>>,
}

/// Why a tool was not put on the shelf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShelved {
    /// Two tools want the same name: the model could not tell them apart.
    #[error("there are two tools named {0}; rename one, or leave one out")]
    NameTaken(String),
    /// Its arguments could not be checked.
    #[error("the parameters of the tool {name} are no JSON Schema that can be used: {wrong}")]
    Schema {
        /// The tool.
        name: String,
        /// What is wrong with it.
        wrong: String,
    },
}

impl Shelf {
    /// A shelf with nothing on it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a tool on the shelf under the name it promises; its arguments will be checked, and
    /// one that keeps failing left alone for a while.
    ///
    /// # Errors
    /// [`NotShelved`].
    pub fn put(&mut self, tool: Arc<dyn Tool>) -> Result<(), NotShelved> {
        let name = tool.promise().name.clone();
        let checked = Checked::new(tool).map_err(|wrong| NotShelved::Schema { name, wrong })?;
        self.put_strict(Arc::new(checked))
    }

    /// Puts a tool on the shelf that reads its arguments into types of its own, and says itself
    /// what is wrong with them, in better words than a schema has.
    ///
    /// # Errors
    /// [`NotShelved::NameTaken`].
    pub fn put_strict(&mut self, tool: Arc<dyn Tool>) -> Result<(), NotShelved> {
        let name = tool.promise().name.clone();
        if self.tools.contains_key(&name) || own::read(&name, &Text::default()).is_some() {
            return Err(NotShelved::NameTaken(name));
        }
        self.tools.insert(name, Arc::new(Resting::new(tool)));
        Ok(())
    }

    /// The tool of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<dyn Tool>> {
        self.tools.get(name).cloned()
    }

    /// The tools by name, as a call finds them.
    #[must_use]
    pub fn into_tools(self) -> HashMap<String, Arc<dyn Tool>> {
        self.tools.into_iter().collect()
    }

    /// What all of them promise, by name: a session of the model is configured the same each time.
    #[must_use]
    pub fn promises(&self) -> Vec<Promise> {
        self.tools.values().map(|tool| tool.promise().clone()).collect()
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}
