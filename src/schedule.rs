//! Calls that are made later: once, or again and again by a clock in some time zone, each time only
//! under a condition where one is given. [`Spec`] is what was ordered; [`run`] sees to it.

mod condition;
mod driver;

use std::str::FromStr as _;
use std::time::Duration;

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use condition::{Condition, Is};
pub use driver::run;

/// How late a call may be made, unless an order says otherwise.
const GRACE_S: u64 = 600;

/// The longest grace: a day.
const GRACE_MAX_S: u64 = 86_400;

/// What is to be done, and when.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ScheduleOrder")]
pub struct Spec {
    /// Whom to ring, in E.164; left out, the phone of `/v1/phone`.
    #[schemars(regex(pattern = r"^\+[1-9][0-9]{6,14}$"))]
    pub to: String,
    /// What for.
    pub task: String,
    /// When, if once.
    pub at: Option<Timestamp>,
    /// When, if again and again: five fields as of cron.
    pub cron: Option<String>,
    /// Where these are read, by its IANA name.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// What must hold each time.
    pub condition: Option<Condition>,
    /// How late it may be made, in seconds.
    #[serde(default = "grace")]
    #[schemars(range(max = GRACE_MAX_S))]
    pub grace_s: u64,
    /// Read where orders are told apart.
    #[serde(default, skip_serializing)]
    pub again: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn grace() -> u64 {
    GRACE_S
}

/// A field that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Wrong {
    /// Its name.
    pub field: &'static str,
    /// A sentence.
    pub why: String,
}

impl Spec {
    /// The first time after `now`.
    ///
    /// # Errors
    /// What is wrong with the order.
    pub fn first(&self, now: Timestamp) -> Result<Timestamp, Wrong> {
        let wrong = |field, why: String| Err(Wrong { field, why });
        if self.grace_s > GRACE_MAX_S {
            return wrong("grace_s", format!("it is more than a day ({GRACE_MAX_S} s)"));
        }
        if let Some(condition) = &self.condition {
            condition.check().map_err(|why| Wrong { field: "condition", why })?;
        }
        match (self.at, &self.cron) {
            (Some(at), None) if at > now => Ok(at),
            (Some(at), None) => wrong("at", format!("{at} has passed; it is {now}")),
            (None, Some(cron)) => {
                let zone = self.zone()?;
                let fields = cron.split_ascii_whitespace().count();
                if fields != 5 {
                    let why = format!(
                        "{cron:.40?} has {fields} fields; give five: minute hour \
                                       day month weekday"
                    );
                    return wrong("cron", why);
                }
                let parsed = parsed(cron)?;
                match next(&parsed, now, &zone) {
                    Some(next) => Ok(next),
                    None => wrong("cron", format!("{cron:.40?} never comes")),
                }
            }
            (Some(_), Some(_)) => wrong("at", "give `at` or `cron`, not both".to_owned()),
            (None, None) => wrong("at", "give `at` (once) or `cron` (again and again)".to_owned()),
        }
    }

    /// The first time after this one, if it is to be done again.
    #[must_use]
    pub fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let cron = parsed(self.cron.as_deref()?).ok()?;
        next(&cron, now, &self.zone().ok()?)
    }

    /// How late a call may be made.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_s)
    }

    fn zone(&self) -> Result<TimeZone, Wrong> {
        TimeZone::get(&self.time_zone).map_err(|_unknown| Wrong {
            field: "time_zone",
            why: format!("{:.60?} is no IANA time zone, such as Europe/Berlin", self.time_zone),
        })
    }
}

fn parsed(cron: &str) -> Result<Cron, Wrong> {
    Cron::from_str(cron)
        .map_err(|error| Wrong { field: "cron", why: format!("{cron:.40?}: {error}") })
}

fn next(cron: &Cron, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let from = now.to_zoned(zone.clone());
    cron.find_next_occurrence(&from, false).ok().map(|next| next.timestamp())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn spec(json: serde_json::Value) -> Spec {
        let mut all = serde_json::json!({ "to": "+15550100", "task": "Ask." });
        all.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    #[rstest]
    // Winter: Berlin is an hour ahead, in summer two.
    #[case("0 9 * * *", "Europe/Berlin", "2026-01-10T08:30:00Z", "2026-01-11T08:00:00Z")]
    #[case("0 9 * * *", "Europe/Berlin", "2026-07-10T06:30:00Z", "2026-07-10T07:00:00Z")]
    #[case("30 8 * * 1-5", "America/New_York", "2026-11-27T14:00:00Z", "2026-11-30T13:30:00Z")]
    fn a_cron_is_read_where_it_is_said(
        #[case] cron: &str,
        #[case] zone: &str,
        #[case] now: &str,
        #[case] next: &str,
    ) {
        let spec = spec(serde_json::json!({ "cron": cron, "time_zone": zone }));
        let next: Timestamp = next.parse().unwrap();
        assert_eq!(spec.first(now.parse().unwrap()), Ok(next));
        assert!(spec.after(next).unwrap() > next);
    }

    #[rstest]
    #[case(serde_json::json!({}), "at")]
    #[case(serde_json::json!({ "at": "2020-01-01T00:00:00Z" }), "at")]
    #[case(serde_json::json!({ "at": "2030-01-01T00:00:00Z", "cron": "0 9 * * *" }), "at")]
    #[case(serde_json::json!({ "cron": "0 0 9 * * *" }), "cron")]
    #[case(serde_json::json!({ "cron": "99 9 * * *" }), "cron")]
    #[case(serde_json::json!({ "cron": "0 9 30 2 *" }), "cron")]
    #[case(serde_json::json!({ "cron": "0 9 * * *", "time_zone": "Mars/Base" }), "time_zone")]
    #[case(serde_json::json!({ "cron": "0 9 * * *", "grace_s": 90_000 }), "grace_s")]
    fn what_cannot_be_is_named(#[case] json: serde_json::Value, #[case] field: &str) {
        let wrong = spec(json).first("2026-11-27T12:00:00Z".parse().unwrap()).unwrap_err();
        assert_eq!(wrong.field, field, "{wrong}");
    }

    #[test]
    fn once_is_once() {
        let spec = spec(serde_json::json!({ "at": "2030-01-01T00:00:00Z" }));
        let at = spec.first("2026-11-27T12:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(spec.after(at), None);
    }
}
