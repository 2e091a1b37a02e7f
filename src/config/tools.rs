//! The tools a house adds to its own: `[[tools]]`, each behind an HTTP endpoint, and `[[mcp]]`,
//! servers that bring theirs. Secrets come from the environment, by the tool's or server's name.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tandem_actors::tool::Risk as Risky;

/// A tool behind an HTTP endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// What the model calls it by: 1 to 64 of `a-z`, `0-9` and `_`.
    pub name: String,
    /// When and how to use it, for the model.
    pub description: String,
    /// Where it is: `https://…`, or `http://…` inside one's own network.
    pub url: String,
    /// JSON Schema of the arguments, an object.
    #[serde(default = "no_arguments")]
    pub parameters: Map<String, Value>,
    /// What it may do to the world.
    pub risk: Risk,
    /// Whether asking twice is as asking once. A write is that when its server honours the
    /// `Idempotency-Key`.
    #[serde(default)]
    pub idempotent: bool,
    /// Seconds the caller waits for it. A result that comes later is told when it comes.
    #[serde(default = "deadline_s")]
    pub deadline_s: u64,
    /// How often it is tried when it fails for now, the first time included.
    #[serde(default = "attempts")]
    pub attempts: u32,
    /// What the caller hears while it takes long; empty for the usual words.
    #[serde(default)]
    pub filler: String,
    /// The question before it is done, with arguments in braces: `Shall I cancel {booking}?`.
    /// Empty for one that reads all of them out.
    #[serde(default)]
    pub question: String,
    /// Signs what is asked (Standard Webhooks, `whsec_…`). Only from
    /// `TANDEM__TOOLS__<NAME>__SECRET` or the file in `TANDEM__TOOLS__<NAME>__SECRET_FILE`.
    #[serde(skip)]
    pub secret: Option<SecretString>,
}

/// A server of the Model Context Protocol: a program of its own, or an address.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// Its name in settings and messages: 1 to 64 of `a-z`, `0-9` and `_`.
    pub name: String,
    /// The program that speaks it on its standard input and output, and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// Where it speaks it over HTTP ("Streamable HTTP"): `https://…`.
    #[serde(default)]
    pub url: String,
    /// Which of its tools calls get; all of them when empty.
    #[serde(default)]
    pub allow: Vec<String>,
    /// What its tools are promised to be, in place of what it says of them itself.
    #[serde(default)]
    pub tools: BTreeMap<String, McpTool>,
    /// Shown with every request over HTTP, as a Bearer token. Only from
    /// `TANDEM__MCP__<NAME>__TOKEN` or the file in `TANDEM__MCP__<NAME>__TOKEN_FILE`.
    #[serde(skip)]
    pub token: Option<SecretString>,
}

/// What is said of one tool of an MCP server; see [`Tool`].
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpTool {
    /// What it may do to the world.
    pub risk: Option<Risk>,
    /// Whether asking twice is as asking once.
    pub idempotent: Option<bool>,
    /// Seconds the caller waits for it.
    pub deadline_s: Option<u64>,
    /// How often it is tried.
    pub attempts: Option<u32>,
    /// What the caller hears meanwhile.
    pub filler: String,
    /// The question before it is done.
    pub question: String,
}

/// What a tool may do to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing.
    Read,
    /// Something that can be undone.
    Write,
    /// Something that cannot: the human is asked first.
    Destructive,
    /// Something only one person may order: asked first, and approved by a PIN on the keypad.
    Sensitive,
}

impl From<Risk> for Risky {
    fn from(risk: Risk) -> Self {
        match risk {
            Risk::Read => Self::Read,
            Risk::Write => Self::Write,
            Risk::Destructive => Self::Destructive,
            Risk::Sensitive => Self::Sensitive,
        }
    }
}

fn no_arguments() -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), "object".into())])
}

/// A person waits a little longer than this once; a backend that takes longer tells it later.
pub(crate) const fn deadline_s() -> u64 {
    10
}

pub(crate) const fn attempts() -> u32 {
    3
}

/// The longest that a caller may be made to wait.
const DEADLINES_S: std::ops::RangeInclusive<u64> = 1..=60;

