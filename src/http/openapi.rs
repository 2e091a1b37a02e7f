//! The API as one document, OpenAPI 3.1: made of the types that the routes read and answer with,
//! and of one file of operations for each group of routes. A route that is served and not here
//! fails a test.

mod calls;
mod clawcall;
mod house;
mod later;
mod operation;
mod page;
mod paths;
mod softphone;
mod telling;
#[cfg(test)]
mod tests;
pub(in crate::http) mod words;

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::{Value, json};

use super::Desk;
use super::problem::KIND;
use paths::Paths;

/// What the document says of itself.
const ABOUT: &str = "A runtime for AI phone calls. Where the server has a key, every request \
    shows one: that of whoever runs the server, or one of an account, which sees what is its own; \
    what is somebody else's is answered as what is not there. Where it has none, it is on loopback \
    alone and whoever reaches it runs it. Every refusal is a problem (RFC 9457) with a `code` for \
    programs. Agents have the Model Context Protocol at `/mcp`, which is a protocol of its own.";

/// The document.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string_pretty(&document()).expect("a JSON value is JSON"));

/// The document as text: what `GET /openapi.json` answers and `tandem openapi` prints.
#[must_use]
pub fn text() -> &'static str {
    &DOCUMENT
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/openapi.json", get(serve)).merge(page::routes())
}

/// `GET /openapi.json`.
async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text())
}

fn document() -> Value {
    let groups = [
        (calls::TAG, calls::operations()),
        (later::SEARCHES, later::searches()),
        (later::SCHEDULES, later::schedules()),
        (later::APPROVALS, later::approvals()),
        (later::CAMPAIGNS, later::campaigns()),
        (telling::WEBHOOKS, telling::webhooks()),
        (telling::POLICY, telling::policy()),
        (house::HOUSE, house::house()),
        (softphone::TAG, softphone::operations()),
        (clawcall::TAG, clawcall::operations()),
        (house::HEALTH, house::health()),
    ];
    let mut all = Paths::new();
    let mut tags = Vec::new();
    for ((tag, about), operations) in groups {
        tags.push(json!({ "name": tag, "description": about }));
        for operation in operations {
            all.add(tag, operation);
        }
    }
    let (paths, mut schemas) = all.finish();
    schemas.insert("ClawCallError".to_owned(), json!(clawcall::error()));
    may_be_left_out(&mut schemas["ScheduleOrder"], "to");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }, { "key": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": paths::header_parameters(),
            "headers": headers(),
            "responses": { "Edge": edge() },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "key": { "type": "apiKey", "in": "header", "name": "x-api-key" },
            },
        },
    })
}

/// What a route fills in before it reads the body.
fn may_be_left_out(schema: &mut Value, field: &str) {
    if let Some(required) = schema["required"].as_array_mut() {
        required.retain(|name| name != field);
    }
}

/// The headers of answers.
fn headers() -> Value {
    let header = |about: &str, schema: Value| json!({ "description": about, "schema": schema });
    let word = || json!({ "type": "string" });
    json!({
        "Location": header("Where it is.", json!({ "type": "string", "pattern": "^/" })),
        "Idempotent-Replayed": header(
            "The order had been carried out before, and this is its answer.",
            json!({ "const": "true" }),
        ),
        "Retry-After": header("Seconds to wait.", json!({ "type": "integer", "minimum": 1 })),
        "Accept-Ranges": header("Ranges can be asked for.", json!({ "const": "bytes" })),
        "Content-Range": header("Which bytes these are.", word()),
        "Cache-Control": header("A secret is kept by nobody.", json!({ "const": "no-store" })),
        "X-ClawCall-API-Key": header("The key that was made.", word()),
        "X-ClawCall-Tier": header("Whose server this is.", json!({ "const": "self_hosted" })),
    })
}

/// What any request may be answered before it comes to its route.
fn edge() -> Value {
    json!({
        "description": "What any request may be told: `body_too_slow`, `body_too_large`, \
            `target_too_long`, `headers_too_large`, `method_not_allowed`, `connections_full`, \
            `too_slow`, `http_version`, `internal`.",
        "content": { KIND: { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}
