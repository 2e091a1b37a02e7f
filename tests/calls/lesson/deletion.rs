//! Deletions: nothing goes without a clear yes of the caller, whatever the model believes.

use tandem::rehearsal::realtime::{Fault, Whom};

use super::caller::{Caller, GREETING, told};
use crate::stage::Stage;

const QUESTION: &str = "Shall I delete the task buy milk?";
const EMPTY: &str = "Your list is empty.";
const ONE: &str = "You have one task: buy milk.";

/// A caller with one task on their list.
async fn with_a_task(stage: &Stage) -> Caller {
    let mut caller = Caller::rings(stage).await;
    assert_eq!(caller.hears().await, GREETING);
    assert_eq!(caller.asks("Remind me to buy milk.").await, "I have added buy milk.");
    caller
}

const STEPS: &[&str] = &["confirmation_asked", "confirmation_step", "confirmation_settled"];

/// What the record says of the questions of a call.
async fn steps(stage: &Stage, caller: &Caller) -> Vec<String> {
    told(stage, &caller.call, STEPS, &["step", "verdict", "by"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_deletes_and_every_step_of_it_is_in_the_record() {
    let stage = Stage::open().await;
    let mut caller = with_a_task(&stage).await;
    assert_eq!(caller.asks("Delete the task buy milk.").await, QUESTION);
    assert_eq!(caller.asks("Yes, delete it.").await, "I have deleted buy milk.");
    assert_eq!(caller.asks("What is on my list?").await, EMPTY);
    assert_eq!(
        steps(&stage, &caller).await,
        [
            "confirmation_asked",
            "confirmation_step heard",
            "confirmation_settled approved voice",
            "confirmation_step used",
        ]
    );
    let tools = told(&stage, &caller.call, &["tool_asked", "tool_answered"], &["name", "verdict"]);
    assert_eq!(
        tools.await[2..6],
        [
            "tool_asked delete_task",
            "tool_answered delete_task user",
            "tool_asked delete_task",
            "tool_answered delete_task success",
        ]
    );
    // The caller's words may be written down after the model has acted on them.
    let kinds = ["turn", "confirmation_settled", "confirmation_step"];
    let story = told(&stage, &caller.call, &kinds, &["speaker", "text", "step", "verdict", "by"]);
    let story = story.await;
    let at = |event: &str| story.iter().position(|told| told == event).expect(event);
    let in_order = [
        "turn assistant Shall I delete the task buy milk?",
        "confirmation_step heard",
        "turn user Yes, delete it.",
        "confirmation_settled approved voice",
        "confirmation_step used",
        "turn assistant I have deleted buy milk.",
    ];
    assert!(in_order.map(at).is_sorted(), "{story:?}");
    caller.hangs_up().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_leaves_it_and_what_is_neither_is_asked_again() {
    let stage = Stage::open().await;
    let mut caller = with_a_task(&stage).await;
    assert_eq!(caller.asks("Delete the task buy milk.").await, QUESTION);
    assert_eq!(caller.asks("No, keep it.").await, "All right, I will leave it.");
    assert_eq!(caller.asks("What is on my list?").await, ONE);
    assert_eq!(caller.asks("Delete the task buy milk.").await, QUESTION);
    assert_eq!(caller.asks("Hmm, let me think.").await, QUESTION, "neither yes nor no");
    assert_eq!(caller.asks("What is on my list?").await, ONE);
    let settled = steps(&stage, &caller).await;
    assert!(!settled.iter().any(|step| step.contains("approved")), "{settled:?}");
    assert!(settled.contains(&"confirmation_settled declined voice".to_owned()), "{settled:?}");
    assert!(settled.contains(&"confirmation_settled unclear voice".to_owned()), "{settled:?}");
    caller.hangs_up().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_confirms_for_itself_has_confirmed_nothing() {
    let stage = Stage::open().await;
    let mut caller = with_a_task(&stage).await;
    let model = stage.stagehand().model.clone().expect("a simulated model");
    model.misbehave(Whom::Live, Fault::SelfConfirms);
    // It is told to ask, claims instead, and is told to ask once more.
    assert_eq!(caller.asks("Delete the task buy milk.").await, QUESTION);
    assert_eq!(
        steps(&stage, &caller).await[..3],
        ["confirmation_asked", "confirmation_step claimed_unanswered", "confirmation_asked"]
    );
    assert_eq!(caller.asks("No.").await, "All right, I will leave it.");
    assert_eq!(caller.asks("What is on my list?").await, ONE);
    caller.hangs_up().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_list_goes_after_one_question_that_says_how_many() {
    let stage = Stage::open().await;
    let mut caller = with_a_task(&stage).await;
    caller.asks("Remind me to call Anna.").await;
    assert_eq!(
        caller.asks("Please clear my list.").await,
        "Your list has two tasks: buy milk and call Anna. Shall I delete both of them for good?"
    );
    assert_eq!(caller.asks("Yes, go ahead.").await, "I have deleted two tasks.");
    assert_eq!(caller.asks("What is on my list?").await, EMPTY);
    caller.hangs_up().await;
    stage.close().await;
}
