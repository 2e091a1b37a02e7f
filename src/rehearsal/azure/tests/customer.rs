//! A customer of the simulated service: signs requests, receives events and media.

use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::super::{Azure, PATIENCE};

pub(super) struct Customer {
    service: String,
    key: Vec<u8>,
    name: Option<String>,
    address: String,
    media: String,
    events: Receiver<Value>,
    grid: Receiver<Vec<Value>>,
    sockets: Receiver<HeaderMap>,
}

type Desk = (Sender<Value>, Sender<Vec<Value>>);

async fn events(State((told, _)): State<Desk>, Json(events): Json<Vec<Value>>) -> Json<Value> {
    for event in events {
        told.try_send(event).unwrap();
    }
    Json(json!({}))
}

async fn grid(
    State((_, told)): State<Desk>,
    headers: HeaderMap,
    Json(events): Json<Vec<Value>>,
) -> (StatusCode, Json<Value>) {
    if headers["aeg-event-type"] == "SubscriptionValidation" {
        let code = &events[0]["data"]["validationCode"];
        return (StatusCode::OK, Json(json!({ "validationResponse": code })));
    }
    told.try_send(events).unwrap();
    (StatusCode::OK, Json(Value::Null))
}

impl Customer {
    pub(super) async fn of(azure: &Azure) -> Self {
        let text = azure.connection_string();
        let text = text.expose_secret();
        let key = text.split_once("accesskey=").unwrap().1;
        let (told, events_told) = channel(64);
        let (rung, grid_told) = channel(64);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/events", post(events))
            .route("/grid", post(grid))
            .with_state((told, rung));
        drop(tokio::spawn(async move { axum::serve(listener, routes).await }));
        let media = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let media_address = format!("ws://{}/media", media.local_addr().unwrap());
        let (brought, sockets) = channel(4);
        drop(tokio::spawn(listen(media, brought)));
        Self {
            service: azure.issuer().to_owned(),
            key: STANDARD.decode(key).unwrap(),
            name: None,
            address,
            media: media_address,
            events: events_told,
            grid: grid_told,
            sockets,
        }
    }

    /// The same one, who only gives orders, with another key.
    pub(super) fn with_key(&self, key: &[u8]) -> Self {
        Self {
            service: self.service.clone(),
            key: key.to_owned(),
            name: None,
            address: self.address.clone(),
            media: self.media.clone(),
            events: channel(1).1,
            grid: channel(1).1,
            sockets: channel(1).1,
        }
    }

    /// The same one, who gives every order this name.
    pub(super) fn named(&self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self.with_key(&self.key) }
    }

    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub(super) fn create(&self, to: &str) -> Value {
        json!({
            "targets": [phone(to)],
            "sourceCallerIdNumber": { "value": "+15550199" },
            "callbackUri": self.address("/events"),
            "operationContext": "c-1",
            "mediaStreamingOptions": {
                "transportType": "websocket",
                "transportUrl": self.media,
                "contentType": "audio",
                "audioChannelType": "mixed",
                "startMediaStreaming": true,
                "enableBidirectional": true,
                "audioFormat": "pcm24KMono",
            },
        })
    }

    pub(super) fn versioned(&self, path: &str) -> String {
        format!("{path}?api-version=2026-03-12")
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.order(Method::POST, &self.versioned(path), body).await
    }

    /// The status and the body, or 0 when there was no answer.
    pub(super) async fn order(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = self.signed(method, path, body);
        if let Some(name) = &self.name {
            request = request
                .header("repeatability-request-id", name)
                .header("repeatability-first-sent", "Sat, 21 Nov 2026 10:00:00 GMT");
        }
        let Ok(answer) = request.send().await else { return (0, Value::Null) };
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// What is in the storage.
    pub(super) async fn bytes(&self, method: Method, path: &str, range: &str) -> (u16, Vec<u8>) {
        let host = self.service.strip_prefix("http://").unwrap();
        let mut request = self.signed(method, path, String::new()).header("x-ms-host", host);
        if !range.is_empty() {
            request = request.header("range", range);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    fn signed(&self, method: Method, path: &str, body: String) -> RequestBuilder {
        let host = self.service.strip_prefix("http://").unwrap();
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes()));
        let text = format!("{method}\n{path}\n{date};{host};{hash}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let scheme = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=";
        reqwest::Client::new()
            .request(method, format!("{}{path}", self.service))
            .header("x-ms-date", date)
            .header("x-ms-content-sha256", hash)
            .header("content-type", "application/json")
            .header("authorization", format!("{scheme}{signature}"))
            .body(body)
    }

    /// The events since the last look, to the first of this name.
    pub(super) async fn events_until(&mut self, name: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap();
            let last = event["type"] == format!("Microsoft.Communication.{name}");
            events.push(event);
            if last {
                return events;
            }
        }
    }

    pub(super) async fn grid(&mut self) -> Vec<Value> {
        timeout(PATIENCE, self.grid.recv()).await.unwrap().unwrap()
    }

    /// The headers of the next media socket.
    pub(super) async fn media_is_brought(&mut self) -> HeaderMap {
        timeout(PATIENCE, self.sockets.recv()).await.unwrap().unwrap()
    }
}

pub(super) fn phone(number: &str) -> Value {
    json!({ "kind": "phoneNumber", "phoneNumber": { "value": number } })
}

/// Takes media sockets and listens to them.
#[expect(clippy::result_large_err, reason = "the library wants a refusal whole")]
async fn listen(listener: TcpListener, brought: Sender<HeaderMap>) {
    while let Ok((stream, _)) = listener.accept().await {
        let brought = brought.clone();
        drop(tokio::spawn(async move {
            let headers = Arc::new(std::sync::Mutex::new(HeaderMap::new()));
            let seen = Arc::clone(&headers);
            let look = move |request: &Request, response: Response| {
                *seen.lock().unwrap() = request.headers().clone();
                Ok::<Response, ErrorResponse>(response)
            };
            let mut socket = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
            let headers = headers.lock().unwrap().clone();
            brought.send(headers).await.unwrap();
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
        }));
    }
}
