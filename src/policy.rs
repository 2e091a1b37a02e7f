//! Whom a call may ring, and when. The rules are pure: the facts and the moment are passed in; who
//! reads them, and in which order they are read and the call is written, is the record's matter.
//! Closed on doubt: what is not known to be permitted is refused.

mod hours;
mod number;
mod proactive;
mod refused;
mod zone;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tandem_actors::carrier::Number;

pub use hours::{Hours, NoHours};
pub use number::{Kind, NOWHERE, Seen, is_country, is_e164, look};
pub use proactive::Proactive;
pub use refused::{Code, Refused};

/// Attempts are counted over this long.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Calls are counted over this long.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What an operator permits.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Which countries.
    pub countries: Countries,
    /// Only numbers that begin so; all when there are none.
    pub ranges: Vec<String>,
    /// No numbers that begin so.
    pub do_not_call: Vec<String>,
    /// When; none: always.
    pub hours: Option<Hours>,
    /// Calls to one number in 24 hours.
    pub attempts_per_day: Option<u32>,
    /// Calls in a minute.
    pub calls_per_minute: Option<u32>,
    /// Calls at the same time.
    pub at_once: Option<u32>,
    /// Minutes of talk since midnight, UTC.
    pub minutes_per_day: Option<u32>,
    /// Whether they must have consented.
    pub consent: Consent,
    /// What besides holds for calls that nobody orders at that moment.
    pub proactive: Proactive,
}

/// Whether somebody orders a call at the moment it is to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ordered {
    /// Somebody does, and says whom to ring.
    #[default]
    Now,
    /// Nobody does: its time has come, or whoever it rings has not asked for it.
    Ahead,
}

/// Which countries may be rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Countries {
    /// Every one.
    All,
    /// These (ISO 3166).
    Only(Vec<String>),
}

/// Whether somebody must have consented to be rung.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Consent {
    /// Nobody asks.
    #[default]
    None,
    /// There must be a record of it.
    Required,
}

/// What the record says that the rules ask for.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The number is on the stored do-not-call list.
    pub do_not_call: bool,
    /// There is a record of consent.
    pub consent: bool,
    /// When it was rung in the last 24 hours: the newest first, as many as were asked for.
    pub attempts: Vec<Timestamp>,
    /// When anybody was, in the last minute; the same.
    pub placed: Vec<Timestamp>,
    /// Calls under way that were placed.
    pub live: u32,
    /// Talked since midnight.
    pub talk: Duration,
    /// When it was rung without an order of that moment; the newest first, as many as were asked
    /// for.
    pub proactive: Vec<Timestamp>,
}

/// What the record is asked. What no rule needs is not looked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// About whom.
    pub to: Number,
    /// Whose calls count.
    pub account: String,
    /// Attempts since when, and the most that matter.
    pub attempts: (Timestamp, u32),
    /// Calls since when, and the most that matter.
    pub placed: (Timestamp, u32),
    /// Whether live calls matter.
    pub live: bool,
    /// Since when talk matters, and until when.
    pub talk: Option<(Timestamp, Timestamp)>,
    /// Since when calls without an order of that moment matter, and the most that do.
    pub proactive: (Timestamp, u32),
}

/// The gate before every dial.
#[derive(Clone, Debug)]
pub struct Gate(Rules);

