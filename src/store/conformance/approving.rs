//! What a human accepts in a call stays accepted, what is over is not accepted any more, and either
//! is told.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::{Fact, Note, Record as _};

use super::telling::{Told, told, wants};
use super::{World, finalized, note, opened};
use crate::approval::{Approval, Decision, Verify};
use crate::store::{Approvals, Archive as _, Deliveries as _, Orders, Terms};

pub(in crate::store) async fn what_is_over_is_not_accepted_any_more(
    world: impl World<Store: Approvals + Orders>,
) {
    let store = world.start("n1").await;
    let approval = Approval::new("Pay", Map::new(), Verify::Yes).unwrap();
    let order = async |id: &str| {
        let terms = Terms { approval: Some(approval.clone()), ..Terms::default() };
        store.order(opened(id), terms, None, None).await.unwrap().unwrap();
        CallId::new(id)
    };
    let decision =
        async |call: &CallId| Decision::of(&store.call(call).await.unwrap().unwrap(), &[]);
    let (one, two) = (order("one").await, order("two").await);
    assert_eq!(store.approval(&one).await.unwrap(), Some(approval.clone()));
    assert_eq!(decision(&one).await, Decision::Pending);
    store.accept(&one).await.unwrap();
    let (outcome, reason) = (Outcome::Answered, "goodbye".to_owned());
    for call in [&one, &two] {
        let fact = Fact::Finalized { outcome, reason: reason.clone(), talk_ms: 0 };
        store.note(Note { call: call.clone(), sequence: 1, at: SystemTime::now(), fact });
    }
    store.flush().await.unwrap();
    assert_eq!(decision(&one).await, Decision::Accepted, "the end takes nothing back");
    assert_eq!(decision(&two).await, Decision::Declined("not_asked"));
    assert!(store.accept(&two).await.is_err());
    assert_eq!(decision(&two).await, Decision::Declined("not_asked"));
}

pub(in crate::store) async fn what_came_of_an_approval_is_told_once(
    world: impl World<Store: Approvals + Orders + Told>,
) {
    let store = world.start("n1").await;
    wants(&store, "house", "all", &["approval.settled"]).await;
    let approval = Some(Approval::new("Pay Ann", Map::new(), Verify::Yes).unwrap());
    for (id, approval) in [("yes", approval.clone()), ("no", approval.clone()), ("call", None)] {
        let terms = Terms { approval, ..Terms::default() };
        store.order(opened(id), terms, None, None).await.unwrap().unwrap();
    }
    store.accept(&CallId::new("yes")).await.unwrap();
    for id in ["yes", "no", "call"] {
        store.note(note(id, 1, finalized(Outcome::NoAnswer)));
    }
    store.flush().await.unwrap();
    // A run that dies declines what it has not had accepted.
    let terms = Terms { approval, ..Terms::default() };
    store.order(opened("lost"), terms, None, None).await.unwrap().unwrap();
    let next = world.start("n1").await;
    next.settle_orphans("n1".to_owned()).await.unwrap();
    assert_eq!(told(&next, "all").await, ["approval.settled"; 3]);
    let bodies = next.deliveries_due("all", 9).await.unwrap();
    let said = bodies.iter().map(|told| {
        assert!(!told.body.as_str().contains("Ann"), "what it is about is not told");
        let mut body: Value = serde_json::from_str(told.body.as_str()).unwrap();
        let data = body["data"].take();
        json!([data["id"], data["state"], data["reason"]])
    });
    let settled = [
        json!(["yes", "accepted", null]),
        json!(["no", "declined", "no_answer"]),
        json!(["lost", "declined", "server_lost"]),
    ];
    assert_eq!(said.collect::<Vec<_>>(), settled);
}
