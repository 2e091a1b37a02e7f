//! Whom the server rings and whom it does not: what an order is told, and that nobody is rung.

use std::net::SocketAddr;

use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tandem::config::{Config, Policy, Words};
use tandem::policy::Consent;
use tandem_actors::briefing::CallId;
use tandem_actors::call::event::{Input, Order};
use tandem_actors::record::Fact;

use crate::stage::Stage;

const SILENT: &str = "+15550105";

async fn open(change: impl FnOnce(&mut Config)) -> Stage {
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    change(&mut config);
    Stage::with(config).await
}

async fn send(stage: &Stage, method: Method, path: &str, body: &Value) -> Response {
    let address = format!("{}{path}", stage.server.url());
    reqwest::Client::new().request(method, address).json(body).send().await.unwrap()
}

async fn order(stage: &Stage, to: &str) -> Response {
    let body = json!({ "to": to, "task": "Ask for the opening hours." });
    send(stage, Method::POST, "/v1/calls", &body).await
}

/// Status, code and the whole problem of an order that is refused.
async fn refused(stage: &Stage, to: &str) -> (StatusCode, String, Value) {
    let answer = order(stage, to).await;
    let status = answer.status();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["field"], "to", "{problem}");
    assert!(problem["detail"].as_str().unwrap().ends_with("nobody was rung"), "{problem}");
    assert!(!problem["detail"].as_str().unwrap().contains(to), "{problem}");
    (status, problem["code"].as_str().unwrap().to_owned(), problem)
}

async fn check(stage: &Stage, to: &str) -> Value {
    let answer = send(stage, Method::POST, "/v1/policy/check", &json!({ "to": to })).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn written(stage: &Stage) -> usize {
    let answer = send(stage, Method::GET, "/v1/calls?limit=200", &Value::Null).await;
    let page: Value = answer.json().await.unwrap();
    page["calls"].as_array().unwrap().len()
}

async fn made(answer: Response) -> CallId {
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let body: Value = answer.json().await.unwrap();
    CallId::new(body["id"].as_str().unwrap())
}

fn hang_up_all(stage: &Stage) {
    for call in stage.server.desk.exchange.calls() {
        stage.server.desk.exchange.tell(&call, Input::Order(Order::HangUp));
    }
}

#[tokio::test]
async fn who_must_never_be_rung_is_not_even_in_a_rehearsal() {
    let stage = open(|_| ()).await;
    for (to, code) in [
        ("+19115550123", "emergency_number"),
        ("+19005550123", "premium_number"),
        ("+881612345678", "premium_number"),
        ("+15551234", "unknown_number"),
    ] {
        let (status, told, problem) = refused(&stage, to).await;
        assert_eq!((status, told.as_str()), (StatusCode::FORBIDDEN, code));
        assert_eq!(problem["retryable"], false);
        let dry = check(&stage, to).await;
        assert_eq!((&dry["allowed"], &dry["code"]), (&json!(false), &json!(code)));
        // Nor is it kept for later.
        let later = json!({ "to": to, "task": "Ask.", "cron": "0 9 * * *", "time_zone": "UTC" });
        let two = json!([{ "to": to }, { "to": "+15550102" }]);
        for (method, path, body) in [
            (Method::POST, "/v1/schedules", later),
            (Method::POST, "/v1/searches", json!({ "question": "Open?", "targets": two })),
            (Method::PUT, "/v1/phone", json!({ "number": to })),
        ] {
            let answer = send(&stage, method, path, &body).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
            assert_eq!(answer.json::<Value>().await.unwrap()["code"], code, "{path}");
        }
    }
    let nothing = send(&stage, Method::PUT, "/v1/phone", &json!({})).await;
    assert_eq!(nothing.status(), StatusCode::UNPROCESSABLE_ENTITY, "null forgets it");
    let typed = send(&stage, Method::POST, "/v1/policy/check", &json!({ "too": "+1" })).await;
    assert_eq!(typed.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(order(&stage, "911").await.status(), StatusCode::BAD_REQUEST, "it is no number");
    assert_eq!(check(&stage, "911").await["code"], "emergency_number");
    assert_eq!((written(&stage).await, stage.server.desk.exchange.live()), (0, 0));
    stage.close().await;
}

#[tokio::test]
async fn countries_ranges_and_lists_say_whom() {
    let stage = open(|config| {
        config.policy.countries = Words(vec!["US".to_owned()]);
        config.policy.ranges = Words(vec!["+1206".to_owned(), "+1555".to_owned()]);
        config.policy.do_not_call = Words(vec!["+15550101".to_owned()]);
        config.policy.consent = Consent::Required;
    })
    .await;
    assert_eq!(refused(&stage, "+442079460123").await.1, "country_not_allowed");
    assert_eq!(refused(&stage, "+14255550123").await.1, "range_not_allowed");
    assert_eq!(refused(&stage, "+15550101").await.1, "do_not_call");
    assert_eq!(refused(&stage, SILENT).await.1, "no_consent");
    let consent = format!("/v1/consents/{SILENT}");
    for wrong in [json!({ "source": " " }), json!({}), json!({ "source": "x".repeat(201) })] {
        let answer = send(&stage, Method::PUT, &consent, &wrong).await;
        assert!(answer.status().is_client_error());
    }
    let from = json!({ "source": "the form of 3 May" });
    let kept: Value = send(&stage, Method::PUT, &consent, &from).await.json().await.unwrap();
    assert_eq!((&kept["number"], &kept["source"]), (&json!(SILENT), &from["source"]));
    let dry = check(&stage, SILENT).await;
    assert_eq!(
        dry,
        json!({
            "allowed": true, "kind": "rehearsal", "country": null, "zones": ["UTC"],
        })
    );
    let barred = format!("/v1/do-not-call/{SILENT}");
    let none = send(&stage, Method::GET, &barred, &Value::Null).await;
    assert_eq!(none.status(), StatusCode::NOT_FOUND);
    let why = json!({ "reason": "asked so on the phone" });
    let kept: Value = send(&stage, Method::PUT, &barred, &why).await.json().await.unwrap();
    assert_eq!(kept["reason"], why["reason"]);
    assert_eq!(refused(&stage, SILENT).await.1, "do_not_call");
    let gone = send(&stage, Method::DELETE, &barred, &Value::Null).await;
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    let gone = send(&stage, Method::DELETE, &consent, &Value::Null).await;
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(refused(&stage, SILENT).await.1, "no_consent", "it was withdrawn");
    let dry = check(&stage, "+12065550100").await;
    assert_eq!((&dry["country"], &dry["zones"]), (&json!("US"), &json!(["America/Los_Angeles"])));
    let wrong = send(&stage, Method::GET, "/v1/consents/911", &Value::Null).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert_eq!((written(&stage).await, stage.server.desk.exchange.live()), (0, 0));
    stage.close().await;
}

#[tokio::test]
async fn outside_the_hours_the_answer_says_when() {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let hour = (now.hour() + 6) % 23;
    let hours = format!("{hour:02}:00-{:02}:00", hour + 1);
    let stage = open(|config| config.policy.hours = Some(hours)).await;
    let (status, code, problem) = refused(&stage, SILENT).await;
    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "outside_calling_hours"));
    assert_eq!(problem["retryable"], true);
    let next: jiff::Timestamp = problem["next_permitted_at"].as_str().unwrap().parse().unwrap();
    let next = next.to_zoned(jiff::tz::TimeZone::UTC);
    assert_eq!((next.hour(), next.minute(), next.second()), (hour, 0, 0));
    assert_eq!(check(&stage, SILENT).await["next_permitted_at"], problem["next_permitted_at"]);
    assert_eq!((written(&stage).await, stage.server.desk.exchange.live()), (0, 0));
    stage.close().await;
}

