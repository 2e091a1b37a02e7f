//! Who picked up: every rule and every reversal.

use super::*;
use crate::carrier::Answerer;
use crate::listener::{Listening, Noticed};

impl Script {
    /// An outbound call that has been picked up and has a session.
    fn picked_up(voicemail: Voicemail) -> Self {
        let now = crate::clock::now();
        let briefing = Briefing { voicemail, ..briefing(Direction::Outbound) };
        let mut script = Self { machine: Machine::new(briefing, now), now };
        script.take(Input::Begin);
        script.take(Input::Link(Link::Ready));
        script.take(Input::Link(Link::Up));
        let outputs = script.take(Input::Phone(Phone::Started));
        assert!(shows(&outputs, "ForTheTone"), "{outputs:?}");
        script
    }

    /// The other side says a sentence.
    pub(super) fn hears(&mut self, words: &str, generation: Generation) -> Vec<Output> {
        let item = ItemId(format!("user-{words}"));
        let mut outputs = self.said(Event::CallerStarted(item.clone()), generation);
        self.now += SECOND;
        outputs.extend(self.said(Event::CallerStopped(item.clone()), generation));
        outputs.extend(self.said(Event::CallerCommitted(item.clone()), generation));
        outputs.extend(self.said(Event::CallerSaid(item, words.into()), generation));
        outputs
    }

    /// The model reports, in a response without words.
    fn reports(&mut self, who: &str, generation: Generation) -> Vec<Output> {
        let response = ResponseId(format!("report-{generation}"));
        let begun = Event::Responding { response: response.clone(), tag: None };
        let mut outputs = self.said(begun, generation);
        let asked = Event::Asked {
            response: response.clone(),
            id: ToolCallId(format!("report-{generation}")),
            name: "report".into(),
            arguments: who.into(),
        };
        outputs.extend(self.said(asked, generation));
        let ending = Ending::Completed;
        outputs.extend(self.said(Event::Responded { response, ending, usage: None }, generation));
        outputs
    }

    fn voicemail() -> Self {
        let mut call = Self::picked_up(Voicemail::LeaveMessage("leave it".into()));
        call.hears("Nobody is here.", 0);
        let outputs = call.reports("voicemail", 1);
        assert!(shows(&outputs, r#"who: "voicemail", by: "model""#), "{outputs:?}");
        assert!(shows(&outputs, "Mute"));
        call
    }

    fn tone(&mut self) -> Vec<Output> {
        self.take(Input::Phone(Phone::Noticed(Noticed::Tone)))
    }
}

fn asks_for(outputs: &[Output]) -> Option<&str> {
    outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Respond { instructions, .. })) => {
            instructions.as_ref().map(Text::as_str)
        }
        _ => None,
    })
}

