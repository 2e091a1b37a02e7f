//! The record on SQLite: the conformance suite, and what only a file can suffer: a full disk,
//! damage, a lock, a death between two writes.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnectOptions;
use tandem_actors::briefing::Outcome;
use tandem_actors::record::{Fact, Intent, Speaker};
use tempfile::TempDir;

use super::conformance::{
    World, access, approving, asking, bridging, finalized, forgetting, job, keeping, later, note,
    opened, ordering, pursuing, said, telling,
};
use super::*;

/// A directory with a record in it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn db(&self) -> PathBuf {
        self.0.path().join("tandem.db")
    }

    async fn open(&self) -> Store {
        Store::open(self.0.path(), "n1").await.expect("the record opens")
    }

    async fn refusal(&self) -> String {
        match Store::open(self.0.path(), "n1").await {
            Ok(_) => panic!("the record opened"),
            Err(error) => error.to_string(),
        }
    }
}

impl World for Files {
    type Store = Store;

    async fn start(&self, node: &str) -> Store {
        Store::join(self.0.path(), node).await
    }
}

macro_rules! conforms {
    ($suite:ident: $($story:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $story() {
            $suite::$story(Files::new()).await;
        }
    )+};
}

conforms!(
    conformance:
    a_call_is_kept_from_the_order_to_its_end,
    what_must_not_be_kept_is_taken_back_and_not_written,
    the_floor_shows_each_call_until_it_is_over,
    a_call_is_dialled_once,
    the_same_note_twice_is_one_event,
    ten_thousand_notes_of_a_hundred_calls_keep_their_order,
    a_job_begins_once_and_its_answer_stays,
    a_tool_that_was_refused_stays_asked,
    what_a_dead_run_left_is_ended_honestly,
    what_a_carrier_holds_is_taken_over_and_ended_when_that_is_known,
    a_stale_writer_is_refused,
    another_node_can_bury_a_dead_one,
    calls_are_listed_in_pages_newest_first,
    settings_are_kept,
);

conforms!(
    bridging:
    a_line_is_known_to_the_next_run_until_it_is_held_no_more,
);

conforms!(
    access:
    a_key_is_known_until_it_is_revoked,
    an_account_has_so_many_keys,
    every_account_has_its_own_phone_until_it_is_forgotten,
    a_number_has_its_profile_until_that_is_taken_away,
);

conforms!(
    ordering:
    an_order_is_carried_out_once,
    a_number_that_may_be_ringing_is_not_rung,
    calls_count_from_the_order_to_their_end_unless_they_rang_nobody,
    what_is_refused_is_not_written,
    a_list_holds_each_accounts_numbers_until_they_are_taken_off,
);

conforms!(
    later:
    a_time_is_seen_to_once_and_the_next_is_due,
    a_history_is_that_of_the_schedule_shown_with_it,
    what_is_cancelled_is_not_due_and_accounts_have_their_own,
);

conforms!(
    asking:
    a_target_is_rung_by_one_call_and_once_more_only_after_it,
    one_offer_is_taken_and_another_only_when_that_reached_nobody,
    an_account_lists_its_own_page_by_page,
);

conforms!(
    pursuing:
    what_is_kept_is_changed_piece_by_piece,
    a_target_has_one_call_at_a_time_and_only_the_last_is_repeated,
);

conforms!(
    keeping:
    tasks_are_numbered_end_once_and_are_lost_with_their_server,
    a_recording_is_found_under_each_of_its_names_in_a_later_run_too,
    a_file_is_awaited_until_it_is_here_or_a_day_has_passed,
    a_job_changes_the_list_once_and_touches_what_was_read_back,
);

conforms!(
    approving:
    what_is_over_is_not_accepted_any_more,
    what_came_of_an_approval_is_told_once,
);

conforms!(
    telling:
    each_step_of_a_call_is_told_once_to_those_who_want_it,
    a_result_is_told_unless_it_is_too_long_for_a_message,
    what_became_of_a_delivery_is_kept_for_a_while,
    endpoints_are_bounded_forgotten_whole_and_signed_with_two_secrets,
    the_end_of_a_search_and_the_times_of_a_schedule_are_told_once,
);

conforms!(
    forgetting:
    a_call_that_is_over_is_forgotten_whole_and_a_live_one_is_not,
    an_order_rings_nobody_again_when_its_call_is_forgotten,
);

