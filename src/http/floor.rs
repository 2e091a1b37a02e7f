//! Every live call at a glance, once or as it goes on (server-sent events): first the whole, then
//! what has changed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::Desk;
use super::caller::Caller;
use super::problem::Problem;
use crate::store::{LiveRow, Store};

/// A stream says that it lives, and looks whether its reader may still read, this often.
const ALIVE: Duration = Duration::from_secs(5);

/// Between two looks: a floor is made of many facts, and nobody reads faster.
const BREATH: Duration = Duration::from_millis(400);

/// `GET /v1/floor`: the calls that are not over, how many there may be, how the server does; as a
/// stream, for as long as it is read, to whoever accepts `text/event-stream`: `floor` with the
/// whole, then `change` with the calls that are new or look different, and the ids of those that
/// are over.
pub(super) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains("text/event-stream")) {
        let commits = desk.store.commits();
        let follower = Follower { desk, headers, commits, told: None };
        let alive = KeepAlive::new().interval(ALIVE);
        return Ok(Sse::new(follower.stream()).keep_alive(alive).into_response());
    }
    let rows = desk.store.floor(caller.sees()).await?;
    let mut whole = state(&desk, &desk.store);
    whole["calls"] = rows.iter().map(view).collect();
    Ok(Json(whole).into_response())
}

fn state(desk: &Desk, store: &Store) -> Value {
    let record = store.health().fault.map(|fault| fault.to_string());
    json!({
        "places": desk.exchange.limit(),
        "live": desk.exchange.live(),
        "draining": desk.exchange.is_draining(),
        "rehearsal": desk.stagehand.is_some(),
        "record": record,
    })
}

fn view(row: &LiveRow) -> Value {
    let replied: Option<Value> =
        row.replied.as_deref().and_then(|body| serde_json::from_str(body).ok());
    json!({
        "id": row.id,
        "direction": row.direction,
        "remote": row.remote,
        "lifecycle": row.lifecycle,
        "queued_ms": row.queued_ms,
        "answered_ms": row.answered_ms,
        "words": row.words.as_ref().map(|(role, text)| json!({ "role": role, "text": text })),
        "reply_ms": replied.map(|body| body["ms"].clone()),
        "repairs": row.repairs,
    })
}

struct Follower {
    desk: Desk,
    /// To look again whether they may read: a key can be revoked meanwhile.
    headers: HeaderMap,
    commits: watch::Receiver<u64>,
    told: Option<Told>,
}

/// What the reader has been told.
struct Told {
    rows: BTreeMap<String, LiveRow>,
    state: Value,
}

impl Follower {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, async |mut follower| {
            let event = follower.next().await?;
            Some((Ok(event), follower))
        })
    }

    /// Waits for something new.
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Before the reading: what is written during it wakes us again.
            self.commits.mark_unchanged();
            let caller = Caller::of(&self.headers, &self.desk).await.ok()?;
            let rows = self.desk.store.floor(caller.sees()).await.ok()?;
            let state = state(&self.desk, &self.desk.store);
            let rows: BTreeMap<String, LiveRow> =
                rows.into_iter().map(|row| (row.id.clone(), row)).collect();
            let before = self.told.replace(Told { rows, state });
            let now = self.told.as_ref()?;
            if let Some(event) = event(before.as_ref(), now) {
                return Some(event);
            }
            tokio::time::sleep(BREATH).await;
            if let Ok(changed) = tokio::time::timeout(ALIVE, self.commits.changed()).await {
                changed.ok()?;
            }
        }
    }
}

/// What is to be told; nothing when nothing is new.
fn event(before: Option<&Told>, now: &Told) -> Option<Event> {
    let (name, calls, over): (_, Vec<Value>, Vec<&String>) = match before {
        None => ("floor", now.rows.values().map(view).collect(), Vec::new()),
        Some(before) => {
            let is_new = |row: &&LiveRow| before.rows.get(&row.id) != Some(row);
            let over = before.rows.keys().filter(|id| !now.rows.contains_key(*id)).collect();
            ("change", now.rows.values().filter(is_new).map(view).collect(), over)
        }
    };
    let is_news = before.is_none_or(|before| before.state != now.state);
    if !is_news && calls.is_empty() && over.is_empty() {
        return None;
    }
    let mut body = now.state.clone();
    body["calls"] = calls.into();
    body["over"] = json!(over);
    Some(Event::default().event(name).json_data(body).expect("a JSON value is JSON"))
}
