//! The REST interface of the simulated Twilio: the resources that are used, as documented.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tandem_actors::carrier::Number;

use super::call::{Call, Order, Status};
use super::life::{self, Outbound};
use super::twiml::{self, Verb};
use super::{Hush, Network, recording};

/// TwiML in an order has at most so many characters.
const TWIML: usize = 4_000;

/// The resources below an account.
pub(super) fn routes(network: Arc<Network>) -> Router {
    let account = Router::new()
        .route("/Calls.json", post(create).get(list))
        .route("/Calls/{name}", post(update).get(fetch))
        .route("/Calls/{name}/Recordings.json", post(recording::begin))
        .route("/Recordings/{file}", get(recording::file));
    Router::new()
        .route("/2010-04-01/Accounts/{account}", get(show))
        .nest("/2010-04-01/Accounts/{account}", account)
        .fallback(|| async { Refused(404, 20_404) })
        .with_state(network)
}

pub(super) type Fields = Vec<(String, String)>;

/// An error as Twilio words it: the HTTP status and the code.
pub(super) struct Refused(pub(super) u16, pub(super) u32);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, code) = self;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        let more = format!("https://www.twilio.com/docs/errors/{code}");
        let body = json!({
            "code": code, "message": "no", "more_info": more, "status": status.as_u16()
        });
        (status, Json(body)).into_response()
    }
}

/// Who shows the password of the account, or of its API key.
pub(super) fn user(network: &Network, headers: &HeaderMap) -> Result<String, Refused> {
    let settings = &network.settings;
    let own = Some((&settings.account, &settings.auth_token));
    let key = settings.api_key.as_ref().map(|(name, secret)| (name, secret));
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let known = |(name, password): &(&String, &SecretString)| {
        let pair = STANDARD.encode(format!("{name}:{}", password.expose_secret()));
        shown == Some(&format!("Basic {pair}"))
    };
    let user = own.into_iter().chain(key).find(known).ok_or(Refused(401, 20_003))?;
    Ok(user.0.clone())
}

/// The form of a request to the account, by whoever may open it.
pub(super) fn taken(
    network: &Network,
    account: &str,
    headers: &HeaderMap,
    body: &str,
) -> Result<Fields, Refused> {
    let user = user(network, headers)?;
    if *account != network.settings.account {
        return Err(Refused(401, 20_003));
    }
    network.state().users.insert(user);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind != Some("application/x-www-form-urlencoded") {
        return Err(Refused(415, 20_001));
    }
    Ok(form_urlencoded::parse(body.as_bytes()).into_owned().collect())
}

