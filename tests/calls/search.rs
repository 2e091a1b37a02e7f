//! Several are asked the same at once and compared, one is chosen, and a call goes on where
//! another one ended.

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::rehearsal::callee::Role;
use tandem_actors::briefing::CallId;

use crate::api::{Api, OPERATOR, locked};
use crate::process::Process;
use crate::stage::{STORY, Stage};

const QUESTION: &str = "Do you have a table for four at seven tonight?";

fn search(targets: &[Role]) -> Value {
    let target = |role: &Role| json!({ "to": role.number() });
    let targets: Vec<Value> = targets.iter().map(target).collect();
    json!({ "question": QUESTION, "targets": targets })
}

async fn begin(api: &Api<'_>, body: &Value) -> String {
    let (status, begun) = api.post("/v1/searches", body).await;
    assert_eq!((status, &begun["state"]), (StatusCode::ACCEPTED, &json!("running")), "{begun}");
    format!("/v1/searches/{}", begun["id"].as_str().unwrap())
}

fn is_live(target: &Value) -> bool {
    ["waiting", "ringing", "talking"].iter().any(|state| target["state"] == *state)
}

/// The search as soon as it is as wanted.
async fn until(api: &Api<'_>, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut commits = api.stage.server.desk.store.commits();
    let looked = async {
        loop {
            commits.mark_unchanged();
            let search = api.get(path).await.1;
            if wanted(&search) {
                return search;
            }
            commits.changed().await.unwrap();
        }
    };
    let looked = tokio::time::timeout(STORY, looked).await;
    match looked {
        Ok(search) => search,
        Err(_elapsed) => panic!("it does not come to that: {}", api.get(path).await.1),
    }
}

/// The search when nothing will come any more.
async fn over(api: &Api<'_>, path: &str) -> Value {
    until(api, path, |search| {
        search["state"] != "running" && !search["targets"].as_array().unwrap().iter().any(is_live)
    })
    .await
}

fn column<'a>(search: &'a Value, list: &str, field: &str) -> Vec<&'a Value> {
    search[list].as_array().unwrap().iter().map(|row| &row[field]).collect()
}

async fn calls(api: &Api<'_>) -> usize {
    api.get("/v1/calls").await.1["calls"].as_array().unwrap().len()
}

