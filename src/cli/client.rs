//! The way from the command line to a running server, over its API.

use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use clap::Args;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sse_stream::SseStream;

use crate::config::{self, Config};
use crate::mcp::api::{Answer, Api, Ask, ONCE, REPLAYED, Unreached};

/// A server that is there takes a connection at once.
const CONNECT: Duration = Duration::from_secs(10);

/// Longer than any answer takes, and than a stream of events is silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Where the server is.
#[derive(Args, Clone, Debug)]
pub(super) struct At {
    /// The server; without it, the one on this machine. Its key is taken from TANDEM_KEY.
    #[arg(long, global = true, env = "TANDEM_SERVER", value_name = "URL")]
    server: Option<String>,
}

impl At {
    /// Whether it is said where the server is.
    pub(super) const fn is_elsewhere(&self) -> bool {
        self.server.is_some()
    }
}

/// A running server.
pub(super) struct Client {
    http: reqwest::Client,
    server: String,
}

impl Client {
    /// The server that is meant, with the key to show it.
    pub(super) fn of(at: &At, config: &Config) -> anyhow::Result<Self> {
        let usual = || format!("http://{}", config.http.listen);
        let server = at.server.clone().unwrap_or_else(usual);
        Self::at(&server, config::client_key(config).as_ref())
    }

    /// This server.
    pub(super) fn at(server: &str, key: Option<&SecretString>) -> anyhow::Result<Self> {
        let server = server.trim_end_matches('/').to_owned();
        let mut always = HeaderMap::new();
        if let Some(key) = key {
            let mut shown = HeaderValue::try_from(format!("Bearer {}", key.expose_secret()))
                .context("the key (TANDEM_KEY) holds what cannot be sent; copy it again")?;
            shown.set_sensitive(true);
            always.insert(AUTHORIZATION, shown);
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(always)
            .build()?;
        Ok(Self { http, server })
    }

    /// The whole address of a path there.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    /// What is there.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.done(Ask::get(path)).await
    }

    /// Does something.
    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.done(Ask::post(path, body)).await
    }

    /// Takes something away.
    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.done(Ask::new(Method::DELETE, path, None)).await.map(drop)
    }

    /// Asks, and takes nothing but success for an answer.
    pub(super) async fn done(&self, ask: Ask) -> anyhow::Result<Value> {
        let answer = self.ask(ask).await?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        let detail = answer.body["detail"].as_str().unwrap_or("the server gives no reason");
        let code = answer.body["code"].as_str().unwrap_or("no code");
        match answer.status {
            StatusCode::UNAUTHORIZED => bail!(
                "{} wants a key that it knows: set TANDEM_KEY to one of `tandem keys add` ({code})",
                self.server
            ),
            StatusCode::NOT_FOUND if code == "no_such_route" => {
                bail!("{} does not serve this; it may be of another version ({code})", self.server)
            }
            _ => bail!("{detail} ({code})"),
        }
    }

    /// What happens to a call, behind this event, as it happens, until it is over.
    pub(super) async fn events(
        &self,
        call: &str,
        after: u64,
    ) -> anyhow::Result<impl Stream<Item = Value> + Unpin> {
        let path = format!("/v1/calls/{call}/events?after={after}");
        let answer = self.request(Ask::get(path), "text/event-stream").send().await;
        let answer = answer.map_err(|error| self.unreached(error))?.error_for_status()?;
        let events = SseStream::from_bytes_stream(answer.bytes_stream());
        let read = |event: Result<sse_stream::Sse, sse_stream::Error>| {
            let event = event.ok()?;
            // `alive` is no event of the call, and has none.
            event.id?;
            serde_json::from_str(&event.data?).ok()
        };
        Ok(events.filter_map(move |event| std::future::ready(read(event))))
    }

    fn request(&self, ask: Ask, accept: &'static str) -> reqwest::RequestBuilder {
        let request = self.http.request(ask.method, self.url(&ask.path));
        let mut request = request.header(ACCEPT, accept);
        if let Some(once) = ask.once {
            request = request.header(ONCE, once);
        }
        match ask.body {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    fn unreached(&self, error: reqwest::Error) -> Unreached {
        let server = &self.server;
        Unreached(if error.is_connect() {
            format!("no server answers at {server}; start one with `tandem`, or set TANDEM_SERVER")
        } else if error.is_builder() {
            format!("{server} is no address of a server; write it like http://127.0.0.1:8080")
        } else {
            format!("{server} gave no whole answer ({}); look before you try again", bare(error))
        })
    }
}

/// An error without the address: that may hold a number.
fn bare(error: reqwest::Error) -> String {
    error.without_url().to_string()
}

impl Api for Client {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, Unreached>> {
        let client = Self { http: self.http.clone(), server: self.server.clone() };
        async move {
            let sent = client.request(ask, "application/json").send().await;
            let answer = sent.map_err(|error| client.unreached(error))?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let bytes = answer.bytes().await.map_err(|error| client.unreached(error))?;
            let body = match &bytes[..] {
                [] => Value::Null,
                bytes => serde_json::from_slice(bytes).map_err(|_| {
                    let server = &client.server;
                    Unreached(format!(
                        "{server} does not answer as Tandem does; is it another server?"
                    ))
                })?,
            };
            Ok(Answer { status, body, repeated: headers.contains_key(REPLAYED) })
        }
        .boxed()
    }

    fn ended(&self, ask: Ask) -> BoxFuture<'static, Result<(), Unreached>> {
        let client = Self { http: self.http.clone(), server: self.server.clone() };
        async move {
            let sent = client.request(ask, "text/event-stream").send().await;
            let mut told = sent.map_err(|error| client.unreached(error))?.bytes_stream();
            while let Some(Ok(_)) = told.next().await {}
            Ok(())
        }
        .boxed()
    }
}
