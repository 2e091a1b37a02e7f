//! The task tools as a call uses them, on a real record, on Wednesday the 4th of March 2026.

mod bulk;
mod dates;
mod lesson;

use std::sync::atomic::{AtomicI8, Ordering};

use serde_json::{Value, json};
use tandem_actors::briefing::{CallId, Direction, Lifecycle, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::{Intent, Opened, Record as _};
use tandem_actors::tool::{Risk, ToolCallId, Verdict};
use tempfile::TempDir;

use super::*;
use crate::store::{Archive as _, LedgerState, Store, TASKS_MAX};
use crate::tool::Shelf;

const CALL: &str = "c1";

/// A call with the tools on a list.
struct Desk {
    _dir: TempDir,
    store: Store,
    shelf: Shelf,
    /// The day of March 2026 that it is.
    day: Arc<AtomicI8>,
    asked: u32,
}

impl Desk {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        open(&store, CALL).await;
        let day = Arc::new(AtomicI8::new(4));
        let today = day.clone();
        let clock: Clock = Arc::new(move || {
            let today = jiff::civil::date(2026, 3, today.load(Ordering::Relaxed));
            today.at(14, 30, 0, 0).in_tz("UTC").unwrap()
        });
        let mut shelf = Shelf::new();
        for tool in all(&store, &clock) {
            shelf.put_strict(tool).unwrap();
        }
        Self { _dir: dir, store, shelf, day, asked: 0 }
    }

    /// A job with an id of its own.
    fn job(&mut self, name: &str, arguments: &Value) -> Job {
        self.asked += 1;
        Job {
            call: CallId::new(CALL),
            id: ToolCallId(format!("t{}", self.asked)),
            name: name.to_owned(),
            arguments: Text(arguments.to_string()),
            scene: None,
        }
    }

    async fn run_job(&self, job: Job) -> (Verdict, Value) {
        let done = self.shelf.get(&job.name).unwrap().run(job).await;
        (done.verdict, serde_json::from_str(done.output.as_str()).unwrap())
    }

    async fn run(&mut self, name: &str, arguments: Value) -> (Verdict, Value) {
        let job = self.job(name, &arguments);
        self.run_job(job).await
    }

    async fn add(&mut self, title: &str, due: Option<&str>, priority: &str) {
        let arguments = json!({ "title": title, "due_date": due, "priority": priority });
        let (verdict, output) = self.run("create_task", arguments).await;
        assert_eq!(verdict, Verdict::Success, "{output}");
    }

    /// Tasks by number; so few at a time that none waits long for those before it.
    async fn fill(&mut self, tasks: usize) {
        let mut jobs: Vec<Job> = (0..tasks)
            .map(|number| self.job("create_task", &json!({ "title": format!("task {number}") })))
            .collect();
        while !jobs.is_empty() {
            let next = jobs.split_off(jobs.len().saturating_sub(50));
            let done = next.into_iter().map(|job| self.run_job(job));
            for (verdict, output) in futures_util::future::join_all(done).await {
                assert_eq!(verdict, Verdict::Success, "{output}");
            }
        }
    }

    async fn titles(&mut self, arguments: Value) -> Vec<String> {
        let (_, output) = self.run("list_tasks", arguments).await;
        let tasks = output["tasks"].as_array().unwrap();
        tasks.iter().map(|task| task["title"].as_str().unwrap().to_owned()).collect()
    }

    async fn read_back(&self, job: &Job) -> Result<Readback, Value> {
        let tool = self.shelf.get(&job.name).unwrap();
        let resolved = tool.read_back(job.clone()).await.unwrap();
        resolved.map_err(|done| serde_json::from_str(done.output.as_str()).unwrap())
    }
}

/// Writes down a call, for its tools to work for.
async fn open(store: &Store, call: &str) {
    let call = Opened {
        call: CallId::new(call),
        direction: Direction::Inbound,
        remote: Number::new("+15550100"),
        local: Number::new("+15550199"),
        task: Text::default(),
        lifecycle: Lifecycle::Dialing,
    };
    store.open(call).await.unwrap();
}

#[tokio::test]
async fn a_task_is_created_listed_done_and_gone_from_the_list() {
    let mut desk = Desk::new().await;
    let (verdict, output) =
        desk.run("create_task", json!({ "title": "  buy milk ", "due_date": "2026-03-05" })).await;
    assert_eq!(verdict, Verdict::Success);
    assert_eq!(output["spoken_message"], "I have added buy milk, due tomorrow.");
    assert_eq!(output["data"]["priority"], "medium");

    let (_, output) = desk.run("list_tasks", json!({})).await;
    assert_eq!(
        output,
        json!({
            "status": "success",
            "spoken_message": "You have one pending task: buy milk, due tomorrow. \
                               Do you want to change it?",
            "tasks": [{
                "number": 1, "title": "buy milk", "due_date": "2026-03-05",
                "priority": "medium", "status": "pending",
            }],
            "total": 1,
        })
    );
    let (_, output) = desk.run("complete_task", json!({ "task_identifier": "Buy Milk" })).await;
    assert_eq!(output["spoken_message"], "I have marked buy milk as done.");
    assert_eq!(desk.titles(json!({})).await, [] as [&str; 0]);
    assert_eq!(desk.titles(json!({ "status": "completed" })).await, ["buy milk"]);
    let (verdict, output) = desk.run("complete_task", json!({ "task_identifier": "milk" })).await;
    assert_eq!(verdict, Verdict::Success);
    assert_eq!(output["spoken_message"], "You have done buy milk already.");
}

