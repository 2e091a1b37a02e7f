//! A server whose carrier is a simulated Twilio. The public address is that of a tunnel, so
//! nothing of what Twilio signs is what the server is really called.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::StatusCode;
use tandem::config::{Config, Dialect, Kind};
use tandem::reception::{Order, Wish};
use tandem::rehearsal::twilio::{CallRecord, Settings, TwilioNetwork, sign};
use tandem::server::Server;
use tandem_actors::briefing::{CallId, Lifecycle, Text};
use tandem_actors::call::event::{Input, Order as Command};
use tandem_actors::carrier::Number;
use tandem_actors::record::{Fact, Note};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::broadcast::Receiver;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) const PUBLIC: &str = "https://bridge.example.com";
pub(crate) const TOKEN: &str = "12345678901234567890123456789012";
pub(crate) const KEY: &str = "SK00000000000000000000000000000000";
pub(crate) const SECRET: &str = "secret-of-the-key";
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(crate) const NUMBER: &str = "+15550199";

/// No story takes longer.
pub(crate) const STORY: Duration = Duration::from_secs(120);

/// An open media socket.
type Media = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct Network {
    pub(crate) server: Server,
    pub(crate) twilio: TwilioNetwork,
    live: Receiver<Note>,
    _dir: TempDir,
}

