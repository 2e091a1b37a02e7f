//! Callers who ring while every place is taken: with a queue they wait, first come first served.

use std::net::SocketAddr;

use reqwest::Client;
use rstest::rstest;
use serde_json::{Value, json};
use tandem::config::{Config, Dialect};
use tandem::reception::{Ringing, Taken, Waiting};
use tandem::rehearsal::asterisk::Asterisk;
use tandem::rehearsal::azure::Fate;
use tandem::store::{Archive as _, CallFilter, CallRow, Store};
use tandem_actors::briefing::{Direction, Lifecycle, Outcome};
use tandem_actors::call::event::{Input, Order};
use tandem_actors::carrier::Number;
use tandem_actors::exchange::Exchange;
use tandem_actors::record::Fact;

use crate::acs_stage::AcsStage;
use crate::asterisk_network;
use crate::stage::{STORY, Stage, ending};
use crate::twilio_network::network::Network;

/// Says nothing and stays on the line.
const SILENT: &str = "+15550105";
const CALLER: &str = "+15550110";

/// One place, and a queue of two.
fn small(config: &mut Config) {
    (config.limits.calls, config.limits.queue_s, config.limits.queue_calls) = (1, 60, 2);
}

async fn open(change: impl FnOnce(&mut Config)) -> Stage {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    small(&mut config);
    change(&mut config);
    Stage::with(config).await
}

/// The caller's call, as soon as it is so.
async fn until(store: &Store, from: &str, so: impl Fn(&CallRow) -> bool) -> CallRow {
    let mut commits = store.commits();
    let found = async {
        loop {
            commits.mark_unchanged();
            let (direction, remote) = (Some(Direction::Inbound), Some(Number::new(from)));
            let filter = CallFilter { direction, remote, ..CallFilter::default() };
            let page = store.calls(filter, None, 5).await.unwrap();
            if let Some(row) = page.calls.into_iter().find(&so) {
                return row;
            }
            commits.changed().await.unwrap();
        }
    };
    tokio::time::timeout(STORY, found).await.expect("the record tells of it")
}

/// How the caller's call ended.
pub(crate) async fn end_of(store: &Store, from: &str) -> (Outcome, String) {
    let row = until(store, from, |row| row.lifecycle == Lifecycle::Finalized).await;
    (row.outcome.unwrap(), row.reason.unwrap())
}

async fn waits(stage: &Stage, from: &str) -> Waiting {
    let (from, to) = (Number::new(from), Number::new("+15550199"));
    let ringing = Ringing { from, to, dialect: Dialect::Acs24k };
    match stage.server.desk.reception.take_in_turn(ringing).await.unwrap() {
        Taken::Waits(waiting) => waiting,
        Taken::Made(_) | Taken::PassedOn(_) => panic!("there is no place"),
    }
}

async fn seen(stage: &Stage, path: &str) -> String {
    let answer = Client::new().get(format!("{}{path}", stage.server.url())).send().await.unwrap();
    answer.text().await.unwrap()
}

