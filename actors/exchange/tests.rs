//! Calls that lose their parts and go on, in virtual time, with the test at both far ends.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for what it wants")]

use std::time::Duration;

use super::*;
use crate::briefing::Outcome;
use crate::carrier::Event as Heard;
use crate::fake::{FakeTool, Phone, SILENCE, Stage, Voice, frame, nowhere, number};
use crate::model::{self, Command, Ending, Event, ItemId, ResponseId};
use crate::record::Fact;
use crate::tool::{Risk, ToolCallId};

const FRAME: Duration = Duration::from_millis(20);

fn response(name: &str) -> Event {
    Event::Responding { response: ResponseId(name.into()), tag: None }
}

fn speech(name: &str, frame: crate::audio::Payload) -> Event {
    let (response, item) = (ResponseId(name.into()), ItemId(format!("item-{name}")));
    Event::Spoke { response, item, audio: frame }
}

fn asked(response: &str, id: &str, name: &str) -> Event {
    Event::Asked {
        response: ResponseId(response.into()),
        id: ToolCallId(id.into()),
        name: name.into(),
        arguments: "{}".into(),
    }
}

fn responded(name: &str) -> Event {
    Event::Responded { response: ResponseId(name.into()), ending: Ending::Completed, usage: None }
}

/// What the model heard so far.
fn heard(voice: &mut Voice) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Ok(command) = voice.told.try_recv() {
        if let Command::Hear(audio) = command {
            numbers.push(number(&audio));
        }
    }
    numbers.retain(|number| *number != SILENCE);
    numbers
}

/// What the phone was told to play so far.
fn played(phone: &mut Phone) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Ok(command) = phone.told.try_recv() {
        if let carrier::Command::Say(audio) = command {
            numbers.push(number(&audio));
        }
    }
    numbers
}

fn facts(stage: &Stage) -> Vec<Fact> {
    stage.record.notes.lock().unwrap().iter().map(|note| note.fact.clone()).collect()
}

async fn settle() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_taken_stays_open_when_its_call_is_over() {
    let mut stage = Stage::open(vec![]).await;
    let (call, mut phone, _voice) = stage.call("c").await;
    settle().await;
    let mut line = stage.exchange.take_line(&call).await.expect("it has one");
    assert!(!stage.exchange.has_media(&call));
    assert!(stage.exchange.take_line(&call).await.is_none(), "it is gone");
    settle().await;
    assert_eq!(stage.exchange.live(), 0, "nobody is there any more: {:#?}", facts(&stage));
    line.send(carrier::Command::Say(frame(7))).expect("the far end reads");
    assert_eq!(played(&mut phone), [7]);
}

