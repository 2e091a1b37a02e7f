//! The API as its users see it: an order that is carried out once, keys that open what is theirs,
//! events as they come.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem::config::Config;
use tandem::rehearsal::callee::Role;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::record::Fact;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::stage::{STORY, Stage, ending};

pub(crate) const OPERATOR: &str = "of-whoever-runs-the-server";

pub(crate) struct Api<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) key: Option<String>,
}

impl Api<'_> {
    pub(crate) fn to(&self, method: Method, path: &str) -> RequestBuilder {
        let request = Client::new().request(method, format!("{}{path}", self.stage.server.url()));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        told(self.to(Method::POST, path).json(body).send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        told(self.to(Method::GET, path).send().await.unwrap()).await
    }

    async fn order(&self, key: &str, body: &Value) -> (StatusCode, bool, Value) {
        let request = self.to(Method::POST, "/v1/calls").header("idempotency-key", key);
        let answer = request.json(body).send().await.unwrap();
        let replayed = answer.headers().contains_key("idempotent-replayed");
        let (status, body) = told(answer).await;
        (status, replayed, body)
    }
}

pub(crate) async fn told(answer: Response) -> (StatusCode, Value) {
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// A server that asks for a key.
pub(crate) async fn locked() -> Stage {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.http.key = Some(SecretString::from(OPERATOR));
    Stage::with(config).await
}

fn order() -> Value {
    json!({ "to": Role::NoAnswer.number(), "task": "Ask when they open." })
}

async fn started(stage: &Stage) -> usize {
    let page = Api { stage, key: None }.get("/v1/calls").await.1;
    page["calls"].as_array().unwrap().len()
}

async fn end_all(stage: &Stage) {
    for call in stage.server.desk.exchange.calls() {
        let api = Api { stage, key: Some(OPERATOR.to_owned()) };
        api.post(&format!("/v1/calls/{call}/hangup"), &json!({})).await;
    }
}

#[tokio::test]
async fn an_order_that_comes_again_rings_nobody_again() {
    let mut stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let body = order();
    let answers = join_all((0..50).map(|_| api.order("k1", &body))).await;
    let ids: HashSet<String> =
        answers.iter().map(|(_, _, body)| body["id"].as_str().unwrap().to_owned()).collect();
    assert!(answers.iter().all(|(status, ..)| *status == StatusCode::ACCEPTED));
    assert_eq!((ids.len(), started(&stage).await), (1, 1));
    assert_eq!(answers.iter().filter(|(_, replayed, _)| !replayed).count(), 1);

    // The same, written in another order, is the same.
    let turned = r#"{"task":"Ask when they open.","to":"+15550102"}"#;
    let request = api.to(Method::POST, "/v1/calls").header("idempotency-key", "k1");
    let answer = request.header("content-type", "application/json").body(turned).send().await;
    assert!(answer.unwrap().headers().contains_key("idempotent-replayed"));

    let other = json!({ "to": Role::NoAnswer.number(), "task": "Ask when they close." });
    let (status, _, problem) = api.order("k1", &other).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("idempotency_key_reused"))
    );
    // A page that was loaded anew: the same order with a fresh key.
    let (status, _, problem) = api.order("k2", &body).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("ordered_just_now")));
    assert!(problem["detail"].as_str().unwrap().contains(ids.iter().next().unwrap()), "{problem}");
    let mut again = body.clone();
    again["again"] = json!(true);
    assert_eq!(api.order("k3", &again).await.0, StatusCode::ACCEPTED);
    for key in ["", &"x".repeat(256)] {
        assert_eq!(api.order(key, &body).await.0, StatusCode::BAD_REQUEST);
    }
    assert_eq!(started(&stage).await, 2);
    let first = api.order("k1", &body).await.2;
    end_all(&stage).await;
    stage.server.desk.exchange.emptied().await;
    let mut config = Config::default();
    config.http.listen.set_port(0);
    stage = stage.restarted(config).await;
    let api = Api { stage: &stage, key: None };
    assert_eq!(api.order("k1", &body).await, (StatusCode::ACCEPTED, true, first), "for a day");
    stage.close().await;
}

