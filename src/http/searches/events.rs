//! A search as it goes on (server-sent events): the whole of it whenever something has changed, so
//! that whoever comes late or again has missed nothing.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::{Stream, stream};
use serde_json::Value;
use tokio::sync::watch;

use super::super::Desk;
use super::super::alive::{self, ALIVE};
use super::super::caller::Caller;
use super::super::problem::Problem;
use super::{of, view};

/// Between two looks: a search is made of many facts, and nobody reads faster.
const BREATH: Duration = Duration::from_millis(300);

/// `GET /v1/searches/{id}/events`: until nothing will come any more.
pub(in crate::http) async fn events(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let search = of(&desk, &caller, &id).await?;
    let commits = desk.store.commits();
    let follower = Follower { desk, headers, id: search.id, commits, told: Value::Null };
    Ok(alive::told(follower.stream()))
}

/// Reads on as long as there is something to come.
struct Follower {
    desk: Desk,
    /// To look again whether they may read: a key can be revoked meanwhile.
    headers: HeaderMap,
    id: String,
    commits: watch::Receiver<u64>,
    told: Value,
}

impl Follower {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(Some(self), async |follower| {
            let mut follower = follower?;
            let ends = follower.next().await?;
            let told = Event::default().event("search").json_data(&follower.told);
            let told = told.expect("a JSON value is JSON");
            Some((Ok(told), (!ends).then_some(follower)))
        })
    }

    /// Waits for something new; whether it is the last.
    async fn next(&mut self) -> Option<bool> {
        loop {
            // Before the reading: what is written during it wakes us again.
            self.commits.mark_unchanged();
            let caller = Caller::of(&self.headers, &self.desk).await.ok()?;
            let search = of(&self.desk, &caller, &self.id).await.ok()?;
            let shown = view::whole(&self.desk.store, &search).await.ok()?;
            if shown != self.told {
                self.told = shown;
                return Some(view::is_over(&search));
            }
            tokio::time::sleep(BREATH).await;
            let waited = tokio::time::timeout(ALIVE, self.commits.changed()).await;
            if let Ok(changed) = waited {
                changed.ok()?;
            }
        }
    }
}
