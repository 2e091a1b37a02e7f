//! Deliveries to receivers on this machine, on real sockets; the pauses are short ones.

use std::net::SocketAddr;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::any;
use reqwest::dns::{Addrs, Name, Resolving};
use secrecy::SecretString;
use serde_json::json;
use tandem_actors::briefing::Text;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use crate::store::{Deliveries as _, DeliveryRow, NewWebhook, News, Telling as _, Webhooks as _};

const OPEN: Reach = Reach { plain: true, private: true };

const SOON: Schedule =
    Schedule { first: Duration::from_millis(10), lifetime: Duration::from_mins(1) };

/// Longer than any story; whoever waits that long waits in vain.
const VAIN: Duration = Duration::from_secs(30);

/// What a receiver was told.
type Told = mpsc::Receiver<(HeaderMap, Bytes)>;

/// A receiver that answers with these, one after the other, and then always with 200.
async fn receiver(answers: Vec<Response>) -> (SocketAddr, Told) {
    let (tell, told) = mpsc::channel(64);
    let answers = Arc::new(Mutex::new(answers.into_iter()));
    let hear = move |headers: HeaderMap, body: Bytes| async move {
        tell.send((headers, body)).await.unwrap();
        let next = answers.lock().unwrap().next();
        next.unwrap_or_else(|| StatusCode::OK.into_response())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().fallback(any(hear));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, told)
}

struct House {
    store: Store,
    webhooks: Webhooks,
    stop: CancellationToken,
    running: task::JoinHandle<()>,
    _dir: TempDir,
}

impl House {
    async fn open(reach: Reach, resolver: impl Resolve + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "n1").await.unwrap();
        let (webhooks, deliverer) =
            Webhooks::resolving(store.clone(), reach, SOON, resolver).unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(deliverer.run(stop.clone()));
        Self { store, webhooks, stop, running, _dir: dir }
    }

    async fn wants(&self, id: &str, url: String) -> SecretString {
        let secret = signature::new_secret();
        let new = NewWebhook {
            id: id.to_owned(),
            url: Text(url),
            events: Vec::new(),
            secret: secret.clone(),
        };
        assert!(self.store.make_webhook("house", new).await.unwrap());
        secret
    }

    async fn happens(&self, event: &str) {
        let news = News { event: event.to_owned(), data: json!({}), at_ms: 784_111_747_000 };
        self.store.tell("house", news).await.unwrap();
    }

    /// The last delivery, once it is as wanted.
    async fn last(&self, id: &str, wanted: impl Fn(&DeliveryRow) -> bool) -> DeliveryRow {
        let mut commits = self.store.commits();
        let found = async {
            loop {
                commits.mark_unchanged();
                let rows = self.store.deliveries(id).await.unwrap();
                if let Some(row) = rows.into_iter().next().filter(&wanted) {
                    return row;
                }
                commits.changed().await.unwrap();
            }
        };
        tokio::time::timeout(VAIN, found).await.expect("the delivery becomes as wanted")
    }

    async fn close(self) {
        self.stop.cancel();
        self.running.await.unwrap();
        self.store.close().await.unwrap();
    }
}

fn ended(row: &DeliveryRow) -> bool {
    row.ended_ms.is_some()
}

fn failed_once(row: &DeliveryRow) -> bool {
    row.attempts > 0
}

fn how(row: &DeliveryRow) -> (&str, i64, Option<i64>, Option<&str>) {
    (&row.state, row.attempts, row.status, row.error.as_deref())
}

