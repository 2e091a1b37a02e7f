//! Problems in ClawCall's envelope and words.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tandem_actors::record::RecordError;

use super::super::problem::Problem;
use super::super::refusals::Reason;
use crate::reception::NotMade;

/// What went wrong, as `{"error": {"code", "message"}}`.
pub(in crate::http) struct Fault {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Seconds, for `Retry-After`.
    wait: Option<u64>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), wait: None }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let wait = problem.retry_after_s();
        let (status, code, field, message) = problem.into_parts();
        let code = match (code, field.as_deref()) {
            ("invalid_field", Some("to")) => "invalid_phone",
            ("invalid_field", Some("task")) => "missing_fields",
            ("invalid_field", Some("voice" | "personality" | "greeting")) => "invalid_preferences",
            ("invalid_body", _) => "missing_fields",
            ("unknown_key", _) => "invalid_api_key",
            ("call_not_found", _) => "not_found",
            ("at_capacity" | "draining", _) => "number_pool_exhausted",
            ("ordered_just_now" | "idempotency_key_reused", _) => "conflict",
            (
                "emergency_number"
                | "premium_number"
                | "unknown_number"
                | "country_not_allowed"
                | "range_not_allowed",
                _,
            ) => "unsupported_destination",
            (code, _) => code,
        };
        Self { status, code, message, wait }
    }
}

impl From<NotMade> for Fault {
    fn from(not_made: NotMade) -> Self {
        Problem::from(not_made).into()
    }
}

impl From<RecordError> for Fault {
    fn from(error: RecordError) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code, "message": self.message } });
        let mut answer = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.wait {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        answer.extensions_mut().insert(Reason::Answered(self.code));
        answer
    }
}
