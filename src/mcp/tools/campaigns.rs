//! Tools for several calls about one purpose: what is kept, and a call to one of those it is
//! about.

use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Deed, tool};
use crate::mcp::api::segment;
use crate::mcp::errand::Errand;
use crate::mcp::trouble::Trouble;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        tool::<Campaign, Kept>(
            "campaign",
            "Keep what several calls are about",
            Deed::Keeps,
            "For calls to several people, or again and again to the same, about one purpose. \
             Without `id`: makes one of `purpose` and `targets`, or lists those there are. With \
             `id`: shows it, after changing what else is given. Of each target it has the last \
             result, what stands in the way, what the user has to decide and what is next, each \
             with its call. Write down what the user decides.",
        ),
        tool::<Ring, Rung>(
            "call_campaign_target",
            "Call somebody of a campaign",
            Deed::Rings,
            "Rings a target of a campaign and returns at once; then wait_for_call. The call knows \
             the purpose, constraints, facts and decisions, and what was said with them before: \
             `task` says only what this call is to do.",
        ),
    ]
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Campaign {
    /// Of the campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What all of its calls are for, to make one.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    /// What holds in all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<String>,
    /// What is known, and may be told on the phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_facts: Option<String>,
    /// What was decided, to add it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<Decision>,
    /// To make one: `to` and `name` of each. To change one: `number` and `next_action`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Target>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// In words.
    decision: String,
    /// The number of the target that it is about; all of it when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<u32>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Target {
    /// In E.164 (+14255550123).
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// Who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Of a target that there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    /// What is to be done next with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<String>,
}

/// A campaign, or a list of them, as the API shows it.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Kept {
    #[serde(flatten)]
    shown: Map<String, Value>,
}

/// Makes, lists, shows or changes.
pub(super) async fn keep(errand: &Errand<'_>, mut campaign: Campaign) -> Result<Kept, Trouble> {
    let id = campaign.id.take();
    let body = super::told(&campaign)?;
    let is_empty = body.as_object().is_some_and(Map::is_empty);
    match id {
        None if is_empty => errand.get("/v1/campaigns").await,
        None => {
            let (made, _repeated): (Value, bool) = errand.order("/v1/campaigns", body).await?;
            let id = made["id"].as_str().unwrap_or_default();
            errand.get(&format!("/v1/campaigns/{}", segment(id))).await
        }
        Some(id) if is_empty => errand.get(&format!("/v1/campaigns/{}", segment(&id))).await,
        Some(id) => errand.patch(&format!("/v1/campaigns/{}", segment(&id)), body).await,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ring {
    /// Of the campaign.
    id: String,
    /// The number of the target.
    target: u32,
    /// What this call is to do.
    task: String,
    /// Whether it only asks: it can agree to nothing.
    #[serde(default)]
    only_asks: bool,
    /// Ring once more after these: no_answer, busy, rejected.
    #[serde(default)]
    retry: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Rung {
    /// The call's id.
    id: String,
}

/// Rings one of them.
pub(super) async fn ring(errand: &Errand<'_>, ring: Ring) -> Result<Rung, Trouble> {
    let Ring { id, target, task, only_asks, retry } = ring;
    let body = json!({ "target": target, "task": task, "only_asks": only_asks, "retry": retry });
    let path = format!("/v1/campaigns/{}/calls", segment(&id));
    let (placed, _repeated): (Value, bool) = errand.order(&path, body).await?;
    Ok(Rung { id: placed["id"].as_str().unwrap_or_default().to_owned() })
}