#[tokio::test]
async fn the_filters_mean_the_callers_own_days() {
    let mut desk = Desk::new().await;
    desk.day.store(2, Ordering::Relaxed);
    desk.add("monday", Some("2026-03-02"), "low").await;
    desk.add("wednesday", Some("2026-03-04"), "low").await;
    desk.add("thursday", Some("2026-03-05"), "low").await;
    desk.add("sunday", Some("2026-03-08"), "low").await;
    desk.add("next monday", Some("2026-03-09"), "low").await;
    desk.add("some day", None, "high").await;
    desk.add("some day later", None, "low").await;
    desk.day.store(4, Ordering::Relaxed);
    let due = |filter: &str| json!({ "due_filter": filter });
    assert_eq!(desk.titles(due("today")).await, ["wednesday"]);
    assert_eq!(desk.titles(due("tomorrow")).await, ["thursday"]);
    let week = ["monday", "wednesday", "thursday", "sunday"];
    assert_eq!(desk.titles(due("this_week")).await, week);
    assert_eq!(desk.titles(json!({ "status": "overdue" })).await, ["monday"]);
    let all = desk.titles(due("all")).await;
    assert_eq!(all.len(), 7);
    assert_eq!(all[4..], ["next monday", "some day", "some day later"]);
    let (_, output) = desk.run("list_tasks", json!({})).await;
    assert_eq!(
        output["spoken_message"],
        "You have seven pending tasks. The first three are monday, overdue since March 2; \
         wednesday, due today; and thursday, due tomorrow. Shall I read on?"
    );
    assert_eq!(output["tasks"][0]["status"], "overdue");
}

#[tokio::test]
async fn a_number_means_the_list_last_read_out() {
    let mut desk = Desk::new().await;
    for (title, due) in [("one", "2026-03-06"), ("early", "2026-03-05"), ("late", "2026-03-20")] {
        desk.add(title, Some(due), "medium").await;
    }
    assert_eq!(desk.titles(json!({ "due_filter": "this_week" })).await, ["early", "one"]);
    // What comes first now was not there when the caller heard the numbers.
    desk.add("earliest", Some("2026-03-04"), "high").await;
    let (_, output) = desk.run("complete_task", json!({ "task_identifier": "number 1" })).await;
    assert_eq!(output["data"]["title"], "early");
    // An exact title goes before a number.
    let (_, output) = desk.run("complete_task", json!({ "task_identifier": "One" })).await;
    assert_eq!(output["data"]["title"], "one");
    let (verdict, output) = desk.run("complete_task", json!({ "task_identifier": 3 })).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("not_found")));
}

#[tokio::test]
async fn an_ambiguous_name_is_answered_with_the_candidates() {
    let mut desk = Desk::new().await;
    desk.add("call Anna", None, "medium").await;
    desk.add("call the bank", Some("2026-03-05"), "medium").await;
    desk.add("water the plants", None, "medium").await;
    let (verdict, output) =
        desk.run("complete_task", json!({ "task_identifier": "the call" })).await;
    assert_eq!(verdict, Verdict::User);
    assert_eq!(output["error_type"], "user");
    assert_eq!(output["reason"], "ambiguous");
    assert_eq!(
        output["spoken_message"],
        "That fits two tasks: call the bank, due tomorrow; and call Anna. Which one do you mean?"
    );
    assert_eq!(output["candidates"][0]["title"], "call the bank");
    assert_eq!(output["candidates"][1]["title"], "call Anna");
    // The numbers are those of the candidates now.
    let (_, output) =
        desk.run("complete_task", json!({ "task_identifier": "the second one" })).await;
    assert_eq!(output["data"]["title"], "call Anna");
}

#[tokio::test]
async fn wrong_arguments_are_answered_not_guessed() {
    let mut desk = Desk::new().await;
    let wrong = [
        ("create_task", json!({})),
        ("create_task", json!({ "title": "  " })),
        ("create_task", json!({ "title": "x".repeat(201) })),
        ("create_task", json!({ "title": "x", "due_date": "tomorrow" })),
        ("create_task", json!({ "title": 7 })),
        ("create_task", json!({ "title": "x", "priority": "urgent" })),
        ("list_tasks", json!({ "status": "open" })),
        ("list_tasks", json!([])),
        ("complete_task", json!({ "title": "x" })),
        ("complete_task", json!({ "task_identifier": " " })),
        ("reschedule_task", json!({ "due_date": "2026-03-05" })),
        ("reschedule_task", json!({ "task_identifier": "x" })),
        ("reschedule_task", json!({ "task_identifier": "x", "due_date": "" })),
    ];
    for (name, arguments) in wrong {
        let (verdict, output) = desk.run(name, arguments.clone()).await;
        assert_eq!(verdict, Verdict::User, "{name} {arguments}");
        for field in ["error_type", "spoken_message", "suggestion"] {
            assert!(output[field].is_string(), "{name} {arguments}: {output}");
        }
    }
    assert_eq!(desk.titles(json!({ "status": "all", "unknown": 1 })).await.len(), 0);
}

