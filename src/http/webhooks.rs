//! Endpoints that want to be told what happens: made, looked at, tried, given another secret.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tandem_actors::briefing::Text;
use uuid::Uuid;

use super::Desk;
use super::caller::{Caller, Writer};
use super::openapi::words::EventWord;
use super::problem::Problem;
use crate::store::{
    Deliveries as _, DeliveryRow, NewWebhook, News, Telling as _, WAITING_MAX, WEBHOOKS_MAX,
    WebhookRow, Webhooks as _,
};
use crate::webhook::signature::new_secret;

/// What an endpoint can be told of.
pub(super) const EVENTS: [&str; 7] = [
    "call.dialing",
    "call.answered",
    "call.finalized",
    "approval.settled",
    "search.finished",
    "schedule.called",
    "schedule.missed",
];

/// How long the secret before signs too: receivers are changed one after the other.
const BOTH_SIGN_MS: i64 = 24 * 60 * 60 * 1_000;

pub(super) fn routes() -> axum::Router<Desk> {
    axum::Router::new()
        .route("/v1/webhooks", post(make).get(list))
        .route("/v1/webhooks/{id}", get(show).delete(forget))
        .route("/v1/webhooks/{id}/test", post(test))
        .route("/v1/webhooks/{id}/rotate", post(rotate))
        .route("/v1/webhooks/{id}/deliveries/{delivery}/retry", post(retry))
}

/// Where, and what of.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookOrder")]
pub(super) struct Wanted {
    #[schemars(url)]
    url: String,
    /// What it is told of; left out, of all.
    #[schemars(with = "Option<Vec<EventWord>>")]
    events: Option<Vec<String>>,
}

/// The secret of an endpoint, shown this once.
#[derive(Serialize, JsonSchema)]
pub(super) struct WebhookSecret {
    /// The endpoint.
    id: String,
    /// `whsec_…`, as Standard Webhooks has it.
    secret: String,
}

/// An endpoint that is told what happens.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub(super) struct WebhookView {
    id: String,
    url: String,
    events: Vec<String>,
    /// Whether anything is sent to it.
    enabled: bool,
    disabled_reason: Option<String>,
    created_at: Option<Timestamp>,
    /// Deliveries that are still to come.
    waiting: i64,
    /// What was not told, for too much waited.
    missed: i64,
    /// The last fifty, newest first; where one endpoint is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<Vec<DeliveryView>>,
}

/// Something that is told to an endpoint.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
struct DeliveryView {
    /// The `webhook-id`.
    id: String,
    /// What happened.
    r#type: String,
    /// `waiting`, `delivered` or `failed`.
    state: String,
    attempts: i64,
    created_at: Option<Timestamp>,
    next_attempt_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    /// What the last attempt was answered with.
    status: Option<i64>,
    error: Option<String>,
}

/// The endpoints there are.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhooks")]
pub(super) struct AllWebhooks {
    webhooks: Vec<WebhookView>,
}

/// A delivery that is on its way.
#[derive(Serialize, JsonSchema)]
pub(super) struct SentDelivery {
    /// The endpoint.
    id: String,
    delivery: String,
}

/// `POST /v1/webhooks`: the answer is the only place where its secret is ever shown.
async fn make(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    body: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(wanted) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    desk.webhooks.reach.check(&wanted.url).map_err(|wrong| Problem::invalid("url", wrong))?;
    let mut events = wanted.events.unwrap_or_default();
    if let Some(unknown) = events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
        let shown: String = unknown.chars().take(64).collect();
        let have = EVENTS.join(", ");
        let detail = format!("there is no event {shown:?}; leave it out for all, or use: {have}");
        return Err(Problem::invalid("events", detail));
    }
    events.sort_unstable();
    events.dedup();
    let (id, secret) = (Uuid::now_v7().to_string(), new_secret());
    let new = NewWebhook { id: id.clone(), url: Text(wanted.url), events, secret: secret.clone() };
    if !desk.store.make_webhook(caller.account.as_str(), new).await? {
        let detail = format!("there are {WEBHOOKS_MAX} already; delete one that is not needed");
        return Err(Problem::conflict("too_many_webhooks", detail));
    }
    let place = HeaderValue::try_from(format!("/v1/webhooks/{id}"));
    let place = place.expect("an id of ours is visible ascii");
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], shown_once(&id, &secret)).into_response())
}

/// A secret, which nobody on the way may keep.
fn shown_once(id: &str, secret: &SecretString) -> (HeaderMap, Json<WebhookSecret>) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let secret = secret.expose_secret().to_owned();
    (headers, Json(WebhookSecret { id: id.to_owned(), secret }))
}

