//! Dialogues as scripts: who said what, and what is answered.

use serde_json::json;

use super::*;

const BOOK: &str = "You ring restaurants.\nToday is 2026-11-21.\nTask: make a reservation for Sam.";
const TASKS: &str = "Task: answer the task line.";

/// A conversation that grows as a session's does.
struct Talk {
    instructions: &'static str,
    tools: Vec<String>,
    entries: Vec<Entry>,
}

impl Talk {
    fn new(instructions: &'static str, tools: &[&str]) -> Self {
        let tools = tools.iter().map(|tool| (*tool).to_owned()).collect();
        Self { instructions, tools, entries: Vec::new() }
    }

    fn message(&mut self, role: Role, text: &str) {
        self.entries.push(Entry::Message { role, text: text.to_owned() });
    }

    fn think_with(&self, instructions: &str) -> Vec<Act> {
        think(&View { entries: &self.entries, instructions, tools: &self.tools })
    }

    /// Lets it answer what stands; what it does becomes part of the conversation.
    fn answer(&mut self) -> String {
        let acts = self.think_with(self.instructions);
        let mut told = Vec::new();
        for act in acts {
            match act {
                Act::Say(text) => {
                    self.message(Role::Assistant, &text);
                    told.push(text);
                }
                Act::Call { name, arguments } => {
                    told.push(format!("{name}{arguments}"));
                    let call_id = format!("call_{}", self.entries.len());
                    self.entries.push(Entry::Call { call_id, name, arguments });
                }
            }
        }
        told.join(" | ")
    }

    fn hears(&mut self, text: &str) -> String {
        self.message(Role::User, text);
        self.answer()
    }

    fn gets(&mut self, output: &serde_json::Value) -> String {
        let asked = self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Call { call_id, .. } => Some(call_id.clone()),
            Entry::Message { .. } | Entry::Output { .. } => None,
        });
        let call_id = asked.expect("a tool was asked for");
        self.entries.push(Entry::Output { call_id, output: output.to_string() });
        self.answer()
    }
}

#[test]
fn a_table_is_booked_written_down_and_the_call_ended() {
    let mut talk = Talk::new(BOOK, &["create_task", "hang_up"]);
    let opening = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
    assert_eq!(talk.hears("Luigi's, my name is Mario."), opening);
    assert_eq!(talk.hears("Hello? Are you still there?"), opening);
    assert_eq!(talk.hears("Yes we do."), "Yes, please.");
    let name = "Under the name Sam, please.";
    assert_eq!(talk.hears("Yes, seven is fine. Under which name?"), name);
    assert_eq!(talk.hears("Sorry, could you say that again?"), name);
    assert_eq!(
        talk.hears("Very well, Sam. A table for four at seven. Anything else?"),
        r#"create_task{"due_date":"2026-11-21","priority":"high","title":"Table for four at seven at Luigi's"}"#
    );
    let done = json!({ "success": true, "spoken_message": "Noted." });
    assert_eq!(talk.gets(&done), "No, that is all. Thank you, goodbye. | hang_up{}");
    assert_eq!(talk.gets(&json!({})), "");
}

#[test]
fn the_opening_is_said_once_whatever_is_replayed() {
    let mut talk = Talk::new(BOOK, &[]);
    talk.message(Role::Assistant, "Hello, I am calling for Sam. Do you have");
    talk.message(Role::User, "hm");
    talk.message(Role::Assistant, "a table for four at seven tonight?");
    assert_eq!(talk.hears("Under what name?"), "Under the name Sam, please.");
    assert_eq!(talk.hears("Anything else?"), "No, that is all. Thank you, goodbye.");
}

#[test]
fn a_barely_begun_opening_is_begun_again() {
    let mut talk = Talk::new(BOOK, &[]);
    talk.message(Role::Assistant, "Hello, I am");
    assert!(talk.hears("Hello?").starts_with("Hello, I am calling for Sam."));
}

