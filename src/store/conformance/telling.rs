//! What is told is there with its fact, once, and is kept until it is delivered or old.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tandem_actors::briefing::{CallId, Lifecycle, Outcome, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::{Fact, Note, Opened, Record as _};

use super::{World, note, opened};
use crate::account::Account;
use crate::store::{
    Archive as _, Attempt, Deliveries, Inquiry, NewWebhook, News, Next, Ordered, Results, RunRow,
    ScheduleRow, Schedules, SearchState, Searches, Target, Telling, WEBHOOKS_MAX, Webhooks,
};

/// What telling needs.
pub(in crate::store) trait Told: Webhooks + Telling + Deliveries {}

impl<S: Webhooks + Telling + Deliveries> Told for S {}

pub(super) async fn wants(store: &impl Webhooks, account: &str, id: &str, events: &[&str]) -> bool {
    let new = NewWebhook {
        id: id.to_owned(),
        url: Text::from("https://a.example/s3cret"),
        events: events.iter().map(|&event| event.to_owned()).collect(),
        secret: "whsec_AAAA".to_owned().into(),
    };
    store.make_webhook(account, new).await.unwrap()
}

pub(super) async fn told(store: &impl Deliveries, id: &str) -> Vec<String> {
    let rows = store.deliveries(id).await.unwrap();
    rows.into_iter().rev().map(|row| row.event).collect()
}

fn end() -> Fact {
    Fact::Finalized { outcome: Outcome::Answered, reason: "goodbye".to_owned(), talk_ms: 4_200 }
}

pub(in crate::store) async fn each_step_of_a_call_is_told_once_to_those_who_want_it(
    world: impl World<Store: Told>,
) {
    let (store, id) = (world.start("n1").await, CallId::new("c1"));
    wants(&store, "house", "all", &[]).await;
    wants(&store, "house", "end", &["call.finalized", "search.finished"]).await;
    wants(&store, "another", "theirs", &[]).await;
    store.open(opened("c1")).await.unwrap();
    store.dialing(id.clone()).await.unwrap();
    assert!(store.dialing(id.clone()).await.is_err(), "nobody is told of what did not happen");
    store.note(note("c1", 1, Fact::Lifecycle(Lifecycle::Dialing)));
    for (sequence, fact) in [(2, Fact::Lifecycle(Lifecycle::Answered)), (3, end()), (4, end())] {
        store.note(note("c1", sequence, fact.clone()));
        store.note(note("c1", sequence, fact));
    }
    let ringing = Opened { lifecycle: Lifecycle::Dialing, ..opened("c2") };
    store.open(ringing).await.unwrap();
    let whole = ["call.dialing", "call.answered", "call.finalized"];
    assert_eq!(told(&store, "all").await, [&whole[..], &["call.dialing"]].concat());
    assert_eq!(told(&store, "end").await, ["call.finalized"]);
    assert!(told(&store, "theirs").await.is_empty());

    let last = store.deliveries_due("end", 9).await.unwrap().remove(0);
    let body: Value = serde_json::from_str(last.body.as_str()).unwrap();
    assert_eq!(body["type"], "call.finalized");
    assert_eq!(body["timestamp"], "1970-01-01T00:16:40.003Z");
    let data = &body["data"];
    assert_eq!((&data["id"], &data["outcome"]), (&json!("c1"), &json!("answered")));
    assert_eq!((&data["reason"], &data["talk_ms"]), (&json!("goodbye"), &json!(4_200)));
    assert_eq!(data["links"]["transcript"], "/v1/calls/c1/transcript");
    assert!(data.get("task").is_none() && data.get("result").is_none());
    store.flush().await.unwrap();

    // What waits, and what the end of a run does to its calls, is there for the next run.
    let store = world.start("n1").await;
    assert_eq!(store.settle_orphans("n1".to_owned()).await.unwrap().len(), 1);
    assert_eq!(told(&store, "end").await, ["call.finalized", "call.finalized"]);
    assert_eq!(store.deliveries_waiting().await.unwrap(), 7);
    let due: Vec<_> = store.endpoints_due().await.unwrap();
    assert_eq!(due.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["all", "end"]);
}

pub(in crate::store) async fn a_result_is_told_unless_it_is_too_long_for_a_message(
    world: impl World<Store: Told + Results>,
) {
    let store = world.start("n1").await;
    wants(&store, "house", "w1", &["call.finalized"]).await;
    for (call, long) in [("c1", 1), ("c2", 20_000)] {
        store.open(opened(call)).await.unwrap();
        let result = json!({ "status": "achieved", "words": "x".repeat(long) });
        store.bring_result(&CallId::new(call), Text(result.to_string())).await.unwrap();
        let at = SystemTime::now();
        store.note(Note { call: CallId::new(call), sequence: 1, at, fact: end() });
        store.flush().await.unwrap();
    }
    let due = store.deliveries_due("w1", 9).await.unwrap();
    let bodies = due.iter().map(|due| serde_json::from_str::<Value>(due.body.as_str()).unwrap());
    let data: Vec<Value> = bodies.map(|body| body["data"].clone()).collect();
    assert_eq!(data[0]["result"]["words"], "x");
    assert_eq!((data[1].get("result"), &data[1]["result_omitted"]), (None, &json!(true)));
}