#[tokio::test(start_paused = true)]
async fn every_part_dies_in_every_way_and_no_frame_is_lost() {
    let mut stage = Stage::open(vec![]).await;
    let (call, mut phone, mut voice) = stage.call("c").await;
    settle().await;
    voice.says.send(response("r")).await.unwrap();
    let injuries: Vec<Injury> = Part::ALL
        .into_iter()
        .flat_map(|part| {
            [
                Injury::Part(part, Fault::Panic),
                Injury::Part(part, Fault::Error),
                Injury::Part(part, Fault::Hang),
                Injury::FalseStart(part),
            ]
        })
        .chain([Injury::Call(Fault::Panic)])
        .collect();
    let mut n = 0;
    for injury in injuries {
        for step in 0..300 {
            if step == 100 {
                assert!(stage.exchange.injure(&call, injury));
            }
            phone.says.send(Heard::Heard(frame(n))).await.unwrap();
            voice.says.send(speech("r", frame(n))).await.unwrap();
            n += 1;
            tokio::time::sleep(FRAME).await;
        }
    }
    settle().await;
    let expected: Vec<u64> = (0..n).collect();
    assert_eq!(heard(&mut voice), expected, "towards the model");
    assert_eq!(played(&mut phone), expected, "towards the phone");
    assert!(stage.sessions.try_recv().is_err(), "opened again: {:#?}", facts(&stage));
    let lost = facts(&stage).iter().filter(|fact| matches!(fact, Fact::Lost { .. })).count();
    let back = facts(&stage).iter().filter(|fact| matches!(fact, Fact::Repaired { .. })).count();
    assert!(lost >= 17, "{lost} losses told");
    assert!(back >= 17, "{back} repairs told");
    assert_eq!(stage.exchange.live(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_pump_costs_nothing_but_the_moment() {
    let mut stage = Stage::open(vec![]).await;
    let (call, mut phone, mut voice) = stage.call("c").await;
    settle().await;
    for n in 0..100 {
        if n % 25 == 10 {
            assert!(stage.exchange.injure(&call, Injury::Pump));
        }
        phone.says.send(Heard::Heard(frame(n))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    settle().await;
    assert_eq!(heard(&mut voice), (0..100).collect::<Vec<_>>());
    assert_eq!(played(&mut phone), Vec::<u64>::new());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_dies_again_and_again_ends_the_call_with_an_apology() {
    let mut stage = Stage::open(vec![]).await;
    let (call, mut phone, _voice) = stage.call("c").await;
    settle().await;
    for _ in 0..6 {
        stage.exchange.injure(&call, Injury::Part(Part::ToolRunner, Fault::Panic));
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    stage.exchange.emptied().await;
    let facts = facts(&stage);
    assert_eq!(played(&mut phone), vec![900_002], "the apology; {facts:#?}");
    let last = facts.last().expect("facts were told");
    let Fact::Finalized { outcome: Outcome::SystemError, reason, .. } = last else {
        panic!("{last:?}")
    };
    assert_eq!(reason, "degraded_tool_runner");
}

#[tokio::test(start_paused = true)]
async fn a_call_actor_that_cannot_live_ends_with_an_apology_too() {
    let mut stage = Stage::open(vec![]).await;
    let (call, mut phone, _voice) = stage.call("c").await;
    settle().await;
    for _ in 0..3 {
        stage.exchange.injure(&call, Injury::Call(Fault::Panic));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stage.exchange.emptied().await;
    assert_eq!(played(&mut phone), vec![900_002]);
    let facts = facts(&stage);
    assert!(matches!(facts.last(), Some(Fact::Finalized { outcome: Outcome::SystemError, .. })));
    let sequences: Vec<u64> =
        stage.record.notes.lock().unwrap().iter().map(|note| note.sequence).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>(), "without a gap");
}

#[tokio::test(start_paused = true)]
async fn a_call_actor_that_dies_after_the_end_of_its_call_ends_all_the_same() {
    let mut stage = Stage::open(vec![]).await;
    let (call, _phone, _voice) = stage.call("c").await;
    settle().await;
    stage.exchange.tell(&call, Input::Order(Order::HangUp));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(stage.exchange.injure(&call, Injury::Call(Fault::Panic)));
    let ended = tokio::time::timeout(Duration::from_secs(10), stage.exchange.emptied()).await;
    assert!(ended.is_ok(), "it lives for ever");
}

#[tokio::test(start_paused = true)]
async fn a_cut_model_link_is_replaced_and_told_what_was_heard() {
    let mut stage = Stage::open(vec![]).await;
    let (_call, mut phone, voice) = stage.call("c").await;
    settle().await;
    voice.says.send(response("r")).await.unwrap();
    let words = Event::Said {
        response: ResponseId("r".into()),
        item: ItemId("item-r".into()),
        words: "We have a table at seven".into(),
    };
    voice.says.send(words).await.unwrap();
    for n in 0..10 {
        voice.says.send(speech("r", frame(n))).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(voice);
    phone.says.send(Heard::Heard(frame(77))).await.unwrap();
    let mut second = stage.sessions.recv().await.expect("a second session");
    settle().await;
    assert_eq!(played(&mut phone), (0..10).collect::<Vec<_>>(), "what had come is played out");
    let mut told = Vec::new();
    while let Ok(command) = second.told.try_recv() {
        told.push(command);
    }
    assert!(matches!(told[0], Command::Configure(_)));
    let Command::Remember(model::Entry::Agent(text)) = &told[1] else { panic!("{:?}", told[1]) };
    assert_eq!(text.as_str(), "We have a table at seven");
    let respond = told.iter().find_map(|command| match command {
        Command::Respond { instructions: Some(text), .. } => Some(text.as_str().to_owned()),
        _ => None,
    });
    assert!(respond.expect("asked to go on").contains("Continue after: \"We have a table"));
    let heard =
        told.iter().any(|command| matches!(command, Command::Hear(audio) if number(audio) == 77));
    assert!(heard, "the caller's audio of the gap is sent");
}

#[tokio::test(start_paused = true)]
async fn a_tool_runs_once_whatever_dies_meanwhile() {
    let tool = FakeTool::new("slow", Risk::Write, Duration::from_secs(5));
    let runs = Arc::clone(&tool.runs);
    let mut stage = Stage::open(vec![tool]).await;
    let (call, _phone, mut voice) = stage.call("c").await;
    settle().await;
    voice.says.send(response("r")).await.unwrap();
    voice.says.send(asked("r", "t1", "slow")).await.unwrap();
    voice.says.send(asked("r", "t1", "slow")).await.unwrap();
    voice.says.send(responded("r")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stage.exchange.injure(&call, Injury::Part(Part::ToolRunner, Fault::Panic));
    tokio::time::sleep(Duration::from_millis(500)).await;
    stage.exchange.injure(&call, Injury::Call(Fault::Panic));
    let (mut outputs, mut responds, mut asides) = (0, 0, 0);
    let end = crate::clock::now() + Duration::from_secs(6);
    while let Ok(Some(command)) = tokio::time::timeout_at(end, voice.told.recv()).await {
        match command {
            Command::Remember(model::Entry::Answered { .. }) => outputs += 1,
            Command::Respond { .. } => responds += 1,
            Command::Aside { tag, .. } => {
                asides += 1;
                let response = ResponseId("aside".into());
                let begun = Event::Responding { response, tag: Some(tag) };
                voice.says.send(begun).await.unwrap();
                voice.says.send(responded("aside")).await.unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(outputs, 1, "one output");
    assert_eq!(responds, 2, "the greeting, and one answer after the result");
    assert_eq!(asides, 1, "a filler while it ran");
}

#[tokio::test(start_paused = true)]
async fn the_models_word_confirms_nothing_and_a_human_yes_confirms_once() {
    let tool = FakeTool::new("wipe", Risk::Destructive, Duration::ZERO);
    let runs = Arc::clone(&tool.runs);
    let mut stage = Stage::open(vec![tool]).await;
    let (call, _phone, voice) = stage.call("c").await;
    settle().await;
    let say = async |n: u64, name: &str| {
        voice.says.send(response(name)).await.unwrap();
        let (response, item) = (ResponseId(name.into()), ItemId(format!("item-{name}")));
        let words = "Shall I?".into();
        voice.says.send(Event::Said { response, item, words }).await.unwrap();
        voice.says.send(speech(name, frame(n))).await.unwrap();
        voice.says.send(responded(name)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let ask = async |id: &str| {
        voice.says.send(response(id)).await.unwrap();
        voice.says.send(asked(id, id, "wipe")).await.unwrap();
        voice.says.send(responded(id)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let caller = async |item: &str, words: &str| {
        let item = ItemId(item.into());
        voice.says.send(Event::CallerStarted(item.clone())).await.unwrap();
        voice.says.send(Event::CallerStopped(item.clone())).await.unwrap();
        voice.says.send(Event::CallerSaid(item, words.into())).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    caller("u0", "yes yes yes").await;
    ask("t1").await;
    ask("t2").await;
    assert_eq!(runs.load(Ordering::SeqCst), 0, "asked, and asked again without a human");
    say(1, "question").await;
    caller("u1", "No, keep it.").await;
    ask("t3").await;
    assert_eq!(runs.load(Ordering::SeqCst), 0, "declined");
    ask("t4").await;
    say(2, "question-2").await;
    stage.exchange.injure(&call, Injury::Part(Part::Confirmation, Fault::Panic));
    caller("u2", "Yes, please.").await;
    ask("t5").await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "confirmed");
    ask("t6").await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "an approval is used once");
    say(3, "question-3").await;
    tokio::time::sleep(Duration::from_secs(40)).await;
    caller("u3", "Yes.").await;
    ask("t7").await;
    assert_eq!(runs.load(Ordering::SeqCst), 1, "too late");
}

#[tokio::test(start_paused = true)]
async fn an_outbound_call_is_dialled_once_even_if_its_actor_dies() {
    let mut stage = Stage::open(vec![]).await;
    let briefing = stage.briefing("out", crate::briefing::Direction::Outbound);
    let call = briefing.call.clone();
    stage.exchange.admit(briefing, nowhere(), None).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    stage.exchange.injure(&call, Injury::Call(Fault::Panic));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(stage.carrier.dials.load(Ordering::SeqCst), 1);
    let _voice = stage.sessions.recv().await;
    assert!(stage.exchange.tell(&call, Input::Ended(Outcome::Busy, "busy".into())));
    stage.exchange.emptied().await;
    let last = facts(&stage).pop();
    assert!(matches!(last, Some(Fact::Finalized { outcome: Outcome::Busy, .. })), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ended_before_the_carrier_named_it_is_hung_up_then() {
    for late in [Duration::ZERO, Duration::from_millis(100), Duration::from_secs(10)] {
        let mut stage = Stage::open(vec![]).await;
        let (call, _phone, _voice) = stage.call("c").await;
        settle().await;
        stage.exchange.tell(&call, Input::Order(Order::HangUp));
        tokio::time::sleep(late).await;
        stage.exchange.tell(&call, Input::Placed(CarrierCallId("x".into())));
        stage.exchange.tell(&call, Input::Placed(CarrierCallId("x".into())));
        stage.exchange.emptied().await;
        settle().await;
        let hung_up = stage.carrier.hang_ups.load(Ordering::SeqCst);
        assert!(hung_up >= 1, "named {late:?} after its end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_lets_calls_say_goodbye_and_admits_no_more() {
    let mut stage = Stage::open(vec![]).await;
    let (_call, mut phone, voice) = stage.call("c").await;
    settle().await;
    drop(voice);
    let exchange = stage.exchange.clone();
    let drained = tokio::spawn(async move { exchange.drain(Duration::from_secs(1)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = stage.exchange.admit(
        stage.briefing("late", crate::briefing::Direction::Inbound),
        nowhere(),
        None,
    );
    assert_eq!(refused, Err(Refusal::Draining));
    assert_eq!(drained.await.unwrap(), 1);
    assert_eq!(played(&mut phone), vec![900_003]);
    assert!(
        matches!(facts(&stage).last(), Some(Fact::Finalized { reason, .. }) if reason == "drained")
    );
}
