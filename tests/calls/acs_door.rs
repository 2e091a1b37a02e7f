//! What anybody on the internet can send to the addresses that Azure uses. Tokens are off here:
//! the nonces and the secret alone must hold, and what is let in must be sound.

use futures_util::{StreamExt as _, stream};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tandem::config::Dialect;
use tandem::reception::{Made, Ringing};
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::call::event::Input;
use tandem_actors::carrier::{CarrierCallId, Number};
use tandem_actors::record::Fact;
use tokio_tungstenite::connect_async;

use crate::acs::{SECRET, settings};
use crate::stage::{Stage, ending};

/// A resource where nobody is at home.
const NOWHERE: &str = "endpoint=http://127.0.0.1:9/;accesskey=c2VjcmV0";

struct Door {
    stage: Stage,
    client: reqwest::Client,
}

impl Door {
    async fn open() -> Self {
        let mut config = settings();
        config.acs.connection_string = Some(NOWHERE.to_owned().into());
        config.acs.check_tokens = false;
        Self::with(config).await
    }

    async fn guarded() -> Self {
        let mut config = settings();
        config.acs.connection_string = Some(NOWHERE.to_owned().into());
        config.acs.keys_url = "http://127.0.0.1:9/keys".to_owned();
        Self::with(config).await
    }

    async fn with(config: tandem::config::Config) -> Self {
        Self { stage: Stage::with(config).await, client: reqwest::Client::new() }
    }

    /// A call that waits for its media.
    async fn waiting(&self) -> Made {
        let (from, to) = (Number::new("+15550110"), Number::new("+15550199"));
        let ringing = Ringing { from, to, dialect: Dialect::Acs24k };
        self.stage.server.desk.reception.take(ringing).await.unwrap()
    }

    async fn end(&mut self, call: &CallId) {
        let ended = Input::Ended(Outcome::Cancelled, "cancelled".to_owned());
        assert!(self.stage.server.desk.exchange.tell(call, ended));
        self.stage.finalized().await;
    }

    fn grid(&self) -> RequestBuilder {
        self.client.post(format!("{}/acs/incoming/{SECRET}", self.stage.door()))
    }

    async fn tell(&self, made: &Made, events: &Value) -> StatusCode {
        self.client.post(&made.addresses.events).json(events).send().await.unwrap().status()
    }

    fn counted(&self, what: &'static str) -> u64 {
        self.stage.server.desk.network.acs.as_ref().unwrap().counted(what)
    }

    async fn knock(&self, media: &str, headers: &[(&str, &str)]) -> StatusCode {
        let mut request = self
            .client
            .get(media.replacen("ws", "http", 1))
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status()
    }
}

fn event(id: &str, kind: &str, code: i64, sub_code: i64) -> Value {
    json!({ "id": id, "source": "calling/callConnections/411f", "specversion": "1.0",
        "type": format!("Microsoft.Communication.{kind}"), "data": { "callConnectionId": "411f",
            "resultInformation": { "code": code, "subCode": sub_code } } })
}

