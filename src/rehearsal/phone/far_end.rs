//! The product's end of a media socket, for tests: it takes a phone's call, hears by ear and
//! speaks in bursts as a model does. Written from the carriers' documents, not from the phone.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderMap;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::{Dialect, Dialled};
use crate::rehearsal::speech::{Account, Ear, Perceived, Speech, Utterance, Voice};

/// A server that takes one call.
pub(in crate::rehearsal) struct FarEnd {
    listener: TcpListener,
    dialect: Dialect,
}

/// A call that was taken.
pub(in crate::rehearsal) struct Peer {
    socket: WebSocketStream<TcpStream>,
    dialect: Dialect,
    pub(in crate::rehearsal) headers: HeaderMap,
    /// The messages before the first frame.
    pub(in crate::rehearsal) opening: Vec<Value>,
    ear: Ear,
    seen: VecDeque<Seen>,
    pub(in crate::rehearsal) frames: u64,
}

/// What comes from a phone.
#[derive(Debug, PartialEq)]
pub(in crate::rehearsal) enum Seen {
    Onset,
    Frame(u8, Instant),
    Said(String, Account),
    Key(String),
    Mark(String),
    Stopped,
    Closed,
    Broken,
    Other(String),
}

impl FarEnd {
    pub(in crate::rehearsal) async fn open(dialect: Dialect) -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), dialect }
    }

    pub(in crate::rehearsal) fn dialled(&self) -> Dialled {
        Dialled {
            url: format!("ws://{}/media", self.listener.local_addr().unwrap()),
            dialect: self.dialect,
            carrier_call: "call-1".to_owned(),
            parameters: vec![("token".to_owned(), "t".to_owned())],
            token: None,
            bridged: None,
        }
    }

    /// Takes the call. From then on time passes as fast as everybody is done with it.
    pub(in crate::rehearsal) async fn accept(self) -> Peer {
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut headers = HeaderMap::new();
        #[expect(clippy::result_large_err, reason = "the type is the library's")]
        let note = |request: &Request, mut response: Response| {
            headers = request.headers().clone();
            if let Some(protocol) = headers.get("sec-websocket-protocol") {
                response.headers_mut().insert("sec-websocket-protocol", protocol.clone());
            }
            Ok(response)
        };
        let mut socket = accept_hdr_async(stream, note).await.unwrap();
        let mut opening = Vec::new();
        let before_the_first_frame = match self.dialect {
            Dialect::Acs24k | Dialect::Acs16k | Dialect::Asterisk24k | Dialect::Asterisk8k => 1,
            Dialect::Twilio => 2,
            Dialect::Softphone => 0,
        };
        for _ in 0..before_the_first_frame {
            let message = socket.next().await.unwrap().unwrap();
            opening.push(serde_json::from_str(message.to_text().unwrap()).unwrap());
        }
        // Not before: while a connection is made no deadline is near, and time would leap.
        tokio::time::pause();
        let ear = Ear::new(self.dialect.coding().rate());
        let seen = VecDeque::new();
        Peer { socket, dialect: self.dialect, headers, opening, ear, seen, frames: 0 }
    }
}

impl Peer {
    /// The next thing that is not a frame of the code.
    pub(in crate::rehearsal) async fn next(&mut self) -> Seen {
        loop {
            let seen = self.next_or_frame().await;
            if !matches!(seen, Seen::Frame(..)) {
                return seen;
            }
        }
    }

