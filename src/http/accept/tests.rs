//! Hostile and clumsy clients, as bytes on real sockets.

mod hostile;

use axum::body::Bytes;
use axum::response::Response;
use axum::routing::{any, get, post};
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::*;
use crate::http::guard::{self, Patience};
use crate::socket::upgrade::{NoUpgrade, Upgrade};
use crate::socket::{self, Socket};

/// Longer than any limit of a test; whoever waits that long waits in vain.
const VAIN: Duration = Duration::from_secs(5);

/// Limits short enough to be met.
fn short() -> Limits {
    let tenth = Duration::from_millis(100);
    Limits {
        connections: 64,
        headers: tenth,
        idle: tenth * 3,
        reader: tenth * 2,
        closing: tenth * 5,
        ..Limits::default()
    }
}

struct Door {
    address: SocketAddr,
    refusals: Refusals,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    sockets: mpsc::Receiver<Socket<socket::upgrade::Carried>>,
}

impl Door {
    async fn open(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (refusals, stop) = (Refusals::default(), CancellationToken::new());
        let (found, sockets) = mpsc::channel(1);
        let upgrade = move |upgrade: Result<Upgrade, NoUpgrade>| async move {
            let (response, socket) = upgrade?.accept(socket::Limits::CARRIER);
            tokio::spawn(async move { found.send(socket.await.unwrap()).await.unwrap() });
            Ok::<Response, NoUpgrade>(response)
        };
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            "slow but done"
        };
        let routes = Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/echo", post(|body: Bytes| async { body }))
            .route("/long", get(|| async { vec![b'x'; 32 * 1024 * 1024] }))
            .route("/slow", get(slow))
            .route("/media", any(upgrade));
        let patience = Patience { body: 1024, body_in: Duration::from_millis(100) };
        let routes = guard::around(routes, refusals.clone(), patience);
        let serving = serve(listener, routes, refusals.clone(), limits, stop.clone());
        let serving = tokio::spawn(serving);
        Self { address, refusals, stop, serving, sockets }
    }

    async fn dial(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything that is answered to these bytes until the server closes.
    async fn ask(&self, bytes: &[u8]) -> String {
        let mut client = self.dial().await;
        client.write_all(bytes).await.unwrap();
        rest(&mut client).await
    }
}

/// What comes until the far end closes.
async fn rest(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let end = tokio::time::timeout(VAIN, client.read_to_end(&mut answer)).await;
    let _reset = end.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The answer to a request on a connection that stays open.
async fn alive(client: &mut TcpStream) {
    client.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"alive\n") {
        let read = tokio::time::timeout(VAIN, client.read_buf(&mut answer)).await;
        assert_ne!(read.expect("an answer").unwrap(), 0, "closed instead of an answer");
    }
}

#[tokio::test]
async fn headers_that_dribble_in_are_cut_off() {
    let door = Door::open(Limits { idle: VAIN * 2, ..short() }).await;
    let mut client = door.dial().await;
    client.write_all(b"GET /healthz HTTP/1.1\r\nhost").await.unwrap();
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(door.refusals.counted(Reason::SlowHeaders), 1);
}

