//! Every answer that is not a success: problem+json (RFC 9457), with what to do about it.

use std::borrow::Cow;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::refusals::Reason;
use crate::policy::Refused;
use crate::reception::NotMade;
use tandem_actors::exchange::Refusal;
use tandem_actors::record::RecordError;

/// The media type of a problem.
pub(super) const KIND: &str = "application/problem+json";

/// When to come again if nobody knows when a place is free: calls end every few seconds where
/// there are many.
const UNKNOWN_WAIT_S: u64 = 10;

/// What went wrong, for a program and for a person.
#[derive(Debug, Serialize, JsonSchema)]
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
    field: Option<Cow<'static, str>>,
    /// Whether the same request may work later.
    retryable: bool,
    /// When it may.
    #[serde(flatten)]
    later: Option<Box<Later>>,
}

/// When a refused request may be repeated.
#[derive(Debug, Serialize, JsonSchema)]
struct Later {
    /// For `Retry-After`, where a status has that.
    #[serde(skip)]
    retry_after_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_permitted_at: Option<Timestamp>,
}

impl Problem {
    pub(super) fn invalid(field: &'static str, detail: String) -> Self {
        Self::invalid_at(field, detail)
    }

    /// The same, about this field.
    pub(super) fn of_field(self, field: &'static str) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// The same of a field whose name is not ours alone.
    pub(super) fn invalid_at(field: impl Into<Cow<'static, str>>, detail: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_field",
            title: "A field cannot be used",
            detail,
            field: Some(field.into()),
            retryable: false,
            later: None,
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
            later: None,
        }
    }

    /// JSON that is not what the route takes.
    pub(super) fn body(wrong: &str) -> Self {
        let (code, detail) = ("invalid_body", format!("the body cannot be used: {wrong}"));
        Self { code, detail, ..Self::of_status(StatusCode::BAD_REQUEST) }
    }

    /// No key, or none of ours.
    pub(super) fn unknown_caller(what: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: "unknown_key",
            title: "Who calls is not known",
            detail: format!("{what}; send `authorization: Bearer KEY`, or `x-api-key: KEY`"),
            field: None,
            retryable: false,
            later: None,
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
            later: None,
        }
    }

    /// Something that was named is not there.
    pub(super) fn absent(code: &'static str, title: &'static str, detail: String) -> Self {
        let status = StatusCode::NOT_FOUND;
        Self { status, code, title, detail, field: None, retryable: false, later: None }
    }

    pub(super) fn conflict(code: &'static str, detail: String) -> Self {
        Self {
            status: StatusCode::CONFLICT,
            code,
            title: "Not in this state",
            detail,
            field: None,
            retryable: false,
            later: None,
        }
    }

    /// The key of an order is that of another.
    pub(super) fn other_order() -> Self {
        let detail = "this Idempotency-Key came with another order before; a new order needs a \
                      new key";
        Self::conflict("idempotency_key_reused", detail.to_owned())
    }

    /// The same order came a moment ago under another key.
    pub(super) fn just_now(what: &str, made: &str) -> Self {
        let detail = format!(
            "the same order came within two minutes under another Idempotency-Key and made the \
             {what} {made}: nothing was done again. If the same is meant once more, add \
             `\"again\": true`"
        );
        Self::conflict("ordered_just_now", detail)
    }

    /// A refusal of which no more is known than its status.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let (code, title, detail) = match status {
            StatusCode::NOT_FOUND => (
                "no_such_route",
                "Nothing is served here",
                "this address is not served; see the README for what is",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "Not with this method",
                "the address does not take this method; see the header Allow, where it is given",
            ),
            StatusCode::REQUEST_TIMEOUT => {
                ("body_too_slow", "The body did not come in time", "send the whole body at once")
            }
            StatusCode::PAYLOAD_TOO_LARGE => (
                "body_too_large",
                "The body is too large",
                "send less: no request of this server needs more than 64 KiB",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "media_type",
                "Not in this format",
                "send JSON with `content-type: application/json`",
            ),
            StatusCode::UPGRADE_REQUIRED => (
                "websocket_only",
                "This address speaks WebSocket only",
                "ask for a WebSocket of version 13",
            ),
            StatusCode::GATEWAY_TIMEOUT => (
                "too_slow",
                "The answer took too long",
                "it was given up; what had begun may have been done. Look before you try again",
            ),
            StatusCode::URI_TOO_LONG => (
                "target_too_long",
                "The address is too long",
                "no address of this server needs more than a few hundred characters",
            ),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
                "headers_too_large",
                "The headers are too large",
                "send fewer than 64, and less than 16 KiB together with the address",
            ),
            StatusCode::HTTP_VERSION_NOT_SUPPORTED => (
                "http_version",
                "HTTP/1.1 only",
                "speak HTTP/1.1; a proxy may have to be told so (nginx: proxy_http_version 1.1)",
            ),
            _ if status.is_server_error() => {
                ("internal", "The server failed", "this is a fault of the server; see its log")
            }
            _ => (
                "bad_request",
                "The request cannot be used",
                "address, headers or body are not as this route expects them",
            ),
        };
        Self {
            status,
            code,
            title,
            detail: detail.to_owned(),
            field: None,
            retryable: status == StatusCode::REQUEST_TIMEOUT,
            later: None,
        }
    }

    /// A refusal in a route's own words; told whether to try again by the status.
    pub(super) fn of(status: StatusCode, code: &'static str, detail: String) -> Self {
        let retryable =
            matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        Self { code, detail, retryable, ..Self::of_status(status) }
    }

    /// When to come again, in seconds, where that is known.
    pub(super) fn retry_after_s(&self) -> Option<u64> {
        self.later.as_ref().and_then(|later| later.retry_after_s)
    }

    /// Its parts, for whoever tells it in other words: status, code, field, detail.
    pub(super) fn into_parts(
        self,
    ) -> (StatusCode, &'static str, Option<Cow<'static, str>>, String) {
        (self.status, self.code, self.field, self.detail)
    }

    /// A target that is not a path.
    pub(super) fn target() -> Self {
        let detail = "ask for a path (`GET /healthz`), not for a whole address or `*`".to_owned();
        let code = "target_form";
        Self { code, detail, ..Self::of_status(StatusCode::BAD_REQUEST) }
    }

    /// No place for a connection.
    pub(super) fn crowded() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "connections_full",
            title: "Too many connections",
            detail: "close connections that are not needed, or try again later".to_owned(),
            field: None,
            retryable: true,
            later: None,
        }
    }

    /// The whole answer as it stands on the wire, for where no HTTP library is at hand; the
    /// connection ends with it.
    pub(super) fn in_full(self) -> Vec<u8> {
        let body = serde_json::to_string(&self).expect("words and flags are always JSON");
        let (status, length) = (self.status, body.len());
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {KIND}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// No `Host`, or more than one.
    pub(super) fn host() -> Self {
        let detail = "send exactly one Host header".to_owned();
        Self { code: "host", detail, ..Self::of_status(StatusCode::BAD_REQUEST) }
    }

    /// The one answer to whoever comes to a carrier's address without what opens it: an unknown
    /// call, a wrong nonce or secret, a carrier that this server does not have.
    pub(super) fn turned_away() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "not_expected",
            title: "Nobody is expected here",
            detail: "the request shows no nonce of a live call and no secret of this server's"
                .to_owned(),
            field: None,
            retryable: false,
            later: None,
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
            later: None,
        }
    }
}

