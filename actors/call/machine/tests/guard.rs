//! The guard as a script: what has put a question, what answers it, and what a claim is worth.
//! Confirmation's rulings are made here as the actor makes them.

mod claims;

use super::*;
use crate::call::answer::{Source as By, Who};
use crate::call::consent::{Pin, Question};
use crate::call::event::Denial;
use crate::confirmation;

impl Script {
    /// The model asks for a tool that is asked about, and its effect is looked up.
    fn wants(
        &mut self,
        tool: &str,
        id: &str,
        generation: Generation,
        subject: &str,
    ) -> Vec<Output> {
        let mut outputs = self.asks(tool, id, generation);
        let readback = Readback {
            question: Text(format!("Shall I wipe {subject}?")),
            subject: subject.into(),
            fingerprint: format!("{tool} {subject}"),
        };
        outputs.extend(self.take(Input::ReadBack(ToolCallId(id.into()), Some(Ok(readback)))));
        self.rule(&mut outputs);
        outputs
    }

    /// The model says something, and all of it is heard.
    fn says(&mut self, words: &str, generation: Generation) -> Vec<Output> {
        let name = format!("r{generation}");
        let (response, item) = (ResponseId(name.clone()), ItemId(name));
        self.said(Event::Responding { response: response.clone(), tag: None }, generation);
        let said =
            Event::Said { response: response.clone(), item: item.clone(), words: words.into() };
        self.said(said, generation);
        self.take(Input::Phone(Phone::Began(Source::Item(item), self.now)));
        let ending = Ending::Completed;
        self.said(Event::Responded { response, ending, usage: None }, generation);
        self.now += SECOND;
        self.drained()
    }

    fn answers(&mut self, words: &str, generation: Generation) -> Vec<Output> {
        let mut outputs = self.hears(words, generation);
        self.rule(&mut outputs);
        outputs
    }

    fn enters(&mut self, keys: &str) -> Vec<Output> {
        let mut outputs = Vec::new();
        for key in keys.chars() {
            let digit = Digit::new(key).expect("a key");
            outputs.extend(self.take(Input::Phone(Phone::Pressed(digit))));
        }
        self.rule(&mut outputs);
        outputs
    }

    /// Rules on every case among the outputs, and on what follows from that.
    fn rule(&mut self, outputs: &mut Vec<Output>) {
        let mut next = 0;
        while let Some(output) = outputs.get(next) {
            next += 1;
            let Output::Judge(case) = output else { continue };
            let (pin, language) = (self.machine.briefing.pin.clone(), None);
            let ruled = confirmation::ruling(case, pin.as_ref(), language, self.now);
            if let Some((number, ruling)) = ruled {
                outputs.extend(self.take(Input::Judged(number, ruling)));
            }
        }
    }

    /// With one so long that no time holds it by chance.
    fn with_pin() -> Self {
        let mut call = Self::talking();
        call.machine.briefing.pin = Pin::new("04170417");
        call
    }
}

fn runs(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Run(_))).count()
}

fn settled(outputs: &[Output], verdict: &str, by: &str) -> bool {
    shows(outputs, &format!(r#"verdict: "{verdict}", by: "{by}""#))
}

#[test]
fn a_yes_to_another_question_confirms_nothing() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "buy milk");
    call.says("Is it not a lovely day?", 3);
    call.answers("Yes.", 3);
    assert_eq!(runs(&call.wants("wipe", "t2", 4, "buy milk")), 0, "it was never put");
    call.says("Shall I wipe buy milk?", 5);
    call.answers("Yes.", 5);
    assert_eq!(runs(&call.wants("wipe", "t3", 6, "buy milk")), 1);
}

#[test]
fn a_yes_to_what_was_said_after_the_question_confirms_nothing() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "buy milk");
    call.says("Shall I wipe buy milk?", 3);
    call.says("Are you still there?", 4);
    assert!(!shows(&call.answers("Yes, I am.", 4), "approved"));
    assert!(!shows(&call.enters("1"), "approved"));
    call.says("Shall I wipe buy milk?", 5);
    assert!(shows(&call.answers("Yes.", 5), "approved"));
    call.says("So be it.", 6);
    assert!(shows(&call.enters("2"), "declined"), "a no is always one");
    assert_eq!(runs(&call.wants("wipe", "t2", 7, "buy milk")), 0);
}

#[test]
fn a_turn_that_is_heard_again_is_as_old_as_it_was() {
    let cut = |call: &mut Script| {
        call.take(Input::Link(Link::Down("cut".into(), Unfinished::Turn)));
        call.take(Input::Link(Link::Ready));
        call.take(Input::Link(Link::Up));
    };
    // Begun before the question was put, it answers something else.
    let mut call = Script::talking();
    call.said(Event::CallerStarted(ItemId("u".into())), 1);
    call.wants("wipe", "t1", 2, "buy milk");
    cut(&mut call);
    call.says("Shall I wipe buy milk?", 3);
    assert!(!shows(&call.answers("Sure, do it.", 3), "approved"));
    assert!(shows(&call.answers("Yes.", 3), "approved"), "the next one answers the question");
    // Begun as the answer to the question, it is still that.
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "buy milk");
    call.says("Shall I wipe buy milk?", 3);
    call.said(Event::CallerStarted(ItemId("u".into())), 3);
    cut(&mut call);
    assert!(shows(&call.answers("Yes.", 3), "approved"));
}