#[tokio::test]
async fn a_receiver_that_fails_twice_is_told_the_same_thing_a_third_time() {
    let failing = || StatusCode::INTERNAL_SERVER_ERROR.into_response();
    let (address, mut told) = receiver(vec![failing(), failing()]).await;
    let house = House::open(OPEN, reach::System).await;
    let secret = house.wants("w1", format!("http://{address}/hook?token=t")).await;
    house.happens("call.finalized").await;
    let row = house.last("w1", ended).await;
    assert_eq!(how(&row), ("delivered", 3, Some(200), None));
    let receiver = signature::signer(&secret).unwrap();
    for _ in 0..3 {
        let (headers, body) = told.recv().await.unwrap();
        assert!(receiver.verify(&body, &headers).is_ok());
        assert_eq!(headers["webhook-id"], row.id);
        let said = r#"{"data":{},"timestamp":"1994-11-06T08:49:07Z","type":"call.finalized"}"#;
        assert_eq!(body, said.as_bytes());
    }
    let counts = Arc::clone(&house.webhooks.counts);
    house.close().await;
    assert!(told.try_recv().is_err(), "told more often than that");
    let counts = [&counts.delivered, &counts.failed].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(counts, [1, 2]);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more() {
    let (address, mut told) = receiver(vec![StatusCode::GONE.into_response()]).await;
    let house = House::open(OPEN, reach::System).await;
    house.wants("w1", format!("http://{address}/")).await;
    house.happens("call.dialing").await;
    let row = house.last("w1", ended).await;
    assert_eq!(how(&row), ("failed", 1, Some(410), None));
    house.happens("call.finalized").await;
    let webhook = house.store.webhook("house", "w1").await.unwrap().unwrap();
    assert_eq!((webhook.disabled.as_deref(), webhook.waiting), (Some("gone"), 0));
    assert_eq!(house.store.deliveries("w1").await.unwrap().len(), 1);
    house.close().await;
    assert!(told.recv().await.is_some() && told.try_recv().is_err());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_long_answer_is_not_read() {
    let (elsewhere, mut trapped) = receiver(Vec::new()).await;
    let away = Redirect::temporary(&format!("http://{elsewhere}/")).into_response();
    let endless = axum::body::Body::from(vec![b'x'; 64 * 1024 * 1024]);
    let (address, mut told) = receiver(vec![away, Response::new(endless)]).await;
    let house = House::open(OPEN, reach::System).await;
    house.wants("w1", format!("http://{address}/")).await;
    house.happens("call.dialing").await;
    let row = house.last("w1", failed_once).await;
    assert_eq!(row.status, Some(307));
    let row = house.last("w1", ended).await;
    assert_eq!(how(&row), ("delivered", 2, Some(200), None));
    house.close().await;
    assert!(told.recv().await.is_some() && trapped.try_recv().is_err());
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_holds_up_nobody_else() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, mut told) = receiver(Vec::new()).await;
    let house = House::open(OPEN, reach::System).await;
    house.wants("slow", format!("http://{}/", silent.local_addr().unwrap())).await;
    house.wants("w1", format!("http://{address}/")).await;
    for _ in 0..40 {
        house.happens("call.dialing").await;
    }
    for _ in 0..40 {
        let heard = tokio::time::timeout(VAIN, told.recv()).await;
        assert!(heard.expect("told while the other is waited for").is_some());
    }
    let waiting = house.store.webhook("house", "slow").await.unwrap().unwrap().waiting;
    assert_eq!(waiting, 40);
    drop(silent);
    house.close().await;
}

#[tokio::test]
async fn what_a_receiver_asks_for_is_waited_for() {
    let wait = [(header::RETRY_AFTER, "3600")];
    let busy = (StatusCode::TOO_MANY_REQUESTS, wait).into_response();
    let (address, _told) = receiver(vec![busy]).await;
    let house = House::open(OPEN, reach::System).await;
    house.wants("w1", format!("http://{address}/")).await;
    house.happens("call.dialing").await;
    let row = house.last("w1", failed_once).await;
    // Of the hour that it asks for as much as there is left: the last attempt is made then.
    let waits_ms = row.due_ms - row.created_ms;
    assert_eq!(waits_ms, SOON.lifetime.as_millis() as i64, "from the event");
    assert!(house.store.retry_delivery("w1", &row.id).await.unwrap());
    house.webhooks.hurry("w1");
    let row = house.last("w1", ended).await;
    assert_eq!(how(&row), ("delivered", 2, Some(200), None));
    house.close().await;
}

/// Says that every name is this machine.
struct Rebound;

impl Resolve for Rebound {
    fn resolve(&self, _name: Name) -> Resolving {
        let here: Addrs = Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
        Box::pin(async { Ok(here) })
    }
}

#[tokio::test]
async fn a_name_or_an_address_that_leads_inside_is_not_knocked_at() {
    let (address, mut told) = receiver(Vec::new()).await;
    let house = House::open(Reach { private: false, ..OPEN }, Rebound).await;
    house.wants("name", format!("http://a.example:{}/", address.port())).await;
    house.wants("literal", format!("http://{address}/")).await;
    house.happens("call.dialing").await;
    for id in ["name", "literal"] {
        let row = house.last(id, failed_once).await;
        assert_eq!((row.status, row.error.as_deref()), (None, Some("address_refused")), "{id}");
    }
    house.close().await;
    assert!(told.try_recv().is_err());
}
