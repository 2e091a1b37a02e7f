//! The REST interface: which order a request is, whether it may be given, what it does.

use std::sync::Arc;

use axum::Json;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_actors::carrier::Number;
use uuid::Uuid;

use super::connection::{Connection, Result as Code, State};
use super::grid::Fate;
use super::refusal::Refusal;
use super::signature::{self, Request, rfc1123};
use super::wire::{self, Terms, Version};
use super::{Hall, Trouble, entra, life, people, recording};

/// What came of a request.
pub(super) enum Answered {
    /// This is the answer.
    With(Response),
    /// The connection breaks without one.
    NotAtAll,
}

/// What a request asks for.
enum Order<'a> {
    Create,
    Answer,
    Reject,
    Redirect,
    Show(&'a str),
    /// Leave it to the others; in a call of two, that ends it.
    Leave(&'a str),
    /// End it for all.
    Terminate(&'a str),
    Transfer(&'a str),
    Press(&'a str),
    Stream(&'a str),
    ListPeople(&'a str),
    Invite(&'a str),
    Remove(&'a str),
    Record,
    ShowRecording(&'a str),
    StopRecording(&'a str),
}

impl<'a> Order<'a> {
    fn of(method: &Method, path: &'a str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix("/calling/recordings") {
            return match (method.as_str(), rest.strip_prefix('/')) {
                ("POST", None) if rest.is_empty() => Some(Self::Record),
                ("GET", Some(id)) => Some(Self::ShowRecording(id)),
                ("DELETE", Some(id)) => Some(Self::StopRecording(id)),
                _ => None,
            };
        }
        let rest = path.strip_prefix("/calling/callConnections")?;
        let Some(named) = rest.strip_prefix('/') else {
            return match (method.as_str(), rest) {
                ("POST", "") => Some(Self::Create),
                ("POST", ":answer") => Some(Self::Answer),
                ("POST", ":reject") => Some(Self::Reject),
                ("POST", ":redirect") => Some(Self::Redirect),
                _ => None,
            };
        };
        if let Some((id, people)) = named.split_once("/participants") {
            return match (method.as_str(), people) {
                ("GET", "") => Some(Self::ListPeople(id)),
                ("POST", ":add") => Some(Self::Invite(id)),
                ("POST", ":remove") => Some(Self::Remove(id)),
                _ => None,
            };
        }
        match (method.as_str(), named.split_once(':')) {
            ("GET", None) => Some(Self::Show(named)),
            ("DELETE", None) => Some(Self::Leave(named)),
            ("POST", Some((id, "terminate"))) => Some(Self::Terminate(id)),
            ("POST", Some((id, "transferToParticipant"))) => Some(Self::Transfer(id)),
            ("POST", Some((id, "sendDtmfTones"))) => Some(Self::Press(id)),
            ("POST", Some((id, "startMediaStreaming"))) => Some(Self::Stream(id)),
            _ => None,
        }
    }
}

/// Answers a request.
pub(super) fn answer(hall: &Arc<Hall>, parts: &Parts, body: &[u8]) -> Answered {
    let path = parts.uri.path();
    let public = match path {
        "/calling/keys" => {
            let keys = hall.signer.published();
            hall.has_changed();
            Some(keys)
        }
        "/calling/.well-known/acsopenidconfiguration" => Some(json!({
            "issuer": hall.signer.issuer(),
            "jwks_uri": format!("http://{}/calling/keys", hall.host),
            "id_token_signing_alg_values_supported": ["RS256"],
        })),
        _ => None,
    };
    if let Some(document) = public.filter(|_| parts.method == Method::GET) {
        return Answered::With(Json(document).into_response());
    }
    if let Some(answer) = hall.entra.answer(parts, body) {
        return Answered::With(answer);
    }
    obey(hall, parts, body).unwrap_or_else(|refusal| Answered::With(refusal.into_response()))
}

fn obey(hall: &Arc<Hall>, parts: &Parts, body: &[u8]) -> Result<Answered, Refusal> {
    let path_and_query = parts.uri.path_and_query().map_or("", |both| both.as_str());
    let method = parts.method.as_str();
    let request = Request { method, path_and_query, headers: &parts.headers, body };
    match entra::bearer(&parts.headers) {
        Some(token) => hall.entra.check(token, Timestamp::now())?,
        None => signature::check(&request, &hall.key, &hall.host, Timestamp::now())?,
    }
    if let Some(file) = parts.uri.path().strip_prefix("/v1/objects/") {
        return recording::stored(hall, &parts.method, file, &parts.headers).map(Answered::With);
    }
    let version = Version::of(parts.uri.query().unwrap_or_default())?;
    let order = Order::of(&parts.method, parts.uri.path());
    let order = order.ok_or_else(Refusal::no_such_interface)?;
    if !body.is_empty() {
        is_json(&parts.headers)?;
    }
    let repeatable = repeatable(&parts.headers)?;
    let answer = match order {
        Order::Create => return create(hall, wire::read(body)?, version, repeatable),
        Order::Answer => {
            let body: wire::Answer = wire::read(body)?;
            let context = body.incoming_call_context.clone();
            let connection = pick_up(hall, &context, body.terms(version)?)?;
            (StatusCode::OK, Json(connection.properties())).into_response()
        }
        Order::Reject => {
            let body: wire::Reject = wire::read(body)?;
            hall.settle(&body.incoming_call_context, |_, _| Fate::Rejected(body.reason()))?;
            StatusCode::NO_CONTENT.into_response()
        }
        Order::Redirect => {
            let body: wire::Redirect = wire::read(body)?;
            let target = body.target.number()?;
            hall.settle(&body.incoming_call_context, |_, _| Fate::Redirected(target))?;
            StatusCode::NO_CONTENT.into_response()
        }
        Order::Show(id) => Json(hall.live(id)?.properties()).into_response(),
        Order::Leave(id) => {
            hall.live(id)?.is_left_by_us();
            StatusCode::NO_CONTENT.into_response()
        }
        Order::Terminate(id) => {
            hall.live(id)?.is_terminated();
            StatusCode::NO_CONTENT.into_response()
        }
        Order::Transfer(id) => transfer(hall, hall.established(id)?, body)?,
        Order::Press(id) => press(hall, hall.established(id)?.as_ref(), body)?,
        Order::Stream(id) => {
            hall.established(id)?.media_is_wanted()?;
            taken(None)
        }
        Order::ListPeople(id) => people::list(hall.live(id)?.as_ref()),
        Order::Invite(id) => people::invite(hall, hall.established(id)?, body)?,
        Order::Remove(id) => people::remove(hall, hall.established(id)?.as_ref(), body)?,
        Order::Record => recording::start(hall, body)?,
        Order::ShowRecording(id) => recording::show(hall, id)?,
        Order::StopRecording(id) => recording::stop(hall, id)?,
    };
    Ok(Answered::With(answer))
}

fn transfer(
    hall: &Arc<Hall>,
    connection: Arc<Connection>,
    body: &[u8],
) -> Result<Response, Refusal> {
    let body: wire::Transfer = wire::read(body)?;
    let (human, context) = (body.target_participant.number()?, body.operation_context);
    let taken = taken(context.as_deref());
    drop(tokio::spawn(life::transfer(Arc::clone(hall), connection, human, context)));
    Ok(taken)
}

fn press(hall: &Hall, connection: &Connection, body: &[u8]) -> Result<Response, Refusal> {
    let body: wire::Tones = wire::read(body)?;
    if body.target_participant.number()? != connection.party {
        return Err(Refusal::bad("targetParticipant is not in the call"));
    }
    connection.presses(&body.keys()?);
    let context = body.operation_context.as_deref();
    connection.tell_of(context, "SendDtmfTonesCompleted", Code::OK, json!({}));
    hall.has_changed();
    Ok(taken(context))
}

/// The name of an order that may come again.
type Name = Option<(String, String)>;

fn create(
    hall: &Arc<Hall>,
    body: wire::Create,
    version: Version,
    name: Name,
) -> Result<Answered, Refusal> {
    let (to, from, terms) = body.order(version)?;
    let trouble = hall.trouble();
    match trouble {
        Some(Trouble::Throttles) => return Err(Refusal::throttled()),
        Some(Trouble::BreaksBefore) => return Ok(Answered::NotAtAll),
        Some(Trouble::BreaksAfter | Trouble::LosesAnswers) | None => {}
    }
    let connection = dial(hall, to, from, terms, name);
    match trouble {
        Some(Trouble::BreaksAfter | Trouble::LosesAnswers) => Ok(Answered::NotAtAll),
        Some(Trouble::Throttles | Trouble::BreaksBefore) | None => {
            let answer = (StatusCode::CREATED, Json(connection.properties()));
            Ok(Answered::With(answer.into_response()))
        }
    }
}

/// Rings, unless an order of the same name has rung.
fn dial(hall: &Arc<Hall>, to: Number, from: Number, terms: Terms, name: Name) -> Arc<Connection> {
    let mut books = hall.books();
    if let Some(known) = name.as_ref().and_then(|name| books.repeatable.get(name)) {
        return Arc::clone(known);
    }
    let connection = life::open(hall, &mut books, terms, to);
    if let Some(name) = name {
        books.repeatable.insert(name, Arc::clone(&connection));
    }
    drop(books);
    let ringing = life::outbound(Arc::clone(hall), Arc::clone(&connection), from);
    drop(tokio::spawn(ringing));
    hall.has_changed();
    connection
}

fn pick_up(hall: &Arc<Hall>, context: &str, terms: Terms) -> Result<Arc<Connection>, Refusal> {
    let mut opened = None;
    hall.settle(context, |caller, books| {
        let connection = life::open(hall, books, terms, caller);
        Fate::Answered(opened.insert(connection).id.clone())
    })?;
    let connection = opened.expect("it has just been opened");
    drop(tokio::spawn(life::connected(Arc::clone(hall), Arc::clone(&connection))));
    Ok(connection)
}

/// An order that will be carried out.
pub(super) fn taken(context: Option<&str>) -> Response {
    let body: Value = context.map_or(json!({}), |context| json!({ "operationContext": context }));
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

fn is_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json") {
        return Ok(());
    }
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Refusal { status, ..Refusal::bad("content-type is not application/json") })
}

/// `Repeatability-Request-ID` and `Repeatability-First-Sent` stand together or not at all.
fn repeatable(headers: &HeaderMap) -> Result<Name, Refusal> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (header("repeatability-request-id"), header("repeatability-first-sent")) {
        (None, None) => Ok(None),
        (Some(id), Some(date)) if Uuid::parse_str(id).is_ok() && rfc1123(date).is_some() => {
            Ok(Some((id.to_owned(), date.to_owned())))
        }
        (Some(_), Some(_)) => Err(Refusal::bad("Repeatability: a uuid and an RFC 1123 date")),
        (Some(_), None) | (None, Some(_)) => {
            Err(Refusal::bad("Repeatability-Request-ID and -First-Sent go together"))
        }
    }
}

impl Hall {
    /// What goes wrong with this order.
    fn trouble(&self) -> Option<Trouble> {
        let mut books = self.books();
        match books.trouble {
            // Until all attempts at it have been made.
            Some(Trouble::LosesAnswers) => books.trouble,
            Some(Trouble::BreaksAfter | Trouble::BreaksBefore | Trouble::Throttles) | None => {
                books.trouble.take()
            }
        }
    }

    /// A call that is not over.
    fn live(&self, id: &str) -> Result<Arc<Connection>, Refusal> {
        let books = self.books();
        let call = books.calls.iter().find(|call| call.id == id);
        let live = call.filter(|call| call.state() != State::Disconnected);
        live.cloned().ok_or_else(Refusal::no_call)
    }

    /// A call that has been answered and is not over.
    pub(super) fn established(&self, id: &str) -> Result<Arc<Connection>, Refusal> {
        let call = self.live(id)?;
        if call.state() == State::Connecting {
            return Err(Refusal::not_established());
        }
        Ok(call)
    }
}
