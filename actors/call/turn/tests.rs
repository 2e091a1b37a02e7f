//! The response gate, step by step.

use super::*;

fn response(name: &str) -> ResponseId {
    ResponseId(name.to_owned())
}

#[test]
fn one_request_at_a_time_and_a_refused_one_is_asked_again_once() {
    let now = crate::clock::now();
    let mut turn = Turn::default();
    turn.owe(Owed::Answer);
    let first = turn.next(now).expect("free");
    turn.owe(Owed::Answer);
    assert_eq!(turn.next(now), None, "one is open");
    turn.refused(Some(first.tag), now);
    assert_eq!(turn.next(now), None, "another response runs");
    turn.responded(&response("theirs"));
    assert!(turn.next(now).is_some());
    assert_eq!(turn.next(now), None);
}

#[test]
fn the_models_own_answer_settles_what_is_owed() {
    let now = crate::clock::now();
    let mut turn = Turn::default();
    turn.caller_started();
    turn.owe(Owed::Answer);
    assert_eq!(turn.next(now), None, "the caller speaks");
    turn.caller_stopped(now);
    assert_eq!(turn.next(now), None, "the model will begin by itself");
    turn.responding(response("own"), None, now);
    turn.responded(&response("own"));
    assert_eq!(turn.next(now), None);
}

#[test]
fn a_request_refused_for_now_is_asked_again_when_its_time_has_come() {
    let now = crate::clock::now();
    let mut turn = Turn::default();
    turn.owe(Owed::Guided("greet".into()));
    turn.next(now).expect("free");
    turn.postponed();
    turn.hold_back(now + Duration::from_secs(3));
    turn.hold_back(now + Duration::from_secs(1));
    assert_eq!(turn.next(now + Duration::from_secs(2)), None, "the longer wait counts");
    assert_eq!(turn.deadline(), Some(now + Duration::from_secs(3)));
    turn.caller_started();
    turn.pass(now + Duration::from_secs(3));
    assert_eq!(turn.deadline(), None, "a deadline that has passed is none");
    turn.lost();
    let again = turn.next(now + Duration::from_secs(3)).expect("owed still");
    assert_eq!(again.instructions, Some("greet".into()));
}

#[test]
fn a_model_that_does_not_begin_is_asked_and_one_that_stalls_is_noticed() {
    let now = crate::clock::now();
    let mut turn = Turn::default();
    turn.caller_started();
    turn.caller_stopped(now);
    let later = turn.deadline().expect("waits for the model");
    assert!(turn.next(later).is_some());
    let end = turn.deadline().expect("waits for the response");
    assert!(!turn.stalled(end - Duration::from_millis(1)));
    assert!(turn.stalled(end));
}

#[test]
fn a_response_beside_the_conversation_settles_nothing() {
    let now = crate::clock::now();
    let mut turn = Turn::default();
    let tag = turn.aside(now).expect("free");
    assert_eq!(turn.aside(now), None, "one at a time");
    turn.owe(Owed::Answer);
    turn.responding(response("aside"), Some(tag), now);
    assert_eq!(turn.next(now), None, "it is being said");
    turn.responded(&response("aside"));
    assert!(turn.next(now).is_some(), "the answer is owed still");
}