impl Network {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let settings = Settings {
            account: ACCOUNT.to_owned(),
            auth_token: TOKEN.to_owned().into(),
            api_key: Some((KEY.to_owned(), SECRET.to_owned().into())),
            number: NUMBER.to_owned(),
            public_url: PUBLIC.to_owned(),
        };
        let twilio = TwilioNetwork::start(settings).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        (config.http.listen, config.http.carriers) = (anywhere, anywhere);
        config.http.public_url = PUBLIC.to_owned();
        config.store.dir = dir.path().to_owned();
        config.carrier.kind = Kind::Twilio;
        config.policy.hours = Some("always".to_owned());
        config.carrier.number = NUMBER.to_owned();
        config.twilio.account_sid = ACCOUNT.to_owned();
        config.twilio.auth_token = Some(TOKEN.to_owned().into());
        config.twilio.api_url = twilio.api_url();
        change(&mut config);
        let server = Server::start(&config).await.unwrap();
        assert!(server.desk.stagehand.is_none(), "with a real carrier there is no stage door");
        twilio.lead_to(server.carriers.expect("a real carrier"));
        let live = server.desk.exchange.listen();
        Self { server, twilio, live, _dir: dir }
    }

    /// We ring a number.
    pub(crate) async fn place(&self, to: &str) -> CallId {
        let task = Text("Reserve a table for four at seven tonight, for Sam.".to_owned());
        let reception = &self.server.desk.reception;
        let wish = Wish { dialect: Dialect::Twilio, ..reception.wish(task) };
        reception.place(Order { to: Number::new(to), wish, once: None }).await.unwrap().call
    }

    /// Where carriers reach the server.
    fn door(&self) -> SocketAddr {
        self.server.carriers.expect("a real carrier")
    }

    pub(crate) async fn hang_up(&self, call: &CallId) {
        self.server.desk.exchange.tell(call, Input::Order(Command::HangUp));
        tokio::task::yield_now().await;
    }

    async fn until(&mut self, wanted: impl Fn(&Note) -> bool) -> Vec<Note> {
        let mut notes = Vec::new();
        let told = async {
            loop {
                let note = self.live.recv().await.expect("the exchange lives");
                let last = wanted(&note);
                notes.push(note);
                if last {
                    return;
                }
            }
        };
        let in_time = tokio::time::timeout(STORY, told).await;
        assert!(in_time.is_ok(), "waited in vain after {notes:#?}");
        notes
    }

    /// The end of any call.
    pub(crate) async fn last(&mut self) -> Note {
        let mut notes = self.until(|note| matches!(note.fact, Fact::Finalized { .. })).await;
        notes.pop().expect("waited for it")
    }

    /// Facts until any call is finalized.
    pub(crate) async fn finalized(&mut self) -> Vec<Fact> {
        let notes = self.until(|note| matches!(note.fact, Fact::Finalized { .. })).await;
        notes.into_iter().map(|note| note.fact).collect()
    }

    /// Facts of one call until it is finalized.
    pub(crate) async fn finalized_call(&mut self, call: &CallId) -> Vec<Fact> {
        let is_end =
            |note: &Note| note.call == *call && matches!(note.fact, Fact::Finalized { .. });
        let notes = self.until(is_end).await;
        notes.into_iter().filter(|note| note.call == *call).map(|note| note.fact).collect()
    }

    /// Facts until one that is wanted, itself included.
    pub(crate) async fn until_fact(&mut self, wanted: impl Fn(&Fact) -> bool) -> Vec<Fact> {
        let notes = self.until(|note| wanted(&note.fact)).await;
        notes.into_iter().map(|note| note.fact).collect()
    }

    /// Facts until the agent has said something that was heard.
    pub(crate) async fn until_said(&mut self) -> Vec<Fact> {
        let notes = self.until(|note| matches!(note.fact, Fact::Turn(_))).await;
        notes.into_iter().map(|note| note.fact).collect()
    }

    /// Waits until these calls are answered.
    pub(crate) async fn answered(&mut self, calls: &[&CallId]) {
        let mut left = calls.to_vec();
        while !left.is_empty() {
            let is_answer = |note: &Note| matches!(note.fact, Fact::Lifecycle(Lifecycle::Answered));
            let note = self.until(is_answer).await.pop().expect("waited for it");
            left.retain(|call| **call != note.call);
        }
    }

    /// Waits until Twilio has named the one call, and returns the name.
    pub(crate) async fn placed(&mut self) -> String {
        self.until(|note| matches!(note.fact, Fact::CarrierNamed(_))).await;
        self.twilio.calls().pop().expect("the call is placed")
    }

    /// What became of the one call.
    pub(crate) async fn ended(&self) -> CallRecord {
        let name = self.twilio.calls().pop().expect("a call was placed");
        self.twilio.ended(&name).await.unwrap()
    }

    /// Twilio's name for a call of ours.
    pub(crate) fn name_of(&self, call: &CallId) -> String {
        let mut names = self.twilio.calls().into_iter();
        names.find(|name| self.events(name).contains(&call.to_string())).expect("it was placed")
    }

    /// Where a call's callbacks go.
    pub(crate) fn events(&self, name: &str) -> String {
        self.twilio.addresses(name).expect("the order said").0
    }

    /// Where a call's media goes.
    pub(crate) fn media(&self, name: &str) -> String {
        self.twilio.addresses(name).expect("the order said").1
    }

    pub(crate) fn signed(&self, url: &str, fields: &[(&str, &str)]) -> String {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        sign::form(TOKEN, url, &fields)
    }

    /// Posts a form to the server as whoever comes through the tunnel.
    pub(crate) async fn post(
        &self,
        url: &str,
        fields: &[(&str, &str)],
        signature: &str,
    ) -> StatusCode {
        let path = url.strip_prefix(PUBLIC).expect("under the public address");
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = reqwest::Client::new()
            .post(format!("http://{}{path}", self.door()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature)
            .body(body.join("&"));
        request.send().await.unwrap().status()
    }

    /// Asks for a media socket.
    pub(crate) async fn dial(
        &self,
        path: &str,
        signature: Option<String>,
    ) -> Result<Media, StatusCode> {
        let url = format!("ws://{}{path}", self.door());
        let mut request = url.into_client_request().unwrap();
        if let Some(signature) = signature {
            request.headers_mut().insert("x-twilio-signature", signature.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a signed media socket that says it is this call's, and waits until it is closed.
    pub(crate) async fn start_stream(&self, media: &str, name: &str, call: &str) {
        let path = media.strip_prefix("wss://bridge.example.com").unwrap();
        let signature = sign::upgrade(TOKEN, media);
        let mut socket = self.dial(path, Some(signature)).await.unwrap();
        let start = serde_json::json!({
            "event": "start", "sequenceNumber": "1", "streamSid": "MZ00",
            "start": {
                "streamSid": "MZ00", "accountSid": ACCOUNT, "callSid": name, "tracks": ["inbound"],
                "mediaFormat": { "encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1 },
                "customParameters": { "call": call },
            },
        });
        socket.send(start.to_string().into()).await.unwrap();
        let closed = async { while socket.next().await.is_some_and(|message| message.is_ok()) {} };
        tokio::time::timeout(STORY, closed).await.expect("the stranger is sent away");
    }

    /// Ends the story; nothing may be left alive.
    pub(crate) async fn close(self) {
        let exchange = self.server.desk.exchange.clone();
        tokio::time::timeout(STORY, exchange.emptied()).await.expect("no call is left alive");
        self.server.stop(std::future::ready(())).await.unwrap();
    }
}
