//! Why somebody is not rung: a code for programs, and a sentence that says what to do. Names no
//! number, for sentences get into logs.

use jiff::Timestamp;

use super::{Hours, NOWHERE};

/// Which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// An emergency service or a short code.
    Emergency,
    /// Whoever rings it pays more.
    Premium,
    /// In no country's plan.
    Unknown,
    /// Not one of the countries.
    Country,
    /// In none of the ranges.
    Range,
    /// On a do-not-call list.
    DoNotCall,
    /// Nobody has recorded a consent.
    NoConsent,
    /// Too early or too late where it would ring.
    Hours,
    /// Rung too often.
    Attempts,
    /// Too many calls a minute.
    Rate,
    /// Too many calls at once.
    AtOnce,
    /// The minutes of the day are used up.
    Minutes,
    /// Nobody ordered it at that moment: too early or too late for that.
    ProactiveHours,
    /// Nobody did: too soon after the one before.
    ProactiveGap,
    /// Nobody did: too many of them.
    ProactiveDay,
}

impl Code {
    /// Every one, in their order.
    pub const ALL: [Self; 15] = [
        Self::Emergency,
        Self::Premium,
        Self::Unknown,
        Self::Country,
        Self::Range,
        Self::DoNotCall,
        Self::NoConsent,
        Self::Hours,
        Self::Attempts,
        Self::Rate,
        Self::AtOnce,
        Self::Minutes,
        Self::ProactiveHours,
        Self::ProactiveGap,
        Self::ProactiveDay,
    ];

    /// The word in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Emergency => "emergency_number",
            Self::Premium => "premium_number",
            Self::Unknown => "unknown_number",
            Self::Country => "country_not_allowed",
            Self::Range => "range_not_allowed",
            Self::DoNotCall => "do_not_call",
            Self::NoConsent => "no_consent",
            Self::Hours => "outside_calling_hours",
            Self::Attempts => "too_many_attempts",
            Self::Rate => "rate_limited",
            Self::AtOnce => "too_many_at_once",
            Self::Minutes => "minutes_spent",
            Self::ProactiveHours => "outside_proactive_hours",
            Self::ProactiveGap => "proactive_too_soon",
            Self::ProactiveDay => "too_many_proactive",
        }
    }

    /// Whether it is about how much, and not about whom or when.
    #[must_use]
    pub const fn is_of_amount(self) -> bool {
        match self {
            Self::Attempts
            | Self::Rate
            | Self::AtOnce
            | Self::Minutes
            | Self::ProactiveGap
            | Self::ProactiveDay => true,
            Self::Emergency
            | Self::Premium
            | Self::Unknown
            | Self::Country
            | Self::Range
            | Self::DoNotCall
            | Self::NoConsent
            | Self::Hours
            | Self::ProactiveHours => false,
        }
    }
}

/// Why somebody is not rung.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// Which rule.
    pub code: Code,
    /// What is wrong, and what to do.
    pub detail: String,
    /// Whether the same order may be permitted later.
    pub retryable: bool,
    /// From when on, where that is known.
    pub next_permitted_at: Option<Timestamp>,
}

impl Refused {
    fn for_good(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retryable: false, next_permitted_at: None }
    }

    fn until(code: Code, at: Option<Timestamp>, detail: String) -> Self {
        Self { code, detail, retryable: true, next_permitted_at: at }
    }

    pub(super) fn emergency() -> Self {
        let detail = "it is an emergency number, a short code, or not written as +, country and \
                      number; these are never rung. In an emergency a human must call";
        Self::for_good(Code::Emergency, detail)
    }

    pub(super) fn premium() -> Self {
        let detail = "it is a premium-rate, shared-cost, personal, pager or satellite number; \
                      these are never rung. Use an ordinary number of whom you want to reach";
        Self::for_good(Code::Premium, detail)
    }

    pub(super) fn unknown() -> Self {
        let detail = "it is no number of any country's plan; look for a wrong or a missing figure";
        Self::for_good(Code::Unknown, detail)
    }

    pub(super) fn country(country: Option<&str>, permitted: &[String]) -> Self {
        let of = match country {
            Some(NOWHERE) => "it is an international number of no country (001)".to_owned(),
            Some(country) => format!("it is a number of {country}"),
            None => "its country is not known".to_owned(),
        };
        let permitted = match permitted {
            [] => "none".to_owned(),
            some => some.join(", "),
        };
        let detail = format!("{of}, and policy.countries permits {permitted}; add it there");
        Self::for_good(Code::Country, detail)
    }

    pub(super) fn range() -> Self {
        Self::for_good(Code::Range, "it begins like none of policy.ranges; add its range there")
    }

    pub(super) fn do_not_call() -> Self {
        let detail = "it is on the do-not-call list; whoever is responsible for the list can take \
                      it off (policy.do_not_call, DELETE /v1/do-not-call/{number})";
        Self::for_good(Code::DoNotCall, detail)
    }

    pub(super) fn consent() -> Self {
        let detail = "there is no record that they consented to be rung; when they have, keep it \
                      with PUT /v1/consents/{number}";
        Self::for_good(Code::NoConsent, detail)
    }

    pub(super) fn no_zone() -> Self {
        let detail = "the time zone of this number is not known, and policy.hours limits when may \
                      be rung; ring another number, or set policy.hours to always";
        Self::for_good(Code::Hours, detail)
    }

    pub(super) fn hours(hours: &Hours, zones: &[&str], next: Option<Timestamp>) -> Self {
        let zones = zones.join(", ");
        let Some(next) = next else {
            let detail = format!(
                "policy.hours ({hours}) has no moment in a week that suits all of {zones}; make \
                 them longer"
            );
            return Self::for_good(Code::Hours, detail);
        };
        let detail = format!(
            "it is outside policy.hours ({hours}) in {zones}; the next moment is {next}, when all \
             of them are within"
        );
        Self::until(Code::Hours, Some(next), detail)
    }

    pub(super) fn attempts(made: usize, next: Timestamp) -> Self {
        let detail = format!(
            "it was rung {made} times within 24 hours, as often as policy.attempts_per_day \
             permits; try again at {next}"
        );
        Self::until(Code::Attempts, Some(next), detail)
    }

    pub(super) fn rate(made: usize, next: Timestamp) -> Self {
        let detail = format!(
            "{made} calls were placed within a minute, as many as policy.calls_per_minute \
             permits; try again at {next}"
        );
        Self::until(Code::Rate, Some(next), detail)
    }

    pub(super) fn at_once(most: u32) -> Self {
        let detail = format!(
            "{most} calls are under way, as many as policy.at_once permits; try again when one is \
             over"
        );
        Self::until(Code::AtOnce, None, detail)
    }

    pub(super) fn minutes(most: u32, next: Timestamp) -> Self {
        let detail = format!(
            "the {most} minutes of talk that policy.minutes_per_day permits are used up; they \
             begin anew at {next}"
        );
        Self::until(Code::Minutes, Some(next), detail)
    }
}
