//! What nobody may keep of a conversation: card numbers, one-time codes, PINs and passwords. Finds
//! them in what was said or written and puts their names in their place. Pure.
//!
//! A card number is known by itself: 13 to 19 figures in the lengths of an issuer whose check
//! figure is right (ISO/IEC 7812-1). The others are known by what they are called, in the same
//! sentence or in the question before.

mod figures;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use figures::{Run, Token, runs, tokens};

/// Figures of a card number.
pub const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Figures that are masked after a card number was asked for: a part of one.
const PART_OF_CARD: usize = 4;

/// Words between a name and its value at most.
const MOST_LINKS: usize = 6;

/// Turns over which somebody may spread a card number, the last one not counted.
const MOST_EARLIER: usize = 4;

/// What is restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// The number of a payment card.
    CardNumber,
    /// A code that is good once, or the check figures of a card.
    Code,
    /// A PIN.
    Pin,
    /// A password.
    Password,
}

impl What {
    /// The word in the record and in the arguments of tools.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CardNumber => "card_number",
            Self::Code => "code",
            Self::Pin => "pin",
            Self::Password => "password",
        }
    }

    /// The name among people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CardNumber => "card number",
            Self::Code => "code",
            Self::Pin => "PIN",
            Self::Password => "password",
        }
    }

    /// How many figures it has on a keypad.
    #[must_use]
    pub const fn figures(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Self::CardNumber => CARD_DIGITS,
            Self::Code => 3..=10,
            Self::Pin => 4..=12,
            Self::Password => 4..=32,
        }
    }

    /// What stands in its place.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CardNumber => "[card number]",
            Self::Code => "[code]",
            Self::Pin => "[PIN]",
            Self::Password => "[password]",
        }
    }
}

/// Whether these figures are the number of a card.
#[must_use]
pub fn is_card(digits: &str) -> bool {
    let begins = |figures: usize| digits.get(..figures).and_then(|head| head.parse::<u32>().ok());
    let (Some(two), Some(four)) = (begins(2), begins(4)) else { return false };
    let lengths: &[usize] = match (two, four) {
        (40..=49, _) => &[13, 16, 19],
        (51..=55, _) | (_, 2221..=2720) => &[16],
        (34 | 37, _) => &[15],
        (30 | 36 | 38 | 39, _) => &[14, 16, 19],
        (35, _) | (_, 2200..=2204) => &[16, 17, 18, 19],
        (50 | 56..=69, _) => &[13, 14, 15, 16, 17, 18, 19],
        _ => &[],
    };
    lengths.contains(&digits.len()) && has_right_check(digits)
}

/// The check figure after Luhn (ISO/IEC 7812-1, annex B).
#[must_use]
pub fn has_right_check(digits: &str) -> bool {
    let sum: Option<u32> = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(n, figure)| {
            let figure = figure.to_digit(10)?;
            let doubled = if n % 2 == 1 { figure * 2 } else { figure };
            Some(doubled / 10 + doubled % 10)
        })
        .sum();
    !digits.is_empty() && sum.is_some_and(|sum| sum % 10 == 0)
}

/// What these words ask for, in their last sentence.
#[must_use]
pub fn asked(words: &str) -> Option<What> {
    let tokens = tokens(words);
    let begin = tokens.iter().rposition(|token| token.begins).unwrap_or(0);
    let last: Vec<String> = tokens[begin..].iter().map(|token| token.word.clone()).collect();
    let named = (begin..tokens.len()).rev().find_map(|n| named(&tokens, n));
    named.map(|name| name.what).or(words::asks_for_card(&last).then_some(What::CardNumber))
}

/// The words with what is restricted in them named instead; `asked` is what the other side asked
/// for just before.
#[must_use]
pub fn mask(words: &str, asked: Option<What>) -> String {
    replaced(words, &found(words, asked), |what, _| what.label().to_owned())
}

