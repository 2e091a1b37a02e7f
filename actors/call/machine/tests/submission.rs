//! An order to ring whose answer never came.

use super::*;

fn ringing() -> Script {
    let mut call = Script::new(Direction::Outbound);
    call.take(Input::Dialed);
    call
}

fn ended(outputs: &[Output]) -> Option<(Outcome, &str)> {
    outputs.iter().find_map(|output| match output {
        Output::Note(_, Fact::Finalized { outcome, reason, .. }) => Some((*outcome, &**reason)),
        _ => None,
    })
}

#[test]
fn nobody_says_that_nobody_came_when_it_is_not_known_whether_it_rang() {
    let mut call = ringing();
    assert!(shows(&call.take(Input::Unanswered), "SubmissionUnknown"));
    assert!(!shows(&call.take(Input::Unanswered), "SubmissionUnknown"), "told once");
    assert_eq!(ended(&call.wait(SECOND * 31)), Some((Outcome::Failed, "submission_unknown")));
    let late = call.take(Input::Placed(CarrierCallId("x".into())));
    assert!(shows(&late, "HangUp"), "it does ring, and is hung up");
}

#[test]
fn the_carriers_first_word_settles_it() {
    let mut call = ringing();
    call.take(Input::Unanswered);
    assert!(shows(&call.take(Input::Placed(CarrierCallId("x".into()))), "CarrierNamed"));
    assert_eq!(ended(&call.wait(SECOND * 31)), Some((Outcome::NoAnswer, "rang_out")));
    let mut call = ringing();
    call.take(Input::Unanswered);
    let busy = call.take(Input::Ended(Outcome::Busy, "486".into()));
    assert_eq!(ended(&busy), Some((Outcome::Busy, "486")));
}

#[test]
fn what_was_answered_meanwhile_is_not_in_doubt() {
    let mut call = ringing();
    call.take(Input::Placed(CarrierCallId("x".into())));
    assert!(!shows(&call.take(Input::Unanswered), "SubmissionUnknown"));
    let mut call = ringing();
    call.take(Input::Phone(Phone::Started));
    assert!(!shows(&call.take(Input::Unanswered), "SubmissionUnknown"));
}
