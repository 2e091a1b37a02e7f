//! Calls for the users of the API: ring somebody, look, speak through it, hang up.

mod detail;
mod events;
pub(super) mod order;
pub(super) mod view;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_actors::briefing::{Direction, Lifecycle, Outcome, Text};
use tandem_actors::call::event::{Input, Order as Command};
use tandem_actors::carrier::Number;
use tower_http::services::ServeFile;

pub(super) use events::events;

use super::Desk;
use super::caller::{Caller, Writer};
use super::once::replayed;
use super::problem::Problem;
use crate::store::{Archive, CallFilter};
use view::CallView;

/// Calls of one page unless asked otherwise.
const PAGE: u32 = 25;

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
    let placed = desk.reception.place(order).await?;
    let id = placed.call.to_string();
    let mut headers = HeaderMap::new();
    let location = HeaderValue::try_from(format!("/v1/calls/{id}"));
    headers.insert(header::LOCATION, location.expect("an id of ours is visible ascii"));
    replayed(&mut headers, placed.repeated);
    let body = Json(json!({ "id": id, "lifecycle": Lifecycle::Queued.word() }));
    Ok((StatusCode::ACCEPTED, headers, body).into_response())
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    limit: Option<u32>,
    cursor: Option<String>,
    direction: Option<String>,
    lifecycle: Option<String>,
    outcome: Option<String>,
    to: Option<String>,
}

/// `GET /v1/calls`: newest first.
pub(super) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Response, Problem> {
    let after = listing.cursor.map(|cursor| cursor.parse()).transpose().map_err(|_| {
        Problem::invalid("cursor", "not a cursor of ours; leave it out to begin".to_owned())
    })?;
    let (directions, lifecycles) = ([Direction::Inbound, Direction::Outbound], Lifecycle::ALL);
    let filter = CallFilter {
        direction: named("direction", listing.direction, directions, Direction::word)?,
        lifecycle: named("lifecycle", listing.lifecycle, lifecycles, Lifecycle::word)?,
        outcome: named("outcome", listing.outcome, Outcome::ALL, Outcome::word)?,
        remote: listing.to.map(Number::new),
        account: caller.sees(),
        finalized_since_ms: None,
    };
    let page = desk.store.calls(filter, after, listing.limit.unwrap_or(PAGE)).await?;
    let calls: Vec<CallView> = page.calls.into_iter().map(CallView::from).collect();
    let next = page.next.map(|cursor| cursor.to_string());
    Ok(Json(json!({ "calls": calls, "next": next })).into_response())
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

/// `POST /v1/calls/{id}/hangup`: a call that is over already is a success.
pub(super) async fn hang_up(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    let told = desk.exchange.tell(&row.id, Input::Order(Command::HangUp));
    let body = json!({ "id": id, "ended": !told });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Say {
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
    command(&desk, &caller, &id, Command::Say(Text(text.to_owned()))).await
}

/// Gives a live call an order.
async fn command(
    desk: &Desk,
    caller: &Caller,
    id: &str,
    command: Command,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, id).await?;
    if row.lifecycle != Lifecycle::Answered || !desk.exchange.tell(&row.id, Input::Order(command)) {
        let detail = format!(
            "the call is {}; this can be done while somebody is on the line",
            row.lifecycle.word()
        );
        return Err(Problem::conflict("nobody_on_the_line", detail));
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))).into_response())
}

/// `GET /v1/calls/{id}/transcript`.
pub(super) async fn transcript(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    let turns: Vec<_> = desk
        .store
        .turns(&row.id)
        .await?
        .into_iter()
        .map(|turn| {
            json!({
                "sequence": turn.sequence,
                "at_ms": turn.at_ms,
                "role": turn.speaker.word(),
                "text": turn.text.as_str(),
            })
        })
        .collect();
    Ok(Json(json!({ "id": id, "transcript": turns })).into_response())
}

/// `GET /v1/calls/{id}/recording`: the WAV file, whole or in ranges, once the call is over.
pub(super) async fn recording(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    let absent = |detail: &str| {
        Problem::of(StatusCode::NOT_FOUND, "recording_not_available", detail.to_owned())
    };
    if row.outcome.is_none() {
        return Err(absent("the call is not over; its recording is complete when it is"));
    }
    let path = desk.recordings.as_ref().and_then(|recordings| recordings.path(&row.id).ok());
    let path = path.filter(|path| path.exists());
    let path = path.ok_or_else(|| absent("this call was not recorded, or it was deleted"))?;
    let served = ServeFile::new(path).try_call(request).await;
    served.map(IntoResponse::into_response).map_err(|error| {
        tracing::error!(call = %row.id, %error, "recording");
        absent("the file cannot be read; see the server's log")
    })
}
