//! Calls for the users of the API: ring somebody, look, hang up.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_actors::briefing::{CallId, Lifecycle, Text};
use tandem_actors::call::event::{Input, Order as CallOrder};
use tandem_actors::carrier::Number;

use super::Desk;
use super::problem::Problem;
use crate::config::{Dialect, Voicemail, is_e164};
use crate::reception::Order;
use crate::store::{AgentTask, Archive, CallFilter, CallRow};
use crate::tool::result;

/// The longest task: what a model reads with care.
const TASK_CHARS: usize = 8_000;

/// Calls of one page unless asked otherwise.
const PAGE: u32 = 25;

/// An order to ring somebody. Unknown fields are ignored.
#[derive(Deserialize)]
pub(super) struct Place {
    to: String,
    task: String,
    dialect: Option<Dialect>,
    voicemail: Option<String>,
    tools: Option<Vec<String>>,
    result_schema: Option<Value>,
}

/// A call, as the API shows it.
#[derive(Serialize)]
pub(super) struct CallView {
    id: String,
    direction: &'static str,
    lifecycle: &'static str,
    outcome: Option<&'static str>,
    reason: Option<String>,
    task: String,
    numbers: Numbers,
    timestamps: Timestamps,
    talk_ms: Option<i64>,
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

impl From<CallRow> for CallView {
    fn from(row: CallRow) -> Self {
        let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
        Self {
            id: row.id.to_string(),
            direction: row.direction.word(),
            lifecycle: row.lifecycle.word(),
            outcome: row.outcome.map(|outcome| outcome.word()),
            reason: row.reason,
            task: row.task.0,
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
            usage: row.usage.and_then(|told| serde_json::from_str(&told).ok()),
            result: row.result.and_then(|told| serde_json::from_str(told.as_str()).ok()),
            agent_tasks: Vec::new(),
        }
    }
}

/// `POST /v1/calls`: 202 with the call's id before anything slow happens.
pub(super) async fn place(
    State(desk): State<Desk>,
    body: Result<Json<Place>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(place) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let order = check(place, &desk)?;
    let made = desk.reception.place(order).await?;
    let id = made.call.to_string();
    let mut headers = HeaderMap::new();
    let location = HeaderValue::try_from(format!("/v1/calls/{id}"));
    headers.insert(header::LOCATION, location.expect("an id of ours is visible ascii"));
    let body = Json(serde_json::json!({ "id": id, "lifecycle": Lifecycle::Queued.word() }));
    Ok((StatusCode::ACCEPTED, headers, body).into_response())
}

fn check(place: Place, desk: &Desk) -> Result<Order, Problem> {
    if !is_e164(&place.to) {
        let shown: String = place.to.chars().take(20).collect();
        let detail = format!("{shown:?} is not a number in E.164; write it like +15550100");
        return Err(Problem::invalid("to", detail));
    }
    let task = place.task.trim();
    if task.is_empty() || task.chars().count() > TASK_CHARS {
        let detail = format!("say what the call is for in 1 to {TASK_CHARS} characters");
        return Err(Problem::invalid("task", detail));
    }
    let dialect = place.dialect.unwrap_or(desk.reception.dialect());
    let voicemail = match place.voicemail {
        Some(word) => Voicemail::try_from(word)
            .map_err(|error| Problem::invalid("voicemail", error.to_string()))?,
        None => desk.reception.voicemail(),
    };
    let (to, task) = (Number::new(place.to), Text(task.to_owned()));
    let tools = place.tools;
    if let Some(unknown) = tools
        .iter()
        .flatten()
        .find(|name| !desk.reception.tools().any(|tool| tool == name.as_str()))
    {
        let shown: String = unknown.chars().take(64).collect();
        let have = desk.reception.tools().collect::<Vec<_>>().join(", ");
        let detail = format!("there is no tool {shown:?}; calls can have: {have}");
        return Err(Problem::invalid("tools", detail));
    }
    let result = place.result_schema;
    if let Some(Err(wrong)) = result.as_ref().map(result::check) {
        return Err(Problem::invalid("result_schema", wrong));
    }
    Ok(Order { to, task, dialect, voicemail, tools, result })
}

/// `GET /v1/calls/{id}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Json<CallView>, Problem> {
    let row = row(&desk, &id).await?;
    let tasks = desk.store.agent_tasks(&row.id).await?;
    let view = CallView::from(row);
    Ok(Json(CallView { agent_tasks: tasks.iter().map(agent_task).collect(), ..view }))
}

fn agent_task(task: &AgentTask) -> Value {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    serde_json::json!({
        "number": task.number,
        "request": task.request.as_str(),
        "state": task.state.word(),
        "answer": task.answer.as_ref().map(Text::as_str),
        "begun_at": at(task.begun_ms),
        "ended_at": task.ended_ms.and_then(at),
    })
}

#[derive(Deserialize)]
pub(super) struct Listing {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// `GET /v1/calls`: newest first.
pub(super) async fn list(
    State(desk): State<Desk>,
    Query(listing): Query<Listing>,
) -> Result<Response, Problem> {
    let after = listing.cursor.map(|cursor| cursor.parse()).transpose().map_err(|_| {
        Problem::invalid("cursor", "not a cursor of ours; leave it out to begin".to_owned())
    })?;
    let limit = listing.limit.unwrap_or(PAGE);
    let page = desk.store.calls(CallFilter::default(), after, limit).await?;
    let calls: Vec<CallView> = page.calls.into_iter().map(CallView::from).collect();
    let next = page.next.map(|cursor| cursor.to_string());
    Ok(Json(serde_json::json!({ "calls": calls, "next": next })).into_response())
}

/// `POST /v1/calls/{id}/hangup`: a call that is over already is a success.
pub(super) async fn hang_up(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = row(&desk, &id).await?;
    let told = desk.exchange.tell(&row.id, Input::Order(CallOrder::HangUp));
    let body = serde_json::json!({ "id": id, "ended": !told });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

/// `GET /v1/calls/{id}/transcript`.
pub(super) async fn transcript(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = row(&desk, &id).await?;
    let turns: Vec<_> = desk
        .store
        .turns(&row.id)
        .await?
        .into_iter()
        .map(|turn| {
            serde_json::json!({
                "sequence": turn.sequence,
                "at_ms": turn.at_ms,
                "role": turn.speaker.word(),
                "text": turn.text.as_str(),
            })
        })
        .collect();
    Ok(Json(serde_json::json!({ "id": id, "transcript": turns })).into_response())
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
}

/// `GET /v1/calls/{id}/events`: everything that happened, in order.
pub(super) async fn events(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Result<Response, Problem> {
    let row = row(&desk, &id).await?;
    let events: Vec<_> = desk
        .store
        .events(&row.id, after)
        .await?
        .into_iter()
        .map(|event| {
            let body: Value = serde_json::from_str(event.body.as_str()).unwrap_or_default();
            serde_json::json!({
                "sequence": event.sequence,
                "at_ms": event.at_ms,
                "kind": event.kind,
                "body": body,
            })
        })
        .collect();
    Ok(Json(events).into_response())
}

async fn row(desk: &Desk, id: &str) -> Result<CallRow, Problem> {
    let call = CallId::new(id);
    desk.store.call(&call).await?.ok_or_else(|| Problem::no_call(id))
}
