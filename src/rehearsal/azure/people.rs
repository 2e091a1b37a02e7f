//! More people in a call: rung, and taken out again. One of them at a time is on the line: greets
//! the others, and hears what they say.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::Number;
use tokio::time::timeout;
use uuid::Uuid;

use super::Hall;
use super::connection::{Connection, Result as Code, State};
use super::refusal::Refusal;
use super::rest::taken;
use super::wire::{self, identifier};
use crate::rehearsal::callee::{self, Answer, Role};

/// How long somebody is rung when the order does not say.
const RINGS: u64 = 30;

/// `POST …/participants:add`.
pub(super) fn invite(
    hall: &Arc<Hall>,
    connection: Arc<Connection>,
    body: &[u8],
) -> Result<Response, Refusal> {
    let body: wire::Invite = wire::read(body)?;
    let guest = body.guest()?;
    let patience = Duration::from_secs(body.patience(RINGS)?);
    let answer = json!({
        "participant": participant(&guest),
        "operationContext": body.operation_context,
        "invitationId": Uuid::new_v4().to_string(),
    });
    let ringing = ring(Arc::clone(hall), connection, guest, patience, body.operation_context);
    drop(tokio::spawn(ringing));
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

async fn ring(
    hall: Arc<Hall>,
    connection: Arc<Connection>,
    guest: Number,
    patience: Duration,
    context: Option<String>,
) {
    let answer = tokio::select! {
        answer = timeout(patience, callee::ring(&guest)) => answer,
        () = connection.hang_up.cancelled() => return,
    };
    let more = json!({ "participant": identifier(&guest) });
    let tell = |name, result| connection.tell_of(context.as_deref(), name, result, more);
    match answer.unwrap_or(Answer::Refuses(Outcome::NoAnswer)) {
        Answer::PicksUp if connection.state() == State::Connected => {
            let greeting = Role::at(&guest).map_or("", Role::greeting);
            if let Some(seat) = connection.seat() {
                connection.is_heard_by_guest(seat.take(greeting).await);
            }
            connection.is_joined_by(guest);
            tell("AddParticipantSucceeded", Code::OK);
            connection.tell_of_participants();
        }
        Answer::PicksUp => {}
        Answer::Refuses(outcome) => tell("AddParticipantFailed", Code::of(outcome)),
    }
    hall.has_changed();
}

/// `POST …/participants:remove`. Whoever is the last but us ends the call by leaving it.
pub(super) fn remove(
    hall: &Arc<Hall>,
    connection: &Connection,
    body: &[u8],
) -> Result<Response, Refusal> {
    let body: wire::Remove = wire::read(body)?;
    let who = body.participant_to_remove.number()?;
    let context = body.operation_context.as_deref();
    if !connection.people().contains(&who) {
        return Err(Refusal::bad("participantToRemove is not in the call"));
    }
    let more = json!({ "participant": identifier(&who) });
    connection.tell_of(context, "RemoveParticipantSucceeded", Code::OK, more);
    if who == connection.party {
        connection.hang_up.cancel();
    } else {
        connection.is_left_by(&who);
        connection.tell_of_participants();
    }
    hall.has_changed();
    Ok(taken(context))
}

/// `GET …/participants`.
pub(super) fn list(connection: &Connection) -> Response {
    let people: Vec<Value> = connection.people().iter().map(participant).collect();
    Json(json!({ "value": people })).into_response()
}

/// Somebody in a call.
pub(super) fn participant(who: &Number) -> Value {
    json!({ "identifier": identifier(who), "isMuted": false, "isOnHold": false })
}
