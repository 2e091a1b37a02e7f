//! The browser as a phone: it stands in for a number on one socket, calls the house's own agent,
//! and brings the media of a call on another. For whoever runs the server; whoever has the nonce
//! of a call got it from here.

use std::future::poll_fn;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::Number;
use tandem_actors::leg::Broken;
use tokio::time::Instant;

use super::Desk;
use super::alive::ALIVE;
use super::caller::Operator;
use super::calls::order::{checked_number, checked_task, queried};
use super::openapi::words::E164;
use super::problem::Problem;
use super::{media, phone};
use crate::account::Account;
use crate::carrier::softphone::wire::{self, Inbound, Outbound};
use crate::carrier::softphone::{self, NotStandingIn, Softphones, StandIn};
use crate::config::Dialect;
use crate::reception::Ringing;
use crate::socket::tally::Tally;
use crate::socket::upgrade::{Carried, NoUpgrade, Upgrade};
use crate::socket::{Message, Socket};

/// A browser that has not answered twice has gone: a lid was closed, a network was left. It is
/// looked at with each word, so that it goes after 15 s. The page gives a silent socket up a little
/// earlier, and finds its number free again soon.
const GONE: Duration = Duration::from_secs(12);

/// A browser that takes nothing for so long has gone too.
const PATIENCE: Duration = Duration::from_secs(10);

/// Close code of an endpoint that goes away (RFC 6455 §7.4.1).
const GOING_AWAY: u16 = 1_001;

/// Close code of an end because the far end breaks the terms.
const POLICY: u16 = 1_008;

/// Who calls without saying who.
const WITHHELD: &str = "anonymous";

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/v1/softphone", get(stand_in))
        .route("/v1/softphone/calls", post(call))
        .route("/softphone/media/{call}/{nonce}", get(media))
}

/// Which number a browser stands in for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SoftphoneNumber")]
pub(super) struct StoodInFor {
    #[schemars(with = "E164")]
    number: String,
}

