//! The simulated service by itself, over real sockets: a customer signs its own requests.

mod customer;

use reqwest::Method;
use serde_json::{Value, json};
use tandem_actors::carrier::Number;

use super::*;
use crate::rehearsal::callee::Role;
use customer::Customer;

async fn open() -> (Azure, Customer) {
    let azure = Azure::start(Number::new("+15550199")).await.unwrap();
    let customer = Customer::of(&azure).await;
    (azure, customer)
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| event["type"].as_str()?.strip_prefix("Microsoft.Communication."))
        .collect()
}

#[tokio::test]
async fn an_order_that_is_not_in_order_is_refused_in_the_services_shape() {
    let (azure, customer) = open().await;
    let create = "/calling/callConnections";
    let good = customer.create(Role::Silent.number());
    let (status, error) = customer.order(Method::POST, create, &good).await;
    assert_eq!((status, &error["error"]["message"]), (400, &json!("api-version is missing")));
    let old = format!("{create}?api-version=2024-09-15");
    assert_eq!(customer.order(Method::POST, &old, &good).await.0, 400, "no media streaming yet");
    for field in ["targets", "callbackUri", "sourceCallerIdNumber"] {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(field);
        let (status, error) = customer.post(create, &without).await;
        let message = error["error"]["message"].as_str().unwrap();
        assert!(status == 400 && message.contains(field), "{field}: {status} {error}");
        assert_eq!(error["error"]["code"], "8500");
    }
    for (field, wrong) in [
        ("transportType", "tcp"),
        ("audioFormat", "pcm8KMono"),
        ("transportUrl", "ws://example.com/"),
    ] {
        let mut wrongly = good.clone();
        wrongly["mediaStreamingOptions"][field] = json!(wrong);
        let (status, error) = customer.post(create, &wrongly).await;
        assert!(status == 400 && error.to_string().contains(field), "{field}: {status} {error}");
    }
    let (status, error) =
        customer.post("/calling/callConnections/nobody:terminate", &Value::Null).await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("8522")));
    let stranger = customer.with_key(&[7; 32]);
    let (status, error) = stranger.post(create, &good).await;
    assert_eq!((status, &error["error"]["code"]), (403, &json!("7509")));
    assert!(azure.calls().is_empty(), "nobody was rung");
}

#[tokio::test]
async fn a_call_is_told_of_from_its_ring_to_its_end() {
    let (azure, mut customer) = open().await;
    let order = customer.create(Role::Silent.number());
    let (status, call) = customer.post("/calling/callConnections", &order).await;
    assert_eq!((status, &call["callConnectionState"]), (201, &json!("connecting")));
    let path = format!("/calling/callConnections/{}", call["callConnectionId"].as_str().unwrap());
    let target = order["targets"][0].clone();
    let keys = json!({ "tones": ["one", "pound"], "targetParticipant": target });
    let (status, error) = customer.post(&format!("{path}:sendDtmfTones"), &keys).await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!("8501")), "not answered yet");

    let headers = customer.media_is_brought().await;
    assert_eq!(headers["x-ms-call-connection-id"], call["callConnectionId"].as_str().unwrap());
    assert!(headers["authorization"].to_str().unwrap().starts_with("Bearer ey"));
    assert_eq!(customer.post(&format!("{path}:sendDtmfTones"), &keys).await.0, 202);
    assert_eq!(customer.order(Method::GET, &customer.versioned(&path), &Value::Null).await.0, 200);
    assert_eq!(customer.post(&format!("{path}:terminate"), &Value::Null).await.0, 204);
    let events = customer.events_until("CallDisconnected").await;
    let expected = [
        "CallConnected",
        "ParticipantsUpdated",
        "MediaStreamingStarted",
        "SendDtmfTonesCompleted",
        "CallDisconnected",
    ];
    assert_eq!(names(&events), expected);
    assert_eq!(events[1]["data"].get("operationContext"), None, "it comes of no order");
    let last = &events.last().unwrap()["data"];
    assert_eq!(last["resultInformation"]["subCode"], 7_000);
    assert_eq!(last["operationContext"], "c-1");
    assert_eq!(azure.calls()[0].keys, "1#");
    let (status, error) = customer.post(&format!("{path}:terminate"), &Value::Null).await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("8522")), "it is over");
}

