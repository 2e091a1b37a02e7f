//! When people may be rung: spans of days and times, in the zones of the called number.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// How far is looked for a moment that suits all zones: a week has every span once.
const AHEAD_H: i64 = 8 * 24;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Calling hours: `08:00-21:00`, `mon-fri 08:00-20:00, sat 10:00-14:00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    spans: Vec<Span>,
    written: String,
}

/// From a minute of the day until before another, on some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// From Monday.
    days: [bool; 7],
    from_min: i16,
    until_min: i16,
}

/// Words that are no calling hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} are no calling hours; write 08:00-21:00, or mon-fri 08:00-20:00, sat 10:00-14:00, or \
     always"
)]
pub struct NoHours(String);

impl FromStr for Hours {
    type Err = NoHours;

    fn from_str(written: &str) -> Result<Self, NoHours> {
        let spans: Option<Vec<Span>> = written.split(',').map(|part| span(part.trim())).collect();
        let refused = || NoHours(written.chars().take(60).collect());
        let spans = spans.ok_or_else(refused)?;
        Ok(Self { spans, written: written.trim().to_owned() })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Hours {
    /// Whether it is within the hours in every one of the zones.
    #[must_use]
    pub fn permit(&self, zones: &[TimeZone], at: Timestamp) -> bool {
        zones.iter().all(|zone| self.hold(&at.to_zoned(zone.clone())))
    }

    /// The first moment from `now` on that is within the hours in every zone; none when there is
    /// none within a week.
    #[must_use]
    pub fn next(&self, zones: &[TimeZone], now: Timestamp) -> Option<Timestamp> {
        let last = now + AHEAD_H.hours();
        let mut moments = vec![now];
        for zone in zones {
            // Hours begin where a span does, or where a clock is changed.
            moments.extend(
                zone.following(now)
                    .take_while(|change| change.timestamp() < last)
                    .map(|change| change.timestamp()),
            );
            moments.extend(self.beginnings(&now.to_zoned(zone.clone())));
        }
        moments.sort_unstable();
        moments.into_iter().find(|&at| at >= now && self.permit(zones, at))
    }

    fn hold(&self, at: &Zoned) -> bool {
        let minute = i16::from(at.hour()) * 60 + i16::from(at.minute());
        self.spans
            .iter()
            .any(|span| span.on(at.weekday()) && (span.from_min..span.until_min).contains(&minute))
    }

    /// Where the spans of the next days begin.
    fn beginnings(&self, now: &Zoned) -> Vec<Timestamp> {
        let mut found = Vec::new();
        for day in 0..=8 {
            let Ok(date) = now.date().checked_add(day.days()) else { continue };
            for span in self.spans.iter().filter(|span| span.on(date.weekday())) {
                let from = date.to_datetime(jiff::civil::Time::midnight());
                let Ok(from) = from.checked_add(i64::from(span.from_min).minutes()) else {
                    continue;
                };
                let at = now.time_zone().to_ambiguous_timestamp(from);
                // An hour that comes twice begins twice.
                found.extend([at.earlier().ok(), at.later().ok()].into_iter().flatten());
            }
        }
        found
    }
}

impl Span {
    fn on(&self, day: Weekday) -> bool {
        let day = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        self.days[day]
    }
}

fn span(part: &str) -> Option<Span> {
    let (days, times) = match part.split_once(' ') {
        Some((days, times)) => (self::days(days)?, times.trim()),
        None => ([true; 7], part),
    };
    let (from, until) = times.split_once('-')?;
    let (from_min, until_min) = (minute(from)?, minute(until)?);
    (from_min < until_min).then_some(Span { days, from_min, until_min })
}

/// `mon`, or `mon-fri`; a week may be gone round: `sat-mon`.
fn days(part: &str) -> Option<[bool; 7]> {
    let named = |day: &str| DAYS.iter().position(|known| day.eq_ignore_ascii_case(known));
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (named(first)?, named(last)?);
    let mut days = [false; 7];
    let mut day = first;
    loop {
        days[day] = true;
        if day == last {
            return Some(days);
        }
        day = (day + 1) % 7;
    }
}

fn minute(time: &str) -> Option<i16> {
    let (hour, minute) = time.split_once(':')?;
    let figures = |part: &str| {
        let two = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| part.parse::<i16>().ok()).flatten()
    };
    let (hour, minute) = (figures(hour)?, figures(minute)?);
    let at = hour * 60 + minute;
    (minute < 60 && at <= 24 * 60).then_some(at)
}
