//! The tools that a call performs itself: what they promise the model, and how their arguments
//! are read. What they do is decided by the call's machine.

use std::time::Duration;

use serde::Deserialize;
use tandem_actors::briefing::Text;
use tandem_actors::call::answer::Who;
use tandem_actors::call::restricted::What;
use tandem_actors::carrier::{Digit, Key};
use tandem_actors::tool::{HANG_UP, Own, PRESS_KEYS, Promise, Risk};

use crate::config::Config;

/// Says who is on the line.
const REPORT_ANSWERER: &str = "report_answerer";
/// Stops listening until somebody speaks.
const WAIT_ON_HOLD: &str = "wait_on_hold";
/// Takes on the keypad what nobody may hear.
const TAKE_RESTRICTED: &str = "take_restricted";
/// Hands the caller over.
pub(crate) const TRANSFER_TO_HUMAN: &str = "transfer_to_human";

/// Keys in one order: an account number with its PIN, with room to spare.
const MOST_KEYS: usize = 32;

/// Letters of what a human is told of a caller: two sentences, which the caller waits for.
const INTRODUCTION: usize = 300;

const NOTHING: &str = r#"{"type":"object","properties":{}}"#;

/// What the call can do only where the house lets it.
#[derive(Clone, Copy, Debug, Default)]
pub struct House {
    /// There is somebody to take over.
    pub human: bool,
    /// Callers may be asked for card numbers, codes, PINs and passwords.
    pub takes_restricted: bool,
}

impl House {
    /// As it is configured.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            human: !config.carrier.human.is_empty(),
            takes_restricted: config.call.take_restricted,
        }
    }
}

/// What the call promises to do itself.
#[must_use]
pub fn promises(house: House) -> Vec<Promise> {
    let mut promises = vec![
        promise(HANG_UP, "End the call. Say goodbye first, in the same response.", NOTHING),
        promise(
            REPORT_ANSWERER,
            "Tell who or what is on the line, as soon as you know it and whenever it changes: \
             `voicemail` when an answering machine speaks (then say nothing more: you will be told \
             when to leave a message), `menu` for an automatic menu, `hold` when you are asked to \
             hold or hear music, `human` when a human speaks after one of these.",
            r#"{"type":"object","properties":{"who":{"type":"string","enum":["human","voicemail","menu","hold"]}},"required":["who"]}"#,
        ),
        promise(
            PRESS_KEYS,
            "Press keys of the phone, to choose from an automatic menu. A comma waits two \
             seconds. Say nothing with it; listen to what comes.",
            r#"{"type":"object","properties":{"keys":{"type":"string","pattern":"^[0-9*#A-D,]{1,32}$"}},"required":["keys"]}"#,
        ),
        promise(
            WAIT_ON_HOLD,
            "Wait until somebody speaks again. Call it when you are put on hold; until then you \
             hear nothing.",
            NOTHING,
        ),
    ];
    if house.takes_restricted {
        promises.push(promise(
            TAKE_RESTRICTED,
            "Let the caller enter a card number, a one-time code, a PIN or a password on the \
             keypad; never let them say one. Ask for it in the same response, and to end with the \
             hash key. Until it is entered you hear nothing and nothing is recorded. You are told \
             only whether it was given. `keys` is how many figures it has, when you know it.",
            r#"{"type":"object","properties":{"what":{"type":"string","enum":["card_number","code","pin","password"]},"keys":{"type":"integer","minimum":3,"maximum":32}},"required":["what"]}"#,
        ));
    }
    if house.human {
        promises.push(promise(
            TRANSFER_TO_HUMAN,
            "Hand the caller over to a human colleague: when they ask for one, or when you cannot \
             help. Say so in one sentence. `introduction` is what the colleague may be told before \
             they meet the caller: in English, in one or two short sentences, who is calling and \
             why.",
            r#"{"type":"object","properties":{"reason":{"type":"string"},"introduction":{"type":"string","maxLength":300}},"required":["reason"]}"#,
        ));
    }
    promises
}

/// Whether this does more with the other party than to speak with them.
#[must_use]
pub fn goes_further(name: &str) -> bool {
    matches!(name, TRANSFER_TO_HUMAN | TAKE_RESTRICTED)
}

fn promise(name: &str, description: &str, parameters: &str) -> Promise {
    Promise {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: parameters.to_owned(),
        risk: Risk::Write,
        idempotent: true,
        deadline: Duration::from_secs(1),
        attempts: 1,
        filler: None,
        wants_scene: false,
    }
}

