//! How calls to a number of ours are held: for what, by whom they may be made, whose they are.
//! Pure.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tandem_actors::briefing::{Door, Text};
use tandem_actors::call::consent::Pin;
use tandem_actors::carrier::Number;
use uuid::Uuid;

use crate::account::Account;
use crate::config::Consent;
use crate::persona::Manner;
use crate::reception::Wish;
use crate::store::hex_digest;

/// The profile of one number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProfileOrder")]
pub struct Profile {
    /// What its calls are for.
    pub task: String,
    /// How they differ from other calls.
    #[serde(default)]
    pub personality: String,
    /// What is said first.
    #[serde(default)]
    pub greeting: String,
    /// The model's voice.
    #[serde(default)]
    pub voice: String,
    /// Who may ring: numbers, or beginnings of numbers that end in `*`. Without any, everybody.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Who is put straight through to the human of `carrier.human`, unheard by the agent: numbers,
    /// or beginnings, as in `allow`.
    #[serde(default)]
    pub passthrough: Vec<String>,
    /// What a caller enters on the keypad before anything is said to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub pin: Option<PinHash>,
    /// The tools its calls may use; all of them when nothing is said.
    pub tools: Option<Vec<String>>,
    /// What has to be before its calls are recorded; what is set when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_consent: Option<Consent>,
    /// Whether callers may be handed over to a human.
    #[serde(default = "yes")]
    pub hand_over: bool,
}

/// A PIN as it is kept: whether another one is the same can be told, which it is cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PinHash {
    salt: String,
    hash: String,
}

impl PinHash {
    /// Of this PIN.
    #[must_use]
    pub fn of(pin: &Pin) -> Self {
        let salt = Uuid::now_v7().to_string();
        let hash = hex_digest(&[&salt, pin.figures().as_str()]);
        Self { salt, hash }
    }

    fn matches(&self, entered: &Pin) -> bool {
        let hash = hex_digest(&[&self.salt, entered.figures().as_str()]);
        hash.as_bytes().ct_eq(self.hash.as_bytes()).into()
    }

    /// What a call asks whether somebody is let in.
    #[must_use]
    pub fn door(self) -> Door {
        Door(Arc::new(move |entered| self.matches(entered)))
    }
}

const fn yes() -> bool {
    true
}

impl Profile {
    /// Whether this caller may ring. One who withholds their number is nobody in particular.
    #[must_use]
    pub fn admits(&self, from: &Number) -> bool {
        self.allow.is_empty() || self.passes_on(from) || is_among(from, &self.allow)
    }

    /// Whether this caller is put straight through to the human.
    #[must_use]
    pub fn passes_on(&self, from: &Number) -> bool {
        is_among(from, &self.passthrough)
    }

    /// What a call to it is to be, beside what is usual.
    #[must_use]
    pub fn wish(self, account: Account, usual: Wish) -> Wish {
        let Self {
            task,
            personality,
            greeting,
            voice,
            pin,
            tools,
            hand_over,
            recording_consent,
            ..
        } = self;
        let door = pin.map(PinHash::door);
        let recording = recording_consent.unwrap_or(usual.recording);
        let manner = Manner { personality, greeting, voice };
        Wish { account, task: Text(task), manner, tools, hand_over, recording, door, ..usual }
    }
}

fn is_among(from: &Number, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => from.as_str().starts_with(beginning),
        None => from.as_str() == pattern,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pin_is_kept_so_that_it_can_be_told_and_not_read() {
        let pin = |figures| Pin::new(figures).unwrap();
        // So many figures that no hash has them by chance.
        let (right, wrong) = (pin("041704170417"), pin("041704170418"));
        let (one, two) = (PinHash::of(&right), PinHash::of(&right));
        assert_ne!(one, two, "two numbers with the same PIN do not show it");
        assert!(!serde_json::to_string(&one).unwrap().contains("041704170417"));
        assert!(one.matches(&right) && !one.matches(&wrong));
    }

    #[rstest]
    #[case(&[], "+15550100", true)]
    #[case(&["+15550100"], "+15550100", true)]
    #[case(&["+15550100"], "+155501001", false)]
    #[case(&["+1555*"], "+15550100", true)]
    #[case(&["+1555*"], "anonymous", false)]
    fn who_may_ring_is_named_whole_or_by_a_beginning(
        #[case] allow: &[&str],
        #[case] from: &str,
        #[case] admitted: bool,
    ) {
        let json = json!({ "task": "Take orders.", "allow": allow });
        let profile: Profile = serde_json::from_value(json).unwrap();
        assert_eq!(profile.admits(&Number::new(from)), admitted);
    }

    #[test]
    fn whoever_is_put_through_may_ring() {
        let json = json!({ "task": "x", "allow": ["+1555*"], "passthrough": ["+1666*"] });
        let profile: Profile = serde_json::from_value(json).unwrap();
        for (from, passes, admitted) in
            [("+16660100", true, true), ("+15550100", false, true), ("+17770100", false, false)]
        {
            let from = Number::new(from);
            assert_eq!((profile.passes_on(&from), profile.admits(&from)), (passes, admitted));
        }
    }
}
