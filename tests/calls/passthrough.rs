//! Callers who are put straight through to the human: the agent does not answer, however many calls
//! are live.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::asterisk::Asterisk;
use tandem::rehearsal::azure::Fate;
use tandem::rehearsal::twilio::Status;
use tandem::server::Server;
use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::Number;

use crate::acs_stage::AcsStage;
use crate::asterisk_network::{self, ABSENT};
use crate::handover::{BUSY, COLLEAGUE};
use crate::queue::end_of;
use crate::stage::Stage;
use crate::twilio_network::network::Network;

/// The family.
const CALLER: &str = "+15550105";

fn with_human(human: &str) -> impl FnOnce(&mut Config) {
    let human = human.to_owned();
    move |config| config.carrier.human = human
}

async fn put(server: &Server, profile: &Value) -> (StatusCode, Value) {
    let request = Client::new().put(format!("{}/v1/inbound/+15550199", server.url()));
    let answer = request.json(profile).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// The family is put through.
async fn pass_on(server: &Server) {
    let profile = json!({ "task": "Take orders.", "passthrough": [CALLER], "account": "bakery" });
    let (status, set) = put(server, &profile).await;
    assert_eq!((status, &set["passthrough"]), (StatusCode::OK, &json!([CALLER])), "{set}");
}

fn passed_on() -> (Outcome, String) {
    (Outcome::Cancelled, "passed_on".to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_says_that_a_caller_was_put_through_and_nothing_else_of_them() {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    with_human(COLLEAGUE)(&mut config);
    let stage = Stage::with(config).await;
    let url = stage.server.url();
    pass_on(&stage.server).await;
    let rings = async |from: &str| {
        let ringing = json!({ "from": from, "to": "+15550199" });
        let request = Client::new().post(format!("{url}/rehearsal/incoming")).json(&ringing);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let passed = rings(CALLER).await;
    assert_eq!(passed["passed_on_to"], COLLEAGUE, "{passed}");
    assert_eq!(stage.server.desk.exchange.live(), 0, "nobody answers here");
    assert_eq!(end_of(&stage.server.desk.store, CALLER).await, passed_on());
    let path = format!("{url}/v1/calls/{}", passed["call_id"].as_str().unwrap());
    let call: Value = reqwest::get(&path).await.unwrap().json().await.unwrap();
    assert_eq!((&call["account"], &call["talk_ms"]), (&json!("bakery"), &json!(0)), "{call}");
    let detail = &call["outcome_detail"]["reason"];
    assert!(detail["message"].as_str().unwrap().contains("put straight through"), "{detail}");
    let said: Value =
        reqwest::get(format!("{path}/transcript")).await.unwrap().json().await.unwrap();
    assert_eq!(said["transcript"], json!([]), "{said}");

    // Others reach the agent.
    let other = rings("+15550110").await;
    assert!(other["media_url"].is_string(), "{other}");
    let hang_up = format!("{url}/v1/calls/{}/hangup", other["call_id"].as_str().unwrap());
    Client::new().post(hang_up).send().await.unwrap();
    let (status, problem) =
        put(&stage.server, &json!({ "task": "x", "passthrough": vec!["+1"; 101] })).await;
    assert_eq!((status, &problem["field"]), (StatusCode::BAD_REQUEST, &json!("passthrough")));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twilio_rings_the_human_for_them() {
    let network = Network::with(with_human(COLLEAGUE)).await;
    pass_on(&network.server).await;
    let name = network.twilio.ring_in(CALLER);
    let record = network.twilio.ended(&name).await.unwrap();
    assert_eq!((record.status, record.streams), (Status::Completed, 0));
    assert_eq!(record.with_human.as_deref(), Some(COLLEAGUE));
    assert!(record.heard.is_empty(), "nothing is said to them: {:?}", record.heard);
    assert_eq!(end_of(&network.server.desk.store, CALLER).await, passed_on());
    network.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acs_sends_them_on_unanswered() {
    let stage = AcsStage::open_with(with_human(COLLEAGUE)).await;
    pass_on(&stage.stage.server).await;
    let ringing = stage.azure.ring(&[Number::new(CALLER)]).await;
    let fate = stage.azure.fate(&ringing[0]).await;
    assert_eq!(fate, Fate::Redirected(Number::new(COLLEAGUE)));
    assert_eq!(end_of(&stage.stage.server.desk.store, CALLER).await, passed_on());
    stage.close().await;
}

#[rstest]
#[case::who_is_there(COLLEAGUE, true)]
#[case::who_is_busy(BUSY, false)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asterisk_bridges_them_with_the_human(#[case] human: &str, #[case] meets: bool) {
    let (stage, pbx) = asterisk_network::open_as(with_human(human)).await;
    pass_on(&stage.server).await;
    pbx.ring_in(CALLER, "+15550199");
    if meets {
        assert!(pbx.until(|pbx| pbx.bridged().len() == 2).await, "{:?}", pbx.bridged());
        pbx.hang_up(CALLER);
    }
    assert_eq!(end_of(&stage.server.desk.store, CALLER).await, passed_on());
    assert!(pbx.until(Asterisk::is_empty).await, "channels or bridges are left behind");
    stage.close().await;
}

#[rstest]
#[case::who_picks_up(COLLEAGUE, true)]
#[case::who_does_not(ABSENT, false)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asterisk_whose_events_are_lost_keeps_no_caller_ringing(
    #[case] human: &str,
    #[case] meets: bool,
) {
    let (stage, pbx) = asterisk_network::open_as(with_human(human)).await;
    pass_on(&stage.server).await;
    pbx.ring_in(CALLER, "+15550199");
    assert!(pbx.until(|pbx| pbx.state(human).is_some()).await);
    pbx.lose_events();
    if meets {
        assert!(pbx.until(|pbx| pbx.state(human) == Some("Up")).await);
    } else {
        pbx.hang_up(human);
    }
    pbx.cut_events();
    let seen = async {
        if meets {
            assert!(pbx.until(|pbx| pbx.bridged().len() == 2).await, "{:?}", pbx.bridged());
            pbx.hang_up(CALLER);
        }
        assert!(pbx.until(Asterisk::is_empty).await, "channels or bridges are left behind");
    };
    // Before the half minute is over, after which they would be looked up all the same.
    tokio::time::timeout(Duration::from_secs(20), seen).await.expect("looked up");
    assert_eq!(end_of(&stage.server.desk.store, CALLER).await, passed_on());
    stage.close().await;
}
