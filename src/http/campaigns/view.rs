//! A campaign as the API shows it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tandem_actors::briefing::{Outcome, Text};

use super::super::openapi::words::{LifecycleWord, OutcomeWord};
use crate::campaign::{Standing, standing};
use crate::store::{CampaignRow, CampaignTarget};

/// One that is kept.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MadeCampaign")]
pub(in crate::http) struct Made {
    pub(super) id: String,
}

/// Campaigns, newest first.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct CampaignPage {
    pub(super) campaigns: Vec<Short>,
    /// The `cursor` of the next page; `null` on the last.
    pub(super) next: Option<String>,
}

/// A campaign without its targets.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ShortCampaign")]
pub(in crate::http) struct Short {
    id: String,
    account: String,
    purpose: String,
    made_at: Option<Timestamp>,
    changed_at: Option<Timestamp>,
}

/// A campaign with where each target stands, and which call says so.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Campaign")]
pub(in crate::http) struct Whole {
    #[serde(flatten)]
    short: Short,
    constraints: Option<String>,
    known_facts: Option<String>,
    decisions: Vec<DecidedView>,
    targets: Vec<TargetView>,
    /// The ids of its searches.
    searches: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct DecidedView {
    decision: String,
    /// The number of the target that it is about.
    target: Option<u32>,
    at: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct TargetView {
    number: u32,
    to: String,
    name: Option<String>,
    #[serde(flatten)]
    standing: Standing,
    /// Newest first.
    calls: Vec<CallOf>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct CallOf {
    id: String,
    #[schemars(with = "LifecycleWord")]
    lifecycle: &'static str,
    #[schemars(with = "Option<OutcomeWord>")]
    outcome: Option<&'static str>,
    queued_at: Option<Timestamp>,
}

impl Short {
    pub(super) fn of(row: &CampaignRow) -> Self {
        Self {
            id: row.id.clone(),
            account: row.account.as_str().to_owned(),
            purpose: row.campaign.purpose.as_str().to_owned(),
            made_at: at(row.made_ms),
            changed_at: at(row.changed_ms),
        }
    }
}

impl Whole {
    pub(super) fn of(row: &CampaignRow) -> Self {
        let words = |words: &Option<Text>| words.as_ref().map(|words| words.as_str().to_owned());
        let decisions = row.decisions.iter().map(|one| DecidedView {
            decision: one.decision.as_str().to_owned(),
            target: one.target,
            at: at(one.at_ms),
        });
        Self {
            short: Short::of(row),
            constraints: words(&row.campaign.constraints),
            known_facts: words(&row.campaign.known_facts),
            decisions: decisions.collect(),
            targets: row.targets.iter().map(|target| of_target(row, target)).collect(),
            searches: row.searches.clone(),
        }
    }
}

fn of_target(row: &CampaignRow, target: &CampaignTarget) -> TargetView {
    let calls = target.calls.iter().map(|call| CallOf {
        id: call.id.to_string(),
        lifecycle: call.lifecycle.word(),
        outcome: call.outcome.map(Outcome::word),
        queued_at: at(call.queued_ms),
    });
    TargetView {
        number: target.number,
        to: target.target.to.as_str().to_owned(),
        name: target.target.name.as_ref().map(|name| name.as_str().to_owned()),
        standing: standing(row, target),
        calls: calls.collect(),
    }
}

fn at(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}
