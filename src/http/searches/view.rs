//! A search as the API shows it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tandem_actors::briefing::{Lifecycle, Outcome, Text};
use tandem_actors::record::RecordError;

use super::super::openapi::words::{OutcomeWord, SearchStateWord};
use crate::search::compare::ComparisonRow;
use crate::search::{comparison, result};
use crate::store::{SearchRow, SearchState, Store, TargetRow};

/// A search that was begun.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BegunSearch")]
pub(in crate::http) struct Begun {
    pub(super) id: String,
    #[schemars(with = "SearchStateWord")]
    pub(super) state: &'static str,
}

/// The call that takes an offer.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct Choice {
    /// Its id.
    pub(super) call: String,
}

/// A search without its targets.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SearchHead")]
pub(in crate::http) struct Short {
    id: String,
    /// Whose it is.
    account: String,
    question: String,
    #[schemars(with = "SearchStateWord")]
    state: &'static str,
    made_at: Option<Timestamp>,
}

/// A search with what was found.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Search")]
pub(in crate::http) struct Whole {
    #[serde(flatten)]
    head: Short,
    targets: Vec<OfTarget>,
    /// The best first.
    #[schemars(with = "Vec<ComparisonRow<'static>>")]
    comparison: Vec<Value>,
    /// Shown when an offer is taken; there as soon as there is something to choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Which offer was taken, by which call.
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen: Option<Chosen>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Chosen {
    number: u32,
    call: String,
}

/// One who is asked.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Target")]
struct OfTarget {
    number: u32,
    to: String,
    name: Option<String>,
    /// `waiting`, `ringing`, `talking`, `over`, `not_asked` or `refused`.
    state: &'static str,
    attempts: u32,
    /// The last call to them.
    call: Option<String>,
    #[schemars(with = "Option<OutcomeWord>")]
    outcome: Option<&'static str>,
    /// What the call has brought.
    #[schemars(with = "Option<Map<String, Value>>")]
    result: Option<Value>,
}

/// Searches, newest first.
#[derive(Serialize, JsonSchema)]
pub(in crate::http) struct SearchPage {
    pub(super) searches: Vec<Short>,
    /// The `cursor` of the next page, when there is one.
    pub(super) next: Option<String>,
}

/// Without its targets.
pub(super) fn short(search: &SearchRow) -> Short {
    Short {
        id: search.id.clone(),
        account: search.account.to_string(),
        question: search.inquiry.question.0.clone(),
        state: search.state.word(),
        made_at: Timestamp::from_millisecond(search.made_ms).ok(),
    }
}

/// With what was found. The token is shown as soon as there is something to choose.
pub(super) async fn whole(store: &Store, search: &SearchRow) -> Result<Value, RecordError> {
    let targets: Vec<OfTarget> =
        search.targets.iter().map(|target| of_target(search.state, target)).collect();
    let is_known =
        targets.iter().any(|target| target.result.as_ref().is_some_and(Value::is_object));
    let chosen = search.chosen.as_ref();
    Ok(json!(Whole {
        head: short(search),
        targets,
        comparison: comparison(store, search).await?,
        token: is_known.then(|| search.token.0.clone()),
        chosen: chosen.map(|(number, call)| Chosen { number: *number, call: call.to_string() }),
    }))
}

/// Whether nothing will come any more: neither a call nor its end.
pub(super) fn is_over(search: &SearchRow) -> bool {
    let is_live = |target: &TargetRow| {
        target.row.as_ref().is_some_and(|row| row.lifecycle != Lifecycle::Finalized)
    };
    search.state != SearchState::Running && !search.targets.iter().any(is_live)
}

fn of_target(search: SearchState, target: &TargetRow) -> OfTarget {
    OfTarget {
        number: target.number,
        to: target.target.to.as_str().to_owned(),
        name: target.target.name.as_ref().map(|name: &Text| name.0.clone()),
        state: state(search, target),
        attempts: target.attempts,
        call: target.call.as_ref().map(ToString::to_string),
        outcome: target.row.as_ref().and_then(|row| row.outcome).map(Outcome::word),
        result: result(target),
    }
}

fn state(search: SearchState, target: &TargetRow) -> &'static str {
    match (&target.refused, &target.call, &target.row) {
        (Some(_), _, _) => "refused",
        (None, None, _) => match search {
            SearchState::Running => "waiting",
            SearchState::Finished | SearchState::Stopped | SearchState::Chosen => "not_asked",
        },
        (None, Some(_), None) => "over",
        (None, Some(_), Some(row)) => match row.lifecycle {
            Lifecycle::Queued | Lifecycle::Dialing => "ringing",
            Lifecycle::Answered => "talking",
            Lifecycle::Finalized => "over",
        },
    }
}
