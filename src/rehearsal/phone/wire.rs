//! The carriers' messages as they write them and as they take them, and the socket they come
//! through. Facts: Azure's audio streaming concept page, Twilio's Media Streams reference.

mod asterisk;
mod softphone;

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use uuid::Uuid;

use super::{Bridged, Dialect, Dialled, PhoneError};

/// The phone's media socket.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The read buffer of a socket; the library's 128 KiB are too much for thousands of phones.
const READ_BUFFER: usize = 8 << 10;
/// The largest message a server may send: a minute of audio at 24 kHz, as base64.
const MESSAGE_MAX: usize = 4 << 20;

/// Opens the media socket.
pub(super) async fn connect(dialled: &Dialled) -> Result<Socket, PhoneError> {
    let mut request =
        dialled.url.as_str().into_client_request().map_err(|_| PhoneError::Request)?;
    match dialled.dialect {
        Dialect::Acs24k | Dialect::Acs16k => {
            let header = |value: &str| HeaderValue::from_str(value);
            let call = header(&dialled.carrier_call).map_err(|_| PhoneError::Request)?;
            let correlation =
                header(&Uuid::now_v7().to_string()).expect("a uuid is plain letters and digits");
            let headers = request.headers_mut();
            headers.insert("x-ms-call-connection-id", call);
            headers.insert("x-ms-call-correlation-id", correlation);
            if let Some(token) = &dialled.token {
                let bearer = format!("Bearer {}", token.expose_secret());
                headers.insert(AUTHORIZATION, header(&bearer).map_err(|_| PhoneError::Request)?);
            }
        }
        Dialect::Twilio => {
            if let Some(token) = &dialled.token {
                let signature = HeaderValue::from_str(token.expose_secret());
                let signature = signature.map_err(|_| PhoneError::Request)?;
                request.headers_mut().insert("x-twilio-signature", signature);
            }
        }
        Dialect::Asterisk24k | Dialect::Asterisk8k => asterisk::introduce(&mut request)?,
        Dialect::Softphone => {}
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_MAX))
        .max_frame_size(Some(MESSAGE_MAX));
    let nagle_off = true;
    let connected = connect_async_with_config(request, Some(config), nagle_off).await;
    let (socket, _) = connected.map_err(|error| PhoneError::Refused(Box::new(error)))?;
    Ok(socket)
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// Samples to be played.
    Audio(Vec<i16>),
    /// Throw away what is not played.
    Flush,
    /// Tell when playing gets here.
    Mark(String),
    /// What a phone has nothing to do with.
    Nothing,
    /// What makes the carrier drop the call.
    Unbearable,
    /// Nothing a carrier knows.
    Odd,
}

/// A carrier's pen: its messages, and the numbers that run through them.
pub(super) struct Wire {
    dialled: Dialled,
    stream: String,
    silence: String,
    begun: Timestamp,
    /// Messages so far, which Twilio numbers.
    written: u64,
    /// Asterisk has said that it has no more room.
    full: bool,
}

impl Wire {
    pub(super) fn new(dialled: Dialled) -> Self {
        let coding = dialled.dialect.coding();
        let silence = coding.to_base64(&vec![0; coding.rate().frame()]);
        let stream = match dialled.dialect {
            Dialect::Acs24k | Dialect::Acs16k => Uuid::now_v7().to_string(),
            Dialect::Twilio => format!("MZ{}", Uuid::now_v7().simple()),
            Dialect::Asterisk24k | Dialect::Asterisk8k | Dialect::Softphone => {
                dialled.carrier_call.clone()
            }
        };
        Self { dialled, stream, silence, begun: Timestamp::now(), written: 0, full: false }
    }

