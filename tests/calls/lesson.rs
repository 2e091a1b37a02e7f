//! The task line as a caller uses it who was taught so: each wish by voice, with summaries,
//! questions back and confirmations; then everything that goes wrong on the way.

pub(crate) mod caller;
mod dates;
mod deletion;
mod persona;
mod settings;
mod slow;

use tandem::store::Archive;

use caller::{Caller, GREETING};

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_made_read_out_moved_done_and_told_apart_by_voice() {
    let stage = Stage::open().await;
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, GREETING);
    let reply = caller.asks("Add a task to call the bank tomorrow.").await;
    // Which day that is to say depends on the hour.
    assert!(reply.starts_with("I have added call the bank, due "), "{reply}");
    for (wish, reply) in [
        (
            "Move the task call the bank to March 5, 2031.",
            "I have moved call the bank to March 5, 2031.",
        ),
        (
            "Add a task to call Anna by March 9, 2031 with high priority.",
            "I have added call Anna, due March 9, 2031, with high priority.",
        ),
        ("Remind me to buy milk.", "I have added buy milk."),
        ("Add a task to water the plants.", "I have added water the plants."),
        (
            "What is on my list?",
            "You have four pending tasks. The first three are call the bank, due March 5, 2031; \
             call Anna, due March 9, 2031; and buy milk. Shall I read on?",
        ),
        (
            "I am done with the call.",
            "That fits two tasks: call the bank, due March 5, 2031; and call Anna, due March 9, \
             2031. Which one do you mean?",
        ),
        ("The second one.", "I have marked call Anna as done."),
        ("I am done with the dentist.", "I could not find that task. Shall I read your list?"),
        (
            "What is on my list?",
            "You have three tasks: call the bank, buy milk and water the plants.",
        ),
        ("Goodbye.", "Goodbye."),
    ] {
        assert_eq!(caller.asks(wish).await, reply, "to {wish:?}");
    }
    let call = caller.call.clone();
    caller.hangs_up().await;
    let ledger = stage.server.desk.store.tool_ledger(&call).await.unwrap();
    assert_eq!(ledger.iter().filter(|row| row.name == "complete_task").count(), 3);
    stage.close().await;
}
