//! Calls that are recorded only when the other side knows of it, or agrees: the file is measured.

use std::net::SocketAddr;

use serde_json::Value;
use tandem::config::{Config, Consent};
use tandem::store::Archive;
use tandem_actors::briefing::CallId;

use crate::lesson::caller::{Caller, GREETING, told};
use crate::stage::Stage;

async fn stage(consent: Consent) -> Stage {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.store.recording_consent = consent;
    Stage::with(config).await
}

/// The recording of a call that is over: milliseconds of it; nothing where there is no file.
async fn measured(stage: &Stage, call: &CallId) -> Option<f64> {
    stage.server.desk.exchange.emptied().await;
    let recordings = stage.server.desk.recordings.as_ref().unwrap();
    recordings.finished(call).await;
    let file = hound::WavReader::open(recordings.path(call).unwrap()).ok()?;
    Some(f64::from(file.duration()) * 1_000.0 / f64::from(file.spec().sample_rate))
}

/// Nothing of what was said before is in the file, and it says where it begins.
async fn begins_late(stage: &Stage, call: &CallId) {
    let length = measured(stage, call).await.expect("it is recorded");
    stage.server.desk.store.flush().await.unwrap();
    let url = format!("{}/v1/calls/{call}", stage.server.url());
    let shown = reqwest::get(&url).await.unwrap().json::<Value>().await.unwrap();
    let offset = shown["recording_offset_ms"].as_f64().unwrap();
    let talk = shown["talk_ms"].as_f64().unwrap();
    assert!(offset > 500.0, "a sentence was said before: {shown}");
    // What runs ahead of the call's end is played by then or taken back.
    assert!(length > 2_000.0 && offset + length < talk + 500.0, "{length} ms of {shown}");
    let served = reqwest::get(format!("{url}/recording")).await.unwrap();
    assert_eq!(served.headers()["recording-offset-ms"], offset.to_string());
}

async fn shown(stage: &Stage, call: &CallId) -> Value {
    stage.server.desk.store.flush().await.unwrap();
    let url = format!("{}/v1/calls/{call}", stage.server.url());
    reqwest::get(url).await.unwrap().json::<Value>().await.unwrap()["recording"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announced_recording_begins_when_that_has_been_heard() {
    let stage = stage(Consent::Announced).await;
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, "This call is recorded.");
    assert_eq!(caller.hears().await, GREETING);
    assert_eq!(caller.asks("Remind me to buy milk.").await, "I have added buy milk.");
    let call = caller.call.clone();
    caller.hangs_up().await;
    begins_late(&stage, &call).await;
    assert_eq!(shown(&stage, &call).await, "announced");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_begins_it() {
    let stage = stage(Consent::Asked).await;
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, "May this call be recorded?");
    assert_eq!(caller.asks("Yes.").await, GREETING);
    assert_eq!(caller.asks("Remind me to buy milk.").await, "I have added buy milk.");
    let call = caller.call.clone();
    caller.hangs_up().await;
    begins_late(&stage, &call).await;
    assert_eq!(shown(&stage, &call).await, "agreed");
    let story = told(&stage, &call, &["recording"], &["step"]).await;
    assert_eq!(story, ["recording asked", "recording agreed"]);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_leaves_no_file_and_the_call_goes_on() {
    let stage = stage(Consent::Asked).await;
    let mut caller = Caller::rings(&stage).await;
    assert_eq!(caller.hears().await, "May this call be recorded?");
    assert_eq!(caller.asks("No.").await, GREETING);
    assert_eq!(caller.asks("Remind me to buy milk.").await, "I have added buy milk.");
    let call = caller.call.clone();
    caller.hangs_up().await;
    assert_eq!(measured(&stage, &call).await, None, "there is no file");
    assert_eq!(shown(&stage, &call).await, "declined");
    stage.close().await;
}
