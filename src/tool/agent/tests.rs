//! The agent behind a real HTTP endpoint.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tandem_actors::briefing::Direction;
use tandem_actors::carrier::Number;
use tandem_actors::record::{Record as _, Speaker, Turn};
use tandem_actors::tool::Scene;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

use super::*;
use crate::config::of;
use crate::store::conformance::opened;
use crate::tool::tests::job;

/// An agent that answers when it is let, and what it was asked.
struct Behind {
    address: SocketAddr,
    answers: Arc<Semaphore>,
    asked: mpsc::Receiver<Value>,
}

async fn behind(answer: Value) -> Behind {
    let answers = Arc::new(Semaphore::new(0));
    let (tell, asked) = mpsc::channel(16);
    let may = Arc::clone(&answers);
    let asks = move |body: axum::Json<Value>| async move {
        tell.send(body.0).await.unwrap();
        may.acquire().await.unwrap().forget();
        axum::Json(answer)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes =
        Router::new().route("/", post(asks.clone())).route("/v1/chat/completions", post(asks));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Behind { address, answers, asked }
}

struct House {
    agent: Agent,
    store: Store,
    _dir: tempfile::TempDir,
}

impl House {
    async fn with(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "a").await.unwrap();
        store.open(opened("call-1")).await.unwrap();
        let secret = ("TANDEM__AGENT__SECRET".to_owned(), "c2VjcmV0".to_owned());
        let config = of(&format!("[agent]\n{settings}"), &BTreeMap::from([secret])).unwrap();
        let agent = Agent::open(&config.agent, &store, None).await.unwrap().unwrap();
        Self { agent, store, _dir: dir }
    }

    async fn run(&self, tool: &str, arguments: Value) -> (Verdict, Value) {
        let tools = self.agent.tools();
        let found = tools.iter().find(|one| one.promise().name == tool).unwrap();
        let turn = Turn { speaker: Speaker::Caller, text: "Is my parcel there?".into() };
        let scene = Scene {
            direction: Direction::Inbound,
            remote: Number::new("+15550110"),
            task: "help".into(),
            turns: vec![turn],
        };
        let job = Job { scene: Some(Arc::new(scene)), ..job(tool, &arguments.to_string()) };
        let done = found.run(job).await;
        (done.verdict, serde_json::from_str(done.output.as_str()).unwrap())
    }

    /// Returns when a task has ended.
    async fn ended(&self, number: u32) -> crate::store::AgentTask {
        let mut commits = self.store.commits();
        loop {
            let tasks = self.store.agent_tasks(&CallId::new("call-1")).await.unwrap();
            let task = tasks.into_iter().find(|task| task.number == number).unwrap();
            if task.state != AgentState::Running {
                return task;
            }
            commits.changed().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_endpoint_answers_while_the_caller_waits_and_knows_the_call() {
    let mut behind = behind(json!({ "answer": "It arrives today." })).await;
    let settings = format!("kind = \"http\"\nurl = \"http://{}/\"\n", behind.address);
    let house = House::with(&settings).await;
    behind.answers.add_permits(1);
    let (_, told) = house.run("invoke_agent", json!({ "request": "Where is it?" })).await;
    assert_eq!(told["answer"], "It arrives today.");
    let asked = behind.asked.recv().await.unwrap();
    assert_eq!(asked["request"], "Where is it?");
    let turns = json!([{ "role": "user", "text": "Is my parcel there?" }]);
    assert_eq!((&asked["context"]["transcript"], &asked["call"]), (&turns, &json!("call-1")));
    let (_, told) = house.run("check_agent_task", json!({})).await;
    assert_eq!(
        (&told["tasks"][0]["state"], &told["tasks"][0]["task_id"]),
        (&json!("done"), &json!("task-1"))
    );
}

#[tokio::test]
async fn what_takes_longer_goes_on_and_its_answer_is_kept() {
    let behind = behind(json!({ "answer": "Twelve." })).await;
    let url = format!("kind = \"http\"\nurl = \"http://{}/\"\n", behind.address);
    let house = House::with(&format!("{url}deadline_s = 1\ntasks = 2\n")).await;
    let (_, told) = house.run("invoke_agent", json!({ "request": "Count." })).await;
    assert_eq!((&told["status"], &told["task_id"]), (&json!("running"), &json!("task-1")));
    let (_, told) = house.run("invoke_agent_async", json!({ "request": "Count more." })).await;
    assert_eq!(told["task_id"], "task-2");
    let (verdict, told) = house.run("invoke_agent_async", json!({ "request": "More." })).await;
    assert_eq!((verdict, &told["reason"]), (Verdict::RateLimited, &json!("too_many_tasks")));
    let (_, told) = house.run("check_agent_task", json!({ "task_id": "task-1" })).await;
    assert_eq!(told["tasks"][0]["state"], "running");
    behind.answers.add_permits(2);
    let task = house.ended(1).await;
    assert_eq!((task.state, task.answer), (AgentState::Done, Some("Twelve.".into())));
    assert_eq!(house.ended(2).await.state, AgentState::Done);
    let (verdict, _) = house.run("check_agent_task", json!({ "task_id": "task-9" })).await;
    assert_eq!(verdict, Verdict::User);
}

#[tokio::test]
async fn a_task_is_called_off_and_the_rest_is_given_up_with_the_server() {
    let behind = behind(json!({})).await;
    let settings = format!("kind = \"http\"\nurl = \"http://{}/\"\n", behind.address);
    let house = House::with(&settings).await;
    for _ in 0..2 {
        house.run("invoke_agent_async", json!({ "request": "Count." })).await;
    }
    let (_, told) = house.run("cancel_agent_task", json!({ "task_id": "task-1" })).await;
    assert_eq!(told["status"], "success");
    assert_eq!(house.ended(1).await.state, AgentState::Cancelled);
    let (verdict, _) = house.run("cancel_agent_task", json!({ "task_id": "task-1" })).await;
    assert_eq!(verdict, Verdict::User, "it does not run any more");
    house.agent.stop().await;
    assert_eq!(house.ended(2).await.state, AgentState::Lost);
}

#[tokio::test]
async fn a_chat_endpoint_is_asked_as_its_kind_is() {
    let answer =
        json!({ "choices": [{ "message": { "role": "assistant", "content": " Yes. " } }] });
    let mut behind = behind(answer).await;
    behind.answers.add_permits(1);
    let at = format!("kind = \"chat\"\nmodel = \"m-1\"\nurl = \"http://{}/v1/\"\n", behind.address);
    let house = House::with(&at).await;
    let (_, told) = house.run("invoke_agent", json!({ "request": "Is it open?" })).await;
    assert_eq!(told["answer"], "Yes.");
    let asked = behind.asked.recv().await.unwrap();
    assert_eq!(asked["model"], "m-1");
    let messages = asked["messages"].as_array().unwrap();
    assert_eq!(messages.last().unwrap()["content"], "Is it open?");
    assert!(messages[1]["content"].as_str().unwrap().contains("Is my parcel there?"));
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_told_and_kept() {
    // A port that only a superuser may take, and nobody does.
    let gone = SocketAddr::from(([127, 0, 0, 1], 1));
    let house = House::with(&format!("kind = \"http\"\nurl = \"http://{gone}/\"\n")).await;
    let (verdict, told) = house.run("invoke_agent", json!({ "request": "Are you there?" })).await;
    assert_eq!((verdict, &told["reason"]), (Verdict::Temporary, &json!("not_reached")));
    assert_eq!(house.ended(1).await.state, AgentState::Failed);
}
