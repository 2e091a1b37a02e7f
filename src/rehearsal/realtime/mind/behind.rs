//! What every mind does with tools that its house has added: asks the agent behind it, and uses a
//! tool by its name when the caller says so.

use serde_json::{Map, Value, json};

use super::{Act, View, phrase, say};

pub(super) const ASK: &str = "invoke_agent";
pub(super) const ASK_LATER: &str = "invoke_agent_async";

const FIND_OUT: &[&str] = &["please find out ", "find out "];
const ASK_THE_AGENT: &[&str] = &["please ask the agent ", "ask the agent "];
const USE: &[&str] = &["please use the tool ", "use the tool "];

/// What the caller's words want of a tool, if they want any of these.
pub(super) fn heard(view: &View<'_>, text: &str) -> Option<Vec<Act>> {
    let asks = |lead, tool: &str| {
        let request = phrase::after(text, lead).filter(|_| view.offers(tool))?;
        Some(vec![call(tool, json!({ "request": request }))])
    };
    asks(FIND_OUT, ASK_LATER).or_else(|| asks(ASK_THE_AGENT, ASK)).or_else(|| used(view, text))
}

/// "use the tool cancel booking with number A7": a tool by its name, with one argument.
fn used(view: &View<'_>, text: &str) -> Option<Vec<Act>> {
    let said = phrase::after(text, USE)?;
    let (name, with) = said.split_once(" with ").unwrap_or((said, ""));
    let name = phrase::plain(name).replace(' ', "_");
    let tool = view.tools.iter().find(|tool| **tool == name)?;
    let arguments = match with.split_once(' ') {
        Some((key, value)) => Map::from_iter([(key.to_owned(), value.into())]),
        None => Map::new(),
    };
    Some(vec![call(tool, Value::Object(arguments))])
}

/// What is said of the agent's answer.
pub(super) fn answered(output: &str) -> Vec<Act> {
    let output: Value = serde_json::from_str(output).unwrap_or_default();
    let said = ["answer", "spoken_message"].into_iter().find_map(|name| output[name].as_str());
    say(said.unwrap_or("I did not get an answer."))
}

fn call(tool: &str, arguments: Value) -> Act {
    Act::Call { name: tool.to_owned(), arguments: arguments.to_string() }
}
