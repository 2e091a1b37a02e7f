//! What has to be said or asked before a recording, and that nothing is recorded before.

use super::*;
use crate::call::event::Media;

const TELL: &str = "has to know that this call is recorded";
const ASK: &str = "asked for their consent to a recording";

impl Script {
    /// Rung, with a session; the first response is asked for.
    fn recorded(recording: Recording) -> (Self, Vec<Output>) {
        let now = crate::clock::now();
        let language = Some("en".to_owned());
        let briefing = Briefing { recording, language, ..briefing(Direction::Inbound) };
        let mut script = Self { machine: Machine::new(briefing, now), now };
        script.take(Input::Begin);
        script.take(Input::Link(Link::Ready));
        let mut outputs = script.take(Input::Link(Link::Up));
        outputs.extend(script.take(Input::Phone(Phone::Started)));
        (script, outputs)
    }

    /// The question is put and heard.
    fn consent_asked() -> Self {
        let (mut call, outputs) = Self::recorded(Recording::Asked);
        assert!(asked_for(&outputs).is_some_and(|order| order.contains(ASK)), "{outputs:?}");
        call.voices("May this call be recorded?", 1);
        assert_eq!(step(&call.drained()), Some("asked"));
        call
    }
}

/// The instructions of the response that is asked for.
fn asked_for(outputs: &[Output]) -> Option<&str> {
    outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Respond { instructions, .. })) => {
            instructions.as_ref().map(Text::as_str)
        }
        _ => None,
    })
}

fn step(outputs: &[Output]) -> Option<&'static str> {
    outputs.iter().find_map(|output| match output {
        Output::Note(_, Fact::Recording { step }) => Some(*step),
        _ => None,
    })
}

fn records(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Media(Media::Record(true))))
}

#[test]
fn it_is_recorded_from_when_that_has_been_heard_and_greeted_after_it() {
    let (mut call, outputs) = Script::recorded(Recording::Announced);
    assert!(asked_for(&outputs).is_some_and(|order| order.contains(TELL)), "{outputs:?}");
    assert!(!records(&call.voices("This call is recorded.", 1)), "not while it is said");
    let outputs = call.drained();
    assert_eq!((step(&outputs), records(&outputs)), (Some("announced"), true));
    assert!(asked_for(&outputs).is_some_and(|order| order.ends_with("greet")), "{outputs:?}");
}

#[test]
fn a_model_that_does_not_say_it_is_asked_three_times_and_there_is_no_recording() {
    let (mut call, _) = Script::recorded(Recording::Announced);
    for generation in 1..=2 {
        call.voices("Hello, what can I do for you?", generation);
        let outputs = call.drained();
        assert!(asked_for(&outputs).is_some_and(|order| order.contains(TELL)), "{outputs:?}");
    }
    call.voices("This call is not recorded.", 3);
    let outputs = call.drained();
    assert_eq!((step(&outputs), records(&outputs)), (Some("not_said"), false));
}

#[test]
fn only_a_clear_yes_to_the_question_is_consent() {
    for (words, expected) in [("Yes, please.", "agreed"), ("No.", "declined")] {
        let mut call = Script::consent_asked();
        let outputs = call.hears(words, 1);
        assert_eq!((step(&outputs), records(&outputs)), (Some(expected), words != "No."));
    }
    let mut call = Script::consent_asked();
    let outputs = call.hears("Why is that?", 1);
    assert_eq!((step(&outputs), records(&outputs)), (None, false));
    call.voices("It is for our records.", 2);
    let outputs = call.drained();
    assert!(asked_for(&outputs).is_some_and(|order| order.contains(ASK)), "again: {outputs:?}");
    assert_eq!(step(&call.hears("Yes.", 2)), None, "that was no question");
}

#[test]
fn keys_answer_it_and_silence_is_no_consent() {
    let digit = |key| Digit::new(key).unwrap();
    for (key, expected) in [('1', "agreed"), ('2', "declined")] {
        let mut call = Script::consent_asked();
        let outputs = call.take(Input::Phone(Phone::Pressed(digit(key))));
        assert_eq!((step(&outputs), records(&outputs)), (Some(expected), key == '1'));
    }
    let mut call = Script::consent_asked();
    let outputs = call.take(Input::Ended(Outcome::Answered, "x".into()));
    assert_eq!((step(&outputs), records(&outputs)), (Some("no_answer"), false));
}

#[test]
fn a_yes_to_something_else_is_none_to_a_recording() {
    let mut call = Script::consent_asked();
    call.voices("Do you hear me?", 2);
    call.drained();
    let outputs = call.hears("Yes.", 2);
    assert_eq!((step(&outputs), records(&outputs)), (None, false));
}

#[test]
fn whoever_comes_after_a_hold_is_asked_too() {
    let mut call = Script::consent_asked();
    assert!(records(&call.hears("Yes.", 1)));
    call.asks("wait_on_hold", "t1", 2);
    let outputs = call.take(Input::Phone(Phone::Noticed(crate::listener::Noticed::Speech)));
    let stops = |output: &Output| matches!(output, Output::Media(Media::Record(false)));
    assert!(outputs.iter().any(stops), "{outputs:?}");
}