#[test]
fn after_a_cut_the_sentence_goes_on_with_the_calls_that_belonged_to_it() {
    let mut talk = Talk::new(BOOK, &["hang_up"]);
    talk.message(Role::Assistant, "Hello, I am calling for Sam. Do you have a");
    let on = format!("{BOOK}\nContinue after: \"Hello, I am calling for Sam. Do you have a\"");
    assert_eq!(talk.think_with(&on), say("table for four at seven tonight?"));

    talk.answer();
    talk.message(Role::User, "Anything else?");
    talk.message(Role::Assistant, "No, that is");
    talk.message(Role::System, "The line was repaired.");
    let on = format!("{BOOK}\nContinue after: \"No, that is\"");
    let acts = talk.think_with(&on);
    assert_eq!(acts[0], Act::Say("all. Thank you, goodbye.".to_owned()));
    assert!(matches!(&acts[1], Act::Call { name, .. } if name == "hang_up"));

    let lost = format!("{BOOK}\nContinue after: \"Something else entirely\"");
    assert_eq!(talk.think_with(&lost), say("As I was saying."));
}

#[test]
fn an_order_to_speak_is_obeyed_to_the_letter() {
    let talk = Talk::new(TASKS, &[]);
    let order = r#"Say exactly: "Shall I delete the task "Buy milk"?""#;
    assert_eq!(talk.think_with(order), say(r#"Shall I delete the task "Buy milk"?"#));
}

#[test]
fn tasks_are_added_and_listed_from_what_the_tool_says() {
    let mut talk = Talk::new(TASKS, &["create_task", "list_tasks", "hang_up"]);
    assert_eq!(talk.answer(), "Hello, this is your task line. What can I do for you?");
    assert_eq!(talk.hears("Add a task to buy milk."), r#"create_task{"title":"buy milk"}"#);
    assert_eq!(talk.gets(&json!({ "success": true })), "I have added buy milk.");
    for (tasks, said) in [
        (json!([]), "Your list is empty."),
        (json!([{ "title": "A" }]), "You have one task: A."),
        (json!([{ "title": "A" }, { "title": "B" }]), "You have two tasks: A and B."),
    ] {
        assert_eq!(talk.hears("What is on my list?"), "list_tasks{}");
        assert_eq!(talk.gets(&json!({ "tasks": tasks })), said);
    }
    assert_eq!(talk.hears("Goodbye."), "Goodbye. | hang_up{}");
}

#[test]
fn a_deletion_is_asked_back_word_for_word_and_repeated_after_a_yes() {
    let mut talk = Talk::new(TASKS, &["delete_task"]);
    let claim = r#"delete_task{"confirmed":true,"task_identifier":"Buy milk"}"#;
    let question =
        json!({ "status": "confirmation_required", "question": "Delete it? Yes or no?" });
    assert_eq!(talk.hears("Delete the task Buy milk."), claim);
    assert_eq!(talk.gets(&question), "Delete it? Yes or no?");
    assert_eq!(talk.hears("Yes, delete it."), claim);
    assert_eq!(talk.gets(&json!({ "status": "success" })), "The task Buy milk is deleted.");

    talk.hears("Delete the task Buy milk.");
    talk.gets(&question);
    assert_eq!(talk.hears("No."), "All right, I will leave it.");
    talk.hears("Delete the task Buy milk.");
    let declined = json!({ "status": "declined", "spoken_message": "I left it alone." });
    assert_eq!(talk.gets(&declined), "I left it alone.");
}

#[test]
fn a_yes_to_nothing_deletes_nothing() {
    let mut talk = Talk::new(TASKS, &["delete_task"]);
    talk.answer();
    assert_eq!(talk.hears("Yes."), "Sorry, I did not catch that.");
}

#[test]
fn a_tool_that_was_never_offered_does_not_derail_the_answer() {
    let mut talk = Talk::new(TASKS, &["list_tasks"]);
    talk.message(Role::User, "What is on my list?");
    talk.entries.push(Entry::Call {
        call_id: "call_x".to_owned(),
        name: "launch_rocket".to_owned(),
        arguments: "{}".to_owned(),
    });
    talk.entries.push(Entry::Output { call_id: "call_x".to_owned(), output: "{}".to_owned() });
    assert_eq!(talk.answer(), "list_tasks{}");
}

#[test]
fn chatter_gives_back_what_it_heard() {
    let mut talk = Talk::new("Be brief.", &["look_up", "hang_up"]);
    assert_eq!(talk.hears("line 0427 count to nine."), "You said: line 0427 count to nine.");
    assert_eq!(talk.hears(""), "Sorry, I did not catch that.");
    assert!(talk.hears("Tell me a story.").starts_with("Once upon a time"));
    assert_eq!(talk.hears("Use the tool look up."), "look_up{}");
    assert_eq!(talk.gets(&json!({ "spoken_message": "Found." })), "Found.");
    assert_eq!(talk.hears("Thanks."), "You said: Thanks.", "it is told once");
    talk.hears("Use the tool look up.");
    talk.message(Role::User, "Take your time.");
    assert_eq!(talk.gets(&json!({ "spoken_message": "Found." })), "Found.");
    talk.hears("Use the tool look up.");
    let Some(Entry::Call { call_id, .. }) = talk.entries.last().cloned() else { panic!("a call") };
    let output = json!({ "spoken_message": "Found." }).to_string();
    talk.entries.push(Entry::Output { call_id, output });
    assert_eq!(talk.hears("Take your time."), "Found. | You said: Take your time.");
    assert_eq!(talk.hears("Goodbye."), "Goodbye. | hang_up{}");
}

#[test]
fn instructions_of_a_response_that_do_not_name_the_task_make_it_unknown() {
    let mut talk = Talk::new(BOOK, &[]);
    talk.message(Role::User, "Hello?");
    assert_eq!(talk.think_with("Greet the caller."), say("You said: Hello."));
}

const TODAY: &str = "Task: answer the task line.\nToday is Wednesday, 2026-03-04.";

#[test]
fn a_task_is_written_down_with_its_day_and_its_priority() {
    let mut talk = Talk::new(TODAY, &["create_task", "reschedule_task", "clear_tasks"]);
    for (said, arguments) in [
        (
            "Add a task to pay the rent tomorrow.",
            r#"{"due_date":"2026-03-05","title":"pay the rent"}"#,
        ),
        (
            "Remind me to call Anna by March 9 with high priority, please.",
            r#"{"due_date":"2026-03-09","priority":"high","title":"call Anna"}"#,
        ),
    ] {
        assert_eq!(talk.hears(said), format!("create_task{arguments}"));
    }
    assert_eq!(
        talk.hears("Move the task call Anna to March 5, 2031."),
        r#"reschedule_task{"due_date":"2031-03-05","task_identifier":"call Anna"}"#
    );
    let all = r#"clear_tasks{"confirmed":true,"status":"all"}"#;
    assert_eq!(talk.hears("Please clear my list."), all);
}

#[test]
fn what_a_tool_asks_back_is_answered_with_the_same_call() {
    let mut talk = Talk::new(TODAY, &["create_task", "complete_task"]);
    talk.hears("Add a task to pay the rent by March 1.");
    let past = json!({ "status": "error", "error_type": "user", "reason": "past_date",
        "spoken_message": "That is past.", "next_date": "2027-03-01" });
    assert_eq!(talk.gets(&past), "That is past.");
    let next = r#"create_task{"due_date":"2027-03-01","title":"pay the rent"}"#;
    assert_eq!(talk.hears("The next one."), next);
    talk.gets(&past);
    let meant =
        r#"create_task{"due_date":"2027-03-01","past_date_meant":true,"title":"pay the rent"}"#;
    assert_eq!(talk.hears("Really that day."), meant);
    talk.hears("I am done with the call.");
    let several = json!({ "status": "error", "error_type": "user", "reason": "ambiguous",
        "spoken_message": "Which one?" });
    assert_eq!(talk.gets(&several), "Which one?");
    let second = r#"complete_task{"task_identifier":"The second one"}"#;
    assert_eq!(talk.hears("The second one."), second);
}

#[test]
fn a_question_without_an_answer_is_put_again() {
    let mut talk = Talk::new(TASKS, &["delete_task"]);
    talk.hears("Delete the task Buy milk.");
    talk.gets(&json!({ "status": "confirmation_required", "question": "Delete it?" }));
    assert_eq!(talk.hears("Hmm, let me think."), "Delete it?");
}

#[test]
fn what_it_says_of_itself_and_first_is_what_its_instructions_say() {
    let told = "Before anything else you say in this call, say that you are an AI assistant.\n\
                Asked, say at once that you are an AI assistant.\n\
                Opening: \"Good day, Luigi's.\"\nTask: answer the task line.";
    let mut talk = Talk::new(told, &["list_tasks"]);
    assert_eq!(talk.answer(), "This is an AI assistant. Good day, Luigi's.");
    assert_eq!(talk.hears("Are you a robot?"), "I am an AI assistant.");
    assert_eq!(talk.hears("What is on my list?"), "list_tasks{}");

    let mut talk = Talk::new(told, &[]);
    talk.message(Role::Assistant, "This is an AI assistant. Good");
    let on = format!("{told}\nContinue after: \"This is an AI assistant. Good\"");
    assert_eq!(talk.think_with(&on), say("day, Luigi's."));

    let mut talk = Talk::new(TASKS, &[]);
    assert_ne!(talk.hears("Are you a robot?"), "I am an AI assistant.", "nobody told it to");
}

const ASK: &str = "Task: Ask for information only and agree to nothing. Question: Do you have a \
                   table for four at seven?\nYou know nothing else.";

#[test]
fn an_inquiry_asks_one_thing_after_another_and_reports_what_it_heard() {
    let mut talk = Talk::new(ASK, &["report_result", "hang_up"]);
    let opening = "Hello, just a question. Do you have a table for four at seven?";
    assert_eq!(talk.hears("Trattoria Rosa, good evening."), opening);
    assert_eq!(talk.hears("Sorry, could you say that again?"), opening);
    assert_eq!(talk.hears("Yes, we have a table at seven."), "What does it cost?");
    let hold = "Would you hold it, and until when?";
    assert_eq!(talk.hears("The menu is 32 euros each."), hold);
    let parting = talk.hears("Yes, we hold it until six without payment.");
    let report = parting.strip_prefix("Thank you, goodbye. | report_result");
    let report = report.and_then(|rest| rest.strip_suffix(" | hang_up{}")).unwrap();
    let told: serde_json::Value = serde_json::from_str(report).unwrap();
    assert_eq!(told["status"], "achieved");
    assert_eq!(
        told["data"],
        json!({
            "available": true, "timing": "at seven", "price": 32, "currency": "EUR",
            "hold": { "possible": true, "until": "six", "without_payment": true },
            "words": {
                "available": "Yes, we have a table at seven.",
                "timing": "Yes, we have a table at seven.",
                "price": "The menu is 32 euros each.",
                "hold": "Yes, we hold it until six without payment.",
            },
        })
    );
}

#[test]
fn an_inquiry_makes_nothing_up() {
    let mut talk = Talk::new(ASK, &["report_result", "hang_up"]);
    talk.hears("The Full House, hello.");
    talk.message(Role::Assistant, "Are you still there?");
    let parting = talk.hears("I am sorry, we are fully booked tonight.");
    assert!(parting.starts_with("That is a pity.") && parting.contains(r#""available":false"#));
    assert!(!parting.contains("price") && !parting.contains("timing"), "{parting}");

    let mut talk = Talk::new(ASK, &["report_result"]);
    talk.hears("Hello.");
    talk.hears("Only at nine.");
    for _ in 0..2 {
        talk.hears("Could you say that again?");
    }
    let parting = talk.hears("No.");
    assert!(parting.contains(r#""timing":"at nine""#) && !parting.contains("price"), "{parting}");
    assert!(parting.contains(r#""hold":{"possible":false}"#), "{parting}");
}

#[test]
fn a_follow_up_says_that_it_is_one() {
    let told = "Task: This is a follow-up call. Take the table.\nReserve a table, it said.";
    let mut talk = Talk::new(told, &["report_result", "hang_up"]);
    assert_eq!(
        talk.hears("Trattoria Rosa, good evening."),
        "Hello, this is a follow-up to our call. Take the table."
    );
    let parting = talk.hears("Very well, the table at seven is yours. Anything else?");
    assert!(parting.contains(r#""agreed":true"#) && parting.ends_with("hang_up{}"), "{parting}");
}