pub(in crate::store) async fn what_became_of_a_delivery_is_kept_for_a_while(
    world: impl World<Store: Told>,
) {
    let store = world.start("n1").await;
    wants(&store, "house", "w1", &[]).await;
    let mut ids = Vec::new();
    for event in ["a", "b", "c"] {
        let news = News { event: event.to_owned(), data: json!({}), at_ms: 1 };
        ids.push(store.tell_one("house", "w1", news).await.unwrap().unwrap());
    }
    let attempt = |next| Attempt { status: Some(500), error: None, next };
    store.settle_delivery(&ids[0], attempt(Next::Delivered)).await.unwrap();
    store.settle_delivery(&ids[1], attempt(Next::GivenUp)).await.unwrap();
    store.settle_delivery(&ids[2], attempt(Next::Again { due_ms: 5 })).await.unwrap();
    let later = jiff::Timestamp::now().as_millisecond() + Duration::from_mins(1).as_millis() as i64;
    assert_eq!(store.forget_deliveries(0, 0).await.unwrap(), 0);
    assert_eq!(store.forget_deliveries(later, 0).await.unwrap(), 1);
    assert_eq!(told(&store, "w1").await, ["b", "c"]);
    assert!(!store.retry_delivery("w1", &ids[0]).await.unwrap());
    assert!(!store.retry_delivery("another", &ids[1]).await.unwrap());
    assert!(store.retry_delivery("w1", &ids[1]).await.unwrap(), "given up and tried again");
    assert_eq!(store.forget_deliveries(later, later).await.unwrap(), 0);
    let due = store.deliveries_due("w1", 9).await.unwrap();
    assert_eq!(due.iter().map(|due| &due.id).collect::<Vec<_>>(), [&ids[2], &ids[1]]);
    assert!(store.retry_delivery("w1", &ids[1]).await.unwrap(), "and once more");
    assert_eq!(store.deliveries_waiting().await.unwrap(), 2);
    assert_eq!((due[0].due_ms, due[0].attempts), (5, 1));
}

pub(in crate::store) async fn endpoints_are_bounded_forgotten_whole_and_signed_with_two_secrets(
    world: impl World<Store: Told>,
) {
    let store = world.start("n1").await;
    for n in 0..WEBHOOKS_MAX {
        assert!(wants(&store, "house", &format!("w{n}"), &[]).await);
    }
    assert!(!wants(&store, "house", "more", &[]).await);
    assert!(wants(&store, "another", "theirs", &[]).await);
    let news = News { event: "a".to_owned(), data: json!({}), at_ms: 1 };
    assert_eq!(store.tell("house", news).await.unwrap(), WEBHOOKS_MAX as usize);
    assert!(!store.forget_webhook("another", "w0").await.unwrap());
    assert!(store.forget_webhook("house", "w0").await.unwrap());
    assert!(store.deliveries("w0").await.unwrap().is_empty());

    let later = jiff::Timestamp::now().as_millisecond() + 60_000;
    let rotate = async |account, until_ms| {
        let secret = "whsec_BBBB".to_owned().into();
        store.rotate_webhook(account, "w1", secret, until_ms).await.unwrap()
    };
    let secrets = async || store.deliveries_due("w1", 1).await.unwrap().remove(0).secrets.len();
    assert!(!rotate("another", later).await);
    assert_eq!(secrets().await, 1);
    assert!(rotate("house", later).await);
    assert_eq!(secrets().await, 2);
    assert!(rotate("house", 0).await);
    assert_eq!(secrets().await, 1, "the day is over");
}

pub(in crate::store) async fn the_end_of_a_search_and_the_times_of_a_schedule_are_told_once(
    world: impl World<Store: Told + Searches + Schedules>,
) {
    let store = world.start("n1").await;
    wants(&store, "house", "all", &[]).await;
    wants(&store, "house", "late", &["schedule.missed"]).await;
    let inquiry = Inquiry {
        question: "A table?".into(),
        facts: None,
        bring: None,
        at_once: 1,
        enough: None,
        again: Vec::new(),
        campaign: None,
    };
    let target = Target { to: Number::new("+15550120"), name: None };
    let begun = store.begin_search(Account::house(), inquiry, vec![target], None).await.unwrap();
    let Ordered::New(search) = begun else { panic!("{begun:?}") };
    for state in [SearchState::Finished, SearchState::Stopped] {
        store.end_search(&search, state).await.unwrap();
    }
    let schedule = ScheduleRow {
        id: "s1".to_owned(),
        account: Account::house(),
        spec: "{}".to_owned(),
        state: "active".to_owned(),
        next_ms: Some(1),
        made_ms: 0,
    };
    store.schedule(schedule, None).await.unwrap();
    let ran = async |due_ms: i64, verdict: &str, call: Option<&str>| {
        let call = call.map(str::to_owned);
        let run =
            RunRow { due_ms, ran_ms: due_ms, verdict: verdict.to_owned(), call, detail: None };
        store.ran("s1".to_owned(), run, Some(due_ms + 1)).await.unwrap();
    };
    for _ in 0..2 {
        ran(1, "placed", Some("c1")).await;
    }
    ran(2, "condition_not_met", None).await;
    ran(3, "missed", None).await;
    let all = ["search.finished", "schedule.called", "schedule.missed"];
    assert_eq!(told(&store, "all").await, all);
    assert_eq!(told(&store, "late").await, all[2..]);
    let bodies = store.deliveries_due("all", 9).await.unwrap();
    let data = |place: usize| {
        serde_json::from_str::<Value>(bodies[place].body.as_str()).unwrap()["data"].take()
    };
    let (of_search, called) = (data(0), data(1));
    assert_eq!((&of_search["id"], &of_search["state"]), (&json!(search), &json!("finished")));
    assert_eq!((&of_search["targets"], &of_search["chosen"]), (&json!(1), &Value::Null));
    assert_eq!((&called["call"], &called["links"]["call"]), (&json!("c1"), &json!("/v1/calls/c1")));
    assert!(!bodies.iter().any(|body| body.body.as_str().contains("5550120")), "no number");
}