/// What is wrong with them, in words.
pub(super) fn check(tools: &[Tool], servers: &[Mcp]) -> Result<(), String> {
    for tool in tools {
        let of = format!("tool {:?}", tool.name);
        named(&of, &tool.name)?;
        if tool.description.trim().is_empty() {
            return Err(format!("{of}: description is empty: the model would not know its use"));
        }
        reached(&of, &tool.url)?;
        in_time(&of, tool.deadline_s)?;
        if tool.parameters.get("type").and_then(Value::as_str) != Some("object") {
            return Err(format!("{of}: parameters must be a JSON Schema of type \"object\""));
        }
    }
    for server in servers {
        let of = format!("MCP server {:?}", server.name);
        named(&of, &server.name)?;
        match (server.command.is_empty(), server.url.is_empty()) {
            (false, true) => {}
            (true, false) => reached(&of, &server.url)?,
            (true, true) => return Err(format!("{of}: set its command or its url")),
            (false, false) => return Err(format!("{of}: set its command or its url, not both")),
        }
        for (name, told) in &server.tools {
            in_time(&format!("{of}, tool {name:?}"), told.deadline_s.unwrap_or(deadline_s()))?;
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    let names = servers.iter().map(|server| &server.name);
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(format!("there are two MCP servers named {name:?}")),
        None => Ok(()),
    }
}

fn named(of: &str, name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(format!("{of}: its name must have 1 to 64 of a-z, 0-9 and _"))
}

pub(super) fn reached(of: &str, url: &str) -> Result<(), String> {
    match reqwest::Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(_) | Err(_) => Err(format!("{of}: url is {url:?}; write it like https://a.example/x")),
    }
}

fn in_time(of: &str, seconds: u64) -> Result<(), String> {
    let (least, most) = DEADLINES_S.into_inner();
    if (least..=most).contains(&seconds) {
        return Ok(());
    }
    Err(format!("{of}: deadline_s is {seconds}; use {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::load::of;

    fn said(text: &str, environment: &[(&str, &str)]) -> Result<super::super::Config, String> {
        let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        of(text, &pairs.collect::<BTreeMap<_, _>>()).map_err(|error| error.to_string())
    }

    const TOOL: &str = "[[tools]]\nname = \"book_table\"\ndescription = \"Books.\"\n\
                        url = \"https://a.example/book\"\nrisk = \"write\"\n";

    #[test]
    fn a_tool_is_told_with_its_schema_and_its_secret_comes_from_the_environment() {
        let text = format!(
            "{TOOL}[tools.parameters]\ntype = \"object\"\nadditionalProperties = false\n\
             [tools.parameters.properties.partySize]\ntype = \"integer\"\n"
        );
        let secret = ("TANDEM__TOOLS__BOOK_TABLE__SECRET", "whsec_c2VjcmV0");
        let config = said(&text, &[secret]).unwrap();
        let tool = &config.tools[0];
        assert_eq!(tool.parameters["additionalProperties"], false, "names keep their case");
        assert_eq!(tool.parameters["properties"]["partySize"]["type"], "integer");
        assert!(tool.secret.is_some() && !format!("{config:?}").contains("c2VjcmV0"));
        assert_eq!((tool.deadline_s, tool.attempts, tool.idempotent), (10, 3, false));
        let stray = ("TANDEM__TOOLS__BOK_TABLE__SECRET", "x");
        let error = said(&text, &[stray]).unwrap_err();
        assert!(error.contains(stray.0) && error.contains("TOOLS__BOOK_TABLE__"), "{error}");
    }

    #[test]
    fn a_server_is_a_program_or_an_address() {
        let server = |more: &str| said(&format!("[[mcp]]\nname = \"crm\"\n{more}"), &[]);
        assert!(server("command = [\"crm-mcp\", \"--stdio\"]\n").is_ok());
        let token = ("TANDEM__MCP__CRM__TOKEN", "t-1");
        let at = "[[mcp]]\nname = \"crm\"\nurl = \"https://a.example/mcp\"\n\
                  [mcp.tools.look_up]\nrisk = \"read\"\n";
        let config = said(at, &[token]).unwrap();
        assert!(config.mcp[0].token.is_some());
        assert!(server("").unwrap_err().contains("command or its url"));
        assert!(server("command = [\"x\"]\nurl = \"https://a.example\"\n").is_err());
    }

    #[test]
    fn what_is_wrong_is_told_by_the_tools_name() {
        for (wrong, told) in [
            (TOOL.replace("book_table", "Book Table"), "1 to 64"),
            (TOOL.replace("https://a.example/book", "ftp://a.example"), "ftp://a.example"),
            (TOOL.replace("Books.", " "), "description"),
            (TOOL.replace("\"write\"", "\"harmless\""), "harmless"),
            (format!("{TOOL}deadline_s = 90\n"), "1 to 60"),
            (format!("{TOOL}secret = \"x\"\n"), "secret"),
            (format!("{TOOL}parameters = {{ type = \"string\" }}\n"), "JSON Schema"),
        ] {
            let error = said(&wrong, &[]).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
