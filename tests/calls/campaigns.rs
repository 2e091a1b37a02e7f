//! A campaign: what two calls have brought, a decision, and a call that goes on and knows of both.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tandem::rehearsal::callee::Role;
use tandem_actors::briefing::CallId;

use crate::api::{Api, OPERATOR, locked};
use crate::stage::{STORY, Stage, squeezed};

const QUESTION: &str = "Do you have a table for four at seven tonight?";

fn wanted(targets: &[(Role, &str)]) -> Value {
    let target = |(role, name): &(Role, &str)| json!({ "to": role.number(), "name": name });
    json!({
        "purpose": "A dinner for four tonight.",
        "known_facts": "Sam is allergic to nuts.",
        "targets": targets.iter().map(target).collect::<Vec<_>>(),
    })
}

async fn keep(api: &Api<'_>, body: &Value) -> String {
    let (status, made) = api.post("/v1/campaigns", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    format!("/v1/campaigns/{}", made["id"].as_str().unwrap())
}

/// What is there as soon as it is as wanted.
async fn until(api: &Api<'_>, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut commits = api.stage.server.desk.store.commits();
    let looked = async {
        loop {
            commits.mark_unchanged();
            let found = api.get(path).await.1;
            if wanted(&found) {
                return found;
            }
            commits.changed().await.unwrap();
        }
    };
    let looked = tokio::time::timeout(STORY, looked).await;
    match looked {
        Ok(found) => found,
        Err(_elapsed) => panic!("it does not come to that: {}", api.get(path).await.1),
    }
}

async fn change(api: &Api<'_>, path: &str, body: &Value) -> Value {
    let answer = api.to(Method::PATCH, path).json(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn call(api: &Api<'_>, path: &str, body: &Value) -> String {
    let (status, placed) = api.post(&format!("{path}/calls"), body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
    placed["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocker_a_decision_and_a_call_that_goes_on_and_knows() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let path =
        keep(&api, &wanted(&[(Role::FullHouse, "Full House"), (Role::Trattoria, "Rosa")])).await;
    let ask = |target: u32| json!({ "target": target, "task": QUESTION, "only_asks": true });
    let full = call(&api, &path, &ask(1)).await;
    let offered = call(&api, &path, &ask(2)).await;
    let (status, problem) = api.post(&format!("{path}/calls"), &ask(2)).await;
    let told = (status, &problem["code"]);
    assert_eq!(told, (StatusCode::CONFLICT, &json!("call_under_way")), "one at a time");

    let over = |found: &Value| {
        let targets = found["targets"].as_array().unwrap();
        targets.iter().all(|target| target["calls"][0]["lifecycle"] == "finalized")
    };
    let found = until(&api, &path, over).await;
    let (first, second) = (&found["targets"][0], &found["targets"][1]);
    assert_eq!(first["blocker"]["call"], json!(full), "{found}");
    assert!(first["blocker"]["text"].as_str().unwrap().contains("fully booked"), "{first}");
    assert_eq!(first["decision_needed"], Value::Null);
    assert_eq!(second["blocker"], Value::Null, "{second}");
    assert_eq!(second["decision_needed"]["call"], json!(offered));
    assert_eq!(second["result"]["data"]["hold"]["possible"], true);

    let decided = json!({
        "decisions": [{ "target": 2, "decision": "We take the table at Rosa." }],
        "targets": [{ "number": 1, "next_action": "Nothing more." }],
    });
    let found = change(&api, &path, &decided).await;
    assert_eq!(found["targets"][1]["decision_needed"], Value::Null, "{found}");
    let next = json!({ "text": "Nothing more.", "call": null });
    assert_eq!(found["targets"][0]["next_action"], next);

    let take = json!({ "target": 2, "task": "We take the table at seven, for four." });
    let taken = call(&api, &path, &take).await;
    let path_taken = format!("/v1/calls/{taken}");
    let shown = until(&api, &path_taken, |call| call["outcome"].is_string()).await;
    assert_eq!(
        (&shown["follows"], &shown["result"]["data"]["agreed"]),
        (&json!(offered), &json!(true))
    );
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(shown["campaign"], json!(id), "{shown}");
    let task = shown["task"].as_str().unwrap();
    for known in ["allergic to nuts", "We take the table at Rosa.", "A dinner for four tonight."] {
        assert!(task.contains(known), "{known}: {task}");
    }
    let said = squeezed(&stage.report(&CallId::new(&taken)).await.heard);
    assert!(said.contains("thisisafollow-uptoourcall"), "{said}");
    let found = api.get(&path).await.1;
    assert_eq!(found["targets"][1]["result"]["call"], json!(taken));
    assert_eq!(found["targets"][1]["calls"].as_array().unwrap().len(), 2);

    let forgotten = api.to(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(forgotten.status(), StatusCode::NO_CONTENT);
    assert_eq!(api.get(&path).await.0, StatusCode::NOT_FOUND);
    assert!(api.get(&format!("/v1/calls/{taken}")).await.1.get("campaign").is_none());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_and_follow_ups_show_in_the_campaign_that_they_name() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let path = keep(&api, &wanted(&[(Role::Bistro, "Bistro"), (Role::Busy, "Busy")])).await;
    let id = path.rsplit('/').next().unwrap();
    let target = |role: Role| json!({ "to": role.number() });
    let search = json!({
        "question": QUESTION,
        "targets": [target(Role::Bistro), target(Role::Busy)],
        "campaign": id,
    });
    let (_, begun) = api.post("/v1/searches", &search).await;
    let over = |found: &Value| {
        let targets = found["targets"].as_array().unwrap();
        targets.iter().all(|target| target["calls"][0]["lifecycle"] == "finalized")
    };
    let found = until(&api, &path, over).await;
    assert_eq!(found["searches"], json!([begun["id"]]));
    assert_eq!(found["targets"][0]["result"]["data"]["price"], 18, "{found}");
    assert_eq!(found["targets"][1]["calls"][0]["outcome"], "busy");

    let before = found["targets"][0]["calls"][0]["id"].as_str().unwrap();
    let follow = json!({ "task": "We come at nine." });
    let (status, placed) = api.post(&format!("/v1/calls/{before}/follow-up"), &follow).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
    let found = api.get(&path).await.1;
    assert_eq!(found["targets"][0]["calls"][0]["id"], placed["id"], "as the call before");
    api.post(&format!("/v1/calls/{}/hangup", placed["id"].as_str().unwrap()), &json!({})).await;
    let strange = json!({ "task": "x", "campaign": "nobodys" });
    let (status, _) = api.post(&format!("/v1/calls/{before}/follow-up"), &strange).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    stage.close().await;
}

#[tokio::test]
async fn a_campaign_is_its_accounts_own_and_made_once() {
    let stage = locked().await;
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let mut keys = Vec::new();
    for account in ["ann", "bob"] {
        let made = operator.post("/v1/keys", &json!({ "account": account, "scope": "all" })).await;
        keys.push(made.1["key"].as_str().unwrap().to_owned());
    }
    let [ann, bob] = [0, 1].map(|of| Api { stage: &stage, key: Some(keys[of].clone()) });
    let body = wanted(&[(Role::Rejects, "Nobody")]);
    let make = async || {
        let request = ann.to(Method::POST, "/v1/campaigns").header("idempotency-key", "k1");
        request.json(&body).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let made = make().await;
    assert_eq!(make().await["id"], made["id"]);
    let path = format!("/v1/campaigns/{}", made["id"].as_str().unwrap());
    assert_eq!(bob.get(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(bob.get("/v1/campaigns").await.1["campaigns"], json!([]));
    let listed = ann.get("/v1/campaigns?limit=1").await.1;
    assert_eq!(listed["campaigns"].as_array().unwrap().len(), 1, "{listed}");
    for (body, field) in [
        (json!({ "target": 2, "task": "Ask." }), "target"),
        (json!({ "target": 1, "task": " " }), "task"),
        (json!({ "target": 1, "task": "Ask.", "retry": ["answered"] }), "retry"),
    ] {
        let (status, problem) = ann.post(&format!("{path}/calls"), &body).await;
        let told = (status, problem["field"].as_str());
        assert_eq!(told, (StatusCode::BAD_REQUEST, Some(field)), "{problem}");
    }
    stage.close().await;
}
