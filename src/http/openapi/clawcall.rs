//! ClawCall's routes, as they are documented: in its own shape, words and errors.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::super::clawcall::{Listing, Place, Preferences};
use super::operation::{Operation, delete, get, post, put, text};
use super::words::{DirectionWord, LifecycleWord, OutcomeWord};
use crate::policy::Code;

pub(super) const TAG: (&str, &str) =
    ("ClawCall", "The same calls in another system's words, so that its clients work here.");

/// As ClawCall says what went wrong.
pub(super) fn error() -> Schema {
    json_schema!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": { "code": { "type": "string" }, "message": { "type": "string" } },
            },
        },
    })
}

pub(super) fn operations() -> Vec<Operation> {
    let json = "application/json";
    let lost = &["recording_not_available", "not_found"];
    vec![
        ringing(post("/call", "clawcallPlace", "Ring somebody"))
            .about("Without a key, where the server makes keys, with a fresh one.")
            .hears("Idempotency-Key")
            .takes::<Place>()
            .shows(201, "It will be made.", vec![(json, placed)])
            .with(&["Idempotent-Replayed", "X-ClawCall-API-Key"]),
        get("/call/{id}", "clawcallShow", "One call, with what was said")
            .faults(404, &["not_found"])
            .shows(200, "As far as it is.", vec![(json, call)]),
        post("/call/{id}/hangup", "clawcallHangUp", "End a call")
            .faults(404, &["not_found"])
            .shows(200, "It is over, or is being ended.", vec![(json, ending)]),
        get("/call/{id}/recording", "clawcallRecording", "Where the recording is")
            .faults(404, lost)
            .silent(302, "An address that opens without a key for ten minutes.")
            .with(&["Location"]),
        get("/call/{id}/recording/{until}/{signature}", "clawcallFile", "The recording")
            .for_anybody()
            .hears("Range")
            .faults(404, lost)
            .refuses(416, &["bad_request"])
            .shows(200, "The whole file.", vec![("audio/wav", text)])
            .with(&["Accept-Ranges"])
            .shows(206, "The bytes that were asked for.", vec![("audio/wav", text)])
            .with(&["Content-Range"])
            .silent(304, "It has not changed since the time that was given."),
        get("/me/calls", "clawcallList", "Calls, newest first")
            .asks::<Listing>()
            .faults(400, &["invalid_query"])
            .shows(200, "A page of them.", vec![(json, calls)]),
        get("/me/call-preferences", "clawcallPreferences", "How calls are held by themselves")
            .faults(400, &["invalid_preferences"])
            .shows(200, "What is set, and what is usual.", vec![(json, preferences)]),
        put("/me/call-preferences", "clawcallSetPreferences", "Set some of that")
            .takes::<Preferences>()
            .faults(400, &["missing_fields", "invalid_preferences"])
            .faults(403, &["inbound_plan_required"])
            .faults(415, &["missing_fields"])
            .shows(200, "What is set from now on.", vec![(json, preferences)]),
        delete("/me/call-preferences", "clawcallResetPreferences", "Everything as is usual")
            .faults(400, &["invalid_preferences"])
            .shows(200, "What is usual.", vec![(json, preferences)]),
        get("/balance", "clawcallBalance", "What is left; here nothing is counted")
            .faults(400, &["invalid_query"])
            .shows(200, "There is no end of it.", vec![(json, balance)])
            .with(&["X-ClawCall-Tier"]),
    ]
}

/// What an order to ring somebody may be told, in ClawCall's words.
fn ringing(order: Operation) -> Operation {
    let wrong = [
        "missing_fields",
        "invalid_phone",
        "invalid_preferences",
        "invalid_loop_in_user",
        "invalid_handoff_number",
        "invalid_field",
    ];
    let mut order = order
        .faults(400, &wrong)
        .faults(403, &["unsupported_destination"])
        .faults(409, &["conflict"])
        .faults(415, &["missing_fields"])
        .faults(422, &["account_phone_unavailable"])
        .faults(503, &["number_pool_exhausted"]);
    for code in Code::ALL {
        order = order.faults(if code.is_of_amount() { 429 } else { 403 }, &[code.word()]);
    }
    order
}

fn placed(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["call_id", "status"],
        "properties": {
            "call_id": { "type": "string" },
            "status": { "const": "queued" },
            "api_key": { "type": "string", "description": "The key that was made, once." },
        },
    })
}

fn ending(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["success", "call_id", "status", "message"],
        "properties": {
            "success": { "const": true },
            "call_id": { "type": "string" },
            "status": { "enum": ["completed", "ending"] },
            "message": { "type": "string" },
        },
    })
}

fn call(generator: &mut SchemaGenerator) -> Schema {
    let lifecycle = generator.subschema_for::<LifecycleWord>();
    let direction = generator.subschema_for::<DirectionWord>();
    let outcome = generator.subschema_for::<OutcomeWord>();
    let moment = json_schema!({ "type": ["string", "null"], "format": "date-time" });
    json_schema!({
        "type": "object",
        "required": ["id", "direction", "task", "numbers", "lifecycle", "timestamps"],
        "properties": {
            "id": { "type": "string" },
            "direction": direction,
            "handling_mode": { "const": "agent" },
            "task": { "type": "string" },
            "voice": { "type": ["string", "null"] },
            "personality": { "type": ["string", "null"] },
            "greeting": { "type": ["string", "null"] },
            "numbers": {
                "type": "object",
                "properties": {
                    "to": { "type": "string" },
                    "from": { "type": "string" },
                    "bridge_from": { "type": "null" },
                },
            },
            "lifecycle": lifecycle,
            "timestamps": {
                "type": "object",
                "properties": {
                    "queued_at": moment,
                    "dialing_at": moment,
                    "answered_at": moment,
                    "finalized_at": moment,
                },
            },
            "outcome": outcome,
            "outcome_detail": { "type": "object" },
            "talk_seconds": { "type": "integer", "minimum": 0 },
            "recording_url": { "type": "string" },
            "transcript": {
                "type": ["array", "null"],
                "items": {
                    "type": "object",
                    "properties": {
                        "role": { "enum": ["user", "assistant"] },
                        "text": { "type": "string" },
                        "timestamp": moment,
                    },
                },
            },
        },
    })
}

fn calls(generator: &mut SchemaGenerator) -> Schema {
    let call = call(generator);
    json_schema!({
        "type": "object",
        "required": ["calls", "recordingWindowMinutes"],
        "properties": {
            "calls": { "type": "array", "items": call },
            "recordingWindowMinutes": { "type": "integer" },
        },
    })
}

fn preferences(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["voice", "personality", "greeting", "inbound"],
        "properties": {
            "voice": { "type": "string" },
            "personality": { "type": ["string", "null"] },
            "greeting": { "type": ["string", "null"] },
            "inbound": { "type": "null" },
        },
    })
}

fn balance(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["tier", "unlimited"],
        "properties": {
            "tier": { "const": "self_hosted" },
            "unlimited": { "const": true },
            "balance_seconds": { "type": "null" },
            "balance_minutes": { "type": "null" },
            "low_balance": { "const": false },
            "plan": { "type": "null" },
            "trial": { "type": "null" },
        },
    })
}
