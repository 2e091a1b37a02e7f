//! How the carrier of a call speaks, and where it finds us.

use tandem_actors::audio::Format;
use tandem_actors::briefing::CallId;
use tandem_actors::carrier::Addresses;

use super::Reception;
use super::ticket::Nonces;
use crate::config::Dialect;

impl Reception {
    /// The call's audio: what the carrier speaks when the model speaks it too.
    pub(super) fn format(&self, dialect: Dialect) -> Format {
        let native = match dialect {
            Dialect::Acs24k | Dialect::Acs16k | Dialect::Asterisk24k | Dialect::Softphone => {
                Format::Pcm24k
            }
            Dialect::Twilio | Dialect::Asterisk8k => Format::Pcmu8k,
        };
        let house = self.house();
        let spoken = house.formats.contains(&native);
        if spoken { native } else { house.formats.first().copied().unwrap_or(native) }
    }

    /// What the media of this call speaks, if this is its nonce: asked before an upgrade is
    /// granted.
    #[must_use]
    pub fn speaks(&self, call: &CallId, nonce: &str) -> Option<Dialect> {
        self.tickets.admit(call, nonce).map(|admission| admission.dialect)
    }

    pub(super) fn addresses(&self, call: &CallId, dialect: Dialect, nonces: &Nonces) -> Addresses {
        // ACS is told the format when the call is placed; the simulated one reads it here.
        let (vendor, format) = match dialect {
            Dialect::Acs24k => ("acs", ""),
            Dialect::Acs16k => ("acs", "?audioFormat=pcm16KMono"),
            Dialect::Twilio => ("twilio", ""),
            Dialect::Asterisk24k | Dialect::Asterisk8k => ("asterisk", ""),
            Dialect::Softphone => ("softphone", ""),
        };
        let http = &self.house().url;
        // `http` becomes `ws` and `https` becomes `wss`.
        let socket = http.strip_prefix("http").unwrap_or(http);
        Addresses {
            media: format!("ws{socket}/{vendor}/media/{call}/{}{format}", nonces.media.as_str()),
            events: self.events_address(vendor, call, nonces.events.as_str()),
        }
    }
}
