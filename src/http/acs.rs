//! What Azure tells us over HTTP: that a phone rings or a recording is finished (Event Grid), and
//! what becomes of a call of ours (callbacks). Every request is refused at the first thing that is
//! wrong, cheapest first; a refused one changes nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{Carrier, CarrierCallId, CarrierError, Number};

use super::Desk;
use super::problem::Problem;
use crate::carrier::acs::callback::story::{News, Taken};
use crate::carrier::acs::event_grid::{Incoming, Told};
use crate::carrier::acs::inbox::Inbox;
use crate::carrier::acs::order::{IncomingContext, Rejection};
use crate::carrier::acs::token::Refused;
use crate::carrier::acs::{callback, event_grid};
use crate::reception::{self, Made, NotMade, Ringing};

/// Longer than any id, nonce or secret of ours.
const SEGMENT: usize = 256;

/// How long a ringing phone may wait for a place: ACS lets it ring for about thirty seconds, and
/// answering takes a moment.
const RINGS: Duration = Duration::from_secs(25);

/// The socket's call, in ACS's words.
const CONNECTION: HeaderName = HeaderName::from_static("x-ms-call-connection-id");

/// Who asks whether events may be sent here (CloudEvents, HTTP webhooks §4).
const ASKING: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// What Azure calls, beside the media sockets.
pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/acs/incoming/{secret}", post(incoming).options(agree))
        .route("/acs/events/{call}/{nonce}", post(events))
}

/// `OPTIONS /acs/incoming/{secret}`: agrees to be sent CloudEvents.
async fn agree(
    State(desk): State<Desk>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let inbox = opened(&desk, &secret)?;
    let Some(origin) = headers.get(ASKING) else {
        inbox.count_refused("no_origin");
        let detail = "the question has no WebHook-Request-Origin".to_owned();
        return Err(Problem::of(StatusCode::BAD_REQUEST, "no_origin", detail));
    };
    let any = HeaderValue::from_static("*");
    Ok([(ALLOWED, origin.clone()), (RATE, any)].into_response())
}

/// `POST /acs/incoming/{secret}`: Event Grid's webhook. 200 for all that it may send, or it
/// would send the same again for a day.
async fn incoming(
    State(desk): State<Desk>,
    Path(secret): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let inbox = opened(&desk, &secret)?;
    let told = event_grid::read(&body).map_err(|_| no_events(&inbox))?;
    let mut answer = StatusCode::OK.into_response();
    for event in told {
        match event {
            Told::Confirm(code) => {
                inbox.count("subscription");
                answer = Json(serde_json::json!({ "validationResponse": code })).into_response();
            }
            Told::Rings(incoming) => ring(&desk, &inbox, incoming).await,
            Told::Recorded(recorded) => {
                if let Err(error) = inbox.take_recording(recorded).await {
                    tracing::warn!(%error, "a recording at ACS is to be told of again");
                    answer = StatusCode::SERVICE_UNAVAILABLE.into_response();
                }
            }
            Told::Other(kind) => {
                inbox.count("other");
                tracing::debug!(kind = shown(&kind), "an event of Event Grid that is not used");
            }
            Told::Broken => inbox.count("broken"),
        }
    }
    Ok(answer)
}

/// The secret is looked at before anything else is.
fn opened(desk: &Desk, secret: &str) -> Result<Arc<Inbox>, Problem> {
    let inbox = desk.network.acs.as_ref().ok_or_else(Problem::turned_away)?;
    if secret.len() > SEGMENT || !inbox.is_secret(secret) {
        inbox.count_refused("secret");
        return Err(Problem::turned_away());
    }
    Ok(Arc::clone(inbox))
}

