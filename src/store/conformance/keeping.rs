//! What is kept for the agent, for recordings that a carrier makes, and of the task list.

use std::time::Duration;

use jiff::Timestamp;
use tandem_actors::briefing::{CallId, Text};
use tandem_actors::record::Record as _;
use tandem_actors::tool::Readback;

use super::{World, job, opened, success};
use crate::store::{
    AgentState, AgentTasks, Archive as _, AwaitedFile, CarrierRecordings, Decision, Priority,
    Resolved, TaskBook, TaskChange, TaskList, TaskRow, TaskStatus,
};

pub(in crate::store) async fn tasks_are_numbered_end_once_and_are_lost_with_their_server(
    world: impl World<Store: AgentTasks>,
) {
    let store = world.start("n1").await;
    let (one, other) = (CallId::new("c1"), CallId::new("c2"));
    for call in ["c1", "c2"] {
        store.open(opened(call)).await.unwrap();
    }
    let begin = async |call: &CallId| {
        store.begin_agent_task(call, "pay with 4111 1111 1111 1111".into()).await.unwrap()
    };
    assert_eq!((begin(&one).await, begin(&other).await, begin(&one).await), (1, 1, 2));
    for (state, answer) in [(AgentState::Done, "42"), (AgentState::Cancelled, "never mind")] {
        store.end_agent_task(&one, 1, state, Some(answer.into())).await.unwrap();
    }
    let store = world.start("n1").await;
    assert_eq!(store.lose_agent_tasks().await.unwrap(), 2);
    let tasks = store.agent_tasks(&one).await.unwrap();
    assert_eq!(tasks[0].request.as_str(), "pay with [card number]");
    assert_eq!((tasks[0].state, tasks[0].answer.clone()), (AgentState::Done, Some("42".into())));
    assert_eq!((tasks[1].state, tasks[1].answer.clone()), (AgentState::Lost, None));
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

pub(in crate::store) async fn a_recording_is_found_under_each_of_its_names_in_a_later_run_too(
    world: impl World<Store: CarrierRecordings>,
) {
    let store = world.start("n1").await;
    let (one, other) = (CallId::new("c1"), CallId::new("c2"));
    for call in ["c1", "c2"] {
        store.open(opened(call)).await.unwrap();
    }
    store.name_recording(&one, names(&["r-1"])).await.unwrap();
    store.name_recording(&one, names(&["r-1", "s-1"])).await.unwrap();
    store.name_recording(&other, names(&["r-2", "s-1"])).await.unwrap();
    assert!(store.name_recording(&CallId::new("c3"), names(&["r-3"])).await.is_err());
    let store = world.start("n1").await;
    let whose = async |asked: &[&str]| store.recorded_call(&names(asked)).await.unwrap();
    assert_eq!(whose(&["r-1"]).await, Some(one.clone()));
    assert_eq!(whose(&["new", "s-1", "r-2"]).await, Some(one), "who had the name first");
    assert_eq!(whose(&["r-2", "s-1"]).await, Some(other));
    assert_eq!((whose(&["r-3"]).await, whose(&[]).await), (None, None));
}

pub(in crate::store) async fn a_file_is_awaited_until_it_is_here_or_a_day_has_passed(
    world: impl World<Store: CarrierRecordings>,
) {
    let (store, before) = (world.start("n1").await, Timestamp::now());
    store.open(opened("c1")).await.unwrap();
    let file = |piece: u32| AwaitedFile {
        call: CallId::new("c1"),
        piece,
        location: Text::from("https://a.example/1"),
    };
    let stranger = AwaitedFile { call: CallId::new("c2"), ..file(0) };
    assert!(store.await_files(vec![file(7), stranger]).await.is_err());
    store.await_files(vec![file(0), file(1)]).await.unwrap();
    store.await_files(vec![file(1)]).await.unwrap();
    let store = world.start("n1").await;
    assert_eq!(store.awaited_files(before).await.unwrap(), [file(0), file(1)]);
    store.forget_file(&CallId::new("c1"), 0).await.unwrap();
    assert_eq!(store.awaited_files(before).await.unwrap(), [file(1)]);
    assert!(!format!("{:?}", file(0)).contains("a.example"));
    let later = Timestamp::now() + Duration::from_secs(1);
    assert_eq!(store.awaited_files(later).await.unwrap(), []);
    assert_eq!(store.awaited_files(before).await.unwrap(), [], "it is forgotten");
}

fn task(id: &str) -> TaskRow {
    TaskRow {
        id: id.to_owned(),
        title: Text::from("buy milk"),
        due: None,
        priority: Priority::Medium,
        status: TaskStatus::Pending,
        created_ms: 1,
    }
}

fn ids(book: &TaskBook) -> Vec<String> {
    book.tasks.iter().map(|task| task.id.clone()).collect()
}

pub(in crate::store) async fn a_job_changes_the_list_once_and_touches_what_was_read_back(
    world: impl World<Store: TaskList>,
) {
    let store = world.start("n1").await;
    store.open(opened("c1")).await.unwrap();
    let add = |_: &TaskBook| Decision {
        changes: vec![TaskChange::Add(task("a")), TaskChange::Add(task("b"))],
        done: success("added"),
    };
    let done = store.perform(job("c1", "t1", "{}"), add).await.unwrap();
    assert_eq!(done, success("added"));
    let again = |_: &TaskBook| unreachable!("a job that has run is not decided again");
    assert_eq!(store.perform(job("c1", "t1", "{}"), again).await.unwrap(), done);

    let delete = job("c1", "t2", "{}");
    let asked = Readback {
        question: Text::from("Delete it?"),
        subject: Text::from("milk"),
        fingerprint: "f".to_owned(),
    };
    let readback = asked.clone();
    let resolve = |_: &TaskBook| Ok(Resolved { ids: vec!["a".to_owned()], readback });
    assert_eq!(store.resolve(delete.clone(), resolve).await.unwrap(), Ok(asked));
    // It is there for whoever takes the call over.
    let next = world.start("n1").await;
    next.adopt_orphans("n1".to_owned()).await.unwrap();
    next.settle_orphans("n1".to_owned()).await.unwrap();
    let no = |_: &TaskBook| unreachable!("it is another run's call now");
    assert!(store.perform(delete.clone(), no).await.is_err());
    let gone = |book: &TaskBook| Decision {
        changes: book.resolved.iter().map(|id| TaskChange::Delete { id: id.clone() }).collect(),
        done: success("deleted"),
    };
    next.perform(delete, gone).await.unwrap();
    let look =
        |book: &TaskBook| Decision { changes: Vec::new(), done: success(&ids(book).join(" ")) };
    assert_eq!(next.perform(job("c1", "t3", "{}"), look).await.unwrap(), success("b"));
}
