//! The route table, grouped by who calls: users of the API, operators, browsers, carriers,
//! rehearsals.
//!
//! In a rehearsal one listener serves them all. With a real carrier there are two: the API's, on
//! loopback, and the carriers' door, which serves nothing but their routes.

pub mod accept;
pub mod refusals;

mod acs;
mod alive;
mod approvals;
mod caller;
mod calls;
mod campaigns;
mod clawcall;
mod floor;
mod guard;
mod health;
mod inbound;
mod keys;
mod loads;
mod mcp;
mod media;
mod once;
pub mod openapi;
mod page;
mod phone;
mod policy;
mod problem;
mod rehearsal;
mod schedules;
mod searches;
mod session;
mod settings;
mod softphone;
mod twilio;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{any, delete, get, post};
use secrecy::SecretString;
use tower_http::timeout::TimeoutLayer;

use crate::carrier::softphone::Softphones;
use crate::model::endpoints::Endpoints;
use crate::reception;
use crate::recording::Recordings;
use crate::search;
use crate::server::{Ends, Stagehand};
use crate::store::Store;
use crate::webhook::Webhooks;
use calls::Listeners;
use clawcall::Links;
use guard::Patience;
use refusals::Refusals;
pub use session::Invitation;
use tandem_actors::carrier::Number;
use tandem_actors::exchange::Exchange;

/// No answer takes longer; what does is broken.
const ANSWER: Duration = Duration::from_secs(10);

/// What the routes work with.
#[derive(Clone)]
pub struct Desk {
    /// Live calls.
    pub exchange: Exchange,
    /// Makes calls.
    pub reception: reception::Shared,
    /// What is written down.
    pub store: Store,
    /// The speech models, and what happened there.
    pub model: Endpoints,
    /// Where recordings are, when calls are recorded.
    pub recordings: Option<Recordings>,
    /// Tells of searches that were ordered or decided.
    pub searches: search::Bell,
    /// The key of whoever runs the server; without one the API is on loopback alone.
    pub key: Option<Arc<SecretString>>,
    /// Whether a first order of ClawCall's shape gets a key.
    pub makes_keys: bool,
    /// Addresses of recordings that open without a key.
    pub links: Links,
    /// Opens the page once.
    pub invitation: Invitation,
    /// Who listens to calls, and who may.
    pub listeners: Listeners,
    /// Who is told what happens.
    pub webhooks: Webhooks,
    /// How the server is set.
    pub settings: crate::settings::Shared,
    /// Whom the house's orders ring that name nobody, unless a number is stored.
    pub target: Option<Number>,
    /// What was turned away.
    pub refusals: Refusals,
    /// Lives only in a rehearsal.
    pub stagehand: Option<Stagehand>,
    /// Browsers as phones.
    pub softphones: Softphones,
    /// What the routes of a real phone network work with.
    pub network: Ends,
}

/// Every route: what the one listener of a rehearsal serves.
pub fn routes(desk: Desk) -> Router {
    let all = for_users().merge(for_operators()).merge(for_browsers()).merge(for_carriers());
    let all = if desk.stagehand.is_some() { all.merge(for_rehearsals()) } else { all };
    guarded(all, desk.clone(), patient(&desk))
}

/// What the API's listener serves when the carriers have a door of their own.
pub fn api_routes(desk: Desk) -> Router {
    let all = for_users().merge(for_operators()).merge(for_browsers());
    guarded(all, desk.clone(), patient(&desk))
}

/// What the carriers' door serves. Each route but `/healthz` asks for a secret, for strangers
/// reach them.
pub fn carrier_routes(desk: Desk) -> Router {
    let all = for_carriers().route("/healthz", get(health::alive));
    guarded(all, desk, Router::new())
}

