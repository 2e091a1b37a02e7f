//! The cache on a clock that stands still until it is moved, and the source on a real socket.

use std::sync::Mutex as Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{advance, sleep};

use super::*;
use crate::carrier::acs::signer::{AZURE, NEXT, jwks};

/// An issuer whose answer can be changed.
#[derive(Clone, Default)]
struct Issuer(Arc<State>);

#[derive(Default)]
struct State {
    answer: Cell<Option<String>>,
    asked: AtomicU64,
    at_once: AtomicU64,
    delay: Cell<Duration>,
}

impl Issuer {
    fn with(answer: &str) -> Self {
        let issuer = Self::default();
        issuer.publishes(answer);
        issuer
    }

    fn publishes(&self, answer: &str) {
        *self.0.answer.lock().unwrap() = Some(answer.to_owned());
    }

    fn is_down(&self) {
        *self.0.answer.lock().unwrap() = None;
    }

    fn asked(&self) -> u64 {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl Source for Issuer {
    fn fetch(&self) -> BoxFuture<'static, Result<Vec<u8>, String>> {
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            state.asked.fetch_add(1, Ordering::SeqCst);
            assert_eq!(state.at_once.fetch_add(1, Ordering::SeqCst), 0, "two fetches at once");
            let delay = *state.delay.lock().unwrap();
            sleep(delay).await;
            state.at_once.fetch_sub(1, Ordering::SeqCst);
            let answer = state.answer.lock().unwrap().clone();
            answer.map(String::into_bytes).ok_or_else(|| "down".to_owned())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_ask_at_once_cost_one_fetch() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    *issuer.0.delay.lock().unwrap() = Duration::from_secs(1);
    let keys = Keys::new(issuer.clone());
    let answers = join_all((0..1_000).map(|_| keys.get("azure-1"))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((issuer.asked(), keys.fetches().get()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_key_ids_is_harmless() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    let keys = Keys::new(issuer.clone());
    keys.get("azure-1").await.unwrap();
    let mut flood = Vec::new();
    // A hundred thousand in sixty seconds.
    for n in 0..100_000 {
        if n % 1_000 == 0 {
            sleep(Duration::from_millis(600)).await;
            let begun = clock::now();
            keys.get("azure-1").await.unwrap();
            assert_eq!(begun.elapsed(), Duration::ZERO, "who is known waits for nobody");
        }
        let keys = keys.clone();
        flood.push(tokio::spawn(async move { keys.get(&format!("unknown-{n}")).await }));
    }
    let (mut settled, mut turned) = (0, 0);
    for answer in join_all(flood).await {
        match answer.unwrap() {
            Err(Refused::Key) => settled += 1,
            Err(Refused::KeyUnsettled) => turned += 1,
            other => panic!("{:?}", other.err()),
        }
    }
    let asked = issuer.asked();
    assert!((6..=8).contains(&asked), "{asked} fetches");
    // Beside those who waited, those who came while the issuer was asked.
    assert!(settled >= WAITING && turned >= 90_000, "{settled} waited, {turned} did not");
    assert_eq!(keys.read(|kept| kept.unwrap().keys.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_just_rotated_in_is_waited_for_and_the_old_one_is_forgotten() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    let keys = Keys::new(issuer.clone());
    keys.get("azure-1").await.unwrap();
    issuer.publishes(&jwks(&[&NEXT]));
    sleep(Duration::from_secs(4)).await;
    let begun = clock::now();
    let both = join_all([keys.get("azure-2"), keys.get("azure-2")]).await;
    assert!(both.iter().all(Result::is_ok));
    assert_eq!((begun.elapsed(), issuer.asked()), (Duration::from_secs(6), 2));
    advance(Duration::from_secs(1)).await;
    assert_eq!(keys.get("azure-1").await.unwrap_err(), Refused::Key);
    assert_eq!((begun.elapsed(), issuer.asked()), (Duration::from_secs(16), 3));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_missing_while_the_issuer_is_away_is_to_be_tried_again() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    let keys = Keys::new(issuer.clone());
    keys.get("azure-1").await.unwrap();
    issuer.is_down();
    advance(Duration::from_secs(1)).await;
    let begun = clock::now();
    assert_eq!(keys.get("azure-2").await.unwrap_err(), Refused::KeyUnsettled);
    assert_eq!((begun.elapsed(), issuer.asked()), (Duration::from_secs(9), 2));
}

#[tokio::test(start_paused = true)]
async fn old_keys_are_believed_for_a_day_while_the_issuer_is_away() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    let keys = Keys::new(issuer.clone());
    keys.get("azure-1").await.unwrap();
    issuer.is_down();
    for _ in 0..23 {
        advance(Duration::from_hours(1)).await;
        keys.get("azure-1").await.unwrap();
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(issuer.asked(), 24, "renewed once an hour, in the background");
    advance(Duration::from_hours(1)).await;
    assert_eq!(keys.get("azure-1").await.unwrap_err(), Refused::NoKeys);
    issuer.publishes(&jwks(&[&AZURE]));
    assert_eq!(keys.get("azure-1").await.unwrap_err(), Refused::NoKeys, "asked again too soon");
    advance(SPACING).await;
    keys.get("azure-1").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_hangs_is_given_up_and_not_pressed() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    *issuer.0.delay.lock().unwrap() = Duration::from_hours(1);
    let keys = Keys::new(issuer.clone());
    let begun = clock::now();
    let answers = join_all((0..100).map(|_| keys.get("azure-1"))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Refused::NoKeys))));
    assert!(begun.elapsed() <= PATIENCE + Duration::from_millis(10));
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_broken_off_does_not_break_the_fetch_off() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    *issuer.0.delay.lock().unwrap() = Duration::from_secs(1);
    let keys = Keys::new(issuer.clone());
    let broken = tokio::time::timeout(Duration::from_millis(10), keys.get("azure-1")).await;
    assert!(broken.is_err());
    keys.get("azure-1").await.unwrap();
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_set_without_a_usable_key_replaces_nothing() {
    let issuer = Issuer::with(&jwks(&[&AZURE]));
    let keys = Keys::new(issuer.clone());
    keys.get("azure-1").await.unwrap();
    for nonsense in ["", "<html>", "{}", r#"{"keys":[]}"#, r#"{"keys":[7,null,{"kty":"RSA"}]}"#] {
        issuer.publishes(nonsense);
        advance(SPACING).await;
        assert_eq!(keys.get("azure-2").await.unwrap_err(), Refused::KeyUnsettled);
        keys.get("azure-1").await.unwrap();
    }
    assert_eq!(issuer.asked(), 6);
}

#[test]
fn only_sound_rsa_keys_for_signatures_are_kept() {
    let but = |name: &str, value: serde_json::Value| {
        let mut key = AZURE.jwk();
        key[name] = value;
        key
    };
    let sized = |bytes: usize| json!(BASE64.encode(vec![0xc5_u8; bytes]));
    let unfit = [
        but("kty", json!("oct")),
        but("kty", json!("EC")),
        but("alg", json!("HS256")),
        but("use", json!("enc")),
        but("kid", json!("")),
        but("kid", json!("k".repeat(KEY_ID_MAX + 1))),
        but("kid", json!(7)),
        but("e", json!(BASE64.encode([1_u8]))),
        but("e", json!(BASE64.encode([2_u8]))),
        but("e", json!("")),
        but("e", json!("*")),
        but("n", sized(64)),
        but("n", sized(255)),
        but("n", sized(1_025)),
        json!({ "kty": "oct", "kid": "azure-1", "k": "c2VjcmV0" }),
    ];
    for key in unfit {
        let set = json!({ "keys": [key] }).to_string();
        assert!(read(set.as_bytes()).is_err(), "{key}");
        let set = json!({ "keys": [key, NEXT.jwk()] }).to_string();
        assert_eq!(read(set.as_bytes()).unwrap().len(), 1, "{key} spoils the set");
    }
    let mut doubled = NEXT.jwk();
    doubled["kid"] = json!("azure-1");
    let set = json!({ "keys": [AZURE.jwk(), doubled] }).to_string();
    assert_eq!(read(set.as_bytes()).unwrap().len(), 1);
}

#[test]
fn keys_are_taken_from_no_address_that_others_can_write_on() {
    for url in
        ["http://example.com/keys", "ftp://127.0.0.1/keys", "http://127.0.0.1.evil.com/", "x"]
    {
        assert!(Published::at(url).is_err(), "{url}");
    }
    for url in ["https://example.com/keys", "http://127.0.0.1:9/keys", "http://[::1]:9/keys"] {
        assert!(Published::at(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn a_published_set_is_fetched_and_a_strange_answer_is_not_taken() {
    let big = format!(r#"{{"keys":[],"pad":"{}"}}"#, "x".repeat(SET_MAX));
    let routes = Router::new()
        .route("/keys", get(async || jwks(&[&AZURE])))
        .route("/big", get(async || big))
        .route("/elsewhere", get(async || Redirect::temporary("/keys")))
        .route("/broken", get(async || axum::http::StatusCode::INTERNAL_SERVER_ERROR));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move { axum::serve(listener, routes).await });
    let fetch =
        async |path: &str| Published::at(&format!("http://{address}{path}")).unwrap().fetch().await;
    assert!(read(&fetch("/keys").await.unwrap()).unwrap().contains_key("azure-1"));
    assert_eq!(fetch("/big").await.unwrap_err(), "more than 65536 bytes");
    assert_eq!(fetch("/elsewhere").await.unwrap_err(), "status 307");
    assert_eq!(fetch("/broken").await.unwrap_err(), "status 500");
    served.abort();
    assert!(served.await.unwrap_err().is_cancelled());
    fetch("/keys").await.expect_err("nobody is there any more");
}
