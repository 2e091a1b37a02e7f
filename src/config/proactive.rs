//! Calls that nobody orders at that moment, as settings; with a real carrier the defaults keep a
//! schedule or an agent that runs wild from ringing somebody all day.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Config, Kind};
use crate::policy;

/// As often as any number may be rung in a day at first (`policy.attempts_per_day`); it holds
/// where that was raised for orders of humans.
const PER_DAY: u32 = 3;

/// Long enough that nobody takes it for one call that rings through, short enough for a reminder
/// that is repeated.
const GAP_MIN: u32 = 15;

/// What is permitted of calls that nobody orders at that moment: those of schedules and those
/// that name nobody. What is not set is unlimited in a rehearsal.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proactive {
    /// To one number within 24 hours; 0: any.
    pub per_day: Option<u32>,
    /// Minutes from one to the next to the same number; 0: none.
    pub gap_min: Option<u32>,
    /// When, beside `policy.hours`: `mon-fri 08:00-20:00`, `always`.
    pub hours: Option<String>,
    /// Where these hours are read: an IANA name.
    pub time_zone: Option<String>,
}

impl Proactive {
    /// The rules.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(super) fn rules(&self, config: &Config) -> Result<policy::Proactive, String> {
        let is_real = config.carrier.kind != Kind::Rehearsal;
        let cap = |set: Option<u32>, usual: u32| match set {
            Some(0) => None,
            Some(cap) => Some(cap),
            None => is_real.then_some(usual),
        };
        let zone = self.time_zone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(zone).map_err(|_unknown| {
            format!("proactive.time_zone: {zone:.60?} is no IANA time zone, such as Europe/Berlin")
        })?;
        let hours = match self.hours.as_deref().map(str::trim) {
            None | Some("always") => None,
            Some(hours) => {
                let hours = hours.parse().map_err(|no| format!("proactive.hours: {no}"))?;
                Some((hours, zone))
            }
        };
        let gap = cap(self.gap_min, GAP_MIN);
        Ok(policy::Proactive {
            per_day: cap(self.per_day, PER_DAY),
            gap: gap.map(|minutes| SignedDuration::from_mins(i64::from(minutes))),
            hours,
        })
    }
}