#[tokio::test]
async fn deleting_asks_about_one_task_and_deletes_that_one() {
    let mut desk = Desk::new().await;
    desk.add("buy milk", Some("2026-03-05"), "medium").await;
    desk.add("buy bread", None, "medium").await;
    assert_eq!(desk.shelf.get("delete_task").unwrap().promise().risk, Risk::Destructive);
    let delete = desk.job("delete_task", &json!({ "task_identifier": "1", "confirmed": true }));
    let readback = desk.read_back(&delete).await.unwrap();
    assert_eq!(readback.question.as_str(), "Shall I delete the task buy milk, due tomorrow?");
    // Number one is another task by now; what was asked about is not.
    desk.add("buy eggs", Some("2026-03-04"), "high").await;
    desk.titles(json!({})).await;
    let (verdict, output) = desk.run_job(delete.clone()).await;
    assert_eq!((verdict, &output["data"]["titles"]), (Verdict::Success, &json!(["buy milk"])));
    assert_eq!(desk.titles(json!({ "status": "all" })).await, ["buy eggs", "buy bread"]);

    let again = desk.job("delete_task", &json!({ "task_identifier": "milk" }));
    assert_eq!(desk.read_back(&again).await.unwrap_err()["reason"], "not_found");
    let bought = desk.job("delete_task", &json!({ "task_identifier": "buy" }));
    assert_eq!(desk.read_back(&bought).await.unwrap_err()["reason"], "ambiguous");
}

#[tokio::test]
async fn the_models_own_confirmation_deletes_nothing() {
    let mut desk = Desk::new().await;
    desk.add("buy milk", None, "medium").await;
    let arguments = json!({ "task_identifier": "buy milk", "confirmed": true });
    let (verdict, output) = desk.run("delete_task", arguments).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("not_confirmed")));
    assert_eq!(desk.titles(json!({})).await, ["buy milk"]);
}

#[tokio::test]
async fn an_approval_is_bound_to_the_task_not_to_its_name() {
    let mut desk = Desk::new().await;
    desk.add("buy milk", None, "medium").await;
    let by_title = desk.job("delete_task", &json!({ "task_identifier": "buy milk" }));
    let by_number = desk.job("delete_task", &json!({ "task_identifier": "number one" }));
    let first = desk.read_back(&by_title).await.unwrap();
    assert_eq!(first.fingerprint, desk.read_back(&by_number).await.unwrap().fingerprint);
    desk.run_job(by_title).await;
    desk.add("buy milk", None, "medium").await;
    let another = desk.job("delete_task", &json!({ "task_identifier": "buy milk" }));
    assert_ne!(first.fingerprint, desk.read_back(&another).await.unwrap().fingerprint);
    let (verdict, _) = desk.run_job(by_number).await;
    assert_eq!(verdict, Verdict::User, "what it was read back as is gone");
    assert_eq!(desk.titles(json!({})).await, ["buy milk"]);
}

#[tokio::test]
async fn a_job_that_comes_twice_has_one_effect_and_one_answer() {
    let mut desk = Desk::new().await;
    let job = desk.job("create_task", &json!({ "title": "buy milk" }));
    assert_eq!(desk.store.intend(&job).await.unwrap(), Intent::Fresh);
    let first = desk.run_job(job.clone()).await;
    // Effect and end are written: a crash before the settling changes nothing.
    let Intent::Known(known) = desk.store.intend(&job).await.unwrap() else {
        panic!("its end is not written")
    };
    desk.store.settle(&job, &known).await.unwrap();
    assert_eq!(desk.run_job(job).await, first);
    assert_eq!(desk.titles(json!({})).await, ["buy milk"]);
    let ledger = desk.store.tool_ledger(&CallId::new(CALL)).await.unwrap();
    assert_eq!(ledger[0].state, LedgerState::Done);
}

#[tokio::test]
async fn a_list_is_bounded() {
    let mut desk = Desk::new().await;
    desk.fill(TASKS_MAX).await;
    let (verdict, output) = desk.run("create_task", json!({ "title": "one more" })).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("full")));
    let (_, output) = desk.run("list_tasks", json!({})).await;
    assert_eq!(output["total"], TASKS_MAX);
    assert_eq!(output["tasks"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_record_that_is_closed_makes_a_temporary_failure() {
    let mut desk = Desk::new().await;
    desk.store.close().await.unwrap();
    let (verdict, output) = desk.run("create_task", json!({ "title": "buy milk" })).await;
    assert_eq!((verdict, &output["error_type"]), (Verdict::Temporary, &json!("temporary")));
}
