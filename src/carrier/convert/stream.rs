//! One direction of a conversion: payloads of any length in, frames of 20 ms out.
//! Pure apart from its own state; knows neither line nor call.

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use base64::Engine as _;
use bytes::Bytes;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};
use tandem_actors::audio::Payload;

use super::Coding;
use crate::carrier::wires::BASE64;

/// Frames a second: 20 ms each, as carriers send them.
const FRAMES_A_SECOND: usize = 50;

const MONO: usize = 1;

/// A PCM sample of 16 bit at full scale.
const FULL_SCALE: f32 = 32_768.0;

/// Audio on its way from one coding to another.
pub(super) struct Stream {
    from: Coding,
    to: Coding,
    resampler: Fft<f32>,
    /// Samples at the incoming rate, from `taken` on not yet converted. Bounded by the size of
    /// one message and a frame, for everything whole is pulled before the next is pushed.
    samples: Vec<f32>,
    taken: usize,
    /// Scratch: incoming bytes, and one outgoing frame as samples.
    bytes: Vec<u8>,
    frame: Vec<f32>,
}

impl Stream {
    pub(super) fn new(from: Coding, to: Coding) -> Self {
        let (rate_in, rate_out) = (from.rate_hz(), to.rate_hz());
        let frame_in = rate_in / FRAMES_A_SECOND;
        let resampler = Fft::new(rate_in, rate_out, frame_in, MONO, FixedSync::Both)
            .expect("every coding's rate divides into frames");
        Self {
            from,
            to,
            resampler,
            samples: Vec::new(),
            taken: 0,
            bytes: Vec::new(),
            frame: vec![0.0; rate_out / FRAMES_A_SECOND],
        }
    }

    /// Takes audio in the incoming coding. What cannot be decoded is left out: a socket's codec
    /// has counted it before.
    pub(super) fn push(&mut self, audio: &Payload) {
        self.bytes.clear();
        if BASE64.decode_vec(audio.as_str(), &mut self.bytes).is_err() {
            return;
        }
        self.samples.drain(..self.taken);
        self.taken = 0;
        match self.from {
            Coding::Pcmu8k => self
                .samples
                .extend(self.bytes.iter().map(|&byte| f32::from(decode_ulaw(byte)) / FULL_SCALE)),
            Coding::Pcm16k | Coding::Pcm24k => self.samples.extend(
                self.bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&sample| f32::from(i16::from_le_bytes(sample)) / FULL_SCALE),
            ),
        }
    }

    /// Gives the next frame in the outgoing coding, if there is enough for one.
    pub(super) fn pull(&mut self) -> Option<Payload> {
        let needed = self.resampler.input_frames_next();
        let waiting = self.samples.get(self.taken..self.taken + needed)?;
        let frames = self.frame.len();
        let input = InterleavedSlice::new(waiting, MONO, needed).expect("cut to size");
        let mut output =
            InterleavedSlice::new_mut(&mut self.frame, MONO, frames).expect("made to size");
        self.resampler
            .process_into_buffer(&input, &mut output, None)
            .expect("both buffers hold a frame");
        self.taken += needed;
        Some(self.encoded())
    }

    /// Forgets what waits and what rings on inside the filter.
    pub(super) fn reset(&mut self) {
        self.samples.clear();
        self.taken = 0;
        self.resampler.reset();
    }

    fn encoded(&mut self) -> Payload {
        self.bytes.clear();
        let samples = self.frame.iter().map(|&sample| whole(sample));
        match self.to {
            Coding::Pcmu8k => self.bytes.extend(samples.map(encode_ulaw)),
            Coding::Pcm16k | Coding::Pcm24k => {
                self.bytes.extend(samples.flat_map(i16::to_le_bytes));
            }
        }
        Payload::from_base64(Bytes::from(BASE64.encode(&self.bytes))).expect("encoded a moment ago")
    }
}

/// The nearest 16 bit sample; what is too loud is cut off.
#[expect(clippy::cast_possible_truncation, reason = "a float's cast to an integer saturates")]
fn whole(sample: f32) -> i16 {
    (sample * FULL_SCALE).round() as i16
}