/// A phone rings. The call exists, written down, before Event Grid is answered; that the phone
/// is picked up is waited for by nobody.
async fn ring(desk: &Desk, inbox: &Arc<Inbox>, incoming: Incoming) {
    if let Err(why) = inbox.take_ringing(&incoming) {
        inbox.count(why.word());
        return;
    }
    inbox.count("ringing");
    let Incoming { context, from, to, .. } = incoming;
    let to = to.unwrap_or_else(|| inbox.number().clone());
    let dialect = desk.reception.dialect();
    let ringing = Ringing { from: from.clone(), to, dialect };
    let (desk, inbox) = (desk.clone(), Arc::clone(inbox));
    desk.network.seen.worked();
    match desk.reception.take_in_turn(ringing).await {
        Ok(reception::Taken::Made(made)) => {
            drop(tokio::spawn(async move { answer(&desk, &inbox, &context, from, made).await }));
        }
        Ok(reception::Taken::Waits(waiting)) => drop(tokio::spawn(async move {
            match waiting.at_most(RINGS).turn().await {
                Ok(made) => answer(&desk, &inbox, &context, from, made).await,
                Err(why) => reject(&inbox, context, &why),
            }
        })),
        Ok(reception::Taken::PassedOn(passing)) => drop(tokio::spawn(async move {
            match inbox.control.redirect(&context, passing.human()).await {
                Ok(()) => passing.done(),
                Err(error) => tracing::warn!(%error, "a caller was not put through"),
            }
        })),
        Err(why) => reject(&inbox, context, &why),
    }
}

/// Picks up a ringing phone that is a call of ours.
async fn answer(
    desk: &Desk,
    inbox: &Inbox,
    context: &IncomingContext,
    from: Number,
    Made { call, addresses }: Made,
) {
    let told = match inbox.control.answer(context, from, &call, &addresses).await {
        Ok(name) => Input::Placed(name),
        Err(CarrierError::Refused(outcome)) => Input::Ended(outcome, "answer_refused".to_owned()),
        Err(CarrierError::NotOffered(what)) => {
            Input::Ended(Outcome::SystemError, format!("cannot {what}"))
        }
        // It may be answered: the callbacks or the ringing limit decide.
        Err(CarrierError::Unknown(why)) => {
            tracing::warn!(%call, why, "unknown whether the call was answered");
            return;
        }
    };
    desk.exchange.tell(&call, told);
}

/// Lets a ringing phone hear that we are busy.
fn reject(inbox: &Arc<Inbox>, context: IncomingContext, why: &NotMade) {
    inbox.count("ringing_refused");
    tracing::warn!(%why, "a ringing phone is not answered");
    let inbox = Arc::clone(inbox);
    let Ok(place) = Arc::clone(&inbox.rejecting).try_acquire_owned() else { return };
    drop(tokio::spawn(async move {
        if let Err(error) = inbox.control.reject(&context, Rejection::Busy).await {
            tracing::warn!(%error, "a ringing phone was not rejected");
        }
        drop(place);
    }));
}

