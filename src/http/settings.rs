//! The settings of the server, for whoever runs it: what each is and where it comes from, what is
//! needed beside them, the change of those that can be changed here, and a look at what works.

use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Desk;
use super::caller::Operator;
use super::problem::Problem;
use crate::check::{Finding, From, Look, State as Found, What};
use crate::config::{Config, Need, Origin, Whose};
use crate::elsewhere::{self, Step};
use crate::settings::{Changes, Effect, NotChanged, is_changeable};

/// How long a look may take: a provider that does not answer is given up after ten seconds, and
/// two of them may not.
const LOOK: Duration = Duration::from_secs(30);

/// A look at what works may take its time.
pub(super) fn patient_routes() -> Router<Desk> {
    Router::new().route("/v1/settings/check", post(check))
}

/// Every setting of the server.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Settings")]
pub(super) struct All {
    settings: Vec<Setting>,
    /// The tools that calls have.
    tools: Vec<ToolView>,
    /// Of the settings as they are from the next start on.
    #[serde(flatten)]
    remains: Remains,
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
    /// The variable that sets it, or for a secret one that holds it.
    variable: String,
    from: Origin,
    /// When a change holds.
    takes_effect: Effect,
    /// Whether it can be changed here.
    changeable: bool,
    /// What it is from the next start on, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_start: Option<Value>,
    /// Why what was set here does not hold: it does not go with the other settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_aside: Option<String>,
}

/// A tool.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToolSource")]
pub(super) struct ToolView {
    name: String,
    /// Where it comes from, in words.
    from: String,
}

/// What settings need beside them.
#[derive(Serialize, JsonSchema)]
struct Remains {
    /// The secrets that they need. They are set in the environment alone.
    secrets: Vec<SecretView>,
    /// What is to be done elsewhere: in a provider's portal, at a proxy.
    elsewhere: Vec<Step>,
}

/// A secret that is needed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NeededSecret")]
struct SecretView {
    /// The variable that holds it; with `_FILE` behind it, one that names a file with it.
    variable: &'static str,
    about: &'static str,
    /// Whether we choose it ourselves.
    ours: bool,
    /// Whether this server was started with it.
    set: bool,
}

impl Remains {
    fn of(config: &Config) -> Self {
        let view = |need: Need| SecretView {
            variable: need.variable,
            about: need.about,
            ours: need.whose == Whose::Ours,
            set: config.has(&need),
        };
        let secrets = config.needs().into_iter().map(view).collect();
        Self { secrets, elsewhere: elsewhere::steps(config) }
    }
}

/// `GET /v1/settings`.
pub(super) async fn list(State(desk): State<Desk>, Operator: Operator) -> Json<All> {
    shown(&desk).await
}

/// `PATCH /v1/settings`: keys with dots and their values; `null` has one be as the file says.
pub(super) async fn change(
    State(desk): State<Desk>,
    Operator: Operator,
    body: Result<Json<Changes>, JsonRejection>,
) -> Result<Json<All>, Problem> {
    let Json(wanted) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    match desk.settings.change(wanted, &desk.reception).await {
        Ok(()) => Ok(shown(&desk).await),
        Err(NotChanged::Unfit(unfit)) => Err(Problem::invalid_at(unfit.key, unfit.why)),
        Err(NotChanged::NotWritten(error)) => Err(error.into()),
    }
}

/// What is looked at.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SettingsCheck")]
pub(super) struct Check {
    /// Settings as they are proposed, over those of the next start; nothing is changed.
    #[serde(default)]
    settings: Changes,
    /// The things to look at; all of them when nothing is said.
    only: Option<Vec<What>>,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SettingsChecked")]
pub(super) struct Checked {
    /// Whether nothing has failed.
    good: bool,
    findings: Vec<Finding>,
    #[serde(flatten)]
    remains: Remains,
}

/// `POST /v1/settings/check`: the same look as that of `tandem check`, one at a time.
async fn check(
    State(desk): State<Desk>,
    Operator: Operator,
    body: Result<Json<Check>, JsonRejection>,
) -> Result<Json<Checked>, Problem> {
    let Json(Check { settings, only }) =
        body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let Ok(_alone) = desk.settings.checking.try_lock() else {
        let detail = "somebody checks the settings just now; try again when that is done";
        return Err(Problem::of(StatusCode::TOO_MANY_REQUESTS, "check_runs", detail.to_owned()));
    };
    let config = desk.settings.proposed(settings).await;
    let config = config.map_err(|unfit| Problem::invalid_at(unfit.key, unfit.why))?;
    let only = only.unwrap_or_else(|| What::ALL.to_vec());
    let look = Look { only: &only, from: From::TheServer, within: LOOK };
    let findings = look.at(&config).await;
    let good = findings.iter().all(|finding| finding.state != Found::Failed);
    Ok(Json(Checked { good, findings, remains: Remains::of(&config) }))
}

async fn shown(desk: &Desk) -> Json<All> {
    let now = desk.settings.now().await;
    let (run, next) = (&now.run.config, &now.next.config);
    let coming = next.plain();
    let view = |key: String, value: Option<Value>, set: Option<bool>| {
        let later =
            coming.get(&key).filter(|later| value.as_ref().is_some_and(|now| now != *later));
        let aside = now.run.aside.get(&key).or_else(|| now.next.aside.get(&key));
        Setting {
            from: desk.settings.origin(&key, &now),
            takes_effect: Effect::of(&key),
            changeable: set.is_none() && is_changeable(&key),
            next_start: later.cloned(),
            left_aside: aside.map(|unfit| unfit.why.clone()),
            variable: Config::variable(&key),
            key,
            value,
            set,
        }
    };
    let plain = run.plain().into_iter().map(|(key, value)| view(key, Some(value), None));
    let secret = run.secrets().into_iter().map(|(key, set)| view(key, None, Some(set)));
    let mut settings: Vec<Setting> = plain.chain(secret).collect();
    settings.sort_by(|one, other| one.key.cmp(&other.key));
    let source = |name: String| ToolView {
        from: desk.settings.sources.get(&name).map_or("the line", String::as_str).to_owned(),
        name,
    };
    let tools = desk.reception.tools().into_iter().map(source).collect();
    Json(All { settings, tools, remains: Remains::of(next) })
}