/// As many pages as SQLite allows; where it holds more already, as many as it holds.
fn allow_pages(store: &Store, pages: u32) {
    store.inner.pages.store(pages, Ordering::Relaxed);
}

/// As many turns as fill any page that is free.
fn fill(store: &Store, from: u64, to: u64) {
    for sequence in from..=to {
        store.note(note("c1", sequence, said(Speaker::Caller, &"word ".repeat(400))));
    }
}

#[tokio::test]
async fn a_closed_record_opens_again_with_everything_in_it() {
    let files = Files::new();
    let store = files.open().await;
    store.open(opened("c1")).await.unwrap();
    store.note(note("c1", 1, said(Speaker::Agent, "Hello.")));
    store.close().await.unwrap();
    assert!(store.open(opened("c2")).await.is_err(), "it is closed");
    let store = files.open().await;
    assert_eq!(store.tenure().epoch, 2);
    assert_eq!(store.turns(&CallId::new("c1")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_record_that_nobody_holds_any_more_writes_what_was_waiting() {
    let files = Files::new();
    let store = files.open().await;
    store.open(opened("c1")).await.unwrap();
    let mut commits = store.commits();
    fill(&store, 1, 2_000);
    drop(store);
    // The writer's side of it goes with the writer.
    while commits.changed().await.is_ok() {}
    let store = files.open().await;
    assert_eq!(store.turns(&CallId::new("c1")).await.unwrap().len(), 2_000);
}

#[tokio::test]
async fn a_killed_process_loses_no_promise_it_was_given() {
    let files = Files::new();
    let store = files.open().await;
    store.open(opened("c1")).await.unwrap();
    store.dialing(CallId::new("c1")).await.unwrap();
    let begun = job("c1", "t1", "{}");
    assert_eq!(store.intend(&begun).await.unwrap(), Intent::Fresh);
    // What a kill leaves is what lies on the disk between two commits: the file and its log.
    let left = Files::new();
    for name in ["tandem.db", "tandem.db-wal"] {
        std::fs::copy(files.0.path().join(name), left.0.path().join(name)).unwrap();
    }
    let next = left.open().await;
    assert_eq!(next.settle_orphans("n1".to_owned()).await.unwrap().len(), 1);
    let ledger = next.tool_ledger(&CallId::new("c1")).await.unwrap();
    assert_eq!(ledger[0].state, LedgerState::Begun);
}

#[tokio::test]
async fn a_full_disk_refuses_promises_keeps_facts_and_heals() {
    let files = Files::new();
    let store = files.open().await;
    store.open(opened("c1")).await.unwrap();
    // Clamped to the present size: not one page more can be had.
    allow_pages(&store, 1);
    fill(&store, 1, 200);
    let refused = store.flush().await.unwrap_err();
    assert_eq!(refused.to_string(), "store: the disk is full");
    assert_eq!(store.health(), Health { fault: Some(Fault::Full), waiting: 200, dropped: 0 });
    assert!(store.open(opened("c2")).await.is_err());
    // The call goes on: facts are still taken, and the call can still be read.
    store.note(note("c1", 201, finalized(Outcome::Answered)));
    assert!(store.call(&CallId::new("c1")).await.unwrap().is_some());

    let mut healed = store.inner.fault.clone();
    allow_pages(&store, u32::MAX - 1);
    healed.wait_for(Option::is_none).await.expect("the writer lives");
    store.flush().await.unwrap();
    assert_eq!(store.turns(&CallId::new("c1")).await.unwrap().len(), 200);
    let row = store.call(&CallId::new("c1")).await.unwrap().unwrap();
    assert_eq!(row.outcome, Some(Outcome::Answered));
    store.open(opened("c2")).await.unwrap();
}

#[tokio::test]
async fn a_file_that_another_program_holds_delays_facts_and_loses_none() {
    let files = Files::new();
    let store = files.open().await;
    store.open(opened("c1")).await.unwrap();
    let options = SqliteConnectOptions::new().filename(files.db());
    let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

    fill(&store, 1, 10);
    let refused = store.flush().await.unwrap_err();
    assert_eq!(refused.to_string(), "store: another program holds the database file");
    // More than the spool holds: the rest is counted, the end of the call finds its place.
    for sequence in 11..=(SPOOL_MAX as u64 + 10) {
        store.note(note("c1", sequence, Fact::Pressed));
    }
    store.note(note("c1", 100_000, finalized(Outcome::Answered)));
    let health = store.health();
    assert_eq!((health.fault, health.dropped), (Some(Fault::Locked), 10));
    assert_eq!(health.waiting, SPOOL_MAX + 1);

    let mut healed = store.inner.fault.clone();
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    healed.wait_for(Option::is_none).await.expect("the writer lives");
    // A whole spool takes as long as the machine needs: no promise waits so long.
    let mut commits = store.commits();
    while store.health().waiting > 0 {
        commits.changed().await.expect("the writer lives");
    }
    let row = store.call(&CallId::new("c1")).await.unwrap().unwrap();
    assert_eq!(row.outcome, Some(Outcome::Answered));
    assert_eq!(store.turns(&CallId::new("c1")).await.unwrap().len(), 10);
    assert_eq!(store.health(), Health { fault: None, waiting: 0, dropped: 10 });
}

#[tokio::test]
async fn an_order_that_is_written_when_nobody_waits_for_it_any_more_is_over() {
    let files = Files::new();
    let store = files.open().await;
    let (go, held) = oneshot::channel::<()>();
    let stall = store.promise(move |_| {
        Box::pin(async move {
            held.await.ok();
            Ok(())
        })
    });
    let order = async {
        let ordered = store.order(opened("c1"), Terms::default(), None, None).await;
        drop(go);
        ordered
    };
    // In this order they reach the writer.
    let (_stalled, ordered) = tokio::join!(stall, order);
    assert!(ordered.is_err(), "{ordered:?}");
    store.flush().await.unwrap();
    let row = store.call(&CallId::new("c1")).await.unwrap().unwrap();
    assert_eq!(row.reason.as_deref(), Some("not_admitted"), "{row:?}");
    assert_eq!(row.outcome, Some(Outcome::Cancelled));
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_what_to_do() {
    let files = Files::new();
    std::fs::write(files.db(), "this is a shopping list, ".repeat(1_000)).unwrap();
    let refusal = files.refusal().await;
    assert!(refusal.contains("tandem.db is damaged"), "{refusal}");
    assert!(refusal.contains("restore it from a backup"), "{refusal}");
}

#[tokio::test]
async fn a_file_with_a_damaged_page_is_refused() {
    let files = Files::new();
    let store = files.open().await;
    store.open(opened("c1")).await.unwrap();
    fill(&store, 1, 100);
    store.close().await.unwrap();
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(files.db()).unwrap();
    let size = file.metadata().unwrap().len();
    // Some page in the middle, its header included.
    let page = size / 2 / 4_096 * 4_096;
    file.seek(SeekFrom::Start(page)).unwrap();
    let mut bytes = vec![0; 4_096];
    file.read_exact(&mut bytes).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0xa5);
    file.seek(SeekFrom::Start(page)).unwrap();
    file.write_all(&bytes).unwrap();
    drop(file);
    let refusal = files.refusal().await;
    assert!(refusal.contains("tandem.db is damaged"), "{refusal}");
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_refused() {
    let files = Files::new();
    files.open().await.close().await.unwrap();
    let options = SqliteConnectOptions::new().filename(files.db());
    let mut later = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (999999, 'later', TRUE, x'00', 0)",
    )
    .execute(&mut later)
    .await
    .unwrap();
    later.close().await.unwrap();
    let refusal = files.refusal().await;
    assert!(refusal.contains("newer version"), "{refusal}");
}

#[tokio::test]
async fn one_process_has_the_directory() {
    let files = Files::new();
    let store = files.open().await;
    let refusal = files.refusal().await;
    assert!(refusal.contains("another process uses the data directory"), "{refusal}");
    store.close().await.unwrap();
    files.open().await.close().await.unwrap();
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_refused() {
    let files = Files::new();
    let in_the_way = files.0.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    let Err(refusal) = Store::open(&in_the_way.join("data"), "n1").await else {
        panic!("the record opened")
    };
    assert!(refusal.to_string().contains("cannot be used"), "{refusal}");
}

#[tokio::test]
async fn a_promise_refused_half_way_leaves_nothing_behind() {
    let files = Files::new();
    let store = files.open().await;
    let half = store.promise(|desk| {
        Box::pin(async move {
            desk.set("half", "done", 1).await?;
            Err::<(), _>(Trouble::refused("changed our mind"))
        })
    });
    assert!(half.await.is_err());
    assert_eq!(store.setting("half").await.unwrap(), None);
}
