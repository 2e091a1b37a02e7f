//! The guard with a record of its own and an issuer that has one key.

mod forged;

use axum::http::{HeaderName, HeaderValue};
use futures_util::future::BoxFuture;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::carrier::acs::keys::Source;
use crate::carrier::acs::signer::{AZURE, RESOURCE, STRANGER, claims, jwks};

const ANOTHER: &str = "00000000-0000-4000-8000-00000000000f";

struct Issuer;

impl Source for Issuer {
    fn fetch(&self) -> BoxFuture<'static, Result<Vec<u8>, String>> {
        Box::pin(std::future::ready(Ok(jwks(&[&AZURE]).into_bytes())))
    }
}

async fn record() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), "test").await.unwrap();
    (dir, store)
}

async fn guard(store: &Store, audience: &str) -> Guard {
    let acs = config::Acs { audience: audience.to_owned(), ..config::Acs::default() };
    Guard::new(&acs, Keys::new(Issuer), store.clone()).await.unwrap()
}

fn now() -> u64 {
    clock::wall().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn with(token: &str) -> HeaderMap {
    one(header::AUTHORIZATION, &format!("Bearer {token}"))
}

fn one(name: HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
}

fn made_out_to(whom: &str) -> HeaderMap {
    let mut claims = claims(now());
    claims["aud"] = json!(whom);
    with(&AZURE.sign(&AZURE.header(), &claims))
}

#[tokio::test]
async fn the_audience_of_the_settings_is_the_only_one() {
    let (_dir, store) = record().await;
    let guard = guard(&store, RESOURCE).await;
    guard.admit_callback(&made_out_to(RESOURCE)).await.unwrap();
    guard.admit_socket(&made_out_to(RESOURCE)).await.unwrap();
    let refused = guard.admit_callback(&made_out_to(ANOTHER)).await;
    assert_eq!(refused, Err(Refused::Audience));
    let refused = guard.admit_socket(&made_out_to(ANOTHER)).await;
    assert_eq!(refused, Err(Refused::Audience));
    assert_eq!(guard.strangers().get(), 2);
    assert_eq!(store.setting(SETTING).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_callback_teaches_the_audience_and_nothing_changes_it() {
    let (_dir, store) = record().await;
    let first = guard(&store, "").await;
    first.admit_callback(&made_out_to(RESOURCE)).await.unwrap();
    assert_eq!(first.admit_callback(&made_out_to(ANOTHER)).await, Err(Refused::Audience));
    assert_eq!(store.setting(SETTING).await.unwrap().unwrap().as_str(), RESOURCE);
    let next = guard(&store, "").await;
    assert_eq!(next.admit_callback(&made_out_to(ANOTHER)).await, Err(Refused::Audience));
    next.admit_callback(&made_out_to(RESOURCE)).await.unwrap();
    assert_eq!((first.strangers().get(), next.strangers().get()), (1, 1));
    let moved = guard(&store, ANOTHER).await;
    moved.admit_callback(&made_out_to(ANOTHER)).await.unwrap();
}

#[tokio::test]
async fn of_many_first_callbacks_one_teaches() {
    let (_dir, store) = record().await;
    let guard = guard(&store, "").await;
    let whom: Vec<HeaderMap> =
        (0..20).map(|n| made_out_to(if n % 2 == 0 { RESOURCE } else { ANOTHER })).collect();
    let answers =
        futures_util::future::join_all(whom.iter().map(|one| guard.admit_callback(one))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    let kept = store.setting(SETTING).await.unwrap().unwrap();
    assert!(kept.as_str() == RESOURCE || kept.as_str() == ANOTHER);
    assert_eq!(guard.strangers().get(), 10);
}

#[tokio::test]
async fn a_token_that_is_wrong_otherwise_teaches_nothing() {
    let (_dir, store) = record().await;
    let guard = guard(&store, "").await;
    let expired = with(&AZURE.token(now() - 400));
    let forged = with(&STRANGER.token(now()));
    let mut nobody = claims(now());
    nobody["aud"] = json!(["a", "b"]);
    let several = with(&AZURE.sign(&AZURE.header(), &nobody));
    assert_eq!(guard.admit_callback(&expired).await, Err(Refused::Expired));
    assert_eq!(guard.admit_callback(&forged).await, Err(Refused::Signature));
    assert_eq!(guard.admit_callback(&several).await, Err(Refused::Audience));
    let endless = made_out_to(&"x".repeat(RESOURCE_MAX + 1));
    assert_eq!(guard.admit_callback(&endless).await, Err(Refused::Audience));
    assert_eq!(store.setting(SETTING).await.unwrap(), None);
}

#[tokio::test]
async fn a_media_socket_teaches_nothing_and_waits_for_the_first_callback() {
    let (_dir, store) = record().await;
    let guard = guard(&store, "").await;
    let (ours, theirs) = (made_out_to(RESOURCE), made_out_to(ANOTHER));
    let (early, strange, callback) = tokio::join!(
        guard.admit_socket(&ours),
        guard.admit_socket(&theirs),
        guard.admit_callback(&ours)
    );
    assert_eq!((early, strange, callback), (Ok(()), Err(Refused::Audience), Ok(())));
}

#[tokio::test]
async fn without_a_callback_a_media_socket_is_not_let_in() {
    let (_dir, store) = record().await;
    let guard = guard(&store, "").await;
    assert_eq!(guard.admit_socket(&made_out_to(RESOURCE)).await, Err(Refused::Unlearned));
    assert_eq!(store.setting(SETTING).await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_learned() {
    let (_dir, store) = record().await;
    let guard = guard(&store, "").await;
    store.close().await.unwrap();
    assert_eq!(guard.admit_callback(&made_out_to(RESOURCE)).await, Err(Refused::Unlearned));
}

#[test]
fn exactly_one_bearer_token_is_wanted() {
    let of = |value: &str| bearer(&one(header::AUTHORIZATION, value)).map(str::to_owned);
    assert_eq!(of("Bearer a.b.c"), Ok("a.b.c".to_owned()));
    for wrong in ["bearer a.b.c", "Basic a.b.c", "Bearer", "a.b.c", ""] {
        assert_eq!(of(wrong), Err(Refused::Missing), "{wrong}");
    }
    assert_eq!(bearer(&HeaderMap::new()), Err(Refused::Missing));
    let mut two = with("a.b.c");
    two.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c"));
    assert_eq!(bearer(&two), Err(Refused::Missing));
    let mut unreadable = HeaderMap::new();
    unreadable.insert(header::AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap());
    assert_eq!(bearer(&unreadable), Err(Refused::Missing));
}
