//! A call as the API shows it, in three words that are never one: how far it is (`lifecycle`), what
//! the phone network made of it (`outcome`), what it has brought (`result`).

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tandem_actors::briefing::{Lifecycle, Text};

use super::super::once::made;
use super::detail::Detail;
use crate::persona::Manner;
use crate::reception::Placed;
use crate::store::{AgentTask, CallRow};

/// A call, as the API shows it.
#[derive(Serialize)]
pub(in crate::http) struct CallView {
    id: String,
    account: String,
    direction: &'static str,
    lifecycle: &'static str,
    /// What the phone network made of it; with the end.
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
    talk_ms: Option<i64>,
    /// The call that it goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    /// The campaign that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// Tokens by figure, with the end; absent where the provider told none.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
    /// What it has brought back, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    /// What the agent was asked, where one call is shown; absent when it was asked nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    agent_tasks: Vec<Value>,
}

#[derive(Serialize)]
struct Numbers {
    remote: String,
    local: String,
}

#[derive(Serialize)]
struct Timestamps {
    queued_at: Option<Timestamp>,
    dialing_at: Option<Timestamp>,
    answered_at: Option<Timestamp>,
    finalized_at: Option<Timestamp>,
}

/// The answer to an order to ring somebody.
pub(in crate::http) fn placed(placed: Placed) -> Response {
    let id = placed.call.to_string();
    let body = json!({ "id": id, "lifecycle": Lifecycle::Queued.word() });
    made(StatusCode::ACCEPTED, &format!("/v1/calls/{id}"), placed.repeated, body)
}

impl From<CallRow> for CallView {
    fn from(row: CallRow) -> Self {
        let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
        Self {
            id: row.id.to_string(),
            account: row.account.to_string(),
            direction: row.direction.word(),
            lifecycle: row.lifecycle.word(),
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

fn agent_task(task: &AgentTask) -> Value {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    json!({
        "number": task.number,
        "request": task.request.as_str(),
        "state": task.state.word(),
        "answer": task.answer.as_ref().map(Text::as_str),
        "begun_at": at(task.begun_ms),
        "ended_at": task.ended_ms.and_then(at),
    })
}
