//! What every store must do, whatever it is built on: stories that a new engine runs as they stand.
//! Knows a store only through its traits, one for each desk, and a way to start runs of nodes.

pub(super) mod access;
pub(super) mod approving;
pub(super) mod asking;
pub(super) mod bridging;
pub(super) mod forgetting;
pub(super) mod keeping;
pub(super) mod later;
pub(super) mod ordering;
pub(super) mod pursuing;
pub(super) mod telling;

use std::future::Future;
use std::time::{Duration, SystemTime};

use tandem_actors::briefing::{CallId, Direction, Lifecycle, Outcome, Text};
use tandem_actors::carrier::{CarrierCallId, Number};
use tandem_actors::record::{Fact, Intent, Note, Opened, Record as _, Speaker, Turn};
use tandem_actors::tool::{Done, Job, ToolCallId, Verdict};

use super::{Archive, CallFilter, End, LedgerState, With};

/// One database, on which nodes run.
pub(super) trait World {
    type Store: Archive;

    /// A new run of a node. Earlier runs are still there and believe that they are alive.
    fn start(&self, node: &str) -> impl Future<Output = Self::Store>;
}

pub(crate) fn opened(call: &str) -> Opened {
    Opened {
        call: CallId::new(call),
        direction: Direction::Outbound,
        remote: Number::new("+15550100"),
        local: Number::new("+15550199"),
        task: Text::from("ask for the opening hours"),
        lifecycle: Lifecycle::Queued,
    }
}

pub(super) fn note(call: &str, sequence: u64, fact: Fact) -> Note {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + sequence);
    Note { call: CallId::new(call), sequence, at, fact }
}

pub(super) fn said(speaker: Speaker, words: &str) -> Fact {
    Fact::Turn(Turn { speaker, text: Text::from(words) })
}

pub(super) fn finalized(outcome: Outcome) -> Fact {
    Fact::Finalized { outcome, reason: "goodbye".to_owned(), talk_ms: 4_200 }
}

pub(super) fn job(call: &str, id: &str, arguments: &str) -> Job {
    Job {
        call: CallId::new(call),
        id: ToolCallId(id.to_owned()),
        name: "create_task".to_owned(),
        arguments: Text::from(arguments),
        scene: None,
    }
}

fn success(output: &str) -> Done {
    Done { verdict: Verdict::Success, output: Text::from(output) }
}

pub(super) async fn a_call_is_kept_from_the_order_to_its_end(world: impl World) {
    let (store, id) = (world.start("n1").await, CallId::new("c1"));
    assert_eq!(store.call(&id).await.unwrap(), None);
    store.open(opened("c1")).await.unwrap();
    let row = store.call(&id).await.unwrap().unwrap();
    assert_eq!((row.lifecycle, row.outcome), (Lifecycle::Queued, None));
    assert_eq!(row.remote.as_str(), "+15550100");
    assert_eq!((row.owner.node.as_str(), row.owner.epoch), ("n1", 1));

    store.dialing(id.clone()).await.unwrap();
    store.note(note("c1", 1, Fact::CarrierNamed(CarrierCallId("CA1".to_owned()))));
    store.note(note("c1", 2, Fact::Lifecycle(Lifecycle::Answered)));
    store.note(note("c1", 3, said(Speaker::Agent, "Hello.")));
    store.note(note("c1", 4, said(Speaker::Caller, "Who is it?")));
    // The end itself comes with its outcome.
    store.note(note("c1", 5, Fact::Lifecycle(Lifecycle::Finalized)));
    store.flush().await.unwrap();
    let row = store.call(&id).await.unwrap().unwrap();
    assert_eq!((row.lifecycle, row.outcome), (Lifecycle::Answered, None));
    store.note(note("c1", 6, finalized(Outcome::Answered)));
    // A fact that comes late does not bring the call back to life.
    store.note(note("c1", 7, Fact::Lifecycle(Lifecycle::Answered)));
    store.note(note("c1", 8, finalized(Outcome::Failed)));
    store.flush().await.unwrap();

    let row = store.call(&id).await.unwrap().unwrap();
    assert_eq!((row.lifecycle, row.outcome), (Lifecycle::Finalized, Some(Outcome::Answered)));
    assert_eq!((row.reason.as_deref(), row.talk_ms), (Some("goodbye"), Some(4_200)));
    assert_eq!(row.carrier_call, Some(CarrierCallId("CA1".to_owned())));
    assert_eq!((row.answered_ms, row.finalized_ms), (Some(1_000_002), Some(1_000_006)));
    let turns = store.turns(&id).await.unwrap();
    let turns: Vec<_> = turns.iter().map(|turn| (turn.speaker, turn.text.as_str())).collect();
    assert_eq!(turns, [(Speaker::Agent, "Hello."), (Speaker::Caller, "Who is it?")]);
    let events = store.events(&id, 5).await.unwrap();
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [6, 7, 8]);
    assert_eq!(events[0].kind, "finalized");
}

