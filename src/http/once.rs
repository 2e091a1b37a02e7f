//! `Idempotency-Key`: an order that comes again, because its answer was lost, is carried out once.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Desk;
use super::caller::{Caller, Writer};
use super::problem::Problem;
use crate::account::Account;
use crate::store::{Once, hex_digest};

/// The header that makes an order one that is carried out once.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Tells that the order had been carried out before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key.
pub(super) const KEY_CHARS: usize = 255;

/// An order as it comes: whose it is, its key, and what it asks for.
pub(super) struct Keyed {
    pub(super) caller: Caller,
    headers: HeaderMap,
    body: Value,
}

impl FromRequest<Desk> for Keyed {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Writer(caller) = Writer::from_request_parts(&mut parts, desk).await?;
        let headers = parts.headers.clone();
        let Json(body) = Json::from_request(Request::from_parts(parts, body), desk)
            .await
            .map_err(|rejection| Problem::unreadable(&rejection))?;
        Ok(Self { caller, headers, body })
    }
}

impl Keyed {
    /// What makes it one that is carried out once, and what it asks for.
    pub(super) fn read<T: DeserializeOwned>(
        self,
        route: &str,
    ) -> Result<(Caller, Option<Once>, T), Problem> {
        let Self { caller, headers, body } = self;
        let once = once(&headers, &caller.account, route, &body)?;
        let asked =
            serde_json::from_value(body).map_err(|error| Problem::body(&error.to_string()))?;
        Ok((caller, once, asked))
    }
}

/// What makes this order one that is carried out once, when it came with a key. `"again": true`
/// in its body says that the same is meant once more.
pub(super) fn once(
    headers: &HeaderMap,
    account: &Account,
    route: &str,
    body: &Value,
) -> Result<Option<Once>, Problem> {
    let Some(key) = headers.get(KEY) else { return Ok(None) };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > KEY_CHARS {
        let detail = format!("Idempotency-Key must have 1 to {KEY_CHARS} visible ASCII characters");
        return Err(Problem::invalid("Idempotency-Key", detail));
    }
    let (account, key) = (account.clone(), key.to_owned());
    // As the parser has sorted it: two ways to write the same order are one.
    let digest = hex_digest(&[route, &body.to_string()]);
    let again = body["again"] == true;
    Ok(Some(Once { account, key, digest, again }))
}

/// The answer to an order that has made something, now or before, which is at this place.
pub(super) fn made(status: StatusCode, place: &str, repeated: bool, body: Value) -> Response {
    let mut headers = HeaderMap::new();
    let place = HeaderValue::try_from(place).expect("an id of ours is visible ascii");
    headers.insert(LOCATION, place);
    replayed(&mut headers, repeated);
    (status, headers, Json(body)).into_response()
}

/// The header of an answer that was given before.
pub(super) fn replayed(headers: &mut HeaderMap, repeated: bool) {
    if repeated {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
}
