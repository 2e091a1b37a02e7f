//! Whom calls may ring, for the users of the API: a dry run of the gate, the do-not-call list and
//! the consents.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_actors::carrier::Number;

use super::Desk;
use super::caller::{Caller, Writer};
use super::calls::order::checked_number;
use super::problem::Problem;
use crate::policy::{Gate, look};
use crate::store::{List, Listed, Policies as _};

/// The longest word on why a number is on a list: a line of a form.
const WORD_CHARS: usize = 200;

pub(super) fn routes() -> Router<Desk> {
    let do_not_call = get(is_barred).put(bar).delete(unbar);
    let consents = get(has_consented).put(consent).delete(withdraw);
    Router::new()
        .route("/v1/policy/check", post(check))
        .route("/v1/do-not-call/{number}", do_not_call)
        .route("/v1/consents/{number}", consents)
}

#[derive(Deserialize)]
struct Asked {
    to: String,
}

/// `POST /v1/policy/check`: what `POST /v1/calls` would be told in this moment. Rings nobody, and
/// reserves nothing.
async fn check(
    State(desk): State<Desk>,
    caller: Caller,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(Asked { to }) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let to = Number::new(to);
    let (seen, zones) = (look(to.as_str()), Gate::zones(&to));
    let mut answer = json!({
        "allowed": true, "kind": seen.kind.word(), "country": seen.country, "zones": zones,
    });
    if let Err(refused) = desk.reception.may_ring(&to, &caller.account).await? {
        answer["allowed"] = false.into();
        answer["code"] = refused.code.word().into();
        answer["detail"] = refused.detail.into();
        answer["retryable"] = refused.retryable.into();
        if let Some(next) = refused.next_permitted_at {
            answer["next_permitted_at"] = next.to_string().into();
        }
    }
    Ok(Json(answer))
}

#[derive(Default, Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Source {
    source: String,
}

/// `PUT /v1/do-not-call/{number}`: a body, `{"reason"}`, may be left out.
async fn bar(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(number): Path<String>,
    body: Option<Json<Reason>>,
) -> Result<Json<Value>, Problem> {
    let number = checked_number("number", number)?;
    let Json(Reason { reason }) = body.unwrap_or_default();
    if reason.chars().count() > WORD_CHARS {
        let detail = format!("give the reason in at most {WORD_CHARS} characters");
        return Err(Problem::invalid("reason", detail));
    }
    desk.store.enlist(List::DoNotCall, caller.account.as_str(), &number, reason.trim()).await?;
    find(&desk, &caller, List::DoNotCall, &number).await
}

/// `GET /v1/do-not-call/{number}`.
async fn is_barred(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    find(&desk, &caller, List::DoNotCall, &checked_number("number", number)?).await
}

/// `DELETE /v1/do-not-call/{number}`.
async fn unbar(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    remove(&desk, &caller, List::DoNotCall, &checked_number("number", number)?).await
}

/// `PUT /v1/consents/{number}`: `{"source"}`, a word of where the consent came from.
async fn consent(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(number): Path<String>,
    body: Result<Json<Source>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let number = checked_number("number", number)?;
    let Json(Source { source }) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let source = source.trim();
    if source.is_empty() || source.chars().count() > WORD_CHARS {
        let detail = format!(
            "say in 1 to {WORD_CHARS} characters where the consent came from, such as a form and \
             its day"
        );
        return Err(Problem::invalid("source", detail));
    }
    desk.store.enlist(List::Consents, caller.account.as_str(), &number, source).await?;
    find(&desk, &caller, List::Consents, &number).await
}

/// `GET /v1/consents/{number}`.
async fn has_consented(
    State(desk): State<Desk>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    find(&desk, &caller, List::Consents, &checked_number("number", number)?).await
}

/// `DELETE /v1/consents/{number}`: withdrawn.
async fn withdraw(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    remove(&desk, &caller, List::Consents, &checked_number("number", number)?).await
}

async fn find(
    desk: &Desk,
    caller: &Caller,
    list: List,
    number: &Number,
) -> Result<Json<Value>, Problem> {
    let listed = desk
        .store
        .listed(list, caller.account.as_str(), number)
        .await?
        .ok_or_else(|| absent(list))?;
    let Listed { word, since_ms } = listed;
    let since = Timestamp::from_millisecond(since_ms).ok();
    let number = number.as_str();
    Ok(Json(match list {
        List::DoNotCall => json!({ "number": number, "reason": word, "added_at": since }),
        List::Consents => json!({ "number": number, "source": word, "recorded_at": since }),
    }))
}

async fn remove(
    desk: &Desk,
    caller: &Caller,
    list: List,
    number: &Number,
) -> Result<Response, Problem> {
    match desk.store.delist(list, caller.account.as_str(), number).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(absent(list)),
    }
}

fn absent(list: List) -> Problem {
    let (code, detail) = match list {
        List::DoNotCall => ("not_on_the_list", "this number is not on the do-not-call list"),
        List::Consents => ("no_consent", "no consent of this number is recorded"),
    };
    Problem::of(StatusCode::NOT_FOUND, code, detail.to_owned())
}
