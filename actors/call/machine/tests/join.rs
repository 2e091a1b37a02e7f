//! A human is rung into the call, introduced, and left with the caller.

use super::transfer::{closed, hangs_up, over};
use super::*;
use crate::carrier::CarrierError;

fn leaves(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Leave))
}

/// The tag by which the introduction is asked for.
fn introduction(outputs: &[Output]) -> Option<u64> {
    asked_with(outputs, "The colleague is in the call now")
}

/// The tag of a response that is asked for with these words among its instructions.
fn asked_with(outputs: &[Output], words: &str) -> Option<u64> {
    outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Respond { tag, instructions: Some(text) })) => {
            text.as_str().contains(words).then_some(*tag)
        }
        _ => None,
    })
}

impl Script {
    /// The human is being rung, and the caller has been told so.
    fn inviting() -> Self {
        let mut call = Self::talking();
        let outputs = call.asks("transfer", "t", 2);
        assert!(shows(&outputs, "Invite(Number(…))") && !shows(&outputs, "Transfer("));
        call.respond("connecting you", 3);
        call.drained();
        call
    }

    /// The introduction begins, and is on its way to the ears.
    fn introduces(&mut self, tag: u64, generation: Generation) -> Vec<Output> {
        let (response, item) = (ResponseId("intro".into()), ItemId("intro".into()));
        let begun = Event::Responding { response: response.clone(), tag: Some(tag) };
        let mut outputs = self.said(begun, generation);
        let words = "Here is your caller.".into();
        let said = Event::Said { response: response.clone(), item: item.clone(), words };
        outputs.extend(self.said(said, generation));
        outputs.extend(self.take(Input::Phone(Phone::Began(Source::Item(item), self.now))));
        let ending = Ending::Completed;
        outputs.extend(self.said(Event::Responded { response, ending, usage: None }, generation));
        outputs
    }
}

fn joined() -> Input {
    Input::Joined(Ok(()))
}

