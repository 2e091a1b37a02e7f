//! Dates: wrong ones are not taken, past ones are asked about, and a task can be moved.

use super::*;

#[tokio::test]
async fn a_task_is_moved_to_another_day_and_to_none() {
    let mut desk = Desk::new().await;
    desk.add("call the bank", None, "medium").await;
    desk.add("buy milk", Some("2026-03-04"), "medium").await;
    let to = |date: Value| json!({ "task_identifier": "the bank", "due_date": date });
    for (date, said, stands) in [
        (json!("2026-03-06"), "I have moved call the bank to Friday.", json!("2026-03-06")),
        (json!("2026-03-06"), "I have moved call the bank to Friday.", json!("2026-03-06")),
        (json!("none"), "call the bank has no date any more.", json!(null)),
        (json!("2026-04-01"), "I have moved call the bank to April 1.", json!("2026-04-01")),
        (json!(null), "call the bank has no date any more.", json!(null)),
    ] {
        let (verdict, output) = desk.run("reschedule_task", to(date)).await;
        assert_eq!((verdict, &output["spoken_message"]), (Verdict::Success, &json!(said)));
        let (_, output) = desk.run("list_tasks", json!({})).await;
        assert_eq!(output["tasks"][1]["title"], "call the bank");
        assert_eq!(output["tasks"][1]["due_date"], stands);
    }
    desk.run("complete_task", json!({ "task_identifier": "the bank" })).await;
    let (_, output) = desk.run("reschedule_task", to(json!("2026-03-06"))).await;
    assert_eq!(output["spoken_message"], "You have done call the bank already.");
    assert_eq!(output["data"]["due_date"], json!(null));
}

#[tokio::test]
async fn which_task_is_moved_is_never_guessed() {
    let mut desk = Desk::new().await;
    desk.add("call Anna", Some("2026-03-05"), "medium").await;
    desk.add("call the bank", None, "medium").await;
    let to = |which: &str| json!({ "task_identifier": which, "due_date": "2026-03-09" });
    let (verdict, output) = desk.run("reschedule_task", to("call")).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("ambiguous")));
    let (_, output) = desk.run("reschedule_task", to("2")).await;
    assert_eq!(output["spoken_message"], "I have moved call the bank to Monday.");
    let (_, output) = desk.run("reschedule_task", to("the dentist")).await;
    assert_eq!(output["reason"], "not_found");
}

#[tokio::test]
async fn a_past_date_is_neither_taken_nor_refused_but_asked_about() {
    let mut desk = Desk::new().await;
    let new = json!({ "title": "pay the rent", "due_date": "2025-03-05" });
    let (verdict, output) = desk.run("create_task", new).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("past_date")));
    assert_eq!(
        output["spoken_message"],
        "March 5, 2025 is in the past. Do you mean tomorrow, or really that day?"
    );
    assert_eq!(output["next_date"], "2026-03-05");
    assert_eq!(desk.titles(json!({ "status": "all" })).await, [] as [&str; 0]);
    // The caller means it: an old debt.
    let meant =
        json!({ "title": "pay the rent", "due_date": "2025-03-05", "past_date_meant": true });
    let (verdict, output) = desk.run("create_task", meant).await;
    assert_eq!((verdict, &output["data"]["status"]), (Verdict::Success, &json!("overdue")));
    let moved = json!({ "task_identifier": "1", "due_date": "2026-03-01" });
    let (_, output) = desk.run("reschedule_task", moved).await;
    assert_eq!(output["reason"], "past_date");
    let (_, output) = desk.run("list_tasks", json!({ "status": "overdue" })).await;
    assert_eq!(
        output["spoken_message"],
        "You have one overdue task: pay the rent, overdue since March 5, 2025. Shall I move it to \
         another day?"
    );
}

#[tokio::test]
async fn filters_of_state_and_date_hold_together() {
    let mut desk = Desk::new().await;
    desk.day.store(2, Ordering::Relaxed);
    for (title, due) in [("a", "2026-03-02"), ("b", "2026-03-04"), ("c", "2026-03-04")] {
        desk.add(title, Some(due), "medium").await;
    }
    desk.day.store(4, Ordering::Relaxed);
    desk.run("complete_task", json!({ "task_identifier": "c" })).await;
    let filtered = |status: &str, due: &str| json!({ "status": status, "due_filter": due });
    assert_eq!(desk.titles(filtered("pending", "today")).await, ["b"]);
    assert_eq!(desk.titles(filtered("completed", "today")).await, ["c"]);
    assert_eq!(desk.titles(filtered("all", "today")).await, ["b", "c"]);
    assert_eq!(desk.titles(filtered("overdue", "this_week")).await, ["a"]);
    let (_, output) = desk.run("list_tasks", filtered("overdue", "today")).await;
    assert_eq!(output["spoken_message"], "You have no overdue tasks due today.");
    // On its last minute a task is not late yet.
    desk.day.store(5, Ordering::Relaxed);
    assert_eq!(desk.titles(filtered("overdue", "all")).await, ["a", "b"]);
}

#[tokio::test]
async fn a_priority_is_one_of_three() {
    let mut desk = Desk::new().await;
    let new = |priority: &str| json!({ "title": "call Anna", "priority": priority });
    let (verdict, output) = desk.run("create_task", new("urgent")).await;
    assert_eq!((verdict, &output["reason"]), (Verdict::User, &json!("invalid_priority")));
    assert_eq!(output["spoken_message"], "Is that of low, medium or high priority?");
    let (_, output) = desk.run("create_task", new("High")).await;
    assert_eq!(output["spoken_message"], "I have added call Anna, with high priority.");
}
