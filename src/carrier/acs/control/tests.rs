//! Orders on real sockets: what is sent, what is tried once more, what a failure means.

mod faults;
pub(in crate::carrier::acs) mod resource;

use std::collections::HashMap;

use serde_json::Value;
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::{
    Addresses, Carrier as _, CarrierCallId, CarrierError, Dial, Digit, Number,
};

use super::*;
use crate::carrier::acs::reply::Recording;
use resource::{Heard, Reply, Resource, VERSION, control};

const CALL: &str = "411f0b00-0000-0000-0000-000000000001";
const CONNECTED: &str = r#"{"callConnectionId":"411f0b00-0000-0000-0000-000000000001",
    "serverCallId":"aHR0","callConnectionState":"connecting","new":{"a":1},
    "targets":[{"rawId":"4:+12065550100","kind":"phoneNumber",
    "phoneNumber":{"value":"+12065550100"}}]}"#;

fn call() -> CarrierCallId {
    CarrierCallId(CALL.into())
}

fn them() -> Number {
    Number::new("+12065550100")
}

fn human() -> Number {
    Number::new("+12065550111")
}

fn incoming() -> IncomingContext {
    IncomingContext("eyJhbGciOi".into())
}

fn addresses(call: &str) -> Addresses {
    Addresses {
        media: format!("wss://bridge.example.com/acs/media/{call}/nonce"),
        events: format!("https://bridge.example.com/acs/events/{call}/nonce"),
    }
}

fn dial() -> Dial {
    Dial {
        call: CallId::new("c-81"),
        to: them(),
        from: Number::new("+12065550199"),
        addresses: addresses("c-81"),
    }
}

async fn answer(control: &Control, caller: Number) -> Result<CarrierCallId, CarrierError> {
    let call = CallId::new("c-82");
    control.answer(&incoming(), caller, &call, &addresses("c-82")).await
}

fn keys(keys: &str) -> Vec<Digit> {
    keys.chars().map(|key| Digit::new(key).unwrap()).collect()
}

