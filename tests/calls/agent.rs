//! The agent behind the voice: asked in the background while the conversation goes on, and its
//! answer told at the next pause; or kept, when the caller has gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tandem::config::{AgentKind, Config, Dialect};
use tandem::rehearsal::callee::Role;
use tandem::store::{AgentState, AgentTasks as _};
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::call::event::{Input, Order};
use tandem_actors::record::{Fact, Speaker};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

use crate::stage::{self, STORY, Stage};

const ANSWER: &str = "The parcel arrives tomorrow before noon.";

/// An agent that answers when it is let, and what it is asked.
async fn agent() -> (Config, Arc<Semaphore>, mpsc::Receiver<Value>) {
    let may = Arc::new(Semaphore::new(0));
    let (tell, asked) = mpsc::channel(4);
    let let_go = Arc::clone(&may);
    let asks = move |Json(body): Json<Value>| async move {
        tell.send(body).await.unwrap();
        let_go.acquire().await.unwrap().forget();
        Json(json!({ "answer": ANSWER }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let routes = Router::new().route("/", post(asks));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    (config.agent.kind, config.agent.url) = (AgentKind::Http, url);
    (config, may, asked)
}

async fn next(asked: &mut mpsc::Receiver<Value>) -> Value {
    tokio::time::timeout(STORY, asked.recv()).await.expect("the agent is asked").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_agent_finds_out_is_told_while_the_call_goes_on() {
    let (config, may, mut asked) = agent().await;
    let mut stage = Stage::with(config).await;
    let call = stage.ring(Role::Curious.number(), Dialect::Acs24k).await;
    let request = next(&mut asked).await;
    assert_eq!(request["request"], "when the parcel arrives");
    let context = &request["context"];
    assert_eq!(context["number"], Role::Curious.number());
    let turns = context["transcript"].as_array().unwrap();
    // The caller's last words may not have been written down yet: the request tells of them.
    assert!(turns[0]["text"].as_str().unwrap().contains("your task line"), "{context}");
    // The conversation does not wait for the agent.
    let mut facts = stage
        .until(|fact| match fact {
            Fact::Turn(turn) => turn.text.as_str().contains("list is empty"),
            _ => false,
        })
        .await;
    may.add_permits(1);
    facts.extend(stage.finalized().await);
    assert_eq!(stage::ending(&facts).0, Outcome::Answered);
    assert!(facts.iter().any(|fact| matches!(fact, Fact::Announced { .. })));
    let said = stage::said(&facts, Speaker::Agent).concat();
    assert!(said.contains("I have news") && said.contains(ANSWER), "{said}");
    let report = stage.report(&call).await;
    assert!(report.heard.concat().contains(ANSWER));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_agent_finds_out_after_the_call_is_in_its_record() {
    let (config, may, mut asked) = agent().await;
    let mut stage = Stage::with(config).await;
    let call = stage.ring(Role::Curious.number(), Dialect::Twilio).await;
    next(&mut asked).await;
    stage.server.desk.exchange.tell(&call, Input::Order(Order::HangUp));
    stage.finalized().await;
    assert_eq!(state(&stage, &call).await, (AgentState::Running, None));
    let mut commits = stage.server.desk.store.commits();
    may.add_permits(1);
    let kept = async {
        while state(&stage, &call).await.0 == AgentState::Running {
            commits.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), kept).await.expect("the answer is written down");
    assert_eq!(state(&stage, &call).await, (AgentState::Done, Some(ANSWER.to_owned())));
    stage.close().await;
}

async fn state(stage: &Stage, call: &CallId) -> (AgentState, Option<String>) {
    let task = stage.server.desk.store.agent_tasks(call).await.unwrap().remove(0);
    (task.state, task.answer.map(|answer| answer.0))
}