pub(super) async fn what_must_not_be_kept_is_taken_back_and_not_written(world: impl World) {
    let (store, id) = (world.start("n1").await, CallId::new("c1"));
    store.open(opened("c1")).await.unwrap();
    store.note(note("c1", 1, said(Speaker::Caller, "It is 4111 1111")));
    store.note(note("c1", 2, said(Speaker::Caller, "[card number]")));
    store.note(note("c1", 3, Fact::Masked { sequence: 1, text: "It is [card number]".into() }));
    let job = job("c1", "t1", r#"{"title":"4111 1111 1111 1111"}"#);
    assert_eq!(store.intend(&job).await.unwrap(), Intent::Fresh);
    store.settle(&job, &success(r#"{"card":"4111111111111111"}"#)).await.unwrap();
    store.flush().await.unwrap();
    let turns = store.turns(&id).await.unwrap();
    let turns: Vec<_> = turns.iter().map(|turn| turn.text.as_str()).collect();
    assert_eq!(turns, ["It is [card number]", "[card number]"]);
    let rows = store.tool_ledger(&id).await.unwrap();
    let kept = format!("{:?} {}", store.events(&id, 0).await.unwrap(), rows[0].arguments.as_str());
    assert!(!kept.contains("1111") && rows[0].arguments.as_str().contains("[card number]"));
    let known = store.intend(&job).await.unwrap();
    assert_eq!(known, Intent::Known(success(r#"{"card":"[card number]"}"#)));
}

pub(super) async fn the_floor_shows_each_call_until_it_is_over(world: impl World) {
    let store = world.start("n1").await;
    for call in ["c1", "c2"] {
        store.open(opened(call)).await.unwrap();
        store.note(note(call, 1, said(Speaker::Agent, "Hello.")));
    }
    store.note(note("c1", 2, said(Speaker::Caller, "Who is it?")));
    store.note(note("c2", 2, finalized(Outcome::Answered)));
    store.flush().await.unwrap();
    let rows = store.floor(None).await.unwrap();
    assert_eq!((rows.len(), rows[0].id.as_str(), rows[0].lifecycle.as_str()), (1, "c1", "queued"));
    let words = (Speaker::Caller.word().to_owned(), "Who is it?".to_owned());
    assert_eq!(rows[0].words, Some(words));
    assert_eq!(store.floor(Some("ann".parse().unwrap())).await.unwrap(), []);
}

pub(super) async fn a_call_is_dialled_once(world: impl World) {
    let store = world.start("n1").await;
    assert!(store.dialing(CallId::new("c1")).await.is_err(), "it was never opened");
    store.open(opened("c1")).await.unwrap();
    assert!(store.open(opened("c1")).await.is_err(), "it was opened before");
    store.dialing(CallId::new("c1")).await.unwrap();
    assert!(store.dialing(CallId::new("c1")).await.is_err(), "it was dialled before");
}

pub(super) async fn the_same_note_twice_is_one_event(world: impl World) {
    let (store, id) = (world.start("n1").await, CallId::new("c1"));
    store.open(opened("c1")).await.unwrap();
    for _ in 0..2 {
        store.note(note("c1", 1, said(Speaker::Caller, "Yes.")));
        store.flush().await.unwrap();
    }
    assert_eq!(store.events(&id, 0).await.unwrap().len(), 1);
    assert_eq!(store.turns(&id).await.unwrap().len(), 1);
}

pub(super) async fn ten_thousand_notes_of_a_hundred_calls_keep_their_order(world: impl World) {
    let store = world.start("n1").await;
    let calls: Vec<String> = (0..100).map(|call| format!("c{call}")).collect();
    for call in &calls {
        store.open(opened(call)).await.unwrap();
    }
    for sequence in 1..=100 {
        for call in &calls {
            store.note(note(call, sequence, said(Speaker::Caller, &format!("{call} {sequence}"))));
        }
        // Nobody waits as long for the record as all of them may take it.
        if sequence % 10 == 0 {
            store.flush().await.unwrap();
        }
    }
    for call in &calls {
        let turns = store.turns(&CallId::new(call)).await.unwrap();
        let words: Vec<_> = turns.iter().map(|turn| turn.text.0.clone()).collect();
        let told: Vec<_> = (1..=100).map(|sequence| format!("{call} {sequence}")).collect();
        assert_eq!(words, told);
    }
}

pub(super) async fn a_job_begins_once_and_its_answer_stays(world: impl World) {
    let (store, id) = (world.start("n1").await, CallId::new("c1"));
    store.open(opened("c1")).await.unwrap();
    let (name, arguments) = ("create_task".to_owned(), Text::from("{\"title\":\"x\"}"));
    let asked = Fact::ToolAsked { id: ToolCallId("t1".to_owned()), name, arguments };
    store.note(note("c1", 1, asked));
    let first = job("c1", "t1", "{\"title\":\"x\"}");
    assert!(store.settle(&first, &success("early")).await.is_err(), "it has not begun");
    assert_eq!(store.intend(&first).await.unwrap(), Intent::Fresh);
    assert_eq!(store.intend(&first).await.unwrap(), Intent::Begun);
    store.settle(&first, &success("one")).await.unwrap();
    store.settle(&first, &success("two")).await.unwrap();
    assert_eq!(store.intend(&first).await.unwrap(), Intent::Known(success("one")));
    let spaced = job("c1", "t1", "{ \"title\": \"x\" }");
    assert_eq!(store.intend(&spaced).await.unwrap(), Intent::Known(success("one")));
    let other = job("c1", "t1", "{\"title\":\"y\"}");
    assert!(store.intend(&other).await.is_err(), "the id stands for another job");

    let ledger = store.tool_ledger(&id).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert_eq!((ledger[0].state, ledger[0].verdict), (LedgerState::Done, Some(Verdict::Success)));
    assert_eq!(ledger[0].output, Some(Text::from("one")));
}

pub(super) async fn a_tool_that_was_refused_stays_asked(world: impl World) {
    let (store, id) = (world.start("n1").await, CallId::new("c1"));
    store.open(opened("c1")).await.unwrap();
    let (tool, name) = (ToolCallId("t1".to_owned()), "delete_task".to_owned());
    let arguments = Text::from("{}");
    store.note(note("c1", 1, Fact::ToolAsked { id: tool.clone(), name: name.clone(), arguments }));
    let question = Text::from("Shall I?");
    store.note(note("c1", 2, Fact::ConfirmationAsked { name: name.clone(), question }));
    let settled =
        Fact::ConfirmationSettled { name: name.clone(), verdict: "declined", by: "voice" };
    store.note(note("c1", 3, settled));
    let verdict = Verdict::User;
    store.note(note("c1", 4, Fact::ToolAnswered { id: tool, name, verdict, took_ms: 9 }));
    store.flush().await.unwrap();
    let ledger = store.tool_ledger(&id).await.unwrap();
    assert_eq!((ledger[0].state, ledger[0].verdict), (LedgerState::Asked, Some(Verdict::User)));
    let confirmations = store.confirmations(&id).await.unwrap();
    assert_eq!(confirmations[0].verdict.as_deref(), Some("declined"));
    assert_eq!(confirmations[0].question.as_str(), "Shall I?");
}

pub(super) async fn what_a_dead_run_left_is_ended_honestly(world: impl World) {
    let old = world.start("n1").await;
    let neighbour = world.start("n2").await;
    neighbour.open(opened("theirs")).await.unwrap();
    for call in ["queued", "dialing", "talking", "over"] {
        old.open(opened(call)).await.unwrap();
    }
    for call in ["dialing", "talking", "over"] {
        old.dialing(CallId::new(call)).await.unwrap();
    }
    old.note(note("talking", 1, Fact::CarrierNamed(CarrierCallId("CA7".to_owned()))));
    old.note(note("talking", 2, Fact::Lifecycle(Lifecycle::Answered)));
    old.note(note("talking", 500, Fact::Pressed));
    assert_eq!(old.intend(&job("talking", "t1", "{}")).await.unwrap(), Intent::Fresh);
    old.note(note("over", 1, finalized(Outcome::Answered)));
    old.flush().await.unwrap();

    let new = world.start("n1").await;
    assert_eq!(new.tenure().epoch, 2);
    let mut settled = new.settle_orphans("n1".to_owned()).await.unwrap();
    settled.sort_by(|one, other| one.id.cmp(&other.id));
    let told: Vec<_> = settled.iter().map(|call| (&*call.id.0, call.was, call.outcome)).collect();
    assert_eq!(
        told,
        [
            ("dialing", Lifecycle::Dialing, Outcome::SystemError),
            ("queued", Lifecycle::Queued, Outcome::Cancelled),
            ("talking", Lifecycle::Answered, Outcome::SystemError),
        ]
    );
    assert_eq!(settled[2].carrier_call, Some(CarrierCallId("CA7".to_owned())));
    let talking = CallId::new("talking");
    let row = new.call(&talking).await.unwrap().unwrap();
    assert_eq!((row.lifecycle, row.reason.as_deref()), (Lifecycle::Finalized, Some("node_lost")));
    assert_eq!(row.talk_ms, Some(498));
    let events = new.events(&talking, 500).await.unwrap();
    assert_eq!((events[0].sequence, events[0].kind.as_str()), (501, "finalized"));
    assert_eq!(new.tool_ledger(&talking).await.unwrap()[0].state, LedgerState::Begun);
    assert_eq!(new.settle_orphans("n1".to_owned()).await.unwrap(), []);
    let theirs = new.call(&CallId::new("theirs")).await.unwrap().unwrap();
    assert_eq!(theirs.lifecycle, Lifecycle::Queued);
}

pub(super) async fn what_a_carrier_holds_is_taken_over_and_ended_when_that_is_known(
    world: impl World,
) {
    let old = world.start("n1").await;
    for call in ["queued", "dialing", "talking", "with a human", "alone again"] {
        old.open(opened(call)).await.unwrap();
    }
    for call in ["dialing", "talking", "with a human", "alone again"] {
        old.dialing(CallId::new(call)).await.unwrap();
    }
    old.note(note("dialing", 1, Fact::SubmissionUnknown));
    old.note(note("talking", 1, Fact::CarrierNamed(CarrierCallId("CA7".to_owned()))));
    old.note(note("talking", 7, Fact::Lifecycle(Lifecycle::Answered)));
    old.note(note("with a human", 1, Fact::HandOver { step: "asked" }));
    old.note(note("alone again", 1, Fact::HandOver { step: "asked" }));
    old.note(note("alone again", 2, Fact::HandOver { step: "failed" }));
    old.flush().await.unwrap();

    let new = world.start("n1").await;
    let mut left = new.adopt_orphans("n1".to_owned()).await.unwrap();
    left.sort_by(|one, other| one.call.id.cmp(&other.call.id));
    let seen: Vec<_> = left.iter().map(|it| (&*it.call.id.0, it.facts, it.with)).collect();
    let (human, alone) = (("with a human", 1, With::Human), ("alone again", 2, With::Us));
    assert_eq!(seen, [alone, ("dialing", 1, With::Us), ("talking", 7, With::Us), human]);
    assert!(left[1].call.submission_unknown && !left[2].call.submission_unknown);
    assert_eq!(left[2].call.carrier_call, Some(CarrierCallId("CA7".to_owned())));
    assert_eq!(left[2].last_ms, Some(1_000_007));
    // Taken over, and not ended: the former owner is refused, and only the rest is settled.
    old.note(note("talking", 8, said(Speaker::Agent, "I am still here.")));
    old.flush().await.unwrap();
    let settled = new.settle_orphans("n1".to_owned()).await.unwrap();
    assert_eq!(settled.iter().map(|call| &*call.id.0).collect::<Vec<_>>(), ["queued"]);
    let (talking, reason) = (CallId::new("talking"), "ended_meanwhile".to_owned());
    assert_eq!(new.call(&talking).await.unwrap().unwrap().lifecycle, Lifecycle::Answered);
    // Who takes it up goes on behind the last fact.
    new.note(note("talking", 8, said(Speaker::Agent, "Here we are again.")));
    let end = End { outcome: Outcome::Answered, reason, talk_ms: 9 };
    new.end_orphan(talking.clone(), end).await.unwrap();
    let events = new.events(&talking, 7).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|it| (it.sequence, it.kind.as_str())).collect();
    assert_eq!(kinds, [(8, "turn"), (9, "finalized")]);
    let row = new.call(&talking).await.unwrap().unwrap();
    assert_eq!((row.outcome, row.talk_ms), (Some(Outcome::Answered), Some(9)));
    assert_eq!(new.adopt_orphans("n1".to_owned()).await.unwrap(), []);
    // What was not ended is found by the next run.
    let next = world.start("n1").await;
    assert_eq!(next.adopt_orphans("n1".to_owned()).await.unwrap().len(), 3);
}

pub(super) async fn a_stale_writer_is_refused(world: impl World) {
    let (old, id) = (world.start("n1").await, CallId::new("c1"));
    old.open(opened("c1")).await.unwrap();
    let new = world.start("n1").await;
    // Not settled yet: the call is still the old run's alone.
    assert!(new.dialing(id.clone()).await.is_err());
    new.settle_orphans("n1".to_owned()).await.unwrap();
    let before = new.events(&id, 0).await.unwrap();
    assert!(old.dialing(id.clone()).await.is_err());
    assert!(old.intend(&job("c1", "t1", "{}")).await.is_err());
    old.note(note("c1", 9, said(Speaker::Agent, "I am still here.")));
    old.flush().await.unwrap();
    assert_eq!(new.events(&id, 0).await.unwrap(), before);
    assert_eq!(new.turns(&id).await.unwrap(), []);
}

pub(super) async fn another_node_can_bury_a_dead_one(world: impl World) {
    let dead = world.start("n1").await;
    dead.open(opened("c1")).await.unwrap();
    let living = world.start("n2").await;
    living.open(opened("c2")).await.unwrap();
    let settled = living.settle_orphans("n1".to_owned()).await.unwrap();
    assert_eq!(settled.len(), 1);
    assert_eq!(&*settled[0].id.0, "c1");
}

pub(super) async fn calls_are_listed_in_pages_newest_first(world: impl World) {
    let store = world.start("n1").await;
    for call in 0..25 {
        store.open(opened(&format!("c{call:02}"))).await.unwrap();
    }
    store.dialing(CallId::new("c07")).await.unwrap();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.calls(CallFilter::default(), cursor, 10).await.unwrap();
        seen.extend(page.calls);
        match page.next {
            Some(next) => cursor = Some(next.to_string().parse().unwrap()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by_key(|row| std::cmp::Reverse((row.queued_ms, row.id.clone()))));
    let dialing = CallFilter { lifecycle: Some(Lifecycle::Dialing), ..CallFilter::default() };
    let page = store.calls(dialing, None, 10).await.unwrap();
    assert_eq!(page.calls.iter().map(|row| &*row.id.0).collect::<Vec<_>>(), ["c07"]);
    let stranger = CallFilter { remote: Some(Number::new("+15550123")), ..CallFilter::default() };
    assert!(store.calls(stranger, None, 10).await.unwrap().calls.is_empty());
}

pub(super) async fn settings_are_kept(world: impl World) {
    let store = world.start("n1").await;
    assert_eq!(store.setting("voice").await.unwrap(), None);
    store.set("voice".to_owned(), Text::from("marin")).await.unwrap();
    store.set("voice".to_owned(), Text::from("cedar")).await.unwrap();
    let next = world.start("n1").await;
    assert_eq!(next.setting("voice").await.unwrap(), Some(Text::from("cedar")));
}
