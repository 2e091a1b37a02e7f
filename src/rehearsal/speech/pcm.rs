//! Samples as they travel: 16-bit little-endian or G.711 µ-law bytes, and either as base64.
//! Knows no messages; phones and the simulated model put these into their own.

use audio_codec_algorithms::{decode_ulaw, encode_ulaw};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Rate;

/// How the samples of a stream are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// PCM16 little-endian at 24 kHz.
    Pcm24k,
    /// PCM16 little-endian at 16 kHz.
    Pcm16k,
    /// G.711 µ-law at 8 kHz.
    Mulaw8k,
}

impl Coding {
    /// Samples a second.
    #[must_use]
    pub const fn rate(self) -> Rate {
        match self {
            Self::Pcm24k => Rate::Hz24000,
            Self::Pcm16k => Rate::Hz16000,
            Self::Mulaw8k => Rate::Hz8000,
        }
    }

    /// Bytes of one frame of 20 ms.
    #[must_use]
    pub const fn frame_bytes(self) -> usize {
        match self {
            Self::Pcm24k | Self::Pcm16k => self.rate().frame() * 2,
            Self::Mulaw8k => self.rate().frame(),
        }
    }

    /// Samples to bytes.
    #[must_use]
    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Self::Pcm24k | Self::Pcm16k => to_le_bytes(samples),
            Self::Mulaw8k => mulaw_encode(samples),
        }
    }

    /// Bytes to samples; an odd last byte of PCM is dropped.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Vec<i16> {
        match self {
            Self::Pcm24k | Self::Pcm16k => from_le_bytes(bytes),
            Self::Mulaw8k => mulaw_decode(bytes),
        }
    }

    /// Samples to base64 text.
    #[must_use]
    pub fn to_base64(self, samples: &[i16]) -> String {
        STANDARD.encode(self.encode(samples))
    }

    /// Base64 text to samples; nothing when it is not base64.
    #[must_use]
    pub fn from_base64(self, text: &str) -> Option<Vec<i16>> {
        STANDARD.decode(text).ok().map(|bytes| self.decode(&bytes))
    }
}

/// Samples to G.711 µ-law bytes.
#[must_use]
pub fn mulaw_encode(samples: &[i16]) -> Vec<u8> {
    samples.iter().map(|&sample| encode_ulaw(sample)).collect()
}

/// G.711 µ-law bytes to samples.
#[must_use]
pub fn mulaw_decode(bytes: &[u8]) -> Vec<i16> {
    bytes.iter().map(|&byte| decode_ulaw(byte)).collect()
}

/// Samples to 16-bit little-endian bytes.
#[must_use]
pub fn to_le_bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// 16-bit little-endian bytes to samples; an odd last byte is dropped.
#[must_use]
pub fn from_le_bytes(bytes: &[u8]) -> Vec<i16> {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_ff_in_mulaw_and_zero_again() {
        assert_eq!(mulaw_encode(&[0, 0]), [0xFF, 0xFF]);
        assert_eq!(mulaw_decode(&[0xFF]), [0]);
    }

    #[test]
    fn every_coding_takes_its_own_base64_back() {
        let samples = [0, 1_000, -1_000, 30_000];
        for coding in [Coding::Pcm24k, Coding::Pcm16k] {
            let text = coding.to_base64(&samples);
            assert_eq!(coding.from_base64(&text).as_deref(), Some(&samples[..]));
        }
        let text = Coding::Mulaw8k.to_base64(&samples);
        let back = Coding::Mulaw8k.from_base64(&text).expect("base64");
        assert!(samples.iter().zip(&back).all(|(a, b)| (a - b).abs() <= 512), "{back:?}");
        assert_eq!(Coding::Pcm24k.from_base64("no base64!"), None);
    }

    #[test]
    fn a_frame_has_the_bytes_the_carriers_document() {
        assert_eq!(Coding::Pcm24k.frame_bytes(), 960);
        assert_eq!(Coding::Pcm16k.frame_bytes(), 640);
        assert_eq!(Coding::Mulaw8k.frame_bytes(), 160);
    }
}