#[test]
fn a_human_is_introduced_and_left_with_the_caller() {
    let mut call = Script::inviting();
    let outputs = call.take(joined());
    assert!(shows(&outputs, r#"step: "joined""#) && !leaves(&outputs), "{outputs:?}");
    let outputs = call.introduces(introduction(&outputs).expect("asked for"), 4);
    assert!(!leaves(&outputs), "before it is heard");
    let outputs = call.drained();
    assert!(leaves(&outputs) && shows(&outputs, r#"step: "done""#), "{outputs:?}");
    assert_eq!(over(&outputs), Some((Outcome::Answered, "transferred")));
    assert!(!hangs_up(&outputs), "it would end the call of those two");
}

#[test]
fn a_human_who_does_not_come_leaves_the_caller_with_us_who_hears_why() {
    for (word, told) in [
        (Input::Joined(Err("no_answer".into())), "did not pick up"),
        (Input::Joined(Err("declined".into())), "cannot take the call"),
        (Input::Uninvited(CarrierError::Refused(Outcome::Busy)), "on another call"),
    ] {
        let mut call = Script::inviting();
        let outputs = call.take(word);
        assert!(shows(&outputs, r#"step: "failed""#), "{outputs:?}");
        assert!(asked_with(&outputs, told).is_some(), "{told}: {outputs:?}");
        call.respond("sorry", 4);
        call.drained();
        assert!(shows(&call.asks("transfer", "again", 5), "Invite("), "it may be tried again");
    }
}

#[test]
fn an_order_that_may_have_been_taken_is_waited_for() {
    let unknown = || Input::Uninvited(CarrierError::Unknown("timeout".into()));
    let mut call = Script::inviting();
    assert!(call.take(unknown()).is_empty());
    assert!(introduction(&call.take(joined())).is_some());
    let mut never = Script::inviting();
    never.take(unknown());
    assert!(shows(&never.wait(SECOND * 76), r#"step: "failed""#));
    let outputs = never.take(joined());
    assert!(shows(&outputs, r#"step: "joined""#), "late, but there: {outputs:?}");
}

#[test]
fn nobody_is_rung_on_for_a_caller_who_has_gone() {
    let mut call = Script::inviting();
    let outputs = call.take(closed());
    assert!(hangs_up(&outputs), "{outputs:?}");
    assert_eq!(over(&outputs), Some((Outcome::Answered, "remote_hung_up")));
    let mut call = Script::inviting();
    let outputs = call.take(Input::Ended(Outcome::Answered, "remote_hung_up".into()));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "caller_hung_up")));
}

#[test]
fn who_speaks_into_the_introduction_is_answered_before_we_leave() {
    let mut call = Script::inviting();
    let outputs = call.take(joined());
    call.introduces(introduction(&outputs).expect("asked for"), 4);
    call.said(Event::CallerStarted(ItemId("u".into())), 4);
    assert!(!leaves(&call.take(Input::Phone(Phone::Flushed(Flushed::default())))));
    call.said(Event::CallerStopped(ItemId("u".into())), 4);
    assert!(!leaves(&call.respond("yes, it is for you", 5)));
    assert!(leaves(&call.drained()));
}

#[test]
fn an_answer_to_something_else_is_no_introduction() {
    let mut call = Script::inviting();
    call.said(Event::CallerStarted(ItemId("u".into())), 3);
    call.said(Event::CallerStopped(ItemId("u".into())), 3);
    assert_eq!(introduction(&call.take(joined())), None, "an answer comes first");
    let outputs = call.respond("good morning", 4);
    let tag = introduction(&outputs).expect("asked for after it");
    assert!(!leaves(&call.drained()));
    call.introduces(tag, 5);
    assert!(leaves(&call.drained()));
}

#[test]
fn a_model_that_introduces_the_caller_by_itself_is_not_asked_again() {
    let mut call = Script::inviting();
    call.said(Event::CallerStarted(ItemId("hello".into())), 3);
    assert_eq!(introduction(&call.take(joined())), None, "somebody speaks");
    call.said(Event::CallerStopped(ItemId("hello".into())), 3);
    let outputs = call.respond("this is your caller", 4);
    assert_eq!(introduction(&outputs), None);
    assert!(leaves(&call.drained()));
}

#[test]
fn those_who_talk_already_are_left_without_an_introduction() {
    let mut call = Script::inviting();
    call.said(Event::CallerStarted(ItemId("u".into())), 3);
    call.take(joined());
    assert!(!leaves(&call.wait(SECOND * 19)));
    assert!(leaves(&call.wait(SECOND * 2)));
}

#[test]
fn a_model_that_is_lost_while_the_phone_rings_is_not_waited_for() {
    let lost = || Input::Link(Link::GaveUp("down".into()));
    let mut call = Script::inviting();
    let outputs = call.take(lost());
    assert!(shows(&outputs, "Play(HandOver)") && !shows(&outputs, "Transfer("), "{outputs:?}");
    let outputs = call.take(joined());
    assert!(leaves(&outputs) && !hangs_up(&outputs));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "handed_over_model_down")));
    let mut call = Script::inviting();
    call.take(lost());
    assert!(shows(&call.take(Input::Joined(Err("busy".into()))), "Play(Apology)"));
    let mut call = Script::inviting();
    call.take(lost());
    assert!(shows(&call.wait(SECOND * 76), "Play(Apology)"), "nor is the carrier's word");
}

#[test]
fn a_carrier_that_cannot_ring_into_a_call_hands_over_in_need_too() {
    let mut call = Script::inviting();
    call.take(Input::Link(Link::GaveUp("down".into())));
    let not_offered = CarrierError::NotOffered("ring into a call");
    assert!(shows(&call.take(Input::Uninvited(not_offered)), "Transfer("));
    let outputs = call.take(Input::Transferred(Ok(())));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "handed_over_model_down")));
    assert!(!leaves(&outputs));
}

#[test]
fn parts_that_cannot_live_leave_the_caller_with_the_human_who_is_rung() {
    let mut call = Script::inviting();
    assert!(shows(&call.take(Input::PartGone(Part::ToolRunner)), "Farewell(HandOver)"));
    assert!(!shows(&call.take(Input::FarewellSaid), "Transfer("), "it is under way");
    let outputs = call.take(joined());
    assert!(leaves(&outputs));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "handed_over_model_down")));
}

#[test]
fn once_the_human_is_there_whatever_ends_our_part_leaves_the_two_alone() {
    for end in [
        Input::Link(Link::GaveUp("down".into())),
        Input::PartGone(Part::MediaIn),
        Input::Order(Order::Drain),
        closed(),
    ] {
        let mut call = Script::inviting();
        call.take(joined());
        let what = format!("{end:?}");
        let outputs = call.take(end);
        assert!(leaves(&outputs) && !hangs_up(&outputs), "{what}: {outputs:?}");
        assert_eq!(over(&outputs), Some((Outcome::Answered, "transferred")), "{what}");
    }
}
