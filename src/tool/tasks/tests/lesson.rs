//! What goes wrong in tools that are written for a first lesson, and does not here.

use super::*;

/// A confirmation belongs to the call in which it was asked for, whoever knows its id.
#[tokio::test]
async fn an_approval_of_one_call_is_none_in_another() {
    let mut desk = Desk::new().await;
    desk.add("buy milk", None, "medium").await;
    let mut job = desk.job("delete_task", &json!({ "task_identifier": "buy milk" }));
    desk.read_back(&job).await.unwrap();
    open(&desk.store, "c2").await;
    job.call = CallId::new("c2");
    let (verdict, output) = desk.run_job(job).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("not_confirmed")));
    assert_eq!(desk.titles(json!({})).await, ["buy milk"]);
}

/// The numbers of a list belong to the call that heard them.
#[tokio::test]
async fn a_number_means_nothing_to_another_call() {
    let mut desk = Desk::new().await;
    for (title, due) in [("late", Some("2026-03-20")), ("early", Some("2026-03-05"))] {
        desk.add(title, due, "medium").await;
    }
    let late = json!({ "status": "pending", "due_filter": "all" });
    assert_eq!(desk.titles(late).await, ["early", "late"]);
    desk.add("earliest", Some("2026-03-04"), "medium").await;
    open(&desk.store, "c2").await;
    let mut job = desk.job("complete_task", &json!({ "task_identifier": 1 }));
    job.call = CallId::new("c2");
    let (_, output) = desk.run_job(job).await;
    assert_eq!(output["data"]["title"], "earliest", "the order it would be read in");
}

/// A creation that is tried twice would be there twice; it is the one that is not tried again.
#[tokio::test]
async fn only_what_can_be_repeated_promises_to_be_repeatable() {
    let desk = Desk::new().await;
    for promise in desk.shelf.promises() {
        let repeatable = promise.name != "create_task";
        assert_eq!(promise.idempotent, repeatable, "{}", promise.name);
        assert!(promise.deadline < std::time::Duration::from_secs(10), "{}", promise.name);
    }
}

/// Failures are of a kind and have words of ours; what a library says reaches nobody.
#[tokio::test]
async fn every_failure_has_a_kind_and_no_words_of_a_library() {
    let mut desk = Desk::new().await;
    let broken =
        Job { arguments: Text::from("{\"title\": "), ..desk.job("create_task", &json!({})) };
    let (verdict, output) = desk.run_job(broken).await;
    assert_eq!((verdict, &output["error_type"]), (Verdict::User, &json!("user")));
    for library in ["line 1", "column", "EOF", "expected", "serde"] {
        assert!(!output.to_string().contains(library), "{output}");
    }
    desk.store.close().await.unwrap();
    let (verdict, output) = desk.run("list_tasks", json!({})).await;
    assert_eq!((verdict, &output["error_type"]), (Verdict::Temporary, &json!("temporary")));
    for library in ["sqlite", "sqlx", "store:", "closed", "pool"] {
        assert!(!output.to_string().contains(library), "{output}");
    }
}

/// The first task that fits is not taken when a second one does, and there are never more
/// candidates than can be asked about.
#[tokio::test]
async fn many_candidates_are_bounded_and_none_is_taken() {
    let mut desk = Desk::new().await;
    for number in 0..30 {
        desk.add(&format!("call customer {number}"), None, "medium").await;
    }
    let (verdict, output) = desk.run("complete_task", json!({ "task_identifier": "call" })).await;
    assert_eq!((verdict, &output["total"]), (Verdict::User, &json!(30)));
    assert_eq!(output["candidates"].as_array().unwrap().len(), 20);
    assert_eq!(
        output["spoken_message"],
        "That fits 30 tasks, for example call customer 0, call customer 1 and call customer 2. \
         Which one do you mean?"
    );
    assert_eq!(desk.titles(json!({ "status": "completed" })).await, [] as [&str; 0]);
}

/// Three tasks are named, the rest is a number, and a question says how it can go on.
#[tokio::test]
async fn a_long_list_is_told_in_one_breath() {
    let mut desk = Desk::new().await;
    for number in 1..=21 {
        desk.add(&format!("errand {number}"), None, "medium").await;
        let (_, output) = desk.run("list_tasks", json!({})).await;
        let said = output["spoken_message"].as_str().unwrap();
        assert!(said.split(' ').count() < 30 && said.ends_with('?'), "{said}");
        assert_eq!(output["total"], number);
    }
    let (_, output) = desk.run("list_tasks", json!({ "status": "completed" })).await;
    assert_eq!(output["spoken_message"], "You have no completed tasks.");
}
