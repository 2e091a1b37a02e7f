//! The route table, grouped by who calls: users of the API, carriers, operators, rehearsals.

pub mod accept;

mod calls;
mod health;
mod media;
mod problem;
mod rehearsal;
mod twilio;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use tower_http::timeout::TimeoutLayer;

use crate::carrier::twilio::control::Twilio;
use crate::reception;
use crate::server::Stagehand;
use crate::store::Store;
use tandem_actors::exchange::Exchange;

/// The largest body taken: an order with a long task fits many times.
const BODY: usize = 64 * 1024;

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
    /// Twilio, when it is the carrier.
    pub twilio: Option<Twilio>,
    /// Lives only in a rehearsal.
    pub stagehand: Option<Stagehand>,
}

/// Every route.
pub fn routes(desk: Desk) -> Router {
    let users = Router::new()
        .route("/v1/calls", post(calls::place).get(calls::list))
        .route("/v1/calls/{id}", get(calls::show))
        .route("/v1/calls/{id}/hangup", post(calls::hang_up))
        .route("/v1/calls/{id}/transcript", get(calls::transcript))
        .route("/v1/calls/{id}/events", get(calls::events));
    let carriers = Router::new()
        .route("/acs/media/{call}/{nonce}", any(media::acs))
        .route("/twilio/media/{call}/{nonce}", any(media::twilio))
        .route(
            "/twilio/incoming",
            post(twilio::incoming).layer(DefaultBodyLimit::max(twilio::BODY)),
        )
        .route(
            "/twilio/events/{call}/{nonce}",
            post(twilio::events).layer(DefaultBodyLimit::max(twilio::BODY)),
        );
    let operators = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics));
    let mut routes = Router::new().merge(users).merge(operators);
    if desk.stagehand.is_some() {
        routes = routes
            .route("/rehearsal/incoming", post(rehearsal::incoming))
            .route("/rehearsal/faults", post(rehearsal::fault));
    }
    routes
        .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::GATEWAY_TIMEOUT, ANSWER))
        .layer(DefaultBodyLimit::max(BODY))
        .merge(carriers)
        .fallback(problem::not_found)
        .with_state(desk)
}