/// `GET /v1/webhooks`.
async fn list(State(desk): State<Desk>, caller: Caller) -> Result<Json<AllWebhooks>, Problem> {
    let all = desk.store.webhooks(caller.account.as_str()).await?;
    Ok(Json(AllWebhooks { webhooks: all.iter().map(view).collect() }))
}

/// `GET /v1/webhooks/{id}`: with its last deliveries, newest first.
async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<WebhookView>, Problem> {
    let webhook = one(&desk, &caller, &id).await?;
    let deliveries = desk.store.deliveries(&webhook.id).await?;
    let deliveries = Some(deliveries.into_iter().map(delivery).collect());
    Ok(Json(WebhookView { deliveries, ..view(&webhook) }))
}

/// `DELETE /v1/webhooks/{id}`.
async fn forget(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    match desk.store.forget_webhook(caller.account.as_str(), &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(no_webhook(&id)),
    }
}

/// `POST /v1/webhooks/{id}/test`: tells it a `ping`.
async fn test(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let webhook = sent_to(&desk, &caller, &id).await?;
    let news = News {
        event: "ping".to_owned(),
        data: json!({ "webhook": webhook.id }),
        at_ms: Timestamp::now().as_millisecond(),
    };
    let Some(delivery) = desk.store.tell_one(caller.account.as_str(), &webhook.id, news).await?
    else {
        let detail = format!(
            "{WAITING_MAX} deliveries wait for this endpoint already; see why they are not taken"
        );
        return Err(Problem::conflict("too_many_deliveries", detail));
    };
    desk.webhooks.hurry(&webhook.id);
    let body = Json(SentDelivery { id: webhook.id, delivery });
    Ok((StatusCode::ACCEPTED, body).into_response())
}

/// `POST /v1/webhooks/{id}/rotate`: another secret; the one before signs too for a day.
async fn rotate(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (secret, now_ms) = (new_secret(), Timestamp::now().as_millisecond());
    let until_ms = now_ms + BOTH_SIGN_MS;
    match desk.store.rotate_webhook(caller.account.as_str(), &id, secret.clone(), until_ms).await? {
        true => Ok(shown_once(&id, &secret).into_response()),
        false => Err(no_webhook(&id)),
    }
}

/// `POST /v1/webhooks/{id}/deliveries/{delivery}/retry`: sends it now, whatever became of it.
async fn retry(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let webhook = sent_to(&desk, &caller, &id).await?;
    if !desk.store.retry_delivery(&webhook.id, &delivery).await? {
        return Err(Problem::absent(
            "delivery_not_found",
            "There is no such delivery",
            "it was thrown away, or never was; see those of GET /v1/webhooks/{id}".to_owned(),
        ));
    }
    desk.webhooks.hurry(&webhook.id);
    let body = Json(SentDelivery { id: webhook.id, delivery });
    Ok((StatusCode::ACCEPTED, body).into_response())
}

async fn one(desk: &Desk, caller: &Caller, id: &str) -> Result<WebhookRow, Problem> {
    desk.store.webhook(caller.account.as_str(), id).await?.ok_or_else(|| no_webhook(id))
}

/// One that something is sent to.
async fn sent_to(desk: &Desk, caller: &Caller, id: &str) -> Result<WebhookRow, Problem> {
    let webhook = one(desk, caller, id).await?;
    match &webhook.disabled {
        None => Ok(webhook),
        Some(why) => {
            let detail = format!(
                "nothing is sent to this endpoint any more ({why}); delete it and make another"
            );
            Err(Problem::conflict("webhook_disabled", detail))
        }
    }
}

fn no_webhook(id: &str) -> Problem {
    let shown: String = id.chars().take(64).collect();
    let detail = format!("no webhook has the id {shown:?}; GET /v1/webhooks lists those there are");
    Problem::absent("webhook_not_found", "There is no such webhook", detail)
}

fn view(row: &WebhookRow) -> WebhookView {
    let events = match row.events.is_empty() {
        true => EVENTS.map(str::to_owned).to_vec(),
        false => row.events.clone(),
    };
    WebhookView {
        id: row.id.clone(),
        url: row.url.0.clone(),
        events,
        enabled: row.disabled.is_none(),
        disabled_reason: row.disabled.clone(),
        created_at: at(row.created_ms),
        waiting: row.waiting,
        missed: row.missed,
        deliveries: None,
    }
}

fn delivery(row: DeliveryRow) -> DeliveryView {
    let waits = row.ended_ms.is_none();
    DeliveryView {
        id: row.id,
        r#type: row.event,
        state: row.state,
        attempts: row.attempts,
        created_at: at(row.created_ms),
        next_attempt_at: waits.then(|| at(row.due_ms)).flatten(),
        ended_at: row.ended_ms.and_then(at),
        status: row.status,
        error: row.error,
    }
}

fn at(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}
