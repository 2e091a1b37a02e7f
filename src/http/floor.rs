//! Every live call at a glance, once or as it goes on (server-sent events): first the whole, then
//! what has changed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Desk;
use super::alive::{self, ALIVE};
use super::caller::Caller;
use super::openapi::words::{DirectionWord, LifecycleWord};
use super::problem::Problem;
use crate::model::endpoints::PlaceSeen;
use crate::standing::{Seen, State as Does};
use crate::store::{Archive as _, LiveRow};

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
        return Ok(alive::told(follower.stream()));
    }
    let rows = desk.store.floor(caller.sees()).await?;
    let floor =
        Floor { house: house(&desk, &caller), calls: rows.iter().map(view).collect(), over: None };
    Ok(Json(floor).into_response())
}

/// The calls that are not over, oldest first, and how the server does.
#[derive(Serialize, JsonSchema)]
pub(super) struct Floor {
    #[serde(flatten)]
    house: House,
    /// In a change those that are new or look different.
    calls: Vec<LiveCall>,
    /// In a change only: the ids of those that are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<Vec<String>>,
}

/// How the server does.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct House {
    /// How many calls there may be at once, of all accounts.
    places: usize,
    /// How many there are.
    live: usize,
    /// How many callers wait for a place.
    waiting: usize,
    /// Whether it goes away and takes no calls.
    draining: bool,
    /// Whether the phone network is simulated.
    rehearsal: bool,
    /// Why nothing can be written down, while it cannot.
    record: Option<String>,
    /// How the phone network does.
    carrier: Leg,
    /// How each speech model does, the preferred one first.
    models: Vec<Leg>,
}

/// What a call stands on, and what came of what was last asked of it. Nothing is asked to find
/// out: before the first call it is `not_asked`.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Leg {
    /// `rehearsal`, `acs`, `twilio`, `asterisk`; `model`, `model.second`.
    name: &'static str,
    state: Does,
    /// When that was seen, in milliseconds since 1970.
    at_ms: Option<i64>,
    /// Why it did not work; for whoever runs the server.
    why: Option<String>,
    /// It is left alone for a while, for it has failed.
    rests: bool,
}

impl Leg {
    fn of(name: &'static str, seen: Seen, caller: &Caller) -> Self {
        let Seen { state, at_ms, why } = seen;
        let why = why.filter(|_| caller.runs_it);
        Self { name, state, at_ms, why, rests: false }
    }
}

/// A call that is not over.
#[derive(Serialize, JsonSchema)]
struct LiveCall {
    id: String,
    #[schemars(with = "DirectionWord")]
    direction: String,
    /// The other party.
    remote: String,
    #[schemars(with = "LifecycleWord")]
    lifecycle: String,
    /// Milliseconds since 1970, as the next.
    queued_ms: i64,
    /// When both sides could talk.
    answered_ms: Option<i64>,
    /// The last turn.
    words: Option<Words>,
    /// How long the caller waited for the last answer, in milliseconds.
    reply_ms: Option<u64>,
    /// How often a part of it was replaced.
    repairs: i64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Words {
    /// `user` or `assistant`.
    role: String,
    text: String,
}

fn house(desk: &Desk, caller: &Caller) -> House {
    let model =
        |place: PlaceSeen| Leg { rests: place.rests, ..Leg::of(place.name, place.seen, caller) };
    let network = &desk.network;
    House {
        carrier: Leg::of(network.name(), network.seen.seen(), caller),
        models: desk.model.seen().into_iter().map(model).collect(),
        places: desk.exchange.limit(),
        live: desk.exchange.live(),
        waiting: desk.reception.waiting(),
        draining: desk.exchange.is_draining(),
        rehearsal: desk.stagehand.is_some(),
        record: desk.store.health().fault.map(|fault| fault.to_string()),
    }
}

fn view(row: &LiveRow) -> LiveCall {
    let row = row.clone();
    let replied: Option<Replied> =
        row.replied.as_deref().and_then(|body| serde_json::from_str(body).ok());
    LiveCall {
        id: row.id,
        direction: row.direction,
        remote: row.remote,
        lifecycle: row.lifecycle,
        queued_ms: row.queued_ms,
        answered_ms: row.answered_ms,
        words: row.words.map(|(role, text)| Words { role, text }),
        reply_ms: replied.map(|Replied { ms }| ms),
        repairs: row.repairs,
    }
}

/// The event that tells a reply time.
#[derive(Deserialize)]
struct Replied {
    ms: u64,
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
    house: House,
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
            let rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
            let house = house(&self.desk, &caller);
            let before = self.told.replace(Told { rows, house });
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
    let is_new = |row: &&LiveRow| before.is_none_or(|told| told.rows.get(&row.id) != Some(row));
    let calls: Vec<LiveCall> = now.rows.values().filter(is_new).map(view).collect();
    let is_gone = |id: &&String| !now.rows.contains_key(*id);
    let over = before.map(|told| told.rows.keys().filter(is_gone).cloned().collect::<Vec<_>>());
    let is_same = before.is_some_and(|told| told.house == now.house)
        && calls.is_empty()
        && over.as_ref().is_none_or(Vec::is_empty);
    if is_same {
        return None;
    }
    let name = if before.is_none() { "floor" } else { "change" };
    let floor = Floor { house: now.house.clone(), calls, over };
    Some(Event::default().event(name).json_data(floor).expect("plain data is JSON"))
}