#[test]
fn a_pin_for_what_was_said_after_the_question_is_none_for_it() {
    let mut call = Script::with_pin();
    call.wants("pay", "t1", 2, "ten euros");
    call.says("Shall I wipe ten euros? Please enter your PIN.", 3);
    call.says("Shall I wipe one euro? Please enter your PIN.", 4);
    let outputs = call.enters("04170417#");
    assert!(!shows(&outputs, "approved") && shows(&outputs, "Respond"), "{outputs:?}");
    assert_eq!(runs(&call.wants("pay", "t2", 5, "ten euros")), 0);
}

#[test]
fn what_is_run_is_what_was_read_out_and_once() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "buy milk");
    call.says("Shall I wipe buy milk?", 3);
    let outputs = call.answers("Yes, please.", 3);
    assert!(settled(&outputs, "approved", "voice"), "{outputs:?}");
    let outputs = call.wants("wipe", "t2", 4, "buy milk");
    assert_eq!(runs(&outputs), 1);
    assert!(shows(&outputs, r#"step: "used""#));
    assert_eq!(runs(&call.wants("wipe", "t3", 5, "buy milk")), 0, "an approval is used once");
    assert_eq!(runs(&call.take(Input::Judged(1, Ruling::Granted(ToolCallId("t3".into()))))), 0);
}

#[test]
fn a_yes_is_not_taken_from_one_question_to_the_next() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "buy milk");
    let outputs = call.wants("wipe", "t2", 3, "the whole list");
    assert!(shows(&outputs, "User") && !shows(&outputs, "ConfirmationAsked"), "one at a time");
    call.says("Shall I wipe buy milk?", 4);
    // The yes is on its way while the model asks for something else.
    let yes = call.hears("Yes.", 4);
    let outputs = call.wants("wipe", "t3", 5, "the whole list");
    assert!(settled(&outputs, "replaced", "question"), "{outputs:?}");
    let mut late: Vec<Output> = yes;
    call.rule(&mut late);
    assert!(!shows(&late, "approved"), "it is an answer to what was asked before");
    assert_eq!(runs(&call.wants("wipe", "t4", 6, "the whole list")), 0);
}

#[test]
fn who_does_not_answer_clearly_is_asked_three_times_and_then_left_alone() {
    let mut call = Script::talking();
    call.wants("wipe", "t0", 2, "it");
    for n in 1..=3_u64 {
        call.says("Shall I wipe it?", 1 + 2 * n);
        call.answers("Well, you know.", 1 + 2 * n);
        let outputs = call.wants("wipe", &format!("t{n}"), 2 + 2 * n, "it");
        assert_eq!(shows(&outputs, "ConfirmationAsked"), n < 3, "{n}");
        assert_eq!(runs(&outputs), 0);
    }
    assert!(call.machine.question.is_none());
}

#[test]
fn keys_answer_once_the_question_was_heard() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    assert!(!shows(&call.enters("1"), "approved"), "it has not been heard");
    call.says("Shall I wipe it?", 3);
    let outputs = call.enters("2");
    assert!(settled(&outputs, "declined", "key") && shows(&outputs, "Respond"), "{outputs:?}");
    assert!(settled(&call.enters("1"), "approved", "key"), "a change of mind");
    assert_eq!(runs(&call.wants("wipe", "t2", 4, "it")), 1);
}

#[test]
fn a_sensitive_tool_takes_the_pin_and_no_word() {
    let mut call = Script::with_pin();
    call.wants("pay", "t1", 2, "ten euros");
    call.says("Shall I wipe ten euros? Please enter your PIN.", 3);
    call.answers("Yes.", 3);
    assert_eq!(runs(&call.wants("pay", "t2", 4, "ten euros")), 0, "a word is not enough");
    call.says("Shall I wipe ten euros? Please enter your PIN.", 5);
    assert!(shows(&call.enters("04170418#"), "wrong_pin"));
    let outputs = call.enters("9*04170417#");
    assert!(settled(&outputs, "approved", "pin"), "{outputs:?}");
    assert!(!format!("{outputs:?}").contains("04170417"));
    assert!(!format!("{:?}", call.machine.log.replay()).contains("key"), "the model sees no key");
    assert_eq!(runs(&call.wants("pay", "t3", 6, "ten euros")), 1);
}

#[test]
fn the_key_for_no_takes_a_pin_back() {
    let mut call = Script::with_pin();
    call.wants("pay", "t1", 2, "ten euros");
    call.says("Shall I wipe ten euros? Please enter your PIN.", 3);
    assert!(settled(&call.enters("04170417#"), "approved", "pin"));
    assert!(settled(&call.enters("2"), "declined", "key"));
    assert_eq!(runs(&call.wants("pay", "t2", 4, "ten euros")), 0);
}

