//! A search as the API shows it.

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_actors::briefing::{Lifecycle, Outcome, Text};
use tandem_actors::record::RecordError;

use crate::search::{comparison, result};
use crate::store::{SearchRow, SearchState, Store, TargetRow};

/// Without its targets.
pub(super) fn short(search: &SearchRow) -> Value {
    json!({
        "id": search.id,
        "account": search.account.as_str(),
        "question": search.inquiry.question.as_str(),
        "state": search.state.word(),
        "made_at": Timestamp::from_millisecond(search.made_ms).ok(),
    })
}

/// With what was found. The token is shown as soon as there is something to choose.
pub(super) async fn whole(store: &Store, search: &SearchRow) -> Result<Value, RecordError> {
    let mut shown = short(search);
    let targets: Vec<Value> =
        search.targets.iter().map(|target| of_target(search.state, target)).collect();
    let is_known = targets.iter().any(|target| target["result"].is_object());
    shown["targets"] = targets.into();
    shown["comparison"] = comparison(store, search).await?.into();
    if is_known {
        shown["token"] = search.token.as_str().into();
    }
    if let Some((number, call)) = &search.chosen {
        shown["chosen"] = json!({ "number": number, "call": call.to_string() });
    }
    Ok(shown)
}

/// Whether nothing will come any more: neither a call nor its end.
pub(super) fn is_over(search: &SearchRow) -> bool {
    let is_live = |target: &TargetRow| {
        target.row.as_ref().is_some_and(|row| row.lifecycle != Lifecycle::Finalized)
    };
    search.state != SearchState::Running && !search.targets.iter().any(is_live)
}

fn of_target(search: SearchState, target: &TargetRow) -> Value {
    json!({
        "number": target.number,
        "to": target.target.to.as_str(),
        "name": target.target.name.as_ref().map(Text::as_str),
        "state": state(search, target),
        "attempts": target.attempts,
        "call": target.call.as_ref().map(ToString::to_string),
        "outcome": target.row.as_ref().and_then(|row| row.outcome).map(Outcome::word),
        "result": result(target),
    })
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
