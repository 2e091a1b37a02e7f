//! What a human accepts in a call stays accepted, and what is over is not accepted any more.

use std::time::SystemTime;

use serde_json::Map;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::{Fact, Note, Record as _};

use super::{World, opened};
use crate::approval::{Approval, Decision, Verify};
use crate::store::{Approvals, Archive as _, Orders, Terms};

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
