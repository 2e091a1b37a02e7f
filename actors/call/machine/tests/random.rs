//! Whatever happens, in whatever order, the invariants of a call hold.

use proptest::prelude::*;

use super::*;
use crate::call::event::Denial;
use crate::carrier::{Answerer, CarrierError};
use crate::listener::Noticed;
use crate::usage::Usage;

fn any_id() -> impl Strategy<Value = ToolCallId> {
    (0_u8..4).prop_map(|n| ToolCallId(n.to_string()))
}

fn any_item() -> impl Strategy<Value = ItemId> {
    (0_u8..3).prop_map(|n| ItemId(n.to_string()))
}

/// Everything a model says that is not audio.
fn any_said() -> impl Strategy<Value = Event> {
    let (id, item) = (any_id, any_item);
    let response = || (0_u8..3).prop_map(|n| ResponseId(n.to_string()));
    prop_oneof![
        item().prop_map(Event::CallerStarted),
        item().prop_map(Event::CallerStopped),
        item().prop_map(Event::CallerCommitted),
        item().prop_map(|item| Event::CallerSaid(item, "yes".into())),
        response().prop_map(|response| Event::Responding { response, tag: None }),
        (response(), item()).prop_map(|(response, item)| Event::Said {
            response,
            item,
            words: "w ".into()
        }),
        (response(), id(), 0_usize..11).prop_map(|(response, id, n)| Event::Asked {
            response,
            id,
            name: [
                "look",
                "wipe",
                "hang_up",
                "?",
                "report",
                "report",
                "report",
                "press_keys",
                "wait_on_hold",
                "transfer",
                "take",
            ][n]
                .into(),
            arguments: ["{}", "{}", "{}", "{}", "human", "voicemail", "menu", "1,2", "", "", "pin"]
                [n]
                .into(),
        }),
        (response(), 0_usize..5).prop_map(|(response, n)| Event::Responded {
            response,
            ending: [
                Ending::Completed,
                Ending::Cancelled,
                Ending::Failed(Loss::Passing("p".into())),
                Ending::Failed(Loss::Final("f".into())),
                Ending::Failed(Loss::RateLimited(SECOND)),
            ][n]
                .clone(),
            usage: Usage::told_by(|_| (n > 2).then_some(u64::MAX)).map(Box::new),
        }),
        Just(()).prop_map(|()| Event::Refused(Refusal::ResponseActive(None))),
        Just(()).prop_map(|()| Event::Fatal(Loss::Passing("p".into()))),
        Just(()).prop_map(|()| Event::Fatal(Loss::RateLimited(SECOND))),
        Just(()).prop_map(|()| Event::Exhausted(SECOND)),
    ]
}