#[test]
fn nothing_is_said_into_a_greeting_and_the_message_comes_after_the_tone() {
    let mut call = Script::voicemail();
    let outputs = call.hears("Please leave a message.", 1);
    assert!(asks_for(&outputs).is_none());
    let response = ResponseId("chatty".into());
    call.said(Event::Responding { response: response.clone(), tag: None }, 2);
    let (item, words) = (ItemId("never heard".into()), "Hello?".into());
    call.said(Event::Said { response: response.clone(), item: item.clone(), words }, 2);
    let outputs =
        call.said(Event::Responded { response, ending: Ending::Completed, usage: None }, 2);
    assert!(shows(&outputs, "Forget"), "the model shall not think it was heard: {outputs:?}");
    let outputs = call.tone();
    assert!(asks_for(&outputs).expect("asked for").ends_with("leave it"));
    let unmuted = outputs.iter().position(|o| matches!(o, Output::Media(Media::Unmute)));
    let asked = outputs.iter().position(|o| matches!(o, Output::Link(_)));
    assert!(unmuted.is_some() && unmuted < asked, "{outputs:?}");
    call.respond("message", 3);
    let outputs = call.drained();
    assert!(shows(&outputs, "HangUp") && shows(&outputs, r#"reason: "voicemail_left""#));
    assert!(shows(&outputs, "outcome: Answered"));
}

#[test]
fn a_machine_without_a_tone_is_spoken_to_when_it_has_been_silent_for_a_while() {
    let mut call = Script::voicemail();
    assert!(asks_for(&call.wait(SECOND * 4)).is_none(), "greetings pause");
    assert!(asks_for(&call.wait(SECOND * 2)).is_some());
}

#[test]
fn a_greeting_without_end_is_left_after_a_minute() {
    let mut call = Script::voicemail();
    call.said(Event::CallerStarted(ItemId("u".into())), 1);
    assert!(call.wait(SECOND * 55).is_empty());
    assert!(shows(&call.wait(SECOND * 6), r#"reason: "voicemail""#));
}

#[test]
fn a_message_that_the_model_does_not_begin_is_not_waited_for() {
    let mut call = Script::voicemail();
    call.tone();
    assert!(shows(&call.wait(SECOND * 16), r#"reason: "voicemail""#));
}

#[test]
fn the_models_hang_up_does_not_cut_the_message_it_belongs_to() {
    let mut call = Script::voicemail();
    call.tone();
    let response = ResponseId("message".into());
    call.said(Event::Responding { response: response.clone(), tag: Some(1) }, 2);
    call.take(Input::Phone(Phone::Began(Source::Item(ItemId("i".into())), call.now)));
    let id = "t";
    call.asks_late("hang_up", id, 2);
    call.said(Event::Responded { response, ending: Ending::Completed, usage: None }, 2);
    assert!(!call.wait(SECOND * 20).iter().any(|output| matches!(output, Output::HangUp)));
    assert!(shows(&call.drained(), "voicemail_left"));
}

#[test]
fn a_human_after_voicemail_reverses_the_verdict_and_is_answered() {
    let mut call = Script::voicemail();
    call.hears("Hello, I am here!", 1);
    let mut outputs = call.reports("human", 2);
    outputs.extend(call.wait(SECOND / 10));
    assert!(shows(&outputs, r#"who: "human", by: "model""#));
    assert!(shows(&outputs, "Unmute") && shows(&outputs, "Respond"), "{outputs:?}");
    assert!(!shows(&call.wait(SECOND * 9), "HangUp"));
}

#[test]
fn who_speaks_into_the_message_is_a_human() {
    let mut call = Script::voicemail();
    call.tone();
    call.respond("message", 2);
    let outputs = call.said(Event::CallerStarted(ItemId("u".into())), 2);
    assert!(shows(&outputs, "Flush"));
    assert!(shows(&outputs, r#"who: "human", by: "speech""#), "{outputs:?}");
    call.take(Input::Phone(Phone::Flushed(Flushed::default())));
    assert_eq!(call.machine.snapshot().phase, "talking");
}

#[test]
fn the_carriers_verdict_counts_until_words_say_otherwise() {
    let mut call = Script::picked_up(Voicemail::LeaveMessage("leave it".into()));
    let outputs = call.take(Input::Detected(Answerer::Machine));
    assert!(shows(&outputs, r#"who: "voicemail", by: "carrier""#) && shows(&outputs, "Mute"));
    let outputs = call.take(Input::Detected(Answerer::Human));
    assert!(shows(&outputs, r#"who: "human""#) && shows(&outputs, "Unmute"), "it may think again");
    assert!(shows(&outputs, "Listen(Nothing)"), "a human makes no tone");
    call.reports("human", 1);
    assert!(call.take(Input::Detected(Answerer::Machine)).is_empty(), "the model has heard them");
    assert!(call.tone().is_empty(), "nor is a tone believed");
}

#[test]
fn the_carriers_word_that_it_records_is_as_good_as_a_tone() {
    let mut call = Script::picked_up(Voicemail::LeaveMessage("leave it".into()));
    let outputs = call.take(Input::Detected(Answerer::Recording));
    assert!(asks_for(&outputs).is_some(), "{outputs:?}");
}

#[test]
fn a_verdict_that_comes_before_the_media_counts_when_they_flow() {
    let mut call = Script::new(Direction::Outbound);
    call.take(Input::Detected(Answerer::Machine));
    assert!(shows(&call.take(Input::Phone(Phone::Started)), "Mute"));
}

#[test]
fn hang_up_on_machines_leaves_a_moment_for_a_human() {
    let mut call = Script::picked_up(Voicemail::HangUp);
    call.take(Input::Detected(Answerer::Machine));
    assert!(call.wait(SECOND).is_empty());
    call.reports("human", 1);
    assert!(!shows(&call.wait(SECOND * 5), "HangUp"));
    let mut call = Script::picked_up(Voicemail::HangUp);
    call.take(Input::Detected(Answerer::Machine));
    let outputs = call.wait(SECOND * 3);
    assert!(shows(&outputs, "HangUp") && shows(&outputs, r#"reason: "voicemail""#));
}

#[test]
fn with_the_policy_to_wait_the_model_goes_on_as_it_likes() {
    let mut call = Script::picked_up(Voicemail::Wait);
    let outputs = call.take(Input::Detected(Answerer::Machine));
    assert!(shows(&outputs, "voicemail") && !shows(&outputs, "Mute"));
    assert!(asks_for(&call.wait(SECOND * 2)).is_some(), "it greets");
    let mut call = Script::picked_up(Voicemail::Wait);
    let outputs = call.reports("voicemail", 1);
    assert!(
        shows(&outputs, "Remember(Note(") && !shows(&outputs, "Mute"),
        "it is told so: {outputs:?}"
    );
}

#[test]
fn with_a_policy_the_model_is_not_told_to_decide() {
    for voicemail in [Voicemail::HangUp, Voicemail::LeaveMessage("leave it".into())] {
        let outputs = Script::picked_up(voicemail).reports("voicemail", 1);
        assert!(!shows(&outputs, "Remember(Note("), "{outputs:?}");
    }
}

#[test]
fn a_fax_is_hung_up_on() {
    let mut call = Script::picked_up(Voicemail::Wait);
    call.take(Input::Detected(Answerer::Fax));
    assert!(shows(&call.wait(SECOND * 3), r#"reason: "fax""#));
}

#[test]
fn nobody_but_a_human_can_be_asked_to_confirm() {
    for who in ["voicemail", "menu", "hold"] {
        let mut call = Script::picked_up(Voicemail::Wait);
        call.reports(who, 1);
        let outputs = call.asks("wipe", "t", 2);
        assert!(shows(&outputs, "Permission") && !shows(&outputs, "ReadBack"), "{outputs:?}");
        call.reports("human", 3);
        assert!(shows(&call.asks("wipe", "t2", 4), "ReadBack"));
    }
}

#[test]
fn on_hold_the_model_hears_nothing_and_is_asked_nothing() {
    let mut call = Script::talking();
    let outputs = call.asks("wait_on_hold", "t", 2);
    assert!(shows(&outputs, "Listen(OnHold)") && shows(&outputs, r#"who: "hold""#), "{outputs:?}");
    assert!(call.wait(SECOND * 100).is_empty(), "no question whether anybody is there");
}

#[test]
fn speech_wakes_from_hold_and_a_sentence_ends_it() {
    let mut call = Script::talking();
    call.asks("wait_on_hold", "t", 2);
    let outputs = call.take(Input::Phone(Phone::Noticed(Noticed::Speech)));
    assert!(shows(&outputs, "Listen(Nothing)"));
    assert!(shows(&outputs, r#"who: "unknown", by: "speech""#), "{outputs:?}");
    call.hears("Thank you for waiting.", 2);
    let outputs = call.wait(SECOND * 60);
    assert!(!shows(&outputs, "OnHold"), "{outputs:?}");
}

#[test]
fn music_that_sounded_like_speech_is_held_again() {
    let mut call = Script::talking();
    call.asks("wait_on_hold", "t", 2);
    call.take(Input::Phone(Phone::Noticed(Noticed::Speech)));
    call.said(Event::CallerStarted(ItemId("music".into())), 2);
    let outputs = call.wait(SECOND * 16);
    assert!(shows(&outputs, "Listen(OnHold)"));
    assert!(shows(&outputs, r#"who: "hold", by: "time""#), "{outputs:?}");
}

#[test]
fn a_hold_without_end_asks_the_model_every_two_minutes() {
    let mut call = Script::talking();
    call.asks("wait_on_hold", "t", 2);
    let outputs = call.wait(SECOND * 121);
    assert!(shows(&outputs, r#"by: "time""#));
    assert!(asks_for(&outputs).is_some_and(|words| words.contains("on hold for two minutes")));
}

#[test]
fn a_hold_ends_when_the_model_says_that_a_human_is_there() {
    let mut call = Script::talking();
    call.asks("wait_on_hold", "t", 2);
    let outputs = call.reports("human", 3);
    let nothing = Output::Media(Media::Listen(Listening::Nothing));
    assert!(shows(&outputs, &format!("{nothing:?}")), "{outputs:?}");
}
