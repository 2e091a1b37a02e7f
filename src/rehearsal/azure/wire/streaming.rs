//! How the media of a call is asked for.

use serde::Deserialize;

use super::{STREAMING, Version};
use crate::rehearsal::azure::refusal::Refusal;
use crate::rehearsal::phone::Dialect;

/// `mediaStreamingOptions`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::rehearsal::azure) struct StreamingOptions {
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
pub(in crate::rehearsal::azure) struct Media {
    pub(in crate::rehearsal::azure) url: String,
    pub(in crate::rehearsal::azure) dialect: Dialect,
}

impl StreamingOptions {
    /// # Errors
    /// 400 with the field that is wrong.
    pub(super) fn media(self, version: Version) -> Result<Media, Refusal> {
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
pub(super) fn is_ours(url: &str, under_tls: &str, plain: &str) -> bool {
    let local = url.strip_prefix(plain).is_some_and(|rest| rest.starts_with("127.0.0.1:"));
    local || url.strip_prefix(under_tls).is_some_and(|rest| !rest.is_empty())
}
