//! A browser is the phone: it stands in for whom the agent rings, and calls the agent itself.

pub(crate) mod browser;
mod handover;

use bytes::Bytes;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tandem::config::{Config, Dialect, Kind};
use tandem::rehearsal::callee::{Report, Role};
use tandem::rehearsal::phone::{Phone, Probe};
use tandem::rehearsal::speech::Voice;
use tandem_actors::briefing::Outcome;
use tandem_actors::leg::Broken;
use tandem_actors::record::{Fact, Speaker};

use crate::api::{Api, OPERATOR, locked};
use crate::stage::{Stage, ending, said, squeezed};
use browser::{Browser, connect, dialled, path, pick_up, refused, send, talk, text};

/// A restaurant, which a browser stands in for.
const LUIGIS: &str = "+15550100";

/// What was said was heard, in order and whole.
fn was_heard(report: &Report, facts: &[Fact]) {
    assert_eq!(squeezed(&report.heard), squeezed(&said(facts, Speaker::Agent)), "heard is said");
    let account = &report.account;
    let spoilt = (account.lost, account.doubled, account.reordered, account.odd_messages);
    assert_eq!(spoilt, (0, 0, 0, 0));
}

async fn a_table_is_reserved(dialect: Dialect) {
    let mut stage = Stage::open().await;
    let mut browser = Browser::at(&stage.server.url(), LUIGIS).await;
    let call = stage.place(LUIGIS, dialect).await;
    let ring = browser.told().await;
    let media = ring["media"].as_str().unwrap();
    assert!(media.starts_with(&format!("/softphone/media/{call}/")), "{ring}");
    let expected = json!({ "type": "ring", "call": call.to_string(), "from": "+15550199",
        "why": "call", "media": media });
    assert_eq!(ring, expected);
    let person = browser.answer(&ring, Role::Restaurant).await;
    let (facts, report) = tokio::join!(stage.finalized(), talk(person));
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"));
    was_heard(&report, &facts);
    assert_eq!(said(&facts, Speaker::Caller)[0], "Luigi's, good evening.", "every word was heard");
    let over = json!({ "type": "over", "call": call.to_string(), "how": "answered" });
    assert_eq!(browser.told().await, over);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_stands_in_for_a_restaurant_and_is_talked_with() {
    a_table_is_reserved(Dialect::Acs24k).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_stands_in_where_calls_have_8_khz() {
    a_table_is_reserved(Dialect::Twilio).await;
}

#[rstest]
#[case("reject", Outcome::Rejected)]
#[case("busy", Outcome::Busy)]
#[tokio::test]
async fn a_browser_that_refuses_says_why(#[case] word: &str, #[case] outcome: Outcome) {
    let mut stage = Stage::open().await;
    let mut browser = Browser::at(&stage.server.url(), LUIGIS).await;
    let call = stage.place(LUIGIS, Dialect::Acs24k).await;
    assert_eq!(browser.told().await["type"], "ring");
    browser.say(&json!({ "type": word, "call": "another" })).await;
    browser.say(&json!({ "type": word, "call": call.to_string() })).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (outcome, outcome.word()));
    let over = json!({ "type": "over", "call": call.to_string(), "how": outcome.word() });
    assert_eq!(browser.told().await, over);
    stage.close().await;
}

#[tokio::test]
async fn nobody_answers_and_the_next_call_is_taken_back_while_it_rings() {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.limits.ringing_s = 2;
    let mut stage = Stage::with(config).await;
    let mut browser = Browser::at(&stage.server.url(), LUIGIS).await;
    stage.place(LUIGIS, Dialect::Acs24k).await;
    assert_eq!(browser.told().await["type"], "ring");
    assert_eq!(ending(&stage.finalized().await).0, Outcome::NoAnswer);
    assert_eq!(browser.told().await["how"], "no_answer");

    let call = stage.place(LUIGIS, Dialect::Acs24k).await;
    let ring = browser.told().await;
    let api = Api { stage: &stage, key: None };
    api.post(&format!("/v1/calls/{call}/hangup"), &json!({})).await;
    assert_eq!(ending(&stage.finalized().await).0, Outcome::Cancelled);
    assert_eq!(browser.told().await["how"], "cancelled");
    stage.server.desk.exchange.emptied().await;
    let late = connect(&browser.url, ring["media"].as_str().unwrap(), &[]).await;
    if let Ok(mut late) = late {
        assert!(text(&mut late).await.is_err(), "nobody is there any more");
    }
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_rings_on_when_a_browser_goes_and_the_next_one_answers() {
    let mut stage = Stage::open().await;
    let mut browser = Browser::at(&stage.server.url(), LUIGIS).await;
    let call = stage.place(LUIGIS, Dialect::Acs24k).await;
    let ring = browser.told().await;
    let url = browser.url.clone();
    browser.go().await;
    // The close is answered before the number is let go.
    while stage.server.desk.softphones.phones() > 0 {
        tokio::task::yield_now().await;
    }
    let mut next = Browser::at(&url, LUIGIS).await;
    assert_eq!(next.told().await, ring);
    let person = next.answer(&ring, Role::Restaurant).await;
    let (facts, report) = tokio::join!(stage.finalized_of(&call), talk(person));
    assert_eq!(ending(&facts).0, Outcome::Answered);
    was_heard(&report, &facts);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_browser_has_not_played_is_not_remembered_as_said() {
    let mut stage = Stage::open().await;
    let mut browser = Browser::at(&stage.server.url(), LUIGIS).await;
    let call = stage.place(LUIGIS, Dialect::Acs24k).await;
    let ring = browser.told().await;
    let person = browser.answer(&ring, Role::Interrupter).await;
    let talking = tokio::spawn(talk(person));
    let facts = stage.until(|fact| matches!(fact, Fact::BargedIn { .. })).await;
    let cut = said(&facts, Speaker::Agent).pop().expect("the cut sentence is a turn");
    let api = Api { stage: &stage, key: None };
    api.post(&format!("/v1/calls/{call}/hangup"), &json!({})).await;
    stage.finalized().await;
    let heard = squeezed(&talking.await.unwrap().heard);
    let remembered = squeezed(std::slice::from_ref(&cut));
    // The record cuts at a word; the ear loses at most the word in the mouth.
    let kept = remembered.len().min(heard.len());
    assert!(kept + 12 >= remembered.len(), "heard {heard:?}, recorded {cut:?}");
    assert!(remembered.starts_with(&heard[..kept.min(8)]), "heard {heard:?}, recorded {cut:?}");
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_lost_may_come_back_and_is_waited_for_only_so_long() {
    let mut stage = Stage::open().await;
    let mut browser = Browser::at(&stage.server.url(), LUIGIS).await;
    stage.place(LUIGIS, Dialect::Acs24k).await;
    let ring = browser.told().await;
    let media = dialled(&browser.url, ring["media"].as_str().unwrap());
    let open = async || {
        let probe = std::sync::Arc::new(Probe::silent());
        Phone::connect(media.clone(), Voice::callee(), probe).await.unwrap().0
    };
    let phone = open().await;
    stage.until(|fact| matches!(fact, Fact::Turn(_))).await;
    phone.cut().await;
    stage.until(|fact| matches!(fact, Fact::Lost { part: "carrier", .. })).await;
    let phone = open().await;
    stage.until(|fact| matches!(fact, Fact::Repaired { part: "carrier", .. })).await;
    let second = connect(&browser.url, ring["media"].as_str().unwrap(), &[]).await;
    assert_eq!(refused(second), 409, "one socket at a time");
    phone.cut().await;
    assert_eq!(ending(&stage.finalized().await), (Outcome::NetworkError, "media_lost"));
    assert_eq!(browser.told().await["how"], "network_error");
    stage.close().await;
}

async fn called(stage: &Stage, order: &Value) -> (StatusCode, Value) {
    Api { stage, key: None }.post("/v1/softphone/calls", order).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_calls_the_agent_and_keeps_tasks() {
    let mut stage = Stage::open().await;
    let (status, made) = called(&stage, &json!({ "from": "+15550110" })).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let media = made["media"].as_str().unwrap();
    let person = pick_up(&stage.server.url(), media, Role::TaskCaller).await;
    let (facts, report) = tokio::join!(stage.finalized(), talk(person));
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let agent = said(&facts, Speaker::Agent);
    assert!(agent.contains(&"You have one task: call the bank.".to_owned()), "{agent:?}");
    was_heard(&report, &facts);
    let api = Api { stage: &stage, key: None };
    let call = api.get(&format!("/v1/calls/{}", made["call"].as_str().unwrap())).await.1;
    let numbers = &call["numbers"];
    assert_eq!((&call["direction"], &numbers["remote"]), (&json!("inbound"), &json!("+15550110")));
    stage.close().await;
}

#[tokio::test]
async fn a_call_of_a_browser_is_held_as_the_profile_of_its_number_says() {
    let mut stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let profile = json!({ "task": "Take orders.", "greeting": "Ada's.", "allow": ["+1555011*"] });
    let put = api.to(Method::PUT, "/v1/inbound/+15550199").json(&profile).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::OK);
    for from in [json!("+15559999"), Value::Null] {
        let (status, problem) = called(&stage, &json!({ "from": from })).await;
        let refused = (StatusCode::FORBIDDEN, &json!("caller_not_allowed"));
        assert_eq!((status, &problem["code"]), refused);
    }
    for (order, field) in [
        (json!({ "from": "me" }), "from"),
        (json!({ "to": "you" }), "to"),
        (json!({ "task": " " }), "task"),
    ] {
        let (status, problem) = called(&stage, &order).await;
        assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!(field)));
    }
    let order = json!({ "from": "+15550110", "task": "Take a message." });
    let made = called(&stage, &order).await.1;
    let id = made["call"].as_str().unwrap();
    let api = Api { stage: &stage, key: None };
    let call = api.get(&format!("/v1/calls/{id}")).await.1;
    assert_eq!((&call["task"], &call["manner"]["greeting"]), (&order["task"], &json!("Ada's.")));
    api.post(&format!("/v1/calls/{id}/hangup"), &json!({})).await;
    stage.finalized().await;
    stage.close().await;
}

#[tokio::test]
async fn only_whoever_runs_the_server_is_a_phone_and_a_number_has_one() {
    let stage = locked().await;
    let url = stage.server.url();
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let wanted = json!({ "account": "ann", "scope": "all" });
    let ann = operator.post("/v1/keys", &wanted).await.1["key"].as_str().unwrap().to_owned();
    let with = async |key: &str, path: &str| {
        connect(&url, path, &[("authorization", &format!("Bearer {key}"))]).await
    };
    let at_luigis = path(LUIGIS);
    assert_eq!(refused(connect(&url, &at_luigis, &[]).await), 401);
    assert_eq!(refused(with(&ann, &at_luigis).await), 403);
    assert_eq!(refused(with(OPERATOR, "/v1/softphone?number=luigi").await), 400);
    assert_eq!(refused(with(OPERATOR, "/v1/softphone").await), 400);
    let theirs = Api { stage: &stage, key: Some(ann) };
    let (status, _) = theirs.post("/v1/softphone/calls", &json!({})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    // A plus that is not escaped is a space.
    let mut first = with(OPERATOR, "/v1/softphone?number=+15550100").await.unwrap();
    assert_eq!(text(&mut first).await.unwrap()["number"], LUIGIS);
    assert_eq!(refused(with(OPERATOR, &at_luigis).await), 409);
    let not_a_socket = operator.get(&path("+15550101")).await.0;
    assert_eq!(not_a_socket, StatusCode::UPGRADE_REQUIRED);

    // With the cookie of the page, and from no other page.
    let show = operator.to(Method::POST, "/session").json(&json!({ "key": OPERATOR }));
    let session = show.send().await.unwrap().headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = session.split(';').next().unwrap();
    let other = path("+15550101");
    let evil = [("cookie", cookie), ("origin", "http://evil.example")];
    assert_eq!(refused(connect(&url, &other, &evil).await), 401);
    let ours = [("cookie", cookie), ("origin", url.as_str())];
    assert_eq!(refused(connect(&url, &other, &ours).await), 101);
    stage.close().await;
}

#[tokio::test]
async fn nothing_that_a_browser_sends_is_trusted() {
    let mut stage = Stage::open().await;
    let url = stage.server.url();
    let evil = [("origin", "http://evil.example")];
    assert_eq!(refused(connect(&url, &path(LUIGIS), &evil).await), 403);
    let made = called(&stage, &json!({})).await.1;
    let (call, media) = (made["call"].as_str().unwrap(), made["media"].as_str().unwrap());
    for forged in [
        format!("/softphone/media/{call}/forged"),
        media.replace(call, "another"),
        format!("/softphone/media/{}/x", "c".repeat(200)),
    ] {
        assert_eq!(refused(connect(&url, &forged, &[]).await), 404);
    }
    // The nonce of another carrier's call opens that carrier's route and no other.
    let ringing = json!({ "from": "+15550110", "to": "+15550199", "dialect": "acs24k" });
    let api = Api { stage: &stage, key: None };
    let theirs = api.post("/rehearsal/incoming", &ringing).await.1;
    let path = theirs["media_url"].as_str().unwrap().split("/acs/media/").last().unwrap();
    assert_eq!(refused(connect(&url, &format!("/softphone/media/{path}"), &[]).await), 404);
    let mut line = connect(&url, media, &[]).await.unwrap();
    let start = json!({ "type": "start", "rate": 24_000, "channels": 1, "encoding": "pcm_s16le" });
    assert_eq!(text(&mut line).await.unwrap(), start);
    // What is odd is left out, and the call goes on with what is not.
    for odd in [json!({ "type": "weather" }), json!([]), json!({ "type": "played", "mark": 99 })] {
        send(&mut line, &odd).await;
    }
    for bytes in [1, 2, 121, 960] {
        line.send_binary(Bytes::from(vec![0; bytes])).unwrap();
    }
    send(&mut line, &json!({ "type": "key", "key": "5" })).await;
    stage.until(|fact| matches!(fact, Fact::Pressed)).await;
    line.send_binary(Bytes::from(vec![0; 9_602])).unwrap();
    std::future::poll_fn(|cx| line.poll_flush(cx)).await.unwrap();
    let broken = text(&mut line).await;
    assert!(matches!(broken, Err(Broken::Closed { code: 1_009, .. })), "{broken:?}");
    let api = Api { stage: &stage, key: None };
    api.post(&format!("/v1/calls/{call}/hangup"), &json!({})).await;
    stage.finalized().await;

    let mut browser = Browser::at(&url, LUIGIS).await;
    for _ in 0..50 {
        browser.say(&json!({ "type": "reject" })).await;
    }
    let broken = browser.next().await;
    assert!(matches!(broken, Err(Broken::Closed { code: 1_008, .. })), "{broken:?}");
    stage.close().await;
}

#[tokio::test]
async fn with_a_real_carrier_a_browser_stands_in_for_numbers_of_the_house_alone() {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.http.carriers.set_port(0);
    config.http.public_url = "https://bridge.example.com".to_owned();
    config.carrier.kind = Kind::Twilio;
    config.carrier.human = "+14255550124".to_owned();
    config.twilio.account_sid = "AC00000000000000000000000000000000".to_owned();
    config.twilio.auth_token = Some("12345678901234567890123456789012".to_owned().into());
    config.call.target = "+14255550125".to_owned();
    let stage = Stage::with(config).await;
    let url = stage.server.url();
    let mut held = Vec::new();
    for (number, status) in
        [("+14255550124", 101), ("+14255550125", 101), ("+14255550126", 403), (LUIGIS, 403)]
    {
        let socket = connect(&url, &path(number), &[]).await;
        assert_eq!(refused(socket.as_ref().map_err(Clone::clone)), status, "{number}");
        held.extend(socket.ok());
    }
    let door = stage.door();
    assert_eq!(refused(connect(&door, "/softphone/media/a/b", &[]).await), 404);
    assert_eq!(refused(connect(&door, &path("+14255550124"), &[]).await), 404);
    let metrics = Api { stage: &stage, key: None }.to(Method::GET, "/metrics").send().await;
    assert!(metrics.unwrap().text().await.unwrap().contains("tandem_softphones 2"));
    stage.server.desk.softphones.close().await;
    for socket in &mut held {
        text(socket).await.unwrap();
        let going = text(socket).await;
        assert!(matches!(going, Err(Broken::Closed { code: 1_001, .. })), "{going:?}");
    }
    stage.close().await;
}
