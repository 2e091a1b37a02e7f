//! Days as callers name them, for minds that have no clock: today is what the instructions say.

use jiff::civil::Date;

use super::phrase;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What stands between a task and its day.
const LEADS: [&str; 2] = [" by ", " due "];

/// The first date written as YYYY-MM-DD.
pub(super) fn today(instructions: &str) -> Option<&str> {
    const SHAPE: &[u8] = b"0000-00-00";
    let matches = |window: &[u8]| {
        window.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == shape,
        })
    };
    let at = instructions.as_bytes().windows(SHAPE.len()).position(matches)?;
    Some(&instructions[at..at + SHAPE.len()])
}

/// A day as a model writes it down, whether the calendar has it or not: `tomorrow`, `March 5`,
/// `March 5, 2031`.
pub(super) fn day(words: &str, instructions: &str) -> Option<String> {
    let today: Date = today(instructions)?.parse().ok()?;
    let plain = phrase::plain(words);
    let mut words = plain.split(' ');
    let (month, number, year) = match (words.next()?, words.next(), words.next(), words.next()) {
        ("today", None, None, None) => return Some(today.to_string()),
        ("tomorrow", None, None, None) => return Some(today.tomorrow().ok()?.to_string()),
        (month, Some(number), None, None) => (month, number, today.year()),
        (month, Some(number), Some(year), None) => (month, number, year.parse().ok()?),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let number: u8 = number.parse().ok()?;
    Some(format!("{year:04}-{month:02}-{number:02}"))
}

/// What is to be done, and the day that was said behind it.
pub(super) fn split<'a>(text: &'a str, instructions: &str) -> (&'a str, Option<String>) {
    let said = LEADS.iter().find_map(|lead| {
        let at = text.rfind(lead)?;
        Some((&text[..at], day(&text[at + lead.len()..], instructions)?))
    });
    let said = said.or_else(|| {
        let (title, last) = text.rsplit_once(' ')?;
        Some((title, day(last, instructions)?))
    });
    said.map_or((text, None), |(title, day)| (title, Some(day)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "Today is Saturday, 2026-02-28.";

    #[test]
    fn a_day_is_written_down_as_it_is_meant() {
        for (said, day) in [
            ("pay the rent tomorrow", Some("2026-03-01")),
            ("pay the rent by today", Some("2026-02-28")),
            ("pay the rent due March 5, 2031", Some("2031-03-05")),
            ("pay the rent by February 30", Some("2026-02-30")),
        ] {
            assert_eq!(split(said, TODAY), ("pay the rent", day.map(str::to_owned)));
        }
        for said in ["stand by me", "buy milk", "milk"] {
            assert_eq!(split(said, TODAY), (said, None));
        }
        assert_eq!(split("pay the rent tomorrow", "Be brief."), ("pay the rent tomorrow", None));
    }
}
