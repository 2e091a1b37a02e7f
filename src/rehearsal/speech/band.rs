//! The two bands of an utterance: the voice below 1.8 kHz, the code above it.
//!
//! The voice is kept at 3,600 samples a second, which leaves nothing above 1,800 Hz, and is
//! brought to the rate of the stream from there.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::Rate;

/// Samples a second of a voice without its upper band.
pub(super) const VOICE_HZ: usize = 3_600;
/// What a resampler works on at once; only speed depends on it.
const CHUNK: usize = 1_024;

/// Brings a recording at any rate to [`VOICE_HZ`].
pub(super) fn narrow(samples: &[f32], from_hz: usize) -> Vec<f32> {
    resample(samples, from_hz, VOICE_HZ)
}

/// Brings a voice from [`VOICE_HZ`] to a stream's rate.
pub(super) fn widen(voice: &[f32], rate: Rate) -> Vec<f32> {
    resample(voice, VOICE_HZ, rate.hz())
}

/// Resamples a whole recording, without delay at its start.
pub(super) fn resample(samples: &[f32], from_hz: usize, to_hz: usize) -> Vec<f32> {
    if samples.is_empty() || from_hz == to_hz {
        return samples.to_vec();
    }
    let channels = 1;
    let mut resampler = Fft::<f32>::new(from_hz, to_hz, CHUNK, channels, FixedSync::Input)
        .expect("both rates are above zero");
    let input = InterleavedSlice::new(samples, channels, samples.len())
        .expect("one channel has as many frames as samples");
    resampler
        .process_all(&input, samples.len(), None)
        .expect("the output is sized by the resampler itself")
        .take_data()
}
