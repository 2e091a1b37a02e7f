//! Hand-overs to a human, asked for or in need.

use super::*;
use crate::carrier::CarrierError;

pub(super) fn over(outputs: &[Output]) -> Option<(Outcome, &str)> {
    outputs.iter().find_map(|output| match output {
        Output::Note(_, Fact::Finalized { outcome, reason, .. }) => {
            Some((*outcome, reason.as_str()))
        }
        _ => None,
    })
}

pub(super) fn hangs_up(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::HangUp))
}

pub(super) fn closed() -> Input {
    let broken = Broken::Closed { code: 1000, reason: String::new() };
    Input::Phone(Phone::Gone(broken))
}

impl Script {
    /// The model asks for a human, and the carrier cannot ring one into the call.
    fn hands_over(&mut self) -> Vec<Output> {
        let mut outputs = self.asks("transfer", "t", 2);
        let error = CarrierError::NotOffered("ring into a call");
        outputs.extend(self.take(Input::Uninvited(error)));
        outputs
    }
}

#[test]
fn a_caller_is_handed_over_and_the_call_is_not_hung_up() {
    let mut call = Script::talking();
    let outputs = call.hands_over();
    assert!(shows(&outputs, "Transfer(Number(…), Text(") && shows(&outputs, r#"step: "asked""#));
    assert!(shows(&outputs, "Respond"), "the caller is told");
    call.respond("connecting you", 3);
    call.drained();
    let outputs = call.take(closed());
    assert!(outputs.is_empty(), "the carrier takes the media away: {outputs:?}");
    assert!(call.wait(SECOND * 30).is_empty(), "nor is that a fault");
    let outputs = call.take(Input::Transferred(Ok(())));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "transferred")));
    assert!(!hangs_up(&outputs), "it would end the call of those two");
}

/// What the human is told, in the order to hand over.
fn introduced(outputs: &[Output]) -> Option<&str> {
    outputs.iter().find_map(|output| match output {
        Output::Transfer(_, introduction) => Some(introduction.as_str()),
        _ => None,
    })
}

#[test]
fn a_human_is_told_the_models_words_and_a_neutral_sentence_without_them() {
    assert_eq!(introduced(&Script::talking().hands_over()), Some(INTRODUCTION));
    let mut call = Script::talking();
    call.take(Input::Link(Link::GaveUp("down".into())));
    let neutral = "The automatic assistant is putting a caller through to you.";
    assert_eq!(
        introduced(&call.take(Input::Phone(Phone::Drained(Spoken::default())))),
        Some(neutral)
    );
}

