//! That it is known to be an AI before anything is done, with models that would not have it so.

use super::*;
use crate::listener::Noticed;

const ORDER: &str = "has to know that you are an AI";

impl Script {
    /// Answered, in English, with a greeting that says nothing of an AI.
    fn undisclosed(direction: Direction) -> Self {
        let now = crate::clock::now();
        let language = Some("en".to_owned());
        let briefing = Briefing { discloses: true, language, ..briefing(direction) };
        let mut script = Self { machine: Machine::new(briefing, now), now };
        script.take(Input::Begin);
        script.take(Input::Link(Link::Ready));
        script.take(Input::Link(Link::Up));
        script.take(Input::Phone(Phone::Started));
        script.voices("Hello, what can I do for you?", 1);
        script.drained();
        script
    }

    /// A response of these words, all of them on their way to the ear.
    pub(super) fn voices(&mut self, words: &str, generation: Generation) -> Vec<Output> {
        let name = format!("said-{generation}");
        let (response, item) = (ResponseId(name.clone()), ItemId(name));
        let begun = Event::Responding { response: response.clone(), tag: None };
        let mut outputs = self.said(begun, generation);
        let said =
            Event::Said { response: response.clone(), item: item.clone(), words: words.into() };
        outputs.extend(self.said(said, generation));
        outputs.extend(self.take(Input::Phone(Phone::Began(Source::Item(item), self.now))));
        let ending = Ending::Completed;
        outputs.extend(self.said(Event::Responded { response, ending, usage: None }, generation));
        outputs
    }
}

/// The instructions of the response that is asked for.
fn order(outputs: &[Output]) -> Option<&str> {
    outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Respond { instructions, .. })) => {
            instructions.as_ref().map(Text::as_str)
        }
        _ => None,
    })
}

fn heard(outputs: &[Output]) -> bool {
    shows(outputs, "DisclosureHeard")
}

#[test]
fn a_model_that_skips_it_is_asked_for_it_and_does_nothing_before() {
    let mut call = Script::undisclosed(Direction::Inbound);
    for (generation, tool) in [(2, "look"), (3, "wipe"), (4, "transfer"), (5, "take")] {
        let outputs = call.asks(tool, tool, generation);
        assert!(shows(&outputs, "Answered"), "{tool} is answered: {outputs:?}");
        assert!(order(&outputs).is_some_and(|order| order.contains(ORDER)), "{outputs:?}");
        for effect in ["Run(", "ReadBack(", "Invite", "Privately"] {
            assert!(!shows(&outputs, effect), "{tool}: {outputs:?}");
        }
    }
    call.voices("I am Ada, and glad to help.", 6);
    assert!(!heard(&call.drained()));
    assert!(order(&call.asks("look", "again", 7)).is_some());
    call.voices("This is an AI assistant.", 8);
    let outputs = call.drained();
    assert!(heard(&outputs) && order(&outputs).is_none(), "{outputs:?}");
    assert!(shows(&outputs, "Respond"), "it goes on: {outputs:?}");
    assert!(shows(&call.asks("look", "at last", 9), "Run("));
}

#[test]
fn the_event_names_the_turn_that_says_it() {
    let mut call = Script::undisclosed(Direction::Inbound);
    call.voices("This is an AI assistant.", 2);
    let outputs = call.drained();
    let turn = outputs.iter().find_map(|output| match output {
        Output::Note(number, Fact::Turn(turn)) if turn.text.as_str().contains("AI") => {
            Some(*number)
        }
        _ => None,
    });
    let told = outputs.iter().find_map(|output| match output {
        Output::Note(_, Fact::DisclosureHeard { turn }) => Some(*turn),
        _ => None,
    });
    assert!(turn.is_some() && turn == told, "{outputs:?}");
    call.voices("As I said, I am an AI assistant.", 3);
    assert!(!heard(&call.drained()), "once");
}

#[test]
fn what_is_cut_off_or_denied_or_asked_is_not_heard() {
    let mut call = Script::undisclosed(Direction::Inbound);
    call.voices("I am not an AI.", 2);
    assert!(!heard(&call.drained()));
    call.voices("Would you like to speak to an AI assistant?", 3);
    assert!(!heard(&call.drained()));
    call.voices("This is an AI assistant who is at your service.", 4);
    call.said(Event::CallerStarted(ItemId("u".into())), 4);
    let item = ItemId("said-4".into());
    let cut = Some(Cut { item, heard_ms: 1_900, received_ms: 2_000 });
    let outputs = call.take(Input::Phone(Phone::Flushed(Flushed { cut, ..Flushed::default() })));
    assert!(!heard(&outputs), "{outputs:?}");
    assert!(!shows(&call.asks("look", "t", 5), "Run("));
}

#[test]
fn a_tool_asked_for_while_it_is_being_said_waits_and_is_not_asked_for_again() {
    let mut call = Script::undisclosed(Direction::Inbound);
    call.voices("This is an AI assistant.", 2);
    let outputs = call.asks("look", "t", 3);
    assert!(shows(&outputs, "Answered") && order(&outputs).is_none(), "{outputs:?}");
    assert!(!shows(&outputs, "Respond") && !shows(&outputs, "Run("), "{outputs:?}");
    let outputs = call.drained();
    assert!(heard(&outputs) && shows(&outputs, "Respond"), "{outputs:?}");
    assert!(shows(&call.asks("look", "again", 4), "Run("));
}

#[test]
fn the_calls_own_line_is_worked_without_it() {
    let mut call = Script::undisclosed(Direction::Outbound);
    assert!(!shows(&call.asks("wait_on_hold", "t1", 2), "not_disclosed"));
    let mut call = Script::undisclosed(Direction::Outbound);
    call.asks("hang_up", "t1", 2);
    assert!(shows(&call.drained(), "HangUp") || matches!(call.machine.phase, Phase::Over));
}

#[test]
fn whoever_comes_after_a_hold_has_heard_nothing_of_it() {
    let mut call = Script::undisclosed(Direction::Outbound);
    call.voices("This is an AI assistant.", 2);
    assert!(heard(&call.drained()));
    call.asks("wait_on_hold", "t1", 3);
    call.take(Input::Phone(Phone::Noticed(Noticed::Speech)));
    assert!(!shows(&call.asks("look", "t2", 4), "Run("), "somebody else may be there");
    call.voices("Hello again, this is an AI assistant.", 5);
    assert!(heard(&call.drained()));
    assert!(shows(&call.asks("look", "t3", 6), "Run("));
}

#[test]
fn a_message_without_it_is_completed_once() {
    let mut call = Script::undisclosed(Direction::Outbound);
    call.take(Input::Detected(crate::carrier::Answerer::Machine));
    let outputs = call.take(Input::Phone(Phone::Noticed(Noticed::Tone)));
    assert!(shows(&outputs, "Respond"), "{outputs:?}");
    call.voices("Please call Sam back. Goodbye.", 2);
    let outputs = call.drained();
    assert!(order(&outputs).is_some_and(|order| order.contains(ORDER)), "{outputs:?}");
    call.voices("An AI assistant has left this message.", 3);
    let outputs = call.drained();
    assert!(heard(&outputs) && shows(&outputs, "voicemail_left"), "{outputs:?}");
}
