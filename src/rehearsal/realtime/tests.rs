//! The simulated server over real sockets, driven by a small client of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;
use crate::rehearsal::speech::pcm::Coding;
use crate::rehearsal::speech::{Ear, Perceived, Speech, Utterance, Voice};

mod calls;
mod faults;
mod talk;

/// Longer than anything in these tests takes; an answer that never comes fails here.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that speaks in real frames and hears with an ear.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    coding: Coding,
}

/// A server that answers at once and far faster than speech.
fn quick() -> Behaviour {
    Behaviour {
        thinking: Duration::from_millis(20),
        pace: Pace::Burst { delta_ms: 200, times_real_time: 40 },
        transcripts: Transcripts::Prompt,
        speech: Speech::NoPrograms,
        ..Behaviour::default()
    }
}

async fn serve(behaviour: Behaviour) -> RealtimeServer {
    RealtimeServer::start(behaviour, None).await.expect("a port of this machine is free")
}

impl Client {
    async fn dial(server: &RealtimeServer, key: &str, more: Option<(&'static str, &str)>) -> Self {
        let url = format!("{}?model=gpt-realtime-2.1", server.url());
        let mut request = url.into_client_request().expect("a valid address");
        let bearer = format!("Bearer {key}").parse().expect("a valid header");
        request.headers_mut().insert("authorization", bearer);
        if let Some((name, value)) = more {
            request.headers_mut().insert(name, value.parse().expect("a valid header"));
        }
        let (socket, _) = connect_async(request).await.expect("let in");
        Self { socket, coding: Coding::Pcm24k }
    }

    /// Connects and configures: instructions, tools, transcripts, 240 ms of silence end a turn.
    async fn open(server: &RealtimeServer, instructions: &str, tools: &[&str]) -> Self {
        let mut client = Self::dial(server, server.key(), None).await;
        client.until("session.created").await;
        let tools: Vec<Value> =
            tools.iter().map(|name| json!({ "type": "function", "name": name })).collect();
        let session = json!({ "type": "realtime", "instructions": instructions, "tools": tools,
            "audio": { "input": { "transcription": { "model": "gpt-live-transcribe" },
                "turn_detection": { "type": "server_vad", "silence_duration_ms": 240 } } } });
        client.send(json!({ "type": "session.update", "session": session })).await;
        client.until("session.updated").await;
        client
    }

    async fn send(&mut self, event: Value) {
        self.socket.send(Message::text(event.to_string())).await.expect("the server reads");
    }

    /// The next message that is JSON text.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("an answer in time");
            match next {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(event) = serde_json::from_str(&text) {
                        return Some(event);
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Everything up to the first event of this type, that one last.
    async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("ended before {kind}"));
            let found = event["type"] == kind;
            events.push(event);
            if found {
                return events;
            }
        }
    }

    async fn until_one(&mut self, kind: &str) -> Value {
        self.until(kind).await.pop().expect("until ends with it")
    }

    /// Speaks, without waiting for time to pass, and is silent for 600 ms after.
    async fn speak(&mut self, text: &str) {
        let utterance = self.utterance(text).await;
        for frame in utterance.frames() {
            self.append(frame).await;
        }
        self.be_silent(Duration::from_millis(600)).await;
    }

    async fn utterance(&self, text: &str) -> Arc<Utterance> {
        Speech::NoPrograms.render_async(text, &Voice::callee(), self.coding.rate()).await
    }

    async fn be_silent(&mut self, time: Duration) {
        let silence = vec![0; self.coding.rate().frame()];
        for _ in 0..time.as_millis() / 20 {
            self.append(&silence).await;
        }
    }

    async fn append(&mut self, samples: &[i16]) {
        let audio = self.coding.to_base64(samples);
        self.send(json!({ "type": "input_audio_buffer.append", "audio": audio })).await;
    }

    /// Waits for the end of the next response; what was heard of it, and its done event.
    async fn listen(&mut self) -> (String, Value) {
        let events = self.until("response.done").await;
        let done = events.last().expect("until ends with it").clone();
        (heard_in(&events, self.coding), done)
    }

    async fn remember(&mut self, item: Value) {
        self.send(json!({ "type": "conversation.item.create", "item": item })).await;
        self.until("conversation.item.done").await;
    }
}

/// Decodes the audio of the events, and nothing else of them.
fn heard_in(events: &[Value], coding: Coding) -> String {
    let texts: Vec<String> = perceived_in(events, coding)
        .into_iter()
        .filter_map(|event| match event {
            Perceived::Quiet { text, .. } => Some(text),
            Perceived::Onset { .. } | Perceived::Frame { .. } | Perceived::Words(_) => None,
        })
        .collect();
    texts.join(" ")
}

/// The frames that were heard, by their numbers.
fn frames_in(events: &[Value]) -> Vec<u8> {
    perceived_in(events, Coding::Pcm24k)
        .into_iter()
        .filter_map(|event| match event {
            Perceived::Frame { sequence, .. } => Some(sequence),
            Perceived::Onset { .. } | Perceived::Quiet { .. } | Perceived::Words(_) => None,
        })
        .collect()
}

fn perceived_in(events: &[Value], coding: Coding) -> Vec<Perceived> {
    let mut ear = Ear::new(coding.rate());
    let mut perceived = Vec::new();
    let silence = vec![0; coding.rate().frame()];
    let now = Instant::now();
    for event in events.iter().filter(|event| event["type"] == "response.output_audio.delta") {
        let audio = event["delta"].as_str().expect("audio is text");
        let samples = coding.from_base64(audio).expect("audio is base64");
        ear.push(&samples, now, &mut perceived);
    }
    for _ in 0..50 {
        ear.push(&silence, now, &mut perceived);
    }
    perceived
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("every event has a type")).collect()
}

fn audio_ms(events: &[Value]) -> u64 {
    let bytes = |event: &Value| {
        let text = event["delta"].as_str().expect("audio is text");
        Coding::Pcm24k.from_base64(text).expect("audio is base64").len() as u64
    };
    let deltas = events.iter().filter(|event| event["type"] == "response.output_audio.delta");
    deltas.map(bytes).sum::<u64>() / 24
}