fn for_users() -> Router<Desk> {
    Router::new()
        .route("/v1/calls", post(calls::place).get(calls::list))
        .route("/v1/calls/{id}", get(calls::show).delete(calls::forget))
        .route("/v1/calls/{id}/hangup", post(calls::hang_up))
        .route("/v1/calls/{id}/say", post(calls::say))
        .route("/v1/calls/{id}/dtmf", post(calls::dtmf))
        .route("/v1/calls/{id}/transfer", post(calls::transfer))
        .route("/v1/calls/{id}/recording", get(calls::recording))
        .route("/v1/calls/{id}/listen", get(calls::listen).post(calls::ticket))
        .route("/v1/calls/{id}/transcript", get(calls::transcript))
        .route("/v1/calls/{id}/events", get(calls::events))
        .route("/v1/schedules", post(schedules::make).get(schedules::list))
        .route("/v1/schedules/{id}", get(schedules::show).delete(schedules::cancel))
        .merge(approvals::routes())
        .merge(campaigns::routes())
        .merge(clawcall::routes())
        .merge(webhooks::routes())
        .merge(policy::routes())
        .route("/v1/calls/{id}/follow-up", post(searches::follow_up))
        .route("/v1/searches", post(searches::begin).get(searches::list))
        .route("/v1/searches/{id}", get(searches::show))
        .route("/v1/searches/{id}/events", get(searches::events))
        .route("/v1/searches/{id}/stop", post(searches::stop))
        .route("/v1/searches/{id}/choose", post(searches::choose))
        .route("/v1/phone", get(phone::show).put(phone::set))
        .route("/v1/floor", get(floor::show))
}

fn for_operators() -> Router<Desk> {
    Router::new()
        .route("/v1/keys", post(keys::make).get(keys::list))
        .route("/v1/keys/{id}", delete(keys::revoke))
        .route("/v1/inbound", get(inbound::list))
        .route("/v1/inbound/{number}", get(inbound::show).put(inbound::set).delete(inbound::forget))
        .route("/v1/settings", get(settings::list).patch(settings::change))
        .route("/v1/loads", get(loads::list))
        .route("/v1/loads/{id}", get(loads::show))
        .route("/v1/loads/{id}/report", get(loads::report))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(softphone::routes())
        .merge(openapi::routes())
}

fn for_browsers() -> Router<Desk> {
    Router::new()
        .route("/", get(page::index))
        .route("/page/{*path}", get(page::file))
        .route("/session", post(session::open).delete(session::close))
        .route("/session/{word}", get(session::accept))
}

fn for_carriers() -> Router<Desk> {
    Router::new()
        .route("/acs/media/{call}/{nonce}", any(media::acs))
        .route("/twilio/media/{call}/{nonce}", any(media::twilio))
        .route("/asterisk/media", any(media::asterisk::any_call))
        .route("/asterisk/media/{call}/{nonce}", any(media::asterisk::one_call))
        .route("/twilio/incoming", post(twilio::incoming))
        .route("/twilio/events/{call}/{nonce}", post(twilio::events))
        .route("/twilio/whisper/{name}", post(twilio::whisper))
        .merge(acs::routes())
}

fn for_rehearsals() -> Router<Desk> {
    Router::new()
        .route("/rehearsal/numbers", get(rehearsal::numbers))
        .route("/rehearsal/faults", post(rehearsal::fault))
}

/// What agents reach by way of their own routes.
fn api(desk: &Desk) -> Router {
    guarded(for_users(), desk.clone(), approvals::patient_routes())
}

/// Routes that may take their time.
fn patient(desk: &Desk) -> Router<Desk> {
    let slow = approvals::patient_routes().merge(settings::patient_routes());
    let all = mcp::routes(api(desk), desk.clone()).merge(slow);
    if desk.stagehand.is_some() { all.merge(rehearsal::patient_routes()) } else { all }
}

/// The routes behind the guard. Those that are `patient` may take their time: agents wait for the
/// end of a call, or for a decision.
fn guarded(routes: Router<Desk>, desk: Desk, patient: Router<Desk>) -> Router {
    let routes = routes
        .fallback(problem::not_found)
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER))
        .merge(patient);
    guard::around(routes, desk.refusals.clone(), Patience::default()).with_state(desk)
}
