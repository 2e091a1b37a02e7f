//! The document as a page. Everything it is made of is in the program: it fetches nothing from
//! elsewhere, and its policy would not let it.

use axum::Router;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum::routing::get;

use super::super::Desk;
use super::super::page::guarded;

const PAGE: &str = include_str!("page/index.html");

/// A component that shows documents of OpenAPI 3.1, by others; see the file beside it.
const VIEWER: &str = include_str!("page/openapi-explorer.js");

/// Scripts come from here alone and none stands in the page. Styles may stand in it: the viewer
/// gives its parts `style` attributes. Requests go to this server alone, so that a key that is
/// typed in can go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; \
                      connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/docs", get(page)).route("/docs/openapi-explorer.js", get(viewer))
}

/// `GET /docs`: holds no secret; a key is typed in by whoever has one.
async fn page() -> impl IntoResponse {
    (guarded("text/html; charset=utf-8", POLICY), PAGE)
}

/// `GET /docs/openapi-explorer.js`.
async fn viewer() -> impl IntoResponse {
    (guarded("text/javascript; charset=utf-8", POLICY), [(CACHE_CONTROL, "max-age=3600")], VIEWER)
}
