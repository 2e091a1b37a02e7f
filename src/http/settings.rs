//! The settings of the server, for whoever runs it: what each is and where it comes from, and the
//! change of those that hold from the next call on.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::Desk;
use super::caller::Operator;
use super::problem::Problem;
use crate::config::Origin;
use crate::settings::{Effect, NotChanged};

/// Every setting of the server.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Settings")]
pub(super) struct All {
    settings: Vec<Setting>,
}

/// One setting.
#[derive(Serialize, JsonSchema)]
pub(super) struct Setting {
    /// Its key, with dots.
    key: String,
    /// What it is; of a secret nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    /// Whether a secret is set; only there for secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<bool>,
    from: Origin,
    /// When a change holds; what holds from the next call on can be changed here.
    takes_effect: Effect,
}

/// `GET /v1/settings`.
pub(super) async fn list(State(desk): State<Desk>, Operator: Operator) -> Json<All> {
    shown(&desk).await
}

/// `PATCH /v1/settings`: keys with dots and their values; `null` has one be as the file says.
pub(super) async fn change(
    State(desk): State<Desk>,
    Operator: Operator,
    body: Result<Json<BTreeMap<String, Value>>, JsonRejection>,
) -> Result<Json<All>, Problem> {
    let Json(wanted) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    match desk.settings.change(wanted, &desk.reception).await {
        Ok(()) => Ok(shown(&desk).await),
        Err(NotChanged::Unfit(unfit)) => Err(Problem::invalid_at(unfit.key, unfit.why)),
        Err(NotChanged::NotWritten(error)) => Err(error.into()),
    }
}

async fn shown(desk: &Desk) -> Json<All> {
    let (config, changes) = desk.settings.now().await;
    let view = |key: String, value: Option<Value>, set: Option<bool>| Setting {
        from: desk.settings.origin(&key, &changes),
        takes_effect: Effect::of(&key),
        key,
        value,
        set,
    };
    let plain = config.plain().into_iter().map(|(key, value)| view(key, Some(value), None));
    let secret = config.secrets().into_iter().map(|(key, set)| view(key, None, Some(set)));
    let mut settings: Vec<Setting> = plain.chain(secret).collect();
    settings.sort_by(|one, other| one.key.cmp(&other.key));
    Json(All { settings })
}
