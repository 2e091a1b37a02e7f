//! Calls as scripts: inputs with their times, and what must come of them. No runtime.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for what it wants")]

mod answer;
mod disclose;
mod door;
mod fillers;
mod guard;
mod join;
mod keys;
mod random;
mod recorded;
mod restricted;
mod resume;
mod submission;
mod take;
mod transfer;

use std::sync::Arc;

use super::*;
use crate::audio::Format;
use crate::briefing::{CallId, Clips, Limits, Outcome, Recording, Voicemail};
use crate::call::consent::Answer;
use crate::call::event::{Link, Means, Media, Part, Phone, Ruling, Unfinished};
use crate::call::playout::{Cut, Flushed, Source, Spoken};
use crate::call::restricted::What;
use crate::carrier::{CarrierCallId, Digit, Key, Number};
use crate::leg::Broken;
use crate::model::{Ending, Entry, Event, ItemId, Loss, Refusal, ResponseId};
use crate::tool::{Done, Own, Promise, Readback, Risk, Verdict};

const SECOND: Duration = Duration::from_secs(1);

fn briefing(direction: Direction) -> Briefing {
    let promise = |name: &str, risk| Promise {
        name: name.into(),
        description: String::new(),
        parameters: "{}".into(),
        risk,
        idempotent: false,
        deadline: SECOND,
        attempts: 1,
        filler: None,
        wants_scene: false,
    };
    Briefing {
        call: CallId::new("c"),
        direction,
        remote: Number::new("+15550100"),
        local: Number::new("+15550199"),
        task: "t".into(),
        instructions: "i".into(),
        greeting: "greet".into(),
        voice: "v".into(),
        format: Format::Pcm24k,
        tools: vec![
            promise("look", Risk::Read),
            promise("wipe", Risk::Destructive),
            promise("pay", Risk::Sensitive),
            promise("hang_up", Risk::Write),
            promise("report", Risk::Write),
            promise("press_keys", Risk::Write),
            promise("wait_on_hold", Risk::Write),
            promise("transfer", Risk::Write),
            promise("take", Risk::Write),
        ],
        limits: Limits {
            total: SECOND * 600,
            silence: SECOND * 10,
            ringing: SECOND * 30,
            session: SECOND * 1_500,
        },
        clips: Arc::new(Clips::default()),
        voicemail: Voicemail::LeaveMessage("leave it".into()),
        human: Some(Number::new("+15550109")),
        door: None,
        discloses: false,
        recording: Recording::FromTheStart,
        pin: None,
        language: None,
        own: own_tool,
        before: None,
    }
}

/// What the model would have a human told.
const INTRODUCTION: &str = "Kim asks about an invoice.";

/// The call's own tools as these tests write them: arguments without JSON.
fn own_tool(name: &str, arguments: &Text) -> Option<Result<Own, String>> {
    let who = match arguments.as_str() {
        "voicemail" => Who::Voicemail,
        "menu" => Who::Menu,
        "hold" => Who::Hold,
        _ => Who::Human,
    };
    let key = |key| if key == ',' { Some(Key::Pause) } else { Digit::new(key).map(Key::Digit) };
    match name {
        "hang_up" => Some(Ok(Own::HangUp)),
        "report" => Some(Ok(Own::Report(who))),
        "press_keys" => {
            let keys = arguments.as_str().chars().map(key).collect::<Option<_>>();
            Some(keys.map(Own::Press).ok_or_else(|| "not keys".to_owned()))
        }
        "wait_on_hold" => Some(Ok(Own::WaitOnHold)),
        "transfer" => Some(Ok(Own::Transfer(Some(INTRODUCTION.into())))),
        "take" => Some(Ok(Own::Take(
            if arguments.as_str() == "pin" { What::Pin } else { What::CardNumber },
            None,
        ))),
        _ => None,
    }
}

/// A machine and its time.
struct Script {
    machine: Machine,
    now: Instant,
}

