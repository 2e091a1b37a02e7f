//! What happens to a call, in order: as a list, or as it comes (server-sent events).

use std::convert::Infallible;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_actors::briefing::CallId;
use tokio::sync::watch;

use super::super::Desk;
use super::super::alive::{self, ALIVE};
use super::super::caller::Caller;
use super::super::problem::Problem;
use crate::store::{Archive as _, EventRow, Store};

/// The header by which a client says where it stopped reading.
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// Behind which event.
#[derive(Deserialize, JsonSchema)]
pub(in crate::http) struct After {
    /// Only events whose number is above this one.
    #[serde(default)]
    after: u64,
}

/// `GET /v1/calls/{id}/events`: everything that happened, in order; as a stream, until the end of
/// the call, to whoever accepts `text/event-stream`.
pub(in crate::http) async fn events(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = caller.call(&desk.store, &id).await?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::ACCEPT).is_some_and(|accepts| accepts.contains("text/event-stream")) {
        let after = text(LAST_EVENT).and_then(|last| last.parse().ok()).unwrap_or(after);
        let follower = Follower {
            commits: desk.store.commits(),
            store: desk.store.clone(),
            call: row.id,
            after,
            read: Vec::new().into_iter(),
            caller: (desk, headers),
        };
        return Ok(alive::told(follower.stream()));
    }
    let events = desk.store.events(&row.id, after).await?;
    Ok(Json(events.iter().map(view).collect::<Vec<_>>()).into_response())
}

/// Something that happened in a call.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallEvent")]
pub(in crate::http) struct Happened {
    /// Counts the events of a call, from 1; some may be missing.
    sequence: u64,
    /// Milliseconds since 1970.
    at_ms: i64,
    /// What kind, such as `turn` or `finalized`.
    kind: String,
    /// What there is to say of it, by its kind.
    body: Value,
}

fn view(event: &EventRow) -> Happened {
    Happened {
        sequence: event.sequence,
        at_ms: event.at_ms,
        kind: event.kind.clone(),
        body: serde_json::from_str(event.body.as_str()).unwrap_or_default(),
    }
}

/// Reads on as long as there is something to come.
struct Follower {
    store: Store,
    commits: watch::Receiver<u64>,
    call: CallId,
    after: u64,
    read: std::vec::IntoIter<EventRow>,
    /// To look again whether they may read: a key can be revoked meanwhile.
    caller: (Desk, HeaderMap),
}

impl Follower {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(Some(self), async |follower| {
            let mut follower = follower?;
            let event = follower.next().await?;
            let ends = event.kind == "finalized";
            let told = Event::default()
                .id(event.sequence.to_string())
                .event(event.kind.clone())
                .json_data(view(&event))
                .expect("a JSON value is JSON");
            Some((Ok(told), (!ends).then_some(follower)))
        })
    }

    async fn next(&mut self) -> Option<EventRow> {
        loop {
            if let Some(event) = self.read.next() {
                self.after = event.sequence;
                return Some(event);
            }
            // Before the reading: what is written during it wakes us again.
            self.commits.mark_unchanged();
            self.read = self.store.events(&self.call, self.after).await.ok()?.into_iter();
            if self.read.len() > 0 {
                continue;
            }
            if self.is_over().await {
                return None;
            }
            let waited = tokio::time::timeout(ALIVE, self.commits.changed()).await;
            match waited {
                Ok(changed) => changed.ok()?,
                Err(_elapsed) => {
                    let (desk, headers) = &self.caller;
                    let caller = Caller::of(headers, desk).await.ok()?;
                    caller.call(&self.store, &self.call.0).await.ok()?;
                }
            }
        }
    }

    /// Whether the call has ended and all of it has been read: whoever comes late to a call that
    /// is over, behind its last event, is not kept.
    async fn is_over(&self) -> bool {
        let row = self.store.call(&self.call).await;
        row.is_ok_and(|row| row.is_none_or(|row| row.outcome.is_some()))
    }
}
