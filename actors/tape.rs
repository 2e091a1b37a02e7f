//! The port to whoever keeps or follows a call's audio: what each side heard, and when. Off the
//! audio path: telling a tape never waits and never fails.

use std::fmt;
use std::time::Duration;

use crate::audio::Payload;

/// The recording of one call, or somebody who listens to it. Dropped with the call, which ends it.
///
/// `at` is always the offset from the start of the recording at which the audio begins to be heard
/// by the other side; audio in the call's format, runs in the order in which they are heard.
pub trait Tape: Send {
    /// The caller's audio.
    fn heard(&mut self, at: Duration, audio: &Payload);

    /// Our audio. May be told before it is heard, by as much as pacing runs ahead.
    fn played(&mut self, at: Duration, audio: &Payload);

    /// Nothing of ours that was told for later than `at` was ever heard.
    fn flushed(&mut self, at: Duration);

    /// Both sides are silent up to `at`: what they say is private.
    fn passed(&mut self, at: Duration);

    /// Whether nobody wants it any more; then it is dropped.
    fn is_over(&self) -> bool;
}

impl fmt::Debug for dyn Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tape")
    }
}
