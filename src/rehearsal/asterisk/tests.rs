//! The simulated Asterisk against what a real one was recorded to do.

use reqwest::{Client, Method};
use serde_json::Value;

use super::*;
use crate::carrier::asterisk::ari::{Bridge, Channel as Shown};

const ORDERS: &str = include_str!("../../../tests/fixtures/asterisk/recorded-orders.jsonl");
const EVENTS: &str = include_str!("../../../tests/fixtures/asterisk/recorded-ari.jsonl");

/// The caller's channel, in the recording.
const CALLER: &str = "1795761952.0";
/// Two who pick up and hang up when they are told to.
const SILENT: [&str; 2] = ["+15550105", "+15550106"];

fn caller(pbx: &Asterisk) -> String {
    let hall = pbx.pbx.hall();
    let callers = |(_, channel): &(&String, &Channel)| channel.kind.rang();
    hall.channels.iter().find(callers).map(|(id, _)| id.clone()).unwrap()
}

#[tokio::test]
async fn every_order_is_answered_as_it_was_by_the_real_one() {
    let pbx = Asterisk::start().await.unwrap();
    let _told = pbx.pbx.events.subscribe();
    pbx.ring_in(SILENT[0], "+14255550123");
    let orders = ORDERS.replace(CALLER, &caller(&pbx)).replace("+15550120", SILENT[1]);
    let mut seen = Vec::new();
    for line in orders.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let order = line["order"].as_str().unwrap();
        let (method, path) = order.split_once(' ').unwrap();
        if order == "DELETE channels/tandem-phone-a" {
            pbx.hang_up(SILENT[1]);
        }
        let url = format!("{}/{path}", pbx.ari_url());
        let request = Client::new().request(method.parse::<Method>().unwrap(), url);
        let answer = request.basic_auth(USER.0, Some(USER.1)).json(&line["body"]).send();
        let status = answer.await.unwrap().status().as_u16();
        assert_eq!(status, line["status"], "{order} {}", line["body"]);
        seen.push(status);
    }
    assert_eq!(seen.len(), 19);
}

#[test]
fn its_lists_are_read() {
    let list = |order: &str| {
        let found = ORDERS.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        found.filter(|line| line["order"] == order).map(|mut line| line["answer"].take()).next()
    };
    let media = format!("tandem-media-{CALLER}");
    let channels = list("GET channels").unwrap();
    let [channel] = <[Shown; 1]>::try_from(serde_json::from_value::<Vec<_>>(channels).unwrap())
        .expect("one channel");
    assert_eq!((channel.id, channel.state.as_str()), (media.clone(), "Up"));
    let bridges: Vec<Bridge> = serde_json::from_value(list("GET bridges").unwrap()).unwrap();
    assert_eq!((bridges[0].id.as_str(), bridges.len()), ("tandem-bridge-1795761952.0", 1));
    assert_eq!(bridges[0].channels, [media]);
}

/// What is told of a channel from its coming to its end, of all that is read.
fn story(events: impl Iterator<Item = String>, channel: &str) -> Vec<(String, Option<u64>)> {
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let of = |event: &Value| {
        event["channel"]["id"] == channel
            && matches!(
                event["type"].as_str(),
                Some("StasisStart" | "StasisEnd" | "ChannelDestroyed")
            )
    };
    let told = |event: Value| {
        let cause = event["cause"].as_u64();
        (event["type"].as_str().unwrap().to_owned(), cause)
    };
    events.map(read).filter(of).map(told).collect()
}

#[tokio::test]
async fn the_end_of_every_channel_is_told_as_by_the_real_one() {
    let pbx = Asterisk::start().await.unwrap();
    let mut told = pbx.pbx.events.subscribe();
    pbx.ring_in(SILENT[0], "+14255550123");
    let rings = caller(&pbx);
    pbx.hang_up(SILENT[0]);
    pbx.pbx.ring("tandem-phone-a", "PJSIP/+15550105@trunk", Duration::from_secs(10)).unwrap();
    let up = |pbx: &Asterisk| pbx.pbx.shown("tandem-phone-a")["state"] == "Up";
    assert!(pbx.until(up).await);
    pbx.hang_up(SILENT[0]);
    pbx.pbx.ring("tandem-phone-c", "PJSIP/+15550199@trunk", Duration::from_secs(10)).unwrap();
    assert!(pbx.until(Asterisk::is_empty).await);
    let events: Vec<String> = std::iter::from_fn(|| told.try_recv().ok()).collect();
    let simulated = |channel: &str| story(events.iter().cloned(), channel);
    let recorded = |channel: &str| story(EVENTS.lines().map(str::to_owned), channel);
    assert_eq!(simulated(&rings), recorded(CALLER));
    assert_eq!(simulated("tandem-phone-a"), recorded("tandem-phone-a"));
    assert_eq!(simulated("tandem-phone-c"), recorded("tandem-phone-c"));
    assert_eq!(recorded("tandem-phone-c").len(), 1, "never answered: it has not come to us");
}
