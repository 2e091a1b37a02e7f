//! A collector of OpenTelemetry gets the spans of a call, and nothing that was said in it.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tandem::config::{Config, Dialect};
use tandem::rehearsal::callee::Role;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::stage::Stage;

fn count(body: &[u8], words: &str) -> usize {
    body.windows(words.len()).filter(|window| *window == words.as_bytes()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_the_spans_of_a_call_without_a_word_or_a_number() {
    let (tell, mut told) = mpsc::channel(64);
    let take = async move |body: Bytes| {
        tell.send(body).await.unwrap();
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::default();
    config.http.listen.set_port(0);
    config.log.otlp_url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let routes = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let mut stage = Stage::with(config).await;
    let call = stage.place(Role::Restaurant.number(), Dialect::Acs24k).await;
    stage.finalized().await;
    // What is left is sent before the server is gone.
    stage.close().await;
    let mut all = Vec::new();
    while let Ok(body) = told.try_recv() {
        all.extend_from_slice(&body);
    }
    assert!(count(&all, "speaker") > 4, "a span for each turn");
    assert!(count(&all, &call.to_string()) == 1 && count(&all, "goodbye") == 1);
    assert!(count(&all, "service.name") > 0);
    for secret in ["5550100", "5550199", "Sam", "Table", "table"] {
        assert_eq!(count(&all, secret), 0, "{secret}");
    }
}
