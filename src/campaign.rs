//! Campaigns: what is kept across calls about one purpose. Here is what a call of one is told and
//! what it brings into it; [`run`] rings once more where the network failed, or where that was
//! asked for. Pure but for that.

mod driver;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tandem_actors::briefing::{Outcome, Text};

pub use driver::run;
pub(crate) use driver::wish;

use crate::search::{brief, follow_up};
use crate::store::{CallRow, CampaignRow, CampaignTarget, TurnRow};

/// Decisions that a call is told: the last ones.
const DECISIONS: usize = 10;

/// The call with this target that a further one goes on from: the last one in which somebody was
/// talked with.
#[must_use]
pub fn before(target: &CampaignTarget) -> Option<&CallRow> {
    target.calls.iter().find(|call| call.outcome == Some(Outcome::Answered))
}

/// The task of a call of a campaign. Its first line is what is to be done.
#[must_use]
pub fn task(
    task: &str,
    only_asks: bool,
    of: &CampaignRow,
    target: &CampaignTarget,
    before: Option<(&CallRow, &[TurnRow])>,
) -> Text {
    let name = target.target.name.as_ref().map(Text::as_str);
    let base = match only_asks {
        true => brief::task(task, None, name),
        false => Text(task.to_owned()),
    };
    let Text(mut told) = match before {
        Some((call, turns)) => follow_up::task(base.as_str(), None, call, turns),
        None => base,
    };
    let mut add = |what: &str, text: &str| told.push_str(&format!("\n{what}: {text}"));
    add("The call is one of several about one purpose", of.campaign.purpose.as_str());
    if let Some(name) = name.filter(|_| !only_asks) {
        add("You ring", name);
    }
    if let Some(constraints) = &of.campaign.constraints {
        add("What holds in all of them", constraints.as_str());
    }
    if let Some(facts) = &of.campaign.known_facts {
        add("What is known, and may be told where it helps", facts.as_str());
    }
    let ours = |about: Option<u32>| about.is_none_or(|number| number == target.number);
    let decided: Vec<_> = of.decisions.iter().filter(|one| ours(one.target)).collect();
    for decided in decided.iter().skip(decided.len().saturating_sub(DECISIONS)) {
        add("What was decided", decided.decision.as_str());
    }
    told.push_str(
        "\nReport in `blocker` what stands in the way, in `decision_needed` what whoever ordered \
         the call has to decide, and in `next_action` what should be done next; leave out what \
         does not apply.",
    );
    Text(told)
}

/// What a call of a campaign brings back, beside what stands in the way and what is next.
#[must_use]
pub fn schema(only_asks: bool) -> Value {
    if only_asks {
        return brief::schema(None);
    }
    json!({
        "type": "object",
        "properties": {
            "agreed": { "type": "boolean", "description": "They have agreed to what was wanted" },
            "terms": { "type": "string", "maxLength": 1000, "description": "What was agreed" },
        },
    })
}

/// Where a target stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Standing {
    /// What the last call that reported anything has brought.
    pub result: Option<Reported>,
    /// What stands in the way.
    pub blocker: Option<Said>,
    /// What has to be decided before it goes on.
    pub decision_needed: Option<Said>,
    /// What is next.
    pub next_action: Option<Said>,
}

/// What a call has reported.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Reported {
    /// The call.
    pub call: String,
    /// `achieved`, `blocked` or `unclear`.
    pub status: Value,
    /// What was asked for, where it was achieved.
    pub data: Value,
    /// The words that it rests on.
    pub evidence: Value,
}

/// A sentence, and the call that says so; none when it was said by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Said {
    /// The sentence.
    pub text: String,
    /// The call.
    pub call: Option<String>,
}

/// Where a target stands, by its last call that reported anything, and by what was decided and
/// said since.
#[must_use]
pub fn standing(of: &CampaignRow, target: &CampaignTarget) -> Standing {
    let by_hand = target.next_action.as_ref();
    let by_hand_ms = by_hand.map(|(_, at_ms)| *at_ms);
    let said = by_hand.map(|(text, _)| Said { text: text.as_str().to_owned(), call: None });
    let reported = target.calls.iter().find_map(|call| {
        let told: Value = serde_json::from_str(call.result.as_ref()?.as_str()).ok()?;
        Some((call, told))
    });
    let Some((call, mut told)) = reported else {
        return Standing { next_action: said, ..Standing::default() };
    };
    let id = call.id.to_string();
    let ended_ms = call.finalized_ms.unwrap_or(i64::MAX);
    let from = |name: &str| {
        let text = told[name].as_str().filter(|text| !text.trim().is_empty())?;
        Some(Said { text: text.to_owned(), call: Some(id.clone()) })
    };
    let about = |number: Option<u32>| number == Some(target.number);
    let is_decided =
        of.decisions.iter().any(|decided| about(decided.target) && decided.at_ms >= ended_ms);
    // What was said by hand since goes before what the call said.
    let is_newer = by_hand_ms.is_none_or(|said_ms| said_ms < ended_ms);
    let next = from("next_action").or_else(|| from("next_step")).filter(|_| is_newer);
    let (blocker, needed) = (from("blocker"), from("decision_needed"));
    let [status, data, evidence] = ["status", "data", "evidence"].map(|name| told[name].take());
    Standing {
        result: Some(Reported { call: id, status, data, evidence }),
        blocker,
        decision_needed: needed.filter(|_| !is_decided),
        next_action: next.or(said),
    }
}

