//! A tool behind a real HTTP server on loopback.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::post;
use serde_json::Value;
use tandem_actors::tool::{Tool as _, Verdict};
use tokio::net::TcpListener;

use super::*;
use crate::tool::tests::job;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Asked = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A server that notes what it is asked and answers with this.
async fn server(answer: fn() -> Response) -> (SocketAddr, Asked) {
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    let asks = move |headers: HeaderMap, body: Bytes| async move {
        notes.lock().unwrap().push((headers, body));
        answer()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/", post(asks));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, asked)
}

fn tool(address: SocketAddr, more: &str) -> HttpTool {
    let text = format!(
        "[[tools]]\nname = \"cancel\"\ndescription = \"Cancels.\"\n\
         url = \"http://{address}/\"\nrisk = \"destructive\"\n{more}"
    );
    let secret = ("TANDEM__TOOLS__CANCEL__SECRET".to_owned(), SECRET.to_owned());
    let config = config::of(&text, &std::iter::once(secret).collect()).unwrap();
    HttpTool::new(&config.tools[0]).unwrap()
}

async fn ran(tool: &HttpTool) -> (Verdict, Value) {
    let done = tool.run(job("cancel", r#"{"booking":"A7"}"#)).await;
    (done.verdict, serde_json::from_str(done.output.as_str()).unwrap())
}

#[tokio::test]
async fn what_is_asked_is_signed_and_has_the_same_key_each_time() {
    let (address, asked) = server(|| r#"{"spoken_message":"Cancelled."}"#.into_response()).await;
    let tool = tool(address, "");
    let (verdict, told) = ran(&tool).await;
    assert_eq!((verdict, &told["spoken_message"]), (Verdict::Success, &"Cancelled.".into()));
    ran(&tool).await;
    let asked = asked.lock().unwrap();
    let keys = asked.iter().map(|(headers, _)| headers["idempotency-key"].clone());
    let keys: Vec<HeaderValue> = keys.collect();
    assert!(keys.len() == 2 && keys[0] == keys[1]);
    let (headers, body) = &asked[0];
    let verifier = Webhook::new(SECRET).unwrap();
    let mut standard = headers.clone();
    assert!(verifier.verify(body, &standard).is_ok());
    standard.insert("webhook-id", "another".parse().unwrap());
    assert!(verifier.verify(body, &standard).is_err());
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["arguments"], json!({ "booking": "A7" }));
    assert_eq!((&body["call"], &body["name"]), (&"call-1".into(), &"cancel".into()));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_long_answer_not_read() {
    let (address, _) = server(|| Redirect::temporary("http://127.0.0.1:1/").into_response()).await;
    let (verdict, told) = ran(&tool(address, "")).await;
    assert_eq!((verdict, &told["reason"]), (Verdict::Permanent, &"misconfigured".into()));
    let (address, _) = server(|| "x".repeat(ANSWER_BYTES + 1).into_response()).await;
    assert_eq!(ran(&tool(address, "")).await.0, Verdict::Success, "it has happened");
    let long = || (StatusCode::BAD_REQUEST, "x".repeat(ANSWER_BYTES + 1)).into_response();
    let (address, _) = server(long).await;
    assert_eq!(ran(&tool(address, "")).await.0, Verdict::Unknown);
}

#[tokio::test]
async fn who_is_not_there_has_done_nothing_and_who_breaks_off_may_have() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 8]).await.unwrap();
        }
    });
    assert_eq!(ran(&tool(address, "")).await.0, Verdict::Unknown);
    assert_eq!(ran(&tool(address, "idempotent = true\n")).await.0, Verdict::Temporary);
    // A port that only a superuser may take, and nobody does.
    let gone = SocketAddr::from(([127, 0, 0, 1], 1));
    let (verdict, told) = ran(&tool(gone, "")).await;
    assert_eq!((verdict, &told["reason"]), (Verdict::Temporary, &"not_reached".into()));
}

#[tokio::test]
async fn the_question_reads_out_the_arguments() {
    let tool = tool(SocketAddr::from(([127, 0, 0, 1], 1)), "");
    let asked = tool.read_back(job("cancel", r#"{"booking":"A7"}"#)).await.unwrap().unwrap();
    assert_eq!(asked.question.as_str(), "Shall I do this: cancel, with booking A7?");
    assert_eq!(asked.subject.as_str(), "A7");
}

#[test]
fn a_secret_that_signs_nothing_is_refused_and_not_repeated() {
    let secret = SecretString::from("no base64!".to_owned());
    let refused = Endpoint::new("http://127.0.0.1:1/", Some(&secret), CONNECT).err().unwrap();
    assert!(!refused.to_string().contains("no base64!"));
}