#[tokio::test]
async fn an_order_that_comes_again_rings_nobody_twice() {
    let (azure, customer) = open().await;
    let order = customer.create(Role::Silent.number());
    let named = customer.named("5b0b1f4e-0000-4000-8000-000000000001");
    azure.make_trouble(Trouble::BreaksAfter);
    assert_eq!(named.post("/calling/callConnections", &order).await.0, 0, "no answer");
    let (status, first) = named.post("/calling/callConnections", &order).await;
    let (_, second) = named.post("/calling/callConnections", &order).await;
    assert_eq!((status, &first["callConnectionId"]), (201, &second["callConnectionId"]));
    assert_eq!(azure.calls().len(), 1);
    let other = customer.named("5b0b1f4e-0000-4000-8000-000000000002");
    let (_, other) = other.post("/calling/callConnections", &order).await;
    assert_ne!(first["callConnectionId"], other["callConnectionId"]);
    let half = customer.named("not a uuid").post("/calling/callConnections", &order).await;
    assert_eq!(half.0, 400);
}

#[tokio::test]
async fn whoever_does_not_come_to_the_phone_is_told_in_the_networks_codes() {
    let (azure, mut customer) = open().await;
    for (number, code) in [(Role::Busy.number(), 486), ("+15550188", 404)] {
        customer.post("/calling/callConnections", &customer.create(number)).await;
        let events = customer.events_until("CreateCallFailed").await;
        let result = &events.last().unwrap()["data"]["resultInformation"];
        assert_eq!((&result["code"], &result["subCode"]), (&json!(code), &json!(560_000 + code)));
        assert_eq!(result["sipDetails"]["code"], code);
    }
    assert!(azure.calls().iter().all(|call| call.state == State::Disconnected));
}

#[tokio::test]
async fn events_come_doubled_and_shuffled_on_demand() {
    let (azure, mut customer) = open().await;
    azure.play_mischief(Mischief { doubled: true, shuffled: true, ..Mischief::default() });
    customer.post("/calling/callConnections", &customer.create(Role::Silent.number())).await;
    let events = customer.events_until("CallConnected").await;
    assert_eq!(names(&events)[events.len() - 2..], ["ParticipantsUpdated", "CallConnected"]);
    let again = customer.events_until("CallConnected").await;
    assert_eq!(events.last(), again.last(), "the same event");
}

#[tokio::test]
async fn a_caller_is_answered_once_or_sent_away() {
    let (azure, mut customer) = open().await;
    let wrong = azure.subscribe(&customer.address("/events")).await;
    assert_eq!(wrong, Err(NotSubscribed::Code), "an address that does not know the handshake");
    azure.subscribe(&customer.address("/grid")).await.unwrap();
    let callers = [Number::new(Role::Silent.number()), Number::new(Role::TaskCaller.number())];
    let ringing = azure.ring(&callers).await;
    let events = customer.grid().await;
    let context = |n: usize| events[n]["data"]["incomingCallContext"].clone();
    let mut answer = customer.create(Role::Silent.number());
    answer["incomingCallContext"] = context(0);
    let (status, call) = customer.post("/calling/callConnections:answer", &answer).await;
    assert_eq!((status, &call["targets"][0]["rawId"]), (200, &json!("4:+15550105")));
    let (status, error) = customer.post("/calling/callConnections:answer", &answer).await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!("8587")), "it rings no more");
    let reject = json!({ "incomingCallContext": context(1), "callRejectReason": "busy" });
    assert_eq!(customer.post("/calling/callConnections:reject", &reject).await.0, 204);
    let id = call["callConnectionId"].as_str().unwrap().to_owned();
    assert_eq!(azure.fate(&ringing[0]).await, Fate::Answered(id));
    assert_eq!(azure.fate(&ringing[1]).await, Fate::Rejected(RejectReason::Busy));
    customer.media_is_brought().await;
}

#[tokio::test]
async fn a_call_is_handed_over_only_to_somebody_who_comes_to_the_phone() {
    let (azure, mut customer) = open().await;
    let order = customer.create(Role::Silent.number());
    let (_, call) = customer.post("/calling/callConnections", &order).await;
    customer.media_is_brought().await;
    let id = call["callConnectionId"].as_str().unwrap();
    let path = format!("/calling/callConnections/{id}:transferToParticipant");
    let to = |number: &str| {
        let target = customer::phone(number);
        json!({ "targetParticipant": target, "operationContext": "handoff" })
    };
    assert_eq!(customer.post(&path, &to(Role::Busy.number())).await.0, 202);
    let events = customer.events_until("CallTransferFailed").await;
    let failed = &events.last().unwrap()["data"];
    assert_eq!(failed["resultInformation"]["subCode"], 560_486);
    assert_eq!(failed["operationContext"], "handoff");
    assert_eq!(azure.calls()[0].state, State::Connected, "the conversation goes on");
    assert_eq!(customer.post(&path, &to(Role::Restaurant.number())).await.0, 202);
    let events = customer.events_until("CallDisconnected").await;
    assert_eq!(names(&events), ["CallTransferAccepted", "CallDisconnected"]);
    let human = azure.calls()[0].transferred.clone();
    assert_eq!(human, Some(Number::new(Role::Restaurant.number())));
}

