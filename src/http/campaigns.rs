//! Campaigns for the users of the API: what is kept across calls about one purpose, and its calls.

pub(super) mod view;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tandem_actors::briefing::{Outcome, Text};

use super::Desk;
use super::caller::{Caller, Writer};
use super::calls::order::{TASK_CHARS, checked_task};
use super::calls::view::placed;
use super::calls::{PAGE, behind};
use super::once::{Keyed, made};
use super::openapi::words::RetryWord;
use super::problem::Problem;
use super::searches::Listing;
use super::searches::order::{FACTS_CHARS, Whom, retried, targets, text};
use crate::campaign;
use crate::reception::{NotMade, Order, Wish};
use crate::store::{
    Campaign, CampaignArchive as _, CampaignChange, CampaignRow, CampaignTarget, Campaigns as _,
    DECISIONS_MAX, Errand, NoPlace, Ordered,
};

use view::{CampaignPage, Made, Short, Whole};

/// Whom a campaign is about: as many as one keeps in mind.
const TARGETS: std::ops::RangeInclusive<usize> = 1..=50;

/// The longest purpose.
const PURPOSE_CHARS: usize = 1_000;

/// The longest decision, or word on what is next.
const WORD_CHARS: usize = 500;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/v1/campaigns", post(make).get(list))
        .route("/v1/campaigns/{id}", get(show).patch(change).delete(forget))
        .route("/v1/campaigns/{id}/calls", post(call))
}

/// What is to be kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CampaignOrder")]
pub(super) struct New {
    /// What its calls are about.
    #[schemars(length(min = 1, max = PURPOSE_CHARS))]
    purpose: String,
    /// What holds for all of them.
    #[schemars(length(min = 1, max = FACTS_CHARS))]
    constraints: Option<String>,
    /// What they know.
    #[schemars(length(min = 1, max = FACTS_CHARS))]
    known_facts: Option<String>,
    /// Whom it is about, nobody twice.
    #[schemars(length(min = *TARGETS.start(), max = *TARGETS.end()))]
    targets: Vec<Whom>,
    /// Says that an order that was given a moment ago is meant once more.
    #[serde(default, rename = "again")]
    _again: bool,
}

/// `POST /v1/campaigns`: 201; rings nobody.
async fn make(State(desk): State<Desk>, order: Keyed) -> Result<Response, Problem> {
    let (caller, once, new) = order.read("POST /v1/campaigns")?;
    let New { purpose, constraints, known_facts, targets: whom, .. } = new;
    let kept = |field, words: Option<String>| {
        words.map(|words| text(field, &words, FACTS_CHARS)).transpose()
    };
    let campaign = Campaign {
        purpose: text("purpose", &purpose, PURPOSE_CHARS)?,
        constraints: kept("constraints", constraints)?,
        known_facts: kept("known_facts", known_facts)?,
    };
    let targets = targets(whom, TARGETS)?;
    let begun = desk.store.make_campaign(caller.account, campaign, targets, once).await?;
    let (id, repeated) = match begun {
        Ordered::New(id) => (id, false),
        Ordered::Before(id) => (id, true),
        Ordered::OtherOrder => return Err(Problem::other_order()),
        Ordered::JustNow(id) => return Err(Problem::just_now("campaign", &id)),
    };
    let place = format!("/v1/campaigns/{id}");
    Ok(made(StatusCode::CREATED, &place, repeated, json!(Made { id })))
}

/// `GET /v1/campaigns`: newest first, without their targets.
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    Query(Listing { limit, cursor }): Query<Listing>,
) -> Result<Json<CampaignPage>, Problem> {
    let (after, limit) = (behind(cursor)?, limit.unwrap_or(PAGE));
    let (found, next) = desk.store.campaigns(caller.sees(), after, limit).await?;
    let campaigns = found.iter().map(Short::of).collect();
    Ok(Json(CampaignPage { campaigns, next: next.map(|cursor| cursor.to_string()) }))
}

/// `GET /v1/campaigns/{id}`: with where each target stands, and which call says so.
async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Whole>, Problem> {
    Ok(Json(Whole::of(&of(&desk, &caller, &id).await?)))
}