/// `GET /v1/softphone`: the socket of a browser that stands in for a number.
pub(super) async fn stand_in(
    State(desk): State<Desk>,
    Operator: Operator,
    Query(StoodInFor { number }): Query<StoodInFor>,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Result<Response, Problem> {
    let number = checked_number("number", queried(number).as_str().to_owned())?;
    if !is_ours(&desk, &number).await? {
        let detail = "with a real phone network a browser stands in for the phone of the house \
                      (call.target, `tandem phone`) and for carrier.human, and for no other number";
        return Err(Problem::of(StatusCode::FORBIDDEN, "number_not_ours", detail.to_owned()));
    }
    let stand_in = desk.softphones.stand_in(number).map_err(|error| {
        let detail = error.to_string();
        match error {
            NotStandingIn::Taken => Problem::conflict("number_taken", detail),
            NotStandingIn::Full => {
                Problem::of(StatusCode::TOO_MANY_REQUESTS, "too_many_softphones", detail)
            }
            NotStandingIn::Closing => {
                Problem::of(StatusCode::SERVICE_UNAVAILABLE, "draining", detail)
            }
        }
    })?;
    // Browsers do not tell a page why a socket was refused: a plain request is told it before it
    // is told that this address speaks WebSocket only.
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let (answer, socket) = upgrade.accept(softphone::WORDS);
    drop(tokio::spawn(async move {
        if let Ok(socket) = socket.await {
            serve(socket, stand_in, desk.softphones).await;
        }
    }));
    Ok(answer)
}

/// Whether a browser may stand in for this number.
async fn is_ours(desk: &Desk, number: &Number) -> Result<bool, Problem> {
    if desk.stagehand.is_some() || desk.reception.human().as_ref() == Some(number) {
        return Ok(true);
    }
    Ok(phone::number(desk, &Account::house()).await?.as_ref() == Some(number))
}

/// Tells the browser what rings, and hears whether it is refused, until it goes.
async fn serve(mut socket: Socket<Carried>, mut stand_in: StandIn, softphones: Softphones) {
    let mut tally = Tally::new("softphone");
    let mut silence = tokio::time::interval_at(Instant::now() + ALIVE, ALIVE);
    loop {
        let flushed = poll_fn(|cx| socket.poll_flush(cx));
        if !matches!(tokio::time::timeout(PATIENCE, flushed).await, Ok(Ok(()))) {
            return;
        }
        let done = tokio::select! {
            message = poll_fn(|cx| socket.poll_message(cx)) => match message {
                Ok(Message::Text(text)) => hear(&text, &stand_in, &softphones, &mut tally),
                Ok(Message::Binary(_)) => tally.bad("binary"),
                Err(_) => return,
            },
            message = stand_in.message() => match message {
                Some(message) => socket.send_text(message),
                None => return farewell(socket, GOING_AWAY).await,
            },
            _ = silence.tick() => match socket.unanswered() {
                silent if silent >= GONE => return,
                // The ping asks the browser, the word tells the page, which sees no pings.
                _ => socket.ping().and_then(|()| socket.send_text(Outbound::Alive.text())),
            },
        };
        if done.is_err() {
            return farewell(socket, POLICY).await;
        }
    }
}

fn hear(
    text: &str,
    stand_in: &StandIn,
    softphones: &Softphones,
    tally: &mut Tally,
) -> Result<(), Broken> {
    let mut refused = |call: &str, outcome| {
        tally.good();
        softphones.refuse(stand_in.number(), &CallId::new(call), outcome);
        Ok(())
    };
    match wire::read(text) {
        Ok(Inbound::Reject(call)) => refused(&call, Outcome::Rejected),
        Ok(Inbound::Busy(call)) => refused(&call, Outcome::Busy),
        Ok(Inbound::Played(_) | Inbound::Key(_)) => tally.bad("a word of the media's"),
        Ok(Inbound::Other(kind)) => {
            tally.unknown(&kind);
            Ok(())
        }
        Err(wire::Malformed) => tally.bad("json"),
    }
}

async fn farewell(mut socket: Socket<Carried>, code: u16) {
    // A browser that is gone already does not mind.
    if socket.close(code, "").is_ok() {
        let flushed = poll_fn(|cx| socket.poll_flush(cx));
        let _gone = tokio::time::timeout(PATIENCE, flushed).await;
    }
}

/// A call to one's own agent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SoftphoneCallOrder")]
pub(super) struct Order {
    /// Who calls; the phone of the house when nothing is said, or nobody in particular.
    #[schemars(with = "Option<E164>")]
    from: Option<String>,
    /// Which of our numbers; the carrier's when nothing is said.
    #[schemars(with = "Option<E164>")]
    to: Option<String>,
    /// What for; what that number is for when nothing is said.
    task: Option<String>,
}

/// A call that waits for its media.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SoftphoneCall")]
pub(super) struct Called {
    call: String,
    /// The path of the socket that brings it; whoever knows it is let in.
    media: String,
}

/// `POST /v1/softphone/calls`: a browser calls a number of ours.
pub(super) async fn call(
    State(desk): State<Desk>,
    Operator: Operator,
    body: Result<Json<Order>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Order { from, to, task }) = body.map_err(|body| Problem::unreadable(&body))?;
    let from = match from {
        Some(from) => checked_number("from", from)?,
        None => {
            let phone = phone::number(&desk, &Account::house()).await?;
            phone.unwrap_or_else(|| Number::new(WITHHELD))
        }
    };
    let to = match to {
        Some(to) => checked_number("to", to)?,
        None => desk.reception.number(),
    };
    let task = task.map(|task| checked_task(&task)).transpose()?;
    let ringing = Ringing { from, to, dialect: Dialect::Softphone };
    let made = desk.reception.take_about(ringing, task).await?;
    desk.exchange.tell(&made.call, Input::Placed(softphone::name(&made.call)));
    let media = softphone::media_path(&made.call, &made.addresses);
    Ok((StatusCode::CREATED, Json(Called { call: made.call.to_string(), media })).into_response())
}

/// `GET /softphone/media/{call}/{nonce}`: the browser's side of a call.
pub(super) async fn media(
    State(desk): State<Desk>,
    Path((call, nonce)): Path<(String, String)>,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Response {
    if desk.softphones.awaits(&CallId::new(&call), &nonce) {
        return take_over(desk, CallId::new(&call), nonce, upgrade);
    }
    let rings_here = desk.softphones.has(&CallId::new(&call));
    let ours = |dialect| rings_here || dialect == Dialect::Softphone;
    let (call, upgrade) = match media::admit(&desk, &call, &nonce, ours, upgrade) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let (answer, socket) = upgrade.accept(softphone::MEDIA);
    drop(tokio::spawn(async move {
        let Ok(socket) = socket.await else { return };
        let line = |_| (softphone::line(socket), softphone::CODING);
        let attached = desk.reception.attach(&call, &nonce, line);
        if attached.is_ok() {
            desk.softphones.answered(&call);
        }
        media::note(&call, attached);
    }));
    answer
}

/// The browser takes the other party of a call over.
fn take_over(
    desk: Desk,
    call: CallId,
    nonce: String,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refusal.into_response(),
    };
    let (answer, socket) = upgrade.accept(softphone::MEDIA);
    drop(tokio::spawn(async move {
        let Ok(socket) = socket.await else { return };
        desk.softphones.meet(call, &nonce, softphone::line(socket)).await;
    }));
    answer
}
