//! What the calls of a search are told: they ask, agree to nothing, and report in one shape, each
//! field with the words it rests on. Pure.

use serde_json::{Value, json};
use tandem_actors::briefing::Text;

/// Verbs with which something is agreed to, in the languages that such questions are asked in most.
/// "In order to" is none.
const COMMITTING: [&str; 43] = [
    "book",
    "reserve",
    "order",
    "buy",
    "purchase",
    "pay",
    "confirm",
    "hire",
    "rent",
    "sign",
    "cancel",
    "accept",
    "buche",
    "buchen",
    "reserviere",
    "reservieren",
    "bestelle",
    "bestellen",
    "kaufe",
    "kaufen",
    "bezahle",
    "bezahlen",
    "bestätige",
    "bestätigen",
    "réserver",
    "réservez",
    "commander",
    "commandez",
    "acheter",
    "achetez",
    "payer",
    "payez",
    "confirmer",
    "reservar",
    "pedir",
    "comprar",
    "pagar",
    "confirmar",
    "prenotare",
    "prenota",
    "ordinare",
    "comprare",
    "confermare",
];

/// The first word that asks to commit to something. Several calls that ask for the same at once
/// would get it several times.
#[must_use]
pub fn commits(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().enumerate().find_map(|(place, word)| {
        let verb = COMMITTING.into_iter().find(|verb| verb == word)?;
        let before = place.checked_sub(1).map(|before| words[before]);
        (verb != "order" || before != Some("in")).then_some(verb)
    })
}

/// The task of each call. The first line says all of it; what follows are its rules.
#[must_use]
pub fn task(question: &str, facts: Option<&str>, name: Option<&str>) -> Text {
    let whom = name.map_or(String::new(), |name| format!("You ring {name}.\n"));
    let facts = facts.map_or_else(
        || "You know nothing else; say so when they ask for more.".to_owned(),
        |facts| format!("This you may tell when they ask: {facts}"),
    );
    Text(format!(
        "Ask for information only and agree to nothing. Question: {question}\n\
         {whom}{facts}\n\
         Find out: whether it can be had as asked, or else when or how it could; what it costs, \
         in which currency; when exactly; and whether they would hold it, until when, and without \
         payment.\n\
         Several are asked and their answers compared; whoever ordered the call decides \
         afterwards and then rings again. Say so when they want an answer now. Leave no name, \
         order nothing, accept nothing, promise nothing, let nothing be held, also when they \
         offer it.\n\
         Report each thing with their own words for it; leave out what they did not say."
    ))
}

/// What each call brings back: the fields that are compared, and what was asked for besides.
#[must_use]
pub fn schema(bring: Option<&Value>) -> Value {
    let text = |about: &str| json!({ "type": "string", "maxLength": 400, "description": about });
    let words = |field: &str| text(&format!("Their words on `{field}`, as they were said"));
    let mut schema = json!({
        "type": "object",
        "properties": {
            "available": { "type": "boolean", "description": "It can be had just as asked" },
            "price": { "type": "number", "minimum": 0 },
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217" },
            "timing": text("When it can be had, also where that is not as asked"),
            "hold": {
                "type": "object",
                "properties": {
                    "possible": { "type": "boolean" },
                    "until": text("Until when"),
                    "without_payment": { "type": "boolean" },
                },
                "required": ["possible"],
            },
            "words": {
                "type": "object",
                "properties": {
                    "available": words("available"),
                    "price": words("price"),
                    "timing": words("timing"),
                    "hold": words("hold"),
                    "data": words("data"),
                },
                "required": ["available"],
            },
        },
        "required": ["available", "words"],
    });
    if let Some(bring) = bring {
        schema["properties"]["data"] = bring.clone();
    }
    schema
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::tool::result;

    #[rstest]
    #[case("Do you have a table for four at seven tonight?", None)]
    #[case("What does a booking cost, and is an order number needed?", Some("order"))]
    #[case("What do I have to bring in order to get a passport?", None)]
    #[case("Is there a bookshop that is payable by card?", None)]
    #[case("Book a table for four.", Some("book"))]
    #[case("Ask for a table and RESERVE it if it is cheap", Some("reserve"))]
    #[case("Bitte einen Tisch für vier bestellen", Some("bestellen"))]
    #[case("Peut-on réserver ?", Some("réserver"))]
    fn a_question_that_commits_is_told_from_one_that_asks(
        #[case] question: &str,
        #[case] word: Option<&str>,
    ) {
        assert_eq!(commits(question), word);
    }

    #[test]
    fn the_task_says_first_that_it_only_asks() {
        let told = task("Is there a table?", Some("We are four."), Some("Luigi's"));
        let first = told.as_str().lines().next().unwrap();
        assert!(first.contains("agree to nothing") && first.ends_with("Is there a table?"));
        assert!(told.as_str().contains("We are four.") && told.as_str().contains("Luigi's"));
    }

    #[test]
    fn the_report_has_a_schema_with_what_was_asked_for_in_it() {
        let bring = json!({ "type": "object", "properties": { "stars": { "type": "integer" } } });
        assert_eq!(result::check(&schema(Some(&bring))), Ok(()));
        assert_eq!(schema(Some(&bring))["properties"]["data"], bring);
        assert!(schema(None)["properties"].get("data").is_none());
    }
}
