//! What finds no room: a queue that only the tables themselves can fill in time.

use serde_json::json;
use tandem_actors::briefing::Text;

use super::super::{Attempt, Deliveries as _, Next, Store, Webhooks as _};
use super::*;
use crate::store::NewWebhook;

async fn wants(store: &Store, account: &str, id: &str, events: &[&str]) -> bool {
    let new = NewWebhook {
        id: id.to_owned(),
        url: Text::from("https://a.example/s3cret"),
        events: events.iter().map(|&event| event.to_owned()).collect(),
        secret: "whsec_AAAA".to_owned().into(),
    };
    store.make_webhook(account, new).await.unwrap()
}

#[tokio::test]
async fn what_finds_the_queue_of_an_endpoint_full_is_counted_and_not_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), "n1").await.unwrap();
    wants(&store, "house", "w1", &[]).await;
    let news = |event: &str| News { event: event.to_owned(), data: json!({}), at_ms: 1 };
    for _ in 0..WAITING_MAX / 500 {
        let filled = store.promise(|desk| {
            Box::pin(async move {
                for _ in 0..500 {
                    desk.deliver("w1", "call.dialing", "{}").await?;
                }
                Ok(())
            })
        });
        filled.await.unwrap();
    }
    store.tell("house", news("call.answered")).await.unwrap();
    assert_eq!(store.tell_one("house", "w1", news("ping")).await.unwrap(), None);
    let webhook = store.webhook("house", "w1").await.unwrap().unwrap();
    assert_eq!((webhook.waiting, webhook.missed), (WAITING_MAX, 2));
    let first = store.deliveries_due("w1", 1).await.unwrap().remove(0);
    let taken = Attempt { status: Some(204), error: None, next: Next::Delivered };
    store.settle_delivery(&first.id, taken).await.unwrap();
    assert!(store.tell_one("house", "w1", news("ping")).await.unwrap().is_some());
}