#[tokio::test]
async fn whoever_lost_the_answer_gets_it_though_their_call_took_the_last_place() {
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.limits.calls = 1;
    let stage = Stage::with(config).await;
    let api = Api { stage: &stage, key: None };
    let (status, _, first) = api.order("k1", &order()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(api.order("k1", &order()).await, (StatusCode::ACCEPTED, true, first));
    let other = json!({ "to": Role::Busy.number(), "task": "Ask when they close." });
    let (status, _, problem) = api.order("k2", &other).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(started(&stage).await, 1);
    end_all(&stage).await;
    stage.close().await;
}

#[tokio::test]
async fn a_key_opens_what_is_its_accounts_and_nothing_else() {
    let stage = locked().await;
    let stranger = Api { stage: &stage, key: None };
    let operator = Api { stage: &stage, key: Some(OPERATOR.to_owned()) };
    let make = async |account: &str, scope: &str| {
        let wanted = json!({ "account": account, "scope": scope });
        let (status, made) = operator.post("/v1/keys", &wanted).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    };
    let typed = json!({ "account": "ann", "scop": "read" });
    assert_eq!(operator.post("/v1/keys", &typed).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (id, ann) = make("ann", "all").await;
    let (_, bob) = make("bob", "all").await;
    let (_, ann_looks) = make("ann", "read").await;
    let of = |key: &str| Api { stage: &stage, key: Some(key.to_owned()) };
    let (ann, bob, ann_looks) = (of(&ann), of(&bob), of(&ann_looks));

    let (status, placed) = ann.post("/v1/calls", &order()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{placed}");
    let call = placed["id"].as_str().unwrap();
    let routes = [
        (Method::GET, ""),
        (Method::GET, "/transcript"),
        (Method::GET, "/events"),
        (Method::GET, "/recording"),
        (Method::POST, "/say"),
        (Method::POST, "/dtmf"),
        (Method::POST, "/transfer"),
        (Method::POST, "/hangup"),
        (Method::DELETE, ""),
    ];
    for (method, route) in routes {
        let ask = async |api: &Api<'_>, call: &str| {
            let path = format!("/v1/calls/{call}{route}");
            let body = match route {
                "/dtmf" => json!({ "keys": "1" }),
                _ => json!({ "text": "Hello." }),
            };
            told(api.to(method.clone(), &path).json(&body).send().await.unwrap()).await
        };
        assert_eq!(ask(&stranger, call).await.0, StatusCode::UNAUTHORIZED, "{route}");
        let (theirs, nobodys) = (ask(&bob, call).await, ask(&bob, "nobody").await);
        assert_eq!((theirs.0, nobodys.0), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
        assert_eq!(theirs.1["code"], nobodys.1["code"], "{route}: the two are not told apart");
        if method != Method::GET {
            assert_eq!(ask(&ann_looks, call).await.0, StatusCode::FORBIDDEN, "{route}");
        }
    }
    let listed =
        async |api: &Api<'_>| api.get("/v1/calls").await.1["calls"].as_array().unwrap().len();
    assert_eq!(
        (listed(&ann).await, listed(&ann_looks).await, listed(&bob).await, listed(&operator).await),
        (1, 1, 0, 1)
    );
    assert_eq!(ann.get("/v1/keys").await.0, StatusCode::FORBIDDEN);
    assert_eq!(ann.get("/metrics").await.0, StatusCode::FORBIDDEN);
    assert_eq!(stranger.get("/healthz").await.0, StatusCode::OK);
    assert!(!operator.get("/v1/keys").await.1.to_string().contains("tandem_sk_"), "shown once");

    // Nobody names the account but the key.
    let mut stolen = order();
    stolen["account"] = json!("bob");
    assert_eq!(ann.post("/v1/calls", &stolen).await.0, StatusCode::BAD_REQUEST);

    let revoked = operator.to(Method::DELETE, &format!("/v1/keys/{id}")).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::NO_CONTENT);
    assert_eq!(ann.get("/v1/calls").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(of("tandem_sk_guessed").get("/v1/calls").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(of(&"x".repeat(5_000)).get("/v1/calls").await.0, StatusCode::UNAUTHORIZED);
    end_all(&stage).await;
    stage.close().await;
}

#[tokio::test]
async fn whoever_ordered_a_call_can_speak_press_and_bring_a_human_in() {
    let mut stage = Stage::open_with(Role::Colleague.number()).await;
    let wanted = json!({ "to": Role::Silent.number(), "task": "Ask when they open." });
    let placed = Api { stage: &stage, key: None }.post("/v1/calls", &wanted).await.1;
    let path = |what: &str| format!("/v1/calls/{}/{what}", placed["id"].as_str().unwrap());
    let text = json!({ "text": "The lift is on your left." });
    let (status, problem) = Api { stage: &stage, key: None }.post(&path("say"), &text).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("nobody_on_the_line")));

    stage.until(|fact| matches!(fact, Fact::Turn(_))).await;
    let api = Api { stage: &stage, key: None };
    assert_eq!(api.post(&path("say"), &text).await.0, StatusCode::ACCEPTED);
    let said = "The lift is on your left.";
    stage.until(|fact| matches!(fact, Fact::Turn(turn) if turn.text.as_str() == said)).await;
    let api = Api { stage: &stage, key: None };
    assert_eq!(api.post(&path("dtmf"), &json!({ "keys": "1x" })).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(api.post(&path("dtmf"), &json!({ "keys": "1,2" })).await.0, StatusCode::ACCEPTED);
    stage.until(|fact| matches!(fact, Fact::Keyed)).await;
    let api = Api { stage: &stage, key: None };
    assert_eq!(api.post(&path("transfer"), &json!({})).await.0, StatusCode::ACCEPTED);
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "transferred"), "{facts:#?}");
    stage.close().await;
}

/// Reads server-sent events: their ids, and what kind each is.
fn events(text: &str) -> Vec<(u64, String)> {
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
    };
    let event = |event: &str| Some((field(event, "id:")?.parse().ok()?, field(event, "event:")?));
    text.split("\n\n").filter_map(event).collect()
}

