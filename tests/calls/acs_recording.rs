//! Recordings that the simulated Azure makes of calls: what it records lies beside our own.

use rstest::rstest;
use tandem::carrier::acs::recording::ending;
use tandem::recording::Recordings;
use tandem::rehearsal::azure::{Mischief, Taped};
use tandem::rehearsal::callee::Role;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::carrier::Number;

use crate::acs_stage::AcsStage;
use crate::stage::{STORY, ending as how_it_ended};

/// The one recording of the network, which has ended.
fn only(stage: &AcsStage) -> Taped {
    let mut all = stage.azure.recordings();
    assert!(all.len() == 1 && !all[0].runs, "{} recordings", all.len());
    all.remove(0)
}

/// Returns when so many files have been fetched.
async fn kept(stage: &AcsStage, files: u64) {
    let inbox = stage.stage.server.desk.network.acs.clone().unwrap();
    let mut kept = inbox.kept().unwrap();
    tokio::time::timeout(STORY, kept.wait_for(|kept| *kept == files)).await.unwrap().unwrap();
}

fn counted(stage: &AcsStage, what: &'static str) -> u64 {
    stage.stage.server.desk.network.acs.as_ref().unwrap().counted(what)
}

fn are_here(recordings: &Recordings, call: &CallId, taped: &Taped) {
    for (piece, file) in (0..).zip(&taped.files) {
        let here = std::fs::read(recordings.theirs(call, &ending(piece)).unwrap()).unwrap();
        assert!(here == *file, "piece {piece}");
    }
}

#[rstest]
#[case::placed(false)]
#[case::taken(true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_acs_records_lies_beside_our_own_recording(#[case] rings: bool) {
    let mut stage = AcsStage::open_with(|config| config.acs.record = true).await;
    stage.azure.play_mischief(Mischief { doubled: true, ..Mischief::default() });
    stage.azure.cut_recordings(2);
    let call = if rings {
        let caller = Number::new(Role::TaskCaller.number());
        let ringing = stage.azure.ring(std::slice::from_ref(&caller)).await;
        stage.azure.fate(&ringing[0]).await;
        stage.stage.server.desk.exchange.calls().remove(0)
    } else {
        stage.place(Role::Restaurant.number()).await
    };
    assert_eq!(how_it_ended(&stage.stage.finalized().await).0, Outcome::Answered);
    kept(&stage, 2).await;
    let taped = only(&stage);
    assert_eq!(taped.fetched, 2, "told twice, fetched once");
    let recordings = stage.stage.server.desk.recordings.clone().unwrap();
    are_here(&recordings, &call, &taped);
    assert!(recordings.path(&call).unwrap().exists(), "our own");
    assert_eq!((counted(&stage, "recording_ordered"), counted(&stage, "recording_lost")), (1, 0));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_is_told_of_after_a_restart_is_fetched() {
    let mut stage = AcsStage::open_with(|config| config.acs.record = true).await;
    stage.azure.unsubscribe();
    let call = stage.place(Role::Restaurant.number()).await;
    stage.stage.finalized().await;
    stage.report(&call).await;
    let stage = Box::pin(stage.restarted()).await;
    stage.azure.tell_of_recordings_again().await;
    kept(&stage, 1).await;
    let taped = only(&stage);
    are_here(&stage.stage.server.desk.recordings.clone().unwrap(), &call, &taped);
    stage.azure.tell_of_recordings_again().await;
    assert!(counted(&stage, "recording_told") >= 2);
    assert_eq!(only(&stage).fetched, 1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acs_records_nothing_unless_it_is_told_to() {
    let mut stage = AcsStage::open().await;
    stage.place(Role::Restaurant.number()).await;
    stage.stage.finalized().await;
    assert!(stage.azure.recordings().is_empty());
    stage.close().await;
}
