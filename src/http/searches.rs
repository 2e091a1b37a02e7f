//! Searches for the users of the API: several are asked the same at once, what they say is
//! compared, and one is chosen.

mod events;
pub(super) mod order;
pub(super) mod view;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tandem_actors::briefing::{CallId, Outcome, Text};

pub(super) use events::events;
pub(super) use order::AGAIN;

use view::SearchPage;

use super::Desk;
use super::caller::{Caller, Writer};
use super::calls::{PAGE, behind, order as of_calls, view::placed};
use super::campaigns;
use super::once::{Keyed, made, replayed};
use super::problem::Problem;
use crate::reception::{NotMade, Order, Wish, whole};
use crate::search::follow_up;
use crate::store::{
    Archive as _, CallRow, NoPlace, Ordered, PAGE_MAX, Part, SearchArchive as _, SearchRow,
    SearchState, Searches as _, TargetRow,
};

/// `POST /v1/searches`: 202 with the search's id; the first targets are rung at once.
pub(super) async fn begin(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(body) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let order::Read { inquiry, targets, once } = order::read(&caller.account, &headers, body)?;
    if let Some(campaign) = &inquiry.campaign {
        campaigns::of(&desk, &caller, campaign).await?;
    }
    // A request that breaks off, or is answered too late, leaves no search that nobody follows.
    let (store, searches) = (desk.store.clone(), desk.searches.clone());
    let begun = whole(async move {
        let begun = store.begin_search(caller.account, inquiry, targets, once).await;
        if begun.is_err() {
            // What may be written yet is written before this.
            store.flush().await.ok();
        }
        searches.ring();
        begun
    });
    let (id, repeated) = match begun.await? {
        Ordered::New(id) => (id, false),
        Ordered::Before(id) => (id, true),
        Ordered::OtherOrder => return Err(Problem::other_order()),
        Ordered::JustNow(id) => return Err(Problem::just_now("search", &id)),
    };
    let place = format!("/v1/searches/{id}");
    let body = json!(view::Begun { id, state: SearchState::Running.word() });
    Ok(made(StatusCode::ACCEPTED, &place, repeated, body))
}

/// Which searches.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// How many at most; 25 unless asked otherwise. More than 200 are never shown at once.
    #[schemars(with = "u32", range(min = 1, max = PAGE_MAX))]
    pub(super) limit: Option<u32>,
    /// The `next` of the page before.
    #[schemars(with = "String")]
    pub(super) cursor: Option<String>,
}

/// `GET /v1/searches`: newest first.
pub(super) async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(Listing { limit, cursor }): Query<Listing>,
) -> Result<Json<SearchPage>, Problem> {
    let (after, limit) = (behind(cursor)?, limit.unwrap_or(PAGE));
    let (searches, next) = desk.store.searches(caller.sees(), after, limit).await?;
    let searches = searches.iter().map(view::short).collect();
    Ok(Json(SearchPage { searches, next: next.map(|cursor| cursor.to_string()) }))
}

/// `GET /v1/searches/{id}`: how far it is, and what was found, also while it runs.
pub(super) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let search = of(&desk, &caller, &id).await?;
    Ok(Json(view::whole(&desk.store, &search).await?))
}

/// `POST /v1/searches/{id}/stop`: rings nobody more and ends the calls that ask; idempotent.
pub(super) async fn stop(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let search = of(&desk, &caller, &id).await?;
    desk.store.end_search(&search.id, SearchState::Stopped).await?;
    desk.searches.ring();
    let search = of(&desk, &caller, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(view::short(&search))).into_response())
}

/// Which offer is taken.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choose {
    /// The number of the target.
    number: u32,
    /// As the search shows it.
    token: String,
    /// What the call may agree to; by itself, what was offered.
    #[schemars(length(min = 1, max = of_calls::TASK_CHARS))]
    task: Option<String>,
}

