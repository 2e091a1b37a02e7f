//! Operations that somebody is rung up for to accept or to decline.

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tandem_actors::carrier::Number;

use super::Desk;
use super::caller::Caller;
use super::calls::order::checked_number;
use super::once::{Keyed, made};
use super::openapi::words::E164;
use super::phone;
use super::problem::Problem;
use crate::approval::{Approval, Decision, Verify, WORDS};
use crate::config::Voicemail;
use crate::reception::{Order, Wish};
use crate::store::{Approvals as _, Archive as _, CallRow};

/// The longest wait for a decision; then one asks again.
const WAIT: Duration = Duration::from_secs(60);

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/v1/approvals", post(ask))
}

/// Routes that may take their time.
pub(super) fn patient_routes() -> Router<Desk> {
    Router::new().route("/v1/approvals/{id}", get(show))
}

/// An operation that somebody shall accept or decline.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalOrder")]
pub(super) struct Asked {
    /// What would be done; read out word for word.
    #[schemars(length(min = 1, max = WORDS))]
    operation: String,
    /// With what: read out too, each a text, a number or true or false.
    #[serde(default)]
    arguments: Map<String, Value>,
    /// Whom to ring: the phone of the account, which it is when it is left out.
    #[schemars(with = "Option<E164>")]
    to: Option<String>,
    #[serde(default)]
    verify: Verify,
    /// Says that an order that was given a moment ago is meant once more.
    #[serde(default, rename = "again")]
    _again: bool,
}

/// `POST /v1/approvals`: rings the phone of the account, once for each `Idempotency-Key`.
async fn ask(State(desk): State<Desk>, order: Keyed) -> Result<Response, Problem> {
    let (caller, once, asked) = order.read("POST /v1/approvals")?;
    let Asked { operation, arguments, to, verify, .. } = asked;
    let approval = Approval::new(&operation, arguments, verify)
        .map_err(|(field, detail)| Problem::invalid(field, detail))?;
    if verify == Verify::Pin && !desk.reception.has_pin() {
        let detail = "no PIN is set to verify by; set TANDEM__CALL__PIN, or verify by yes";
        return Err(Problem::invalid("verify", detail.to_owned()));
    }
    let to = whom(&desk, &caller, to).await?;
    let wish = Wish {
        account: caller.account,
        hand_over: false,
        voicemail: Voicemail::HangUp,
        tools: Some(Vec::new()),
        only_asks: true,
        approval: Some(approval.clone()),
        ..desk.reception.wish(approval.task())
    };
    let placed = desk.reception.place(Order { to, wish, once }).await?;
    let id = placed.call.to_string();
    let place = format!("/v1/approvals/{id}");
    let body = json!(Begun { id, state: Decision::Pending.words().0 });
    Ok(made(StatusCode::ACCEPTED, &place, placed.repeated, body))
}

/// An approval that is being asked for.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BegunApproval")]
pub(super) struct Begun {
    /// Its id, and that of its call.
    id: String,
    /// `pending`.
    state: &'static str,
}

/// Who decides: the phone of the account. Whoever runs the server may name another.
async fn whom(desk: &Desk, caller: &Caller, to: Option<String>) -> Result<Number, Problem> {
    let named = to.map(|to| checked_number("to", to)).transpose()?;
    let phone = match named {
        Some(named) if caller.runs_it => return Ok(named),
        Some(_) | None => phone::required(desk, &caller.account).await?,
    };
    if named.is_none_or(|named| named == phone) {
        return Ok(phone);
    }
    let detail = "an approval rings the phone of its account alone: leave \"to\" out";
    Err(Problem::of(StatusCode::FORBIDDEN, "not_your_phone", detail.to_owned()))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiting {
    /// How long to wait for the decision, in seconds; at most 60 are waited for.
    #[serde(default)]
    wait_s: u64,
}

/// `GET /v1/approvals/{id}`: how it stands; with `wait_s` as soon as it is settled.
async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    Query(Waiting { wait_s }): Query<Waiting>,
) -> Result<Json<View>, Problem> {
    let mut commits = desk.store.commits();
    let settled = async {
        loop {
            // Before the reading: what is written during it wakes us again.
            commits.mark_unchanged();
            let row = caller.call(&desk.store, &id).await?;
            let (shown, pending) = view(&desk, row).await?;
            if !pending || wait_s == 0 || commits.changed().await.is_err() {
                return Ok(shown);
            }
        }
    };
    let longest = Duration::from_secs(wait_s).min(WAIT);
    if wait_s == 0 {
        return settled.await.map(Json);
    }
    if let Ok(shown) = tokio::time::timeout(longest, settled).await {
        return shown.map(Json);
    }
    let row = caller.call(&desk.store, &id).await?;
    Ok(Json(view(&desk, row).await?.0))
}

/// An approval.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Approval")]
pub(super) struct View {
    /// Its id, and that of its call.
    id: String,
    /// `pending`, `accepted` or `declined`.
    state: &'static str,
    /// Why it was declined, where it was.
    reason: Option<&'static str>,
    operation: String,
    arguments: Map<String, Value>,
    verify: Verify,
    #[schemars(with = "E164")]
    to: String,
    asked_at: Option<Timestamp>,
    /// Where the call is.
    call: String,
}

/// How it stands, and whether it is open.
async fn view(desk: &Desk, row: CallRow) -> Result<(View, bool), Problem> {
    let approval = desk.store.approval(&row.id).await?.ok_or_else(|| {
        let detail = "there is no approval of this id; a call of it may be at /v1/calls";
        Problem::of(StatusCode::NOT_FOUND, "approval_not_found", detail.to_owned())
    })?;
    let questions = desk.store.confirmations(&row.id).await?;
    let decision = Decision::of(&row, &questions);
    let (state, reason) = decision.words();
    let at = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let shown = View {
        state,
        reason,
        operation: approval.operation,
        arguments: approval.arguments,
        verify: approval.verify,
        to: row.remote.as_str().to_owned(),
        asked_at: at(Some(row.queued_ms)),
        call: format!("/v1/calls/{}", row.id),
        id: row.id.to_string(),
    };
    Ok((shown, decision == Decision::Pending))
}
