//! Several claims on one question: each is answered, and one at most is granted.

use super::*;

/// Three calls of the same tool in one breath.
fn three(call: &mut Script, generation: Generation) -> Vec<Output> {
    let mut outputs = Vec::new();
    for n in 0..3 {
        let id = ToolCallId(format!("t{generation}-{n}"));
        outputs.extend(call.asks("wipe", &id.0, generation));
        let readback = Readback {
            question: "Shall I wipe it?".into(),
            subject: "it".into(),
            fingerprint: "wipe it".into(),
        };
        outputs.extend(call.take(Input::ReadBack(id, Some(Ok(readback)))));
    }
    call.rule(&mut outputs);
    outputs
}

fn told(outputs: &[Output]) -> usize {
    let is_answer = |output: &&Output| match output {
        Output::Link(ToLink::Tell(Command::Remember(entry))) => {
            matches!(entry, Entry::Answered { .. })
        }
        _ => false,
    };
    outputs.iter().filter(is_answer).count()
}

#[test]
fn of_three_claims_in_one_breath_one_is_granted_and_the_others_are_told() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    call.says("Shall I wipe it?", 3);
    call.answers("Yes.", 3);
    let outputs = three(&mut call, 4);
    assert_eq!((runs(&outputs), told(&outputs)), (1, 2), "{outputs:?}");
    assert!(call.machine.question.is_none() && call.machine.claims.is_empty());
}

#[test]
fn who_is_refused_for_good_is_not_left_waiting_in_company() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    for generation in 3..6 {
        call.answers("Go on.", generation);
        let outputs = three(&mut call, generation);
        assert_eq!((runs(&outputs), told(&outputs)), (0, 3), "{outputs:?}");
        assert!(call.machine.claims.is_empty(), "{outputs:?}");
    }
}
