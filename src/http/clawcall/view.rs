//! A call in ClawCall's words. Pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::calls::detail::Detail;
use super::preferences::their_voice;
use crate::store::{CallRow, TurnRow};
use tandem_actors::briefing::Direction;

/// A call without its conversation.
pub(super) fn brief(row: &CallRow) -> Value {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    let (to, from) = match row.direction {
        Direction::Outbound => (&row.remote, &row.local),
        Direction::Inbound => (&row.local, &row.remote),
    };
    let said = |words: &str| Some(words.to_owned()).filter(|words| !words.is_empty());
    let mut told = json!({
        "id": row.id.to_string(),
        "direction": row.direction.word(),
        "handling_mode": "agent",
        "task": row.task.as_str(),
        "voice": said(their_voice(&row.manner.voice)),
        "personality": said(&row.manner.personality),
        "greeting": said(&row.manner.greeting),
        "numbers": { "to": to.as_str(), "from": from.as_str(), "bridge_from": null },
        "lifecycle": row.lifecycle.word(),
        "timestamps": {
            "queued_at": at(row.queued_ms),
            "dialing_at": row.dialing_ms.and_then(at),
            "answered_at": row.answered_ms.and_then(at),
            "finalized_at": row.finalized_ms.and_then(at),
        },
    });
    if let Some(outcome) = row.outcome {
        let reason = row.reason.as_deref().unwrap_or_default();
        told["outcome"] = outcome.word().into();
        let mut detail = json!(Detail::of(outcome, reason));
        detail["hangup_cause"] = reason.into();
        told["outcome_detail"] = detail;
        told["talk_seconds"] = (row.talk_ms.unwrap_or_default() / 1_000).into();
        told["recording_url"] = format!("/call/{}/recording", row.id).into();
    }
    told
}

/// A call with what has been said; before the first word there is no transcript.
pub(super) fn whole(row: &CallRow, turns: &[TurnRow]) -> Value {
    let said: Vec<Value> = turns
        .iter()
        .map(|turn| {
            json!({
                "role": turn.speaker.word(),
                "text": turn.text.as_str(),
                "timestamp": Timestamp::from_millisecond(turn.at_ms).ok(),
            })
        })
        .collect();
    let mut told = brief(row);
    told["transcript"] = if said.is_empty() { Value::Null } else { said.into() };
    told
}
