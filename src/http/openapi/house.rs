//! What whoever runs the server sees to, and what their machines ask, as it is documented.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use tandem_actors::call::consent::PIN_DIGITS;

use super::super::inbound::{ProfileView, Profiles};
use super::super::keys::{Keys, MadeKey, Make};
use super::super::loads::{List as Loads, LoadView};
use super::super::phone::{Phone, Set};
use super::super::settings::{All, Check, Checked};
use super::operation::{Operation, delete, get, patch, post, put, shape, text};
use super::words::AccountName;
use crate::config::Config;
use crate::inbound::Profile;
use crate::settings::is_changeable;

pub(super) const HOUSE: (&str, &str) =
    ("The house", "Phones, keys and the numbers that ring here. Most of it is the operator's.");

pub(super) const LOADS: (&str, &str) =
    ("Load test", "Runs of the load test that are kept in the data directory.");

pub(super) const HEALTH: (&str, &str) =
    ("Health", "What machines ask, and what this page is made of.");

pub(super) fn house() -> Vec<Operation> {
    vec![
        get("/v1/phone", "showPhone", "Whom an order rings that names nobody")
            .answers::<Phone>(200, "The account's phone."),
        put("/v1/phone", "setPhone", "Set that phone")
            .takes_just::<Set>()
            .names_callees()
            .refuses(400, &["invalid_field"])
            .answers::<Phone>(200, "The account's phone from now on."),
        get("/v1/settings", "listSettings", "Every setting of the server")
            .about(
                "What each is, where that comes from, and how a change takes effect. What was set \
                 here goes before the environment, and that before the file.",
            )
            .for_operator()
            .answers::<All>(200, "Of secrets only whether they are set."),
        patch("/v1/settings", "changeSettings", "Change settings")
            .about(
                "All or none. `null` has a setting be again as the file says. Each takes effect \
                 as it says: with the next call, or when the server is started again.",
            )
            .for_operator()
            .takes_shape(changes)
            .refuses(400, &["invalid_field"])
            .refuses(422, &["invalid_body"])
            .answers::<All>(200, "All settings as they are now."),
        post("/v1/settings/check", "checkSettings", "See what works of what is set")
            .about(
                "The look of `tandem check`, of the settings from the next start on or with some \
                 others in their place. Dials nobody, changes nothing, and takes at most half a \
                 minute.",
            )
            .for_operator()
            .takes_just::<Check>()
            .refuses(400, &["invalid_field"])
            .refuses(429, &["check_runs"])
            .answers::<Checked>(200, "What was found."),
        post("/v1/keys", "makeKey", "Make a key of an account")
            .for_operator()
            .takes_just::<Make>()
            .refuses(400, &["invalid_field"])
            .refuses(409, &["keys_full"])
            .answers::<MadeKey>(201, "The key is shown this once."),
        get("/v1/keys", "listKeys", "The keys there are")
            .for_operator()
            .answers::<Keys>(200, "Without what is secret of them."),
        delete("/v1/keys/{id}", "revokeKey", "Have a key open nothing any more")
            .for_operator()
            .refuses(404, &["key_not_found"])
            .silent(204, "It is revoked."),
        get("/v1/inbound", "listProfiles", "How calls to our numbers are held")
            .for_operator()
            .answers::<Profiles>(200, "Every number that has a profile."),
        get("/v1/inbound/{number}", "showProfile", "How calls to one number are held")
            .for_operator()
            .refuses(404, &["profile_not_found"])
            .answers::<ProfileView>(200, "Its profile."),
        put("/v1/inbound/{number}", "setProfile", "Set how calls to a number are held")
            .about("Replaces the whole profile; live calls stay as they are.")
            .for_operator()
            .takes_shape(profile)
            .answers::<ProfileView>(200, "Its profile from now on."),
        delete("/v1/inbound/{number}", "forgetProfile", "Have its calls held as is usual")
            .for_operator()
            .silent(204, "It has no profile."),
    ]
}

pub(super) fn loads() -> Vec<Operation> {
    vec![
        get("/v1/loads", "listLoads", "Runs of the load test, newest first")
            .about("The one in progress and those before, of the folder that they are kept in.")
            .for_operator()
            .answers::<Loads>(200, "The newest hundred; without their timelines."),
        get("/v1/loads/{id}", "showLoad", "How a run of the load test stands")
            .for_operator()
            .refuses(404, &["load_not_found"])
            .answers::<LoadView>(200, "The run."),
        get("/v1/loads/{id}/report", "getLoadReport", "The report of a run of the load test")
            .about("A page, or a text where that kind of run has no page.")
            .for_operator()
            .refuses(404, &["report_not_found"])
            .shows(
                200,
                "As the command wrote it.",
                vec![("text/html; charset=utf-8", text), ("text/plain; charset=utf-8", text)],
            ),
    ]
}

/// The settings that can be changed, each of its own kind.
fn changes(_: &mut SchemaGenerator) -> Schema {
    let keys = Config::default().plain().into_keys();
    let changeable = keys.filter(|key| is_changeable(key));
    let fields: Map<String, Value> = changeable.map(|key| (key, json!({}))).collect();
    json_schema!({
        "type": "object",
        "properties": fields,
        "additionalProperties": false,
        "examples": [{ "persona.opening": "Good day, this is Ada.", "limits.total_s": null }],
    })
}

/// A profile, whose the calls are, and the PIN of which a hash is kept.
fn profile(generator: &mut SchemaGenerator) -> Schema {
    let account = generator.subschema_for::<AccountName>();
    let mut whole = <Profile as schemars::JsonSchema>::json_schema(generator);
    if let Some(fields) = whole.get_mut("properties") {
        fields["account"] = json!(account);
        let about = "What a caller enters on the keypad before anything is said to them.";
        let (least, most) = (PIN_DIGITS.start(), PIN_DIGITS.end());
        let figures = format!("^[0-9]{{{least},{most}}}$");
        fields["pin"] =
            json!({ "type": ["string", "null"], "pattern": figures, "description": about });
    }
    whole
}

pub(super) fn health() -> Vec<Operation> {
    let html = vec![("text/html; charset=utf-8", text as fn(&mut SchemaGenerator) -> Schema)];
    vec![
        get("/healthz", "isAlive", "Whether the process answers").for_anybody().shows(
            200,
            "It does.",
            vec![("text/plain; charset=utf-8", text)],
        ),
        get("/readyz", "isReady", "Whether new calls are taken")
            .for_anybody()
            .refuses(503, &["draining", "record_unavailable", "at_capacity"])
            .shows(200, "They are.", vec![("text/plain; charset=utf-8", text)]),
        get("/metrics", "getMetrics", "How the server does").for_operator().shows(
            200,
            "Prometheus text.",
            vec![(super::super::health::METRICS, text)],
        ),
        get("/openapi.json", "getDocument", "This document").for_anybody().shows(
            200,
            "OpenAPI 3.1.",
            vec![("application/json", shape::<Value>)],
        ),
        get("/docs", "getDocs", "This document as a page")
            .about("Fetches nothing from elsewhere.")
            .for_anybody()
            .shows(200, "A page.", html),
        get("/docs/openapi-explorer.js", "getViewer", "What that page is shown with")
            .for_anybody()
            .shows(200, "A script.", vec![("text/javascript; charset=utf-8", text)]),
    ]
}
