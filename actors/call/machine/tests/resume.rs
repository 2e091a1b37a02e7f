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
