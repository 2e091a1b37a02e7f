//! Twilio's webhooks: a call rings here, and what becomes of calls. Every one is checked in the
//! same order, cheapest first: its size, the nonce in its address, its signature, its words.
//! One that is refused changes nothing.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tandem_actors::briefing::CallId;
use tandem_actors::call::event::Input;
use tandem_actors::carrier::Number;
use tokio::sync::watch;

use super::Desk;
use super::media::SEGMENT;
use super::problem::Problem;
use crate::carrier::twilio::control::{Arriving, Ring, Twilio};
use crate::carrier::twilio::form::Form;
use crate::carrier::twilio::waiting::Turn;
use crate::carrier::twilio::{outcome, recording, signature, twiml};
use crate::config::Dialect;
use crate::reception::{Made, Ringing, Taken};

/// `POST /twilio/incoming`: a number of ours is rung. The answer says what the caller hears.
pub(super) async fn incoming(
    State(desk): State<Desk>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let twilio = desk.network.twilio.as_ref().ok_or_else(Problem::turned_away)?;
    let body = body.map_err(|rejection| unread(&rejection))?;
    let form = signed(twilio, &uri, &headers, &body)?.ok_or_else(not_understood)?;
    let (Some(name), Some(to)) = (form.get("CallSid"), form.get("To")) else {
        return Err(not_understood());
    };
    if let Some(twiml) = twilio.still_waits(name).await {
        return Ok(xml(twiml));
    }
    let arriving = match twilio.rings(name) {
        Ring::New(arriving) => arriving,
        Ring::Known(again) => return Ok(xml(again)),
        Ring::Arriving => {
            let detail = "this call is being taken; the first request is answered".to_owned();
            return Err(Problem::conflict("call_arriving", detail));
        }
    };
    // A caller may withhold their number.
    let from = Number::new(form.get("From").unwrap_or_default());
    let own = Number::new(to);
    let ringing = Ringing { from, to: own.clone(), dialect: Dialect::Twilio };
    desk.network.seen.worked();
    match desk.reception.take_in_turn(ringing).await {
        Ok(Taken::Made(made)) => Ok(xml(arrived(&desk, arriving, own, &made))),
        Ok(Taken::Waits(waiting)) => {
            let (told, turn) = watch::channel(None);
            let desk = desk.clone();
            let waits = tokio::spawn(async move {
                let turn = match waiting.turn().await {
                    Ok(made) => {
                        let _twiml = arrived(&desk, arriving, own, &made);
                        Turn::Served(made.call)
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a caller waited in vain");
                        Turn::TurnedAway
                    }
                };
                // Whoever has hung up is not told.
                let _told = told.send(Some(turn));
            });
            Ok(xml(twilio.waits(name, turn, waits.abort_handle())))
        }
        Ok(Taken::PassedOn(passing)) => {
            let twiml = twiml::pass_on(passing.human());
            passing.done();
            Ok(xml(twiml))
        }
        Err(error) => {
            tracing::warn!(%error, "a call that rang was not taken");
            Ok(xml(twiml::reject()))
        }
    }
}

/// A call that rang is one of ours. Returns what Twilio is to do.
fn arrived(desk: &Desk, arriving: Arriving, own: Number, made: &Made) -> String {
    let name = arriving.name();
    let twiml = arriving.taken(&made.call, own, &made.addresses);
    desk.exchange.tell(&made.call, Input::Placed(name));
    twiml
}

/// `POST /twilio/events/{call}/{nonce}`: how a call goes, who picked up, what became of a
/// hand-over. Late, repeated and out of order is as it should be.
pub(super) async fn events(
    State(desk): State<Desk>,
    Path((call, nonce)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let twilio = desk.network.twilio.as_ref().ok_or_else(Problem::turned_away)?;
    let body = body.map_err(|rejection| unread(&rejection))?;
    if call.len() > SEGMENT || nonce.len() > SEGMENT {
        return Err(Problem::turned_away());
    }
    let call = CallId::new(&call);
    if !desk.reception.is_told_by(&call, &nonce) {
        // A caller and a human may talk for longer than the address of the call is kept.
        let form = signed(twilio, &uri, &headers, &body).ok().flatten();
        let is_end_of_talk = form.is_some_and(|form| form.get("DialCallStatus").is_some());
        return if is_end_of_talk {
            Ok(xml(twiml::hang_up()))
        } else {
            Err(Problem::turned_away())
        };
    }
    let Some(form) = signed(twilio, &uri, &headers, &body)? else {
        tracing::debug!(%call, "a callback that is no form");
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    if let Some(told) = recording::read(&form) {
        twilio.recorded(&call, told);
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let callback = outcome::read(&form).ok_or_else(not_understood)?;
    let news = twilio.hear(&call, callback).map_err(|error| {
        tracing::warn!(%call, %error, "callback");
        let detail = format!("{error}; nothing was done");
        Problem::of(StatusCode::CONFLICT, "other_call", detail)
    })?;
    for input in news.inputs {
        // Nobody is told when the call is over.
        desk.exchange.tell(&call, input);
    }
    Ok(news.twiml.map_or_else(|| StatusCode::NO_CONTENT.into_response(), xml))
}

/// `POST /twilio/whisper/{name}`: a human has picked up. The answer is what they hear before they
/// meet the caller, who does not hear it.
pub(super) async fn whisper(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let twilio = desk.network.twilio.as_ref().ok_or_else(Problem::turned_away)?;
    let body = body.map_err(|rejection| unread(&rejection))?;
    signed(twilio, &uri, &headers, &body)?.ok_or_else(not_understood)?;
    // Twilio would hang up on a human when it is refused: one who comes late, or whose words were
    // given out already, meets the caller without them.
    let words = twilio.whispered(&name);
    Ok(xml(words.map_or_else(twiml::nothing, |words| twiml::say(words.as_str()))))
}

/// The form in a request that Twilio signed; nothing when it signed something else.
fn signed(
    twilio: &Twilio,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<Form>, Problem> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let signature = the_signature(headers).ok_or_else(forged)?;
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_some_and(|kind| kind.trim() == FORM) {
        let form = Form::read(body);
        return if twilio.posted(path, &form, signature) { Ok(Some(form)) } else { Err(forged()) };
    }
    if twilio.posted_body(path, body, signature) { Ok(None) } else { Err(forged()) }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The one signature of a request.
pub(super) fn the_signature(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(signature::HEADER).iter();
    let first = all.next()?.to_str().ok()?;
    all.next().is_none().then_some(first)
}

fn xml(twiml: String) -> Response {
    ([(CONTENT_TYPE, "text/xml; charset=utf-8")], twiml).into_response()
}

pub(super) fn forged() -> Problem {
    tracing::warn!("a request to one of Twilio's addresses is not signed by it");
    let detail = "x-twilio-signature does not fit; http.public_url must be the address that \
                  Twilio was given, and the auth token the account's primary one";
    Problem::of(StatusCode::FORBIDDEN, "bad_signature", detail.to_owned())
}

fn not_understood() -> Problem {
    let detail = "this is no callback that was asked for".to_owned();
    Problem::of(StatusCode::BAD_REQUEST, "unknown_callback", detail)
}

fn unread(rejection: &BytesRejection) -> Problem {
    Problem::of(rejection.status(), "invalid_body", rejection.body_text())
}
