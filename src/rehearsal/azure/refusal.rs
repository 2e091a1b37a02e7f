//! How the simulated service says no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error answer in the service's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// A sub-code in digits, or a word.
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    /// The request is not signed as it must be.
    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, code: "Denied", message: message.into() }
    }

    /// The signature is not that of this request under this key.
    pub(super) fn wrong_signature() -> Self {
        let message = "HMAC signature does not match".to_owned();
        Self { status: StatusCode::FORBIDDEN, code: "7509", message }
    }

    /// The request itself is wrong.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "8500", message: message.into() }
    }

    /// There is no such call, or not any more.
    pub(super) fn no_call() -> Self {
        let message = "Call not found.".to_owned();
        Self { status: StatusCode::NOT_FOUND, code: "8522", message }
    }

    /// The call has not been answered yet.
    pub(super) fn not_established() -> Self {
        let message = "Call is not established.".to_owned();
        Self { status: StatusCode::BAD_REQUEST, code: "8501", message }
    }

    /// The call that is to be answered does not ring any more.
    pub(super) fn rings_no_more() -> Self {
        let message = "The incoming call is no longer available.".to_owned();
        Self { status: StatusCode::BAD_REQUEST, code: "8587", message }
    }

    /// Too many requests.
    pub(super) fn throttled() -> Self {
        let message = "Too many requests.".to_owned();
        Self { status: StatusCode::TOO_MANY_REQUESTS, code: "8529", message }
    }

    /// There is no such interface.
    pub(super) fn no_such_interface() -> Self {
        let message = "Resource not found.".to_owned();
        Self { status: StatusCode::NOT_FOUND, code: "8500", message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = json!({
            "code": self.code,
            "message": self.message,
            "target": null,
            "details": [],
            "innererror": null,
        });
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}