#[tokio::test]
async fn events_come_as_they_happen_and_go_on_where_a_reader_stopped() {
    let mut stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let task = "Reserve a table for four at seven tonight, for Sam.";
    let wanted = json!({ "to": Role::Restaurant.number(), "task": task });
    let placed = api.post("/v1/calls", &wanted).await.1;
    let path = format!("/v1/calls/{}/events", placed["id"].as_str().unwrap());
    let stream = async |last: u64| {
        let request = api.to(Method::GET, &path).header("accept", "text/event-stream");
        let request = request.header("last-event-id", last.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        events(&answer.text().await.unwrap())
    };
    // It ends by itself with the call.
    let whole = stream(0).await;
    let (last, kind) = whole.last().unwrap();
    assert_eq!(kind, "finalized");
    assert!(whole.is_sorted() && whole.iter().any(|(_, kind)| kind == "turn"), "{whole:?}");
    let middle = whole[whole.len() / 2].0;
    let rest: Vec<_> = whole.iter().filter(|(id, _)| *id > middle).cloned().collect();
    assert_eq!(stream(middle).await, rest);
    assert_eq!(stream(*last).await, [], "and is not kept for what will not come");

    stage.until(|fact| matches!(fact, Fact::Finalized { .. })).await;
    let api = Api { stage: &stage, key: None };
    let id = placed["id"].as_str().unwrap();
    let shown = api.get(&format!("/v1/calls/{id}")).await.1;
    assert_eq!(shown["outcome_detail"]["reason"]["title"], "Answered", "{shown}");
    let answered = api.get("/v1/calls?outcome=answered&direction=outbound").await.1;
    assert_eq!(answered["calls"].as_array().unwrap().len(), 1);
    assert_eq!(api.get("/v1/calls?outcome=busy").await.1["calls"], json!([]));
    assert_eq!(api.get("/v1/calls?outcome=perhaps").await.0, StatusCode::BAD_REQUEST);
    let range = api.to(Method::GET, &format!("/v1/calls/{id}/recording"));
    stage.server.desk.exchange.emptied().await;
    let part = range.header("range", "bytes=0-3").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes().await.unwrap().as_ref(), b"RIFF");

    let path = format!("/v1/calls/{id}");
    let forgotten = api.to(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(forgotten.status(), StatusCode::NO_CONTENT);
    for what in ["", "/transcript", "/recording", "/events"] {
        assert_eq!(api.get(&format!("{path}{what}")).await.0, StatusCode::NOT_FOUND, "{what}");
    }
    let recordings = stage.server.desk.recordings.clone().unwrap();
    assert!(!recordings.path(&CallId::new(id)).unwrap().exists());
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_asker_goes_is_carried_out_all_the_same() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    let body = json!({ "to": Role::Rejects.number(), "task": "Ask when they open." }).to_string();
    let host = stage.server.url().replace("http://", "");
    let request = format!(
        "POST /v1/calls HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    for pause_ms in (0..6).cycle().take(60) {
        let mut socket = TcpStream::connect(&host).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        socket.set_zero_linger().unwrap();
    }
    // Whatever was written down comes to an end by itself: they reject.
    let over = async {
        loop {
            let calls = api.get("/v1/calls?limit=100").await.1;
            let calls = calls["calls"].as_array().unwrap().clone();
            if !calls.is_empty() && calls.iter().all(|call| call["lifecycle"] == "finalized") {
                return calls;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let calls = tokio::time::timeout(STORY, over).await.expect("calls are left that nobody makes");
    assert!(calls.iter().all(|call| call["outcome"] == "rejected"), "{calls:?}");
    stage.close().await;
}

#[tokio::test]
async fn calls_are_found_by_their_number_however_its_plus_is_written() {
    let stage = Stage::open().await;
    let api = Api { stage: &stage, key: None };
    assert_eq!(api.post("/v1/calls", &order()).await.0, StatusCode::ACCEPTED);
    for (to, found) in [("+15550102", 1), ("%2B15550102", 1), ("+15550101", 0)] {
        let page = api.get(&format!("/v1/calls?to={to}")).await.1;
        assert_eq!(page["calls"].as_array().unwrap().len(), found, "{to}");
    }
    end_all(&stage).await;
    stage.server.desk.exchange.emptied().await;
    stage.close().await;
}
