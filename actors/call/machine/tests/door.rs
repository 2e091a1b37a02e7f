//! Callers who have to enter a PIN first.

use super::*;
use crate::briefing::Door;
use crate::call::consent::Pin;
use crate::call::event::{Clip, Media};
use crate::listener::Listening;

impl Script {
    /// Rung by somebody who has to enter 0417; asked for it.
    fn at_door() -> Self {
        let now = crate::clock::now();
        let right = |entered: &Pin| Pin::new("0417").is_some_and(|pin| pin.matches(entered));
        let door = Some(Door(Arc::new(right)));
        let briefing = Briefing { door, ..briefing(Direction::Inbound) };
        let mut script = Self { machine: Machine::new(briefing, now), now };
        script.take(Input::Begin);
        script.take(Input::Link(Link::Ready));
        script.take(Input::Link(Link::Up));
        let outputs = script.take(Input::Phone(Phone::Started));
        assert!(plays(&outputs, Clip::EnterPin), "{outputs:?}");
        assert!(!shows(&outputs, "Respond"), "{outputs:?}");
        script.speaks();
        script
    }

    /// The stored voice says what it has to say.
    fn speaks(&mut self) {
        self.take(Input::Phone(Phone::Began(Source::Clip, self.now)));
        let outputs = self.drained();
        assert!(!shows(&outputs, "Respond"), "{outputs:?}");
    }

    fn keys_in(&mut self, keys: &str) -> Vec<Output> {
        let press = |key| Input::Phone(Phone::Pressed(Digit::new(key).unwrap()));
        keys.chars().flat_map(|key| self.take(press(key))).collect()
    }
}

fn plays(outputs: &[Output], wanted: Clip) -> bool {
    outputs
        .iter()
        .any(|output| matches!(output, Output::Media(Media::Play(clip)) if *clip == wanted))
}

fn opens(outputs: &[Output]) -> bool {
    let open = |output: &Output| matches!(output, Output::Media(Media::Listen(Listening::Nothing)));
    outputs.iter().any(open)
}

#[test]
fn the_right_pin_opens_the_line_and_the_greeting_follows() {
    let mut call = Script::at_door();
    assert!(!shows(&call.wait(SECOND * 10), "Respond"), "nothing is said meanwhile");
    assert!(!opens(&call.keys_in("99*041")));
    let outputs = call.keys_in("7#");
    assert!(opens(&outputs) && shows(&outputs, "Respond"), "{outputs:?}");
    assert!(!shows(&call.keys_in("1"), "Play"), "a key like any other");
}

#[test]
fn three_wrong_ones_end_the_call_politely() {
    let mut call = Script::at_door();
    for _ in 0..2 {
        let outputs = call.keys_in("0418#");
        assert!(plays(&outputs, Clip::WrongPin) && !opens(&outputs), "{outputs:?}");
        call.speaks();
    }
    let outputs = call.keys_in("0418#");
    assert!(plays(&outputs, Clip::TurnedAway), "{outputs:?}");
    assert!(!opens(&call.keys_in("0417#")), "it is too late");
    call.take(Input::Phone(Phone::Began(Source::Clip, call.now)));
    let outputs = call.drained();
    assert!(shows(&outputs, "HangUp") && shows(&outputs, "wrong_pin"), "{outputs:?}");
}

#[test]
fn who_enters_nothing_is_asked_once_more_and_then_sent_away() {
    let mut call = Script::at_door();
    assert!(plays(&call.wait(SECOND * 21), Clip::EnterPin));
    call.speaks();
    let outputs = call.wait(SECOND * 21);
    assert!(plays(&outputs, Clip::TurnedAway), "{outputs:?}");
    assert!(shows(&call.wait(SECOND * 11), "no_pin"), "the goodbye is not waited for");
}

#[test]
fn nothing_of_it_is_told_to_the_model_or_written_down() {
    let mut call = Script::at_door();
    let mut outputs = call.keys_in("0418#");
    outputs.extend(call.keys_in("0417"));
    for output in &outputs {
        let told = matches!(output, Output::Link(_));
        assert!(!told, "{output:?}");
        let text = format!("{output:?}");
        assert!(!text.contains("0417") && !text.contains("0418"), "{text}");
    }
}

#[test]
fn a_lost_model_hands_nobody_over_who_was_not_let_in() {
    let mut call = Script::at_door();
    let outputs = call.take(Input::Link(Link::GaveUp("x".into())));
    assert!(plays(&outputs, Clip::Apology) && !shows(&outputs, "Transfer"), "{outputs:?}");
}
