//! Which of the calls that Twilio lists is the one whose order was never answered. Pure.
//!
//! Source: Twilio's Call resource (list): `date_created` is RFC 2822, `direction` says whether the
//! interface ordered it.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde::Deserialize;
use tandem_actors::carrier::CarrierCallId;

/// The clocks may differ by so much, and `date_created` has whole seconds.
const CLOCKS: Duration = Duration::from_secs(2);

/// An order reaches Twilio within this time or not at all: it is no longer waited for then.
const UNDERWAY: Duration = Duration::from_secs(15);

/// A page of calls.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
struct Call {
    sid: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    date_created: Option<String>,
}

impl Listed {
    /// The call that was ordered then; nothing when there is none, or more than one that is not
    /// known to be another.
    pub(super) fn ordered(
        &self,
        ordered: SystemTime,
        is_other: impl Fn(&CarrierCallId) -> bool,
    ) -> Option<CarrierCallId> {
        let ordered = Timestamp::try_from(ordered).ok()?;
        let mut fitting = self
            .calls
            .iter()
            .filter(|call| call.direction == "outbound-api" && call.was_made_by(ordered))
            .map(|call| CarrierCallId(call.sid.clone()))
            .filter(|name| !is_other(name));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }
}

impl Call {
    fn was_made_by(&self, ordered: Timestamp) -> bool {
        let created = self.date_created.as_deref().and_then(|text| rfc2822::parse(text).ok());
        created.is_some_and(|created| {
            let after = created.timestamp().duration_since(ordered).as_millis();
            let (early, late) = (CLOCKS.as_millis(), (CLOCKS + UNDERWAY).as_millis());
            i128::try_from(early).is_ok_and(|early| after >= -early)
                && i128::try_from(late).is_ok_and(|late| after <= late)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const AT: &str = "Fri, 27 Nov 2026 10:00:00 +0000";

    fn found(calls: &[(&str, &str, &str)]) -> Option<String> {
        let calls: Vec<_> = calls
            .iter()
            .map(|(sid, direction, created)| {
                json!({ "sid": sid, "direction": direction, "date_created": created })
            })
            .collect();
        let listed: Listed = serde_json::from_value(json!({ "calls": calls })).unwrap();
        let ordered = rfc2822::parse(AT).unwrap().timestamp();
        listed.ordered(ordered.into(), |name| name.0 == "CAother").map(|name| name.0)
    }

    #[test]
    fn only_the_one_call_that_it_can_be_is_found() {
        let ours = ("CA1", "outbound-api", "Fri, 27 Nov 2026 10:00:02 +0000");
        assert_eq!(found(&[ours]), Some("CA1".to_owned()));
        assert_eq!(found(&[]), None);
        let yesterday = ("CA2", "outbound-api", "Thu, 26 Nov 2026 10:00:02 +0000");
        let later = ("CA3", "outbound-api", "Fri, 27 Nov 2026 10:05:00 +0000");
        let rang_us = ("CA4", "inbound", "Fri, 27 Nov 2026 10:00:02 +0000");
        let other = ("CAother", "outbound-api", "Fri, 27 Nov 2026 10:00:02 +0000");
        assert_eq!(found(&[yesterday, later, rang_us, other, ours]), Some("CA1".to_owned()));
        assert_eq!(found(&[yesterday, later, rang_us, other]), None);
        let twin = ("CA5", "outbound-api", "Fri, 27 Nov 2026 10:00:03 +0000");
        assert_eq!(found(&[ours, twin]), None, "it may be either");
    }
}