/// Reads what the model asks of the call itself; see [`tandem_actors::tool::ReadOwn`].
#[must_use]
pub fn read(name: &str, arguments: &Text) -> Option<Result<Own, String>> {
    match name {
        HANG_UP => Some(Ok(Own::HangUp)),
        REPORT_ANSWERER => Some(report(arguments)),
        PRESS_KEYS => Some(press(arguments)),
        WAIT_ON_HOLD => Some(Ok(Own::WaitOnHold)),
        TAKE_RESTRICTED => Some(take(arguments)),
        TRANSFER_TO_HUMAN => Some(Ok(transfer(arguments))),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Report {
    who: String,
}

fn report(arguments: &Text) -> Result<Own, String> {
    let who = serde_json::from_str(arguments.as_str()).map_or(String::new(), |Report { who }| who);
    match who.as_str() {
        "human" => Ok(Own::Report(Who::Human)),
        "voicemail" => Ok(Own::Report(Who::Voicemail)),
        "menu" => Ok(Own::Report(Who::Menu)),
        "hold" => Ok(Own::Report(Who::Hold)),
        _ => Err("`who` must be human, voicemail, menu or hold.".to_owned()),
    }
}

#[derive(Deserialize)]
struct Take {
    what: String,
    keys: Option<usize>,
}

fn take(arguments: &Text) -> Result<Own, String> {
    let kinds = [What::CardNumber, What::Code, What::Pin, What::Password];
    let read: Option<Take> = serde_json::from_str(arguments.as_str()).ok();
    let asked = read.and_then(|Take { what, keys }| {
        Some((kinds.into_iter().find(|kind| kind.word() == what)?, keys))
    });
    let Some((what, keys)) = asked else {
        return Err("`what` must be card_number, code, pin or password.".to_owned());
    };
    let figures = what.figures();
    if keys.is_some_and(|keys| !figures.contains(&keys)) {
        let (least, most) = (figures.start(), figures.end());
        return Err(format!("`keys` must be {least} to {most}, or left out."));
    }
    Ok(Own::Take(what, keys))
}

#[derive(Deserialize)]
struct Transfer {
    introduction: Option<String>,
}

/// Nobody stays without a human for want of the right words.
fn transfer(arguments: &Text) -> Own {
    let read = serde_json::from_str(arguments.as_str()).ok();
    let words = read.and_then(|Transfer { introduction }| introduction).unwrap_or_default();
    let words: String = words.trim().chars().take(INTRODUCTION).collect();
    Own::Transfer((!words.is_empty()).then_some(Text(words)))
}

#[derive(Deserialize)]
struct Press {
    keys: String,
}

fn press(arguments: &Text) -> Result<Own, String> {
    let read = serde_json::from_str(arguments.as_str()).ok();
    read.and_then(|Press { keys }| self::keys(&keys)).map(Own::Press).ok_or_else(no_keys)
}

/// What keys must be, in words.
pub(crate) fn no_keys() -> String {
    format!("`keys` must be 1 to {MOST_KEYS} of 0-9, *, #, A-D and the comma.")
}

/// Keys as they are written, a comma for a pause.
pub(crate) fn keys(written: &str) -> Option<Vec<Key>> {
    if written.is_empty() || written.chars().count() > MOST_KEYS {
        return None;
    }
    let key = |key| match key {
        ',' => Some(Key::Pause),
        key => Digit::new(key).map(Key::Digit),
    };
    written.chars().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(keys: &str) -> Result<Own, String> {
        let arguments = serde_json::json!({ "keys": keys }).to_string();
        read(PRESS_KEYS, &Text(arguments)).expect("one of ours")
    }

    #[test]
    fn keys_are_read_and_everything_else_is_refused_without_being_repeated() {
        let Ok(Own::Press(keys)) = pressed("1,#d") else { panic!("four keys") };
        assert_eq!(keys.len(), 4);
        assert_eq!(keys[1], Key::Pause);
        assert_eq!(keys[3], Key::Digit(Digit::new('D').expect("a key")));
        for wrong in ["", "12x", "+1", "1 2", &"7".repeat(33)] {
            let words = pressed(wrong).expect_err(wrong);
            assert!(wrong.is_empty() || !words.contains(wrong), "{words}");
        }
        assert!(pressed(&"7".repeat(32)).is_ok());
        assert!(matches!(read(PRESS_KEYS, &"no JSON".into()), Some(Err(_))));
    }

    #[test]
    fn who_is_there_is_one_of_four() {
        let said = |who: &str| {
            let arguments = serde_json::json!({ "who": who }).to_string();
            read(REPORT_ANSWERER, &Text(arguments)).expect("one of ours")
        };
        assert_eq!(said("menu"), Ok(Own::Report(Who::Menu)));
        assert!(said("a parrot").is_err());
        assert!(matches!(read(REPORT_ANSWERER, &"{}".into()), Some(Err(_))));
    }

    #[test]
    fn what_is_entered_is_one_of_four_with_a_length_that_it_can_have() {
        let asked = |arguments: &str| read(TAKE_RESTRICTED, &arguments.into()).expect("ours");
        assert_eq!(asked(r#"{"what":"card_number"}"#), Ok(Own::Take(What::CardNumber, None)));
        assert_eq!(asked(r#"{"what":"code","keys":6}"#), Ok(Own::Take(What::Code, Some(6))));
        for wrong in ["{}", r#"{"what":"name"}"#, r#"{"what":"pin","keys":3}"#, "4711"] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hand_over_takes_two_sentences_along_or_none() {
        let asked = |arguments: &str| read(TRANSFER_TO_HUMAN, &arguments.into());
        let with = |words: &str| Some(Ok(Own::Transfer(Some(words.into()))));
        assert_eq!(
            asked(r#"{"reason":"r","introduction":" Kim, a bill. "}"#),
            with("Kim, a bill.")
        );
        let long = format!(r#"{{"introduction":"{}"}}"#, "é".repeat(301));
        assert_eq!(asked(&long), with(&"é".repeat(300)));
        for without in ["{}", r#"{"introduction":" "}"#, r#"{"introduction":7}"#, "no JSON"] {
            assert_eq!(asked(without), Some(Ok(Own::Transfer(None))), "{without}");
        }
    }

    #[test]
    fn every_promise_is_kept_and_a_hand_over_needs_somebody() {
        let all = House { human: true, takes_restricted: true };
        for promise in promises(all) {
            serde_json::from_str::<serde_json::Value>(&promise.parameters).expect("JSON");
            assert!(read(&promise.name, &"{}".into()).is_some(), "{}", promise.name);
        }
        assert_eq!(promises(House::default()).len() + 2, promises(all).len());
        assert_eq!(read("create_task", &"{}".into()), None);
    }
}