#[tokio::test]
async fn people_come_into_a_call_and_are_taken_out_of_it() {
    let (azure, mut customer) = open().await;
    let order = customer.create(Role::Silent.number());
    let (_, call) = customer.post("/calling/callConnections", &order).await;
    customer.media_is_brought().await;
    let id = call["callConnectionId"].as_str().unwrap();
    let path = format!("/calling/callConnections/{id}/participants");
    let add = |number: &str| {
        json!({
            "participantToAdd": customer::phone(number),
            "sourceCallerIdNumber": { "value": "+15550199" },
            "operationContext": "more",
        })
    };
    let (status, invited) = customer.post(&format!("{path}:add"), &add(Role::Busy.number())).await;
    assert_eq!((status, &invited["operationContext"]), (202, &json!("more")));
    customer.events_until("AddParticipantFailed").await;
    customer.post(&format!("{path}:add"), &add(Role::Restaurant.number())).await;
    customer.events_until("AddParticipantSucceeded").await;
    let updated = customer.events_until("ParticipantsUpdated").await;
    let people = updated.last().unwrap()["data"]["participants"].as_array().unwrap().len();
    assert_eq!(people, 2);
    let (_, list) = customer.order(Method::GET, &customer.versioned(&path), &Value::Null).await;
    assert_eq!(list["value"][1]["identifier"]["rawId"], "4:+15550100");
    let remove = |number: &str| json!({ "participantToRemove": customer::phone(number) });
    let luigi = remove(Role::Restaurant.number());
    assert_eq!(customer.post(&format!("{path}:remove"), &luigi).await.0, 202);
    customer.events_until("RemoveParticipantSucceeded").await;
    assert_eq!(customer.post(&format!("{path}:remove"), &luigi).await.0, 400, "he has left");
    assert!(azure.calls()[0].guests.is_empty());
    let last = remove(Role::Silent.number());
    assert_eq!(customer.post(&format!("{path}:remove"), &last).await.0, 202);
    customer.events_until("CallDisconnected").await;
}

#[tokio::test]
async fn a_recording_is_kept_until_it_is_deleted() {
    let (azure, mut customer) = open().await;
    azure.subscribe(&customer.address("/grid")).await.unwrap();
    let order = customer.create(Role::Silent.number());
    let (_, call) = customer.post("/calling/callConnections", &order).await;
    customer.media_is_brought().await;
    let record = json!({
        "callConnectionId": call["callConnectionId"],
        "recordingStateCallbackUri": customer.address("/events"),
        "recordingContentType": "audio",
        "recordingChannelType": "unmixed",
        "recordingFormatType": "wav",
    });
    let (status, recording) = customer.post("/calling/recordings", &record).await;
    assert_eq!((status, &recording["recordingState"]), (200, &json!("active")));
    let (status, error) = customer.post("/calling/recordings", &record).await;
    assert_eq!((status, &error["error"]["code"]), (409, &json!("8553")));
    let path = format!("/calling/recordings/{}", recording["recordingId"].as_str().unwrap());
    let path = customer.versioned(&path);
    assert_eq!(customer.order(Method::DELETE, &path, &Value::Null).await.0, 204);
    customer.events_until("RecordingStateChanged").await;
    let stopped = customer.events_until("RecordingStateChanged").await;
    assert_eq!(stopped.last().unwrap()["data"]["state"], "inactive");
    let file = customer.grid().await.remove(0);
    let chunk = &file["data"]["recordingStorageInfo"]["recordingChunks"][0];
    let at = |field: &str| {
        let url = chunk[field].as_str().unwrap();
        url.strip_prefix(azure.issuer()).unwrap().to_owned()
    };
    let (status, wav) = customer.bytes(Method::GET, &at("contentLocation"), "").await;
    let reader = hound::WavReader::new(wav.as_slice()).unwrap();
    assert_eq!((status, reader.spec().channels), (200, 2));
    let (status, part) = customer.bytes(Method::GET, &at("contentLocation"), "bytes=0-3").await;
    assert_eq!((status, part.as_slice()), (206, b"RIFF".as_slice()));
    let file_is_kept = |hours| {
        let later = Timestamp::now() + Duration::from_hours(hours);
        azure.hall.books().recordings[0].is_kept(0, later)
    };
    assert!(file_is_kept(23) && !file_is_kept(24), "for a day");
    assert_eq!(customer.bytes(Method::DELETE, &at("deleteLocation"), "").await.0, 200);
    assert_eq!(customer.bytes(Method::GET, &at("contentLocation"), "").await.0, 404);
}
