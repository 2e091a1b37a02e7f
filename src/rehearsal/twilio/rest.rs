//! The REST interface of the simulated Twilio: the resources that are used, as documented.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tandem_actors::carrier::Number;

use super::call::{Call, Order, Status};
use super::life::{self, Outbound};
use super::twiml::{self, Verb};
use super::{Network, fresh_name};

/// TwiML in an order has at most so many characters.
const TWIML: usize = 4_000;

/// The resources below an account.
pub(super) fn routes(network: Arc<Network>) -> Router {
    let account = Router::new()
        .route("/Calls.json", post(create))
        .route("/Calls/{name}", post(update))
        .route("/Calls/{name}/Recordings.json", post(record))
        .route("/Calls/{name}/Recordings/{recording}", post(update_recording));
    Router::new()
        .nest("/2010-04-01/Accounts/{account}", account)
        .fallback(|| async { Refused(404, 20_404) })
        .with_state(network)
}

type Fields = Vec<(String, String)>;

/// An error as Twilio words it: the HTTP status and the code.
struct Refused(u16, u32);

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

/// The form of a request that shows the account's name and token.
fn taken(
    network: &Network,
    account: &str,
    headers: &HeaderMap,
    body: &str,
) -> Result<Fields, Refused> {
    let (own, token) = (&network.settings.account, &network.settings.auth_token);
    let wanted = STANDARD.encode(format!("{own}:{}", token.expose_secret()));
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if account != own || shown != Some(&format!("Basic {wanted}")) {
        return Err(Refused(401, 20_003));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind != Some("application/x-www-form-urlencoded") {
        return Err(Refused(415, 20_001));
    }
    Ok(form_urlencoded::parse(body.as_bytes()).into_owned().collect())
}

fn get<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

async fn create(
    State(network): State<Arc<Network>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refused> {
    let fields = taken(&network, &account, &headers, &body)?;
    let (Some(to), Some(from)) = (get(&fields, "To"), get(&fields, "From")) else {
        return Err(Refused(400, 21_201));
    };
    if !to.starts_with('+') || to.len() < 8 {
        return Err(Refused(400, 21_211));
    }
    if from != network.settings.number {
        return Err(Refused(400, 21_210));
    }
    let twiml = get(&fields, "Twiml").filter(|twiml| twiml.len() <= TWIML);
    let verbs = twiml.and_then(|twiml| twiml::read(twiml).ok()).ok_or(Refused(400, 12_100))?;
    let asked: Vec<&str> = fields
        .iter()
        .filter(|(name, _)| name == "StatusCallbackEvent")
        .map(|(_, value)| value.as_str())
        .collect();
    let events = get(&fields, "StatusCallback").unwrap_or_default().to_owned();
    if asked != ["initiated", "ringing", "answered", "completed"] || events.is_empty() {
        return Err(Refused(400, 21_626));
    }
    let listens = get(&fields, "MachineDetection") == Some("DetectMessageEnd")
        && get(&fields, "AsyncAmd") == Some("true");
    let verdict = get(&fields, "AsyncAmdStatusCallback").filter(|_| listens).map(str::to_owned);
    let timeout_s = get(&fields, "Timeout").and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let (name, mut call, orders) = Call::new(Number::new(from), Number::new(to));
    call.addresses = verbs.iter().find_map(|verb| match verb {
        Verb::Stream { url, .. } => Some((events.clone(), url.clone())),
        Verb::Dial(_) | Verb::Reject | Verb::Hangup => None,
    });
    let answer = shown(&name, &call, StatusCode::CREATED);
    let mute = {
        let mut state = network.state();
        state.orders += 1;
        state.calls.insert(name.clone(), call);
        state.mute
    };
    let order = Outbound { verbs, events, timeout_s, verdict };
    drop(tokio::spawn(life::outbound(Arc::clone(&network), name, order, orders)));
    if mute {
        std::future::pending::<()>().await;
    }
    Ok(answer)
}

async fn update(
    State(network): State<Arc<Network>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refused> {
    let fields = taken(&network, &account, &headers, &body)?;
    let name = file.strip_suffix(".json").ok_or(Refused(404, 20_404))?;
    let order = match (get(&fields, "Status"), get(&fields, "Twiml")) {
        (Some("completed"), None) => Order::End,
        (None, Some(twiml)) => {
            Order::Redirect(twiml::read(twiml).map_err(|_| Refused(400, 12_100))?)
        }
        (Some(_) | None, Some(_) | None) => return Err(Refused(400, 21_218)),
    };
    let (orders, answer) = {
        let state = network.state();
        let call = state.calls.get(name).ok_or(Refused(404, 20_404))?;
        let live = match order {
            Order::End => !call.record.status.is_final(),
            Order::Redirect(_) => call.record.status == Status::InProgress,
        };
        if !live {
            return Err(Refused(400, 21_220));
        }
        (call.orders.clone(), shown(name, call, StatusCode::OK))
    };
    orders.send(order).await.map_err(|_over| Refused(400, 21_220))?;
    Ok(answer)
}

async fn record(
    State(network): State<Arc<Network>>,
    Path((account, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refused> {
    let fields = taken(&network, &account, &headers, &body)?;
    if get(&fields, "RecordingChannels") != Some("dual") {
        return Err(Refused(400, 20_001));
    }
    live(&network, &name)?;
    let recording = fresh_name("RE");
    network.note(&name, |record| record.recordings.push((recording.clone(), true)));
    let body = json!({ "sid": recording, "call_sid": name, "status": "in-progress" });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

async fn update_recording(
    State(network): State<Arc<Network>>,
    Path((account, name, recording)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Refused> {
    let fields = taken(&network, &account, &headers, &body)?;
    if recording != "Twilio.CURRENT.json" || get(&fields, "Status") != Some("stopped") {
        return Err(Refused(400, 20_001));
    }
    live(&network, &name)?;
    let mut stopped = None;
    network.note(&name, |record| {
        for (recording, runs) in record.recordings.iter_mut().filter(|(_, runs)| *runs) {
            *runs = false;
            stopped = Some(recording.clone());
        }
    });
    let recording = stopped.ok_or(Refused(404, 20_404))?;
    Ok(Json(json!({ "sid": recording, "status": "stopped" })).into_response())
}

fn live(network: &Network, name: &str) -> Result<(), Refused> {
    match network.state().calls.get(name).map(|call| call.record.status) {
        Some(Status::InProgress) => Ok(()),
        Some(_) => Err(Refused(400, 21_220)),
        None => Err(Refused(404, 20_404)),
    }
}

fn shown(name: &str, call: &Call, status: StatusCode) -> Response {
    let body = json!({
        "sid": name,
        "status": call.record.status.word(),
        "to": call.to.as_str(),
        "from": call.from.as_str(),
        "api_version": "2010-04-01",
    });
    (status, Json(body)).into_response()
}