#[cfg(test)]
mod tests {
    use tandem_actors::briefing::{CallId, Direction, Lifecycle};
    use tandem_actors::carrier::Number;

    use super::*;
    use crate::account::Account;
    use crate::persona::Manner;
    use crate::store::{Campaign, Decided, Target, Tenure};

    fn call(id: &str, at_ms: i64, result: Option<Value>) -> CallRow {
        CallRow {
            id: CallId::new(id),
            account: Account::house(),
            direction: Direction::Outbound,
            remote: Number::new("+15550100"),
            local: Number::new("+15550199"),
            task: "Ask for a table.".into(),
            manner: Manner::default(),
            lifecycle: Lifecycle::Finalized,
            outcome: Some(Outcome::Answered),
            reason: None,
            carrier_call: None,
            owner: Tenure { node: "a".to_owned(), epoch: 1 },
            queued_ms: at_ms,
            dialing_ms: None,
            answered_ms: None,
            finalized_ms: Some(at_ms),
            talk_ms: None,
            usage: None,
            result: result.map(|told| Text(told.to_string())),
            recording: None,
            recorded_ms: None,
            submission_unknown: false,
            follows: None,
            campaign: Some("k1".to_owned()),
        }
    }

    fn campaign(calls: Vec<CallRow>, decisions: Vec<Decided>) -> CampaignRow {
        let target = CampaignTarget {
            number: 1,
            target: Target { to: Number::new("+15550100"), name: Some("Rosa".into()) },
            call: None,
            attempts: 1,
            only_asks: false,
            again: None,
            next_action: Some(("Write to them.".into(), 150)),
            calls,
        };
        CampaignRow {
            id: "k1".to_owned(),
            account: Account::house(),
            campaign: Campaign {
                purpose: "A dinner for four.".into(),
                constraints: Some("At most 40 EUR.".into()),
                known_facts: Some("Sam comes late.".into()),
            },
            decisions,
            targets: vec![target],
            searches: Vec::new(),
            made_ms: 0,
            changed_ms: 0,
        }
    }

    fn decided(target: Option<u32>, decision: &str, at_ms: i64) -> Decided {
        Decided { target, decision: decision.into(), at_ms }
    }

    #[test]
    fn a_call_is_told_what_is_kept_and_what_was_said_before() {
        let decisions = vec![decided(None, "Friday.", 1), decided(Some(2), "Not theirs.", 2)];
        let of = campaign(vec![call("c1", 100, None)], decisions);
        let target = &of.targets[0];
        let first = task("Ask for a table.", false, &of, target, None);
        let first = first.as_str();
        assert!(first.starts_with("Ask for a table.\n"), "{first}");
        for kept in ["A dinner for four.", "Rosa", "40 EUR", "Sam comes late", "Friday."] {
            assert!(first.contains(kept), "{kept}: {first}");
        }
        assert!(!first.contains("Not theirs."), "what is decided of another: {first}");
        let again = task("Take it.", false, &of, target, before(target).map(|row| (row, &[][..])));
        assert!(again.as_str().starts_with("This is a follow-up call. Take it.\n"));
        let asks = task("Is there a table?", true, &of, target, None);
        assert!(asks.as_str().starts_with("Ask for information only"), "{asks:?}");
    }

    #[test]
    fn a_target_stands_where_its_last_report_and_what_came_since_put_it() {
        let early = json!({ "status": "blocked", "evidence": "no", "blocker": "It is full." });
        let late = json!({
            "status": "achieved", "evidence": "yes", "data": { "price": 30 },
            "decision_needed": "Is 30 EUR well?", "next_action": "Ring by six.",
        });
        let first = campaign(vec![call("c1", 100, Some(early.clone()))], Vec::new());
        let told = json!(standing(&first, &first.targets[0]));
        assert_eq!(told["blocker"], json!({ "text": "It is full.", "call": "c1" }));
        assert_eq!(told["next_action"], json!({ "text": "Write to them.", "call": null }));

        let calls =
            vec![call("c3", 300, None), call("c2", 200, Some(late)), call("c1", 100, Some(early))];
        let second = campaign(calls.clone(), vec![decided(Some(1), "An old one.", 150)]);
        let told = json!(standing(&second, &second.targets[0]));
        assert_eq!((&told["blocker"], &told["result"]["call"]), (&Value::Null, &json!("c2")));
        assert_eq!(told["result"]["data"]["price"], 30);
        assert_eq!(told["decision_needed"], json!({ "text": "Is 30 EUR well?", "call": "c2" }));
        assert_eq!(told["next_action"], json!({ "text": "Ring by six.", "call": "c2" }));
        let third = campaign(calls, vec![decided(Some(1), "It is well.", 250)]);
        assert_eq!(standing(&third, &third.targets[0]).decision_needed, None);
    }
}
