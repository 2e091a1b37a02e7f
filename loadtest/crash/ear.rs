//! The endpoint that is told when calls are over.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long the last news may take: an endpoint that was refused a moment is left alone for some
/// seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// The largest request.
const REQUEST: usize = 64 * 1024;

type Known = Arc<Mutex<HashSet<String>>>;

pub(super) struct Ear {
    address: SocketAddr,
    known: Known,
    told: watch::Receiver<u64>,
}

impl Ear {
    pub(super) async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the ear")?;
        let address = listener.local_addr()?;
        let (tell, told) = watch::channel(0);
        let known = Known::default();
        let keep = Arc::clone(&known);
        drop(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (keep, tell) = (Arc::clone(&keep), tell.clone());
                drop(tokio::spawn(async move {
                    if let Some(call) = heard(stream).await {
                        keep.lock().unwrap_or_else(PoisonError::into_inner).insert(call);
                        tell.send_modify(|count| *count += 1);
                    }
                }));
            }
        }));
        Ok(Self { address, known, told })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/told", self.address)
    }

    pub(super) fn knows(&self, call: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(call)
    }

    /// Waits until all of these were told of, or for too long; how many were.
    pub(super) async fn heard_of(&self, calls: &[String]) -> usize {
        let mut told = self.told.clone();
        let count = || calls.iter().filter(|call| self.knows(call)).count();
        let all = async {
            while count() < calls.len() {
                if told.changed().await.is_err() {
                    return;
                }
            }
        };
        let _in_time = tokio::time::timeout(PATIENCE, all).await;
        count()
    }
}

/// Takes one request and answers it. Returns the call of which it tells.
async fn heard(mut stream: TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let body = loop {
        let mut chunk = [0; 4_096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&chunk[..read]);
        if request.len() > REQUEST {
            return None;
        }
        if let Some(body) = whole(&request) {
            break body;
        }
    };
    let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.ok()?;
    let told: Value = serde_json::from_slice(body).ok()?;
    (told["type"] == "call.finalized").then(|| told["data"]["id"].as_str().map(str::to_owned))?
}

/// The body, once it is all there.
fn whole(request: &[u8]) -> Option<&[u8]> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&request[..end]).ok()?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    let length: usize = length.trim().parse().ok()?;
    request.get(end..end + length)
}
