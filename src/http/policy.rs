//! Whom calls may ring, for the users of the API: a dry run of the gate, the do-not-call list and
//! the consents.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tandem_actors::carrier::Number;

use super::Desk;
use super::caller::{Caller, Writer};
use super::calls::order::checked_number;
use super::openapi::words::E164;
use super::phone;
use super::problem::Problem;
use crate::policy::{Gate, Ordered, look};
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

/// Whom somebody would like to ring.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PolicyQuestion")]
pub(super) struct Asked {
    /// As it is written: what is no number in E.164 may never be rung. Left out, the phone of
    /// `/v1/phone`.
    to: Option<String>,
    /// Whether nobody orders it at that moment, as a schedule; by itself where `to` is left out.
    proactive: Option<bool>,
}

/// `POST /v1/policy/check`: what `POST /v1/calls`, or with `proactive` a schedule, would be told
/// in this moment. Rings nobody, and reserves nothing.
async fn check(
    State(desk): State<Desk>,
    caller: Caller,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Verdict>, Problem> {
    let Json(Asked { to, proactive }) =
        body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let ordered = if proactive.unwrap_or(to.is_none()) { Ordered::Ahead } else { Ordered::Now };
    let to = match to {
        Some(to) => Number::new(to),
        None => phone::required(&desk, &caller.account).await?,
    };
    let (seen, zones) = (look(to.as_str()), Gate::zones(&to));
    let refused = desk.reception.may_ring(&to, &caller.account, ordered).await?.err();
    Ok(Json(Verdict {
        allowed: refused.is_none(),
        kind: seen.kind.word(),
        country: seen.country,
        zones,
        why: refused.map(|refused| Why {
            code: refused.code.word(),
            detail: refused.detail,
            retryable: refused.retryable,
            next_permitted_at: refused.next_permitted_at,
        }),
    }))
}

/// What an order to ring somebody would be told now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PolicyVerdict")]
pub(super) struct Verdict {
    allowed: bool,
    /// `ordinary`, `rehearsal`, `premium`, `emergency` or `unknown`.
    kind: &'static str,
    /// Whose plan the number is of (ISO 3166).
    country: Option<&'static str>,
    /// The time zones it may be in.
    zones: Vec<&'static str>,
    /// Why not, where it is not allowed.
    #[serde(flatten)]
    why: Option<Why>,
}

#[derive(Serialize, JsonSchema)]
struct Why {
    /// As a refused order has it.
    code: &'static str,
    detail: String,
    /// Whether the same order may be permitted later.
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_permitted_at: Option<Timestamp>,
}

/// Why a number must not be rung.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DoNotCallOrder")]
pub(super) struct Reason {
    #[serde(default)]
    #[schemars(length(max = WORD_CHARS))]
    reason: String,
}

/// Where a consent came from.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ConsentOrder")]
pub(super) struct Source {
    /// Such as a form and its day.
    #[schemars(length(min = 1, max = WORD_CHARS))]
    source: String,
}

/// A number that must not be rung.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DoNotCall")]
pub(super) struct Barred {
    #[schemars(with = "E164")]
    number: String,
    reason: String,
    added_at: Option<Timestamp>,
}

/// A number whose owner has consented to be rung.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Consent")]
pub(super) struct Consented {
    #[schemars(with = "E164")]
    number: String,
    source: String,
    recorded_at: Option<Timestamp>,
}

/// `PUT /v1/do-not-call/{number}`: a body, `{"reason"}`, may be left out.
async fn bar(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(number): Path<String>,
    body: Result<Option<Json<Reason>>, JsonRejection>,
) -> Result<Response, Problem> {
    let number = checked_number("number", number)?;
    let body = body.map_err(|rejection| Problem::unreadable(&rejection))?;
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
) -> Result<Response, Problem> {
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
) -> Result<Response, Problem> {
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
) -> Result<Response, Problem> {
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
) -> Result<Response, Problem> {
    let listed = desk
        .store
        .listed(list, caller.account.as_str(), number)
        .await?
        .ok_or_else(|| absent(list))?;
    let Listed { word, since_ms } = listed;
    let since = Timestamp::from_millisecond(since_ms).ok();
    let number = number.as_str().to_owned();
    Ok(match list {
        List::DoNotCall => Json(Barred { number, reason: word, added_at: since }).into_response(),
        List::Consents => {
            Json(Consented { number, source: word, recorded_at: since }).into_response()
        }
    })
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
