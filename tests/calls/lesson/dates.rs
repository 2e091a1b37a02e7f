//! Dates that are none, dates that are past, and a tool that nobody has.

use tandem::rehearsal::realtime::{Fault, Whom};

use super::caller::{Caller, GREETING, told};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_date_that_is_none_or_past_is_asked_about() {
    let stage = Stage::open().await;
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, GREETING);
    assert_eq!(
        caller.asks("Add a task to pay the rent by February 30.").await,
        "There is no such day in the calendar. Which day do you mean?"
    );
    assert_eq!(
        caller.asks("March 5, 2031.").await,
        "I have added pay the rent, due March 5, 2031."
    );
    let question = caller.asks("Add a task to call the bank by March 5, 2020.").await;
    let asked = "March 5, 2020 is in the past. Do you mean ";
    assert!(question.starts_with(asked) && question.ends_with(", or really that day?"));
    assert_eq!(
        caller.asks("Really that day.").await,
        "I have added call the bank, overdue since March 5, 2020."
    );
    caller.asks("Add a task to call Anna by March 5, 2020.").await;
    let taken = caller.asks("The next one.").await;
    assert!(taken.starts_with("I have added call Anna, due "), "{taken}");
    caller.hangs_up().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_nobody_has_does_not_stop_the_conversation() {
    let stage = Stage::open().await;
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, GREETING);
    let model = stage.stagehand().model.clone().expect("a simulated model");
    model.misbehave(Whom::Live, Fault::UnknownTool);
    assert_eq!(caller.asks("What is on my list?").await, "Your list is empty.");
    let answered = told(&stage, &caller.call, &["tool_answered"], &["name", "verdict"]).await;
    assert_eq!(
        answered,
        ["tool_answered launch_rocket permanent", "tool_answered list_tasks success"]
    );
    caller.hangs_up().await;
    stage.close().await;
}
