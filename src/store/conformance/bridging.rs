//! Lines that a run held for browsers when it was killed.

use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::carrier::CarrierCallId;
use tandem_actors::record::{Fact, Record as _};

use super::{World, finalized, note, opened};
use crate::store::{Archive as _, Bridges, With};

pub(in crate::store) async fn a_line_is_known_to_the_next_run_until_it_is_held_no_more(
    world: impl World<Store: Bridges>,
) {
    let old = world.start("n1").await;
    let name = |call: &str| CarrierCallId(format!("CA {call}"));
    for call in ["refused", "rung", "talking", "hung up", "over"] {
        old.open(opened(call)).await.unwrap();
        old.dialing(CallId::new(call)).await.unwrap();
        old.note(note(call, 1, Fact::HandOver { step: "asked" }));
        old.bridge(CallId::new(call), name(call)).await.unwrap();
    }
    old.note(note("refused", 2, Fact::HandOver { step: "failed" }));
    for call in ["talking", "hung up"] {
        old.note(note(call, 2, Fact::HandOver { step: "done" }));
        old.note(note(call, 3, finalized(Outcome::Answered)));
    }
    old.note(note("over", 2, finalized(Outcome::Cancelled)));
    old.flush().await.unwrap();
    old.unbridge(CallId::new("hung up")).await.unwrap();
    assert_eq!(old.left_bridges().await.unwrap(), [], "they are held");

    let new = world.start("n1").await;
    let mut left = new.adopt_orphans("n1".to_owned()).await.unwrap();
    left.sort_by(|one, other| one.call.id.cmp(&other.call.id));
    let with: Vec<_> = left.iter().map(|it| (&*it.call.id.0, it.with)).collect();
    assert_eq!(with, [("refused", With::Us), ("rung", With::Browser)]);
    let talking = (CallId::new("talking"), name("talking"));
    assert_eq!(new.left_bridges().await.unwrap(), std::slice::from_ref(&talking));
    assert_eq!(world.start("n2").await.left_bridges().await.unwrap(), [], "another node's");
    new.unbridge(talking.0).await.unwrap();
    assert_eq!(new.left_bridges().await.unwrap(), []);
}
