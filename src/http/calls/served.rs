//! The recording of a call as a file that is served.

use std::path::PathBuf;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeFile;

use super::super::Desk;
use super::super::problem::Problem;
use crate::store::CallRow;

const NONE: &str = "this call was not recorded, or its recording was deleted";

/// The end of a call is told a moment before its last second is in the file.
const COMPLETE: Duration = Duration::from_secs(5);

/// The file, once it is complete.
pub(in crate::http) async fn file(desk: &Desk, row: &CallRow) -> Result<PathBuf, Problem> {
    if row.outcome.is_none() {
        return Err(absent("the call is not over; its recording is complete when it is"));
    }
    let Some(recordings) = &desk.recordings else { return Err(absent(NONE)) };
    if tokio::time::timeout(COMPLETE, recordings.finished(&row.id)).await.is_err() {
        return Err(absent("the recording is still being written; ask again in a moment"));
    }
    let path = recordings.path(&row.id).ok();
    path.filter(|path| path.exists()).ok_or_else(|| absent(NONE))
}

/// The file whole, or the ranges that are asked for.
pub(in crate::http) async fn serve(path: PathBuf, request: Request) -> Result<Response, Problem> {
    let served = ServeFile::new(path).try_call(request).await;
    served.map(IntoResponse::into_response).map_err(|error| {
        tracing::error!(%error, "a recording cannot be read");
        absent("the file cannot be read; see the server's log")
    })
}

fn absent(detail: &str) -> Problem {
    Problem::of(StatusCode::NOT_FOUND, "recording_not_available", detail.to_owned())
}
