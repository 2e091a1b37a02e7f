//! Ten thousand who connect to the carriers' door and say nothing; fewer where the system lets a
//! process hold fewer open files.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use tandem::config::Config;
use tandem::http::accept::{self, Limits, Source};
use tandem::http::carrier_routes;
use tandem::http::refusals::{Reason, Refusals};
use tandem::server::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const CROWD: usize = 10_000;

/// Who dials or waits to be let in at the same time; fewer than the system lets wait at a door.
/// Of more it takes some for connected whom the door never hears of.
const AT_ONCE: usize = 200;

/// The door's own limits but for the time, so that the test is short; long enough for all of them
/// to come on a machine that is busy with other things.
const IDLE: Duration = Duration::from_secs(20);

/// An answer that takes longer is none to whoever waits for it.
const PROMPT: Duration = Duration::from_secs(10);

/// Far more than anything here takes.
const VAIN: Duration = Duration::from_secs(60);

/// A connection that the door holds costs no more than this (17 KiB were measured) …
const BYTES_HELD: usize = 24 * 1024;
/// … and its other end, which is held here too, no more than this.
const BYTES_HERE: usize = 2 * 1024;

/// How many files this process may hold open.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).and_then(|soft| soft.parse().ok()).unwrap_or(usize::MAX)
}

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

/// The status of a request on a connection of its own.
async fn status(door: SocketAddr) -> String {
    let asked = async {
        let mut client = TcpStream::connect(door).await.unwrap();
        // Refused at the door it may be closed before it has asked.
        let _refused = client
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await;
        let mut head = [0; 12];
        client.read_exact(&mut head).await.unwrap();
        String::from_utf8_lossy(&head).into_owned()
    };
    tokio::time::timeout(PROMPT, asked).await.expect("a prompt answer")
}

/// The door's listener, which lets the next one dial for each that was let in.
struct Paced {
    listener: TcpListener,
    turns: Arc<Semaphore>,
}

impl Source for Paced {
    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = self.listener.accept().await?;
        self.turns.add_permits(1);
        Ok(accepted)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_connections_fill_the_door_and_are_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.store.dir = dir.path().to_owned();
    let server = Server::start(&config).await.unwrap();
    let (usual, files) = (Limits::default(), open_files());
    // Both ends of a connection are in this process.
    let people = CROWD.min(files / 2);
    let limits = Limits { idle: IDLE, connections: usual.connections.min(files / 4), ..usual };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = listener.local_addr().unwrap();
    let (refusals, stop) = (Refusals::default(), CancellationToken::new());
    let routes = carrier_routes(server.desk.clone());
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let source = Paced { listener, turns: Arc::clone(&turns) };
    let serving =
        tokio::spawn(accept::serve(source, routes, refusals.clone(), limits, stop.clone()));
    assert_eq!(status(door).await, "HTTP/1.1 200");

    let before = resident_bytes();
    let began = Instant::now();
    let mut crowd: Vec<TcpStream> = stream::iter(0..people)
        .map(|_| async {
            turns.acquire().await.unwrap().forget();
            TcpStream::connect(door).await.unwrap()
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    assert_eq!(status(door).await, "HTTP/1.1 503", "full, and says so at once");
    assert_eq!(status(server.address).await, "HTTP/1.1 200", "the API has a door of its own");
    let filled = began.elapsed();
    assert!(filled < IDLE, "the crowd was not there at once: {filled:?}");
    let grown = resident_bytes().saturating_sub(before);
    let most = limits.connections * BYTES_HELD + people * BYTES_HERE;
    assert!(grown < most, "{grown} bytes for {people} connections, at most {most}");

    // All are closed from the other side: those beyond the limit at once, the rest when idle.
    let closed = stream::iter(&mut crowd).for_each_concurrent(None, |client| async {
        let mut told = Vec::new();
        let _reset = client.read_to_end(&mut told).await;
    });
    tokio::time::timeout(VAIN, closed).await.expect("all of them are let go");
    let held = refusals.counted(Reason::Idle);
    let refused = refusals.counted(Reason::Connections);
    assert_eq!(held, limits.connections as u64, "as many as there are places");
    assert_eq!(refused, (people + 1) as u64 - held, "the rest, and who asked meanwhile");
    assert_eq!(status(door).await, "HTTP/1.1 200", "there is room again");
    stop.cancel();
    tokio::time::timeout(VAIN, serving).await.expect("the door closes").unwrap();
    server.stop(std::future::ready(())).await.unwrap();
}
