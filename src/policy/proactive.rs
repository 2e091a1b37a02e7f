//! Rules for calls that nobody ordered at that moment: those of schedules, and those that name
//! nobody and ring their account's own phone. They come on top of the others, and protect whoever
//! is rung: each counts the calls to one number.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Code, DAY, Hours, Refused, filled};

/// What an operator permits of them.
#[derive(Clone, Debug, Default)]
pub struct Proactive {
    /// To one number in 24 hours.
    pub per_day: Option<u32>,
    /// From one to the next to the same number, at least.
    pub gap: Option<SignedDuration>,
    /// When, and where that is read; none: always.
    pub hours: Option<(Hours, TimeZone)>,
}

impl Proactive {
    /// Since when such calls matter, and how many of them.
    pub(super) fn ask(&self, now: Timestamp) -> (Timestamp, u32) {
        let since = now - self.gap.map_or(DAY, |gap| gap.max(DAY));
        (since, self.per_day.unwrap_or_default().max(u32::from(self.gap.is_some())))
    }

    /// Whether another one may be made now, behind those `made`, the newest first.
    pub(super) fn judge(&self, made: &[Timestamp], now: Timestamp) -> Result<(), Refused> {
        if let Some((hours, zone)) = &self.hours {
            let zones = [zone.clone()];
            if !hours.permit(&zones, now) {
                let next = hours.next(&zones, now);
                return Err(refused(Code::ProactiveHours, next, &format!("{self}")));
            }
        }
        if let Some(gap) = self.gap
            && let Some(last) = made.first().filter(|last| **last + gap > now)
        {
            return Err(refused(Code::ProactiveGap, Some(*last + gap), &format!("{self}")));
        }
        if let Some(oldest) = filled(made, self.per_day).filter(|oldest| *oldest + DAY > now) {
            return Err(refused(Code::ProactiveDay, Some(oldest + DAY), &format!("{self}")));
        }
        Ok(())
    }

    /// Whether nothing is asked of them.
    pub(super) const fn is_open(&self) -> bool {
        self.per_day.is_none() && self.gap.is_none() && self.hours.is_none()
    }
}

fn refused(code: Code, next: Option<Timestamp>, rules: &str) -> Refused {
    let when = next.map_or_else(|| "never".to_owned(), |next| format!("at {next}"));
    let detail = format!(
        "nobody ordered this call at this moment, and of such the settings permit {rules} \
         (proactive.*); it may be made {when}"
    );
    Refused { code, detail, retryable: next.is_some(), next_permitted_at: next }
}

/// The rules in a few words.
impl fmt::Display for Proactive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.per_day {
            Some(most) => write!(f, "{most} a day to one number")?,
            None => write!(f, "any number a day")?,
        }
        if let Some(gap) = self.gap {
            write!(f, ", {} minutes apart", gap.as_mins())?;
        }
        if let Some((hours, zone)) = &self.hours {
            write!(f, ", {hours} in {}", zone.iana_name().unwrap_or("its zone"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(written: &str) -> Timestamp {
        written.parse().unwrap()
    }

    /// Twice a day, an hour apart, in the mornings of Berlin.
    fn rules() -> Proactive {
        Proactive {
            per_day: Some(2),
            gap: Some(SignedDuration::from_hours(1)),
            hours: Some(("08:00-12:00".parse().unwrap(), TimeZone::get("Europe/Berlin").unwrap())),
        }
    }

    #[rstest]
    #[case("2026-06-10T08:00:00Z", &[], Ok(()))]
    #[case("2026-06-10T05:59:00Z", &[], Err(("outside_proactive_hours", "2026-06-10T06:00:00Z")))]
    #[case("2026-06-10T10:00:00Z", &[], Err(("outside_proactive_hours", "2026-06-11T06:00:00Z")))]
    #[case("2026-06-10T08:00:00Z", &["2026-06-10T07:30:00Z"],
        Err(("proactive_too_soon", "2026-06-10T08:30:00Z")))]
    #[case("2026-06-10T08:30:00Z", &["2026-06-10T07:30:00Z"], Ok(()))]
    #[case("2026-06-10T08:30:00Z", &["2026-06-10T07:00:00Z", "2026-06-09T09:00:00Z"],
        Err(("too_many_proactive", "2026-06-10T09:00:00Z")))]
    #[case("2026-06-10T09:00:00Z", &["2026-06-10T07:00:00Z", "2026-06-09T09:00:00Z"], Ok(()))]
    fn each_rule_says_when_it_permits_the_next(
        #[case] now: &str,
        #[case] made: &[&str],
        #[case] judged: Result<(), (&str, &str)>,
    ) {
        let made: Vec<Timestamp> = made.iter().map(|made| at(made)).collect();
        let told = rules().judge(&made, at(now));
        let told = told.map_err(|refused| (refused.code.word(), refused.next_permitted_at));
        assert_eq!(told, judged.map_err(|(code, next)| (code, Some(at(next)))));
    }

    #[test]
    fn no_more_is_asked_of_the_record_than_the_rules_need() {
        let now = at("2026-06-10T08:00:00Z");
        assert_eq!(Proactive::default().ask(now), (now - DAY, 0));
        assert_eq!(rules().ask(now), (now - DAY, 2));
        let long = Proactive { gap: Some(DAY * 2), ..Proactive::default() };
        assert_eq!(long.ask(now), (now - DAY * 2, 1));
        assert!(Proactive::default().is_open() && !long.is_open());
    }
}
