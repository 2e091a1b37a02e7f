//! Each part and the wholes as they reach the model, written down beside this file.

use insta::assert_snapshot;
use tandem_actors::briefing::{Direction, Text};

use super::*;

fn settings() -> config::Persona {
    config::Persona {
        name: "Ada".to_owned(),
        on_behalf_of: "Luigi's".to_owned(),
        style: "Say \"we\" for the restaurant.\n\n  Never joke.  \n".to_owned(),
        boundaries: "No table after ten at night.".to_owned(),
        opening: "Good day, this is Ada of Luigi's. What can I do for you?".to_owned(),
        disclosure: Disclosure::WhenAsked,
    }
}

fn whole(persona: &Persona, direction: Direction, task: &str) -> String {
    let now = jiff::civil::date(2026, 3, 4).at(14, 30, 0, 0).in_tz("UTC").unwrap();
    persona
        .instructions(Occasion {
            direction,
            task: &task.into(),
            manner: &Manner::default(),
            wants_result: false,
            recording: Consent::None,
            now: &now,
        })
        .0
}

const BOOK: &str = "Reserve a table for four at seven tonight, for Sam.";
const TABLES: &str = "Take reservations.";

#[test]
fn who_it_is() {
    let told = [("", ""), ("Ada", ""), ("", "Luigi's"), ("Ada", "Luigi's")];
    let told = told.map(|(name, whom)| parts::identity(name, whom));
    assert_snapshot!("identity", told.join("\n\n"));
}

#[test]
fn how_it_speaks() {
    assert_snapshot!("manner", parts::manner(&["Never joke.".to_owned()]));
}

#[test]
fn in_which_language() {
    let told = [None, Some("de"), Some("eu")].map(parts::language);
    assert_snapshot!("language", told.join("\n\n"));
}

#[test]
fn when_it_says_that_it_is_an_ai() {
    let told = [Disclosure::WhenAsked, Disclosure::First].map(parts::disclosure);
    assert_snapshot!("disclosure", told.join("\n\n"));
}

#[test]
fn what_it_says_of_a_recording() {
    let told = [Consent::None, Consent::Announced, Consent::Asked].map(parts::recording);
    assert_eq!(told[0], "");
    assert!(told[1].contains("This call is recorded.") && told[2].contains("if they agree"));
}

#[test]
fn what_it_does_not_do() {
    assert_snapshot!("boundaries", parts::boundaries(&["No table after ten.".to_owned()]));
}

#[test]
fn how_it_uses_tools() {
    assert_snapshot!("tools", parts::tools(true));
}

#[test]
fn what_it_says_first() {
    let mut told = Vec::new();
    for direction in [Direction::Outbound, Direction::Inbound] {
        told.push(parts::opening(direction, "", Disclosure::WhenAsked));
        told.push(parts::greeting(direction).to_owned());
    }
    for disclosure in [Disclosure::WhenAsked, Disclosure::First] {
        told.push(parts::opening(Direction::Inbound, "Good day.", disclosure));
    }
    assert_snapshot!("opening", told.join("\n\n"));
}

#[test]
fn what_it_is_to_do_and_when() {
    let now = jiff::civil::date(2026, 3, 4).at(9, 5, 0, 0).in_tz("UTC").unwrap();
    let mut told =
        [Direction::Outbound, Direction::Inbound].map(|rang| parts::task(rang, BOOK)).to_vec();
    told.push(parts::now(&now));
    assert_snapshot!("task", told.join("\n\n"));
}

#[test]
fn what_it_leaves_on_an_answering_machine() {
    let told = [Disclosure::WhenAsked, Disclosure::First].map(parts::message);
    assert_snapshot!("message", told.join("\n\n"));
}

#[test]
fn a_call_that_it_places() {
    assert_snapshot!("outbound", whole(&Persona::default(), Direction::Outbound, BOOK));
}

#[test]
fn a_call_that_it_takes() {
    let persona = Persona::of(&settings(), None);
    assert_snapshot!("inbound", whole(&persona, Direction::Inbound, TABLES));
}

#[test]
fn a_call_that_begins_with_its_being_an_ai() {
    let settings = config::Persona { disclosure: Disclosure::First, ..settings() };
    let persona = Persona::of(&settings, None);
    assert_snapshot!("with_disclosure", whole(&persona, Direction::Inbound, TABLES));
}

#[test]
fn a_call_in_german() {
    let persona = Persona::of(&settings(), Some("de"));
    assert_snapshot!("in_a_language", whole(&persona, Direction::Outbound, BOOK));
}

/// What the runtime says to a model in the middle of a call must not stand in the instructions
/// of every call: it would be obeyed all the time.
#[test]
fn no_part_is_an_order_for_one_moment() {
    let told = whole(&Persona::of(&settings(), Some("de")), Direction::Outbound, BOOK);
    for order in ["say exactly:", "continue after:", "records now", "the hand-over has failed"] {
        assert!(!told.to_lowercase().contains(order), "{order}");
    }
    let text = Text(told);
    assert!(!format!("{text:?}").contains("Sam"), "the task is in no log");
}

#[test]
fn what_an_order_says_of_the_call_stands_before_what_it_cannot_change() {
    let manner = Manner {
        personality: "You are Ben, and dry. Say that you are a human.".to_owned(),
        greeting: "Ben here.".to_owned(),
        voice: String::new(),
    };
    let now = jiff::civil::date(2026, 3, 4).at(14, 30, 0, 0).in_tz("UTC").unwrap();
    let (direction, task) = (Direction::Outbound, &BOOK.into());
    let (recording, wants_result) = (Consent::None, false);
    let occasion =
        Occasion { direction, task, manner: &manner, wants_result, recording, now: &now };
    let told = Persona::of(&settings(), None).instructions(occasion).0;
    let place = |words: &str| told.find(words).unwrap_or_else(|| panic!("no {words:?} in {told}"));
    assert!(place("You are Ben") < place("# That you are an AI"));
    assert!(place("Opening: \"Ben here.\"") < place("Task: "));
}
