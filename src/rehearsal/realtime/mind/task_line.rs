//! Answers a task line: adds, lists, completes and deletes tasks with the tools on offer. It
//! claims `confirmed` for every deletion, to show that nobody takes its word for it.

use serde_json::{Value, json};

use super::{Act, Mind, Moment, View, phrase, say};
use crate::rehearsal::realtime::conversation::Entry;

pub(super) struct TaskLine;

const GREETING: &str = "Hello, this is your task line. What can I do for you?";
const GOODBYE: &str = "Goodbye.";
const LEFT_ALONE: &str = "All right, I will leave it.";
const WHAT: &str = "Sorry, I did not catch that.";
const CANNOT: &str = "I am sorry, that did not work.";
const STILL_THERE: &str = "Are you still there?";
const EMPTY_LIST: &str = "Your list is empty.";

const ADD: &[&str] = &["add a task to ", "add a task called ", "add a task ", "remind me to "];
const DELETE: &[&str] = &["delete the task called ", "delete the task ", "delete "];
const COMPLETE: &[&str] = &["complete the task ", "complete ", "done with the task ", "done with "];
const LIST: &[&str] = &["on my list", "my tasks", "my list"];
const YES: &[&str] = &["yes", "yes please", "go ahead"];
const NO: &[&str] = &["no", "do not", "dont"];
const BYE: &[&str] = &["goodbye", "bye"];
const AGAIN: &[&str] = &["again", "still there", "pardon"];

impl Mind for TaskLine {
    fn answer(&self, view: &View<'_>) -> Vec<Act> {
        match view.moment() {
            Moment::Opening => say(GREETING),
            Moment::Heard(text) => heard(view, text),
            Moment::Answered { name, arguments, output } => report(name, arguments, output),
            Moment::Waiting => say("One moment, please."),
            Moment::Idle if !view.has_begun(GREETING) => say(GREETING),
            Moment::Idle => say(STILL_THERE),
        }
    }

    fn lines(&self) -> &'static [&'static str] {
        &[GREETING, GOODBYE, LEFT_ALONE, WHAT, CANNOT, STILL_THERE, EMPTY_LIST]
    }
}

fn heard(view: &View<'_>, text: &str) -> Vec<Act> {
    // "Yes, delete it." is an answer before it is an order.
    if let Some(again) = open_question(view) {
        if phrase::hears(text, YES) {
            return vec![again];
        }
        if phrase::hears(text, NO) {
            return say(LEFT_ALONE);
        }
    }
    if let Some(title) = phrase::after(text, ADD) {
        return call(view, "create_task", json!({ "title": title }));
    }
    if let Some(task) = phrase::after(text, DELETE) {
        let claimed = json!({ "task_identifier": task, "confirmed": true });
        return call(view, "delete_task", claimed);
    }
    if let Some(task) = phrase::after(text, COMPLETE) {
        return call(view, "complete_task", json!({ "task_identifier": task }));
    }
    if phrase::hears(text, LIST) {
        return call(view, "list_tasks", json!({}));
    }
    if phrase::hears(text, BYE) {
        return say(GOODBYE).into_iter().chain(view.hang_up()).collect();
    }
    if phrase::hears(text, AGAIN)
        && let Some(last) = view.last_sentence(TaskLine.lines())
    {
        return say(last);
    }
    say(if view.has_begun(GREETING) { WHAT } else { GREETING })
}

fn call(view: &View<'_>, tool: &str, arguments: Value) -> Vec<Act> {
    if !view.offers(tool) {
        return say(CANNOT);
    }
    vec![Act::Call { name: tool.to_owned(), arguments: arguments.to_string() }]
}

/// The call that waits for the caller's yes: the last one, when its answer was a question.
fn open_question(view: &View<'_>) -> Option<Act> {
    let asked = view.entries.iter().rev().find_map(|entry| match entry {
        Entry::Output { call_id, output } => Some((call_id, output)),
        Entry::Call { .. } | Entry::Message { .. } => None,
    });
    let (call_id, output) = asked?;
    question(&parse(output))?;
    let (name, arguments) = view.call(call_id)?;
    Some(Act::Call { name: name.to_owned(), arguments: arguments.to_owned() })
}

/// What is said of a tool's answer.
fn report(tool: &str, arguments: &str, output: &str) -> Vec<Act> {
    let answer = parse(output);
    if let Some(question) = question(&answer) {
        return say(question);
    }
    if !succeeded(&answer) {
        return say(spoken(&answer).unwrap_or(CANNOT));
    }
    let arguments = parse(arguments);
    let task = arguments["task_identifier"].as_str().unwrap_or_default();
    match tool {
        "create_task" => say(format!("I have added {}.", text_in(&arguments, "title"))),
        "complete_task" => say(format!("The task {task} is done.")),
        "delete_task" => say(format!("The task {task} is deleted.")),
        "list_tasks" => say(list(&answer)),
        "hang_up" => Vec::new(),
        _ => say(spoken(&answer).unwrap_or("Done.")),
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn text_in<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

fn question(answer: &Value) -> Option<&str> {
    (text_in(answer, "status") == "confirmation_required").then(|| text_in(answer, "question"))
}

fn spoken(answer: &Value) -> Option<&str> {
    answer["spoken_message"].as_str()
}

/// Whether the answer tells of success: none of the usual marks of a failure, and an object.
fn succeeded(answer: &Value) -> bool {
    const GOOD: &[&str] = &["", "success", "completed", "done", "ok", "created", "deleted"];
    answer.is_object()
        && answer["success"].as_bool() != Some(false)
        && answer["error"].is_null()
        && GOOD.contains(&text_in(answer, "status"))
        && ["", "success"].contains(&text_in(answer, "error_type"))
}

fn list(answer: &Value) -> String {
    const COUNTS: [&str; 9] =
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let tasks = answer["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let titles: Vec<&str> = tasks.iter().filter_map(|task| task["title"].as_str()).collect();
    match titles.as_slice() {
        [] => EMPTY_LIST.to_owned(),
        [only] => format!("You have one task: {only}."),
        [first @ .., last] => {
            let count = COUNTS.get(titles.len() - 2).copied().unwrap_or("many");
            format!("You have {count} tasks: {} and {last}.", first.join(", "))
        }
    }
}