/// `POST /acs/events/{call}/{nonce}`: what becomes of a call of ours. The body has been measured
/// by now.
async fn events(
    State(desk): State<Desk>,
    Path((call, nonce)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Response> {
    let stranger = || Problem::turned_away().into_response();
    let inbox = desk.network.acs.clone().ok_or_else(stranger)?;
    let call = (call.len() <= SEGMENT && nonce.len() <= SEGMENT).then(|| CallId::new(&call));
    let Some(call) = call.filter(|call| desk.reception.is_told_by(call, &nonce)) else {
        inbox.count_refused("nonce");
        return Err(stranger());
    };
    if !inbox.allows(&call) {
        inbox.count_refused("rate");
        return Err(too_often());
    }
    if let Some(guard) = &inbox.guard {
        let admitted = guard.admit_callback(&headers).await;
        admitted.map_err(|why| not_believed(&inbox, &call, why))?;
    }
    let told = callback::read(&body).map_err(|_| no_events(&inbox).into_response())?;
    for event in told {
        match event {
            Ok(event) if hear(&desk, &inbox, &call, event.clone()) => {
                let came_to = desk.reception.events_address("acs", &call, &nonce);
                inbox.hear_recording(&call, event, came_to);
            }
            Ok(_) => {}
            Err(callback::Broken) => inbox.count("broken"),
        }
    }
    Ok(StatusCode::OK)
}

/// Whether it was news.
fn hear(desk: &Desk, inbox: &Arc<Inbox>, call: &CallId, event: callback::Event) -> bool {
    if let callback::What::Other(kind) = &event.what {
        inbox.count("other");
        tracing::debug!(%call, kind = shown(kind), "an event of a call that is not used");
    }
    let name = event.call.clone();
    match inbox.take(call, event, desk.exchange.carrier_call(call)) {
        Taken::New(news) => {
            inbox.count("callback");
            if let Some(news) = news {
                pass_on(desk, inbox, call, name, news);
            }
            true
        }
        Taken::Again => {
            inbox.count("callback_again");
            false
        }
        Taken::Elsewhere => {
            inbox.count("callback_elsewhere");
            tracing::warn!(%call, "an event about another call came to this one's address");
            false
        }
    }
}

fn pass_on(desk: &Desk, inbox: &Arc<Inbox>, call: &CallId, name: CarrierCallId, news: News) {
    if let News::Ended(_, codes) = &news {
        tracing::info!(%call, %codes, "ACS says that the call is over");
    }
    if let Some(input) = news.into_input() {
        desk.exchange.tell(call, input);
        return;
    }
    // Without audio, and with none to come, somebody listens to silence: the call is ended.
    if desk.exchange.has_media(call) {
        return;
    }
    tracing::error!(
        %call,
        "ACS cannot bring the call's audio; check that http.public_url is reached from outside"
    );
    let reason = "media_not_connected".to_owned();
    desk.exchange.tell(call, Input::Ended(Outcome::SystemError, reason));
    let (inbox, call) = (Arc::clone(inbox), call.clone());
    drop(tokio::spawn(async move {
        if let Err(error) = inbox.control.hang_up(name).await {
            tracing::warn!(%call, %error, "hang-up at the carrier");
        }
    }));
}

/// Whether ACS's media socket for this call may be let in, whose nonce has been right.
pub(super) async fn admit_socket(
    desk: &Desk,
    call: &CallId,
    headers: &HeaderMap,
) -> Result<(), Response> {
    let Some(inbox) = &desk.network.acs else { return Ok(()) };
    // A page in somebody's browser names its origin; ACS is no page.
    if headers.contains_key(header::ORIGIN) {
        inbox.count_refused("origin");
        return Err(Problem::turned_away().into_response());
    }
    let known = desk.exchange.carrier_call(call);
    let named = headers.get(CONNECTION);
    if let (Some(known), Some(named)) = (known, named)
        && named.as_bytes() != known.0.as_bytes()
    {
        inbox.count_refused("connection");
        tracing::warn!(%call, "the media socket of another call came to this one's address");
        return Err(Problem::turned_away().into_response());
    }
    let Some(guard) = &inbox.guard else { return Ok(()) };
    guard.admit_socket(headers).await.map_err(|why| not_believed(inbox, call, why))
}

/// A type of event, as far as it is fit for a log.
fn shown(kind: &str) -> String {
    kind.chars().filter(char::is_ascii_graphic).take(80).collect()
}

fn no_events(inbox: &Inbox) -> Problem {
    inbox.count_refused("body");
    let detail = "the body is neither an event nor a list of events in JSON".to_owned();
    Problem::of(StatusCode::BAD_REQUEST, "no_events", detail)
}

fn too_often() -> Response {
    let detail = "more events than a call can have; try again in a moment".to_owned();
    let problem = Problem::of(StatusCode::TOO_MANY_REQUESTS, "too_often", detail);
    ([(header::RETRY_AFTER, "1")], problem).into_response()
}

fn not_believed(inbox: &Inbox, call: &CallId, why: Refused) -> Response {
    inbox.count_refused(why.word());
    tracing::warn!(%call, %why, "a request in ACS's name was refused");
    match why {
        Refused::NoKeys | Refused::KeyUnsettled | Refused::Unlearned => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let problem = Problem::of(status, why.word(), why.to_string());
            ([(header::RETRY_AFTER, "10")], problem).into_response()
        }
        Refused::Missing
        | Refused::Oversized
        | Refused::Malformed
        | Refused::Algorithm
        | Refused::Header
        | Refused::Key
        | Refused::Signature
        | Refused::Issuer
        | Refused::Expired
        | Refused::Early
        | Refused::Lifetime
        | Refused::Audience => {
            // Which of them is for our own log; a forger learns nothing.
            let detail = "a token of the issuer for this server is needed".to_owned();
            let problem = Problem::of(StatusCode::UNAUTHORIZED, "not_believed", detail);
            ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
        }
    }
}
