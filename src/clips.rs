//! Stored speech for moments when the model cannot speak, in every format a call may have.

use std::sync::Arc;

use bytes::Bytes;
use tandem_actors::audio::{Format, Payload};
use tandem_actors::briefing::Clips;

use crate::rehearsal::speech::pcm::Coding;
use crate::rehearsal::speech::{self, Rate, Voice};

/// While the link is repaired or a tool is slow.
pub const BRIDGE: &str = "One moment, please.";
/// When we cannot go on.
pub const APOLOGY: &str = "I am sorry, I have a technical problem and must end this call. Goodbye.";
/// At the end.
pub const GOODBYE: &str = "Thank you for your time. Goodbye.";

/// The clips of both formats.
#[derive(Clone, Debug)]
pub struct Stock {
    wide: Arc<Clips>,
    narrow: Arc<Clips>,
}

impl Stock {
    /// Renders the clips. Blocks for some milliseconds; done once at start.
    #[must_use]
    pub fn render() -> Self {
        Self { wide: clips(Format::Pcm24k), narrow: clips(Format::Pcmu8k) }
    }

    /// The clips in a call's format.
    #[must_use]
    pub fn of(&self, format: Format) -> Arc<Clips> {
        match format {
            Format::Pcm24k => Arc::clone(&self.wide),
            Format::Pcmu8k => Arc::clone(&self.narrow),
        }
    }
}

fn clips(format: Format) -> Arc<Clips> {
    Arc::new(Clips {
        bridge: pieces(BRIDGE, format),
        apology: pieces(APOLOGY, format),
        goodbye: pieces(GOODBYE, format),
    })
}

/// Frames of 20 ms.
fn pieces(text: &str, format: Format) -> Vec<Payload> {
    let (rate, coding) = match format {
        Format::Pcm24k => (Rate::Hz24000, Coding::Pcm24k),
        Format::Pcmu8k => (Rate::Hz8000, Coding::Mulaw8k),
    };
    speech::render(text, &Voice::agent(), rate)
        .frames()
        .filter_map(|frame| Payload::from_base64(Bytes::from(coding.to_base64(frame))))
        .collect()
}
