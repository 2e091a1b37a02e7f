//! A server of MCP as a program of its own, and what its hints are taken for.

use std::io::Write as _;

use rmcp::model::{ContentBlock, Tool as Told, ToolAnnotations};
use serde_json::json;
use tandem_actors::tool::{Risk, Verdict};

use super::*;
use crate::tool::tests::job;

/// A server in a shell: knows the initialisation, two tools, and dies when it is asked to.
const SERVER: &str = r#"
said() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
hello='{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}'
hello="$hello,\"serverInfo\":{\"name\":\"shell\",\"version\":\"1\"}}"
takes='"inputSchema":{"type":"object"}'
reads='"annotations":{"readOnlyHint":true}'
one="{\"name\":\"look.up\",\"description\":\"Looks up.\",$takes,$reads}"
two="{\"name\":\"erase\",\"description\":\"Erases.\",$takes}"
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"method":"initialize"'*) said "$hello" ;;
    *'"method":"tools/list"'*) said "{\"tools\":[$one,$two]}" ;;
    *'"die":true'*) exit 1 ;;
    *'"method":"tools/call"'*) said "{\"content\":[{\"type\":\"text\",\"text\":\"pid $$\"}]}" ;;
  esac
done
"#;

fn settings(dir: &tempfile::TempDir, more: &str) -> config::Mcp {
    let path = dir.path().join("server.sh");
    std::fs::File::create(&path).unwrap().write_all(SERVER.as_bytes()).unwrap();
    let text = format!("[[mcp]]\nname = \"shell\"\ncommand = [\"sh\", {path:?}]\n{more}");
    config::of(&text, &std::collections::BTreeMap::new()).unwrap().mcp.remove(0)
}

async fn asked(tools: &[Arc<dyn Tool>], arguments: &str) -> Done {
    tools[0].run(job("look_up", arguments)).await
}

#[tokio::test]
async fn a_program_brings_its_tools_and_is_started_again_when_it_has_died() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::connect(&settings(&dir, "")).await.unwrap();
    let tools = server.tools(None).await.unwrap();
    let promises = tools.iter().map(|tool| (tool.promise().name.as_str(), tool.promise().risk));
    let promises: Vec<_> = promises.collect();
    assert_eq!(promises, [("look_up", Risk::Read), ("erase", Risk::Destructive)]);
    let first = asked(&tools, "{}").await;
    assert_eq!(first.verdict, Verdict::Success);
    let died = asked(&tools, r#"{"die":true}"#).await;
    assert_eq!(died.verdict, Verdict::Temporary, "a read may be tried again");
    let again = asked(&tools, "{}").await;
    assert_eq!(again.verdict, Verdict::Success);
    assert_ne!(first.output, again.output, "another process");
}

#[tokio::test]
async fn settings_name_tools_that_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let told = async |more| Server::connect(&settings(&dir, more)).await.unwrap().tools(None).await;
    let only = told("allow = [\"erase\"]\n").await.unwrap();
    assert_eq!(only.len(), 1);
    let error = told("allow = [\"erasse\"]\n").await.err().unwrap().to_string();
    assert!(error.contains("erasse") && error.contains("look.up, erase"), "{error}");
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_told_by_its_name() {
    let text = "[[mcp]]\nname = \"crm\"\ncommand = [\"/nowhere/crm-mcp\"]\n";
    let settings = config::of(text, &std::collections::BTreeMap::new()).unwrap().mcp.remove(0);
    let error = format!("{:#}", Server::connect(&settings).await.err().unwrap());
    assert!(error.contains("\"crm\"") && error.contains("/nowhere/crm-mcp"), "{error}");
}

fn told(hints: Option<ToolAnnotations>) -> Told {
    let mut told = Told::new("crm.look-up", "Looks up.", Arc::new(Map::new()));
    told.annotations = hints;
    told
}

#[test]
fn a_tool_is_asked_about_unless_somebody_says_that_it_is_harmless() {
    let risk = |hints, said: &config::McpTool| promise(&told(hints), said).risk;
    let nothing = config::McpTool::default();
    assert_eq!(risk(None, &nothing), Risk::Destructive);
    let reads = ToolAnnotations::new().read_only(true);
    assert_eq!(risk(Some(reads.clone()), &nothing), Risk::Read);
    let adds = ToolAnnotations::new().destructive(false);
    assert_eq!(risk(Some(adds), &nothing), Risk::Write);
    let said = config::McpTool { risk: Some(config::Risk::Sensitive), ..nothing.clone() };
    assert_eq!(risk(Some(reads), &said), Risk::Sensitive, "the house knows better");
    assert_eq!(promise(&told(None), &nothing).name, "crm_look-up");
}

#[test]
fn an_error_of_a_tool_is_the_callers_to_mend_and_its_text_stays_here() {
    let failed = CallToolResult::error(vec![ContentBlock::text("KeyError: 'x'")]);
    let done = answer(&failed);
    assert_eq!(done.verdict, Verdict::User);
    assert!(!done.output.as_str().contains("KeyError"));
    let went = answer(&CallToolResult::structured(json!({ "found": 2 })));
    assert!(went.output.as_str().contains(r#""data":{"found":2}"#), "{}", went.output.as_str());
}
