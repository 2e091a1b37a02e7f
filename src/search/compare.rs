//! What was found, side by side: the best first, each field with the words it rests on and the
//! turn in which they were said. Pure.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tandem_actors::briefing::Outcome;

/// The fields that are compared, each with the words it rests on.
const FIELDS: [&str; 5] = ["available", "price", "timing", "hold", "data"];

/// A target with what its call has brought.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its number.
    pub number: u32,
    /// Whom.
    pub to: String,
    /// What they are called.
    pub name: Option<String>,
    /// What the phone network made of the call.
    pub outcome: Option<Outcome>,
    /// Why it ended, or was not made.
    pub reason: Option<String>,
    /// What it reported.
    pub result: Option<Value>,
    /// What they said, with the numbers of the turns.
    pub heard: Vec<(u64, String)>,
}

/// A row of the table: a target with what it has told. What it has not told is null.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Comparison")]
pub struct ComparisonRow<'a> {
    /// From 1, the best first.
    rank: usize,
    number: u32,
    to: &'a str,
    name: Option<&'a str>,
    outcome: Option<&'a str>,
    reason: Option<&'a str>,
    /// `achieved`, `blocked` or `unclear`.
    #[schemars(with = "Option<String>")]
    status: &'a Value,
    /// Whether it can be had just as asked.
    #[schemars(with = "Option<bool>")]
    available: &'a Value,
    #[schemars(with = "Option<f64>")]
    price: &'a Value,
    #[schemars(with = "Option<String>")]
    currency: &'a Value,
    /// When it could be had.
    #[schemars(with = "Option<String>")]
    timing: &'a Value,
    /// Whether it would be held: `possible`, `until`, `without_payment`.
    #[schemars(with = "Option<Map<String, Value>>")]
    hold: &'a Value,
    /// What was to be brought back besides.
    data: &'a Value,
    /// What was not told.
    missing: &'a Value,
    /// Of each field the words it rests on, and the number of the turn in which they were said.
    #[schemars(with = "Map<String, Value>")]
    evidence: Value,
}

/// Whether this result says that what was asked for can be had just as asked.
#[must_use]
pub fn offers(result: &Value) -> bool {
    result["status"] == "achieved" && result["data"]["available"] == true
}

/// The table. What can be had as asked comes first, then what could be had otherwise, then the
/// rest; among equals the cheaper, where all prices are in one currency, then what they hold
/// without payment, then what they hold at all, then the order of the targets.
#[must_use]
pub fn table(found: &[Found]) -> Vec<Value> {
    let one_currency = in_one_currency(found);
    let mut ranked: Vec<&Found> = found.iter().collect();
    ranked.sort_by(|one, other| {
        let price = if one_currency { by_price(one, other) } else { Ordering::Equal };
        let by = |key: fn(&Found) -> u8| key(one).cmp(&key(other));
        by(kind).then(price).then(by(hold)).then(one.number.cmp(&other.number))
    });
    (1_usize..).zip(ranked).map(|(rank, found)| row(rank, found)).collect()
}

impl Found {
    fn data(&self) -> &Value {
        self.result.as_ref().map_or(&Value::Null, |result| &result["data"])
    }

    fn price(&self) -> Option<f64> {
        self.data()["price"].as_f64()
    }
}

fn kind(found: &Found) -> u8 {
    match &found.result {
        Some(result) if offers(result) => 0,
        Some(result) if result["data"]["timing"].is_string() => 1,
        Some(_) => 2,
        None => 3,
    }
}

fn hold(found: &Found) -> u8 {
    let hold = &found.data()["hold"];
    match (hold["possible"] == true, hold["without_payment"] == true) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 2,
    }
}

fn in_one_currency(found: &[Found]) -> bool {
    let priced = found.iter().filter(|found| found.price().is_some());
    let mut currencies = priced.map(|found| &found.data()["currency"]);
    let first = currencies.next();
    currencies.all(|currency| Some(currency) == first)
}

