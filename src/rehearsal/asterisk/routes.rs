//! The REST interface. Whoever does not show the user's password is refused; so is what the
//! original would refuse. Facts: Asterisk's `rest-api/api-docs/{channels,bridges}.json`.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::channels::Refused;
use super::{CONNECTION, NORMAL, Pbx, USER, events};
use crate::socket::Limits;
use crate::socket::upgrade::Upgrade;

type Inside = State<Arc<Pbx>>;

pub(super) fn all(pbx: Arc<Pbx>) -> Router {
    let ari = Router::new()
        .route("/channels", get(channels))
        .route("/channels/externalMedia", post(external))
        .route("/channels/{id}", post(ring).get(show).delete(hang_up))
        .route("/channels/{id}/answer", post(answer))
        .route("/channels/{id}/ring", post(sound_ringing))
        .route("/channels/{id}/dtmf", post(press))
        .route("/bridges", get(bridges))
        .route("/bridges/{id}", post(bridge).delete(remove))
        .route("/bridges/{id}/addChannel", post(join))
        .route("/asterisk/ping", get(async || Json(json!({ "ping": "pong" }))))
        .route("/events", get(listen))
        .layer(middleware::from_fn(admit));
    Router::new().nest("/ari", ari).with_state(pbx)
}

async fn admit(request: Request, next: Next) -> Response {
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", USER.0, USER.1)));
    if request.headers().get(AUTHORIZATION).is_none_or(|shown| shown.as_bytes() != basic.as_bytes())
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

fn refusal(status: Refused) -> StatusCode {
    StatusCode::from_u16(status).expect("a status of ours")
}

fn word<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_default()
}

async fn ring(
    State(pbx): Inside,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    if word(&body, "app") != "tandem" {
        return Err(StatusCode::BAD_REQUEST);
    }
    // Half a minute is the interface's own.
    let ringing = Duration::from_secs(body["timeout"].as_u64().unwrap_or(30));
    let rung = tokio::spawn(async move {
        let mut slow = pbx.is_slow.subscribe();
        drop(slow.wait_for(|is_slow| !is_slow).await);
        pbx.ring(&id, word(&body, "endpoint"), ringing)
    });
    // It is carried out, whether anybody still waits for the answer or not.
    rung.await.map_err(|_panic| refusal(500))?.map(Json).map_err(refusal)
}

async fn external(State(pbx): Inside, Json(body): Json<Value>) -> Result<Json<Value>, StatusCode> {
    let known = word(&body, "external_host") == CONNECTION
        && word(&body, "transport") == "websocket"
        && word(&body, "encapsulation") == "none"
        && word(&body, "transport_data") == "f(json)"
        && matches!(word(&body, "format"), "slin24" | "ulaw");
    if !known {
        return Err(StatusCode::BAD_REQUEST);
    }
    let id = word(&body, "channelId");
    pbx.external(id, word(&body, "format"), &body["variables"]).map_err(refusal)?;
    Ok(Json(pbx.shown(id)))
}

async fn channels(State(pbx): Inside) -> Json<Value> {
    let hall = pbx.hall();
    Json(hall.channels.iter().map(|(id, channel)| channel.shown(id)).collect())
}

async fn show(State(pbx): Inside, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    Some(pbx.shown(&id)).filter(|shown| !shown.is_null()).map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn hang_up(State(pbx): Inside, Path(id): Path<String>) -> StatusCode {
    if pbx.shown(&id).is_null() {
        return StatusCode::NOT_FOUND;
    }
    pbx.destroy(&id, NORMAL);
    StatusCode::NO_CONTENT
}

async fn answer(State(pbx): Inside, Path(id): Path<String>) -> StatusCode {
    match pbx.hall().channels.get_mut(&id) {
        Some(channel) if channel.is_ours => channel.state = "Up",
        Some(_) => return StatusCode::CONFLICT,
        None => return StatusCode::NOT_FOUND,
    }
    StatusCode::NO_CONTENT
}

async fn sound_ringing(State(pbx): Inside, Path(id): Path<String>) -> StatusCode {
    match pbx.hall().channels.get(&id) {
        Some(channel) if channel.is_ours => StatusCode::NO_CONTENT,
        Some(_) => StatusCode::CONFLICT,
        None => StatusCode::NOT_FOUND,
    }
}

async fn press(
    State(pbx): Inside,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<StatusCode, StatusCode> {
    pbx.press(&id, word(&body, "dtmf")).map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn bridges(State(pbx): Inside) -> Json<Value> {
    let hall = pbx.hall();
    let shown = |(id, channels)| json!({ "id": id, "channels": channels });
    Json(hall.bridges.iter().map(shown).collect())
}

async fn bridge(State(pbx): Inside, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    match pbx.hall().bridges.entry(id.clone()) {
        Entry::Vacant(place) => place.insert(BTreeSet::new()),
        Entry::Occupied(_) => return Err(StatusCode::CONFLICT),
    };
    pbx.changed();
    Ok(Json(json!({ "id": id })))
}

async fn remove(State(pbx): Inside, Path(id): Path<String>) -> StatusCode {
    let removed = pbx.hall().bridges.remove(&id);
    pbx.changed();
    removed.map_or(StatusCode::NOT_FOUND, |_channels| StatusCode::NO_CONTENT)
}

async fn join(
    State(pbx): Inside,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<StatusCode, StatusCode> {
    pbx.join(&id, word(&body, "channel")).map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn listen(State(pbx): Inside, upgrade: Upgrade) -> Response {
    let (answer, socket) = upgrade.accept(Limits::CARRIER);
    let told = pbx.events.subscribe();
    drop(tokio::spawn(async move {
        if let Ok(socket) = socket.await {
            pbx.changed();
            events::tell(pbx, socket, told).await;
        }
    }));
    answer
}
