//! The shelf: the tools there are, by name. Knows nothing of what they do, nor who asks.

pub mod own;
pub mod tasks;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use tandem_actors::tool::{Promise, Tool};

/// The tools of a process. Filled at the start, then only read.
#[derive(Clone, Default)]
pub struct Shelf {
    tools: BTreeMap<String, Arc<dyn Tool>>,
}

/// Two tools want the same name: the model could not tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are two tools named {0}")]
pub struct NameTaken(pub String);

impl Shelf {
    /// A shelf with nothing on it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a tool on the shelf under the name it promises.
    pub fn put(&mut self, tool: Arc<dyn Tool>) -> Result<(), NameTaken> {
        let name = tool.promise().name.clone();
        if self.tools.contains_key(&name) {
            return Err(NameTaken(name));
        }
        self.tools.insert(name, tool);
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