/// Who told no price comes after who did.
fn by_price(one: &Found, other: &Found) -> Ordering {
    match (one.price(), other.price()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn row(rank: usize, found: &Found) -> Value {
    let (data, none) = (found.data(), Value::Null);
    let result = found.result.as_ref().unwrap_or(&none);
    json!(ComparisonRow {
        rank,
        number: found.number,
        to: &found.to,
        name: found.name.as_deref(),
        outcome: found.outcome.map(Outcome::word),
        reason: found.reason.as_deref(),
        status: &result["status"],
        available: &data["available"],
        price: &data["price"],
        currency: &data["currency"],
        timing: &data["timing"],
        hold: &data["hold"],
        data: &data["data"],
        missing: &result["missing"],
        evidence: evidence(found),
    })
}

/// The words of each field, and the turn in which they were said: none where nobody said them so,
/// and the report is all there is.
fn evidence(found: &Found) -> Value {
    let words = &found.data()["words"];
    let of_fields = FIELDS.iter().filter_map(|field| {
        let words = words[field].as_str().filter(|words| !words.is_empty())?;
        Some(((*field).to_owned(), json!({ "words": words, "turn": turn(found, words) })))
    });
    let mut told: Map<String, Value> = of_fields.collect();
    let whole = found.result.as_ref().and_then(|result| result["evidence"].as_str());
    if let Some(words) = whole {
        told.insert("answer".to_owned(), json!({ "words": words, "turn": turn(found, words) }));
    }
    Value::Object(told)
}

fn turn(found: &Found, words: &str) -> Option<u64> {
    let wanted = plain(words);
    let said = |text: &str| format!(" {} ", plain(text)).contains(&format!(" {wanted} "));
    let turn = found.heard.iter().find(|(_, text)| !wanted.is_empty() && said(text));
    turn.map(|(sequence, _)| *sequence)
}

/// Words without case and marks.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(number: u32, data: Value) -> Found {
        let result = Some(json!({ "status": "achieved", "evidence": "Yes.", "data": data }));
        Found { number, result, ..Found::default() }
    }

    fn order(found: &[Found]) -> Vec<u64> {
        table(found).iter().map(|row| row["number"].as_u64().unwrap()).collect()
    }

    fn offer(number: u32, price: f64, currency: &str) -> Found {
        found(number, json!({ "available": true, "price": price, "currency": currency }))
    }

    #[test]
    fn what_can_be_had_as_asked_goes_before_what_is_cheap() {
        let cheap = json!({ "available": false, "price": 18, "currency": "EUR", "timing": "nine" });
        let dear = json!({ "available": true, "price": 30, "currency": "EUR", "timing": "seven" });
        let busy = Found { number: 1, outcome: Some(Outcome::Busy), ..Found::default() };
        let full = found(2, json!({ "available": false }));
        let all = [busy, full, found(3, cheap), found(4, dear)];
        assert_eq!(order(&all), [4, 3, 2, 1]);
        let rows = table(&all);
        assert_eq!((&rows[3]["outcome"], &rows[3]["rank"]), (&json!("busy"), &json!(4)));
    }

    #[test]
    fn among_equals_the_cheaper_then_what_is_held() {
        assert_eq!(order(&[offer(1, 30.0, "EUR"), offer(2, 18.5, "EUR")]), [2, 1]);
        assert_eq!(
            order(&[offer(1, 30.0, "EUR"), offer(2, 18.5, "JPY")]),
            [1, 2],
            "not comparable"
        );
        let held = |number, free: bool| {
            let hold = json!({ "possible": true, "without_payment": free });
            found(number, json!({ "available": true, "hold": hold }))
        };
        let all = [found(1, json!({ "available": true })), held(2, false), held(3, true)];
        assert_eq!(order(&all), [3, 2, 1]);
        assert_eq!(order(&[held(1, true), offer(2, 9.0, "EUR")]), [2, 1], "a price is worth more");
    }

    #[test]
    fn each_field_has_the_words_it_rests_on_and_where_they_were_said() {
        let words = json!({ "available": "Yes, at SEVEN", "price": "twenty", "hold": "" });
        let mut found = found(1, json!({ "available": true, "words": words }));
        found.heard = vec![(3, "Good evening.".into()), (7, "yes at seven, gladly".into())];
        let evidence = &table(&[found])[0]["evidence"];
        assert_eq!(evidence["available"], json!({ "words": "Yes, at SEVEN", "turn": 7 }));
        assert_eq!(evidence["price"], json!({ "words": "twenty", "turn": null }), "made up");
        assert!(evidence.get("hold").is_none());
    }

    #[test]
    fn only_what_was_achieved_as_asked_is_an_offer() {
        assert!(offers(&json!({ "status": "achieved", "data": { "available": true } })));
        assert!(!offers(&json!({ "status": "unclear", "data": { "available": true } })));
        assert!(!offers(&json!({ "status": "achieved", "data": { "available": "true" } })));
        assert!(!offers(&json!({ "status": "achieved" })));
    }

    proptest! {
        #[test]
        fn everybody_is_in_the_table_once_and_offers_lead(
            drawn in proptest::collection::vec(
                (proptest::option::of(any::<bool>()), proptest::option::of(0.0..1e6), 0..3_usize),
                0..10,
            ),
        ) {
            let all: Vec<Found> = (1..).zip(&drawn).map(|(number, (available, price, currency))| {
                let currency = ["EUR", "USD", "JPY"][*currency];
                let data = json!({ "available": available, "price": price, "currency": currency });
                match available {
                    Some(_) => found(number, data),
                    None => Found { number, ..Found::default() },
                }
            }).collect();
            let rows = table(&all);
            let mut numbers = order(&all);
            let leads = rows.iter().map(|row| row["available"] != true).collect::<Vec<_>>();
            prop_assert!(leads.is_sorted());
            numbers.sort_unstable();
            prop_assert_eq!(numbers, (1..=drawn.len() as u64).collect::<Vec<_>>());
        }
    }
}
