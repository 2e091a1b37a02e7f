//! What the simulated service is asked, and what it says of a call. Facts: the Call Automation
//! REST specification, 2026-03-12.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tandem_actors::carrier::Number;

use super::refusal::Refusal;
use crate::rehearsal::phone::Dialect;

/// The versions of the interface, oldest first.
const VERSIONS: [&str; 7] = [
    "2023-03-06",
    "2023-10-15",
    "2024-04-15",
    "2024-09-15",
    "2025-05-15",
    "2025-06-15",
    "2026-03-12",
];
/// The first one with media streaming.
const STREAMING: &str = "2025-05-15";
/// The first one that tells of SIP.
const SIP: &str = "2026-03-12";
/// Tones in one order.
const TONES_MAX: usize = 18;

/// Which version a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(&'static str);

impl Version {
    /// # Errors
    /// 400 when the query has no version, or none that there is.
    pub(super) fn of(query: &str) -> Result<Self, Refusal> {
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("api-version="));
        let asked = asked.ok_or_else(|| Refusal::bad("api-version is missing"))?;
        let known = VERSIONS.into_iter().find(|version| *version == asked);
        known.map(Self).ok_or_else(|| Refusal::bad("api-version is not supported"))
    }

    /// Whether events of calls made with it have SIP's own code.
    pub(super) fn tells_of_sip(self) -> bool {
        self.0 >= SIP
    }
}

/// Reads a body.
///
/// # Errors
/// 400 with the field that is missing or wrong.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(error.to_string()))
}

/// Somebody that can be named; here, a phone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identifier {
    kind: Option<String>,
    raw_id: Option<String>,
    phone_number: Option<PhoneNumber>,
}

/// A phone number.
#[derive(Deserialize)]
pub(super) struct PhoneNumber {
    value: String,
}

impl PhoneNumber {
    /// # Errors
    /// 400 when it is not E.164.
    pub(super) fn number(&self) -> Result<Number, Refusal> {
        let digits = self.value.strip_prefix('+').unwrap_or_default();
        let sound = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        sound
            .then(|| Number::new(self.value.as_str()))
            .ok_or_else(|| Refusal::bad("phone number is not E.164"))
    }
}

impl Identifier {
    /// The phone that is meant.
    ///
    /// # Errors
    /// 400 when it is none: the other kinds are not simulated.
    pub(super) fn number(&self) -> Result<Number, Refusal> {
        let kind = self.kind.as_deref().unwrap_or("phoneNumber");
        if !kind.eq_ignore_ascii_case("phoneNumber") {
            return Err(Refusal::bad(format!("kind {kind} is not simulated")));
        }
        let phone = self.phone_number.as_ref();
        let number = phone.ok_or_else(|| Refusal::bad("phoneNumber is missing"))?.number()?;
        match &self.raw_id {
            Some(raw) if raw.strip_prefix("4:") != Some(number.as_str()) => {
                Err(Refusal::bad("rawId and phoneNumber name two phones"))
            }
            Some(_) | None => Ok(number),
        }
    }
}

/// `mediaStreamingOptions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamingOptions {
    transport_type: String,
    audio_channel_type: String,
    transport_url: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    start_media_streaming: bool,
    #[serde(default)]
    enable_bidirectional: bool,
    audio_format: Option<String>,
}

/// Where the media of a call goes, and how.
#[derive(Clone)]
pub(super) struct Media {
    pub(super) url: String,
    pub(super) dialect: Dialect,
}

impl StreamingOptions {
    fn media(self, version: Version) -> Result<Media, Refusal> {
        let wanted = |field: &str| Err(Refusal::bad(format!("mediaStreamingOptions.{field}")));
        if version.0 < STREAMING {
            return Err(Refusal::bad("this api-version has no mediaStreamingOptions"));
        }
        if self.transport_type != "websocket" {
            return wanted("transportType is not websocket");
        }
        if self.audio_channel_type != "mixed" {
            return wanted("audioChannelType is not mixed, and others are not simulated");
        }
        if self.content_type.is_some_and(|content| content != "audio") {
            return wanted("contentType is not audio");
        }
        if !self.start_media_streaming || !self.enable_bidirectional {
            return wanted("startMediaStreaming and enableBidirectional: others are not simulated");
        }
        let dialect = match self.audio_format.as_deref() {
            None | Some("pcm16KMono") => Dialect::Acs16k,
            Some("pcm24KMono") => Dialect::Acs24k,
            Some(_) => return wanted("audioFormat is none of pcm16KMono, pcm24KMono"),
        };
        match self.transport_url {
            Some(url) if is_ours(&url, "wss://", "ws://") => Ok(Media { url, dialect }),
            Some(_) => wanted("transportUrl is not a wss address"),
            None => wanted("transportUrl is missing"),
        }
    }
}