pub(super) fn said<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The account itself, which no standard API key may read (Twilio's page on API keys).
async fn show(
    State(network): State<Arc<Network>>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let account = &network.settings.account;
    if user(&network, &headers)? != *account || file.strip_suffix(".json") != Some(account) {
        return Err(Refused(401, 20_003));
    }
    Ok(Json(json!({ "sid": account, "status": "active" })).into_response())
}

async fn list(
    State(network): State<Arc<Network>>,
    Path(account): Path<String>,
    Query(asked): Query<Fields>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    user(&network, &headers)?;
    if account != network.settings.account {
        return Err(Refused(401, 20_003));
    }
    let state = network.state();
    let hidden = state.hush == Some(Hush::Everything);
    let wanted = |field: &str, number: &Number| {
        said(&asked, field).is_none_or(|wanted| wanted == number.as_str())
    };
    let mut calls: Vec<_> = state
        .calls
        .iter()
        .filter(|(_, call)| !hidden && wanted("To", &call.to) && wanted("From", &call.from))
        .map(|(name, call)| described(name, call))
        .collect();
    // The newest first.
    calls.reverse();
    Ok(Json(json!({ "calls": calls })).into_response())
}

async fn create(
    State(network): State<Arc<Network>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refused> {
    let fields = taken(&network, &account, &headers, &body)?;
    let (Some(to), Some(from)) = (said(&fields, "To"), said(&fields, "From")) else {
        return Err(Refused(400, 21_201));
    };
    if !to.starts_with('+') || to.len() < 8 {
        return Err(Refused(400, 21_211));
    }
    if from != network.settings.number {
        return Err(Refused(400, 21_210));
    }
    let twiml = said(&fields, "Twiml").filter(|twiml| twiml.len() <= TWIML);
    let verbs = twiml.and_then(|twiml| twiml::read(twiml).ok()).ok_or(Refused(400, 12_100))?;
    let asked: Vec<&str> = fields
        .iter()
        .filter(|(name, _)| name == "StatusCallbackEvent")
        .map(|(_, value)| value.as_str())
        .collect();
    let events = said(&fields, "StatusCallback").unwrap_or_default().to_owned();
    if asked != ["initiated", "ringing", "answered", "completed"] || events.is_empty() {
        return Err(Refused(400, 21_626));
    }
    let listens = said(&fields, "MachineDetection") == Some("DetectMessageEnd")
        && said(&fields, "AsyncAmd") == Some("true");
    let verdict = said(&fields, "AsyncAmdStatusCallback").filter(|_| listens).map(str::to_owned);
    let timeout_s = said(&fields, "Timeout").and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let (name, mut call, orders) = Call::new(Number::new(from), Number::new(to));
    call.addresses = verbs.iter().find_map(|verb| match verb {
        Verb::Stream { url, .. } => Some((events.clone(), url.clone())),
        Verb::Dial(_)
        | Verb::Say(_)
        | Verb::Pause(_)
        | Verb::Redirect(_)
        | Verb::Reject
        | Verb::Hangup => None,
    });
    let answer = shown(&name, &call, StatusCode::CREATED);
    let (mute, fails) = {
        let mut state = network.state();
        state.orders += 1;
        state.calls.insert(name.clone(), call);
        (state.mute, state.hush.is_some())
    };
    let order = Outbound { verbs, events, timeout_s, verdict };
    drop(tokio::spawn(life::outbound(Arc::clone(&network), name, order, orders)));
    if mute {
        std::future::pending::<()>().await;
    }
    if fails {
        return Err(Refused(503, 20_503));
    }
    Ok(answer)
}

async fn fetch(
    State(network): State<Arc<Network>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    user(&network, &headers)?;
    if account != network.settings.account {
        return Err(Refused(401, 20_003));
    }
    let name = file.strip_suffix(".json").ok_or(Refused(404, 20_404))?;
    let state = network.state();
    let call = state.calls.get(name).ok_or(Refused(404, 20_404))?;
    Ok(shown(name, call, StatusCode::OK))
}

async fn update(
    State(network): State<Arc<Network>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refused> {
    let fields = taken(&network, &account, &headers, &body)?;
    let name = file.strip_suffix(".json").ok_or(Refused(404, 20_404))?;
    let order = match (said(&fields, "Status"), said(&fields, "Twiml")) {
        (Some("completed"), None) => Order::End,
        (None, Some(twiml)) => {
            Order::Redirect(twiml::read(twiml).map_err(|_| Refused(400, 12_100))?)
        }
        (Some(_) | None, Some(_) | None) => return Err(Refused(400, 21_218)),
    };
    let (orders, answer) = {
        let mut state = network.state();
        let call = state.calls.get_mut(name).ok_or(Refused(404, 20_404))?;
        let live = match order {
            Order::End => !call.record.status.is_final(),
            Order::Redirect(_) => call.record.status == Status::InProgress,
        };
        if !live {
            return Err(Refused(400, 21_220));
        }
        if let Some((events, _)) = &mut call.addresses
            && let Some(moved) = said(&fields, "StatusCallback")
        {
            moved.clone_into(events);
        }
        (call.orders.clone(), shown(name, call, StatusCode::OK))
    };
    orders.send(order).await.map_err(|_over| Refused(400, 21_220))?;
    Ok(answer)
}

fn shown(name: &str, call: &Call, status: StatusCode) -> Response {
    (status, Json(described(name, call))).into_response()
}

fn described(name: &str, call: &Call) -> Value {
    let created = call.created.to_zoned(TimeZone::UTC);
    json!({
        "sid": name,
        "status": call.record.status.word(),
        "direction": if call.addresses.is_some() { "outbound-api" } else { "inbound" },
        "to": call.to.as_str(),
        "from": call.from.as_str(),
        "date_created": rfc2822::to_string(&created).ok(),
        "api_version": "2010-04-01",
    })
}
