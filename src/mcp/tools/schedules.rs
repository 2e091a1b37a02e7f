//! Tools for calls at a time, or again and again.

use rmcp::model::Tool;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Deed, Nothing, tool};
use crate::mcp::api::segment;
use crate::mcp::errand::Errand;
use crate::mcp::trouble::Trouble;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        tool::<Schedule, Scheduled>(
            "schedule_call",
            "Schedule a call",
            Deed::Rings,
            "Has a phone rung later: once `at` a time, or again and again by `cron`; give one of \
             the two. Without `to` the user's own phone. Nobody is at hand when it rings: brief \
             it completely, as for make_voice_call.",
        ),
        tool::<Nothing, Schedules>(
            "list_schedules",
            "List scheduled calls",
            Deed::Looks,
            "Every scheduled call that is to come, and when it rings next.",
        ),
        tool::<Which, Cancelled>(
            "cancel_schedule",
            "Cancel a scheduled call",
            Deed::Ends,
            "Takes a scheduled call away; it rings no more. A call that already runs goes on: \
             hang_up ends it.",
        ),
    ]
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    /// Whom to ring, in E.164 (+14255550123). Left out: the user's own phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// Everything the agent on the phone knows and shall do.
    task: String,
    /// When, once: RFC 3339 with an offset, 2026-03-01T09:00:00-08:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// When, again and again: minute, hour, day of month, month, day of week.
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    /// The IANA time zone of `cron`: Europe/Berlin.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// Rings only when this holds at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
    /// How late it may still ring, in seconds; later it is missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_s: Option<u64>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Condition {
    /// An address that answers JSON.
    url: String,
    /// JSON Pointer of what is compared in it: /price/amount.
    pointer: String,
    /// How it is compared.
    is: Is,
    /// With what.
    value: Value,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Is {
    Equals,
    Above,
    Below,
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Scheduled {
    /// Of the schedule.
    id: String,
    /// When it rings next.
    next_at: Option<String>,
}

/// Schedules a call.
pub(super) async fn schedule(
    errand: &Errand<'_>,
    schedule: Schedule,
) -> Result<Scheduled, Trouble> {
    let (scheduled, _repeated) = errand.order("/v1/schedules", super::told(schedule)?).await?;
    Ok(scheduled)
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub(super) struct Schedules {
    /// Each with its id, task and next_at.
    schedules: Vec<Map<String, Value>>,
}

/// All of them.
pub(super) async fn list(errand: &Errand<'_>, _all: Nothing) -> Result<Schedules, Trouble> {
    errand.get("/v1/schedules").await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Of the schedule.
    id: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Cancelled {
    /// Of the schedule.
    id: String,
    cancelled: bool,
}

/// Takes one away.
pub(super) async fn cancel(errand: &Errand<'_>, which: Which) -> Result<Cancelled, Trouble> {
    errand.delete(&format!("/v1/schedules/{}", segment(&which.id))).await?;
    Ok(Cancelled { id: which.id, cancelled: true })
}