    pub(in crate::rehearsal) async fn next_or_frame(&mut self) -> Seen {
        loop {
            if let Some(seen) = self.seen.pop_front() {
                return seen;
            }
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => self.read(&text),
                Some(Ok(Message::Binary(audio))) => {
                    let samples = self.dialect.coding().decode(&audio);
                    self.listen_to(&samples);
                }
                Some(Ok(Message::Close(_))) => return Seen::Closed,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Seen::Broken,
            }
        }
    }

    /// The next whole utterance.
    pub(in crate::rehearsal) async fn hear(&mut self) -> (String, Account) {
        loop {
            match self.next().await {
                Seen::Said(text, account) => return (text, account),
                Seen::Stopped | Seen::Closed | Seen::Broken => panic!("the line is over"),
                Seen::Onset | Seen::Frame(..) | Seen::Key(_) | Seen::Mark(_) | Seen::Other(_) => {}
            }
        }
    }

    fn read(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            return self.seen.push_back(Seen::Other(text.to_owned()));
        };
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = ["kind", "event", "type"].iter().find_map(|name| message.get(name));
        let kind = kind.cloned().unwrap_or_default();
        let seen = match kind.as_str().unwrap_or_default() {
            "AudioData" => return self.listen(&message["audioData"]["data"]),
            "media" => return self.listen(&message["media"]["payload"]),
            "DtmfData" => Seen::Key(string(&message["dtmfData"]["data"])),
            "dtmf" => Seen::Key(string(&message["dtmf"]["digit"])),
            "mark" => Seen::Mark(string(&message["mark"]["name"])),
            "DTMF_END" => Seen::Key(string(&message["digit"])),
            "MEDIA_MARK_PROCESSED" => Seen::Mark(string(&message["correlation_id"])),
            "key" => Seen::Key(string(&message["key"])),
            "played" => Seen::Mark(message["mark"].to_string()),
            "stop" => Seen::Stopped,
            _ => Seen::Other(text.to_owned()),
        };
        self.seen.push_back(seen);
    }

    fn listen(&mut self, data: &Value) {
        let samples = self.dialect.coding().from_base64(data.as_str().unwrap()).unwrap();
        self.listen_to(&samples);
    }

    fn listen_to(&mut self, samples: &[i16]) {
        assert_eq!(samples.len(), self.dialect.coding().rate().frame(), "a frame of 20 ms");
        self.frames += 1;
        let mut heard = Vec::new();
        self.ear.push(samples, Instant::now(), &mut heard);
        self.seen.extend(heard.into_iter().filter_map(|it| match it {
            Perceived::Onset { .. } => Some(Seen::Onset),
            Perceived::Frame { sequence, at } => Some(Seen::Frame(sequence, at)),
            Perceived::Words(_) => None,
            Perceived::Quiet { text, account, .. } => Some(Seen::Said(text, account)),
        }));
    }

    /// What would be said; to be sent in parts.
    pub(in crate::rehearsal) fn utterance(&self, text: &str) -> std::sync::Arc<Utterance> {
        let rate = self.dialect.coding().rate();
        Speech::synthetic_only().render(text, &Voice::agent(), rate)
    }

    /// Says it all at once, as models do.
    pub(in crate::rehearsal) async fn say(&mut self, text: &str) {
        let utterance = self.utterance(text);
        self.send_audio(&utterance.samples).await;
    }

    /// Sends samples in pieces of 60 ms: µ-law needs 30 for base64 without padding, Asterisk
    /// whole frames.
    pub(in crate::rehearsal) async fn send_audio(&mut self, samples: &[i16]) {
        let coding = self.dialect.coding();
        for piece in samples.chunks(coding.rate().frame() * 3) {
            let data = coding.to_base64(piece);
            let message = match self.dialect {
                Dialect::Acs24k => json!({
                    "Kind": "AudioData", "AudioData": { "Data": data }, "StopAudio": null
                }),
                Dialect::Acs16k => json!({
                    "kind": "audioData", "audioData": { "data": data }, "stopAudio": {}
                }),
                Dialect::Twilio => json!({
                    "event": "media", "streamSid": self.stream(), "media": { "payload": data }
                }),
                Dialect::Asterisk24k | Dialect::Asterisk8k | Dialect::Softphone => {
                    let audio = Message::binary(coding.encode(piece));
                    self.socket.send(audio).await.unwrap();
                    continue;
                }
            };
            self.send(message).await;
        }
    }

    pub(in crate::rehearsal) async fn flush(&mut self) {
        let message = match self.dialect {
            Dialect::Acs24k => json!({ "Kind": "StopAudio", "AudioData": null, "StopAudio": {} }),
            Dialect::Acs16k => json!({ "kind": "stopAudio", "stopAudio": {} }),
            Dialect::Twilio => json!({ "event": "clear", "streamSid": self.stream() }),
            Dialect::Asterisk24k | Dialect::Asterisk8k => json!({ "command": "FLUSH_MEDIA" }),
            Dialect::Softphone => json!({ "type": "flush" }),
        };
        self.send(message).await;
    }

    /// Asks to be told when playing gets here; ACS does not understand it.
    pub(in crate::rehearsal) async fn mark(&mut self, name: &str) {
        let message = match self.dialect {
            Dialect::Acs24k | Dialect::Acs16k | Dialect::Twilio => {
                let stream = self.stream();
                json!({ "event": "mark", "streamSid": stream, "mark": { "name": name } })
            }
            Dialect::Asterisk24k | Dialect::Asterisk8k => {
                json!({ "command": "MARK_MEDIA", "correlation_id": name })
            }
            Dialect::Softphone => {
                json!({ "type": "mark", "mark": name.parse::<u64>().expect("a number") })
            }
        };
        self.send(message).await;
    }

    pub(in crate::rehearsal) async fn close(&mut self) {
        self.socket.close(None).await.unwrap();
    }

    fn stream(&self) -> Value {
        self.opening[1]["streamSid"].clone()
    }

    async fn send(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }
}