    /// What comes before the first frame.
    pub(super) fn opening(&mut self) -> Vec<Message> {
        let coding = self.dialled.dialect.coding();
        self.begun = Timestamp::now();
        match self.dialled.dialect {
            Dialect::Acs24k | Dialect::Acs16k => {
                let metadata = json!({
                    "subscriptionId": self.stream,
                    "encoding": "PCM",
                    "sampleRate": coding.rate().hz(),
                    "channels": 1,
                    "length": coding.frame_bytes(),
                });
                let message = json!({ "kind": "AudioMetadata", "audioMetadata": metadata });
                vec![Message::text(message.to_string())]
            }
            Dialect::Twilio => {
                let custom: serde_json::Map<_, _> = self
                    .dialled
                    .parameters
                    .iter()
                    .map(|(name, value)| (name.clone(), json!(value)))
                    .collect();
                let start = json!({
                    "streamSid": self.stream,
                    "accountSid": ACCOUNT,
                    "callSid": self.dialled.carrier_call,
                    "tracks": ["inbound"],
                    "mediaFormat":
                        { "encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1 },
                    "customParameters": custom,
                });
                let connected =
                    json!({ "event": "connected", "protocol": "Call", "version": "1.0.0" });
                let connected = Message::text(connected.to_string());
                vec![connected, self.twilio("start", "start", start)]
            }
            Dialect::Asterisk24k | Dialect::Asterisk8k => vec![asterisk::opening(&self.dialled)],
            Dialect::Softphone => Vec::new(),
        }
    }

    /// The `n`th frame of 20 ms; without samples it is silent.
    pub(super) fn frame(&mut self, n: u64, samples: Option<&[i16]>) -> Message {
        let coding = self.dialled.dialect.coding();
        let silent = samples.is_none();
        let base64 = |silence| match samples {
            Some(samples) => Cow::Owned(coding.to_base64(samples)),
            None => Cow::Borrowed(silence),
        };
        match self.dialled.dialect {
            // Written by hand: base64 and a time need no escaping, and this is said 50 times a
            // second on every line.
            Dialect::Acs24k | Dialect::Acs16k => {
                let at = self.begun + jiff::SignedDuration::from_millis(n as i64 * 20);
                let data = base64(self.silence.as_str());
                Message::text(format!(
                    r#"{{"kind":"AudioData","audioData":{{"timestamp":"{at:.3}","data":"{data}","silent":{silent}}}}}"#
                ))
            }
            Dialect::Twilio => {
                self.written += 1;
                let (sequence, stream, chunk) = (self.written, &self.stream, n + 1);
                let payload = base64(self.silence.as_str());
                let time = chunk * 20;
                Message::text(format!(
                    r#"{{"event":"media","sequenceNumber":"{sequence}","streamSid":"{stream}","media":{{"track":"inbound","chunk":"{chunk}","timestamp":"{time}","payload":"{payload}"}}}}"#
                ))
            }
            Dialect::Asterisk24k | Dialect::Asterisk8k => asterisk::frame(coding, samples),
            Dialect::Softphone => softphone::frame(samples),
        }
    }

    /// A pressed key.
    pub(super) fn key(&mut self, key: char) -> Message {
        match self.dialled.dialect {
            Dialect::Acs24k | Dialect::Acs16k => {
                let message = json!({ "kind": "DtmfData", "dtmfData": { "data": key } });
                Message::text(message.to_string())
            }
            Dialect::Twilio => {
                self.twilio("dtmf", "dtmf", json!({ "track": "inbound_track", "digit": key }))
            }
            Dialect::Asterisk24k | Dialect::Asterisk8k => asterisk::key(&self.stream, key),
            Dialect::Softphone => softphone::key(key),
        }
    }

    /// A mark that was reached; ACS has none.
    pub(super) fn mark(&mut self, name: &str) -> Option<Message> {
        match self.dialled.dialect {
            Dialect::Acs24k | Dialect::Acs16k => None,
            Dialect::Twilio => Some(self.twilio("mark", "mark", json!({ "name": name }))),
            Dialect::Asterisk24k | Dialect::Asterisk8k => Some(asterisk::mark(&self.stream, name)),
            Dialect::Softphone => softphone::mark(name),
        }
    }

    /// Whether the socket outlives the phone, and until when.
    pub(super) fn bridged(&self) -> Option<Bridged> {
        self.dialled.bridged.clone()
    }

    /// The last message before the socket is closed; only Twilio has one.
    pub(super) fn stop(&mut self) -> Option<Message> {
        match self.dialled.dialect {
            Dialect::Acs24k
            | Dialect::Acs16k
            | Dialect::Asterisk24k
            | Dialect::Asterisk8k
            | Dialect::Softphone => None,
            Dialect::Twilio => {
                let body = json!({ "accountSid": ACCOUNT, "callSid": self.dialled.carrier_call });
                Some(self.twilio("stop", "stop", body))
            }
        }
    }

    fn twilio(&mut self, event: &str, field: &str, body: serde_json::Value) -> Message {
        self.written += 1;
        let sequence = self.written.to_string();
        let message = json!({
            "event": event,
            "sequenceNumber": sequence,
            "streamSid": self.stream,
            field: body,
        });
        Message::text(message.to_string())
    }

    /// How much audio the carrier holds; what comes beyond is thrown away.
    pub(super) const fn holds(&self) -> Duration {
        match self.dialled.dialect {
            // Undocumented; a minute is longer than any answer.
            Dialect::Acs24k | Dialect::Acs16k | Dialect::Twilio | Dialect::Softphone => {
                Duration::from_mins(1)
            }
            Dialect::Asterisk24k | Dialect::Asterisk8k => asterisk::HOLDS,
        }
    }

    /// Whether marks that a flush threw away are returned.
    pub(super) const fn returns_flushed_marks(&self) -> bool {
        match self.dialled.dialect {
            Dialect::Acs24k | Dialect::Acs16k | Dialect::Twilio => true,
            Dialect::Asterisk24k | Dialect::Asterisk8k | Dialect::Softphone => false,
        }
    }

    /// What the carrier says when so many frames wait: Asterisk asks for a pause, and ends it.
    pub(super) fn room(&mut self, waiting: usize) -> Option<Message> {
        match self.dialled.dialect {
            Dialect::Acs24k | Dialect::Acs16k | Dialect::Twilio | Dialect::Softphone => None,
            Dialect::Asterisk24k | Dialect::Asterisk8k => {
                asterisk::room(&self.stream, waiting, &mut self.full)
            }
        }
    }

    /// Takes a server's message.
    pub(super) fn read(&self, message: &Message) -> Received {
        let text = message.to_text().unwrap_or_default();
        let read = match self.dialled.dialect {
            Dialect::Acs24k | Dialect::Acs16k => self.read_acs(text),
            Dialect::Twilio => self.read_twilio(text),
            Dialect::Asterisk24k | Dialect::Asterisk8k => {
                asterisk::read(message, self.dialled.dialect.coding())
            }
            Dialect::Softphone => softphone::read(message),
        };
        read.unwrap_or(Received::Odd)
    }

    /// The service is case-insensitive: .NET, Python and JavaScript each write their own.
    fn read_acs(&self, text: &str) -> Option<Received> {
        let message: AcsMessage<'_> = serde_json::from_str(text).ok()?;
        if message.kind.eq_ignore_ascii_case("StopAudio") {
            return Some(Received::Flush);
        }
        let audio = message.audio.filter(|_| message.kind.eq_ignore_ascii_case("AudioData"))?;
        self.dialled.dialect.coding().from_base64(&audio.data).map(Received::Audio)
    }

    fn read_twilio(&self, text: &str) -> Option<Received> {
        let message: TwilioMessage<'_> = serde_json::from_str(text).ok()?;
        if message.stream != self.stream {
            return None;
        }
        match message.event.as_ref() {
            "media" => {
                let payload = message.media?.payload;
                self.dialled.dialect.coding().from_base64(&payload).map(Received::Audio)
            }
            "mark" => Some(Received::Mark(message.mark?.name.into_owned())),
            "clear" => Some(Received::Flush),
            _ => None,
        }
    }
}

/// An account of no one.
const ACCOUNT: &str = "AC00000000000000000000000000000000";

#[derive(Deserialize)]
struct AcsMessage<'a> {
    #[serde(borrow, alias = "Kind")]
    kind: Cow<'a, str>,
    #[serde(borrow, default, rename = "audioData", alias = "AudioData")]
    audio: Option<AcsAudio<'a>>,
}

#[derive(Deserialize)]
struct AcsAudio<'a> {
    #[serde(borrow, alias = "Data")]
    data: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TwilioMessage<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow, rename = "streamSid")]
    stream: Cow<'a, str>,
    #[serde(borrow, default)]
    media: Option<TwilioMedia<'a>>,
    #[serde(borrow, default)]
    mark: Option<TwilioMark<'a>>,
}

#[derive(Deserialize)]
struct TwilioMedia<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TwilioMark<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[cfg(test)]
mod tests;
