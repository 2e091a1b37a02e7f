//! Whether the public address leads to the carriers' door, and only there. When no server runs
//! the door is opened for a moment, with one route that nobody else can know.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::bare;
use crate::config::Http;
use crate::http::accept::{self, Limits};
use crate::http::refusals::Refusals;

/// Asked for by strangers through the public address: how, what, and what is expected. Every
/// route of the carriers is among them.
const PROBES: [(By, &str, Expected); 12] = [
    (By::Socket, "/acs/media/x/x", Expected::Refusal),
    (By::Post, "/acs/events/x/x", Expected::Refusal),
    (By::Post, "/acs/incoming/x", Expected::Refusal),
    (By::Socket, "/twilio/media/x/x", Expected::Refusal),
    (By::Post, "/twilio/events/x/x", Expected::Refusal),
    (By::Post, "/twilio/incoming", Expected::Refusal),
    (By::Post, "/twilio/whisper/x", Expected::Refusal),
    (By::Socket, "/asterisk/media", Expected::Refusal),
    (By::Socket, "/asterisk/media/x/x", Expected::Refusal),
    (By::Get, "/v1/calls", Expected::Nothing),
    (By::Get, "/metrics", Expected::Nothing),
    (By::Post, "/rehearsal/incoming", Expected::Nothing),
];

/// Bytes that are read of an answer that is to be ours: more than ours has.
const REPLY: usize = 64;

/// How a stranger asks.
#[derive(Clone, Copy, Debug)]
enum By {
    Get,
    Post,
    /// For a WebSocket, in a handshake as it should be (RFC 6455 §4.1): what is refused then is
    /// the stranger and not the request.
    Socket,
}

impl By {
    fn ask(self, client: &Client, url: String) -> RequestBuilder {
        match self {
            Self::Get => client.get(url),
            Self::Post => client.post(url).body("{}"),
            Self::Socket => client
                .get(url)
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", STANDARD.encode(rand::random::<[u8; 16]>())),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Socket => "a WebSocket at",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Any status from 400 to 499.
    Refusal,
    /// 404: this door does not have it.
    Nothing,
}

/// Whether a server answers `/healthz` there as ours does.
pub(super) async fn answers(client: &Client, url: &str) -> bool {
    matches!(fetch(client, &format!("{url}/healthz")).await.as_deref(), Ok("alive\n"))
}

/// Whether the public address leads to the carriers' door.
pub(super) async fn look(http: &Http, client: &Client) -> Result<String, String> {
    let url = public(http);
    match TcpListener::bind(http.carriers).await {
        Ok(listener) => through(listener, client, url, http.carriers).await,
        Err(_taken) if answers(client, url).await => {
            Ok("leads to the server that runs (its /healthz answers)".to_owned())
        }
        Err(error) => Err(format!(
            "{} cannot be opened ({error}), and no server answers through http.public_url; start \
             the server, or free the port",
            http.carriers
        )),
    }
}

/// Opens the door with a route of one use, and comes in from outside.
async fn through(
    listener: TcpListener,
    client: &Client,
    url: &str,
    door: SocketAddr,
) -> Result<String, String> {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let reply = format!("{:032x}", rand::random::<u128>());
    let path = format!("/check/{nonce}");
    let said = reply.clone();
    let routes = Router::new().route(&path, get(|| async { said }));
    let stop = CancellationToken::new();
    let serving =
        accept::serve(listener, routes, Refusals::default(), Limits::default(), stop.clone());
    let serving = tokio::spawn(serving);
    // Whoever looks may be broken off: the door is closed then too.
    let open = stop.drop_guard();
    let fetched = fetch(client, &format!("{url}{path}")).await;
    drop(open);
    let _ended = serving.await;
    match fetched {
        Ok(text) if text == reply => Ok("leads to the carriers' door".to_owned()),
        Ok(_) => Err(format!("leads somewhere else; have the proxy pass it on to {door}")),
        Err(trouble) => Err(format!(
            "does not lead to {door}: {trouble}; check the name, the certificate, and the proxy \
             or tunnel (some routers do not let a machine reach its own public address)"
        )),
    }
}

/// Whether strangers are refused, and nothing but the carriers' routes is there.
pub(super) async fn strangers(http: &Http, client: &Client) -> Result<String, String> {
    let url = public(http);
    for (by, path, expected) in PROBES {
        let answer = by
            .ask(client, format!("{url}{path}"))
            .send()
            .await
            .map_err(|error| format!("{path}: {}", bare(error)))?;
        let status = answer.status();
        let good = match expected {
            Expected::Refusal => status.is_client_error(),
            Expected::Nothing => status == StatusCode::NOT_FOUND,
        };
        if !good {
            return Err(format!(
                "{} {path} is answered with {} to a stranger; pass nothing on but the carriers' \
                 door ({})",
                by.word(),
                status.as_u16(),
                http.carriers
            ));
        }
    }
    Ok(format!("{} requests without a secret were refused", PROBES.len()))
}

/// The beginning of a body, of any length as it may be.
pub(super) async fn read(mut answer: Response, most: usize) -> Result<String, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(bare)? {
        body.extend_from_slice(&chunk[..chunk.len().min(most - body.len())]);
        if body.len() == most {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn public(http: &Http) -> &str {
    http.public_url.trim_end_matches('/')
}

/// The body of a 200, as far as it could be ours; it is compared, never shown.
async fn fetch(client: &Client, url: &str) -> Result<String, String> {
    let answer = client.get(url).send().await.map_err(bare)?;
    match answer.status() {
        StatusCode::OK => read(answer, REPLY).await,
        status => Err(format!("answered with {}", status.as_u16())),
    }
}
