//! Tools that ask several places the same and let the user choose.

use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Deed, tool};
use crate::mcp::api::segment;
use crate::mcp::errand::Errand;
use crate::mcp::trouble::Trouble;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        tool::<Compare, Begun>(
            "compare_options",
            "Ask several places the same",
            Deed::Rings,
            "Rings two to ten places with one question and compares the answers: price, whether \
             it is available, when, whether it can be held. These calls gather information and \
             agree to nothing. Returns at once; then get_search until `state` is not running. \
             Show the user the comparison; choose_option commits to one.",
        ),
        tool::<Which, Search>(
            "get_search",
            "Look at a comparison",
            Deed::Looks,
            "How a comparison stands: every target with its call, and the comparison so far, best \
             first. While `state` is running, look again in half a minute.",
        ),
        tool::<Choose, Chosen>(
            "choose_option",
            "Commit to an option",
            Deed::Commits,
            "Rings the chosen place again and commits to what it offered. Only after the user has \
             seen the comparison and chosen. Takes `token` of the search as it was shown. Then \
             wait_for_call with `call`.",
        ),
    ]
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Compare {
    /// What to find out, the same for all.
    question: String,
    /// Whom to ask: two to ten.
    targets: Vec<Target>,
    /// Facts that they will ask for. No card numbers, PINs, passwords, codes, identity numbers or
    /// health data.
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<String>,
    /// JSON Schema (type object) of what each shall bring back besides the usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    bring: Option<Map<String, Value>>,
    /// How many calls run at once, 1 to 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_once: Option<u32>,
    /// Stop when so many have an offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    enough: Option<u32>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Target {
    /// In E.164 (+14255550123).
    to: String,
    /// What the place is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Begun {
    /// Of the search.
    id: String,
    state: String,
    /// This order had been given before: nobody was rung anew.
    #[serde(default)]
    repeated: bool,
}

/// Asks several places.
pub(super) async fn compare(errand: &Errand<'_>, compare: Compare) -> Result<Begun, Trouble> {
    let (begun, repeated) = errand.order("/v1/searches", super::told(compare)?).await?;
    Ok(Begun { repeated, ..begun })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Of the search.
    id: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Search {
    id: String,
    #[serde(default)]
    question: Option<String>,
    /// running, finished, stopped or chosen.
    state: String,
    /// Every place, with `number` and the state, call, outcome and result of its own.
    #[serde(default)]
    targets: Vec<Map<String, Value>>,
    /// Offers, best first: rank, number (of the target), price, available, timing, hold, evidence.
    #[serde(default)]
    comparison: Vec<Map<String, Value>>,
    /// What choose_option takes, once there is something to choose.
    #[serde(default)]
    token: Option<String>,
}

/// How it stands.
pub(super) async fn get(errand: &Errand<'_>, which: Which) -> Result<Search, Trouble> {
    errand.get(&format!("/v1/searches/{}", segment(&which.id))).await
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choose {
    /// Of the search.
    #[serde(skip_serializing)]
    id: String,
    /// `number` of the target in the comparison: 1, 2, …
    number: u32,
    /// `token` of the search.
    token: String,
    /// What to agree on, where it is more than what was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Chosen {
    /// The call that commits; wait for it with wait_for_call.
    call: String,
    /// This order had been given before: nobody was rung anew.
    #[serde(default)]
    repeated: bool,
}

/// Commits to one.
pub(super) async fn choose(errand: &Errand<'_>, choose: Choose) -> Result<Chosen, Trouble> {
    let path = format!("/v1/searches/{}/choose", segment(&choose.id));
    let (chosen, repeated) = errand.order(&path, super::told(choose)?).await?;
    Ok(Chosen { repeated, ..chosen })
}
