//! What every request passes before its route and every answer after it: the request is whole,
//! plain and in time; a refusal is a problem and is counted. Logs neither targets nor headers.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HOST, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{KIND, Problem};
use super::refusals::{Reason, Refusals};

/// The largest body taken: an order with a long task fits many times.
const BODY: usize = 64 * 1024;

/// A body that is not whole by then is not waited for: it is smaller than a second of audio.
const BODY_IN: Duration = Duration::from_secs(5);

/// What an answer's headers say beyond its body; the rest of a bare refusal is replaced.
const TELLING: [HeaderName; 3] = [ALLOW, UPGRADE, SEC_WEBSOCKET_VERSION];

/// How much of a request is taken, and in what time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    body: usize,
    body_in: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { body: BODY, body_in: BODY_IN }
    }
}

/// The middleware of every route.
pub(super) async fn guard(
    State((refusals, patience)): State<(Refusals, Patience)>,
    request: Request,
    next: Next,
) -> Response {
    let answer = match admit(request, patience).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let answer = typed(answer);
    if let Some(reason) = answer.extensions().get::<Reason>() {
        refusals.count(*reason);
    }
    answer
}

/// A request that is what it seems, with its whole body.
async fn admit(request: Request, patience: Patience) -> Result<Request, Problem> {
    plain(&request)?;
    let (parts, body) = request.into_parts();
    let whole = tokio::time::timeout(patience.body_in, to_bytes(body, patience.body));
    let body = match whole.await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) if too_large(&error) => {
            return Err(Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        Ok(Err(_broken)) => return Err(Problem::of_status(StatusCode::BAD_REQUEST)),
        Err(_elapsed) => return Err(Problem::of_status(StatusCode::REQUEST_TIMEOUT)),
    };
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Only what a client of ours sends: HTTP/1.1, a path, one host. Whatever a proxy between us
/// could read differently is refused.
fn plain(request: &Request) -> Result<(), Problem> {
    if request.version() != Version::HTTP_11 {
        return Err(Problem::of_status(StatusCode::HTTP_VERSION_NOT_SUPPORTED));
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Problem::of_status(StatusCode::METHOD_NOT_ALLOWED));
    }
    // RFC 9112 §3.2.2 has servers take the absolute form too; it names a host beside the header,
    // and no client of ours sends it.
    let uri = request.uri();
    if uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/') {
        return Err(Problem::target());
    }
    // RFC 9112 §3.2.
    if request.headers().get_all(HOST).iter().count() != 1 {
        return Err(Problem::host());
    }
    Ok(())
}

fn too_large(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Makes a problem of a refusal that is none yet: those of the router, of extractors and layers.
fn typed(answer: Response) -> Response {
    let status = answer.status();
    let refused = status.is_client_error() || status.is_server_error();
    let told = answer.extensions().get::<Reason>().is_some() || is_problem(answer.headers());
    if !refused || told {
        return answer;
    }
    let mut problem = Problem::of_status(status).into_response();
    for name in TELLING {
        if let Some(value) = answer.headers().get(&name) {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind == KIND)
}
