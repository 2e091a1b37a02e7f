//! Answers a task line: adds, lists, completes, moves and deletes tasks with the tools on offer.
//! It claims `confirmed` for every deletion, to show that nobody takes its word for it.

use serde_json::{Value, json};

use super::{Act, Mind, Moment, View, calendar, phrase, say};
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
const CLEAR: &[&str] = &["clear my list", "delete all my tasks", "delete everything"];
const CLEAR_DONE: &[&str] = &["clear my completed tasks", "delete my completed tasks"];
const MOVE: &[&str] = &["move the task ", "move ", "postpone "];
const PRIORITIES: [(&str, &str); 2] =
    [(" with high priority", "high"), (" with low priority", "low")];
const NEXT: &[&str] = &["next", "the next one", "next year"];
const THAT_DAY: &[&str] = &["that day", "the past one"];
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
    if let Some(acts) = reply(view, text).or_else(|| order(view, text)) {
        return acts;
    }
    if phrase::hears(text, BYE) {
        return say(GOODBYE).into_iter().chain(view.hang_up()).collect();
    }
    if phrase::hears(text, AGAIN)
        && let Some(last) = view.last_sentence(TaskLine.lines())
    {
        return say(last);
    }
    if let Some(acts) = choice(view, text) {
        return acts;
    }
    // Neither yes nor no: it is asked once more.
    if let Some((_, question)) = open_question(view) {
        return say(question);
    }
    say(if view.has_begun(GREETING) { WHAT } else { GREETING })
}

/// What the caller says to the last answer of a tool, when that was a question.
fn reply(view: &View<'_>, text: &str) -> Option<Vec<Act>> {
    if let Some((again, _)) = open_question(view) {
        if phrase::hears(text, YES) {
            return Some(vec![again]);
        }
        if phrase::hears(text, NO) {
            return Some(say(LEFT_ALONE));
        }
    }
    let (tool, arguments, answer) = last_answer(view)?;
    let mut arguments = parse(arguments);
    match text_in(&answer, "reason") {
        "past_date" if phrase::hears(text, NEXT) => {
            arguments["due_date"] = answer["next_date"].clone();
        }
        "past_date" if phrase::hears(text, THAT_DAY) => arguments["past_date_meant"] = true.into(),
        "past_date" | "invalid_date" => {
            arguments["due_date"] = calendar::day(text, view.instructions)?.into();
        }
        _ => return None,
    }
    Some(call(view, tool, &arguments))
}

/// One of several tasks that fitted, as it was named or numbered.
fn choice(view: &View<'_>, text: &str) -> Option<Vec<Act>> {
    let (tool, arguments, answer) = last_answer(view)?;
    if text_in(&answer, "reason") != "ambiguous" {
        return None;
    }
    let mut arguments = parse(arguments);
    arguments["task_identifier"] = text.trim_end_matches(['.', ' ', '!']).into();
    Some(call(view, tool, &arguments))
}

fn order(view: &View<'_>, text: &str) -> Option<Vec<Act>> {
    if let Some(task) = phrase::after(text, ADD) {
        return Some(call(view, "create_task", &new_task(task, view.instructions)));
    }
    for (phrases, status) in [(CLEAR, "all"), (CLEAR_DONE, "completed")] {
        if phrase::hears(text, phrases) {
            let claimed = json!({ "status": status, "confirmed": true });
            return Some(call(view, "clear_tasks", &claimed));
        }
    }
    if let Some(task) = phrase::after(text, DELETE) {
        let claimed = json!({ "task_identifier": task, "confirmed": true });
        return Some(call(view, "delete_task", &claimed));
    }
    if let Some((task, day)) = phrase::after(text, MOVE).and_then(|rest| rest.rsplit_once(" to ")) {
        let due = calendar::day(day, view.instructions).unwrap_or_else(|| day.to_owned());
        let moved = json!({ "task_identifier": task, "due_date": due });
        return Some(call(view, "reschedule_task", &moved));
    }
    if let Some(task) = phrase::after(text, COMPLETE) {
        return Some(call(view, "complete_task", &json!({ "task_identifier": task })));
    }
    phrase::hears(text, LIST).then(|| call(view, "list_tasks", &json!({})))
}

/// A task with the day and the priority that were said behind it.
fn new_task(said: &str, instructions: &str) -> Value {
    let priority = PRIORITIES
        .iter()
        .find_map(|(behind, priority)| said.strip_suffix(behind).map(|rest| (rest, *priority)));
    let (rest, _) = priority.unwrap_or((said, ""));
    let (title, due) = calendar::split(rest, instructions);
    let mut task = json!({ "title": title });
    if let Some(due) = due {
        task["due_date"] = due.into();
    }
    if let Some((_, priority)) = priority {
        task["priority"] = priority.into();
    }
    task
}

fn call(view: &View<'_>, tool: &str, arguments: &Value) -> Vec<Act> {
    if !view.offers(tool) {
        return say(CANNOT);
    }
    vec![Act::Call { name: tool.to_owned(), arguments: arguments.to_string() }]
}

/// The last tool that has answered: its name, its arguments, its answer.
fn last_answer<'a>(view: &View<'a>) -> Option<(&'a str, &'a str, Value)> {
    let answered = view.entries.iter().rev().find_map(|entry| match entry {
        Entry::Output { call_id, output } => Some((call_id, output)),
        Entry::Call { .. } | Entry::Message { .. } => None,
    });
    let (call_id, output) = answered?;
    let (name, arguments) = view.call(call_id)?;
    Some((name, arguments, parse(output)))
}

/// The call that waits for the caller's yes, with its question: the last one, when it was
/// answered with a question.
pub(super) fn open_question(view: &View<'_>) -> Option<(Act, String)> {
    let (name, arguments, answer) = last_answer(view)?;
    let question = question(&answer)?.to_owned();
    let again = Act::Call { name: name.to_owned(), arguments: arguments.to_owned() };
    Some((again, question))
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
    match (tool, spoken(&answer)) {
        ("hang_up", _) => Vec::new(),
        // A short list in its own words, of a long one what the tool offers.
        ("list_tasks", words) => say(list(&answer, words)),
        (_, Some(words)) => say(words),
        ("create_task", None) => say(format!("I have added {}.", text_in(&arguments, "title"))),
        ("complete_task", None) => say(format!("The task {task} is done.")),
        ("delete_task", None) => say(format!("The task {task} is deleted.")),
        (_, None) => say("Done."),
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

fn list(answer: &Value, words: Option<&str>) -> String {
    let tasks = answer["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let titles: Vec<&str> = tasks.iter().filter_map(|task| task["title"].as_str()).collect();
    match (titles.as_slice(), words) {
        ([], _) => EMPTY_LIST.to_owned(),
        ([only], _) => format!("You have one task: {only}."),
        ([_, _, _, _, ..], Some(words)) => words.to_owned(),
        ([first @ .., last], _) => {
            let count = match titles.len() {
                2 => "two",
                3 => "three",
                _ => "many",
            };
            format!("You have {count} tasks: {} and {last}.", first.join(", "))
        }
    }
}