impl Script {
    fn new(direction: Direction) -> Self {
        let now = crate::clock::now();
        let mut script = Self { machine: Machine::new(briefing(direction), now), now };
        script.take(Input::Begin);
        script
    }

    /// Answered, greeted, with nothing left to hear.
    fn talking() -> Self {
        let mut script = Self::new(Direction::Inbound);
        script.take(Input::Link(Link::Ready));
        script.take(Input::Link(Link::Up));
        script.take(Input::Phone(Phone::Started));
        script.respond("greeting", 1);
        script.drained();
        script
    }

    fn take(&mut self, input: Input) -> Vec<Output> {
        self.machine.handle(input, self.now);
        std::iter::from_fn(|| self.machine.poll()).collect()
    }

    fn said(&mut self, event: Event, generation: Generation) -> Vec<Output> {
        self.take(Input::Link(Link::Said(event, generation, self.now)))
    }

    /// A response that says one sentence, all of it on its way to the ear.
    fn respond(&mut self, name: &str, generation: Generation) -> Vec<Output> {
        let (response, item) = (ResponseId(name.into()), ItemId(format!("item-{name}")));
        let mut outputs =
            self.said(Event::Responding { response: response.clone(), tag: None }, generation);
        let words = Text(format!("This is {name}."));
        outputs.extend(self.said(
            Event::Said { response: response.clone(), item: item.clone(), words },
            generation,
        ));
        outputs.extend(self.take(Input::Phone(Phone::Began(Source::Item(item), self.now))));
        let ending = Ending::Completed;
        outputs.extend(self.said(Event::Responded { response, ending, usage: None }, generation));
        outputs
    }

    fn asks(&mut self, tool: &str, id: &str, generation: Generation) -> Vec<Output> {
        let response = ResponseId(id.into());
        let begun = Event::Responding { response: response.clone(), tag: None };
        let mut outputs = self.said(begun, generation);
        let asked = Event::Asked {
            response: response.clone(),
            id: ToolCallId(id.into()),
            name: tool.into(),
            arguments: "{}".into(),
        };
        outputs.extend(self.said(asked, generation));
        let ending = Ending::Completed;
        outputs.extend(self.said(Event::Responded { response, ending, usage: None }, generation));
        outputs
    }

    fn drained(&mut self) -> Vec<Output> {
        self.take(Input::Phone(Phone::Drained(Spoken::default())))
    }

    fn wait(&mut self, time: Duration) -> Vec<Output> {
        let end = self.now + time;
        let mut outputs = Vec::new();
        while let Some(next) = self.machine.deadline().filter(|next| *next <= end) {
            self.now = next.max(self.now);
            outputs.extend(self.take(Input::Timeout));
            self.now += Duration::from_millis(1);
        }
        self.now = end;
        outputs
    }
}

fn shows(outputs: &[Output], wanted: &str) -> bool {
    outputs.iter().any(|output| format!("{output:?}").contains(wanted))
}

#[test]
fn the_greeting_waits_for_both_sides_and_comes_once() {
    let mut call = Script::new(Direction::Inbound);
    assert!(!shows(&call.take(Input::Phone(Phone::Started)), "Respond"), "no session yet");
    call.take(Input::Link(Link::Ready));
    assert!(shows(&call.take(Input::Link(Link::Up)), "Respond"));
    call.respond("greeting", 1);
    assert!(!shows(&call.drained(), "Respond"));
}

#[test]
fn whom_we_ring_may_speak_first() {
    let mut call = Script::new(Direction::Outbound);
    call.take(Input::Link(Link::Up));
    assert!(!shows(&call.take(Input::Phone(Phone::Started)), "Respond"));
    call.said(Event::CallerStarted(ItemId("u".into())), 0);
    assert!(!shows(&call.wait(SECOND * 2), "Respond"), "they speak");
    let mut silent = Script::new(Direction::Outbound);
    silent.take(Input::Link(Link::Up));
    silent.take(Input::Phone(Phone::Started));
    assert!(shows(&silent.wait(SECOND * 2), "Respond"), "they do not");
}

