//! Tools to have an operation approved by phone.

use std::time::Duration;

use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Deed, tool};
use crate::mcp::api::segment;
use crate::mcp::errand::Errand;
use crate::mcp::trouble::Trouble;

/// Waited for unless told otherwise, and at most: as for a call.
const WAIT_S: u64 = 50;
const WAIT_S_MAX: u64 = 240;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        tool::<Request, Requested>(
            "request_approval",
            "Ask for approval by phone",
            Deed::Rings,
            "Rings the user's own phone, reads an operation back word for word and takes a clear \
             yes or no, for things that you must not do on your own authority. Returns at once: \
             then use get_approval until `state` is not pending. Go ahead only when it is \
             `accepted`; everything else, no answer and voicemail too, means no.",
        ),
        tool::<Get, Shown>(
            "get_approval",
            "Look at an approval",
            Deed::Looks,
            "How an approval stands: pending, accepted or declined with its reason. Waits at most \
             `wait_s` seconds for it to be settled.",
        ),
    ]
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// What would be done, in a short sentence that can be read out: Pay invoice 4711 to Ann.
    operation: String,
    /// What it would be done with, at most eight texts, numbers or booleans; all are read out.
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<Map<String, Value>>,
    /// yes: a clear yes accepts it; pin: only the server's PIN on the keypad does.
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Requested {
    id: String,
    state: String,
    /// This had been asked before: nobody was rung anew.
    #[serde(default)]
    repeated: bool,
}

pub(super) async fn request(errand: &Errand<'_>, asked: Request) -> Result<Requested, Trouble> {
    let body = super::told(asked)?;
    let (requested, repeated): (Requested, bool) = errand.order("/v1/approvals", body).await?;
    Ok(Requested { repeated, ..requested })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Get {
    /// Of the approval.
    id: String,
    /// The longest wait in seconds: 50 unless given, at most 240, 0 for none.
    wait_s: Option<u64>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Shown {
    id: String,
    /// pending, accepted, declined.
    state: String,
    /// Why it is declined: declined, unclear, not_asked, voicemail, no_answer, timeout …
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    operation: String,
}

pub(super) async fn get(errand: &Errand<'_>, asked: Get) -> Result<Shown, Trouble> {
    let path = format!("/v1/approvals/{}", segment(&asked.id));
    let before: Shown = errand.get(&path).await?;
    let longest = Duration::from_secs(asked.wait_s.unwrap_or(WAIT_S).min(WAIT_S_MAX));
    if before.state != "pending" || longest.is_zero() {
        return Ok(before);
    }
    // An approval is settled with its call at the latest.
    errand.until_over(&asked.id, longest).await;
    errand.get(&path).await
}
