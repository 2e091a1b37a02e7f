//! Calls that are to be made later.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tandem_actors::record::RecordError;
use uuid::Uuid;

use super::Desk;
use super::caller::{Caller, Writer};
use super::calls::order::{checked_callee, checked_task};
use super::once::{made, once};
use super::phone;
use super::problem::Problem;
use crate::schedule::Spec;
use crate::store::{Ordered, Orders as _, RunRow, SCHEDULES_MAX, ScheduleRow, Schedules as _};

/// `POST /v1/schedules`: 201 with the first time at which it comes.
pub(super) async fn make(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(mut body) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let once = once(&headers, &caller.account, "POST /v1/schedules", &body)?;
    // Who lost the answer gets it, also when the time has come meanwhile or the phone is another.
    if let Some(once) = &once
        && let Some(before) = desk.store.ordered_before(once).await?
    {
        return repeated(&desk, &caller, before).await;
    }
    if body.is_object() && body.get("to").is_none_or(Value::is_null) {
        body["to"] = phone::required(&desk, &caller.account).await?.as_str().into();
    }
    let mut spec: Spec =
        serde_json::from_value(body).map_err(|error| Problem::body(&error.to_string()))?;
    spec.to = checked_callee("to", spec.to)?.as_str().to_owned();
    spec.task = checked_task(&spec.task)?.0;
    if let Some(condition) = &spec.condition {
        let reach = desk.webhooks.reach;
        reach.check(&condition.url).map_err(|wrong| Problem::invalid("condition", wrong))?;
    }
    let now = Timestamp::now();
    let next = spec.first(now).map_err(|wrong| Problem::invalid(wrong.field, wrong.why))?;
    let row = ScheduleRow {
        id: Uuid::now_v7().to_string(),
        account: caller.account.clone(),
        spec: json!(spec).to_string(),
        state: "active".to_owned(),
        next_ms: Some(next.as_millisecond()),
        made_ms: now.as_millisecond(),
    };
    let kept = desk.store.schedule(row.clone(), once).await?.ok_or_else(|| {
        let detail = format!("{SCHEDULES_MAX} schedules are still to come, which is the most");
        Problem::conflict("schedules_full", detail)
    })?;
    match kept {
        Ordered::New(()) => answer(&row, false),
        before @ (Ordered::Before(_) | Ordered::OtherOrder | Ordered::JustNow(_)) => {
            repeated(&desk, &caller, before).await
        }
    }
}

/// What is answered to an order that came before.
async fn repeated(desk: &Desk, caller: &Caller, before: Ordered<()>) -> Result<Response, Problem> {
    match before {
        Ordered::Before(id) => answer(&of(desk, caller, &id).await?, true),
        Ordered::JustNow(id) => Err(Problem::just_now("schedule", &id)),
        Ordered::OtherOrder | Ordered::New(()) => Err(Problem::other_order()),
    }
}

fn answer(row: &ScheduleRow, repeated: bool) -> Result<Response, Problem> {
    let place = format!("/v1/schedules/{}", row.id);
    Ok(made(StatusCode::CREATED, &place, repeated, json!(view(row)?)))
}

/// `GET /v1/schedules`: those that are still to come, the next first.
pub(super) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
) -> Result<Json<Schedules>, Problem> {
    let rows = desk.store.schedules(caller.sees().as_ref()).await?;
    Ok(Json(Schedules { schedules: rows.iter().map(view).collect::<Result<_, _>>()? }))
}

/// `GET /v1/schedules/{id}`: with what came of it, newest first.
pub(super) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ScheduleView>, Problem> {
    let found = desk.store.history(&id).await?;
    let (row, runs) = found.filter(|(row, _)| caller.may_see(&row.account)).ok_or_else(no_such)?;
    Ok(Json(ScheduleView { history: Some(runs.into_iter().map(run).collect()), ..view(&row)? }))
}

/// `DELETE /v1/schedules/{id}`: nothing of it is to come any more; its history stays.
pub(super) async fn cancel(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = of(&desk, &caller, &id).await?;
    desk.store.cancel_schedule(row.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn of(desk: &Desk, caller: &Caller, id: &str) -> Result<ScheduleRow, Problem> {
    let row = desk.store.one_schedule(id).await?;
    row.filter(|row| caller.may_see(&row.account)).ok_or_else(no_such)
}

/// What is somebody else's is not told from what is not there.
fn no_such() -> Problem {
    let detail = "no schedule has this id; GET /v1/schedules lists those to come".to_owned();
    Problem::of(StatusCode::NOT_FOUND, "schedule_not_found", detail)
}

/// What is to be done, and what has come of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Schedule")]
pub(super) struct ScheduleView {
    #[serde(flatten)]
    spec: Spec,
    id: String,
    /// Whose it is.
    account: String,
    /// `active` as long as something is to come.
    state: String,
    /// When it comes next.
    next_at: Option<Timestamp>,
    made_at: Option<Timestamp>,
    /// What came of it, newest first; where one is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Run>>,
}

/// What came of one time.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Run {
    due_at: Option<Timestamp>,
    ran_at: Option<Timestamp>,
    /// `placed`, `condition_not_met`, `condition_failed`, `missed` or `not_placed`.
    verdict: String,
    /// The call that was placed.
    call: Option<String>,
    detail: Option<String>,
}

/// What is to come, the next first.
#[derive(Serialize, JsonSchema)]
pub(super) struct Schedules {
    schedules: Vec<ScheduleView>,
}

fn view(row: &ScheduleRow) -> Result<ScheduleView, Problem> {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    let spec = serde_json::from_str(&row.spec)
        .map_err(|error| RecordError(format!("a schedule: {error}")))?;
    Ok(ScheduleView {
        spec,
        id: row.id.clone(),
        account: row.account.to_string(),
        state: row.state.clone(),
        next_at: row.next_ms.and_then(at),
        made_at: at(row.made_ms),
        history: None,
    })
}

fn run(run: RunRow) -> Run {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    Run {
        due_at: at(run.due_ms),
        ran_at: at(run.ran_ms),
        verdict: run.verdict,
        call: run.call,
        detail: run.detail,
    }
}
