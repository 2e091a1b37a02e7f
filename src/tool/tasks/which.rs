//! Which task a caller means: the exact title first, then the number last read out, then words of
//! the title. Decides nothing where several fit.

use crate::store::TaskRow;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    One(&'a TaskRow),
    /// All of them fit equally well.
    Many(Vec<&'a TaskRow>),
    Nothing,
}

/// Words that say nothing about which task.
const FILLERS: [&str; 16] = [
    "a", "about", "an", "called", "for", "item", "my", "named", "of", "on", "one", "please",
    "task", "that", "the", "to",
];

const LEADS: [&str; 7] = ["the", "task", "item", "number", "no", "nr", "one"];

const NUMBERS: [(&str, &str); 10] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("four", "fourth"),
    ("five", "fifth"),
    ("six", "sixth"),
    ("seven", "seventh"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("ten", "tenth"),
];

/// Finds among `tasks` what was `said`; `numbers` are the ids last read out, in that order.
pub(super) fn find<'a>(said: &str, tasks: &[&'a TaskRow], numbers: &[String]) -> Found<'a> {
    let words = words_of(said);
    let exact = tasks.iter().copied().filter(|task| words_of(task.title.as_str()) == words);
    match found(exact) {
        Found::Nothing => {}
        exact @ (Found::One(_) | Found::Many(_)) => return exact,
    }
    if let Some(number) = number(&words) {
        let id = number.checked_sub(1).and_then(|place| numbers.get(place));
        let numbered = tasks.iter().copied().filter(|task| Some(&task.id) == id);
        return found(numbered);
    }
    let telling: Vec<&String> =
        words.iter().filter(|word| !FILLERS.contains(&word.as_str())).collect();
    if telling.is_empty() {
        return Found::Nothing;
    }
    found(tasks.iter().copied().filter(|task| {
        let title = words_of(task.title.as_str());
        telling.iter().all(|word| title.contains(word))
    }))
}

fn found<'a>(fitting: impl Iterator<Item = &'a TaskRow>) -> Found<'a> {
    let mut fitting: Vec<_> = fitting.collect();
    match fitting.len() {
        0 => Found::Nothing,
        1 => Found::One(fitting.remove(0)),
        _ => Found::Many(fitting),
    }
}

fn words_of(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// `2`, `number 2`, `task two`, `the second one`.
fn number(words: &[String]) -> Option<usize> {
    let mut telling = words.iter().filter(|word| !LEADS.contains(&word.as_str()));
    match (telling.next(), telling.next()) {
        (Some(word), None) => place_of(word),
        // "Number one" is made of leading words alone.
        (None, _) => words.last().filter(|word| *word == "one").and_then(|word| place_of(word)),
        (Some(_), Some(_)) => None,
    }
}

fn place_of(word: &str) -> Option<usize> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ordinal = ["", "st", "nd", "rd", "th"].contains(&&word[digits.len()..]);
    if let (true, Ok(number)) = (ordinal, digits.parse()) {
        return Some(number);
    }
    let place = NUMBERS.iter().position(|&(cardinal, ordinal)| [cardinal, ordinal].contains(&word));
    place.map(|place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_understood_as_they_are_said() {
        let said = [
            ("2", Some(2)),
            ("#2", Some(2)),
            ("number 12", Some(12)),
            ("No. 3", Some(3)),
            ("task two", Some(2)),
            ("the second one", Some(2)),
            ("the 3rd", Some(3)),
            ("Number one", Some(1)),
            ("the first task", Some(1)),
            ("buy 2 apples", None),
            ("the task", None),
            ("0", Some(0)),
            ("99999999999999999999999", None),
            ("", None),
        ];
        for (words, place) in said {
            assert_eq!(number(&words_of(words)), place, "{words:?}");
        }
    }

    #[test]
    fn nothing_is_found_by_words_that_say_nothing() {
        assert_eq!(find("the task", &[], &[]), Found::Nothing);
        assert_eq!(find("0", &[], &["id".to_owned()]), Found::Nothing);
    }
}
