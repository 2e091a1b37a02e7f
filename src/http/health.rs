//! What operators and their machines ask: alive, ready for calls, how it does.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Desk;
use super::caller::Operator;
use super::problem::Problem;
use crate::store::Deliveries as _;

/// `GET /healthz`: this process answers.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// How `/metrics` are written.
pub(super) const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /readyz`: new calls are taken.
pub(super) async fn ready(State(desk): State<Desk>) -> Result<&'static str, Problem> {
    let not = |code, why: &str| {
        Err(Problem::of(
            StatusCode::SERVICE_UNAVAILABLE,
            code,
            format!("no calls are taken: {why}"),
        ))
    };
    if desk.exchange.is_draining() {
        return not("draining", "the server is going away");
    }
    if desk.store.health().fault.is_some() {
        return not("record_unavailable", "the record cannot be written");
    }
    if desk.exchange.live() >= desk.exchange.limit() {
        return not("at_capacity", "as many are live as the limit allows");
    }
    Ok("ready\n")
}

/// `GET /metrics`: Prometheus text. No number or id is ever a label.
pub(super) async fn metrics(State(desk): State<Desk>, Operator: Operator) -> Response {
    let mut registry = Registry::with_prefix("tandem");
    let exchange = &desk.exchange;
    let counters = exchange.counters();
    let health = desk.store.health();
    let runtime = tokio::runtime::Handle::current().metrics();
    let count =
        |counter: &std::sync::atomic::AtomicU64| ConstCounter::new(counter.load(Ordering::Relaxed));
    let gauge = |n: usize| ConstGauge::new(i64::try_from(n).unwrap_or(i64::MAX));
    registry.register("calls_started", "Calls admitted", count(&counters.started));
    registry.register("calls_ended", "Calls whose actors are gone", count(&counters.ended));
    registry.register("calls_restarted", "Call actors lost", count(&counters.restarted));
    registry.register("parts_hung", "Parts killed because they hung", count(&counters.hung));
    registry.register("calls_live", "Live calls", gauge(exchange.live()));
    registry.register("actors_live", "Live actors of calls", gauge(exchange.actors()));
    registry.register("softphones", "Browsers as phones", gauge(desk.softphones.phones()));
    let bridges = gauge(desk.softphones.bridges());
    registry.register("softphone_bridges", "Pairs who talk after a hand-over", bridges);
    let model = desk.model.counts();
    registry.register("model_elsewhere", "Sessions at the second model", count(&model.elsewhere));
    registry.register("model_limited", "Responses refused for now", count(&model.rate_limited));
    registry.register("model_exhausted", "Allowances found used up", count(&model.exhausted));
    registry.register("model_tokens", "Tokens as the models tell them", model.tokens.clone());
    let free = exchange.limit().saturating_sub(exchange.live());
    registry.register("places_free", "Calls that could be admitted", gauge(free));
    let queue = desk.reception.queue_counts();
    registry.register("callers_waiting", "Callers in the queue", gauge(desk.reception.waiting()));
    registry.register("callers_queued", "Callers who had to wait", count(&queue.queued));
    registry.register("callers_gave_up", "Callers gone before their turn", count(&queue.gave_up));
    registry.register("callers_turned_away", "Callers told busy", count(&queue.turned_away));
    registry.register("tasks_live", "Live tasks", gauge(runtime.num_alive_tasks()));
    registry.register("record_waiting", "Facts not yet written", gauge(health.waiting));
    registry.register("record_dropped", "Facts lost", ConstCounter::new(health.dropped));
    let told = &desk.webhooks.counts;
    registry.register("webhooks_delivered", "Deliveries taken", count(&told.delivered));
    registry.register("webhooks_failed", "Attempts not taken", count(&told.failed));
    registry.register("webhooks_given_up", "Deliveries given up", count(&told.given_up));
    // A record that cannot be read says so elsewhere.
    if let Ok(waiting) = desk.store.deliveries_waiting().await {
        let waiting = gauge(usize::try_from(waiting).unwrap_or(usize::MAX));
        registry.register("webhooks_waiting", "Deliveries not yet taken", waiting);
    }
    desk.refusals.register(&mut registry);
    if let Some(acs) = &desk.network.acs {
        acs.register(&mut registry);
    }
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    ([(header::CONTENT_TYPE, METRICS)], text).into_response()
}
