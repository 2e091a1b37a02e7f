//! Keys for whoever runs the server to give out, and to take back.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Desk;
use super::caller::Operator;
use super::openapi::words::AccountName;
use super::problem::Problem;
use crate::store::{KEYS_MAX, KeyRow, Keys as _, Scope};

/// The longest label.
const LABEL_CHARS: usize = 100;

/// What key is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyOrder")]
pub(super) struct Make {
    /// Whose it is to be.
    #[schemars(with = "AccountName")]
    account: String,
    /// `all`, which it is by itself, or `read`: looking only.
    #[schemars(regex(pattern = "^(all|read)$"))]
    scope: Option<String>,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = LABEL_CHARS))]
    label: String,
}

/// A key, without what is secret of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(super) struct KeyView {
    id: String,
    account: String,
    /// `all` or `read`.
    scope: &'static str,
    label: String,
    made_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// A key that was made.
#[derive(Serialize, JsonSchema)]
pub(super) struct MadeKey {
    #[serde(flatten)]
    row: KeyView,
    /// The key itself, shown this once.
    key: String,
}

/// The keys there are.
#[derive(Serialize, JsonSchema)]
pub(super) struct Keys {
    keys: Vec<KeyView>,
}

/// `POST /v1/keys`: makes a key and shows it, this once.
pub(super) async fn make(
    State(desk): State<Desk>,
    Operator: Operator,
    body: Result<Json<Make>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(make) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let account = make.account.parse().map_err(|error: crate::account::NoAccount| {
        Problem::invalid("account", error.to_string())
    })?;
    let word = make.scope.as_deref().unwrap_or("all");
    let scope = Scope::named(word).ok_or_else(|| {
        Problem::invalid("scope", format!("{word:?} is neither \"all\" nor \"read\""))
    })?;
    if make.label.chars().count() > LABEL_CHARS {
        let detail = format!("a label has at most {LABEL_CHARS} characters");
        return Err(Problem::invalid("label", detail));
    }
    let made = desk.store.make_key(account, scope, make.label).await?;
    let (row, key) = made.ok_or_else(|| {
        let detail = format!("the account has {KEYS_MAX} keys, which is the most; name another");
        Problem::conflict("keys_full", detail)
    })?;
    Ok((StatusCode::CREATED, Json(MadeKey { row: view(row), key })).into_response())
}

/// `GET /v1/keys`.
pub(super) async fn list(
    State(desk): State<Desk>,
    Operator: Operator,
) -> Result<Json<Keys>, Problem> {
    Ok(Json(Keys { keys: desk.store.keys().await?.into_iter().map(view).collect() }))
}

/// `DELETE /v1/keys/{id}`: from then on the key opens nothing.
pub(super) async fn revoke(
    State(desk): State<Desk>,
    Operator: Operator,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if desk.store.revoke_key(id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = "no key has this id; GET /v1/keys lists those there are".to_owned();
    Err(Problem::of(StatusCode::NOT_FOUND, "key_not_found", detail))
}

fn view(row: KeyRow) -> KeyView {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    KeyView {
        id: row.id,
        account: row.account.to_string(),
        scope: row.scope.word(),
        label: row.label,
        made_at: at(row.made_ms),
        revoked_at: row.revoked_ms.and_then(at),
    }
}
