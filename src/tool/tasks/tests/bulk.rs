//! Clearing: one question about all tasks it means, and those tasks only.

use super::*;

fn clear(status: &str) -> Value {
    json!({ "status": status, "confirmed": true })
}

#[tokio::test]
async fn clearing_asks_how_many_tasks_of_which_list_and_names_some() {
    let mut desk = Desk::new().await;
    assert_eq!(desk.shelf.get("clear_tasks").unwrap().promise().risk, Risk::Destructive);
    let asked = async |desk: &mut Desk, status: &str| {
        let job = desk.job("clear_tasks", &clear(status));
        desk.read_back(&job).await.map(|readback| readback.question.0)
    };
    let empty = asked(&mut desk, "all").await.unwrap_err();
    assert_eq!(empty["spoken_message"], "Your list is empty already.");
    desk.add("buy milk", Some("2026-03-05"), "medium").await;
    let one = "Your list has one task: buy milk, due tomorrow. Shall I delete it for good?";
    assert_eq!(asked(&mut desk, "all").await.unwrap(), one);
    desk.add("call Anna", None, "medium").await;
    let two = "Your list has two tasks: buy milk, due tomorrow; and call Anna. Shall I delete \
               both of them for good?";
    assert_eq!(asked(&mut desk, "all").await.unwrap(), two);
    for title in ["water the plants", "call the bank", "pay the rent"] {
        desk.add(title, None, "low").await;
    }
    desk.run("complete_task", json!({ "task_identifier": "milk" })).await;
    assert_eq!(
        asked(&mut desk, "pending").await.unwrap(),
        "You have four pending tasks: call Anna, water the plants, call the bank and one more. \
         Shall I delete all of them for good?"
    );
    assert_eq!(
        asked(&mut desk, "completed").await.unwrap(),
        "You have one completed task: buy milk, due tomorrow. Shall I delete it for good?"
    );
    assert_eq!(asked(&mut desk, "overdue").await.unwrap_err()["total"], 0);
}

#[tokio::test]
async fn an_approval_is_for_exactly_the_tasks_that_were_read_out() {
    let mut desk = Desk::new().await;
    for title in ["buy milk", "call Anna", "pay the rent"] {
        desk.add(title, None, "medium").await;
    }
    let first = desk.job("clear_tasks", &clear("all"));
    let asked = desk.read_back(&first).await.unwrap();
    assert_eq!(asked.subject.as_str(), "buy milk, call Anna, pay the rent");
    // In whatever order they stand by now, they are the same tasks.
    let sooner = json!({ "task_identifier": "the rent", "due_date": "2026-03-04" });
    desk.run("reschedule_task", sooner).await;
    let again = desk.job("clear_tasks", &clear("pending"));
    assert_eq!(desk.read_back(&again).await.unwrap().fingerprint, asked.fingerprint);
    // One more, and the approval is for something else.
    desk.add("buy eggs", None, "medium").await;
    let later = desk.job("clear_tasks", &clear("all"));
    assert_ne!(desk.read_back(&later).await.unwrap().fingerprint, asked.fingerprint);
    // What was read back before is what goes.
    let (verdict, output) = desk.run_job(first).await;
    assert_eq!((verdict, &output["data"]["total"]), (Verdict::Success, &json!(3)));
    assert_eq!(output["spoken_message"], "I have deleted three tasks.");
    assert_eq!(desk.titles(json!({ "status": "all" })).await, ["buy eggs"]);
    // Of the later one only a task is left that it had meant.
    let (_, output) = desk.run_job(later).await;
    assert_eq!(
        output["spoken_message"],
        "I have deleted buy eggs. The other three had gone before."
    );
    let (verdict, output) = desk.run_job(again).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("not_found")));
    assert_eq!(output["spoken_message"], "Those tasks are already gone.");
}

#[tokio::test]
async fn a_list_is_cleared_by_no_default_and_by_no_word_of_the_model() {
    let mut desk = Desk::new().await;
    desk.add("buy milk", None, "medium").await;
    for arguments in [json!({}), json!({ "status": "everything" }), json!([])] {
        let job = desk.job("clear_tasks", &arguments);
        assert_eq!(desk.read_back(&job).await.unwrap_err()["reason"], "invalid");
    }
    let (verdict, output) = desk.run("clear_tasks", clear("all")).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("not_confirmed")));
    assert_eq!(desk.titles(json!({})).await, ["buy milk"]);
}

#[tokio::test]
async fn a_long_list_is_cleared_at_once() {
    let mut desk = Desk::new().await;
    desk.fill(40).await;
    let job = desk.job("clear_tasks", &clear("all"));
    let question = desk.read_back(&job).await.unwrap().question.0;
    assert!(question.starts_with("Your list has 40 tasks: task "), "{question}");
    assert!(question.ends_with(" and 37 more. Shall I delete all of them for good?"));
    let (_, output) = desk.run_job(job).await;
    assert_eq!(output["data"]["total"], 40);
    assert_eq!(desk.titles(json!({ "status": "all" })).await, [] as [&str; 0]);
}
