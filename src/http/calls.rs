//! Calls for the users of the API: ring somebody, look, speak through it, hang up.

pub(super) mod detail;
pub(super) mod events;
pub(super) mod listen;
mod listeners;
pub(super) mod order;
pub(super) mod served;
pub(super) mod view;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tandem_actors::briefing::{Direction, Lifecycle, Outcome, Text};
use tandem_actors::call::event::{Input, Order as Command};

pub(super) use events::events;
pub(super) use listen::{listen, ticket};
pub(super) use listeners::Listeners;

use super::Desk;
use super::caller::{Caller, Writer};
use super::openapi::words::{DirectionWord, E164, Keys, LifecycleWord, OutcomeWord};
use super::problem::Problem;
use crate::retention::{self, NotForgotten};
use crate::store::{AgentTasks as _, Archive, CallFilter, CallRow, Cursor, PAGE_MAX};
use crate::tool::own;
use view::{CallPage, CallView, Ending, Told, Transcript};

/// Calls or searches of one page unless asked otherwise.
pub(super) const PAGE: u32 = 25;

/// The most that the agent is told to say at once: a minute of speech.
const SAY_CHARS: usize = 1_000;

/// `POST /v1/calls`: 202 with the call's id before anything slow happens. The same order with the
/// same `Idempotency-Key` gets the same answer for a day, and nobody is rung again.
pub(super) async fn place(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let order = order::read(&desk, &caller.account, &headers, body).await?;
    Ok(view::placed(desk.reception.place(order).await?))
}

/// `GET /v1/calls/{id}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CallView>, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    let tasks = desk.store.agent_tasks(&row.id).await?;
    Ok(Json(CallView::from(row).with_tasks(&tasks)))
}

/// Which calls.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// How many at most; 25 unless asked otherwise. More than 200 are never shown at once.
    #[schemars(with = "u32", range(min = 1, max = PAGE_MAX))]
    limit: Option<u32>,
    /// The `next` of the page before.
    #[schemars(with = "String")]
    cursor: Option<String>,
    /// Only calls that were placed, or that rang here.
    #[schemars(with = "DirectionWord")]
    direction: Option<String>,
    /// Only calls that are so far.
    #[schemars(with = "LifecycleWord")]
    lifecycle: Option<String>,
    /// Only calls that ended so.
    #[schemars(with = "OutcomeWord")]
    outcome: Option<String>,
    /// Only calls with this other party.
    #[schemars(with = "E164")]
    to: Option<String>,
}

/// `GET /v1/calls`: newest first.
pub(super) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<CallPage>, Problem> {
    let after = behind(listing.cursor)?;
    let (directions, lifecycles) = ([Direction::Inbound, Direction::Outbound], Lifecycle::ALL);
    let filter = CallFilter {
        direction: named("direction", listing.direction, directions, Direction::word)?,
        lifecycle: named("lifecycle", listing.lifecycle, lifecycles, Lifecycle::word)?,
        outcome: named("outcome", listing.outcome, Outcome::ALL, Outcome::word)?,
        remote: listing.to.map(order::queried),
        account: caller.sees(),
        finalized_since_ms: None,
    };
    let page = desk.store.calls(filter, after, listing.limit.unwrap_or(PAGE)).await?;
    Ok(Json(CallPage {
        calls: page.calls.into_iter().map(CallView::from).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
    }))
}

/// Where a page begins.
pub(super) fn behind(cursor: Option<String>) -> Result<Option<Cursor>, Problem> {
    cursor.map(|cursor| cursor.parse()).transpose().map_err(|_| {
        Problem::invalid("cursor", "not a cursor of ours; leave it out to begin".to_owned())
    })
}

/// The one of these that the word names.
fn named<T: Copy>(
    field: &'static str,
    word: Option<String>,
    all: impl IntoIterator<Item = T> + Clone,
    of: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(word) = word else { return Ok(None) };
    let found = all.clone().into_iter().find(|one| of(*one) == word);
    found.map(Some).ok_or_else(|| {
        let words = all.into_iter().map(of).collect::<Vec<_>>().join(", ");
        let shown: String = word.chars().take(30).collect();
        Problem::invalid(field, format!("{shown:?} is none of {words}"))
    })
}