/// Everybody on the line is hung up on.
fn make_room(exchange: &Exchange) {
    for call in exchange.calls() {
        exchange.tell(&call, Input::Order(Order::HangUp));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_wait_in_the_order_in_which_they_came() {
    let stage = open(|_| {}).await;
    let desk = stage.server.desk.clone();
    stage.place(SILENT, Dialect::Acs24k).await;
    let (first, second) = (waits(&stage, "+15551001").await, waits(&stage, "+15551002").await);
    let third = json!({ "from": "+15551003", "to": "+15550199" });
    let rings = Client::new().post(format!("{}/rehearsal/incoming", stage.server.url()));
    assert_eq!(rings.json(&third).send().await.unwrap().status(), 503);
    assert_eq!(end_of(&desk.store, "+15551003").await, (Outcome::Busy, "queue_full".to_owned()));

    let floor: Value = serde_json::from_str(&seen(&stage, "/v1/floor").await).unwrap();
    assert_eq!((&floor["live"], &floor["waiting"]), (&json!(1), &json!(2)), "{floor}");
    let callers =
        floor["calls"].as_array().unwrap().iter().filter(|row| row["direction"] == "inbound");
    assert_eq!(callers.filter(|row| row["lifecycle"] == "queued").count(), 2, "{floor}");
    let metrics = seen(&stage, "/metrics").await;
    for line in ["tandem_callers_waiting 2", "tandem_callers_turned_away_total 1"] {
        assert!(metrics.contains(line), "{metrics}");
    }

    let second = tokio::spawn(second.turn());
    make_room(&desk.exchange);
    let made = first.turn().await.unwrap();
    assert!(!second.is_finished(), "one place, one caller");
    let row = until(&desk.store, "+15551001", |row| row.lifecycle == Lifecycle::Dialing).await;
    assert!(row.id == made.call && row.dialing_ms >= Some(row.queued_ms));
    second.abort();
    let gave_up = (Outcome::Cancelled, "caller_gave_up".to_owned());
    assert_eq!(end_of(&desk.store, "+15551002").await, gave_up);
    assert_eq!(desk.reception.waiting(), 0);
    make_room(&desk.exchange);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_has_a_place_before_an_order_does() {
    let stage = open(|_| {}).await;
    let desk = stage.server.desk.clone();
    stage.place(SILENT, Dialect::Acs24k).await;
    let waiting = waits(&stage, CALLER).await;
    make_room(&desk.exchange);
    desk.exchange.emptied().await;
    let order = json!({ "to": SILENT, "task": "Say hello." });
    let order = Client::new().post(format!("{}/v1/calls", stage.server.url())).json(&order);
    assert_eq!(order.send().await.unwrap().status(), 503, "the place is a caller's");
    waiting.turn().await.unwrap();
    make_room(&desk.exchange);
    stage.close().await;
}

#[derive(Clone, Copy, Debug)]
enum How {
    TooLong,
    Ordered,
    Draining,
}

#[rstest]
#[case(How::TooLong, Outcome::Busy, "waited_too_long")]
#[case(How::Ordered, Outcome::Cancelled, "ordered")]
#[case(How::Draining, Outcome::Busy, "draining")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_is_not_served_hears_it_and_the_record_says_why(
    #[case] how: How,
    #[case] outcome: Outcome,
    #[case] reason: &str,
) {
    let short = matches!(how, How::TooLong);
    let stage = open(|config| config.limits.queue_s = if short { 1 } else { 60 }).await;
    let desk = stage.server.desk.clone();
    stage.place(SILENT, Dialect::Acs24k).await;
    let waiting = waits(&stage, CALLER).await;
    let row = until(&desk.store, CALLER, |row| row.lifecycle == Lifecycle::Queued).await;
    match how {
        How::TooLong => {}
        How::Ordered => {
            let hang_up = format!("{}/v1/calls/{}/hangup", stage.server.url(), row.id);
            let answer: Value =
                Client::new().post(hang_up).send().await.unwrap().json().await.unwrap();
            assert_eq!(answer["ended"], false, "it was not over before");
        }
        How::Draining => desk.exchange.close_doors(),
    }
    assert!(waiting.turn().await.is_err());
    assert_eq!(end_of(&desk.store, CALLER).await, (outcome, reason.to_owned()));
    make_room(&desk.exchange);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_at_twilio_hears_that_they_wait_and_is_connected() {
    let mut network = Network::with(small).await;
    let silent = network.place(SILENT).await;
    network.answered(&[&silent]).await;
    let name = network.twilio.ring_in(CALLER);
    let told = network.twilio.until(&name, |record| !record.heard.is_empty()).await.unwrap();
    assert!(told.heard[0].contains("hold on"), "{:?}", told.heard);
    network.hang_up(&silent).await;
    network.finalized_call(&silent).await;
    let facts = network.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!(record.streams, 1);
    assert!(record.answers.iter().all(|status| *status == 200), "{:?}", record.answers);
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_at_twilio_who_waits_in_vain_is_told_so() {
    let in_vain = |config: &mut Config| {
        small(config);
        config.limits.queue_s = 1;
    };
    let mut network = Network::with(in_vain).await;
    let silent = network.place(SILENT).await;
    network.answered(&[&silent]).await;
    let name = network.twilio.ring_in(CALLER);
    let record = network.twilio.ended(&name).await.unwrap();
    assert!(record.heard.last().unwrap().contains("call again"), "{:?}", record.heard);
    assert_eq!(record.streams, 0);
    let store = network.server.desk.store.clone();
    assert_eq!(end_of(&store, CALLER).await, (Outcome::Busy, "waited_too_long".to_owned()));
    network.hang_up(&silent).await;
    network.finalized().await;
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_rings_at_acs_is_answered_when_there_is_a_place() {
    let mut stage = AcsStage::open_with(small).await;
    let silent = stage.place(SILENT).await;
    let answered = |fact: &Fact| matches!(fact, Fact::Lifecycle(Lifecycle::Answered));
    stage.stage.until(answered).await;
    let ringing = stage.azure.ring(&[Number::new(CALLER)]).await;
    let store = stage.stage.server.desk.store.clone();
    until(&store, CALLER, |row| row.lifecycle == Lifecycle::Queued).await;
    stage.stage.server.desk.exchange.tell(&silent, Input::Order(Order::HangUp));
    let fate = stage.azure.fate(&ringing[0]).await;
    assert!(matches!(fate, Fate::Answered(_)), "{fate:?}");
    stage.stage.finalized_of(&silent).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_at_an_asterisk_hears_it_ring_until_their_turn_or_hangs_up() {
    let (mut stage, pbx) = asterisk_network::open_as(small).await;
    let silent = stage.place(SILENT, Dialect::Asterisk24k).await;
    let answered = |fact: &Fact| matches!(fact, Fact::Lifecycle(Lifecycle::Answered));
    stage.until(answered).await;
    let store = stage.server.desk.store.clone();
    let queued = |row: &CallRow| row.lifecycle == Lifecycle::Queued;
    pbx.ring_in("+15550106", "+15550199");
    until(&store, "+15550106", queued).await;
    pbx.hang_up("+15550106");
    let gave_up = (Outcome::Cancelled, "caller_gave_up".to_owned());
    assert_eq!(end_of(&store, "+15550106").await, gave_up);
    pbx.ring_in(CALLER, "+15550199");
    until(&store, CALLER, queued).await;
    stage.server.desk.exchange.tell(&silent, Input::Order(Order::HangUp));
    stage.finalized_of(&silent).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::Answered);
    assert!(pbx.until(Asterisk::is_empty).await, "channels or bridges are left behind");
    stage.close().await;
}
