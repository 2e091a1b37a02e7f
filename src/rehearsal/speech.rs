//! Speech that can be checked: every utterance is audible and carries its own text as a quiet
//! code in the band above the voice, read back by an [`Ear`]. Knows no sockets and no calls.

mod band;
mod cache;
mod clips;
mod code;
mod ear;
mod keypad;
pub mod pcm;
mod programs;
#[cfg(test)]
mod tests;
mod transcript;
mod utterance;
mod voice;

use std::sync::Arc;

pub use clips::clip;
pub use ear::{Ear, Perceived};
pub use keypad::Keypad;
pub use programs::available;
pub use transcript::Account;
pub use utterance::{Speech, Utterance, bytes_carried};
pub use voice::Voice;

/// Samples a second of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// 24,000: ACS at its best, and what the models speak.
    Hz24000,
    /// 16,000: ACS.
    Hz16000,
    /// 8,000: G.711.
    Hz8000,
}

impl Rate {
    /// Samples a second.
    #[must_use]
    pub const fn hz(self) -> usize {
        match self {
            Self::Hz24000 => 24_000,
            Self::Hz16000 => 16_000,
            Self::Hz8000 => 8_000,
        }
    }

    /// Samples of one frame of 20 ms.
    #[must_use]
    pub const fn frame(self) -> usize {
        self.hz() / FRAMES_PER_SECOND
    }
}

/// Frames, which are also symbols of the code, a second: 20 ms, the packet time of telephony.
pub const FRAMES_PER_SECOND: usize = 50;

/// Where the audible part of an utterance came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A stored recording.
    Clip,
    /// The program `flite`.
    Flite,
    /// The program `espeak-ng`.
    Espeak,
    /// Harmonics with the rhythm of speech: a hum, not words.
    Synthetic,
}

impl Source {
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clip => "stored clip",
            Self::Flite => "flite",
            Self::Espeak => "espeak-ng",
            Self::Synthetic => "synthetic hum",
        }
    }
}

/// Renders with the best source this machine has.
///
/// May run a program for up to 2 s: on an async runtime use [`render_async`].
#[must_use]
pub fn render(text: &str, voice: &Voice, rate: Rate) -> Arc<Utterance> {
    Speech::default().render(text, voice, rate)
}

/// Like [`render`], without blocking the runtime's threads.
pub async fn render_async(text: &str, voice: &Voice, rate: Rate) -> Arc<Utterance> {
    Speech::default().render_async(text, voice, rate).await
}