/// Every input there is, with small choices, so that every phase meets every input.
fn any_input() -> impl Strategy<Value = Input> {
    let (id, item) = (any_id, any_item);
    let done = || Done { verdict: Verdict::Success, output: "{}".into() };
    let read = Readback { question: "?".into(), subject: "".into(), fingerprint: "f".into() };
    prop_oneof![
        1 => Just(()).prop_map(|()| Input::Dialed),
        1 => Just(()).prop_map(|()| Input::Unanswered),
        1 => Just(()).prop_map(|()| Input::Placed(CarrierCallId("x".into()))),
        3 => Just(()).prop_map(|()| Input::Phone(Phone::Started)),
        2 => Just(()).prop_map(|()| Input::Phone(Phone::Pressed(Digit::new('5').expect("a key")))),
        6 => item().prop_map(|item| {
            Input::Phone(Phone::Began(Source::Item(item), crate::clock::now()))
        }),
        6 => Just(()).prop_map(|()| Input::Phone(Phone::Drained(Spoken::default()))),
        2 => item().prop_map(|item| {
            let cut = Some(Cut { item, heard_ms: 5, received_ms: 10 });
            Input::Phone(Phone::Flushed(Flushed { cut, ..Flushed::default() }))
        }),
        1 => Just(()).prop_map(|()| Input::Phone(Phone::Gone(Broken::Stuck))),
        2 => Just(()).prop_map(|()| Input::Link(Link::Ready)),
        4 => Just(()).prop_map(|()| Input::Link(Link::Up)),
        2 => Just(()).prop_map(|()| {
            Input::Link(Link::Down("d".into(), Unfinished::Nothing))
        }),
        30 => (any_said(), 0_u64..6)
            .prop_map(|(event, n)| Input::Link(Link::Said(event, n, crate::clock::now()))),
        3 => id().prop_map(move |id| Input::ReadBack(id, Some(Ok(read.clone())))),
        3 => id().prop_map(move |id| Input::Ran(id, done())),
        2 => (id(), 0_u64..4).prop_map(|(id, n)| Input::Judged(n, Ruling::Granted(id))),
        2 => (id(), 0_u64..4, 0_usize..4).prop_map(|(id, n, denial)| {
            let denials =
                [Denial::Unanswered, Denial::Unclear, Denial::Declined, Denial::TooLate];
            Input::Judged(n, Ruling::Refused(id, denials[denial]))
        }),
        2 => (0_u64..4).prop_map(|n| {
            Input::Judged(n, Ruling::Means(Answer::Yes, Means::Voice))
        }),
        1 => (0_u64..4).prop_map(|n| Input::Judged(n, Ruling::WrongPin)),
        1 => (0_u64..4).prop_map(|n| Input::Judged(n, Ruling::Expired)),
        1 => (0_usize..4).prop_map(|n| Input::PartBack(Part::ALL[n])),
        1 => (0_usize..4).prop_map(|n| Input::PartGone(Part::ALL[n])),
        1 => Just(()).prop_map(|()| Input::FarewellSaid),
        3 => (0_usize..5).prop_map(|n| Input::Detected([
            Answerer::Human,
            Answerer::Machine,
            Answerer::Recording,
            Answerer::Fax,
            Answerer::Unknown,
        ][n])),
        1 => Just(()).prop_map(|()| Input::Phone(Phone::Noticed(Noticed::Tone))),
        2 => Just(()).prop_map(|()| Input::Phone(Phone::Noticed(Noticed::Speech))),
        1 => Just(()).prop_map(|()| {
            Input::Unpressed(vec![], CarrierError::NotOffered("press keys"))
        }),
        2 => Just(()).prop_map(|()| Input::Joined(Ok(()))),
        1 => Just(()).prop_map(|()| Input::Joined(Err("busy".into()))),
        2 => (0_usize..3).prop_map(|n| Input::Uninvited([
            CarrierError::NotOffered("ring into a call"),
            CarrierError::Refused(Outcome::Busy),
            CarrierError::Unknown("u".into()),
        ][n].clone())),
        1 => Just(()).prop_map(|()| Input::Transferred(Ok(()))),
        2 => Just(()).prop_map(|()| Input::Transferred(Err("busy".into()))),
        1 => Just(()).prop_map(|()| {
            Input::Ended(Outcome::Answered, "remote_hung_up".into())
        }),
        1 => Just(()).prop_map(|()| Input::CallBack),
        1 => Just(()).prop_map(|()| Input::Order(Order::Drain)),
        4 => Just(()).prop_map(|()| Input::Timeout),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_invariants_hold(
        outbound: bool,
        inputs in proptest::collection::vec((any_input(), 0_u64..3_000), 1..120),
    ) {
        let direction = if outbound { Direction::Outbound } else { Direction::Inbound };
        let mut call = Script::new(direction);
        let begun = if outbound { 0 } else { 1 };
        let (mut facts, mut runs, mut answers, mut ends) = (begun, Vec::new(), Vec::new(), 0);
        for (input, wait) in inputs {
            call.now += Duration::from_millis(wait);
            let was_over = call.machine.lifecycle() == Lifecycle::Finalized;
            let is_named = matches!(input, Input::Placed(_));
            let outputs = call.take(input);
            let machine = &call.machine;
            let orphaned = machine.question.is_none() && !machine.claims.is_empty();
            prop_assert!(!orphaned, "claims that nothing will settle: {outputs:?}");
            // One that ended before it had a name can be hung up only when it has one.
            let is_late = is_named && matches!(outputs[..], [Output::HangUp]);
            let is_still = !was_over || outputs.is_empty() || is_late;
            prop_assert!(is_still, "speaks after it is over: {outputs:?}");
            for output in outputs {
                match output {
                    Output::Note(sequence, fact) => {
                        facts += 1;
                        prop_assert_eq!(sequence, facts, "{:?}", fact);
                    }
                    // Handed over again after a restart; ToolRunner knows its key.
                    Output::Run(job) if !runs.contains(&job.id) => runs.push(job.id),
                    Output::Link(ToLink::Tell(Command::Remember(Entry::Answered {
                        id, ..
                    }))) => {
                        prop_assert!(!answers.contains(&id), "answered twice");
                        answers.push(id);
                    }
                    Output::End => ends += 1,
                    _ => {}
                }
            }
        }
        // Left alone, every call comes to its end.
        for _ in 0..200 {
            let Some(next) = call.machine.deadline() else { break };
            call.now = next.max(call.now);
            ends += call.take(Input::Timeout).iter().filter(|o| matches!(o, Output::End)).count();
            call.now += Duration::from_millis(1);
        }
        prop_assert!(ends <= 1, "ended {ends} times");
        let lifecycle = call.machine.lifecycle();
        prop_assert!(call.machine.deadline().is_none() || lifecycle != Lifecycle::Finalized);
    }
}