#[test]
fn a_hand_over_that_fails_gives_the_caller_back() {
    let mut call = Script::talking();
    call.hands_over();
    call.respond("connecting you", 3);
    call.drained();
    let outputs = call.take(Input::Transferred(Err("busy".into())));
    assert!(shows(&outputs, r#"step: "failed""#) && shows(&outputs, "Respond"), "{outputs:?}");
    assert_eq!(over(&call.take(closed())), Some((Outcome::Answered, "remote_hung_up")));
}

#[test]
fn a_caller_who_comes_back_is_told_why() {
    for (why, told) in [
        ("busy", "on another call"),
        ("no_answer", "did not pick up"),
        ("rejected", "cannot take the call"),
        ("declined", "cannot take the call"),
        ("order_refused", "nobody could take over"),
    ] {
        let mut call = Script::talking();
        call.hands_over();
        call.respond("connecting you", 3);
        call.drained();
        let outputs = call.take(Input::Transferred(Err(why.into())));
        let asked = outputs.iter().any(|output| match output {
            Output::Link(ToLink::Tell(Command::Respond { instructions: Some(text), .. })) => {
                text.as_str().contains(told)
            }
            _ => false,
        });
        assert!(asked, "{why}: {outputs:?}");
    }
}

/// Asks for a hand-over and is told these, a second apart.
fn told(inputs: Vec<Input>) -> Vec<Output> {
    let mut call = Script::talking();
    call.hands_over();
    call.respond("connecting you", 3);
    call.drained();
    let mut outputs = Vec::new();
    for input in inputs {
        outputs.extend(call.take(input));
        outputs.extend(call.wait(SECOND));
    }
    outputs
}

fn ended() -> Input {
    Input::Ended(Outcome::Answered, "remote_hung_up".into())
}

#[test]
fn the_end_of_our_part_and_the_word_on_the_hand_over_may_overtake_each_other() {
    let accepted = || Input::Transferred(Ok(()));
    let failed = || Input::Transferred(Err("busy".into()));
    for (inputs, ending) in [
        (vec![accepted(), ended()], "transferred"),
        (vec![ended(), accepted()], "transferred"),
        (vec![closed(), ended(), accepted()], "transferred"),
        (vec![ended(), closed(), accepted()], "transferred"),
        (vec![failed(), ended()], "caller_hung_up"),
        (vec![ended(), failed()], "caller_hung_up"),
        (vec![ended(), ended(), failed()], "caller_hung_up"),
        (vec![ended(), failed(), accepted()], "caller_hung_up"),
    ] {
        let outputs = told(inputs);
        assert_eq!(over(&outputs), Some((Outcome::Answered, ending)), "{outputs:?}");
        assert!(!hangs_up(&outputs), "nobody of ours is left to be hung up: {outputs:?}");
    }
}

#[test]
fn in_need_too_the_order_of_the_two_makes_no_difference() {
    let told = |inputs: [Input; 2]| {
        let mut call = Script::talking();
        call.take(Input::Link(Link::GaveUp("down".into())));
        call.drained();
        let outputs: Vec<_> = inputs.into_iter().flat_map(|input| call.take(input)).collect();
        over(&outputs).map(|(outcome, reason)| (outcome, reason.to_owned()))
    };
    let failed = || Input::Transferred(Err("busy".into()));
    for word in [|| Input::Transferred(Ok(())), failed] {
        let one = told([word(), ended()]);
        assert!(one.is_some());
        assert_eq!(told([ended(), word()]), one);
    }
}

#[test]
fn a_word_on_the_hand_over_that_never_comes_is_not_waited_for() {
    assert_eq!(over(&told(vec![ended()])), None);
    let mut call = Script::talking();
    call.hands_over();
    call.take(ended());
    let outputs = call.wait(SECOND * 11);
    assert_eq!(over(&outputs), Some((Outcome::Answered, "transfer_unconfirmed")));
    assert!(!hangs_up(&outputs));
}

#[test]
fn a_human_who_is_not_reached_in_time_counts_as_failed() {
    let mut call = Script::talking();
    call.hands_over();
    call.respond("connecting you", 3);
    call.drained();
    assert!(shows(&call.wait(SECOND * 76), r#"step: "failed""#));
    let mut gone = Script::talking();
    gone.hands_over();
    gone.take(closed());
    let outputs = gone.wait(SECOND * 76);
    assert_eq!(over(&outputs), Some((Outcome::Answered, "transfer_unconfirmed")));
}

#[test]
fn the_model_cannot_hang_up_on_a_hand_over_nor_ask_for_two() {
    let mut call = Script::talking();
    call.hands_over();
    assert!(!shows(&call.asks("transfer", "t2", 3), "Transfer("));
    assert!(!hangs_up(&call.asks("hang_up", "t3", 4)));
    assert_eq!(call.machine.snapshot().phase, "talking");
}

#[test]
fn without_a_human_nobody_is_handed_over() {
    let now = crate::clock::now();
    let briefing = Briefing { human: None, ..briefing(Direction::Inbound) };
    let mut call = Script { machine: Machine::new(briefing, now), now };
    call.take(Input::Begin);
    call.take(Input::Link(Link::Ready));
    call.take(Input::Link(Link::Up));
    call.take(Input::Phone(Phone::Started));
    let outputs = call.asks("transfer", "t", 1);
    assert!(!shows(&outputs, "Transfer(") && shows(&outputs, "Permanent"), "{outputs:?}");
    let outputs = call.take(Input::Link(Link::GaveUp("down".into())));
    assert!(shows(&outputs, "Apology") && !shows(&outputs, "HandOver"));
}

#[test]
fn a_lost_model_hands_over_after_a_word_of_apology() {
    let mut call = Script::talking();
    let outputs = call.take(Input::Link(Link::GaveUp("down".into())));
    assert!(shows(&outputs, "Play(HandOver)") && !shows(&outputs, "Transfer("), "{outputs:?}");
    assert_eq!(call.machine.snapshot().phase, "handing_over");
    assert_eq!(call.machine.lifecycle(), Lifecycle::Answered);
    call.take(Input::Phone(Phone::Began(Source::Clip, call.now)));
    assert!(shows(&call.drained(), "Transfer("));
    assert!(call.take(closed()).is_empty());
    let outputs = call.take(Input::Transferred(Ok(())));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "handed_over_model_down")));
    assert!(!hangs_up(&outputs));
}

#[test]
fn words_that_are_never_heard_do_not_hold_the_hand_over_up() {
    let mut call = Script::talking();
    call.take(Input::Link(Link::GaveUp("down".into())));
    assert!(shows(&call.wait(SECOND * 11), "Transfer("));
}

#[test]
fn a_hand_over_in_need_that_fails_ends_with_the_apology() {
    let mut call = Script::talking();
    call.take(Input::Link(Link::GaveUp("down".into())));
    call.drained();
    let outputs = call.take(Input::Transferred(Err("busy".into())));
    assert!(shows(&outputs, "Play(Apology)"), "{outputs:?}");
    call.take(Input::Phone(Phone::Began(Source::Clip, call.now)));
    let outputs = call.drained();
    assert_eq!(over(&outputs), Some((Outcome::SystemError, "model_lost")));
    assert!(hangs_up(&outputs));
}

#[test]
fn nobody_is_handed_a_machine() {
    let mut call = Script::talking();
    call.asks("wait_on_hold", "t", 2);
    let outputs = call.take(Input::Link(Link::GaveUp("down".into())));
    assert!(!shows(&outputs, "HandOver"), "{outputs:?}");
}

#[test]
fn parts_that_die_while_the_carrier_hands_over_order_nothing_more() {
    let mut call = Script::talking();
    call.hands_over();
    let outputs = call.take(Input::PartGone(Part::ToolRunner));
    assert!(!shows(&outputs, "Farewell"), "{outputs:?}");
    assert!(!shows(&call.take(Input::FarewellSaid), "Transfer("), "one human is rung already");
    let outputs = call.take(Input::Transferred(Ok(())));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "handed_over_model_down")));
    assert!(!hangs_up(&outputs), "it would end the call of those two");
}

#[test]
fn parts_that_cannot_live_hand_over_too() {
    let mut call = Script::talking();
    let outputs = call.take(Input::PartGone(Part::ToolRunner));
    assert!(shows(&outputs, "Farewell(HandOver)"), "{outputs:?}");
    assert!(shows(&call.take(Input::FarewellSaid), "Transfer("));
    let outputs = call.take(Input::Transferred(Ok(())));
    assert_eq!(over(&outputs), Some((Outcome::Answered, "handed_over_model_down")));
    let mut failing = Script::talking();
    failing.take(Input::PartGone(Part::ToolRunner));
    failing.take(Input::FarewellSaid);
    let outputs = failing.take(Input::Transferred(Err("busy".into())));
    assert_eq!(over(&outputs), Some((Outcome::SystemError, "degraded_tool_runner")));
    assert!(hangs_up(&outputs), "nothing of ours can speak any more");
}
