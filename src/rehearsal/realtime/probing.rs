//! The latency probe of a session: which caller it serves is learned from the words themselves
//! ("line 0427"), then frames are reported as they pass. Knows no audio.

use std::sync::Arc;

use tokio::time::Instant;

use crate::rehearsal::phone::{Direction, Probe, Probes};

/// Looks for the probe of this session's caller and reports to it once found.
pub(super) struct Probing {
    probes: Option<Arc<Probes>>,
    found: Option<Arc<Probe>>,
}

impl Probing {
    pub(super) const fn new(probes: Option<Arc<Probes>>) -> Self {
        Self { probes, found: None }
    }

    /// Learns from words of the caller whose probe this is.
    pub(super) fn learn(&mut self, text: &str) {
        if self.found.is_none() {
            self.found = self.probes.as_ref().and_then(|probes| probes.find_in(text));
        }
    }

    /// A frame of the model's speech was due to be sent, and is.
    pub(super) fn sent(&self, sequence: u8, due: Instant) {
        if let Some(probe) = &self.found {
            probe.sent(Direction::Downlink, sequence, due);
        }
    }

    /// A frame of the caller's speech has arrived.
    pub(super) fn heard(&self, sequence: u8, at: Instant) {
        if let Some(probe) = &self.found {
            probe.heard(Direction::Uplink, sequence, at);
        }
    }
}
