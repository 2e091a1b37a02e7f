//! What must not be kept of a conversation.

use super::*;

impl Script {
    fn caller_says(&mut self, name: &str, words: &str) -> Vec<Output> {
        let item = ItemId(name.into());
        let mut outputs = self.said(Event::CallerStarted(item.clone()), 1);
        outputs.extend(self.said(Event::CallerStopped(item.clone()), 1));
        outputs.extend(self.said(Event::CallerSaid(item, words.into()), 1));
        outputs
    }

    /// What a fresh session would be given.
    fn replayed(&mut self) -> Vec<Entry> {
        self.take(Input::Link(Link::Down("cut".into(), Unfinished::Nothing)));
        let outputs = self.take(Input::Link(Link::Ready));
        let replay = outputs.into_iter().find_map(|output| match output {
            Output::Link(ToLink::Replay(entries)) => Some(entries),
            _ => None,
        });
        replay.expect("a fresh session is given the conversation")
    }
}

fn facts(outputs: &[Output]) -> Vec<&Fact> {
    fn fact(output: &Output) -> Option<&Fact> {
        match output {
            Output::Note(_, fact) => Some(fact),
            _ => None,
        }
    }
    outputs.iter().filter_map(fact).collect()
}

#[test]
fn a_card_number_is_neither_recorded_nor_shown_nor_replayed() {
    let mut call = Script::talking();
    let outputs = call.caller_says("u", "It is 4111 1111 1111 1111.");
    let turn =
        record::Turn { speaker: record::Speaker::Caller, text: "It is [card number].".into() };
    assert!(facts(&outputs).contains(&&Fact::Turn(turn.clone())));
    assert_eq!(call.machine.snapshot().turns.last(), Some(&turn));
    assert_eq!(call.replayed().last(), Some(&Entry::Caller("It is [card number].".into())));
}

#[test]
fn a_card_number_over_two_turns_is_taken_back_from_the_record() {
    let mut call = Script::talking();
    let outputs = call.caller_says("u1", "It is 4111 1111");
    let number = outputs.iter().find_map(|output| match output {
        Output::Note(number, Fact::Turn(_)) => Some(*number),
        _ => None,
    });
    let outputs = call.caller_says("u2", "1111 1111.");
    let masked = Fact::Masked {
        sequence: number.expect("the first turn was told"),
        text: "It is [card number]".into(),
    };
    assert!(facts(&outputs).contains(&&masked), "{outputs:?}");
    let shown: Vec<_> = call.machine.snapshot().turns;
    let shown: Vec<&str> = shown.iter().map(|turn| turn.text.as_str()).collect();
    assert_eq!(shown[shown.len() - 2..], ["It is [card number]", "[card number]."]);
    let replay = call.replayed();
    let caller = ["It is [card number]", "[card number]."].map(|text| Entry::Caller(text.into()));
    assert_eq!(replay[replay.len() - 2..], caller);
}

#[test]
fn an_answer_to_a_question_for_a_code_is_masked_and_heard_by_the_guard_as_it_is() {
    let mut call = Script::talking();
    let response = ResponseId("q".into());
    call.said(Event::Responding { response: response.clone(), tag: None }, 2);
    let (item, words) = (ItemId("q".into()), "Please tell me the code.".into());
    call.said(Event::Said { response, item, words }, 2);
    let outputs = call.caller_says("u", "Four seven one one, zero two.");
    assert!(shows(&outputs, "Turn"));
    let shown = call.machine.snapshot().turns;
    assert_eq!(shown.last().map(|turn| turn.text.as_str()), Some("[code]."));
}

#[test]
fn what_we_say_and_what_tools_are_given_is_masked_too() {
    let mut call = Script::talking();
    let response = ResponseId("r".into());
    call.said(Event::Responding { response: response.clone(), tag: None }, 2);
    let (item, words) = (ItemId("r".into()), "I repeat: 4111 1111 1111 1111.".into());
    call.said(Event::Said { response: response.clone(), item, words }, 2);
    let arguments: Text = r#"{"card":"4111111111111111","pin":"0417"}"#.into();
    let id = ToolCallId("t".into());
    let asked = Event::Asked { response, id, name: "look".into(), arguments: arguments.clone() };
    let outputs = call.said(asked, 2);
    let kept: Text = r#"{"card":"[card number]","pin":"[PIN]"}"#.into();
    for fact in facts(&outputs) {
        if let Fact::ToolAsked { arguments, .. } = fact {
            assert_eq!(*arguments, kept);
        }
    }
    let run = outputs.iter().find_map(|output| match output {
        Output::Run(job) => Some(job.arguments.clone()),
        _ => None,
    });
    assert_eq!(run, Some(arguments), "the tool itself is given what the model said");
    let outputs = call.drained();
    let turn =
        record::Turn { speaker: record::Speaker::Agent, text: "I repeat: [card number].".into() };
    assert!(facts(&outputs).contains(&&Fact::Turn(turn)), "{outputs:?}");
    let asked = call.replayed().into_iter().find_map(|entry| match entry {
        Entry::Asked { arguments, .. } => Some(arguments),
        _ => None,
    });
    assert_eq!(asked, Some(kept));
}

#[test]
fn keys_are_told_together_and_what_is_kept_of_them_is_masked() {
    let mut call = Script::talking();
    let press = |call: &mut Script, keys: &str| {
        for key in keys.chars() {
            let digit = Digit::new(key).expect("a key");
            let outputs = call.take(Input::Phone(Phone::Pressed(digit)));
            assert!(key == '#' || !shows(&outputs, "Remember"), "one after the other");
        }
    };
    press(&mut call, "4111111111111111");
    let outputs = call.wait(SECOND * 2);
    let told = outputs.iter().find_map(|output| match output {
        Output::Link(ToLink::Tell(Command::Remember(Entry::Note(text)))) => Some(text.clone()),
        _ => None,
    });
    let told = told.expect("the model is told");
    assert_eq!(told.as_str(), "The caller pressed on the keypad: 4111111111111111");
    assert!(shows(&outputs, "Respond"));
    let kept = "The caller pressed on the keypad: [card number]".into();
    assert_eq!(call.replayed().last(), Some(&Entry::Note(kept)));
}
