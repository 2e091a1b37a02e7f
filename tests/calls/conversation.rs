//! A call from its first ring to its last word, in every carrier's dialect.

use tandem::config::Dialect;
use tandem::store::Archive;
use tandem_actors::briefing::Outcome;
use tandem_actors::record::Speaker;

use crate::stage::{Stage, ending, said, squeezed};

async fn reserve(dialect: Dialect) {
    let mut stage = Stage::open().await;
    let call = stage.place("+15550100", dialect).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    let agent = said(&facts, Speaker::Agent);
    assert_eq!(agent[1], "Under the name Sam, please.", "{agent:?}");
    let report = stage.report(&call).await;
    assert_eq!(squeezed(&report.heard), squeezed(&agent), "heard is said");
    assert_eq!((report.frames.lost, report.frames.doubled, report.frames.reordered), (0, 0, 0));
    let callee = said(&facts, Speaker::Caller);
    assert_eq!(callee[0], "Luigi's, good evening.", "the model heard every word");

    let store = stage.server.desk.store.clone();
    store.flush().await.unwrap();
    let events = store.events(&call, 0).await.unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..=facts.len() as u64).collect::<Vec<_>>(), "numbered without a gap");
    let row = store.call(&call).await.unwrap().unwrap();
    assert_eq!(row.outcome, Some(Outcome::Answered));
    let recordings = stage.server.desk.recordings.clone().unwrap();
    recordings.finished(&call).await;
    let wav = hound::WavReader::open(recordings.path(&call).unwrap()).unwrap();
    assert_eq!(wav.spec().channels, 2);
    assert!(wav.duration() > wav.spec().sample_rate * 10, "a call of more than ten seconds");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_reserved_over_acs_at_24_khz() {
    reserve(Dialect::Acs24k).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_reserved_over_acs_at_16_khz() {
    reserve(Dialect::Acs16k).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_reserved_over_twilio() {
    reserve(Dialect::Twilio).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_are_kept_by_voice_and_deleted_only_after_a_yes() {
    let mut stage = Stage::open().await;
    let call = stage.ring("+15550110", Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&"Shall I delete the task buy milk?".to_owned()), "{agent:?}");
    assert!(agent.contains(&"You have one task: call the bank.".to_owned()), "{agent:?}");
    let store = stage.server.desk.store.clone();
    store.flush().await.unwrap();
    let asked = store.confirmations(&call).await.unwrap();
    let verdicts: Vec<_> = asked.iter().map(|row| row.verdict.as_deref()).collect();
    assert_eq!(verdicts, [Some("approved")]);
    let report = stage.report(&call).await;
    assert_eq!(squeezed(&report.heard), squeezed(&agent));
    stage.close().await;
}
