//! The caller's day: what is late, and how a date is said on it. Knows no clock.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::store::{TaskRow, TaskStatus};

/// The caller's day.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) today: Date,
    pub(super) now_ms: i64,
}

impl Day {
    pub(super) fn tomorrow(self) -> Date {
        self.today.saturating_add(1.day())
    }

    /// Monday to Sunday around today.
    pub(super) fn has_in_week(self, date: Date) -> bool {
        let since_monday = i32::from(self.today.weekday().since(Weekday::Monday));
        let monday = self.today.saturating_sub(since_monday.days());
        (monday..=monday.saturating_add(6.days())).contains(&date)
    }

    /// Not done though its day is over.
    pub(super) fn overdue(self, task: &TaskRow) -> bool {
        task.status == TaskStatus::Pending && task.due.is_some_and(|due| due < self.today)
    }

    pub(super) fn status_of(self, task: &TaskRow) -> &'static str {
        if self.overdue(task) { "overdue" } else { task.status.word() }
    }

    /// `today`, `Friday`, `March 5`, `March 5, 2031`.
    pub(super) fn spoken(self, date: Date) -> String {
        // A weekday means the one to come, and is none any more when it could be today's.
        let next_days = self.today..self.today.saturating_add(7.days());
        if date == self.today {
            "today".to_owned()
        } else if date == self.tomorrow() {
            "tomorrow".to_owned()
        } else if date == self.today.saturating_sub(1.day()) {
            "yesterday".to_owned()
        } else if next_days.contains(&date) {
            date.strftime("%A").to_string()
        } else {
            self.dated(date)
        }
    }

    /// By its name in the calendar: `March 5`, `March 5, 2031`.
    pub(super) fn dated(self, date: Date) -> String {
        let this_year = date.year() == self.today.year();
        date.strftime(if this_year { "%B %-d" } else { "%B %-d, %Y" }).to_string()
    }

    /// The title and, where there is one, the date: `buy milk, due tomorrow`.
    pub(super) fn with_due(self, task: &TaskRow) -> String {
        let title = task.title.as_str();
        match task.due {
            None => title.to_owned(),
            Some(due) if self.overdue(task) => {
                format!("{title}, overdue since {}", self.spoken(due))
            }
            Some(due) => format!("{title}, due {}", self.spoken(due)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_said_as_people_say_them() {
        // A Wednesday.
        let day = Day { today: jiff::civil::date(2026, 3, 4), now_ms: 0 };
        for (date, said) in [
            ("2026-03-03", "yesterday"),
            ("2026-03-04", "today"),
            ("2026-03-05", "tomorrow"),
            ("2026-03-06", "Friday"),
            ("2026-03-10", "Tuesday"),
            ("2026-03-11", "March 11"),
            ("2026-03-02", "March 2"),
            ("2027-03-05", "March 5, 2027"),
        ] {
            assert_eq!(day.spoken(date.parse().unwrap()), said);
        }
    }

    #[test]
    fn a_week_is_monday_to_sunday() {
        for today in ["2026-03-02", "2026-03-04", "2026-03-08"] {
            let day = Day { today: today.parse().unwrap(), now_ms: 0 };
            let has = |date: &str| day.has_in_week(date.parse().unwrap());
            assert!(has("2026-03-02") && has("2026-03-08"), "{today}");
            assert!(!has("2026-03-01") && !has("2026-03-09"), "{today}");
        }
    }
}
