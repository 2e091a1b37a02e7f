//! A call as the API shows it, in three words that are never one: how far it is (`lifecycle`), what
//! the phone network made of it (`outcome`), what it has brought (`result`).

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tandem_actors::briefing::Lifecycle;

use super::super::once::made;
use super::super::openapi::words::{DirectionWord, LifecycleWord, OutcomeWord};
use super::detail::Detail;
use crate::persona::Manner;
use crate::reception::Placed;
use crate::store::{AgentTask, CallRow, TurnRow};

/// A call, as the API shows it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Call", description = "A call.")]
pub(in crate::http) struct CallView {
    id: String,
    /// Whose it is.
    account: String,
    #[schemars(with = "DirectionWord")]
    direction: &'static str,
    /// How far it is.
    #[schemars(with = "LifecycleWord")]
    lifecycle: &'static str,
    /// `unknown` while it is not known whether the carrier took the order to ring; else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<&'static str>,
    /// What the phone network made of it; with the end.
    #[schemars(with = "Option<OutcomeWord>")]
    outcome: Option<&'static str>,
    /// Why it ended, in our word.
    reason: Option<String>,
    /// The same for a person, and whether trying again may help.
    outcome_detail: Option<Detail>,
    task: String,
    /// How it differs from other calls; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    manner: Option<Manner>,
    numbers: Numbers,
    timestamps: Timestamps,
    /// Milliseconds from answer to end.
    talk_ms: Option<i64>,
    /// How its recording stands; absent where nobody had to know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<String>,
    /// Milliseconds from answer to the beginning of its recording, where that had to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_offset_ms: Option<i64>,
    /// The call that it goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    /// The campaign that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// Tokens by figure, with the end; absent where the provider told none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, u64>>")]
    usage: Option<Value>,
    /// What it has brought back, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    result: Option<Value>,
    /// What the agent was asked, where one call is shown; absent when it was asked nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    agent_tasks: Vec<AgentTaskView>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Numbers {
    /// The other party.
    remote: String,
    /// Ours.
    local: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Timestamps {
    queued_at: Option<Timestamp>,
    dialing_at: Option<Timestamp>,
    answered_at: Option<Timestamp>,
    finalized_at: Option<Timestamp>,
}

/// What the agent behind the voice was asked in a call.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct AgentTaskView {
    number: u32,
    request: String,
    /// `running`, `done`, `failed`, `cancelled` or `lost`.
    state: &'static str,
    answer: Option<String>,
    begun_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

/// Calls, newest first.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct CallPage {
    pub(super) calls: Vec<CallView>,
    /// The `cursor` of the next page, when there is one.
    pub(super) next: Option<String>,
}

/// A call that will be made.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct PlacedCall {
    id: String,
    /// As far as it is when it has been written down: `queued`.
    #[schemars(with = "LifecycleWord")]
    lifecycle: &'static str,
}

/// A call that was told something.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToldCall")]
pub(in crate::http) struct Told {
    pub(super) id: String,
}

/// A call that was told to end.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EndingCall")]
pub(in crate::http) struct Ending {
    pub(super) id: String,
    /// Whether it is over already.
    pub(super) ended: bool,
}

/// What was said in a call.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Transcript {
    id: String,
    transcript: Vec<TurnView>,
}

/// What one of the two has said.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Turn")]
struct TurnView {
    /// Its number among the events of the call.
    sequence: u64,
    /// Milliseconds since 1970.
    at_ms: i64,
    /// `user` or `assistant`.
    role: &'static str,
    text: String,
}

impl Transcript {
    pub(super) fn of(id: String, turns: Vec<TurnRow>) -> Self {
        let view = |turn: TurnRow| TurnView {
            sequence: turn.sequence,
            at_ms: turn.at_ms,
            role: turn.speaker.word(),
            text: turn.text.0,
        };
        Self { id, transcript: turns.into_iter().map(view).collect() }
    }
}

/// The answer to an order to ring somebody.
pub(in crate::http) fn placed(placed: Placed) -> Response {
    let body = PlacedCall { id: placed.call.to_string(), lifecycle: Lifecycle::Queued.word() };
    let place = format!("/v1/calls/{}", body.id);
    made(StatusCode::ACCEPTED, &place, placed.repeated, json!(body))
}

impl From<CallRow> for CallView {
    fn from(row: CallRow) -> Self {
        let recording_offset_ms = row.recording_offset_ms();
        let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
        Self {
            id: row.id.to_string(),
            account: row.account.to_string(),
            direction: row.direction.word(),
            lifecycle: row.lifecycle.word(),
            submission: row.submission_unknown.then_some("unknown"),
            outcome: row.outcome.map(|outcome| outcome.word()),
            outcome_detail: row
                .outcome
                .map(|outcome| Detail::of(outcome, row.reason.as_deref().unwrap_or_default())),
            reason: row.reason,
            task: row.task.0,
            manner: Some(row.manner).filter(|manner| *manner != Manner::default()),
            numbers: Numbers {
                remote: row.remote.as_str().to_owned(),
                local: row.local.as_str().to_owned(),
            },
            timestamps: Timestamps {
                queued_at: at(row.queued_ms),
                dialing_at: row.dialing_ms.and_then(at),
                answered_at: row.answered_ms.and_then(at),
                finalized_at: row.finalized_ms.and_then(at),
            },
            talk_ms: row.talk_ms,
            recording: row.recording,
            recording_offset_ms,
            follows: row.follows.map(|call| call.to_string()),
            campaign: row.campaign,
            usage: row.usage.and_then(|told| serde_json::from_str(&told).ok()),
            result: row.result.and_then(|told| serde_json::from_str(told.as_str()).ok()),
            agent_tasks: Vec::new(),
        }
    }
}

impl CallView {
    /// With what the agent behind the voice was asked.
    pub(super) fn with_tasks(self, tasks: &[AgentTask]) -> Self {
        Self { agent_tasks: tasks.iter().map(agent_task).collect(), ..self }
    }
}

fn agent_task(task: &AgentTask) -> AgentTaskView {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    AgentTaskView {
        number: task.number,
        request: task.request.0.clone(),
        state: task.state.word(),
        answer: task.answer.as_ref().map(|answer| answer.0.clone()),
        begun_at: at(task.begun_ms),
        ended_at: task.ended_ms.and_then(at),
    }
}
