//! An order to search, checked field by field.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tandem_actors::briefing::{Outcome, Text};

use super::super::calls::order::checked_callee;
use super::super::once::once;
use super::super::openapi::words::{E164, ObjectSchema, RetryWord};
use super::super::problem::Problem;
use crate::account::Account;
use crate::search::brief;
use crate::store::{Inquiry, Once, Target};
use crate::tool::result;

/// Whom a search asks: fewer is a call, more is a campaign.
const TARGETS: RangeInclusive<usize> = 2..=10;

/// The most calls at once: people who are asked the same at the same time talk to each other.
const AT_ONCE_MAX: u32 = 4;

/// The longest question: it is asked in one breath.
const QUESTION_CHARS: usize = 1_000;

/// The longest text of what may be told, or is new.
pub(in crate::http) const FACTS_CHARS: usize = 2_000;

/// The longest name of a target.
const NAME_CHARS: usize = 100;

/// After these a target can be rung once more.
pub(in crate::http) const AGAIN: [Outcome; 3] =
    [Outcome::NoAnswer, Outcome::Busy, Outcome::Rejected];

/// What several are asked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SearchOrder")]
pub(in crate::http) struct Search {
    /// What each is asked; it may ask for information alone.
    #[schemars(length(min = 1, max = QUESTION_CHARS))]
    question: String,
    /// Who is asked, nobody twice.
    #[schemars(length(min = *TARGETS.start(), max = *TARGETS.end()))]
    targets: Vec<Whom>,
    /// What they may be told.
    #[schemars(length(min = 1, max = FACTS_CHARS))]
    facts: Option<String>,
    /// What each call shall bring back besides.
    #[schemars(with = "Option<ObjectSchema>")]
    bring: Option<Value>,
    /// Calls at once.
    #[schemars(range(min = 1, max = AT_ONCE_MAX))]
    at_once: Option<u32>,
    /// After so many offers nobody more is asked.
    #[schemars(range(min = 1, max = *TARGETS.end()))]
    enough: Option<u32>,
    /// After which outcomes somebody is rung once more.
    #[serde(default)]
    #[schemars(with = "Vec<RetryWord>")]
    retry: Vec<String>,
    /// The campaign that it belongs to.
    campaign: Option<String>,
    /// Says that an order that was given a moment ago is meant once more.
    #[serde(default, rename = "again")]
    _again: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(in crate::http) struct Whom {
    #[schemars(with = "E164")]
    to: String,
    #[schemars(length(min = 1, max = NAME_CHARS))]
    name: Option<String>,
}

/// A search that can be begun.
pub(super) struct Read {
    pub(super) inquiry: Inquiry,
    pub(super) targets: Vec<Target>,
    pub(super) once: Option<Once>,
}

/// Reads the order in this body.
pub(super) fn read(account: &Account, headers: &HeaderMap, body: Value) -> Result<Read, Problem> {
    let once = once(headers, account, "POST /v1/searches", &body)?;
    let search: Search =
        serde_json::from_value(body).map_err(|error| Problem::body(&error.to_string()))?;
    let question = text("question", &search.question, QUESTION_CHARS)?;
    let facts = search.facts.map(|facts| text("facts", &facts, FACTS_CHARS)).transpose()?;
    for told in std::iter::once(&question).chain(&facts) {
        only_asks(told)?;
    }
    let targets = targets(search.targets, TARGETS)?;
    let at_once = search.at_once.unwrap_or(AT_ONCE_MAX);
    if !(1..=AT_ONCE_MAX).contains(&at_once) {
        let detail = format!("{at_once} calls at once; give 1 to {AT_ONCE_MAX}");
        return Err(Problem::invalid("at_once", detail));
    }
    let most = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    if search.enough.is_some_and(|enough| !(1..=most).contains(&enough)) {
        let detail = format!("give 1 to {most}, the number of targets, or leave it out");
        return Err(Problem::invalid("enough", detail));
    }
    let bring = search.bring.map(bring).transpose()?;
    let again = search.retry.iter().map(|word| retried(word)).collect::<Result<_, _>>()?;
    let (enough, campaign) = (search.enough, search.campaign);
    let inquiry = Inquiry { question, facts, bring, at_once, enough, again, campaign };
    Ok(Read { inquiry, targets, once })
}

/// A text that is not empty and not too long.
pub(in crate::http) fn text(
    field: &'static str,
    text: &str,
    chars: usize,
) -> Result<Text, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > chars {
        return Err(Problem::invalid(field, format!("give 1 to {chars} characters")));
    }
    Ok(Text(text.to_owned()))
}

/// What asks to commit is refused: of several calls at once several would succeed.
fn only_asks(told: &Text) -> Result<(), Problem> {
    let Some(word) = brief::commits(told.as_str()) else { return Ok(()) };
    let detail = format!(
        "the word {word:?} asks for more than information, and several calls at once could commit \
         several times. Ask what can be had and on what terms, without that word; then choose \
         one offer with POST /v1/searches/{{id}}/choose, whose call may commit"
    );
    Err(Problem::of(StatusCode::BAD_REQUEST, "could_commit", detail))
}

/// As many targets as there may be, each with a number of its own.
pub(in crate::http) fn targets(
    whom: Vec<Whom>,
    many: RangeInclusive<usize>,
) -> Result<Vec<Target>, Problem> {
    if !many.contains(&whom.len()) {
        let (least, most) = (many.start(), many.end());
        let detail = format!("{} targets; give {least} to {most}", whom.len());
        return Err(Problem::invalid("targets", detail));
    }
    let mut seen = HashSet::new();
    let checked = whom.into_iter().map(|Whom { to, name }| {
        let to = checked_callee("targets", to)?;
        if !seen.insert(to.as_str().to_owned()) {
            let detail = format!("{} is there twice; nobody is asked twice", to.as_str());
            return Err(Problem::invalid("targets", detail));
        }
        let name = name.map(|name| text("targets", &name, NAME_CHARS)).transpose()?;
        Ok(Target { to, name })
    });
    checked.collect()
}

fn bring(schema: Value) -> Result<Text, Problem> {
    match result::check(&schema) {
        Ok(()) => Ok(Text(schema.to_string())),
        Err(wrong) => Err(Problem::invalid("bring", wrong)),
    }
}

/// The outcome that this word of `retry` names.
pub(in crate::http) fn retried(word: &str) -> Result<Outcome, Problem> {
    AGAIN.into_iter().find(|outcome| outcome.word() == word).ok_or_else(|| {
        let words = AGAIN.map(Outcome::word).join(", ");
        let shown: String = word.chars().take(30).collect();
        Problem::invalid("retry", format!("{shown:?} is none of {words}"))
    })
}
