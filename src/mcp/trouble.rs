//! What kept a tool from doing its work, told so that an agent can read it and knows what to do: a
//! result of the tool, never an error of the protocol, which hosts show to nobody.

use std::fmt;

use axum::http::StatusCode;
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;

use super::api::{Answer, Unreached};

/// What went wrong.
#[derive(Serialize)]
pub(super) struct Trouble {
    /// For programs.
    code: String,
    /// What happened.
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Whether the same may work later.
    retryable: bool,
    what_to_do: &'static str,
}

impl Trouble {
    /// A problem that the API has answered.
    pub(super) fn of(answer: &Answer) -> Self {
        let text = |key: &str| answer.body[key].as_str().map(str::to_owned);
        let code = text("code").unwrap_or_else(|| format!("http_{}", answer.status.as_u16()));
        let retryable = answer.body["retryable"] == true;
        Self {
            what_to_do: what_to_do(&code, answer.status, retryable),
            detail: text("detail").unwrap_or_else(|| answer.status.to_string()),
            field: text("field"),
            code,
            retryable,
        }
    }

    /// Arguments that are not what the tool takes.
    pub(super) fn arguments(error: &serde_json::Error) -> Self {
        Self {
            code: "invalid_arguments".to_owned(),
            detail: error.to_string(),
            field: None,
            retryable: false,
            what_to_do: "Correct the arguments by the tool's input schema and call it again.",
        }
    }

    /// No tool has this name.
    pub(super) fn no_tool(names: &str) -> Self {
        Self {
            code: "no_such_tool".to_owned(),
            detail: format!("there is no tool of this name; there are: {names}"),
            field: None,
            retryable: false,
            what_to_do: "Use one of those.",
        }
    }

    /// The API answered something else than it should.
    pub(super) fn unread(error: &serde_json::Error) -> Self {
        Self {
            code: "unexpected_answer".to_owned(),
            detail: format!("the server's answer cannot be read: {error}"),
            field: None,
            retryable: false,
            what_to_do: "Server and `tandem mcp` may be of different versions: tell the user. What \
                         was ordered may have been done; look with list_calls.",
        }
    }

    /// As the result of the tool.
    pub(super) fn told(self) -> CallToolResult {
        let text = serde_json::to_string(&self).unwrap_or_default();
        // Not as structured content: that would have to fit the schema of what went well.
        CallToolResult::error(vec![ContentBlock::text(text)])
    }
}

impl From<Unreached> for Trouble {
    fn from(Unreached(detail): Unreached) -> Self {
        Self {
            code: "server_not_reached".to_owned(),
            detail,
            field: None,
            retryable: true,
            what_to_do: "Ask the user to start the server, or to correct TANDEM_SERVER.",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

fn what_to_do(code: &str, status: StatusCode, retryable: bool) -> &'static str {
    match code {
        "unknown_key" => {
            "Ask the user for a key of this server. Over HTTP it is sent as the header \
             `authorization: Bearer KEY`, to `tandem mcp` it is given as TANDEM_KEY."
        }
        "key_reads_only" => {
            "Looking works with this key; ask the user for one that may place calls."
        }
        "ordered_just_now" => {
            "Look at that call with get_call. Only when the same call is really meant once more: \
             `\"again\": true`."
        }
        "idempotency_key_reused" => "Call the tool again: a new request is a new order.",
        "no_such_route" => {
            "This server does not offer it. Tell the user; several places can be rung one after \
             the other with make_voice_call."
        }
        "call_not_found" => "Take the id from make_voice_call or list_calls.",
        _ if retryable => "Try again in a minute.",
        _ if status.is_client_error() => "Correct what the detail names and call the tool again.",
        _ => "Tell the user what happened; what was ordered may have been done, so look first.",
    }
}