fn rings(id: &str, correlation: &str, to: &str) -> Value {
    json!({ "id": id, "eventType": "Microsoft.Communication.IncomingCall",
        "eventTime": jiff::Timestamp::now().to_string(),
        "data": { "to": { "rawId": format!("4:{to}"), "phoneNumber": { "value": to } },
            "from": { "rawId": "4:+15550110", "phoneNumber": { "value": "+15550110" } },
            "incomingCallContext": "context", "correlationId": correlation } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_is_told_of_many_times_rings_once() {
    let mut door = Door::open().await;
    let mut late = rings("e9", "c9", "+15550199");
    late["eventTime"] = json!("2020-01-01T00:00:00Z");
    let batch = json!([
        rings("e1", "c1", "+15550199"),
        rings("e1", "c1", "+15550199"),
        rings("e2", "c1", "+15550199"),
        rings("e1", "c2", "+15550199"),
        rings("e3", "c3", "+15550123"),
        late,
        { "id": "e4", "eventType": "Microsoft.Communication.CallEnded" },
        { "id": "e7", "eventType": "Microsoft.Communication.RecordingFileStatusUpdated",
            "subject": "/recording/call/another/recordingId/another",
            "data": { "recordingStorageInfo": { "recordingChunks": [
                { "index": 0, "contentLocation": "http://127.0.0.1:9/" }] } } },
        { "id": "e5", "eventType": "Microsoft.Communication.IncomingCall", "data": {} },
        rings("e6", "c6", "+15550199"),
    ]);
    for _ in 0..2 {
        assert_eq!(door.grid().json(&batch).send().await.unwrap().status(), 200);
    }
    for _ in 0..2 {
        let facts = door.stage.finalized().await;
        assert_eq!(ending(&facts), (Outcome::NetworkError, "answer_refused"));
    }
    assert_eq!(door.counted("ringing"), 2);
    assert_eq!(door.counted("ringing_again"), 3 + 5);
    assert_eq!((door.counted("ringing_elsewhere"), door.counted("ringing_over")), (2, 2));
    assert_eq!((door.counted("other"), door.counted("broken")), (2, 2));
    assert_eq!(door.counted("recording_elsewhere"), 2);
    door.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_grid_is_agreed_with_only_behind_the_secret() {
    let door = Door::open().await;
    let ask = |secret: &str| {
        let url = format!("{}/acs/incoming/{secret}", door.stage.door());
        door.client.request(Method::OPTIONS, url)
    };
    let agreed = ask(SECRET).header("webhook-request-origin", "eventgrid.azure.net");
    let agreed = agreed.send().await.unwrap();
    assert_eq!(agreed.status(), 200);
    assert_eq!(agreed.headers()["webhook-allowed-origin"], "eventgrid.azure.net");
    assert_eq!(ask(SECRET).send().await.unwrap().status(), 400);
    let refused = ask("guess").header("webhook-request-origin", "eventgrid.azure.net");
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 404);
    assert!(!refused.headers().contains_key("webhook-allowed-origin"));
    let validation = json!([{ "id": "1", "eventType":
        "Microsoft.EventGrid.SubscriptionValidationEvent", "data": { "validationCode": "512d" } }]);
    let url = format!("{}/acs/incoming/guess", door.stage.door());
    let header = ("aeg-event-type", "SubscriptionValidation");
    let refused = door.client.post(url).header(header.0, header.1).json(&validation);
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 404);
    assert!(!refused.text().await.unwrap().contains("512d"));
    let right: Value = door.grid().json(&validation).send().await.unwrap().json().await.unwrap();
    assert_eq!(right, json!({ "validationResponse": "512d" }));
    for nonsense in ["", "7", "<html>", "[{]"] {
        assert_eq!(door.grid().body(nonsense).send().await.unwrap().status(), 400, "{nonsense}");
    }
    let large = "x".repeat(64 * 1024 + 1);
    assert_eq!(door.grid().body(large).send().await.unwrap().status(), 413);
    door.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_is_believed_by_its_nonce_and_read_with_care() {
    let mut door = Door::open().await;
    let (made, other) = (door.waiting().await, door.waiting().await);
    let busy = json!([event("1", "CreateCallFailed", 486, 560_486)]);
    let nonce = |made: &Made| made.addresses.events.rsplit('/').next().unwrap().to_owned();
    let swapped = made.addresses.events.replace(&nonce(&made), &nonce(&other));
    for wrong in [swapped, made.addresses.events.replace(&made.call.to_string(), "nobody")] {
        let answer = door.client.post(wrong).json(&busy).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
    for (body, status) in [("", 400), ("7", 400), ("[]", 200), ("[7,{},null]", 200)] {
        let answer = door.client.post(&made.addresses.events).body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body}");
    }
    let large = "x".repeat(64 * 1024 + 1);
    let answer = door.client.post(&made.addresses.events).body(large).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    let unknown = json!([event("7", "SomethingNew", 0, 0)]);
    assert_eq!(door.tell(&made, &unknown).await, 200);
    assert_eq!((door.counted("broken"), door.counted("other")), (3, 1));
    assert_eq!(door.stage.server.desk.exchange.live(), 2);
    for _ in 0..3 {
        assert_eq!(door.tell(&made, &busy).await, 200);
    }
    let facts = door.stage.finalized().await;
    let reason = "busy (code 486, subcode 560486)";
    assert_eq!(ending(&facts), (Outcome::Busy, reason));
    assert_eq!(door.tell(&made, &json!(event("9", "CallConnected", 200, 0))).await, 200);
    door.end(&other.call).await;
    door.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_audio_cannot_come_is_ended() {
    let mut door = Door::open().await;
    let made = door.waiting().await;
    let failed = |id: &str, details: &str| {
        let mut event = event(id, "MediaStreamingFailed", 400, 8_581);
        event["data"]["mediaStreamingUpdate"] = json!({ "mediaStreamingStatusDetails": details });
        json!([event])
    };
    assert_eq!(door.tell(&made, &failed("1", "streamConnectionInterrupted")).await, 200);
    assert!(door.stage.server.desk.exchange.calls().contains(&made.call));
    let never = failed("2", "initialWebSocketConnectionFailed");
    assert_eq!(door.tell(&made, &never).await, 200);
    let facts = door.stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::SystemError, "media_not_connected"));
    door.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_callbacks_is_stopped_before_its_tokens_are_looked_at() {
    let mut door = Door::guarded().await;
    let made = door.waiting().await;
    let busy = json!([event("1", "CreateCallFailed", 486, 560_486)]);
    let mut refused = 0;
    let told = stream::iter((0..400).map(|_| door.tell(&made, &busy))).buffered(50);
    for status in told.collect::<Vec<_>>().await {
        match status.as_u16() {
            401 => {}
            429 => refused += 1,
            other => panic!("answered {other}"),
        }
    }
    assert!(refused > 0, "nothing was stopped");
    let inbox = door.stage.server.desk.network.acs.clone().unwrap();
    assert_eq!(inbox.counted_refused("token_missing") + refused, 400);
    assert_eq!(inbox.counted_refused("rate"), refused);
    assert!(door.stage.server.desk.exchange.calls().contains(&made.call));
    door.end(&made.call).await;
    door.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_media_socket_needs_its_nonce_its_token_and_the_right_call() {
    let mut door = Door::guarded().await;
    let (made, other) = (door.waiting().await, door.waiting().await);
    let media = &made.addresses.media;
    assert_eq!(door.knock(media, &[]).await, 401);
    assert_eq!(door.knock(media, &[("authorization", "Bearer a.b.c")]).await, 401);
    let other_nonce = other.addresses.media.rsplit('/').next().unwrap();
    let (path, _) = media.rsplit_once('/').unwrap();
    assert_eq!(door.knock(&format!("{path}/{other_nonce}"), &[]).await, 404);
    assert_eq!(door.knock(&made.addresses.events.replace("/events/", "/media/"), &[]).await, 404);
    assert_eq!(door.knock(media, &[("origin", "https://evil.example.com")]).await, 404);
    let placed = Input::Placed(CarrierCallId("411f".to_owned()));
    assert!(door.stage.server.desk.exchange.tell(&made.call, placed));
    door.stage.until(|fact| matches!(fact, Fact::CarrierNamed(_))).await;
    assert_eq!(door.knock(media, &[("x-ms-call-connection-id", "9999")]).await, 404);
    assert_eq!(door.knock(media, &[("x-ms-call-connection-id", "411f")]).await, 401);
    for made in [made, other] {
        door.end(&made.call).await;
    }
    door.stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_live_media_socket_stays_and_a_second_is_taken_after_its_loss() {
    let mut door = Door::open().await;
    let made = door.waiting().await;
    let media = &made.addresses.media;
    let (first, _) = connect_async(media).await.unwrap();
    while !door.stage.server.desk.exchange.has_media(&made.call) {
        tokio::task::yield_now().await;
    }
    assert_eq!(door.knock(media, &[]).await, 409);
    drop(first);
    while door.stage.server.desk.exchange.has_media(&made.call) {
        tokio::task::yield_now().await;
    }
    let (second, _) = connect_async(media).await.unwrap();
    while !door.stage.server.desk.exchange.has_media(&made.call) {
        tokio::task::yield_now().await;
    }
    door.end(&made.call).await;
    drop(second);
    door.stage.close().await;
}
