//! Due dates as a model writes them: read strictly, and asked about where they are past.

use jiff::civil::Date;
use serde_json::json;
use tandem_actors::tool::{Done, Verdict};

use super::day::Day;
use super::spoken;

/// Reads a date. One in the past is nearly always a model's wrong year, and sometimes what the
/// caller wants to write down: it is asked about, and taken when it is `meant`.
pub(super) fn read(written: &str, meant: bool, day: Day) -> Result<Date, Done> {
    let wrong = |spoken: &str| {
        let suggestion =
            format!("today is {}; ask which day, then give due_date as YYYY-MM-DD", day.today);
        spoken::wrong("invalid_date", spoken, &suggestion)
    };
    if !is_written_as_date(written) {
        return Err(wrong("I did not understand the date. Which day do you mean?"));
    }
    let Ok(date) = written.parse::<Date>() else {
        return Err(wrong("There is no such day in the calendar. Which day do you mean?"));
    };
    if date >= day.today || meant {
        return Ok(date);
    }
    Err(past(date, day))
}

fn is_written_as_date(written: &str) -> bool {
    const SHAPE: &[u8] = b"YYYY-MM-DD";
    written.len() == SHAPE.len()
        && written.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'-' => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// The question about a day that is over.
fn past(date: Date, day: Day) -> Done {
    let said = day.dated(date);
    let next = next(date, day);
    let spoken = match next {
        Some(next) => {
            format!("{said} is in the past. Do you mean {}, or really that day?", day.spoken(next))
        }
        None => format!("{said} is in the past. Do you really mean that day?"),
    };
    let suggestion = "ask the caller; call again with another due_date, or with the same one and \
                      past_date_meant when that is what they mean";
    let mut output = spoken::failure(Verdict::User, "past_date", &spoken, suggestion);
    output["next_date"] = json!(next.map(|next| next.to_string()));
    spoken::user(&output)
}

/// The same day of the year, the next time it comes: a leap day may take eight years.
fn next(date: Date, day: Day) -> Option<Date> {
    let years = day.today.year()..=day.today.year().saturating_add(8);
    let mut days = years.filter_map(|year| Date::new(year, date.month(), date.day()).ok());
    days.find(|next| *next >= day.today)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Day = Day { today: jiff::civil::date(2026, 3, 4), now_ms: 0 };

    fn asked(written: &str) -> String {
        let done = read(written, false, TODAY).expect_err(written);
        assert_eq!(done.verdict, Verdict::User);
        let output: serde_json::Value = serde_json::from_str(done.output.as_str()).unwrap();
        format!("{} {}", output["reason"].as_str().unwrap(), output["spoken_message"])
    }

    #[test]
    fn only_a_day_of_the_calendar_is_a_date() {
        for good in ["2026-03-04", "2028-02-29", "9999-12-31"] {
            assert_eq!(read(good, false, TODAY).unwrap().to_string(), good);
        }
        for bad in ["tomorrow", "2026-3-4", "04.03.2026", "2026-03-04T10:00", "+026-03-04"] {
            assert!(asked(bad).starts_with("invalid_date \"I did not understand"), "{bad}");
        }
        for none in ["2026-02-30", "2027-02-29", "2026-13-01", "2026-00-10"] {
            assert!(asked(none).starts_with("invalid_date \"There is no such day"), "{none}");
        }
    }

    #[test]
    fn a_day_that_is_over_is_asked_about_and_taken_when_it_is_meant() {
        assert_eq!(
            asked("2025-03-05"),
            "past_date \"March 5, 2025 is in the past. Do you mean tomorrow, or really that day?\""
        );
        assert_eq!(
            asked("2026-03-03"),
            "past_date \"March 3 is in the past. Do you mean March 3, 2027, or really that day?\""
        );
        assert!(asked("2024-02-29").contains("Do you mean February 29, 2028"));
        let meant = read("2025-03-05", true, TODAY).unwrap();
        assert_eq!(meant.to_string(), "2025-03-05");
    }
}
