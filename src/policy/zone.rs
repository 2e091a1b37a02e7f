//! Where a number may be rung: the time zones of a country or of an area, as far as the number
//! tells. A mobile phone may be elsewhere; that nobody can see.

use jiff::tz::TimeZone;

use super::{Kind, Seen};

/// Beginnings of numbers, without the plus, or countries; each with its zones.
const ZONES: &str = include_str!("zones.txt");

/// The time of those who answer in a rehearsal.
const REHEARSAL: &[&str] = &["UTC"];

/// The names of all zones that the number may be in; none when that is not known, or it is never
/// rung.
pub(super) fn names(number: &str, seen: Seen) -> Vec<&'static str> {
    match seen.kind {
        Kind::Rehearsal => return REHEARSAL.to_vec(),
        Kind::Ordinary => {}
        Kind::Premium | Kind::Emergency | Kind::Unknown => return Vec::new(),
    }
    let digits = number.strip_prefix('+').unwrap_or(number);
    let lines = ZONES.lines().filter(|line| !line.starts_with('#'));
    let entries = lines.filter_map(|line| line.split_once(' '));
    let longest = entries
        .filter(|(key, _)| digits.starts_with(key) || seen.country == Some(*key))
        // A country's name stands for what no beginning says.
        .max_by_key(|(key, _)| (key.bytes().all(|byte| byte.is_ascii_digit()), key.len()));
    longest.map_or_else(Vec::new, |(_, zones)| zones.split(' ').collect())
}

/// The zones themselves; none when one of them is not known.
pub(super) fn of(names: &[&str]) -> Option<Vec<TimeZone>> {
    let zones: Result<Vec<TimeZone>, _> = names.iter().map(|name| TimeZone::get(name)).collect();
    zones.ok().filter(|zones| !zones.is_empty())
}