#[test]
fn barge_in_flushes_then_truncates_where_it_was_heard_and_drops_what_is_stale() {
    let mut call = Script::talking();
    call.respond("speech", 2);
    let outputs = call.said(Event::CallerStarted(ItemId("u".into())), 2);
    assert!(matches!(outputs[0], Output::Media(Media::Flush(2))), "{outputs:?}");
    let cut = Cut { item: ItemId("item-speech".into()), heard_ms: 700, received_ms: 1_400 };
    let flushed =
        Flushed { cut: Some(cut), unheard: vec![ItemId("later".into())], ..Flushed::default() };
    let outputs = call.take(Input::Phone(Phone::Flushed(flushed)));
    assert!(shows(&outputs, "Forget") && shows(&outputs, "heard_ms: 700"), "{outputs:?}");
    let late = call.asks_late("hang_up", "t1", 2);
    assert!(!shows(&late, "HangUp"), "a hang-up of the interrupted response");
    assert!(shows(&late, "Answered"), "its item is not left open");
}

impl Script {
    /// A tool asked for by a response that has begun before.
    fn asks_late(&mut self, tool: &str, id: &str, generation: Generation) -> Vec<Output> {
        let asked = Event::Asked {
            response: ResponseId("speech".into()),
            id: ToolCallId(id.into()),
            name: tool.into(),
            arguments: "{}".into(),
        };
        self.said(asked, generation)
    }
}

#[test]
fn the_goodbye_is_heard_before_the_hang_up() {
    let mut call = Script::talking();
    let response = ResponseId("bye".into());
    call.said(Event::Responding { response: response.clone(), tag: None }, 2);
    let began = Phone::Began(Source::Item(ItemId("i".into())), call.now);
    call.take(Input::Phone(began));
    let asked = Event::Asked {
        response: response.clone(),
        id: ToolCallId("t".into()),
        name: "hang_up".into(),
        arguments: "{}".into(),
    };
    assert!(!shows(&call.said(asked, 2), "HangUp"));
    let ending = Ending::Completed;
    let outputs = call.said(Event::Responded { response, ending, usage: None }, 2);
    assert!(!outputs.iter().any(|output| matches!(output, Output::HangUp)), "still speaking");
    let outputs = call.drained();
    assert!(outputs.iter().any(|output| matches!(output, Output::HangUp)));
    assert!(shows(&outputs, "reason: \"goodbye\""));
    assert!(call.take(Input::Phone(Phone::Drained(Spoken::default()))).is_empty(), "over is over");
}

#[test]
fn a_caller_who_speaks_into_our_goodbye_is_not_hung_up_on() {
    let mut call = Script::talking();
    let response = ResponseId("bye".into());
    call.said(Event::Responding { response: response.clone(), tag: None }, 2);
    call.take(Input::Phone(Phone::Began(Source::Item(ItemId("i".into())), call.now)));
    call.asks_late("hang_up", "t", 2);
    call.said(Event::Responded { response, ending: Ending::Completed, usage: None }, 2);
    call.said(Event::CallerStarted(ItemId("u".into())), 2);
    call.take(Input::Phone(Phone::Flushed(Flushed::default())));
    assert_eq!(call.machine.snapshot().phase, "talking");
    assert!(!call.wait(SECOND * 5).iter().any(|output| matches!(output, Output::HangUp)));
}

#[test]
fn a_lost_link_is_bridged_within_700_ms_and_given_up_after_20_s() {
    let mut call = Script::talking();
    call.machine.briefing.human = None;
    call.said(Event::Responding { response: ResponseId("r".into()), tag: None }, 2);
    let down = Link::Down("cut".into(), Unfinished::Nothing);
    call.take(Input::Link(down));
    assert!(!shows(&call.wait(SECOND / 5), "Bridge"));
    assert!(shows(&call.wait(SECOND / 2), "Bridge"));
    call.take(Input::Phone(Phone::Began(Source::Clip, call.now)));
    call.drained();
    assert!(!shows(&call.wait(SECOND * 10), "Bridge"), "once");
    assert!(shows(&call.wait(SECOND * 10), "Apology"));
}

