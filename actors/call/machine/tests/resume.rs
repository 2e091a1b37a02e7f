//! A call that goes on after the server that had it was lost.

use super::*;
use crate::briefing::Before;

fn resumed(answered: bool) -> Script {
    let now = crate::clock::now();
    let before = Before {
        facts: 7,
        conversation: vec![Entry::Caller("Hello?".into()), Entry::Agent("Good day.".into())],
        answered,
        talked: SECOND * 9,
        silent: SECOND * 3,
        handing_over: false,
    };
    let briefing = Briefing { before: Some(before), ..briefing(Direction::Outbound) };
    Script { machine: Machine::new(briefing, now).resumed(), now }
}

#[test]
fn nobody_is_rung_and_the_conversation_goes_on_behind_what_is_written() {
    let mut call = resumed(true);
    let begun = call.take(Input::Begin);
    assert!(!shows(&begun, "Place"), "{begun:?}");
    assert!(matches!(&begun[0], Output::Note(8, Fact::Lost { part: "server", .. })), "{begun:?}");
    let named = call.take(Input::Placed(CarrierCallId("x".into())));
    assert!(!shows(&named, "CarrierNamed"), "that is written already");
    let ready = call.take(Input::Link(Link::Ready));
    let replayed = ready.iter().find_map(|output| match output {
        Output::Link(ToLink::Replay(entries)) => Some(entries.len()),
        _ => None,
    });
    assert_eq!(replayed, Some(2), "{ready:?}");
    call.take(Input::Link(Link::Up));
    let started = call.take(Input::Phone(Phone::Started));
    assert!(!shows(&started, "Lifecycle"), "it was answered before: {started:?}");
    assert!(shows(&started, "Repaired") && shows(&started, "3000"), "{started:?}");
    assert!(shows(&started, "Respond"), "it says sorry at once: {started:?}");
    call.now += SECOND;
    let over = call.take(Input::Ended(Outcome::Answered, "completed".into()));
    assert!(shows(&over, "talk_ms: 10000"), "{over:?}");
}

#[test]
fn a_hand_over_that_went_with_the_server_has_failed() {
    let mut call = resumed(true);
    call.machine.briefing.before.as_mut().unwrap().handing_over = true;
    let begun = call.take(Input::Begin);
    assert!(shows(&begun, r#"HandOver { step: "failed" }"#), "{begun:?}");
    call.take(Input::Link(Link::Ready));
    call.take(Input::Phone(Phone::Started));
    let asked = call.asks("transfer", "t", 2);
    assert!(shows(&asked, "Invite("), "another one may come: {asked:?}");
}

#[test]
fn media_that_does_not_come_is_not_waited_for() {
    let mut call = resumed(true);
    call.take(Input::Begin);
    let ended = call.wait(SECOND * 31);
    assert!(shows(&ended, "HangUp") && shows(&ended, "node_lost"), "{ended:?}");
    assert!(shows(&ended, "talk_ms: 9000"), "{ended:?}");
}

#[test]
fn an_order_to_hang_up_ends_a_call_that_was_answered() {
    let mut call = resumed(true);
    call.take(Input::Begin);
    assert!(shows(&call.take(Input::Order(Order::HangUp)), "outcome: Answered"));
}

#[test]
fn one_that_nobody_had_answered_is_answered_now() {
    let mut call = resumed(false);
    call.take(Input::Begin);
    assert!(shows(&call.take(Input::Phone(Phone::Started)), "Lifecycle(Answered)"));
}

/// The tag of the apology, when it is asked for.
fn apology(outputs: &[Output]) -> Option<u64> {
    outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Respond { tag, instructions: Some(text) })) => {
            text.as_str().ends_with("greet").then_some(*tag)
        }
        _ => None,
    })
}

#[test]
fn whoever_speaks_before_the_apology_sounds_gets_it_all_the_same() {
    let mut call = resumed(true);
    call.take(Input::Begin);
    call.take(Input::Link(Link::Ready));
    call.take(Input::Phone(Phone::Started));
    let tag = apology(&call.take(Input::Link(Link::Up)));
    assert!(tag.is_some(), "it is asked for at once");
    let response = ResponseId("sorry".into());
    call.said(Event::Responding { response: response.clone(), tag }, 1);
    let mut since = call.said(Event::CallerStarted(ItemId("u".into())), 1);
    let ending = Ending::Cancelled;
    since.extend(call.said(Event::Responded { response, ending, usage: None }, 1));
    since.extend(call.said(Event::CallerStopped(ItemId("u".into())), 1));
    // The model answers what they said by itself.
    since.extend(call.respond("answer", 2));
    since.extend(call.drained());
    let told = apology(&since);
    assert!(told.is_some(), "they are told why it was silent: {since:?}");
    call.said(Event::Responding { response: ResponseId("again".into()), tag: told }, 3);
    call.take(Input::Phone(Phone::Began(Source::Item(ItemId("i".into())), call.now)));
    call.said(Event::CallerStarted(ItemId("v".into())), 3);
    call.said(Event::CallerStopped(ItemId("v".into())), 3);
    assert_eq!(apology(&call.respond("another", 4)), None, "once");
}
