//! The page's files, with headers that let a browser run nothing else.

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use super::problem;
use crate::page;

/// Nothing inline, nothing from elsewhere, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; media-src 'self' blob:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// `GET /`: the page.
pub(super) async fn index(headers: HeaderMap) -> Response {
    serve("index.html", &headers).await
}

/// `GET /page/{*path}`: one of its files.
pub(super) async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    serve(&path, &headers).await
}

/// The headers of everything that a browser may run: what it is, and what may come of it.
pub(super) fn guarded(kind: &'static str, policy: &'static str) -> [(HeaderName, &'static str); 5] {
    [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ]
}

async fn serve(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = page::file(path) else {
        return problem::not_found().await.into_response();
    };
    // Another version of the program has other files.
    let always = (guarded(file.kind, POLICY), [(CACHE_CONTROL, "no-cache")]);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == file.tag.as_bytes());
    let tag = [(ETAG, file.tag)];
    if known {
        return (StatusCode::NOT_MODIFIED, always, tag).into_response();
    }
    (always, tag, file.bytes).into_response()
}
