//! The stage door, open only in a rehearsal: who can be rung; let a simulated phone ring here,
//! break something.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::call::event::Part;
use tandem_actors::carrier::Number;
use tandem_actors::exchange::Injury;
use tandem_actors::part::Fault;

use super::Desk;
use super::caller::Operator;
use super::problem::Problem;
use crate::config::Dialect;
use crate::reception::{Ringing, Taken};
use crate::rehearsal::callee::Role;

/// Rings until it is answered, or whoever rings gives up.
pub(super) fn patient_routes() -> Router<Desk> {
    Router::new().route("/rehearsal/incoming", post(incoming))
}

/// Who can be rung.
#[derive(Serialize)]
pub(super) struct Numbers {
    numbers: [Entry; Role::ALL.len()],
}

#[derive(Serialize)]
struct Entry {
    number: &'static str,
    who: &'static str,
}

/// `GET /rehearsal/numbers`: everybody there is in a rehearsal.
pub(super) async fn numbers(Operator: Operator) -> Json<Numbers> {
    let entry = |role: Role| Entry { number: role.number(), who: role.who() };
    Json(Numbers { numbers: Role::ALL.map(entry) })
}

#[derive(Deserialize)]
pub(super) struct Incoming {
    #[serde(default)]
    dialect: Option<Dialect>,
    from: String,
    to: String,
    /// What the call is for; without it, what the house says.
    #[serde(default)]
    task: Option<String>,
}

/// `POST /rehearsal/incoming`: what a carrier's "a call rings" is to us. The answer says where
/// the media is expected.
pub(super) async fn incoming(
    State(desk): State<Desk>,
    Operator: Operator,
    body: Result<Json<Incoming>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(incoming) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let usual = desk.stagehand.as_ref().map_or(Dialect::Acs24k, |stage| stage.dialect);
    let ringing = Ringing {
        from: Number::new(incoming.from),
        to: Number::new(incoming.to),
        dialect: incoming.dialect.unwrap_or(usual),
    };
    let made = match incoming.task {
        Some(task) => desk.reception.take_for(ringing, Text(task)).await?,
        None => match desk.reception.take_in_turn(ringing).await? {
            Taken::Made(made) => made,
            Taken::Waits(waiting) => waiting.turn().await?,
            Taken::PassedOn(passing) => {
                let human = passing.human().as_str().to_owned();
                let body = json!({ "call_id": passing.call().to_string(), "passed_on_to": human });
                passing.done();
                return Ok(Json(body).into_response());
            }
        },
    };
    let body = json!({
        "call_id": made.call.to_string(),
        "media_url": made.addresses.media,
        "carrier_call": format!("rehearsal-{}", made.call),
        "parameters": {},
    });
    Ok(Json(body).into_response())
}

#[derive(Deserialize)]
pub(super) struct Break {
    call_id: Option<String>,
    part: String,
    how: String,
}

/// `POST /rehearsal/faults`: inflicts one fault on a call, any live one when none is named.
pub(super) async fn fault(
    State(desk): State<Desk>,
    Operator: Operator,
    body: Result<Json<Break>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(order) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let injury = injury(&order)?;
    let call = match order.call_id {
        Some(id) => CallId::new(&id),
        None => any(&desk)?,
    };
    if !desk.exchange.injure(&call, injury) {
        return Err(Problem::no_call(&call.0));
    }
    let body = Json(json!({ "call_id": call.to_string() }));
    Ok((StatusCode::ACCEPTED, body).into_response())
}

fn any(desk: &Desk) -> Result<CallId, Problem> {
    let calls = desk.exchange.calls();
    if calls.is_empty() {
        let detail = "no call is live; place one first".to_owned();
        return Err(Problem::conflict("no_live_call", detail));
    }
    Ok(calls[rand::random_range(0..calls.len())].clone())
}

fn injury(order: &Break) -> Result<Injury, Problem> {
    let how = || match order.how.as_str() {
        "panic" => Ok(Fault::Panic),
        "error" => Ok(Fault::Error),
        "hang" => Ok(Fault::Hang),
        other => {
            let detail = format!("{other:?} is none of panic, error, hang, panic_in_pre_start");
            Err(Problem::invalid("how", detail))
        }
    };
    let part = Part::ALL.into_iter().find(|part| part.word() == order.part);
    match (order.part.as_str(), part) {
        (_, Some(part)) if order.how == "panic_in_pre_start" => Ok(Injury::FalseStart(part)),
        (_, Some(part)) => Ok(Injury::Part(part, how()?)),
        ("call", None) => Ok(Injury::Call(how()?)),
        ("pump", None) => Ok(Injury::Pump),
        ("model", None) => Ok(Injury::Model),
        (other, None) => {
            let detail = format!(
                "{other:?} is none of media_in, realtime_link, tool_runner, confirmation, call, \
                 pump, model"
            );
            Err(Problem::invalid("part", detail))
        }
    }
}
