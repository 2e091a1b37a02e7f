//! Keys that we press.

use super::*;
use crate::call::event::Clip;
use crate::carrier::CarrierError;

impl Script {
    fn presses(&mut self, keys: &str, id: &str, generation: Generation) -> Vec<Output> {
        let response = ResponseId(id.into());
        let begun = Event::Responding { response: response.clone(), tag: None };
        let mut outputs = self.said(begun, generation);
        let asked = Event::Asked {
            response: response.clone(),
            id: ToolCallId(id.into()),
            name: "press_keys".into(),
            arguments: keys.into(),
        };
        outputs.extend(self.said(asked, generation));
        let ending = Ending::Completed;
        outputs.extend(self.said(Event::Responded { response, ending, usage: None }, generation));
        outputs
    }
}

fn pressed(outputs: &[Output]) -> Vec<String> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Press(keys) => Some(keys.iter().map(|key| key.key()).collect()),
            _ => None,
        })
        .collect()
}

#[test]
fn keys_are_pressed_run_by_run_and_nothing_is_said_about_it() {
    let mut call = Script::talking();
    let outputs = call.presses("12,#", "t", 2);
    assert_eq!(pressed(&outputs), ["12"]);
    assert!(!shows(&outputs, "Respond"), "the menu speaks next: {outputs:?}");
    assert!(pressed(&call.wait(SECOND)).is_empty(), "the pause");
    assert_eq!(pressed(&call.wait(SECOND * 2)), ["#"]);
}

#[test]
fn the_record_learns_that_keys_were_pressed_and_never_which() {
    let mut call = Script::talking();
    let outputs = call.presses("4711", "t", 2);
    let facts: Vec<_> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Note(_, fact) => Some(fact),
            _ => None,
        })
        .collect();
    assert!(facts.contains(&&Fact::Keyed));
    for fact in facts {
        if let Fact::ToolAsked { arguments, .. } = fact {
            assert_eq!(arguments.as_str(), "{}");
        }
    }
    assert!(!format!("{outputs:?}").contains("4711"), "{outputs:?}");
}

#[test]
fn what_is_no_key_is_refused() {
    let mut call = Script::talking();
    let outputs = call.presses("12x", "t", 2);
    assert!(pressed(&outputs).is_empty() && shows(&outputs, "verdict: User"), "{outputs:?}");
    for n in 0..40 {
        call.presses("1,1", &format!("many-{n}"), 3 + n);
        call.machine.tools_this_turn = 0;
    }
    assert!(call.machine.keys.len() <= 64, "{}", call.machine.keys.len());
}

#[test]
fn a_carrier_that_presses_no_keys_gets_their_tones_as_audio() {
    let mut call = Script::talking();
    let outputs = call.presses("5", "t", 2);
    let Some(Output::Press(keys)) = outputs.into_iter().find(|o| matches!(o, Output::Press(_)))
    else {
        panic!("pressed")
    };
    let refused = CarrierError::NotOffered("press keys");
    let outputs = call.take(Input::Unpressed(keys.clone(), refused));
    let tone = Output::Media(Media::Play(Clip::Key(keys[0])));
    assert_eq!(format!("{outputs:?}"), format!("{:?}", [tone]));
    call.take(Input::Phone(Phone::Began(Source::Clip, call.now)));
    let outputs = call.said(Event::CallerStarted(ItemId("menu".into())), 2);
    assert!(!shows(&outputs, "Flush"), "a menu that reads on does not stop them");
}

#[test]
fn keys_that_failed_are_told_to_the_model() {
    let mut call = Script::talking();
    let unknown = CarrierError::Unknown("timeout".into());
    let outputs = call.take(Input::Unpressed(vec![], unknown));
    assert!(shows(&outputs, "Note(") && shows(&outputs, "Respond"), "{outputs:?}");
}
