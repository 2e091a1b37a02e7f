//! A server is killed in mid-talk and the phone keeps the line: the next one asks the carrier, and
//! goes on, hangs up or writes down how it ended.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tandem::rehearsal::asterisk::{Asterisk, USER};
use tandem::rehearsal::azure::{Azure, Fate, Mischief, State};
use tandem::rehearsal::callee::Role;
use tandem::rehearsal::twilio::{Settings, TwilioNetwork};
use tandem_actors::carrier::Number;
use tempfile::TempDir;

use crate::acs_stage::free_port;
use crate::handover::COLLEAGUE;
use crate::process::Process;
use crate::softphone::browser::{Browser, talk};
use crate::stage::STORY;
use crate::twilio_network::network::{ACCOUNT, NUMBER, PUBLIC, TOKEN};

const SECRET: &str = "media-secret-of-sixteen-letters";

/// A phone network that outlives the servers, and where they find it.
struct Line {
    dir: TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Line {
    fn new(kind: &str, url: &str, door: SocketAddr) -> Self {
        let settings = vec![
            ("TANDEM__CARRIER__KIND", kind.to_owned()),
            ("TANDEM__CARRIER__NUMBER", NUMBER.to_owned()),
            ("TANDEM__HTTP__CARRIERS", door.to_string()),
            ("TANDEM__HTTP__PUBLIC_URL", url.to_owned()),
            ("TANDEM__POLICY__HOURS", "always".to_owned()),
        ];
        Self { dir: tempfile::tempdir().unwrap(), settings }
    }

    fn start(&self) -> Process {
        let settings: Vec<_> = self.settings.iter().map(|(key, value)| (*key, &**value)).collect();
        Process::start_with(self.dir.path(), &settings)
    }

    fn recording(&self, call: &str) -> u64 {
        let path: &Path = self.dir.path();
        std::fs::metadata(path.join("recordings").join(format!("{call}.wav"))).unwrap().len()
    }
}

async fn twilio() -> (TwilioNetwork, Line) {
    let settings = Settings {
        account: ACCOUNT.to_owned(),
        auth_token: TOKEN.to_owned().into(),
        api_key: None,
        number: NUMBER.to_owned(),
        public_url: PUBLIC.to_owned(),
    };
    let (network, door) = (TwilioNetwork::start(settings).await.unwrap(), free_port());
    network.lead_to(door);
    network.be_patient();
    let mut line = Line::new("twilio", PUBLIC, door);
    line.settings.extend([
        ("TANDEM__TWILIO__ACCOUNT_SID", ACCOUNT.to_owned()),
        ("TANDEM__TWILIO__AUTH_TOKEN", TOKEN.to_owned()),
        ("TANDEM__TWILIO__API_URL", network.api_url()),
    ]);
    (network, line)
}

async fn azure() -> (Azure, Line) {
    let azure = Azure::start(Number::new(NUMBER)).await.unwrap();
    let door = free_port();
    azure.lead_to(PUBLIC, door);
    let mut line = Line::new("acs", PUBLIC, door);
    line.settings.extend([
        ("TANDEM__ACS__CONNECTION_STRING", azure.connection_string().expose_secret().to_owned()),
        ("TANDEM__ACS__ISSUER", azure.issuer().to_owned()),
        ("TANDEM__ACS__KEYS_URL", azure.keys_url()),
        ("TANDEM__ACS__AUDIENCE", azure.audience().to_owned()),
    ]);
    (azure, line)
}

async fn asterisk() -> (Asterisk, Line) {
    let (pbx, door) = (Asterisk::start().await.unwrap(), free_port());
    pbx.bring_media_to(format!("ws://tandem:{SECRET}@{door}/asterisk/media"));
    let mut line = Line::new("asterisk", PUBLIC, door);
    line.settings.extend([
        ("TANDEM__ASTERISK__ARI_URL", pbx.ari_url()),
        ("TANDEM__ASTERISK__PASSWORD", USER.1.to_owned()),
        ("TANDEM__ASTERISK__MEDIA_SECRET", SECRET.to_owned()),
    ]);
    (pbx, line)
}

/// Looks until it is so.
async fn until(server: &Process, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let looked = async {
        loop {
            let seen = server.get(path).await;
            if so(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(STORY, looked).await {
        Ok(seen) => seen,
        Err(_elapsed) => {
            let call = path.split('/').take(4).collect::<Vec<_>>().join("/");
            let events = server.get(&format!("{call}/events")).await;
            panic!("waited in vain at {path}: {events}");
        }
    }
}

async fn post(server: &Process, path: &str, body: &Value) -> Value {
    let sent = Client::new().post(format!("{}{path}", server.url)).json(body).send().await;
    sent.unwrap().json().await.unwrap()
}

/// Rings the restaurant, and returns when both have said something.
async fn talks(server: &Process) -> String {
    let order =
        json!({"to": Role::Restaurant.number(), "task": "Reserve a table for four at seven."});
    let id = post(server, "/v1/calls", &order).await["id"].as_str().unwrap().to_owned();
    let both = |turns: &Value| says(turns, "assistant", "") && says(turns, "user", "");
    until(server, &format!("/v1/calls/{id}/transcript"), both).await;
    id
}

fn says(turns: &Value, role: &str, words: &str) -> bool {
    let mut all = turns["transcript"].as_array().into_iter().flatten();
    all.any(|turn| turn["role"] == role && turn["text"].as_str().unwrap().contains(words))
}

/// The next server says that it is sorry, and knows what was said before.
async fn goes_on(server: &Process, id: &str) {
    let sorry = |turns: &Value| says(turns, "assistant", "we were cut off");
    let turns = until(server, &format!("/v1/calls/{id}/transcript"), sorry).await;
    assert!(says(&turns, "user", "Luigi's"), "what was said before is there: {turns}");
}

/// The call when it is over.
async fn ended(server: &Process, id: &str) -> Value {
    until(server, &format!("/v1/calls/{id}"), |call| !call["outcome"].is_null()).await
}

/// Ends a call that goes on, as anybody may.
async fn hung_up(server: &Process, id: &str) {
    post(server, &format!("/v1/calls/{id}/hangup"), &json!({})).await;
    let call = ended(server, id).await;
    assert_eq!((&call["outcome"], &call["reason"]), (&json!("answered"), &json!("ordered")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_at_twilio_goes_on_with_the_next_server() {
    let (twilio, line) = twilio().await;
    let first = line.start();
    let id = talks(&first).await;
    let name = twilio.calls().pop().unwrap();
    first.signal("-KILL");
    drop(first);
    let recorded = line.recording(&id);

    let second = line.start();
    twilio.until(&name, |record| record.streams == 2).await.unwrap();
    goes_on(&second, &id).await;
    let call = second.get(&format!("/v1/calls/{id}")).await;
    assert_eq!((&call["lifecycle"], &call["outcome"]), (&json!("answered"), &Value::Null));
    hung_up(&second, &id).await;

    let record = twilio.ended(&name).await.unwrap();
    assert!(record.heard.iter().any(|words| words.contains("cut off")), "{:?}", record.heard);
    assert_eq!((twilio.orders(), twilio.calls().len()), (1, 1), "nobody was rung again");
    let events = second.get(&format!("/v1/calls/{id}/events")).await;
    let events = events.as_array().unwrap();
    let told = |kind: &str, what: &str| {
        let mut all = events.iter();
        all.any(|event| event["kind"] == kind && event["body"].to_string().contains(what))
    };
    assert!(told("lost", "server") && told("repaired", "server"), "{events:?}");
    let numbers: Vec<_> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    let answered = |event: &&Value| event["body"]["lifecycle"] == "answered";
    assert_eq!(events.iter().filter(answered).count(), 1, "it was answered once");
    assert!(line.recording(&id) > recorded, "the recording goes on behind what there was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_at_twilio_that_ended_meanwhile_is_told_as_twilio_tells_it() {
    let (twilio, line) = twilio().await;
    let first = line.start();
    let id = talks(&first).await;
    let name = twilio.calls().pop().unwrap();
    first.signal("-KILL");
    drop(first);
    let path = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Calls/{name}.json", twilio.api_url());
    let end = Client::new().post(path).basic_auth(ACCOUNT, Some(TOKEN));
    let form = ("content-type", "application/x-www-form-urlencoded");
    end.header(form.0, form.1).body("Status=completed").send().await.unwrap();
    twilio.ended(&name).await.unwrap();

    let second = line.start();
    let call = ended(&second, &id).await;
    assert_eq!(
        (&call["outcome"], &call["reason"]),
        (&json!("answered"), &json!("ended_meanwhile"))
    );
    assert_eq!(twilio.orders(), 1, "nobody was rung again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_at_an_asterisk_goes_on_with_the_next_server() {
    let (pbx, line) = asterisk().await;
    let first = line.start();
    let id = talks(&first).await;
    first.signal("-KILL");
    drop(first);
    let phone = [Role::Restaurant.number().to_owned()];
    assert!(pbx.until(|pbx| pbx.bridged() == phone).await, "the phone stays: {:?}", pbx.bridged());

    let second = line.start();
    goes_on(&second, &id).await;
    assert_eq!(pbx.bridged().len(), 2, "the phone and its media: {:?}", pbx.bridged());
    hung_up(&second, &id).await;
    assert!(pbx.until(Asterisk::is_empty).await, "channels or bridges are left behind");
    let heard = [pbx.report().await.unwrap().heard, pbx.report().await.unwrap().heard].concat();
    assert!(heard.iter().any(|words| words.contains("cut off")), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_rings_at_an_asterisk_is_hung_up_by_the_next_server() {
    let (pbx, line) = asterisk().await;
    let first = line.start();
    let order = json!({"to": Role::NoAnswer.number(), "task": "Reserve a table."});
    let id = post(&first, "/v1/calls", &order).await["id"].as_str().unwrap().to_owned();
    assert!(pbx.until(|pbx| !pbx.is_empty()).await, "it does not ring");
    first.signal("-KILL");
    drop(first);

    let second = line.start();
    let call = ended(&second, &id).await;
    assert_eq!((&call["outcome"], &call["reason"]), (&json!("system_error"), &json!("node_lost")));
    assert!(pbx.until(Asterisk::is_empty).await, "channels or bridges are left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_at_azure_goes_on_with_the_next_server() {
    let (azure, line) = azure().await;
    azure.play_mischief(Mischief { patient: true, ..Mischief::default() });
    let first = line.start();
    let id = talks(&first).await;
    first.signal("-KILL");
    drop(first);
    let seen = azure.call(&id, |_| true).await;
    assert_eq!(seen.state, State::Connected, "the phone keeps the line");

    let second = line.start();
    goes_on(&second, &id).await;
    hung_up(&second, &id).await;
    let seen = azure.call(&id, |seen| seen.state == State::Disconnected).await;
    let heard = &seen.report.as_ref().unwrap().heard;
    assert!(heard.iter().any(|words| words.contains("cut off")), "{heard:?}");
    assert_eq!(azure.calls().len(), 1, "nobody was rung again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_media_azure_does_not_bring_is_hung_up_and_told_honestly() {
    let (azure, line) = azure().await;
    azure.play_mischief(Mischief { patient: true, mute: true, ..Mischief::default() });
    let first = line.start();
    let id = talks(&first).await;
    first.signal("-KILL");
    drop(first);

    let second = line.start();
    let call = ended(&second, &id).await;
    assert_eq!((&call["outcome"], &call["reason"]), (&json!("system_error"), &json!("node_lost")));
    let seen = azure.call(&id, |seen| seen.state == State::Disconnected).await;
    assert_eq!((seen.terminated, azure.calls().len()), (1, 1), "hung up, and rung once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_with_a_browser_ends_with_its_server_and_rings_nobody_again() {
    let (twilio, mut line) = twilio().await;
    line.settings.push(("TANDEM__CALL__TARGET", Role::Restaurant.number().to_owned()));
    let first = line.start();
    let mut browser = Browser::at(&first.url, Role::Restaurant.number()).await;
    let sits_there = tokio::spawn(async move {
        let ring = browser.told().await;
        talk(browser.answer(&ring, Role::Restaurant).await).await
    });
    let id = talks(&first).await;
    first.signal("-KILL");
    drop(first);
    sits_there.await.unwrap();

    let second = line.start();
    let call = ended(&second, &id).await;
    assert_eq!((&call["outcome"], &call["reason"]), (&json!("system_error"), &json!("node_lost")));
    assert_eq!(twilio.orders(), 0, "Twilio was never asked");
}

/// Somebody rings at Azure who wants a human, which a browser is: it rings there.
async fn asks_for_a_browser(azure: &Azure, line: &mut Line) -> (Process, Browser, Value) {
    azure.play_mischief(Mischief { patient: true, ..Mischief::default() });
    line.settings.push(("TANDEM__CARRIER__HUMAN", COLLEAGUE.to_owned()));
    line.settings.push(("TANDEM__ACS__EVENTS_SECRET", SECRET.to_owned()));
    let first = line.start();
    azure.subscribe(&format!("{PUBLIC}/acs/incoming/{SECRET}")).await.unwrap();
    let mut browser = Browser::at(&first.url, COLLEAGUE).await;
    let ringing = azure.ring(&[Number::new(Role::Asker.number())]).await;
    assert!(matches!(azure.fate(&ringing[0]).await, Fate::Answered(_)));
    let ring = browser.told().await;
    (first, browser, ring)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_talks_with_a_browser_is_hung_up_by_the_next_server() {
    let (azure, mut line) = azure().await;
    let (first, browser, ring) = asks_for_a_browser(&azure, &mut line).await;
    let colleague = tokio::spawn(talk(browser.answer(&ring, Role::Colleague).await));
    let id = ring["call"].as_str().unwrap();
    let call = ended(&first, id).await;
    assert_eq!((&call["outcome"], &call["reason"]), (&json!("answered"), &json!("transferred")));
    first.signal("-KILL");
    drop(first);
    colleague.await.unwrap();
    assert_eq!(azure.call("", |_| true).await.state, State::Connected, "the phone keeps the line");

    let _second = line.start();
    let seen = azure.call("", |seen| seen.state == State::Disconnected).await;
    assert_eq!(seen.terminated, 1, "it is told to hang up, once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_a_browser_was_rung_for_is_with_the_agent_again() {
    let (azure, mut line) = azure().await;
    let (first, _browser, ring) = asks_for_a_browser(&azure, &mut line).await;
    first.signal("-KILL");
    drop(first);

    let id = ring["call"].as_str().unwrap();
    let mut server = line.start();
    for times in 1..=2 {
        let sorry = |turns: &Value| turns.to_string().matches("we were cut off").count() == times;
        until(&server, &format!("/v1/calls/{id}/transcript"), sorry).await;
        if times == 1 {
            server.signal("-KILL");
            drop(server);
            server = line.start();
        }
    }
    hung_up(&server, id).await;
}