/// `POST /v1/searches/{id}/choose`: rings the target again, to take what it has offered. Whoever is
/// first decides; the others are told by which call.
pub(super) async fn choose(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    body: Result<Json<Choose>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(Choose { number, token, task }) =
        body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let search = of(&desk, &caller, &id).await?;
    if token != search.token.as_str() {
        let detail = "this is not the token of the search; GET it and show its `token`".to_owned();
        return Err(Problem::invalid("token", detail));
    }
    let (target, offered) = offered(&search, number)?;
    let usual = || format!("Take what they have offered. Question: {}", search.inquiry.question.0);
    let task = of_calls::checked_task(&task.unwrap_or_else(usual))?;
    let turns = desk.store.turns(&offered.id).await?;
    let wish = Wish {
        account: search.account.clone(),
        result: Some(outcome_of_choice()),
        campaign: search.inquiry.campaign.clone(),
        part: Part::Choice { search: search.id.clone(), number, follows: offered.id.clone() },
        ..desk.reception.wish(follow_up::task(task.as_str(), None, offered, &turns))
    };
    let order = Order { to: target.target.to.clone(), wish, once: None };
    let (call, repeated) = match desk.reception.place(order).await {
        Ok(placed) => (placed.call, placed.repeated),
        Err(NotMade::NoPlace(NoPlace::Chosen { number: taken, call })) if taken == number => {
            (call, true)
        }
        Err(NotMade::NoPlace(NoPlace::Chosen { number: taken, call })) => {
            return Err(chosen_before(taken, &call));
        }
        Err(error) => return Err(error.into()),
    };
    desk.searches.ring();
    let mut headers = HeaderMap::new();
    replayed(&mut headers, repeated);
    let body = Json(view::Choice { call: call.to_string() });
    Ok((StatusCode::ACCEPTED, headers, body).into_response())
}

fn chosen_before(number: u32, call: &CallId) -> Problem {
    let detail = format!(
        "number {number} was chosen before, by the call {call}; a search chooses once. To talk to \
         another one of its targets, follow up on its call"
    );
    Problem::conflict("chosen_before", detail)
}

/// The target of this number with its call, which must have been talked in and be over.
fn offered(search: &SearchRow, number: u32) -> Result<(&TargetRow, &CallRow), Problem> {
    let target = search.targets.iter().find(|target| target.number == number);
    let Some(target) = target else {
        let detail = format!("the search has no target {number}; they are numbered from 1");
        return Err(Problem::invalid("number", detail));
    };
    let talked = target.row.as_ref().filter(|row| row.outcome == Some(Outcome::Answered));
    let row = talked.ok_or_else(|| {
        let detail = format!("nobody has told anything at number {number}, or they still talk");
        Problem::conflict("nothing_to_choose", detail)
    })?;
    Ok((target, row))
}

/// What a call that takes an offer brings back.
fn outcome_of_choice() -> Value {
    json!({
        "type": "object",
        "properties": {
            "agreed": { "type": "boolean", "description": "They have agreed to it" },
            "terms": { "type": "string", "maxLength": 1000, "description": "What was agreed" },
        },
        "required": ["agreed"],
    })
}

/// A search that they may see. What is somebody else's is not told from what is not there.
async fn of(desk: &Desk, caller: &Caller, id: &str) -> Result<SearchRow, Problem> {
    let search = desk.store.search(id).await?;
    search.filter(|search| caller.may_see(&search.account)).ok_or_else(|| {
        let shown: String = id.chars().take(64).collect();
        let detail = format!("no search has the id {shown:?}; GET /v1/searches lists the newest");
        Problem::of(StatusCode::NOT_FOUND, "search_not_found", detail)
    })
}

/// What a call is to go on with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowUp {
    /// What the call is for.
    #[schemars(length(min = 1, max = of_calls::TASK_CHARS))]
    task: String,
    /// What has happened since.
    #[schemars(length(max = order::FACTS_CHARS))]
    news: Option<String>,
    /// The campaign that it belongs to; by itself that of the call before.
    campaign: Option<String>,
    /// Says that an order that was given a moment ago is meant once more.
    #[serde(default, rename = "again")]
    _again: bool,
}

/// `POST /v1/calls/{id}/follow-up`: rings the other party of a call again, with what is known of
/// it.
pub(super) async fn follow_up(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    order: Keyed,
) -> Result<Response, Problem> {
    let before = order.caller.call(&desk.store, &id).await?;
    let (caller, once, asked) = order.read(&format!("POST /v1/calls/{}/follow-up", before.id))?;
    let FollowUp { task, news, campaign, .. } = asked;
    if before.outcome.is_none() {
        let detail = "the call is not over; what it has brought is known when it is".to_owned();
        return Err(Problem::conflict("not_over", detail));
    }
    let to = of_calls::checked_number("id", before.remote.as_str().to_owned())?;
    let task = of_calls::checked_task(&task)?;
    let news = news.as_deref().map(str::trim).filter(|news| !news.is_empty());
    let news = news.map(|news| order::text("news", news, order::FACTS_CHARS)).transpose()?;
    let campaign = match campaign {
        Some(named) => Some(campaigns::of(&desk, &caller, &named).await?.id),
        None => before.campaign.clone(),
    };
    let turns = desk.store.turns(&before.id).await?;
    let task = follow_up::task(task.as_str(), news.as_ref().map(Text::as_str), &before, &turns);
    let wish = Wish {
        account: before.account.clone(),
        campaign,
        part: Part::FollowUp(before.id),
        ..desk.reception.wish(task)
    };
    Ok(placed(desk.reception.place(Order { to, wish, once }).await?))
}
