//! Brings the events of a call to its callback address, each with a token of its own; badly, if
//! it is told to.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::Hall;
use super::connection::Connection;
use super::keys::WEBHOOK;

/// Events of a call that wait to be brought.
pub(super) const EVENTS_MAX: usize = 64;
/// So long events are gathered that are to be shuffled.
const GATHERED: Duration = Duration::from_millis(300);
/// The service tries again after these pauses.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// What goes wrong with events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mischief {
    /// Each comes twice, and once more after the end of the call.
    pub doubled: bool,
    /// Those of 300 ms come together, the last one first.
    pub shuffled: bool,
    /// They come so late.
    pub delay: Duration,
    /// Humans wait on a dead line, however long.
    pub patient: bool,
    /// Media that has broken off is not brought again, whoever asks.
    pub mute: bool,
    /// They are kept back until that is over.
    pub held: bool,
    /// The word on a hand-over comes after the end of the call.
    pub hand_over_last: bool,
}

/// Brings events until the call has no more.
pub(super) async fn run(
    hall: Arc<Hall>,
    connection: Arc<Connection>,
    mut events: mpsc::Receiver<Value>,
) {
    let (mut brought, mut held) = (Vec::new(), Vec::new());
    while let Some(event) = events.recv().await {
        hall.until(|hall| (!hall.mischief().held).then_some(())).await;
        let mischief = hall.mischief();
        if mischief.hand_over_last && is_word_on_hand_over(&event) {
            held.push(event);
            continue;
        }
        let mut batch = vec![event];
        if mischief.shuffled {
            sleep(GATHERED).await;
            while let Ok(event) = events.try_recv() {
                batch.insert(0, event);
            }
        }
        sleep(mischief.delay).await;
        let times = if mischief.doubled { 2 } else { 1 };
        for _ in 0..times {
            bring(&hall, &connection, &batch).await;
        }
        brought.extend(batch);
    }
    for event in held {
        bring(&hall, &connection, std::slice::from_ref(&event)).await;
        brought.push(event);
    }
    if hall.mischief().doubled {
        for event in brought {
            bring(&hall, &connection, &[event]).await;
        }
    }
}

fn is_word_on_hand_over(event: &Value) -> bool {
    let kind = event["type"].as_str().unwrap_or_default();
    ["CallTransferAccepted", "CallTransferFailed"].iter().any(|word| kind.ends_with(word))
}

async fn bring(hall: &Hall, connection: &Connection, events: &[Value]) {
    let mut pauses = PAUSES.into_iter();
    loop {
        let token = hall.signer.token(WEBHOOK, Timestamp::now());
        let status = post(hall, &connection.terms.callback, Some(&token), events).await;
        connection.is_answered(status);
        hall.has_changed();
        // What the receiver calls its fault is tried again; a refusal is final.
        if (200..500).contains(&status) {
            return;
        }
        let Some(pause) = pauses.next() else { return };
        sleep(pause).await;
    }
}

/// Posts events; the status, or 0 when there was no answer.
pub(super) async fn post(hall: &Hall, to: &str, token: Option<&str>, events: &[Value]) -> u16 {
    let to = hall.through_the_tunnel(to);
    let mut request = hall.client.post(to).header(CONTENT_TYPE, "application/json; charset=utf-8");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = Value::Array(events.to_vec()).to_string();
    match request.body(body).send().await {
        Ok(answer) => answer.status().as_u16(),
        Err(_) => 0,
    }
}