#[test]
fn a_fresh_session_gets_the_conversation_and_what_was_owed() {
    let mut call = Script::talking();
    let response = ResponseId("r".into());
    call.said(Event::Responding { response: response.clone(), tag: None }, 2);
    let (item, words) = (ItemId("i".into()), "We have a table".into());
    call.said(Event::Said { response, item, words }, 2);
    call.take(Input::Link(Link::Down("cut".into(), Unfinished::Nothing)));
    let outputs = call.take(Input::Link(Link::Ready));
    let Some(Output::Link(ToLink::Replay(entries))) = outputs.first() else { panic!() };
    assert_eq!(entries.last(), Some(&Entry::Agent("We have a table".into())));
    let outputs = call.take(Input::Link(Link::Up));
    let Some(Output::Link(ToLink::Tell(Command::Respond { instructions: Some(text), .. }))) =
        outputs.first()
    else {
        panic!("{outputs:?}")
    };
    assert!(text.as_str().contains("Continue after: \"We have a table\""));
}

#[test]
fn a_turn_that_will_be_heard_again_is_not_answered_twice() {
    let mut call = Script::talking();
    call.said(Event::CallerStarted(ItemId("u".into())), 1);
    call.said(Event::CallerStopped(ItemId("u".into())), 1);
    call.said(Event::CallerCommitted(ItemId("u".into())), 1);
    call.take(Input::Link(Link::Down("cut".into(), Unfinished::Turn)));
    call.take(Input::Link(Link::Ready));
    let outputs = call.take(Input::Link(Link::Up));
    assert!(!shows(&outputs, "Respond"), "the new session hears the turn and answers itself");
}

#[test]
fn a_handover_waits_for_a_quiet_moment() {
    let mut call = Script::talking();
    call.said(Event::CallerStarted(ItemId("u".into())), 1);
    assert!(!shows(&call.take(Input::Link(Link::Ready)), "Replay"), "the caller speaks");
    call.said(Event::CallerStopped(ItemId("u".into())), 1);
    assert!(!shows(&call.respond("answer", 2), "Replay"), "we speak");
    assert!(shows(&call.drained(), "Replay"));
}

#[test]
fn silence_is_asked_about_twice_and_then_ended() {
    let mut call = Script::talking();
    for generation in [2, 3] {
        assert!(shows(&call.wait(SECOND * 11), "Respond"), "asks for the {generation}th time");
        call.respond("still there?", generation);
        call.drained();
    }
    call.wait(SECOND * 11);
    assert_eq!(call.machine.snapshot().phase, "closing");
    assert!(shows(&call.wait(SECOND * 11), "reason: \"silence\""));
}

#[test]
fn a_tool_loop_and_an_unknown_tool_are_refused_politely() {
    let mut call = Script::talking();
    assert!(shows(&call.asks("nothing", "t0", 2), "Permanent"));
    for n in 1..8 {
        call.asks("look", &format!("t{n}"), 2 + n);
    }
    assert!(shows(&call.asks("look", "t9", 20), "RateLimited"));
}

#[test]
fn every_deadline_moves_on() {
    let mut call = Script::new(Direction::Outbound);
    let mut steps = 0;
    while let Some(next) = call.machine.deadline() {
        call.now = next.max(call.now);
        call.take(Input::Timeout);
        steps += 1;
        assert!(steps < 100, "a deadline that does not pass");
    }
    assert_eq!(call.machine.lifecycle(), Lifecycle::Finalized, "it rang out");
}

#[test]
fn nothing_of_a_call_that_was_never_answered_is_left_open() {
    let mut call = Script::new(Direction::Outbound);
    let outputs = call.take(Input::Ended(Outcome::Busy, "busy".into()));
    assert!(shows(&outputs, "Busy") && matches!(outputs.last(), Some(Output::End)));
    assert!(!shows(&outputs, "Clip"), "nobody is there to hear it");
}