/// The service speaks to addresses under TLS; to this machine itself, a simulation need not.
fn is_ours(url: &str, under_tls: &str, plain: &str) -> bool {
    let local = url.strip_prefix(plain).is_some_and(|rest| rest.starts_with("127.0.0.1:"));
    local || url.strip_prefix(under_tls).is_some_and(|rest| !rest.is_empty())
}

/// What every new call has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Common {
    callback_uri: String,
    operation_context: Option<String>,
    media_streaming_options: Option<StreamingOptions>,
}

/// What the service must know of a new call.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) version: Version,
    pub(super) callback: String,
    pub(super) context: Option<String>,
    pub(super) media: Option<Media>,
}

impl Common {
    fn terms(self, version: Version) -> Result<Terms, Refusal> {
        if !is_ours(&self.callback_uri, "https://", "http://") {
            return Err(Refusal::bad("callbackUri is not an https address"));
        }
        let media = self.media_streaming_options.map(|media| media.media(version)).transpose()?;
        Ok(Terms { version, callback: self.callback_uri, context: self.operation_context, media })
    }
}

/// `POST /calling/callConnections`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    targets: Vec<Identifier>,
    source_caller_id_number: Option<PhoneNumber>,
    #[serde(flatten)]
    common: Common,
}

impl Create {
    /// Whom to ring, as whom, and on which terms.
    ///
    /// # Errors
    /// 400 with what is wrong.
    pub(super) fn order(self, version: Version) -> Result<(Number, Number, Terms), Refusal> {
        let [target] = self.targets.as_slice() else {
            return Err(Refusal::bad("targets: one phone is simulated, not groups"));
        };
        let source = self.source_caller_id_number.as_ref();
        let source = source.ok_or_else(|| Refusal::bad("sourceCallerIdNumber is missing"))?;
        Ok((target.number()?, source.number()?, self.common.terms(version)?))
    }
}

/// `POST /calling/callConnections:answer`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) incoming_call_context: String,
    #[serde(flatten)]
    common: Common,
}

impl Answer {
    /// # Errors
    /// 400 with what is wrong.
    pub(super) fn terms(self, version: Version) -> Result<Terms, Refusal> {
        self.common.terms(version)
    }
}

/// `POST /calling/callConnections:reject`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reject {
    pub(super) incoming_call_context: String,
    #[serde(default)]
    call_reject_reason: RejectReason,
}

impl Reject {
    pub(super) const fn reason(&self) -> RejectReason {
        self.call_reject_reason
    }
}

/// What a caller is told who is rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RejectReason {
    /// Nothing.
    #[default]
    None,
    /// The line is engaged.
    Busy,
    /// They may not call here.
    Forbidden,
}

/// `POST /calling/callConnections:redirect`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Redirect {
    pub(super) incoming_call_context: String,
    pub(super) target: Identifier,
}

/// `POST …:transferToParticipant`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transfer {
    pub(super) target_participant: Identifier,
    pub(super) operation_context: Option<String>,
}

/// `POST …:sendDtmfTones`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tones {
    tones: Vec<String>,
    pub(super) target_participant: Identifier,
    pub(super) operation_context: Option<String>,
}

impl Tones {
    /// The keys.
    ///
    /// # Errors
    /// 400 for none, more than 18, or a word that is no tone.
    pub(super) fn keys(&self) -> Result<String, Refusal> {
        if self.tones.is_empty() || self.tones.len() > TONES_MAX {
            return Err(Refusal::bad("tones: 1 to 18 are sent at once"));
        }
        let key = |tone: &String| key(tone).ok_or_else(|| Refusal::bad("tones: no such tone"));
        self.tones.iter().map(key).collect()
    }
}

fn key(tone: &str) -> Option<char> {
    const KEYS: [(&str, char); 16] = [
        ("zero", '0'),
        ("one", '1'),
        ("two", '2'),
        ("three", '3'),
        ("four", '4'),
        ("five", '5'),
        ("six", '6'),
        ("seven", '7'),
        ("eight", '8'),
        ("nine", '9'),
        ("a", 'A'),
        ("b", 'B'),
        ("c", 'C'),
        ("d", 'D'),
        ("pound", '#'),
        ("asterisk", '*'),
    ];
    KEYS.into_iter().find(|(word, _)| *word == tone).map(|(_, key)| key)
}

/// A phone, as the service names it.
pub(super) fn identifier(number: &Number) -> Value {
    let number = number.as_str();
    json!({
        "kind": "phoneNumber",
        "rawId": format!("4:{number}"),
        "phoneNumber": { "value": number },
    })
}
