//! Calls that are made later: each time is seen to once, and an account has so many to come.

use super::World;
use crate::account::Account;
use crate::store::{Once, Ordered, RunRow, SCHEDULES_MAX, ScheduleRow, Schedules};

fn schedule(id: &str, account: &Account, next_ms: i64) -> ScheduleRow {
    ScheduleRow {
        id: id.to_owned(),
        account: account.clone(),
        spec: "{}".to_owned(),
        state: "active".to_owned(),
        next_ms: Some(next_ms),
        made_ms: 1,
    }
}

fn run(due_ms: i64, verdict: &str) -> RunRow {
    let (verdict, call) = (verdict.to_owned(), Some("c1".to_owned()));
    RunRow { due_ms, ran_ms: due_ms + 1, verdict, call, detail: None }
}

/// What came of a schedule, the newest first.
async fn verdicts(store: &impl Schedules) -> Vec<(i64, String)> {
    let (_schedule, runs) = store.history("s1").await.unwrap().unwrap();
    runs.into_iter().map(|run| (run.due_ms, run.verdict)).collect()
}

pub(in crate::store) async fn a_time_is_seen_to_once_and_the_next_is_due(
    world: impl World<Store: Schedules>,
) {
    let (store, house) = (world.start("n1").await, Account::house());
    let kept = store.schedule(schedule("s1", &house, 100), None).await.unwrap();
    assert_eq!(kept, Some(Ordered::New(())));
    assert_eq!(store.due_schedules(99).await.unwrap(), []);
    assert_eq!(store.due_schedules(100).await.unwrap()[0].id, "s1");
    store.ran("s1".to_owned(), run(100, "placed"), Some(200)).await.unwrap();
    store.ran("s1".to_owned(), run(100, "missed"), Some(200)).await.unwrap();
    assert_eq!(verdicts(&store).await, [(100, "placed".to_owned())], "the first word stays");
    let next = world.start("n1").await;
    assert_eq!(next.due_schedules(199).await.unwrap(), []);
    next.ran("s1".to_owned(), run(200, "missed"), None).await.unwrap();
    let (first, second) = ((200, "missed".to_owned()), (100, "placed".to_owned()));
    assert_eq!(verdicts(&next).await, [first, second], "the newest first");
    assert_eq!(next.due_schedules(i64::MAX).await.unwrap(), []);
    assert_eq!(next.one_schedule("s1").await.unwrap().unwrap().state, "done");
}

pub(in crate::store) async fn a_history_is_that_of_the_schedule_shown_with_it(
    world: impl World<Store: Schedules>,
) {
    const TIMES: i64 = 100;
    let (store, house) = (world.start("n1").await, Account::house());
    store.schedule(schedule("s1", &house, 0), None).await.unwrap();
    let writes = async {
        for due in 0..TIMES {
            let next = (due + 1 < TIMES).then_some(due + 1);
            store.ran("s1".to_owned(), run(due, "placed"), next).await.unwrap();
        }
    };
    let reads = async {
        loop {
            let (row, runs) = store.history("s1").await.unwrap().unwrap();
            let seen_to = i64::try_from(runs.len()).unwrap();
            assert_eq!(row.next_ms, (seen_to < TIMES).then_some(seen_to), "{row:?}");
            if row.state == "done" {
                break;
            }
        }
    };
    tokio::join!(writes, reads);
}

pub(in crate::store) async fn what_is_cancelled_is_not_due_and_accounts_have_their_own(
    world: impl World<Store: Schedules>,
) {
    let (store, house) = (world.start("n1").await, Account::house());
    let ann: Account = "ann".parse().unwrap();
    for place in 0..SCHEDULES_MAX {
        let row = schedule(&format!("s{place}"), &house, 100 + place);
        assert!(store.schedule(row, None).await.unwrap().is_some());
    }
    let more = || schedule("more", &house, 1);
    assert_eq!(store.schedule(more(), None).await.unwrap(), None, "so many are to come");
    store.cancel_schedule("s0".to_owned()).await.unwrap();
    assert_eq!(store.one_schedule("s0").await.unwrap().unwrap().state, "cancelled");
    assert_eq!(store.due_schedules(101).await.unwrap()[0].id, "s1");
    let once =
        Once { account: house.clone(), key: "k1".to_owned(), digest: "d".to_owned(), again: false };
    let kept = store.schedule(more(), Some(once.clone())).await.unwrap();
    assert_eq!(kept, Some(Ordered::New(())));
    let again = store.schedule(schedule("twin", &house, 1), Some(once)).await.unwrap();
    assert_eq!(again, Some(Ordered::Before("more".to_owned())));
    assert_eq!(store.one_schedule("twin").await.unwrap(), None);
    store.schedule(schedule("hers", &ann, 1), None).await.unwrap();
    let hers = store.schedules(Some(&ann)).await.unwrap();
    assert_eq!(hers.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["hers"]);
    let all = store.schedules(None).await.unwrap().len();
    assert_eq!(i64::try_from(all).unwrap(), SCHEDULES_MAX + 1);
}