#[rstest]
#[case(Policy { at_once: Some(1), ..Policy::default() }, 1, "too_many_at_once")]
#[case(Policy { attempts_per_day: Some(3), ..Policy::default() }, 3, "too_many_attempts")]
#[case(Policy { calls_per_minute: Some(2), ..Policy::default() }, 2, "rate_limited")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_orders_at_once_exactly_as_many_are_made_as_are_permitted(
    #[case] policy: Policy,
    #[case] cap: usize,
    #[case] code: &str,
) {
    let stage = open(|config| config.policy = policy).await;
    let answers = futures_util::future::join_all((0..50).map(|_| order(&stage, SILENT))).await;
    let mut placed = 0;
    for answer in answers {
        if answer.status() == StatusCode::ACCEPTED {
            placed += 1;
            continue;
        }
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=24 * 60 * 60 + 1).contains(&wait), "{wait}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["code"], &problem["retryable"]), (&json!(code), &json!(true)));
    }
    assert_eq!((placed, written(&stage).await), (cap, cap));
    assert_eq!(stage.server.desk.exchange.live(), cap, "nobody else was rung");
    hang_up_all(&stage);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_over_makes_room_for_the_next() {
    let mut stage = open(|config| config.policy.at_once = Some(1)).await;
    let call = made(order(&stage, SILENT).await).await;
    assert_eq!(refused(&stage, SILENT).await.1, "too_many_at_once");
    let talking =
        |fact: &Fact| matches!(fact, Fact::Lifecycle(tandem_actors::briefing::Lifecycle::Answered));
    stage.until(talking).await;
    hang_up_all(&stage);
    stage.finalized_of(&call).await;
    tandem::store::Archive::flush(&stage.server.desk.store).await.unwrap();
    made(order(&stage, SILENT).await).await;
    hang_up_all(&stage);
    stage.close().await;
}
