//! Runs of the load test, for whoever runs the server: the one in progress and those before, as
//! they lie in the data directory.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Desk;
use super::caller::Operator;
use super::problem::Problem;
use crate::loads::{Counts, Entry, FOLDER, Loads, PAGE, State as RunState, Tick, Verdict};

/// A report draws itself with the script in it. It may do nothing else: no origin, so that it has
/// nobody's session; nothing is fetched, framed or sent.
const POLICY: &str = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; \
                      style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Runs of the load test.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Loads")]
pub(super) struct List {
    loads: Vec<LoadView>,
}

/// A run of the load test. What could not be read has a `detail` and nothing else.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Load")]
pub(super) struct LoadView {
    id: String,
    state: RunState,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(flatten)]
    told: Option<Told>,
    /// Where its report is, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<String>,
}

/// What a run says of itself.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Told {
    /// What kind of run it is.
    mode: String,
    /// What was asked for, in words.
    asked: String,
    began_at: Option<Timestamp>,
    /// When it was last heard of.
    seen_at: Option<Timestamp>,
    /// What is being done, or was.
    phase: String,
    counts: Counts,
    /// What it was worth, once it is over.
    verdict: Option<Verdict>,
    /// Of one run that is not over: what is tested, second by second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    timeline: Vec<Tick>,
}

fn view(entry: Entry) -> LoadView {
    let Entry { id, state, run, report } = entry;
    let report = report.map(|_| format!("/v1/loads/{id}/report"));
    let (told, detail) = match run {
        Ok(run) => {
            let told = Told {
                mode: run.mode,
                asked: run.asked,
                began_at: Timestamp::from_millisecond(run.began_ms).ok(),
                seen_at: Timestamp::from_millisecond(run.seen_ms).ok(),
                phase: run.phase,
                counts: run.counts,
                verdict: run.verdict,
                timeline: run.timeline,
            };
            (Some(told), None)
        }
        Err(why) => (None, Some(why)),
    };
    LoadView { id, state, detail, told, report }
}

/// `GET /v1/loads`: newest first.
pub(super) async fn list(
    State(desk): State<Desk>,
    Operator: Operator,
) -> Result<Json<List>, Problem> {
    let newest = look(&desk, |loads| loads.newest()).await?;
    let newest = newest.map_err(|error| {
        tracing::error!(%error, "runs of the load test cannot be read");
        Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    })?;
    let mut loads: Vec<LoadView> = newest.into_iter().map(view).collect();
    // A hundred timelines are for nobody.
    loads.iter_mut().filter_map(|load| load.told.as_mut()).for_each(|told| told.timeline.clear());
    Ok(Json(List { loads }))
}

/// `GET /v1/loads/{id}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    Operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<LoadView>, Problem> {
    let entry = look(&desk, move |loads| loads.one(&id)).await?;
    entry.map(view).map(Json).ok_or_else(|| {
        let detail = "no run of the load test has this id; GET /v1/loads lists those there are";
        Problem::absent("load_not_found", "There is no such run", detail.to_owned())
    })
}

/// `GET /v1/loads/{id}/report`: what the command wrote, a page or a text.
pub(super) async fn report(
    State(desk): State<Desk>,
    Operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = look(&desk, move |loads| loads.report(&id)).await?;
    let (file, bytes) =
        found.map_err(|why| Problem::absent("report_not_found", "There is no such report", why))?;
    let kind = match file {
        PAGE => "text/html; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, bytes).into_response())
}

/// Reads files where nobody waits for them.
async fn look<T: Send + 'static>(
    desk: &Desk,
    at: impl FnOnce(Loads) -> T + Send + 'static,
) -> Result<T, Problem> {
    let config = desk.settings.now().await.run.config;
    let loads = Loads::new(config.store.dir.join(FOLDER));
    tokio::task::spawn_blocking(move || at(loads)).await.map_err(|error| {
        tracing::error!(%error, "runs of the load test were not read");
        Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    })
}
