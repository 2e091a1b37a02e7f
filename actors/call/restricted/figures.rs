//! Words and figures in a sentence: which figures stand together, however they are written or
//! spoken. What is shaped as a time, a date, a price or a decimal number is no figure here.

use std::ops::Range;

/// A word or a number.
pub(super) struct Token {
    pub(super) at: Range<usize>,
    /// In lower case.
    pub(super) word: String,
    /// Whether what stands before it ends a sentence.
    pub(super) begins: bool,
    /// Whether what stands before it is `:` or `=`.
    pub(super) equated: bool,
    /// The figures that it stands for; none for a word or what has a shape of its own.
    figures: Option<Spoken>,
    /// Whether figures before it go on here.
    joins: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Spoken {
    Figures(String),
    /// "forty", to which a "one" belongs.
    Tens(char),
    /// "double", how often.
    Times(usize),
}

/// Figures that stand together.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Each piece as it was written, and its figures.
    pub(super) pieces: Vec<(Range<usize>, String)>,
    /// The number of the token at which it begins.
    pub(super) first: usize,
}

impl Run {
    pub(super) fn digits(&self) -> String {
        self.pieces.iter().map(|(_, digits)| digits.as_str()).collect()
    }

    pub(super) fn at(&self) -> Range<usize> {
        match (self.pieces.first(), self.pieces.last()) {
            (Some((first, _)), Some((last, _))) => first.start..last.end,
            (None, _) | (_, None) => 0..0,
        }
    }
}

const UNITS: [&[&str]; 10] = [
    &["zero", "oh", "null", "zéro", "cero"],
    &["one", "eins", "un", "une", "uno"],
    &["two", "zwei", "zwo", "deux", "dos"],
    &["three", "drei", "trois", "tres"],
    &["four", "vier", "quatre", "cuatro"],
    &["five", "fünf", "cinq", "cinco"],
    &["six", "sechs", "seis"],
    &["seven", "sieben", "sept", "siete"],
    &["eight", "acht", "huit", "ocho"],
    &["nine", "neun", "neuf", "nueve"],
];

const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

fn spoken(word: &str) -> Option<Spoken> {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) {
        return Some(Spoken::Figures(word.to_owned()));
    }
    if let Some(unit) = UNITS.iter().position(|words| words.contains(&word)) {
        return Some(Spoken::Figures(unit.to_string()));
    }
    if let Some(teen) = TEENS.iter().position(|known| *known == word) {
        return Some(Spoken::Figures((teen + 10).to_string()));
    }
    if let Some(tens) = TENS.iter().position(|known| *known == word) {
        return char::from_digit(u32::try_from(tens).ok()? + 2, 10).map(Spoken::Tens);
    }
    match word {
        "double" => Some(Spoken::Times(2)),
        "triple" => Some(Spoken::Times(3)),
        _ => None,
    }
}

/// The words and numbers of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    let mut end = 0;
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '\'' || c == '’';
    while let Some(start) = text[end..].find(char::is_alphanumeric).map(|at| end + at) {
        let rest = &text[start..];
        let stop = start + rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let gap = &text[end..start];
        let after = text[stop..].trim_start();
        let word = text[start..stop].to_lowercase().replace('’', "'");
        let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
        let follows = all.last().is_some_and(|last| is_number(&last.word)) && is_number(&word);
        let shape = follows && matches!(gap, ":" | "/" | "." | ",");
        if shape && let Some(last) = all.last_mut() {
            last.figures = None;
        }
        let priced = gap.trim_end().ends_with(['+', '$', '€', '£'])
            || after.starts_with(['%', '€', '$', '£', '°']);
        all.push(Token {
            figures: spoken(&word).filter(|_| !shape && !priced),
            at: start..stop,
            word,
            begins: gap.contains(['.', '?', '!', ';']),
            equated: gap.contains([':', '=']),
            joins: gap.chars().all(|c| c.is_whitespace() || ['-', '–', '‑', ',', '.'].contains(&c)),
        });
        end = stop;
    }
    all
}

/// The figures of a text that stand together.
pub(super) fn runs(tokens: &[Token]) -> Vec<Run> {
    let mut all: Vec<Run> = Vec::new();
    let mut open = false;
    let mut n = 0;
    while let Some(token) = tokens.get(n) {
        let next = tokens.get(n + 1).filter(|next| next.joins).and_then(|next| {
            let written = next.word.chars().all(|c| c.is_ascii_digit());
            next.figures.clone().map(|figures| (figures, next.at.end, written))
        });
        let (digits, used, end) = match (token.figures.clone(), next) {
            (None, _) => (None, 1, 0),
            (Some(Spoken::Figures(digits)), _) => (Some(digits), 1, token.at.end),
            (Some(Spoken::Tens(tens)), Some((Spoken::Figures(unit), end, false)))
                if unit.len() == 1 && unit != "0" =>
            {
                (Some(format!("{tens}{unit}")), 2, end)
            }
            (Some(Spoken::Tens(tens)), _) => (Some(format!("{tens}0")), 1, token.at.end),
            (Some(Spoken::Times(times)), Some((Spoken::Figures(one), end, _)))
                if one.len() == 1 =>
            {
                (Some(one.repeat(times)), 2, end)
            }
            (Some(Spoken::Times(_)), _) => (None, 1, 0),
        };
        match digits {
            None => open = false,
            Some(digits) => {
                if !open || !token.joins {
                    all.push(Run { pieces: Vec::new(), first: n });
                }
                open = true;
                if let Some(run) = all.last_mut() {
                    run.pieces.push((token.at.start..end, digits));
                }
            }
        }
        n += used;
    }
    all
}
