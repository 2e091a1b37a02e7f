//! An endpoint that outlives every kill: takes requests, remembers what each said, answers always
//! the same. One is told when calls are over, another is a tool with an effect.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The largest request.
const REQUEST: usize = 64 * 1024;

type Requests = Arc<Mutex<Vec<Value>>>;

pub(super) struct Door {
    address: SocketAddr,
    requests: Requests,
    came: watch::Receiver<u64>,
}

impl Door {
    /// Opens one that answers with this body.
    pub(super) async fn open(answer: &'static str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for an endpoint")?;
        let address = listener.local_addr()?;
        let (tell, came) = watch::channel(0);
        let requests = Requests::default();
        let keep = Arc::clone(&requests);
        drop(tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (keep, tell) = (Arc::clone(&keep), tell.clone());
                drop(tokio::spawn(async move {
                    let Some(said) = request(&mut stream).await else { return };
                    // What was asked for is done, whether or not anybody learns of it.
                    lock(&keep).push(said);
                    tell.send_modify(|count| *count += 1);
                    let text = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                         content-length: {}\r\nconnection: close\r\n\r\n{answer}",
                        answer.len()
                    );
                    // Whoever asked may have been killed.
                    let _unread = stream.write_all(text.as_bytes()).await;
                }));
            }
        }));
        Ok(Self { address, requests, came })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What every request said, in the order in which they came.
    pub(super) fn requests(&self) -> Vec<Value> {
        lock(&self.requests).clone()
    }

    /// Waits until a request has come that is wanted; whether one did in time.
    pub(super) async fn comes(&self, within: Duration, wanted: impl Fn(&Value) -> bool) -> bool {
        let mut came = self.came.clone();
        let one = async {
            while !lock(&self.requests).iter().any(&wanted) {
                if came.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(within, one).await.is_ok()
    }
}

fn lock(requests: &Mutex<Vec<Value>>) -> MutexGuard<'_, Vec<Value>> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one request.
async fn request(stream: &mut TcpStream) -> Option<Value> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4_096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&chunk[..read]);
        if request.len() > REQUEST {
            return None;
        }
        if let Some(body) = whole(&request) {
            return serde_json::from_slice(body).ok();
        }
    }
}

/// The body, once it is all there.
fn whole(request: &[u8]) -> Option<&[u8]> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&request[..end]).ok()?.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    let length: usize = length.trim().parse().ok()?;
    request.get(end..end + length)
}
