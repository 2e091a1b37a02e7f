//! ClawCall's routes in its own shape, so that its clients work against this server: the same
//! calls as under `/v1`, told in its words.

mod error;
mod link;
mod preferences;
mod view;

use axum::Json;
use axum::Router;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_actors::briefing::Direction;
use tandem_actors::call::event::{Input, Order as Command};
use tandem_actors::carrier::Number;
use uuid::Uuid;

use super::Desk;
use super::caller::{Caller, Writer};
use super::calls::order::{checked_manner, checked_number, checked_task};
use super::calls::served;
use super::once::{once, replayed};
use super::openapi::words::DirectionWord;
use super::problem::Problem;
use crate::account::Account;
use crate::reception::{Order, Wish};
use crate::store::{Archive as _, CallFilter, Keys as _, Once, Scope, hex_digest};
use error::Fault;
pub(super) use link::Links;
pub(super) use preferences::Preferences;

/// The header with a key that was made for a first call.
const MADE_KEY: HeaderName = HeaderName::from_static("x-clawcall-api-key");

/// Calls of one page unless asked otherwise, and at most.
const PAGE: u32 = 25;
const PAGE_MAX: u32 = 200;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/call", post(place))
        .route("/call/{id}", get(show))
        .route("/call/{id}/hangup", post(hang_up))
        .route("/call/{id}/recording", get(recording))
        .route("/call/{id}/recording/{until}/{signature}", get(linked))
        .route("/me/calls", get(list))
        .route(
            "/me/call-preferences",
            get(preferences::show).put(preferences::set).delete(preferences::reset),
        )
        .route("/balance", get(balance))
}

/// An order as ClawCall's clients write it.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ClawCallOrder")]
pub(super) struct Place {
    /// Whom to ring, in E.164.
    to: Option<String>,
    /// What for.
    task: Option<String>,
    personality: Option<String>,
    greeting: Option<String>,
    /// `jessica`, `sarah`, `chris` or `eric`.
    voice: Option<String>,
    /// Whom the other party may be handed over to: only who is in the settings.
    bridge_number: Option<String>,
    /// Whether they may be handed over at all.
    #[schemars(with = "Option<bool>")]
    loop_in_user: Option<Value>,
}

/// `POST /call`: 201 with the call's id. Without a key, where keys are made, with a fresh one: it
/// is made, and so is its account, when the order is carried out.
async fn place(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, Fault> {
    let Json(body) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let first = desk.makes_keys && !Caller::shows_key(&headers);
    let account = if first { fresh() } else { Writer::of(&headers, &desk).await?.0.account };
    let once = once(&headers, &account, "POST /call", &body)?;
    let once = if first { once.map(nobodys) } else { once };
    let order: Place =
        serde_json::from_value(body).map_err(|error| Problem::body(&error.to_string()))?;
    let (Some(to), Some(task)) = (&order.to, &order.task) else {
        return Err(Fault::new(StatusCode::BAD_REQUEST, "missing_fields", "give `to` and `task`"));
    };
    let usual = Preferences::of(&desk.store, &account).await?;
    let manner = usual.manner(order.personality, order.greeting, order.voice.as_deref())?;
    let wish = Wish {
        account: account.clone(),
        manner: checked_manner(manner)?,
        hand_over: hands_over(&desk, order.loop_in_user, order.bridge_number.as_deref())?,
        ..desk.reception.wish(checked_task(task)?)
    };
    let placed = desk.reception.place(Order { to: checked_number("to", to.clone())?, wish, once });
    let placed = placed.await?;
    let mut answer = json!({ "call_id": placed.call.to_string(), "status": "queued" });
    let mut headers = HeaderMap::new();
    replayed(&mut headers, placed.repeated);
    let key = if first && !placed.repeated { first_key(&desk, account).await } else { None };
    if let Some(key) = key {
        let mut value = HeaderValue::try_from(&key).expect("a key of ours is visible ascii");
        value.set_sensitive(true);
        headers.insert(MADE_KEY, value);
        answer["api_key"] = key.into();
    }
    Ok((StatusCode::CREATED, headers, Json(answer)).into_response())
}

/// An account that nobody has.
fn fresh() -> Account {
    let name = format!("first-{}", Uuid::new_v4().simple());
    name.parse().expect("letters and figures name an account")
}

/// An order without a key has no account under which it is found when it comes again: it is
/// remembered under a name that is made of its `Idempotency-Key`. No call and no key has that, so
/// that whoever sends the same gets nothing of whoever sent it first but the call's id.
fn nobodys(once: Once) -> Once {
    let digest = hex_digest(&["first call", &once.key]);
    let name = format!("once-{digest:.48}");
    Once { account: name.parse().expect("letters and figures name an account"), ..once }
}

/// The key of a first call. None when it cannot be written: the call is made all the same.
async fn first_key(desk: &Desk, account: Account) -> Option<String> {
    let made = desk.store.make_key(account, Scope::All, "first call".to_owned()).await;
    let made = made.inspect_err(|error| tracing::error!(%error, "a first call without a key"));
    made.ok().flatten().map(|(_, key)| key)
}

/// Whether the other party may be handed over. Only to the number in the settings: one that comes
/// with an order is nobody's that we know, and nobody else is brought in for them.
fn hands_over(desk: &Desk, loop_in: Option<Value>, bridge: Option<&str>) -> Result<bool, Fault> {
    let human = desk.reception.human();
    let is_wanted = loop_in != Some(Value::Bool(false));
    if is_wanted && bridge.is_some() && bridge != human.as_ref().map(Number::as_str) {
        return Err(Fault::new(
            StatusCode::BAD_REQUEST,
            "invalid_handoff_number",
            "calls are handed over to the number in the server's settings (carrier.human) alone",
        ));
    }
    match loop_in {
        None => Ok(bridge.is_some()),
        Some(Value::Bool(false)) => Ok(false),
        Some(Value::Bool(true)) if human.is_none() => Err(Fault::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "account_phone_unavailable",
            "no phone is set to loop in: whoever runs the server sets carrier.human",
        )),
        Some(Value::Bool(true)) => Ok(true),
        Some(_) => {
            let told = "loop_in_user is true or false";
            Err(Fault::new(StatusCode::BAD_REQUEST, "invalid_loop_in_user", told))
        }
    }
}

