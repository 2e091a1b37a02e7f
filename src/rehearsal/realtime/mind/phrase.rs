//! Words compared as a listener does: without case, punctuation and apostrophes.

/// Lower-case words with single spaces between them; apostrophes vanish, other marks separate.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            plain.extend(c.to_lowercase());
        } else if c != '\'' && c != '’' && !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Whether one of the phrases was said, as whole words.
pub(super) fn hears(text: &str, phrases: &[&str]) -> bool {
    let text = format!(" {} ", plain(text));
    phrases.iter().any(|phrase| text.contains(&format!(" {phrase} ")))
}

/// What follows the first of the leads that was said, in the speaker's own writing, without the
/// closing mark and a "please".
pub(super) fn after<'a>(text: &'a str, leads: &[&str]) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let start = leads.iter().find_map(|lead| lower.find(lead).map(|at| at + lead.len()))?;
    let mut rest = text[start..].trim_matches(is_mark);
    if rest.to_ascii_lowercase().ends_with(" please") {
        rest = rest[..rest.len() - " please".len()].trim_matches(is_mark);
    }
    (!rest.is_empty()).then_some(rest)
}

fn is_mark(c: char) -> bool {
    c.is_whitespace() || matches!(c, '.' | ',' | '?' | '!' | ':' | ';' | '"')
}

/// What is left of `line` once `heard` of it was heard; `None` when `heard` is not its beginning.
/// A word that was heard in part is left whole.
pub(super) fn rest_after<'a>(line: &'a str, heard: &str) -> Option<&'a str> {
    let heard = plain(heard);
    let mut heard = heard.split(' ').filter(|word| !word.is_empty()).peekable();
    let mut rest = line.trim_start();
    while let Some(word) = heard.next() {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let spoken = plain(&rest[..end]);
        // "7:30" is one word of the line and two plain words.
        let mut joined = word.to_owned();
        while spoken.starts_with(&format!("{joined} ")) {
            let Some(next) = heard.next() else { return Some(rest) };
            joined = format!("{joined} {next}");
        }
        if spoken != joined {
            let broken_off = heard.peek().is_none() && spoken.starts_with(&joined);
            return broken_off.then_some(rest);
        }
        rest = rest[end..].trim_start();
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_marks() {
        assert_eq!(plain("  What's on my LIST, please? "), "whats on my list please");
        assert!(hears("Anything else?", &["anything else"]));
        assert!(!hears("I surname him", &["name"]));
    }

    #[test]
    fn what_follows_a_lead_keeps_its_writing() {
        assert_eq!(after("Add a task to Buy milk, please.", &["add a task to "]), Some("Buy milk"));
        assert_eq!(after("Add a task to ...", &["add a task to "]), None);
        assert_eq!(after("Something else", &["add a task to "]), None);
    }

    #[test]
    fn the_rest_of_a_line_begins_where_hearing_ended() {
        let line = "Hello, I am here. Come at 7:30 tonight?";
        assert_eq!(rest_after(line, "hello i am"), Some("here. Come at 7:30 tonight?"));
        assert_eq!(rest_after(line, "Hello, I am here. Come at 7:30"), Some("tonight?"));
        assert_eq!(rest_after(line, "Hello, I am here. Co"), Some("Come at 7:30 tonight?"));
        assert_eq!(rest_after(line, ""), Some(line));
        assert_eq!(rest_after(line, line), Some(""));
        assert_eq!(rest_after(line, "Hello, you"), None);
    }
}
