//! Every answer that is not a success: problem+json (RFC 9457), with what to do about it.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::reception::NotMade;
use tandem_actors::exchange::Refusal;
use tandem_actors::record::RecordError;

/// What went wrong, for a program and for a person.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(skip)]
    status: StatusCode,
    /// For programs.
    code: &'static str,
    title: &'static str,
    /// What happened, with the value, and what to do.
    detail: String,
    /// The offending field.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// Whether the same request may work later.
    retryable: bool,
}

impl Problem {
    pub(super) fn invalid(field: &'static str, detail: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_field",
            title: "A field cannot be used",
            detail,
            field: Some(field),
            retryable: false,
        }
    }

    pub(super) fn unreadable(rejection: &JsonRejection) -> Self {
        Self {
            status: rejection.status(),
            code: "invalid_body",
            title: "The body cannot be read",
            detail: rejection.body_text(),
            field: None,
            retryable: false,
        }
    }

    pub(super) fn no_call(id: &str) -> Self {
        let shown: String = id.chars().take(64).collect();
        Self {
            status: StatusCode::NOT_FOUND,
            code: "call_not_found",
            title: "There is no such call",
            detail: format!("no call has the id {shown:?}; GET /v1/calls lists those there are"),
            field: None,
            retryable: false,
        }
    }

    pub(super) fn conflict(code: &'static str, detail: String) -> Self {
        Self {
            status: StatusCode::CONFLICT,
            code,
            title: "Not in this state",
            detail,
            field: None,
            retryable: false,
        }
    }

    /// A carrier's request that was refused; nothing has changed.
    pub(super) fn of_carrier(status: StatusCode, code: &'static str, detail: String) -> Self {
        let title = "A carrier's request was refused";
        Self { status, code, title, detail, field: None, retryable: false }
    }

    pub(super) fn turned_away() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "no_media_expected",
            title: "No call waits for this socket",
            detail: "the address holds no live call with this nonce".to_owned(),
            field: None,
            retryable: false,
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        tracing::error!(%error, "record");
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "record_unavailable",
            title: "The record cannot be read or written",
            detail: format!("{error}; nothing was done. Try again when the disk is well"),
            field: None,
            retryable: true,
        }
    }
}

impl From<NotMade> for Problem {
    fn from(not_made: NotMade) -> Self {
        let refusal = match not_made {
            NotMade::NotWritten(error) => return error.into(),
            NotMade::Refused(refusal) => refusal,
        };
        let (code, title) = match refusal {
            Refusal::Full { .. } => ("at_capacity", "As many calls as the limit allows are live"),
            Refusal::Draining => ("draining", "The server is going away"),
        };
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code,
            title,
            detail: format!("{refusal}; nobody was rung. Try again later"),
            field: None,
            retryable: true,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, Json(self)).into_response()
    }
}

pub(super) async fn not_found(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(128).collect();
    // A media address holds a nonce; it is not repeated.
    let shown = if path.contains("/media/") { "this address" } else { path.as_str() };
    Problem {
        status: StatusCode::NOT_FOUND,
        code: "no_such_route",
        title: "Nothing is served here",
        detail: format!("{shown} is not served; see the README for what is"),
        field: None,
        retryable: false,
    }
}
