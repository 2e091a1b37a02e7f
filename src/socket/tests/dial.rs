//! Dialling servers that answer, refuse and stay silent.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tungstenite::handshake::server::{Request, Response};

use super::*;
use crate::socket::dial::{DialError, connect};

/// A server that answers one connection with these bytes.
async fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 2048];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    url
}

async fn refusal(url: &str) -> DialError {
    connect(url, HeaderMap::new(), Limits::MODEL).await.unwrap_err()
}

#[tokio::test]
async fn a_server_is_dialled_with_our_headers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/v1?model=m", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (mut path, mut key) = (None, None);
        #[expect(clippy::result_large_err, reason = "the type is the library's")]
        let look = |request: &Request, response: Response| {
            path = Some(request.uri().to_string());
            key = request.headers().get("api-key").cloned();
            Ok(response)
        };
        let mut far_end = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
        far_end.send(Frame::text("hello")).await.unwrap();
        (path, key)
    });
    let headers = HeaderMap::from_iter([("api-key".parse().unwrap(), "k".parse().unwrap())]);
    let mut socket = connect(&url, headers, Limits::MODEL).await.unwrap();
    assert_eq!(next(&mut socket).await, Ok(Message::Text("hello".into())));
    let (path, key) = server.await.unwrap();
    assert_eq!(path.as_deref(), Some("/v1?model=m"));
    assert_eq!(key, Some(HeaderValue::from_static("k")));
}

#[tokio::test]
async fn a_refusal_is_told_by_its_status() {
    let url = answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(refusal(&url).await, DialError::Refused { status: 401, retry_after: None });

    let url =
        answering("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
            .await;
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(refusal(&url).await, DialError::Refused { status: 429, retry_after });

    let url = answering(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let retry_after = Some(Duration::from_mins(5));
    assert_eq!(refusal(&url).await, DialError::Refused { status: 429, retry_after });
}

#[tokio::test]
async fn an_address_that_cannot_be_dialled_is_not_repeated_in_the_error() {
    for url in ["http://secret.example/", "ws://", "not an address: secret"] {
        let error = refusal(url).await;
        assert!(matches!(error, DialError::Failed(_)), "{url}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    assert_eq!(refusal(&url).await, DialError::TimedOut);
    drop(listener);
}
