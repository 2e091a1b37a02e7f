//! The door for agents: the Model Context Protocol over Streamable HTTP, and the texts that tell
//! an agent how to use it. Who may come in is decided as for every route; what they ask for goes
//! through the routes of the API, in the process, with their own headers.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any_service, get};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;
use tower::ServiceExt as _;

use super::Desk;
use super::caller::Caller;
use super::refusals::Reason;
use crate::mcp::api::{Answer, Api, Ask, ONCE, REPLAYED, Unreached};
use crate::mcp::{Face, guide};

/// The largest answer of a route of ours: a transcript of an hour fits many times.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The routes for agents. `api` is everything that they may reach by it.
pub(super) fn routes(api: Router, desk: Desk) -> Router<Desk> {
    let face = Face::new(Arc::new(InProcess { api }), String::new());
    // Every request is on its own: any server can answer it, and nobody can leave sessions behind.
    // Which hosts and pages may ask, the door has decided, better than by a list of names.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .disable_allowed_hosts();
    let sessions = Arc::new(NeverSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(face.clone()), sessions, config);
    let door = any_service(service).layer(from_fn_with_state(desk, door));
    let kind = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/mcp", door)
        .route("/skill.md", kind("text/markdown; charset=utf-8", guide::SKILL))
        .route("/llms.txt", kind("text/plain; charset=utf-8", guide::LLMS))
}

/// Lets in who may call the API.
async fn door(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    if let Err(problem) = Caller::of(request.headers(), &desk).await {
        return problem.into_response();
    }
    let mut answer = next.run(request).await;
    // Errors of the protocol have a form of their own, which its clients read.
    let json = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if json && answer.status().is_client_error() {
        answer.extensions_mut().insert(Reason::Answered("mcp"));
    }
    answer
}

/// The API without a socket.
struct InProcess {
    api: Router,
}

impl InProcess {
    fn send(
        &self,
        ask: Ask,
        accept: &'static str,
    ) -> BoxFuture<'static, Result<Response, Unreached>> {
        let api = self.api.clone();
        async move {
            let request = request(ask, accept).map_err(|error| Unreached(error.to_string()))?;
            api.oneshot(request).await.map_err(|never| match never {})
        }
        .boxed()
    }
}

impl Api for InProcess {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, Unreached>> {
        let sent = self.send(ask, "application/json");
        async move {
            let (parts, body) = sent.await?.into_parts();
            let bytes = to_bytes(body, ANSWER_BYTES)
                .await
                .map_err(|_| Unreached("the answer is too large; ask for less".to_owned()))?;
            let body = match &bytes[..] {
                [] => Value::Null,
                bytes => serde_json::from_slice(bytes)
                    .map_err(|error| Unreached(format!("the answer is not JSON: {error}")))?,
            };
            let repeated = parts.headers.contains_key(REPLAYED);
            Ok(Answer { status: parts.status, body, repeated })
        }
        .boxed()
    }

    fn ended(&self, ask: Ask) -> BoxFuture<'static, Result<(), Unreached>> {
        let sent = self.send(ask, "text/event-stream");
        async move {
            let mut told = sent.await?.into_body().into_data_stream();
            while let Some(Ok(_)) = told.next().await {}
            Ok(())
        }
        .boxed()
    }
}

fn request(ask: Ask, accept: &'static str) -> Result<Request, axum::http::Error> {
    let body = ask.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let mut request = Request::builder().method(ask.method).uri(ask.path).body(body)?;
    let headers = request.headers_mut();
    headers.extend(ask.caller);
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(once) = ask.once {
        headers.insert(ONCE, HeaderValue::try_from(once)?);
    }
    Ok(request)
}
