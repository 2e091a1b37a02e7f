//! What is said while a tool takes long.

use super::*;

impl Script {
    /// A tool that has been asked for and runs.
    fn waiting() -> Self {
        let mut call = Self::talking();
        assert!(shows(&call.asks("look", "t", 2), "Run"));
        call
    }

    /// The filler that was asked for last begins to be said.
    fn fills(&mut self, outputs: &[Output], generation: Generation) {
        let tag = outputs.iter().rev().find_map(|output| match output {
            Output::Link(ToLink::Tell(Command::Aside { tag, .. })) => Some(*tag),
            _ => None,
        });
        let response = ResponseId(format!("filler-{generation}"));
        let tag = Some(tag.expect("a filler was asked for"));
        self.said(Event::Responding { response, tag }, generation);
    }

    fn filled(&mut self, generation: Generation) {
        let response = ResponseId(format!("filler-{generation}"));
        let item = ItemId(format!("filler-{generation}"));
        self.take(Input::Phone(Phone::Began(Source::Item(item), self.now)));
        let ending = Ending::Completed;
        self.said(Event::Responded { response, ending, usage: None }, generation);
        self.now += SECOND;
        self.drained();
    }

    fn done(&mut self) -> Vec<Output> {
        let done = Done::success("It is there.");
        self.take(Input::Ran(ToolCallId("t".into()), done))
    }
}

fn fillers(outputs: &[Output]) -> Vec<&Text> {
    let filler = |output| match output {
        &Output::Link(ToLink::Tell(Command::Aside { ref instructions, .. })) => Some(instructions),
        _ => None,
    };
    outputs.iter().filter_map(filler).collect()
}

#[test]
fn a_fast_tool_gets_none_and_a_slow_one_ever_new_words() {
    let mut call = Script::waiting();
    assert!(fillers(&call.wait(SECOND)).is_empty());
    let first = call.wait(SECOND * 2);
    call.fills(&first, 3);
    call.filled(3);
    let second = call.wait(SECOND * 5);
    let (first, again) = (fillers(&first), fillers(&second));
    assert_eq!((first.len(), again.len()), (1, 1));
    assert_ne!(first[0], again[0]);
}

#[test]
fn a_tool_with_words_of_its_own_begins_with_them() {
    let mut call = Script::talking();
    for promise in &mut call.machine.briefing.tools {
        promise.filler = Some("I am asking the kitchen.".into());
    }
    call.asks("look", "t", 2);
    let outputs = call.wait(SECOND * 3);
    assert!(fillers(&outputs)[0].as_str().contains("asking the kitchen"));
}

#[test]
fn it_is_not_said_over_somebody_and_not_over_the_result() {
    let mut call = Script::waiting();
    call.said(Event::CallerStarted(ItemId("u".into())), 2);
    assert!(fillers(&call.wait(SECOND * 3)).is_empty(), "the caller speaks");
    call.said(Event::CallerStopped(ItemId("u".into())), 2);
    call.respond("answer", 3);
    call.drained();
    let asked = call.wait(SECOND * 5);
    call.fills(&asked, 4);
    let outputs = call.done();
    assert!(shows(&outputs, "CancelAside"), "it has not begun to sound: {outputs:?}");
    assert!(!shows(&outputs, "Respond"), "one response at a time");
    let response = ResponseId("filler-4".into());
    let ended = Event::Responded { response, ending: Ending::Cancelled, usage: None };
    assert!(shows(&call.said(ended, 4), "Respond"), "the answer follows");
    assert!(fillers(&call.wait(SECOND * 5)).is_empty(), "nothing is waited for");
}

#[test]
fn a_caller_who_speaks_up_stops_it_and_the_result_is_kept() {
    let mut call = Script::waiting();
    let asked = call.wait(SECOND * 3);
    call.fills(&asked, 3);
    let item = ItemId("filler-3".into());
    call.take(Input::Phone(Phone::Began(Source::Item(item), call.now)));
    let outputs = call.said(Event::CallerStarted(ItemId("u".into())), 3);
    assert!(shows(&outputs, "Flush") && shows(&outputs, "CancelAside"), "{outputs:?}");
    let outputs = call.done();
    assert!(shows(&outputs, "Answered"), "told while the caller speaks");
    assert!(!shows(&outputs, "Respond"), "but not talked over them");
    assert!(call.done().is_empty(), "once");
}

#[test]
fn stored_audio_is_played_once_while_there_is_no_session() {
    let mut call = Script::waiting();
    call.take(Input::Link(Link::Down("cut".into(), Unfinished::Nothing)));
    let outputs = call.wait(SECOND * 10);
    assert!(fillers(&outputs).is_empty());
    let played = outputs.iter().filter(|o| matches!(o, Output::Media(Media::Play(_)))).count();
    assert!(played >= 1, "somebody says that it takes a moment");
}

#[test]
fn a_result_that_comes_late_is_offered_at_the_next_pause() {
    let mut call = Script::waiting();
    let id = ToolCallId("t".into());
    call.take(Input::Ran(id.clone(), Done::fault(Verdict::Unknown, "overdue", "", "")));
    call.respond("overdue", 3);
    call.drained();
    let outputs = call.take(Input::Late(id, Done::success("Seven is free.")));
    assert!(shows(&outputs, "ToolLate") && !shows(&outputs, "Respond"), "{outputs:?}");
    call.said(Event::CallerStarted(ItemId("u".into())), 3);
    assert!(!shows(&call.wait(SECOND * 3), "Announced"), "the caller speaks");
    call.said(Event::CallerStopped(ItemId("u".into())), 3);
    call.respond("other topic", 4);
    call.drained();
    let outputs = call.wait(SECOND * 2);
    assert!(shows(&outputs, "Announced") && shows(&outputs, "Respond"), "{outputs:?}");
}

#[test]
fn a_request_that_shows_no_life_renews_the_session_and_not_again_at_once() {
    let mut call = Script::talking();
    call.take(Input::Order(Order::Say("Hello.".into())));
    let outputs = call.wait(SECOND * 8);
    let renewals = outputs.iter().filter(|o| matches!(o, Output::Link(ToLink::Renew(_)))).count();
    assert_eq!(renewals, 1, "{outputs:?}");
}