/// Gives every order once and returns what was asked, by the fixture's names.
async fn give_every_order() -> Vec<(&'static str, Heard)> {
    let script = [
        Reply::Is(201, CONNECTED),
        Reply::Is(200, CONNECTED),
        Reply::Is(204, ""),
        Reply::Is(204, ""),
        Reply::Is(200, CONNECTED),
        Reply::Is(204, ""),
        Reply::Is(204, ""),
        Reply::Is(202, "{}"),
        Reply::Is(202, r#"{"invitationId":"i-1"}"#),
        Reply::Is(202, "{}"),
        Reply::Is(202, "{}"),
        Reply::Is(200, r#"{"recordingId":"r-1","recordingState":"active"}"#),
        Reply::Is(204, ""),
    ];
    let resource = Resource::answering(&script).await;
    let control = resource.control();
    let placed = control.place(dial()).await.unwrap();
    assert_eq!(placed, call());
    assert_eq!(answer(&control, them()).await, Ok(call()));
    control.reject(&incoming(), Rejection::Busy).await.unwrap();
    control.redirect(&incoming(), &human()).await.unwrap();
    assert!(!control.look(&call()).await.unwrap().unwrap().is_over());
    control.leave(call()).await.unwrap();
    control.hang_up(call()).await.unwrap();
    control.transfer(call(), human(), "Kim.".into()).await.unwrap();
    let invitation = control.add(&call(), &human(), 30, "agent-7").await.unwrap();
    assert_eq!(invitation.invitation_id.as_deref(), Some("i-1"));
    control.remove(&call(), &human(), "agent-7").await.unwrap();
    control.press(call(), keys("12#")).await.unwrap();
    let recording = control.record(&call(), &addresses("c-81").events).await.unwrap();
    assert_eq!(recording.recording_id, "r-1");
    let id = "eyJQbGF0Zm9ybUVuZHBvaW50SWQ".to_owned();
    control.stop_recording(&Recording { recording_id: id }).await.unwrap();
    let names = [
        "create",
        "answer",
        "reject",
        "redirect",
        "look",
        "leave",
        "terminate",
        "transfer",
        "add",
        "remove",
        "press",
        "record",
        "stop_recording",
    ];
    let heard = resource.heard();
    assert_eq!(heard.len(), names.len());
    names.into_iter().zip(heard).collect()
}

/// What says the same in more words: the library leaves out the kind of a party, whose raw id
/// tells it, and lists nobody.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, value)| name != "kind" && *value != Value::Array(Vec::new()))
            .map(|(name, value)| (name, plain(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(plain).collect(),
        word @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => word,
    }
}

#[tokio::test]
async fn orders_are_those_of_azures_own_library() {
    let lines = include_str!("../../../../tests/fixtures/acs/orders.jsonl").lines().skip(1);
    let fixtures: HashMap<String, Value> = lines
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|order| (order["order"].as_str().unwrap().to_owned(), order))
        .collect();
    for (name, heard) in give_every_order().await {
        let fixture = &fixtures[name];
        assert_eq!(heard.method, fixture["method"], "{name}");
        let url = fixture["url"].as_str().unwrap();
        let (_, path) = url.split_once(".com/").unwrap();
        assert_eq!(heard.path_and_query, format!("/{path}"), "{name}");
        assert!(heard.path_and_query.ends_with(VERSION), "{name}");
        let body = match fixture["body"].as_str().unwrap() {
            "" => Value::Null,
            body => serde_json::from_str(body).unwrap(),
        };
        assert_eq!(plain(heard.body.clone()), plain(body), "{name}");
        if heard.pair().is_some() {
            assert_eq!(fixture["repeatable"], true, "{name}");
            assert_eq!(heard.header("content-type"), Some("application/json"), "{name}");
        }
        if heard.method == "POST" {
            assert!(heard.header("content-length").is_some(), "{name} has no length");
        }
    }
}

#[tokio::test]
async fn what_must_not_be_done_twice_carries_an_id() {
    let with: Vec<&str> = give_every_order()
        .await
        .into_iter()
        .filter_map(|(name, heard)| heard.pair().is_some().then_some(name))
        .collect();
    let expected =
        ["create", "answer", "reject", "redirect", "transfer", "add", "remove", "press", "record"];
    assert_eq!(with, expected);
}

#[tokio::test]
async fn a_human_is_rung_into_the_call_once_and_in_our_name() {
    let script = [Reply::Is(500, ""), Reply::Is(202, r#"{"invitationId":"i-1"}"#)];
    let resource = Resource::answering(&script).await;
    resource.control().invite(call(), human()).await.unwrap();
    let heard = resource.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].pair(), heard[1].pair(), "the second is known to be the first again");
    let body = &heard[1].body;
    assert_eq!(body["participantToAdd"]["phoneNumber"]["value"], human().as_str());
    assert_eq!(body["sourceCallerIdNumber"]["value"], "+12065550199");
    assert_eq!(body["invitationTimeoutInSeconds"], RINGS_S);
    assert_eq!(body["operationContext"], INVITE);
}

#[tokio::test]
async fn a_call_is_ordered_under_the_same_id_whoever_orders_it() {
    let id = async |dial: Dial| {
        let resource = Resource::answering(&[Reply::Is(201, CONNECTED)]).await;
        resource.control().place(dial).await.unwrap();
        resource.heard_one().pair().unwrap().0.to_owned()
    };
    let first = id(dial()).await;
    assert_eq!(first, id(dial()).await);
    assert_ne!(first, id(Dial { call: CallId::new("c-82"), ..dial() }).await);
    assert!(Uuid::parse_str(&first).is_ok(), "{first}");
}

#[tokio::test]
async fn keys_are_pressed_eighteen_at_a_time_towards_whom_we_rang() {
    let taken = Reply::Is(202, "{}");
    let resource = Resource::answering(&[Reply::Is(201, CONNECTED), taken, taken, taken]).await;
    let control = resource.control();
    control.place(dial()).await.unwrap();
    control.press(call(), keys("0123456789ABCD*#0123456789ABCD*#01234")).await.unwrap();
    let pressed: Vec<Heard> = resource.heard().into_iter().skip(1).collect();
    let tones: Vec<usize> =
        pressed.iter().map(|order| order.body["tones"].as_array().unwrap().len()).collect();
    assert_eq!(tones, [18, 18, 1]);
    for order in &pressed {
        assert_eq!(order.body["targetParticipant"]["phoneNumber"]["value"], "+12065550100");
    }
    assert_ne!(pressed[0].pair(), pressed[1].pair());
}

#[tokio::test]
async fn keys_that_are_refused_are_not_followed_by_more() {
    let refused = Reply::Is(400, r#"{"error":{"code":"8500","message":"no"}}"#);
    let resource = Resource::answering(&[Reply::Is(201, CONNECTED), refused]).await;
    let control = resource.control();
    control.place(dial()).await.unwrap();
    let error = control.press(call(), keys(&"1".repeat(40))).await.unwrap_err();
    assert_eq!(error, CarrierError::Refused(Outcome::SystemError));
    assert_eq!(resource.heard().len(), 2);
}

#[tokio::test]
async fn acs_is_asked_who_the_other_party_of_an_unknown_call_is() {
    let inbound = r#"{"callConnectionId":"x","targets":[{"phoneNumber":{"value":"+12065550199"}}],
        "source":{"rawId":"4:+12065550122","phoneNumber":{"value":"+12065550122"}}}"#;
    let resource = Resource::answering(&[Reply::Is(200, inbound), Reply::Is(202, "{}")]).await;
    resource.control().press(CarrierCallId("x".into()), keys("1")).await.unwrap();
    let pressed = &resource.heard()[1].body;
    assert_eq!(pressed["targetParticipant"]["phoneNumber"]["value"], "+12065550122");
}

#[tokio::test]
async fn keys_for_somebody_without_a_phone_are_left_to_the_audio() {
    let resource = Resource::answering(&[Reply::Is(200, CONNECTED)]).await;
    let control = resource.control();
    answer(&control, Number::new("8:acs:resource_user")).await.unwrap();
    let error = control.press(call(), keys("1")).await.unwrap_err();
    assert!(matches!(error, CarrierError::NotOffered(_)), "{error}");
    assert_eq!(resource.heard().len(), 1);
}

#[tokio::test]
async fn a_recording_is_fetched_in_parts_and_deleted() {
    let script = [
        Reply::Is(200, "RIFF whole"),
        Reply::Is(206, "RIFF part"),
        Reply::Is(200, ""),
        Reply::Is(404, ""),
    ];
    let resource = Resource::answering(&script).await;
    let control = resource.control();
    let location = format!("{}/v1/objects/0-wus-d1/content/acscomposite", resource.url());
    let whole = control.fetch(&location, Part::Whole).await.unwrap();
    assert_eq!(whole.bytes().await.unwrap(), "RIFF whole");
    let part = control.fetch(&location, Part::Bytes(100, 149)).await.unwrap();
    assert_eq!(part.bytes().await.unwrap(), "RIFF part");
    control.delete_recording(&location).await.unwrap();
    let gone = control.fetch(&location, Part::Whole).await.unwrap_err();
    assert_eq!(gone, FetchError::Refused(404));
    let heard = resource.heard();
    assert_eq!(heard[0].header("range"), None);
    assert_eq!(heard[1].header("range"), Some("bytes=100-149"));
    assert_eq!(heard[2].method, "DELETE");
    let host = resource.url().replace("http://", "");
    assert!(heard.iter().all(|heard| heard.header("x-ms-host") == Some(&host)));
}

#[tokio::test]
async fn a_recording_at_a_strangers_address_is_not_asked_for() {
    let resource = Resource::answering(&[]).await;
    let stranger = format!("{}/v1/objects/0", resource.url());
    let control = control("https://a.communication.azure.com", resource::KEY);
    let error = control.fetch(&stranger, Part::Whole).await.unwrap_err();
    assert_eq!(error, FetchError::Elsewhere);
    assert_eq!(control.delete_recording(&stranger).await, Err(FetchError::Elsewhere));
    assert!(resource.heard().is_empty());
}