impl Gate {
    /// A gate that keeps these rules.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self(rules)
    }

    /// What must be known to judge a call of this account to this number.
    #[must_use]
    pub fn ask(&self, to: &Number, account: &str, ordered: Ordered, now: Timestamp) -> Ask {
        let rules = &self.0;
        Ask {
            to: to.clone(),
            account: account.to_owned(),
            attempts: (now - DAY, rules.attempts_per_day.unwrap_or_default()),
            placed: (now - MINUTE, rules.calls_per_minute.unwrap_or_default()),
            live: rules.at_once.is_some(),
            talk: rules.minutes_per_day.map(|_| (midnight(now), now)),
            proactive: match ordered {
                Ordered::Now => (now, 0),
                Ordered::Ahead => rules.proactive.ask(now),
            },
        }
    }

    /// Whether the number may be rung now.
    ///
    /// # Errors
    /// [`Refused`] by the first rule that it breaks, in the order of how final they are.
    pub fn judge(
        &self,
        to: &Number,
        facts: &Facts,
        ordered: Ordered,
        now: Timestamp,
    ) -> Result<(), Refused> {
        self.is_ringable(to)?;
        self.is_wanted(to, facts)?;
        self.is_in_time(to, now)?;
        match ordered {
            Ordered::Now => {}
            Ordered::Ahead => self.0.proactive.judge(&facts.proactive, now)?,
        }
        self.is_within_caps(facts, now)
    }

    /// The zones that the number may be in.
    #[must_use]
    pub fn zones(to: &Number) -> Vec<&'static str> {
        zone::names(to.as_str(), look(to.as_str()))
    }

    /// Refuses a number that no order may ever ring, whatever is set.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn never(to: &Number) -> Result<(), Refused> {
        match look(to.as_str()).kind {
            Kind::Emergency => Err(Refused::emergency()),
            Kind::Premium => Err(Refused::premium()),
            Kind::Unknown => Err(Refused::unknown()),
            Kind::Rehearsal | Kind::Ordinary => Ok(()),
        }
    }

    fn is_ringable(&self, to: &Number) -> Result<(), Refused> {
        Self::never(to)?;
        let seen = look(to.as_str());
        if seen.kind == Kind::Ordinary {
            self.is_of_a_country(seen.country)?;
        }
        let ranges = &self.0.ranges;
        if !ranges.is_empty() && !begins(to, ranges) {
            return Err(Refused::range());
        }
        Ok(())
    }

    fn is_of_a_country(&self, country: Option<&str>) -> Result<(), Refused> {
        match &self.0.countries {
            Countries::All => Ok(()),
            Countries::Only(permitted) => {
                let permits = |country| permitted.iter().any(|one| one == country);
                match country {
                    Some(country) if permits(country) => Ok(()),
                    Some(_) | None => Err(Refused::country(country, permitted)),
                }
            }
        }
    }

    fn is_wanted(&self, to: &Number, facts: &Facts) -> Result<(), Refused> {
        if facts.do_not_call || begins(to, &self.0.do_not_call) {
            return Err(Refused::do_not_call());
        }
        match self.0.consent {
            Consent::Required if !facts.consent => Err(Refused::consent()),
            Consent::Required | Consent::None => Ok(()),
        }
    }

    fn is_in_time(&self, to: &Number, now: Timestamp) -> Result<(), Refused> {
        let Some(hours) = &self.0.hours else { return Ok(()) };
        let names = Self::zones(to);
        let Some(zones) = zone::of(&names) else { return Err(Refused::no_zone()) };
        if hours.permit(&zones, now) {
            return Ok(());
        }
        Err(Refused::hours(hours, &names, hours.next(&zones, now)))
    }

    fn is_within_caps(&self, facts: &Facts, now: Timestamp) -> Result<(), Refused> {
        let rules = &self.0;
        if let Some(oldest) = filled(&facts.attempts, rules.attempts_per_day) {
            return Err(Refused::attempts(facts.attempts.len(), oldest + DAY));
        }
        if let Some(oldest) = filled(&facts.placed, rules.calls_per_minute) {
            return Err(Refused::rate(facts.placed.len(), oldest + MINUTE));
        }
        if let Some(most) = rules.at_once.filter(|most| facts.live >= *most) {
            return Err(Refused::at_once(most));
        }
        match rules.minutes_per_day {
            Some(most) if facts.talk.as_secs() >= u64::from(most) * 60 => {
                Err(Refused::minutes(most, midnight(now) + DAY))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The rules in one line. Holds no number.
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = &self.0;
        match &rules.countries {
            Countries::All => write!(f, "countries: all")?,
            Countries::Only(some) if some.is_empty() => write!(f, "countries: none")?,
            Countries::Only(some) => write!(f, "countries: {}", some.join(" "))?,
        }
        let (ranges, banned) = (rules.ranges.len(), rules.do_not_call.len());
        if ranges > 0 {
            write!(f, "; of these {ranges} ranges")?;
        }
        if banned > 0 {
            write!(f, "; {banned} on the do-not-call list of the settings")?;
        }
        match &rules.hours {
            Some(hours) => write!(f, "; {hours} in the zone that is rung")?,
            None => write!(f, "; at any time")?,
        }
        for (cap, of) in [
            (rules.attempts_per_day, "calls a day to one number"),
            (rules.calls_per_minute, "calls a minute"),
            (rules.at_once, "calls at once"),
            (rules.minutes_per_day, "minutes of talk a day"),
        ] {
            if let Some(cap) = cap {
                write!(f, "; {cap} {of}")?;
            }
        }
        if !rules.proactive.is_open() {
            write!(f, "; unasked {}", rules.proactive)?;
        }
        match rules.consent {
            Consent::None => write!(f, "; consent is not asked for"),
            Consent::Required => write!(f, "; only with a record of consent"),
        }
    }
}

fn begins(to: &Number, beginnings: &[String]) -> bool {
    beginnings.iter().any(|beginning| to.as_str().starts_with(beginning.as_str()))
}

/// The oldest of as many moments as a cap allows; none when there are fewer.
fn filled(moments: &[Timestamp], cap: Option<u32>) -> Option<Timestamp> {
    let cap = usize::try_from(cap?).unwrap_or(usize::MAX);
    moments.get(cap.checked_sub(1)?).copied()
}

fn midnight(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(24 * 60 * 60)).unwrap_or(now)
}