/// `GET /call/{id}`.
async fn show(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Fault> {
    let caller = Caller::of(&headers, &desk).await?;
    let row = caller.call(&desk.store, &id).await?;
    let turns = desk.store.turns(&row.id).await?;
    Ok(Json(view::whole(&row, &turns)))
}

/// `POST /call/{id}/hangup`: a call that is over already is a success.
async fn hang_up(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Fault> {
    let Writer(caller) = Writer::of(&headers, &desk).await?;
    let row = caller.call(&desk.store, &id).await?;
    // One whose end is written down may still be on its way out of the exchange.
    let hang_up = Input::Order(Command::HangUp);
    let told = row.outcome.is_none()
        && (desk.exchange.tell(&row.id, hang_up) || desk.reception.send_away(&row.id));
    let (status, message) = if told {
        ("ending", "the call is being ended")
    } else {
        ("completed", "the call is over already")
    };
    Ok(Json(json!({ "success": true, "call_id": id, "status": status, "message": message })))
}

/// `GET /call/{id}/recording`: 302 to an address that is good for ten minutes.
async fn recording(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let caller = Caller::of(&headers, &desk).await?;
    let row = caller.call(&desk.store, &id).await?;
    served::file(&desk, &row).await?;
    let location = desk.links.of(&row.id.0, Timestamp::now());
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

/// What that address leads to.
async fn linked(
    State(desk): State<Desk>,
    Path((id, until, signature)): Path<(String, i64, String)>,
    request: Request,
) -> Result<Response, Fault> {
    if !desk.links.hold(&id, until, &signature, Timestamp::now()) {
        let told = "this address was good for ten minutes; ask for the recording again";
        return Err(Fault::new(StatusCode::NOT_FOUND, "recording_not_available", told));
    }
    let row = Caller::holder().call(&desk.store, &id).await?;
    Ok(served::serve(served::file(&desk, &row).await?, request).await?)
}

/// Which calls.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Listing {
    #[schemars(with = "DirectionWord")]
    direction: Option<String>,
    /// Only calls that were over by then or later.
    #[schemars(with = "Timestamp")]
    since: Option<Timestamp>,
    /// How many at most; 25 unless asked otherwise.
    #[schemars(with = "u32", range(min = 1, max = PAGE_MAX))]
    limit: Option<u32>,
}

/// `GET /me/calls`: newest first; `since` is the time at which a call was over.
async fn list(
    State(desk): State<Desk>,
    headers: HeaderMap,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let caller = Caller::of(&headers, &desk).await?;
    let invalid = |told: &str| Fault::new(StatusCode::BAD_REQUEST, "invalid_query", told);
    let Query(listing) = listing.map_err(|rejection| invalid(&rejection.body_text()))?;
    let direction = match listing.direction.as_deref() {
        None => None,
        Some("inbound") => Some(Direction::Inbound),
        Some("outbound") => Some(Direction::Outbound),
        Some(_) => return Err(invalid("direction is inbound or outbound")),
    };
    let limit = listing.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(invalid("limit is 1 to 200"));
    }
    let filter = CallFilter {
        direction,
        account: Some(caller.account),
        finalized_since_ms: listing.since.map(Timestamp::as_millisecond),
        ..CallFilter::default()
    };
    let page = desk.store.calls(filter, None, limit).await?;
    let calls: Vec<Value> = page.calls.iter().map(view::brief).collect();
    Ok(Json(json!({ "calls": calls, "recordingWindowMinutes": link::MINUTES })))
}

/// `GET /balance`: nothing is counted here.
async fn balance(State(desk): State<Desk>, headers: HeaderMap) -> Result<Response, Fault> {
    Caller::of(&headers, &desk).await?;
    let said = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let headers = HeaderMap::from_iter([
        said("x-clawcall-balance-seconds", "unlimited"),
        said("x-clawcall-balance-minutes", "unlimited"),
        said("x-clawcall-tier", "self_hosted"),
    ]);
    let body = json!({
        "tier": "self_hosted",
        "unlimited": true,
        "balance_seconds": null,
        "balance_minutes": null,
        "low_balance": false,
        "plan": null,
        "trial": null,
    });
    Ok((headers, Json(body)).into_response())
}
