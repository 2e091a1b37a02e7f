//! A call's audio, live, for whoever may see the call: a WebSocket that begins with what is sent,
//! goes on with frames of 20 ms and ends with the call. Never in the way of the call.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tandem_actors::audio::Format;
use tandem_actors::briefing::CallId;

use super::super::Desk;
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::listeners::{OF_A_CALL, TICKET_LASTS};
use crate::recording::live::{self, Live, Next};
use crate::socket::upgrade::{Carried, NoUpgrade, Upgrade};
use crate::socket::{Limits, Socket};
use crate::store::CallRow;

/// A listener that takes nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a listener sends is not looked at; a line of text is much.
const HEARD: Limits = Limits { message_bytes: 1_024 };

/// The close code of a socket that has done what it was for (RFC 6455 §7.4.1).
const NORMAL: u16 = 1_000;

/// Another way in than a key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ListenWay")]
pub(in crate::http) struct Way {
    /// What `POST` to the same address gave.
    ticket: Option<String>,
}

/// `GET /v1/calls/{id}/listen`: the WebSocket.
pub(in crate::http) async fn listen(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Query(way): Query<Way>,
    headers: HeaderMap,
    upgrade: Result<Upgrade, NoUpgrade>,
) -> Result<Response, Problem> {
    let caller = match way.ticket {
        None => Caller::of(&headers, &desk).await?,
        Some(ticket) => {
            if !desk.listeners.redeem(&CallId::new(&id), &ticket) {
                let what = "this ticket is none of this call, was used, or came too late";
                return Err(Problem::unknown_caller(what));
            }
            Caller::holding(&headers, &desk)?
        }
    };
    let row = live_call(&desk, &caller, &id).await?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let place = desk.listeners.enter(&row.id).ok_or_else(|| {
        let detail = format!("{OF_A_CALL} listen to this call already; it has room for no more");
        Problem::of(StatusCode::TOO_MANY_REQUESTS, "too_many_listeners", detail)
    })?;
    let format = desk.exchange.format(&row.id).ok_or_else(|| over(&row.id))?;
    let (tape, live) = live::listen(format);
    if !desk.exchange.tape(&row.id, tape) {
        return Err(over(&row.id));
    }
    let (answer, socket) = upgrade.accept(HEARD);
    drop(tokio::spawn(async move {
        let _place = place;
        if let Ok(socket) = socket.await {
            serve(socket, live, &row.id, format).await;
        }
    }));
    Ok(answer)
}

/// A way to listen once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ListenTicket")]
pub(in crate::http) struct Ticket {
    /// Where to connect.
    url: String,
    ticket: String,
    /// Until when.
    expires: Timestamp,
}

/// `POST /v1/calls/{id}/listen`: a ticket for those that cannot show a key when they connect, as
/// browsers cannot.
pub(in crate::http) async fn ticket(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Ticket>, Problem> {
    let row = live_call(&desk, &caller, &id).await?;
    let ticket = desk.listeners.issue(&row.id).ok_or_else(|| {
        let detail = "too many tickets wait to be used; ask again in half a minute".to_owned();
        Problem::of(StatusCode::TOO_MANY_REQUESTS, "too_many_tickets", detail)
    })?;
    let url = format!("/v1/calls/{}/listen?ticket={ticket}", row.id);
    let expires = Timestamp::now() + TICKET_LASTS;
    Ok(Json(Ticket { url, ticket, expires }))
}

/// A call that they may see and that is not over.
async fn live_call(desk: &Desk, caller: &Caller, id: &str) -> Result<CallRow, Problem> {
    let row = caller.call(&desk.store, id).await?;
    if row.outcome.is_some() { Err(over(&row.id)) } else { Ok(row) }
}

fn over(call: &CallId) -> Problem {
    let detail = format!(
        "the call is over; where it was recorded, GET /v1/calls/{call}/recording has its audio"
    );
    Problem::conflict("call_is_over", detail)
}

/// Sends until the call is over or nobody listens any more.
async fn serve(mut socket: Socket<Carried>, mut live: Live, call: &CallId, format: Format) {
    let begun = json!({
        "call": call.to_string(),
        "sample_rate": format.rate_hz(),
        "lanes": ["caller", "agent"],
    });
    if socket.send_text(begun.to_string()).is_err() {
        return;
    }
    let mut lost_ms = 0;
    while flushed(&mut socket).await {
        let next = tokio::select! {
            () = gone(&mut socket) => return,
            next = live.next() => next,
        };
        let sent = match next {
            Some(Next::Frame(frame)) => socket.send_binary(frame),
            Some(Next::Lost(ms)) => {
                lost_ms += ms;
                socket.send_text(json!({ "lost_ms": ms }).to_string())
            }
            None => {
                let ended = json!({ "ended": true, "lost_ms": lost_ms });
                let told = socket.send_text(ended.to_string());
                if told.and_then(|()| socket.close(NORMAL, "the call is over")).is_ok()
                    && flushed(&mut socket).await
                {
                    // Its own close, so that nothing on the way to it is cut off.
                    let _late = tokio::time::timeout(PATIENCE, gone(&mut socket)).await;
                }
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Whether all that was sent is on its way; not when it is not taken.
async fn flushed(socket: &mut Socket<Carried>) -> bool {
    let flushed = poll_fn(|cx| socket.poll_flush(cx));
    matches!(tokio::time::timeout(PATIENCE, flushed).await, Ok(Ok(())))
}

/// When the far end has gone; what it says until then is not looked at.
async fn gone(socket: &mut Socket<Carried>) {
    poll_fn(|cx| {
        loop {
            match socket.poll_message(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
