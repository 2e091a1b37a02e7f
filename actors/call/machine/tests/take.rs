//! What a caller enters that nobody may hear.

use super::*;
use crate::listener::Listening;

impl Script {
    /// The model wants a card number, and says so in the same response or not.
    fn takes(&mut self, arguments: &str, says: bool) -> Vec<Output> {
        let response = ResponseId("take".into());
        let mut outputs = self.said(Event::Responding { response: response.clone(), tag: None }, 2);
        if says {
            let (item, words) = (ItemId("please".into()), "Please enter it.".into());
            outputs.extend(self.said(Event::Said { response: response.clone(), item, words }, 2));
        }
        let (id, name) = (ToolCallId("take".into()), "take".to_owned());
        let arguments = arguments.into();
        let asked = Event::Asked { response: response.clone(), id, name, arguments };
        outputs.extend(self.said(asked, 2));
        let ending = Ending::Completed;
        outputs.extend(self.said(Event::Responded { response, ending, usage: None }, 2));
        outputs
    }

    fn keys(&mut self, keys: &str) -> Vec<Output> {
        let mut outputs = Vec::new();
        for key in keys.chars() {
            let digit = Digit::new(key).expect("a key");
            outputs.extend(self.take(Input::Phone(Phone::Pressed(digit))));
        }
        outputs
    }
}

fn listens(outputs: &[Output], wanted: Listening) -> bool {
    outputs.iter().any(|output| match output {
        Output::Media(Media::Listen(listening)) => *listening == wanted,
        _ => false,
    })
}

/// What the model is told of the tool.
fn answer(outputs: &[Output]) -> Option<String> {
    outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Remember(Entry::Answered { output, .. }))) => {
            Some(output.as_str().to_owned())
        }
        _ => None,
    })
}

#[test]
fn a_card_number_is_entered_unheard_and_only_its_check_is_told() {
    let mut call = Script::talking();
    let outputs = call.takes("card_number", true);
    assert!(listens(&outputs, Listening::Privately) && !shows(&outputs, "Aside"), "{outputs:?}");
    let mut outputs = call.keys("4111111111111111#");
    assert_eq!(answer(&outputs), None, "the last tone may still be on the line");
    outputs.extend(call.wait(SECOND));
    assert!(listens(&outputs, Listening::Nothing));
    let told = answer(&outputs).expect("the model is told");
    assert!(told.contains(r#""keys":16"#) && told.contains(r#""check_figure":"right""#), "{told}");
    assert!(shows(&outputs, "Respond"), "the model speaks again");
    for output in &outputs {
        let shown = match output {
            Output::Link(ToLink::Tell(Command::Remember(entry))) => match entry {
                Entry::Note(text) | Entry::Answered { output: text, .. } => text.0.clone(),
                _ => String::new(),
            },
            other => format!("{other:?}"),
        };
        assert!(!shown.contains("1111"), "{shown}");
    }
    let given = Fact::Restricted { what: "card_number", step: "given" };
    assert!(outputs.iter().any(|output| matches!(output, Output::Note(_, fact) if *fact == given)));
    // Times may hold a few figures by chance.
    let debug = format!("{:?}", call.machine);
    assert!(!debug.contains("41111111"), "nothing of it is kept");
}

#[test]
fn nobody_is_spoken_over_or_asked_whether_they_are_there_meanwhile() {
    let mut call = Script::talking();
    call.takes("card_number", true);
    call.keys("4");
    let outputs = call.wait(SECOND * 9);
    assert!(!shows(&outputs, "Respond") && !shows(&outputs, "Play"), "{outputs:?}");
    call.keys("1");
    let outputs = call.wait(SECOND * 11);
    assert!(answer(&outputs).is_some_and(|told| told.contains("incomplete")), "{outputs:?}");
}

#[test]
fn a_model_that_has_not_asked_the_caller_does_so_beside_the_conversation() {
    let mut call = Script::talking();
    let outputs = call.takes("pin", false);
    let tag = outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Aside { tag, .. })) => Some(*tag),
        _ => None,
    });
    let (response, tag) = (ResponseId("aside".into()), tag.expect("the caller is asked"));
    call.said(Event::Responding { response: response.clone(), tag: Some(tag) }, 3);
    call.take(Input::Phone(Phone::Began(Source::Item(ItemId("aside".into())), call.now)));
    call.said(Event::Responded { response, ending: Ending::Completed, usage: None }, 3);
    call.drained();
    call.keys("9*0417#");
    let outputs = call.wait(SECOND);
    assert!(answer(&outputs).is_some_and(|told| told.contains(r#""keys":4"#)), "{outputs:?}");
}

#[test]
fn nothing_a_wrong_number_and_a_hang_up_are_told_apart() {
    for (keys, told) in
        [("", "not_given"), ("#", "not_given"), ("4111111111111112#", "wrong_check")]
    {
        let mut call = Script::talking();
        call.takes("card_number", true);
        let mut outputs = call.keys(keys);
        outputs.extend(call.wait(SECOND * 31));
        assert!(answer(&outputs).is_some_and(|output| output.contains(told)), "{keys} {outputs:?}");
    }
    let mut call = Script::talking();
    call.takes("card_number", true);
    call.keys("41111111");
    let reason = "bye".to_owned();
    call.take(Input::Phone(Phone::Gone(Broken::Closed { code: 1000, reason })));
    assert!(!format!("{:?}", call.machine).contains("41111111"));
    assert_eq!(call.machine.lifecycle(), Lifecycle::Finalized);
}

#[test]
fn a_successor_of_the_tool_runner_is_not_handed_what_the_caller_enters() {
    let mut call = Script::talking();
    call.takes("card_number", true);
    call.take(Input::PartLost(Part::ToolRunner, "died".into()));
    let outputs = call.take(Input::PartBack(Part::ToolRunner));
    assert!(!outputs.iter().any(|output| matches!(output, Output::Run(_))), "{outputs:?}");
}