/// The same for JSON text, which stays JSON.
#[must_use]
pub fn mask_json(json: &str) -> String {
    replaced(json, &found(json, None), |what, at| {
        let quotes = json[..at].replace("\\\\", "").replace("\\\"", "");
        let in_string = quotes.matches('"').count() % 2 == 1;
        if in_string { what.label().to_owned() } else { format!("\"{}\"", what.label()) }
    })
}

/// The same for a card number that somebody has spread over several turns; the last of `turns` is
/// the newest. Nothing when there is none.
#[must_use]
pub fn mask_across(turns: &[&str]) -> Option<Vec<String>> {
    let (newest, earlier) = turns.split_last()?;
    let earlier = &earlier[earlier.len().saturating_sub(MOST_EARLIER)..];
    for from in (0..earlier.len()).rev() {
        let spread: Vec<Vec<Run>> = earlier[from..]
            .iter()
            .chain(std::iter::once(newest))
            .map(|words| free(words))
            .collect();
        // It ends one turn, fills those between and begins the last.
        let whole = |n: usize| n == 0 || n + 1 == spread.len() || spread[n].len() == 1;
        let part = |n: usize| if n == 0 { spread[n].last() } else { spread[n].first() };
        let parts: Option<Vec<&Run>> =
            (0..spread.len()).map(|n| part(n).filter(|_| whole(n))).collect();
        let parts = parts?;
        let digits: Vec<String> = parts.iter().map(|run| run.digits()).collect();
        if is_card(&digits.concat()) && is_in_groups(&digits) {
            let whole = &turns[turns.len() - parts.len()..];
            let masked = whole.iter().zip(parts).map(|(words, run)| {
                replaced(words, &[(run.at(), What::CardNumber)], |what, _| what.label().to_owned())
            });
            return Some(masked.collect());
        }
    }
    None
}

/// The figures of a turn that nothing says are something else.
fn free(words: &str) -> Vec<Run> {
    let tokens = tokens(words);
    let all = runs(&tokens);
    all.into_iter().filter(|run| !is_elsewhere(&tokens, run)).collect()
}

/// Whether a card number is broken where people break one: after groups of four, or of four and
/// six.
fn is_in_groups(parts: &[String]) -> bool {
    let ends = parts.iter().scan(0, |end, part| {
        *end += part.len();
        Some(*end)
    });
    ends.take(parts.len() - 1).all(|end| end % 4 == 0 || end == 10)
}

/// Whether the words before figures say that they are something else.
fn is_elsewhere(tokens: &[Token], run: &Run) -> bool {
    tokens[run.first.saturating_sub(3)..run.first]
        .iter()
        .any(|token| words::is_elsewhere(&token.word))
}

fn replaced(
    words: &str,
    found: &[(Range<usize>, What)],
    label: impl Fn(What, usize) -> String,
) -> String {
    let mut text = words.to_owned();
    for (at, what) in found.iter().rev() {
        text.replace_range(at.clone(), &label(*what, at.start));
    }
    text
}

/// Where what is, in order and without overlaps.
fn found(words: &str, asked: Option<What>) -> Vec<(Range<usize>, What)> {
    let tokens = tokens(words);
    let runs = runs(&tokens);
    let mut all: Vec<(Range<usize>, What)> = Vec::new();
    for run in &runs {
        let figures = run.digits().len();
        let what = match (card(run), named_before(&tokens, run)) {
            (Some(at), _) => Some((at, What::CardNumber)),
            (None, Some(name)) if name.figures.contains(&figures) => Some((run.at(), name.what)),
            (None, _) => asked
                .filter(|what| answers(*what, figures, &tokens, run))
                .map(|what| (run.at(), what)),
        };
        all.extend(what);
    }
    for n in 0..tokens.len() {
        all.extend(password(words, &tokens, n).map(|at| (at, What::Password)));
    }
    if asked == Some(What::Password) && all.is_empty() {
        all.extend(only_word(words, &tokens).map(|at| (at, What::Password)));
    }
    all.sort_by_key(|(at, _)| at.start);
    all.dedup_by(|later, earlier| later.0.start < earlier.0.end);
    all
}