#[test]
fn three_wrong_pins_lock_the_call() {
    let mut call = Script::with_pin();
    call.wants("pay", "t1", 2, "ten euros");
    call.says("Shall I wipe ten euros?", 3);
    call.enters("1111#2222#");
    let outputs = call.enters("3333#");
    assert!(settled(&outputs, "locked", "pin"), "{outputs:?}");
    assert!(!shows(&call.enters("04170417#"), "approved"));
    let outputs = call.wants("pay", "t2", 4, "ten euros");
    assert!(shows(&outputs, "Permission") && runs(&outputs) == 0, "{outputs:?}");
}

#[test]
fn without_a_pin_nothing_sensitive_is_done() {
    let mut call = Script::talking();
    assert!(shows(&call.wants("pay", "t1", 2, "ten euros"), "Permission"));
}

#[test]
fn a_machine_confirms_nothing() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    call.says("Shall I wipe it?", 3);
    call.take(Input::Detected(crate::carrier::Answerer::Machine));
    assert!(!shows(&call.answers("Yes.", 3), "approved"));
    assert!(!shows(&call.enters("1"), "approved"));
    assert_eq!(runs(&call.wants("wipe", "t2", 4, "it")), 0);
}

#[test]
fn the_models_word_for_a_human_is_not_enough_where_the_line_is_a_machines() {
    let mut call = Script::talking();
    call.take(Input::Detected(crate::carrier::Answerer::Machine));
    for by in [By::Model, By::Speech] {
        call.machine.take_for(Who::Human, by, call.now);
        assert!(shows(&call.wants("wipe", &format!("t-{by:?}"), 2, "it"), "Permission"));
    }
    call.enters("5");
    call.wants("wipe", "t2", 3, "it");
    call.says("Shall I wipe it?", 4);
    call.answers("Yes.", 4);
    assert_eq!(runs(&call.wants("wipe", "t3", 5, "it")), 1, "who presses a key is no machine");
}

#[test]
fn a_no_that_comes_while_a_claim_is_being_granted_is_in_time() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    call.says("Shall I wipe it?", 3);
    call.answers("Yes.", 3);
    let number = call.machine.question.as_ref().expect("it is pending").number;
    let mut claim = call.asks("wipe", "t2", 4);
    let again = Readback {
        question: "Shall I wipe it?".into(),
        subject: "it".into(),
        fingerprint: "wipe it".into(),
    };
    claim.extend(call.take(Input::ReadBack(ToolCallId("t2".into()), Some(Ok(again)))));
    let mut no = call.hears("No, keep it.", 4);
    let granted = Ruling::Granted(ToolCallId("t2".into()));
    assert_eq!(runs(&call.take(Input::Judged(number, granted))), 0, "it was ruled before the no");
    call.rule(&mut no);
    assert!(settled(&no, "declined", "voice") && runs(&no) == 0, "{no:?}");
    assert!(call.machine.question.is_none() && call.machine.claims.is_empty());
}

#[test]
fn words_that_were_said_before_a_key_are_the_older_answer() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    call.says("Shall I wipe it?", 3);
    let item = ItemId("late".into());
    call.said(Event::CallerStarted(item.clone()), 3);
    call.said(Event::CallerStopped(item.clone()), 3);
    assert!(settled(&call.enters("2"), "declined", "key"));
    let mut late = call.said(Event::CallerSaid(item, "Yes, do it.".into()), 3);
    call.rule(&mut late);
    assert!(!shows(&late, "approved"), "{late:?}");
    assert_eq!(runs(&call.wants("wipe", "t2", 4, "it")), 0);
}

#[test]
fn what_is_told_late_was_said_when_it_was_said() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    let began = call.now;
    call.says("Shall I wipe it?", 3);
    call.now += SECOND;
    // Spoken before the question was heard; whoever tells it has hung since.
    let started = Event::CallerStarted(ItemId("late".into()));
    call.take(Input::Link(Link::Said(started, 3, began)));
    let mut late = call.said(Event::CallerSaid(ItemId("late".into()), "Yes.".into()), 3);
    call.rule(&mut late);
    assert!(!shows(&late, "approved"), "{late:?}");
}

#[test]
fn an_approval_lives_for_thirty_seconds_from_the_moment_it_was_heard() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    call.wait(SECOND * 8);
    call.says("Shall I wipe it?", 3);
    call.answers("Yes.", 3);
    call.now += SECOND * 31;
    let outputs = call.wants("wipe", "t2", 4, "it");
    assert!(shows(&outputs, "claimed_too_late") && runs(&outputs) == 0, "{outputs:?}");
}

#[test]
fn a_ruling_on_a_claim_that_is_none_is_not_obeyed() {
    let mut call = Script::talking();
    call.wants("wipe", "t1", 2, "it");
    call.says("Shall I wipe it?", 3);
    let question: Question = call.machine.question.clone().expect("it is pending");
    let granted = Ruling::Granted(ToolCallId("t1".into()));
    assert_eq!(runs(&call.take(Input::Judged(question.number, granted))), 0);
    let refused = Ruling::Refused(ToolCallId("t1".into()), Denial::Declined);
    call.take(Input::Judged(question.number, refused));
    assert!(call.machine.question.is_some(), "nothing was claimed");
}
