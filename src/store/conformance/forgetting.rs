//! What is forgotten is gone whole, and nothing is forgotten that is not over.

use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::{Record as _, Speaker};

use super::{World, finalized, note, opened, said};
use crate::account::Account;
use crate::store::{Archive as _, Once, Ordered, Orders, Retention, Terms};

pub(in crate::store) async fn a_call_that_is_over_is_forgotten_whole_and_a_live_one_is_not(
    world: impl World<Store: Retention>,
) {
    let store = world.start("n1").await;
    for call in ["over", "live"] {
        store.open(opened(call)).await.unwrap();
        store.note(note(call, 1, said(Speaker::Caller, "Hello.")));
    }
    store.note(note("over", 2, finalized(Outcome::Answered)));
    store.flush().await.unwrap();
    let (over, live) = (CallId::new("over"), CallId::new("live"));
    assert_eq!(store.over_before(i64::MAX).await.unwrap(), std::slice::from_ref(&over));
    // Its end is told at a second of 1970.
    assert_eq!(store.over_before(1_000_002).await.unwrap(), []);
    assert!(store.forget(&over).await.unwrap());
    assert!(!store.forget(&over).await.unwrap() && !store.forget(&live).await.unwrap());
    assert_eq!(store.call(&over).await.unwrap(), None);
    assert!(store.turns(&over).await.unwrap().is_empty());
    assert!(store.events(&over, 0).await.unwrap().is_empty());
    assert_eq!(store.turns(&live).await.unwrap().len(), 1);
    store.note(note("live", 2, finalized(Outcome::Answered)));
    store.flush().await.unwrap();
    assert!(store.forget(&live).await.unwrap());
}

pub(in crate::store) async fn an_order_rings_nobody_again_when_its_call_is_forgotten(
    world: impl World<Store: Retention + Orders>,
) {
    let (store, account) = (world.start("n1").await, Account::house());
    let order = async |call: &str| {
        let (key, digest) = ("k1".to_owned(), "d".to_owned());
        let once = Once { account: account.clone(), key, digest, again: false };
        store.order(opened(call), Terms::default(), Some(once), None).await.unwrap().unwrap()
    };
    assert_eq!(order("c1").await, Ordered::New(()));
    store.note(note("c1", 1, finalized(Outcome::Answered)));
    store.flush().await.unwrap();
    assert!(store.forget(&CallId::new("c1")).await.unwrap());
    assert_eq!(order("c2").await, Ordered::Before("c1".to_owned()));
}
