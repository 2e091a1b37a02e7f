//! Somebody listens to a call: both sides are heard, whatever dies meanwhile; and only who may.

use std::future::poll_fn;
use std::process::{Command, Stdio};

use axum::http::{HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::config::{Config, Dialect};
use tandem::rehearsal::callee::Role;
use tandem::rehearsal::speech::{Ear, Perceived, Rate};
use tandem::socket::dial::{self, DialError, Dialled};
use tandem::socket::{Limits, Message, Socket};
use tandem_actors::call::event::Part;
use tandem_actors::exchange::Injury;
use tandem_actors::leg::Broken;
use tandem_actors::part::Fault;
use tandem_actors::record::{Fact, Speaker};

use crate::api::{Api, OPERATOR, locked};
use crate::stage::{Stage, said, squeezed};

const LIMITS: Limits = Limits { message_bytes: 16 * 1024 };

async fn connect(stage: &Stage, path: &str, key: &str) -> Result<Socket<Dialled>, DialError> {
    let url = format!("{}{path}", stage.server.url()).replacen("http", "ws", 1);
    let mut headers = HeaderMap::new();
    if !key.is_empty() {
        headers.insert("authorization", HeaderValue::try_from(format!("Bearer {key}")).unwrap());
    }
    dial::connect(&url, headers, LIMITS).await
}

fn refused<T>(answer: Result<T, DialError>) -> u16 {
    match answer {
        Err(DialError::Refused { status, .. }) => status,
        Err(error) => panic!("{error}"),
        Ok(_) => 101,
    }
}

/// What a listener heard: what it was told first, the two sides, and how it ended.
struct Heard {
    begun: Value,
    sides: [Vec<i16>; 2],
    ended: Value,
    close: Broken,
}

async fn hear(mut socket: Socket<Dialled>) -> Heard {
    let mut next = async || poll_fn(|cx| socket.poll_message(cx)).await;
    let mut told = Vec::new();
    let mut sides = [Vec::new(), Vec::new()];
    let close = loop {
        match next().await {
            Ok(Message::Text(text)) => told.push(serde_json::from_str::<Value>(&text).unwrap()),
            Ok(Message::Binary(frame)) => {
                for (at, sample) in frame.chunks_exact(2).enumerate() {
                    sides[at % 2].push(i16::from_le_bytes([sample[0], sample[1]]));
                }
            }
            Err(broken) => break broken,
        }
    };
    let [begun, ended] = <[Value; 2]>::try_from(told).expect("nothing was lost");
    Heard { begun, sides, ended, close }
}

/// What one side says, by the code in its speech.
fn words(side: &[i16], rate: Rate) -> String {
    let mut ear = Ear::new(rate);
    let mut heard = Vec::new();
    let now = tokio::time::Instant::now();
    ear.push(side, now, &mut heard);
    ear.push(&vec![0; rate.hz()], now, &mut heard);
    let text = |perceived| match perceived {
        Perceived::Quiet { text, .. } => Some(text),
        _ => None,
    };
    squeezed(&heard.into_iter().filter_map(text).collect::<Vec<_>>())
}

async fn listen_to_a_call(dialect: Dialect, rate: Rate, record: bool) {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.store.record_audio = record;
    let mut stage = Stage::with(config).await;
    let call = stage.place(Role::Restaurant.number(), dialect).await;
    let socket = connect(&stage, &format!("/v1/calls/{call}/listen"), "").await.unwrap();
    let listener = tokio::spawn(hear(socket));

    let mut facts = stage.until(|fact| matches!(fact, Fact::Turn(_))).await;
    for part in [Part::MediaIn, Part::RealtimeLink] {
        assert!(stage.server.desk.exchange.injure(&call, Injury::Part(part, Fault::Panic)));
        facts.extend(stage.until(|fact| matches!(fact, Fact::Repaired { .. })).await);
    }
    facts.extend(stage.finalized().await);
    let heard = listener.await.unwrap();
    let begun = json!({ "call": call.to_string(), "sample_rate": rate.hz(),
        "lanes": ["caller", "agent"] });
    assert_eq!((heard.begun, heard.ended), (begun, json!({ "ended": true, "lost_ms": 0 })));
    assert!(matches!(heard.close, Broken::Closed { code: 1_000, .. }), "{:?}", heard.close);
    let [caller, agent] = heard.sides;
    assert_eq!(words(&caller, rate), squeezed(&said(&facts, Speaker::Caller)));
    assert_eq!(words(&agent, rate), squeezed(&said(&facts, Speaker::Agent)));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_of_a_call_are_heard_while_parts_of_it_die() {
    listen_to_a_call(Dialect::Acs24k, Rate::Hz24000, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_8_khz_that_is_not_recorded_is_heard_as_it_is() {
    listen_to_a_call(Dialect::Twilio, Rate::Hz8000, false).await;
}

#[tokio::test]
async fn only_who_may_see_a_call_listens_to_it_and_no_more_than_four() {
    let mut stage = locked().await;
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let mut keys = Vec::new();
    for (account, scope) in [("ann", "all"), ("ann", "read"), ("bob", "all")] {
        let wanted = json!({ "account": account, "scope": scope });
        let made = operator.post("/v1/keys", &wanted).await.1;
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    let [ann, ann_looks, bob] = <[String; 3]>::try_from(keys).unwrap();
    let wanted = json!({ "to": Role::NoAnswer.number(), "task": "Ask when they open." });
    let of = |key: &str| Api { stage: &stage, key: Some(key.to_owned()) };
    let placed = of(&ann).post("/v1/calls", &wanted).await.1;
    let path = format!("/v1/calls/{}/listen", placed["id"].as_str().unwrap());

    assert_eq!(refused(connect(&stage, &path, "").await), 401);
    assert_eq!(refused(connect(&stage, &path, &bob).await), 404);
    assert_eq!(refused(connect(&stage, "/v1/calls/nobody/listen", &ann).await), 404);
    assert_eq!(of(&ann).get(&path).await.0, StatusCode::UPGRADE_REQUIRED);
    assert_eq!(of(&bob).post(&path, &json!({})).await.0, StatusCode::NOT_FOUND);
    let (status, way) = of(&ann_looks).post(&path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{way}");
    let url = way["url"].as_str().unwrap();
    assert!(url.ends_with(way["ticket"].as_str().unwrap()) && way["expires"].is_string(), "{way}");
    let mut listeners = vec![connect(&stage, url, "").await.unwrap()];
    assert_eq!(refused(connect(&stage, url, "").await), 401, "once");
    for _ in 0..3 {
        listeners.push(connect(&stage, &path, &ann_looks).await.unwrap());
    }
    assert_eq!(refused(connect(&stage, &path, &ann).await), 429);

    let hang_up = path.replace("listen", "hangup");
    assert_eq!(of(&ann).post(&hang_up, &json!({})).await.0, StatusCode::ACCEPTED);
    for listener in listeners {
        let heard = hear(listener).await;
        assert!(heard.sides.iter().all(Vec::is_empty), "nobody had picked up");
    }
    stage.finalized().await;
    let of = |key: &str| Api { stage: &stage, key: Some(key.to_owned()) };
    let (status, problem) = of(&ann).post(&path, &json!({})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("call_is_over")));
    assert!(problem["detail"].as_str().unwrap().contains("/recording"), "{problem}");
    assert_eq!(refused(connect(&stage, &path, &ann).await), 409);
    stage.close().await;
}

#[tokio::test]
async fn a_page_from_elsewhere_listens_to_nothing() {
    let mut stage = Stage::open().await;
    let call = stage.place(Role::NoAnswer.number(), Dialect::Acs24k).await;
    let api = Api { stage: &stage, key: None };
    let path = format!("/v1/calls/{call}/listen");
    let way = api.post(&path, &json!({})).await.1;
    for path in [path.as_str(), way["url"].as_str().unwrap()] {
        let request = api.to(Method::GET, path).header("origin", "http://evil.example");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    api.post(&path.replace("listen", "hangup"), &json!({})).await;
    stage.finalized().await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_writes_what_is_heard() {
    let mut stage = Stage::open().await;
    let call = stage.place(Role::Restaurant.number(), Dialect::Acs24k).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("call.wav");
    let tandem = |to: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.args(["listen", &call.to_string(), "--wav", to, "--server", &stage.server.url()]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let (to_file, to_output) = (tandem(file.to_str().unwrap()), tandem("-"));
    let facts = stage.finalized().await;
    let done = tokio::task::spawn_blocking(|| {
        [to_file.wait_with_output().unwrap(), to_output.wait_with_output().unwrap()]
    });
    let [filed, piped] = done.await.unwrap();
    for output in [&filed, &piped] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(piped.stdout.starts_with(b"RIFF"));
    let samples: Vec<i16> =
        hound::WavReader::open(&file).unwrap().samples().collect::<Result<_, _>>().unwrap();
    let agent: Vec<i16> = samples.chunks_exact(2).map(|pair| pair[1]).collect();
    let words = words(&agent, Rate::Hz24000);
    let all = squeezed(&said(&facts, Speaker::Agent));
    assert!(!words.is_empty() && all.ends_with(&words), "{words} of {all}");
    stage.close().await;
}
