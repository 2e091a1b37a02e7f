//! A caller who speaks over the agent.

use tandem::config::Dialect;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, said, squeezed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_heard_is_not_remembered_as_said() {
    let mut stage = Stage::open().await;
    let call = stage.place("+15550106", Dialect::Acs24k).await;
    let facts = stage.until(|fact| matches!(fact, Fact::BargedIn { .. })).await;
    let Some(Fact::BargedIn { heard_ms }) = facts.last() else { unreachable!("waited for it") };
    assert!(*heard_ms > 0, "something of the sentence was heard");
    let spoken = facts.iter().rev().find_map(|fact| match fact {
        Fact::Spoken(spoken) => Some(spoken),
        _ => None,
    });
    let spoken = spoken.expect("a stretch of speech is over");
    assert!(spoken.heard_ms > 0 && spoken.heard_ms <= spoken.sent_ms, "{spoken:?}");
    assert!(spoken.sent_ms <= spoken.said_ms && spoken.heard_ms < spoken.said_ms, "{spoken:?}");
    let cut = said(&facts, Speaker::Agent).pop().expect("the cut sentence is a turn");
    stage.server.desk.exchange.tell(
        &call,
        tandem_actors::call::event::Input::Order(tandem_actors::call::event::Order::HangUp),
    );
    stage.finalized().await;
    let report = stage.report(&call).await;
    let heard = squeezed(&report.heard);
    let remembered = squeezed(std::slice::from_ref(&cut));
    // The record cuts at a word; the ear loses at most the word in the mouth.
    let kept = remembered.len().min(heard.len());
    assert!(kept + 12 >= remembered.len().max(kept), "heard {heard:?}, recorded {cut:?}");
    assert!(remembered.starts_with(&heard[..kept.min(8)]), "heard {heard:?}, recorded {cut:?}");
    stage.close().await;
}