/// What is different from now on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CampaignChange")]
pub(super) struct Change {
    /// An empty text takes them away.
    #[schemars(length(max = FACTS_CHARS))]
    constraints: Option<String>,
    /// An empty text takes them away.
    #[schemars(length(max = FACTS_CHARS))]
    known_facts: Option<String>,
    /// They are added.
    #[serde(default)]
    decisions: Vec<Decision>,
    #[serde(default)]
    targets: Vec<Next>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Decision {
    #[schemars(length(min = 1, max = WORD_CHARS))]
    decision: String,
    /// The number of the target that it is about; all of them without it.
    target: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Next {
    /// The number of the target.
    number: u32,
    /// An empty text takes it away.
    #[schemars(length(max = WORD_CHARS))]
    next_action: String,
}

/// `PATCH /v1/campaigns/{id}`: what is not named stays; an empty text takes away; decisions are
/// added.
async fn change(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    body: Result<Json<Change>, JsonRejection>,
) -> Result<Json<Whole>, Problem> {
    let Json(change) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let campaign = of(&desk, &caller, &id).await?;
    let kept = |field, words: Option<String>| {
        words.map(|words| maybe_empty(field, &words, FACTS_CHARS)).transpose()
    };
    let mut checked = CampaignChange {
        constraints: kept("constraints", change.constraints)?,
        known_facts: kept("known_facts", change.known_facts)?,
        ..CampaignChange::default()
    };
    for Decision { decision, target } in change.decisions {
        let about = target.map(|number| numbered(&campaign, number)).transpose()?;
        let decision = text("decisions", &decision, WORD_CHARS)?;
        checked.decisions.push((about.map(|target| target.number), decision));
    }
    for Next { number, next_action } in change.targets {
        let target = numbered(&campaign, number)?;
        let next = maybe_empty("targets", &next_action, WORD_CHARS)?;
        checked.next_actions.push((target.number, next));
    }
    if !desk.store.change_campaign(&campaign.id, checked).await? {
        let detail = format!("there would be more than {DECISIONS_MAX} decisions");
        return Err(Problem::conflict("too_many_decisions", detail));
    }
    Ok(Json(Whole::of(&of(&desk, &caller, &id).await?)))
}

/// `DELETE /v1/campaigns/{id}`: its calls and searches stay.
async fn forget(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let campaign = of(&desk, &caller, &id).await?;
    desk.store.forget_campaign(&campaign.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which target is rung, and what for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CampaignCallOrder")]
pub(super) struct Call {
    /// Its number.
    target: u32,
    #[schemars(length(min = 1, max = TASK_CHARS))]
    task: String,
    /// Whether it has no means to agree to anything.
    #[serde(default)]
    only_asks: bool,
    /// After which outcomes it is rung once more.
    #[serde(default)]
    #[schemars(with = "Vec<RetryWord>")]
    retry: Vec<String>,
    /// Says that an order that was given a moment ago is meant once more.
    #[serde(default, rename = "again")]
    _again: bool,
}

/// `POST /v1/campaigns/{id}/calls`: rings a target, with what is kept and what was said before.
async fn call(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    order: Keyed,
) -> Result<Response, Problem> {
    let campaign = of(&desk, &order.caller, &id).await?;
    let (_, once, asked) = order.read(&format!("POST /v1/campaigns/{}/calls", campaign.id))?;
    let Call { target, task, only_asks, retry, .. } = asked;
    let target = numbered(&campaign, target)?;
    let task = checked_task(&task)?;
    let again = retry.iter().map(|word| retried(word)).collect::<Result<Vec<Outcome>, _>>()?;
    let before = campaign::before(target);
    let turns = match before {
        Some(row) => crate::store::Archive::turns(&desk.store, &row.id).await?,
        None => Vec::new(),
    };
    let context = before.map(|row| (row, &turns[..]));
    let task = campaign::task(task.as_str(), only_asks, &campaign, target, context);
    let errand = Errand {
        campaign: campaign.id.clone(),
        number: target.number,
        before: None,
        follows: before.map(|row| row.id.clone()),
        attempts: 1,
        only_asks,
        again,
    };
    let usual = Wish { account: campaign.account.clone(), ..desk.reception.wish(task) };
    let wish = campaign::wish(errand, usual);
    match desk.reception.place(Order { to: target.target.to.clone(), wish, once }).await {
        Ok(done) => Ok(placed(done).into_response()),
        Err(NotMade::NoPlace(NoPlace::UnderWay)) => {
            let detail = "a call with this target is under way; wait for its end, or hang up";
            Err(Problem::conflict("call_under_way", detail.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// A text that may be empty, and not too long.
fn maybe_empty(field: &'static str, words: &str, chars: usize) -> Result<Text, Problem> {
    if words.trim().is_empty() { Ok(Text::default()) } else { text(field, words, chars) }
}

fn numbered(campaign: &CampaignRow, number: u32) -> Result<&CampaignTarget, Problem> {
    campaign.targets.iter().find(|target| target.number == number).ok_or_else(|| {
        let detail = format!("the campaign has no target {number}; they are numbered from 1");
        Problem::invalid("target", detail)
    })
}

/// A campaign that they may see. What is somebody else's is not told from what is not there.
pub(super) async fn of(desk: &Desk, caller: &Caller, id: &str) -> Result<CampaignRow, Problem> {
    let campaign = desk.store.campaign(id).await?;
    let theirs = campaign.filter(|campaign| caller.may_see(&campaign.account));
    theirs.ok_or_else(|| {
        let shown: String = id.chars().take(64).collect();
        let detail = format!("no campaign has the id {shown:?}; GET /v1/campaigns lists them");
        Problem::absent("campaign_not_found", "There is no such campaign", detail)
    })
}