/// Where in these figures a card number is: at their beginning or at their end, for its date and
/// its check figures may stand beside it.
fn card(run: &Run) -> Option<Range<usize>> {
    let count = run.pieces.len();
    let heads = (1..=count).rev().map(|end| 0..end);
    let tails = (1..count).map(|start| start..count);
    heads.chain(tails).find_map(|part| {
        let part = Run { pieces: run.pieces[part].to_vec(), first: run.first };
        is_card(&part.digits()).then(|| part.at())
    })
}

/// What the word names.
fn named(tokens: &[Token], n: usize) -> Option<words::Name> {
    let before = n.checked_sub(1).map_or("", |before| tokens[before].word.as_str());
    words::name(&tokens[n].word, before)
}

/// What the figures are called in their own sentence.
fn named_before(tokens: &[Token], run: &Run) -> Option<words::Name> {
    let mut n = run.first;
    for _ in 0..=MOST_LINKS {
        if tokens[n].begins {
            return None;
        }
        n = n.checked_sub(1)?;
        let name = named(tokens, n);
        if name.is_some() {
            return name;
        }
        if !words::is_link(&tokens[n].word) {
            return None;
        }
    }
    None
}

/// Whether figures may be what was asked for.
fn answers(what: What, figures: usize, tokens: &[Token], run: &Run) -> bool {
    let fits = match what {
        What::CardNumber => (PART_OF_CARD..=*CARD_DIGITS.end()).contains(&figures),
        What::Code | What::Pin => (4..=8).contains(&figures),
        What::Password => figures >= 4,
    };
    fits && !is_elsewhere(tokens, run)
}

/// The password that is told after its name, which this word is.
fn password(words: &str, tokens: &[Token], name: usize) -> Option<Range<usize>> {
    if named(tokens, name)?.what != What::Password {
        return None;
    }
    let mut told = false;
    let mut n = name + 1;
    for _ in 0..=MOST_LINKS {
        let token = tokens.get(n).filter(|token| !token.begins)?;
        told |= token.equated;
        if !words::is_link(&token.word) {
            break;
        }
        told |= words::is_copula(&token.word);
        n += 1;
    }
    told.then(|| secret(words, tokens, n)).flatten()
}

/// The only word of an answer that says something.
fn only_word(words: &str, tokens: &[Token]) -> Option<Range<usize>> {
    let first = (0..tokens.len()).find(|n| !words::is_link(&tokens[*n].word))?;
    secret(words, tokens, first)
}

/// What begins here, if it may be a password: something with figures, capitals or signs in it,
/// letters one by one, or the last word of the sentence.
fn secret(words: &str, tokens: &[Token], n: usize) -> Option<Range<usize>> {
    let first = tokens.get(n)?;
    if words[..first.at.start].ends_with('[') {
        // A label of ours.
        return None;
    }
    let lone = |token: &&Token| token.word.chars().count() == 1 && !token.begins;
    let spelled = tokens[n..].iter().take_while(lone).count();
    if spelled >= 3 {
        return Some(first.at.start..tokens[n + spelled - 1].at.end);
    }
    // To the next space: signs belong to it.
    let rest = &words[first.at.start..];
    let length = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
    let written = rest[..length].trim_end_matches(['.', ',', '!', '?', ';', ':', '}', '\\', '”']);
    let at = first.at.start..first.at.start + written.len();
    let telling = written.chars().any(|c| !c.is_alphabetic() && c != '\'' && c != '’')
        || written.chars().skip(1).any(char::is_uppercase);
    let last = tokens[n..].iter().find(|token| token.at.start >= at.end);
    let ends = last.is_none_or(|next| next.begins) || words[at.end..].starts_with('"');
    let plain = ends && written.chars().count() >= 4 && !words::is_about(&first.word);
    (telling || plain).then_some(at)
}
