//! What becomes of recordings, with a resource on a real socket and a record on a real disk.

use tandem_actors::briefing::{Direction, Lifecycle, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::{Opened, Record as _};
use tempfile::TempDir;

use super::*;
use crate::carrier::acs::control::tests::resource::{KEY, Reply, Resource, control};
use crate::carrier::acs::event_grid::recorded::Piece;

struct Desk {
    keeper: Keeper,
    store: Store,
    call: CallId,
    dir: TempDir,
}

impl Desk {
    /// A call `c-81` that is written down.
    async fn with(control: Control) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        let call = CallId::new("c-81");
        let opened = Opened {
            call: call.clone(),
            direction: Direction::Inbound,
            remote: Number::new("+12065550100"),
            local: Number::new("+12065550199"),
            task: Text::from("take the call"),
            lifecycle: Lifecycle::Dialing,
        };
        store.open(opened).await.unwrap();
        let recordings = Recordings::new(&dir.path().join("recordings")).unwrap();
        let keeper = Keeper::new(control, store.clone(), recordings, Events::default());
        Self { keeper, store, call, dir }
    }

    fn counted(&self, what: &'static str) -> u64 {
        self.keeper.0.events.get_or_create(&[("what", what)]).get()
    }

    fn file(&self, piece: u32, location: &str) -> AwaitedFile {
        AwaitedFile { call: self.call.clone(), piece, location: Text::from(location) }
    }

    async fn awaited(&self) -> Vec<AwaitedFile> {
        self.store.awaited_files(Timestamp::now() - KEPT).await.unwrap()
    }

    fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.dir.path().join("recordings")).unwrap();
        let name = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().file_name();
        let mut names: Vec<_> = files.map(|file| name(file).into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn told(names: &[&str], pieces: &[(u32, &str)]) -> Recorded {
    let piece = |&(index, at): &(u32, &str)| Piece { index, location: Text::from(at) };
    Recorded {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        pieces: pieces.iter().map(piece).collect(),
    }
}

fn happens(what: What) -> Event {
    Event { id: "1".to_owned(), call: CarrierCallId("411f".to_owned()), what }
}

#[tokio::test]
async fn a_call_that_is_connected_is_recorded_once_and_known_by_all_names() {
    let resource = Resource::answering(&[Reply::Is(200, r#"{"recordingId":"r-1"}"#)]).await;
    let desk = Desk::with(resource.control()).await;
    let mut commits = desk.store.commits();
    let at = "https://bridge.example.com/acs/events/c-81/nonce";
    for _ in 0..2 {
        desk.keeper.hear(&desk.call, happens(What::Connected), at.to_owned());
    }
    let names = ["s-1".to_owned(), "r-2".to_owned()].to_vec();
    let runs = What::Recording { names, runs: true };
    desk.keeper.hear(&desk.call, happens(runs), at.to_owned());
    for name in ["r-1", "411f", "s-1", "r-2"] {
        while desk.store.recorded_call(&[name.to_owned()]).await.unwrap().is_none() {
            commits.changed().await.unwrap();
        }
    }
    assert_eq!(resource.heard_one().body["recordingStateCallbackUri"], at);
    assert_eq!((desk.counted("recording_ordered"), desk.counted("recording_runs")), (1, 1));
}

#[tokio::test]
async fn pieces_in_any_order_become_files_in_theirs_and_what_is_told_again_is_not_fetched_again() {
    let resource = Resource::answering(&[Reply::Is(200, "RIFF"); 2]).await;
    let desk = Desk::with(resource.control()).await;
    desk.store.name_recording(&desk.call, vec!["r-1".to_owned()]).await.unwrap();
    let at = |piece: &str| format!("{}/v1/objects/{piece}", resource.url());
    let recorded = told(&["new", "r-1"], &[(1, &at("later")), (0, &at("first"))]);
    let mut kept = desk.keeper.kept();
    for _ in 0..2 {
        desk.keeper.take(recorded.clone()).await.unwrap();
    }
    kept.wait_for(|kept| *kept == 2).await.unwrap();
    assert_eq!(desk.names(), ["c-81.acs.1.wav", "c-81.acs.wav"]);
    for (piece, name) in [(0, "first"), (1, "later")] {
        desk.keeper.0.fetch(&desk.file(piece, &at(name))).await;
    }
    assert_eq!(desk.awaited().await, []);
    let mut asked: Vec<_> = resource.heard().iter().map(|it| it.path_and_query.clone()).collect();
    asked.sort();
    assert_eq!(asked, ["/v1/objects/first", "/v1/objects/later"]);
    assert_eq!((desk.counted("recording_told"), desk.counted("recording_kept")), (2, 2));
}

#[tokio::test]
async fn a_file_that_is_not_in_the_storage_of_acs_is_not_asked_for() {
    let resource = Resource::answering(&[]).await;
    let desk = Desk::with(control("https://a.communication.azure.com", KEY)).await;
    let file = desk.file(0, &format!("{}/v1/objects/0", resource.url()));
    desk.store.await_files(vec![file.clone()]).await.unwrap();
    desk.keeper.0.fetch(&file).await;
    assert_eq!((desk.counted("recording_lost"), resource.heard().len()), (1, 0));
    assert_eq!(desk.awaited().await, [], "no later attempt would help");
}

#[tokio::test]
async fn a_recording_of_nobody_we_know_is_left_alone() {
    let resource = Resource::answering(&[]).await;
    let desk = Desk::with(resource.control()).await;
    desk.store.name_recording(&desk.call, vec!["r-1".to_owned()]).await.unwrap();
    let at = format!("{}/v1/objects/0", resource.url());
    desk.keeper.take(told(&["r-2", "s-2"], &[(0, &at)])).await.unwrap();
    assert_eq!((desk.counted("recording_elsewhere"), desk.awaited().await), (1, vec![]));
}

#[tokio::test]
async fn what_an_earlier_run_did_not_get_is_fetched() {
    let resource = Resource::answering(&[Reply::Is(200, "RIFF")]).await;
    let desk = Desk::with(resource.control()).await;
    let at = format!("{}/v1/objects/0", resource.url());
    desk.store.await_files(vec![desk.file(0, &at)]).await.unwrap();
    let mut kept = desk.keeper.kept();
    desk.keeper.resume().await.unwrap();
    kept.wait_for(|kept| *kept == 1).await.unwrap();
    assert_eq!(desk.names(), ["c-81.acs.wav"]);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_to_be_told_again() {
    let resource = Resource::answering(&[]).await;
    let desk = Desk::with(resource.control()).await;
    desk.store.close().await.unwrap();
    assert!(desk.keeper.take(told(&["r-1"], &[(0, "https://a.example/")])).await.is_err());
}