/// `DELETE /v1/calls/{id}`: forgets a call that is over, its recording and all that is written of
/// it.
pub(super) async fn forget(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    if row.outcome.is_none() {
        let detail = "the call is not over; hang up first".to_owned();
        return Err(Problem::conflict("call_is_live", detail));
    }
    match retention::forget(&desk.store, desk.recordings.as_ref(), &row.id).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::no_call(&id)),
        Err(NotForgotten::Record(error)) => Err(error.into()),
        Err(error @ NotForgotten::File(_)) => {
            tracing::error!(call = %row.id, %error, "not forgotten");
            Err(Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR))
        }
    }
}

/// `POST /v1/calls/{id}/hangup`: a call that is over already is a success.
pub(super) async fn hang_up(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    // One whose end is written down may still be on its way out of the exchange.
    let hang_up = Input::Order(Command::HangUp);
    let told = row.outcome.is_none()
        && (desk.exchange.tell(&row.id, hang_up) || desk.reception.send_away(&row.id));
    Ok((StatusCode::ACCEPTED, Json(Ending { id, ended: !told })).into_response())
}

/// What the agent is to say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Say {
    #[schemars(length(min = 1, max = SAY_CHARS))]
    text: String,
}

/// `POST /v1/calls/{id}/say`: the agent says this, in its own voice, as soon as it can.
pub(super) async fn say(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    body: Result<Json<Say>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Say { text }) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let text = text.trim();
    if text.is_empty() || text.chars().count() > SAY_CHARS {
        let detail = format!("give 1 to {SAY_CHARS} characters to be said");
        return Err(Problem::invalid("text", detail));
    }
    let say = Command::Say(Text(text.to_owned()));
    command(&desk, caller.call(&desk.store, &id).await?, say)
}

/// Keys to press.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Press {
    /// A comma is a pause of two seconds.
    #[schemars(with = "Keys")]
    keys: String,
}

/// `POST /v1/calls/{id}/dtmf`: presses keys towards the other party, a comma for two seconds.
pub(super) async fn dtmf(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    body: Result<Json<Press>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Press { keys }) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let keys = own::keys(&keys).ok_or_else(|| Problem::invalid("keys", own::no_keys()))?;
    command(&desk, caller.call(&desk.store, &id).await?, Command::Press(keys))
}

/// `POST /v1/calls/{id}/transfer`: brings the human of the settings into the call.
pub(super) async fn transfer(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    if desk.reception.human().is_none() {
        let detail = "no human is set to hand over to: whoever runs the server sets carrier.human";
        return Err(Problem::conflict("nobody_to_hand_over_to", detail.to_owned()));
    }
    command(&desk, row, Command::Transfer)
}

/// Gives a live call an order.
fn command(desk: &Desk, row: CallRow, command: Command) -> Result<Response, Problem> {
    if row.lifecycle != Lifecycle::Answered || !desk.exchange.tell(&row.id, Input::Order(command)) {
        let detail = format!(
            "the call is {}; this can be done while somebody is on the line",
            row.lifecycle.word()
        );
        return Err(Problem::conflict("nobody_on_the_line", detail));
    }
    Ok((StatusCode::ACCEPTED, Json(Told { id: row.id.to_string() })).into_response())
}

/// `GET /v1/calls/{id}/transcript`.
pub(super) async fn transcript(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Transcript>, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    Ok(Json(Transcript::of(id, desk.store.turns(&row.id).await?)))
}

/// Milliseconds from the answer to the beginning of a recording, with the recording.
const OFFSET: HeaderName = HeaderName::from_static("recording-offset-ms");

/// `GET /v1/calls/{id}/recording`: the WAV file, whole or in ranges, once the call is over.
pub(super) async fn recording(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    let mut answer = served::serve(served::file(&desk, &row).await?, request).await?;
    answer.headers_mut().insert(OFFSET, row.recording_offset_ms().unwrap_or_default().into());
    Ok(answer)
}