impl From<NotMade> for Problem {
    fn from(not_made: NotMade) -> Self {
        let refusal = match not_made {
            NotMade::NotWritten(error) => return error.into(),
            NotMade::OtherOrder => return Self::other_order(),
            NotMade::JustNow(call) => return Self::just_now("call", &call.0),
            NotMade::Unsure(_) => {
                let problem = Self::conflict("submission_unknown", not_made.to_string());
                return Self { retryable: true, ..problem };
            }
            NotMade::NotAdmitted => {
                let code = "caller_not_allowed";
                return Self::of(StatusCode::FORBIDDEN, code, not_made.to_string());
            }
            NotMade::Forbidden(refused) => return refused.into(),
            NotMade::NoPlace(taken) => {
                let detail = format!("{taken}; nobody was rung by this order");
                return Self::conflict("taken_before", detail);
            }
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
            later: None,
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let next = refused.next_permitted_at;
        let of_amount = refused.code.is_of_amount();
        let wait = |at: Timestamp| at.duration_since(Timestamp::now()).as_secs().max(0) + 1;
        let retry_after_s = next.map_or(UNKNOWN_WAIT_S, |at| wait(at).unsigned_abs());
        Self {
            status: if of_amount { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::FORBIDDEN },
            code: refused.code.word(),
            title: "This number may not be rung now",
            detail: format!("{}; nobody was rung", refused.detail),
            field: Some("to".into()),
            retryable: refused.retryable,
            later: Some(Box::new(Later {
                retry_after_s: of_amount.then_some(retry_after_s),
                next_permitted_at: next,
            })),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let reason = Reason::Answered(self.code);
        let wait = self.retry_after_s();
        let mut answer = (self.status, [(header::CONTENT_TYPE, KIND)], Json(self)).into_response();
        if let Some(seconds) = wait {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        answer.extensions_mut().insert(reason);
        answer
    }
}

/// The path is not repeated: it may hold a nonce or a secret.
pub(super) async fn not_found() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}