#[tokio::test]
async fn a_connection_that_is_used_outlives_the_time_for_headers_and_ends_when_idle() {
    let limits = short();
    let door = Door::open(Limits { idle: limits.headers * 30, ..limits }).await;
    let mut client = door.dial().await;
    for _ in 0..2 {
        alive(&mut client).await;
        let quiet = tokio::time::timeout(limits.headers * 2, client.readable()).await;
        assert!(quiet.is_err(), "closed although it was in use");
    }
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(door.refusals.counted(Reason::Idle), 1);
    assert_eq!(door.refusals.counted(Reason::SlowHeaders), 0);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so_and_the_others_served() {
    let limits = Limits { connections: 200, idle: VAIN * 2, ..short() };
    let door = Door::open(limits).await;
    let mut held = Vec::new();
    for _ in 0..limits.connections {
        let mut client = door.dial().await;
        alive(&mut client).await;
        held.push(client);
    }
    for _ in 0..100 {
        let mut client = door.dial().await;
        let answer = rest(&mut client).await;
        assert!(answer.contains(" 503 ") && answer.contains("connections_full"), "{answer}");
    }
    assert_eq!(door.refusals.counted(Reason::Connections), 100);
    alive(&mut held[7]).await;
}

#[tokio::test]
async fn a_place_is_free_again_when_its_connection_has_ended() {
    let door = Door::open(Limits { connections: 1, ..short() }).await;
    for _ in 0..3 {
        let answer = door.ask(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        assert!(answer.await.starts_with("HTTP/1.1 200"));
        // The server sees our end after we have seen its own.
        while door.refusals.counted(Reason::Connections) == 0 {
            let mut client = door.dial().await;
            client.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            if rest(&mut client).await.starts_with("HTTP/1.1 200") {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let door = Door::open(short()).await;
    let mut client = door.dial().await;
    client.write_all(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let counted = async {
        while door.refusals.counted(Reason::SlowReader) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(VAIN, counted).await.expect("the reader is given up");
    drop(client);
}

#[tokio::test]
async fn a_stop_lets_the_answer_under_way_finish_and_closes_the_idle() {
    let door = Door::open(Limits { idle: VAIN * 2, ..short() }).await;
    let (mut idle, mut busy) = (door.dial().await, door.dial().await);
    alive(&mut idle).await;
    alive(&mut busy).await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // The request has been read when a second connection has been answered after it.
    alive(&mut door.dial().await).await;
    door.stop.cancel();
    assert!(rest(&mut busy).await.ends_with("slow but done"));
    assert_eq!(rest(&mut idle).await, "");
    tokio::time::timeout(VAIN, door.serving).await.expect("the loop ends").unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let limits = Limits { closing: Duration::from_millis(50), reader: VAIN * 2, ..short() };
    let door = Door::open(limits).await;
    let mut client = door.dial().await;
    client.write_all(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    client.readable().await.unwrap();
    door.stop.cancel();
    tokio::time::timeout(VAIN, door.serving).await.expect("the loop ends").unwrap();
}

#[tokio::test]
async fn an_upgraded_socket_takes_no_place_and_outlives_the_loop() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let mut door = Door::open(Limits { connections: 1, ..short() }).await;
    let url = format!("ws://{}/media", door.address);
    let (mut far_end, _) = tokio_tungstenite::client_async(url, door.dial().await).await.unwrap();
    let mut near_end = door.sockets.recv().await.unwrap();
    alive(&mut door.dial().await).await;
    door.stop.cancel();
    tokio::time::timeout(VAIN, &mut door.serving).await.expect("the loop ends").unwrap();

    far_end.send(Message::text("still here")).await.unwrap();
    let heard = std::future::poll_fn(|cx| near_end.poll_message(cx)).await;
    assert_eq!(heard, Ok(socket::Message::Text("still here".into())));
    near_end.send_text("so are we").unwrap();
    std::future::poll_fn(|cx| near_end.poll_flush(cx)).await.unwrap();
    assert_eq!(far_end.next().await.unwrap().unwrap(), Message::text("so are we"));
}

/// A listener without file descriptors for a while.
struct Exhausted {
    errors: usize,
    asked: mpsc::Sender<tokio::time::Instant>,
}

impl Source for Exhausted {
    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.asked.send(tokio::time::Instant::now()).await.unwrap();
        if self.errors == 0 {
            return std::future::pending().await;
        }
        self.errors -= 1;
        const EMFILE: i32 = 24;
        Err(io::Error::from_raw_os_error(EMFILE))
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_without_file_descriptors_is_asked_ever_more_rarely() {
    let (asked, mut times) = mpsc::channel(16);
    let (refusals, stop) = (Refusals::default(), CancellationToken::new());
    let source = Exhausted { errors: 10, asked };
    let serving = serve(source, Router::new(), refusals.clone(), short(), stop.clone());
    let serving = tokio::spawn(serving);
    let mut before = times.recv().await.unwrap();
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let asked = times.recv().await.unwrap();
        pauses.push(asked - before);
        before = asked;
    }
    assert_eq!(pauses[0], FIRST_PAUSE);
    assert!(pauses.is_sorted() && pauses[9] == LONGEST_PAUSE, "{pauses:?}");
    assert_eq!(refusals.counted(Reason::NotAccepted), 10);
    stop.cancel();
    serving.await.unwrap();
}