/// What somebody heard us say.
async fn heard(stage: &Stage, call: &str) -> String {
    stage.report(&CallId::new(call)).await.heard.join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_restaurants_are_compared_and_one_of_them_is_chosen_once() {
    let stage = Stage::open_with(Role::Colleague.number()).await;
    let api = Api { stage: &stage, key: None };
    let path = begin(&api, &search(&[Role::Bistro, Role::Trattoria, Role::FullHouse])).await;
    let found = over(&api, &path).await;
    assert_eq!(found["state"], "finished", "{found}");
    let rows = found["comparison"].as_array().unwrap();
    assert_eq!(column(&found, "comparison", "number"), [2, 1, 3], "{found}");
    assert_eq!(column(&found, "comparison", "rank"), [1, 2, 3]);
    assert_eq!(column(&found, "comparison", "available"), [true, false, false], "{found}");
    assert_eq!(column(&found, "comparison", "price"), [&json!(32), &json!(18), &Value::Null]);
    let hold = json!({ "possible": true, "until": "six", "without_payment": true });
    assert_eq!((&rows[0]["hold"], &rows[1]["timing"]), (&hold, &json!("at nine")));
    let words = &rows[0]["evidence"]["hold"];
    assert_eq!(words["words"], "Yes, we hold it until six without payment.");
    let call = found["targets"][1]["call"].as_str().unwrap();
    let transcript = api.get(&format!("/v1/calls/{call}/transcript")).await.1;
    let turns = transcript["transcript"].as_array().unwrap();
    let turn = turns.iter().find(|turn| turn["sequence"] == words["turn"]).unwrap();
    assert_eq!((&turn["role"], &turn["text"]), (&json!("user"), &words["words"]));

    let token = found["token"].as_str().unwrap();
    let choose = format!("{path}/choose");
    let body = |number: u32, token: &str| json!({ "number": number, "token": token });
    assert_eq!(api.post(&choose, &body(2, "guessed")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(api.post(&choose, &body(4, token)).await.0, StatusCode::BAD_REQUEST);
    let order = body(2, token);
    let chosen = join_all((0..50).map(|_| api.post(&choose, &order))).await;
    assert!(chosen.iter().all(|(status, _)| *status == StatusCode::ACCEPTED), "{chosen:?}");
    let made: HashSet<String> =
        chosen.iter().map(|(_, body)| body["call"].as_str().unwrap().to_owned()).collect();
    assert_eq!((made.len(), calls(&api).await), (1, 4), "one call for fifty orders");
    let (status, late) = api.post(&choose, &body(1, token)).await;
    assert_eq!((status, &late["code"]), (StatusCode::CONFLICT, &json!("chosen_before")));

    let (first, made) = (call.to_owned(), made.into_iter().next().unwrap());
    let call = until(&api, &format!("/v1/calls/{made}"), |call| call["outcome"].is_string()).await;
    assert_eq!((&call["follows"], &call["outcome"]), (&json!(first), &json!("answered")));
    assert_eq!(call["result"]["data"]["agreed"], true, "{call}");
    let said = heard(&stage, &made).await;
    assert!(said.contains("this is a follow-up to our call"), "{said}");
    assert_eq!(api.get(&path).await.1["chosen"], json!({ "number": 2, "call": made }));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_reached_is_in_the_table_and_is_not_rung_again() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let path = begin(&api, &search(&[Role::Busy, Role::Rejects])).await;
    let events = api.to(Method::GET, &format!("{path}/events")).send().await.unwrap();
    // They end with the search.
    let events = events.text().await.unwrap();
    let told = events.lines().filter_map(|line| line.strip_prefix("data: "));
    let told = told.filter(|data| *data != "{}");
    let told: Vec<Value> = told.map(|data| serde_json::from_str(data).unwrap()).collect();
    assert_eq!((&told[0]["state"], told.len() > 1), (&json!("running"), true), "{events}");
    let found = over(&api, &path).await;
    assert_eq!((&found["state"], told.last()), (&json!("finished"), Some(&found)));
    assert_eq!(column(&found, "comparison", "outcome"), ["busy", "rejected"]);
    assert_eq!(column(&found, "targets", "attempts"), [1, 1]);
    assert!(found.get("token").is_none(), "there is nothing to choose");
    assert_eq!(calls(&api).await, 2);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enough_is_enough_and_a_search_can_be_stopped() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let mut wanted = search(&[Role::Trattoria, Role::Bistro]);
    (wanted["at_once"], wanted["enough"]) = (json!(1), json!(1));
    let enough = begin(&api, &wanted).await;
    let silent = begin(&api, &search(&[Role::Silent, Role::NoAnswer])).await;
    until(&api, &silent, |search| search["targets"][0]["state"] == "talking").await;
    assert_eq!(api.post(&format!("{silent}/stop"), &json!({})).await.1["state"], "stopped");
    let stopped = over(&api, &silent).await;
    assert_eq!(column(&stopped, "targets", "outcome"), ["answered", "cancelled"]);
    let found = over(&api, &enough).await;
    assert_eq!(column(&found, "targets", "state"), ["over", "not_asked"]);
    assert_eq!(found["state"], "finished");
    assert_eq!(calls(&api).await, 3);
    stage.close().await;
}

#[tokio::test]
async fn a_search_that_could_commit_or_asks_somebody_twice_is_refused() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut body = search(&[Role::Bistro, Role::Trattoria]);
        change(&mut body);
        let (status, problem) = api.post("/v1/searches", &body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        let told = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        (told("code"), told("field"), told("detail"))
    };
    let (code, _, detail) =
        refused(&|body| body["question"] = json!("Reserve a table for four.")).await;
    assert!(code == "could_commit" && detail.contains("/choose"), "{detail}");
    assert_eq!(refused(&|body| body["facts"] = json!("Book it if cheap.")).await.0, "could_commit");
    let twice = |body: &mut Value| body["targets"][1] = body["targets"][0].clone();
    assert_eq!(refused(&twice).await.1, "targets");
    for (field, wrong) in [
        ("targets", json!([{ "to": "+15550120" }])),
        ("at_once", json!(5)),
        ("enough", json!(3)),
        ("retry", json!(["answered"])),
        ("bring", json!({ "type": "array" })),
        ("question", json!(" ")),
    ] {
        assert_eq!(refused(&|body| body[field] = wrong.clone()).await.1, field);
    }
    assert_eq!(api.get("/v1/searches").await.1["searches"], json!([]));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_outlives_its_server_and_rings_nobody_twice() {
    let dir = tempfile::tempdir().unwrap();
    let until = async |process: &Process, path: &str, wanted: &dyn Fn(&Value) -> bool| {
        let looked = async {
            loop {
                let search = process.get(path).await;
                if wanted(&search) {
                    return search;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(STORY, looked).await.expect("it comes to that")
    };
    let first = Process::start(dir.path());
    let mut wanted = search(&[Role::Trattoria, Role::Busy]);
    wanted["at_once"] = json!(1);
    let url = format!("{}/v1/searches", first.url);
    let begun = reqwest::Client::new().post(url).json(&wanted).send().await.unwrap();
    let begun: Value = begun.json().await.unwrap();
    let path = format!("/v1/searches/{}", begun["id"].as_str().unwrap());
    let talking = |search: &Value| search["targets"][0]["state"] == "talking";
    let call = until(&first, &path, &talking).await["targets"][0]["call"].clone();
    first.signal("-KILL");
    drop(first);
    let second = Process::start(dir.path());
    let found = until(&second, &path, &|search| search["state"] == "finished").await;
    assert_eq!(column(&found, "targets", "outcome"), ["system_error", "busy"]);
    assert_eq!(column(&found, "targets", "attempts"), [1, 1]);
    assert_eq!(found["targets"][0]["call"], call);
    let calls = second.get("/v1/calls").await["calls"].as_array().unwrap().len();
    assert_eq!(calls, 2, "whom the lost call had rung is not rung again by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_sees_nothing_of_a_search() {
    let stage = locked().await;
    let of = |key: &str| Api { stage: &stage, key: Some(key.to_owned()) };
    let operator = of(OPERATOR);
    let make = async |account: &str| {
        let made = operator.post("/v1/keys", &json!({ "account": account, "scope": "all" })).await;
        of(made.1["key"].as_str().unwrap())
    };
    let (ann, bob) = (make("ann").await, make("bob").await);
    let path = begin(&ann, &search(&[Role::Busy, Role::Rejects])).await;
    assert_eq!(bob.get("/v1/searches").await.1["searches"], json!([]));
    assert_eq!(bob.get(&path).await.0, StatusCode::NOT_FOUND);
    let choice = json!({ "number": 1, "token": "x" });
    for (route, body) in [("stop", json!({})), ("choose", choice)] {
        let (theirs, nobodys) = (
            bob.post(&format!("{path}/{route}"), &body).await,
            bob.post(&format!("/v1/searches/nobody/{route}"), &body).await,
        );
        assert_eq!((theirs.0, nobodys.0), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    }
    let found = over(&ann, &path).await;
    assert_eq!(found["state"], "finished", "nobody has stopped it");
    let call = found["targets"][0]["call"].as_str().unwrap();
    assert_eq!(ann.get(&format!("/v1/calls/{call}")).await.1["account"], "ann");
    assert_eq!(bob.get(&format!("/v1/calls/{call}")).await.0, StatusCode::NOT_FOUND);
    let follow_up = format!("/v1/calls/{call}/follow-up");
    let (status, _) = bob.post(&follow_up, &json!({ "task": "Ask again." })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follow_up_says_so_and_knows_what_was() {
    let stage = Stage::open().await;
    let task = "Reserve a table for four at seven tonight, for Sam.";
    let wanted = json!({ "to": Role::Restaurant.number(), "task": task });
    let api = Api { stage: &stage, key: None };
    let placed = api.post("/v1/calls", &wanted).await.1;
    let first = placed["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/calls/{first}/follow-up");
    let news = json!({ "task": "Make the table one for five.", "news": "We are five by now." });
    let (status, early) = api.post(&path, &news).await;
    assert_eq!((status, &early["code"]), (StatusCode::CONFLICT, &json!("not_over")));
    until(&api, &format!("/v1/calls/{first}"), |call| call["outcome"].is_string()).await;
    let (status, placed) = api.post(&path, &news).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
    let second = placed["id"].as_str().unwrap().to_owned();
    let over = |call: &Value| call["outcome"].is_string();
    let shown = until(&api, &format!("/v1/calls/{second}"), over).await;
    assert_eq!(shown["follows"], json!(first), "{shown}");
    let told = shown["task"].as_str().unwrap();
    for known in [task, "We are five by now.", "They: Luigi's, good evening."] {
        assert!(told.contains(known), "{known} is not in {told}");
    }
    let said = heard(&stage, &second).await;
    assert!(
        said.contains("this is a follow-up to our call. Make the table one for five"),
        "{said}"
    );
    stage.close().await;
}
