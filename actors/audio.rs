//! Audio as it travels: base64 text from socket to socket, measured but never decoded.
//! What the samples mean is known only to the edges that record, convert or speak them.

use std::time::Duration;

use bytes::Bytes;

/// How the samples inside a call are coded; one format per call, on both legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PCM, 16 bit little-endian, mono, 24,000 samples a second (`audio/pcm`, `pcm24KMono`).
    Pcm24k,
    /// G.711 µ-law, mono, 8,000 samples a second (`audio/pcmu`, `audio/x-mulaw`).
    Pcmu8k,
}

impl Format {
    /// Samples a second.
    #[must_use]
    pub const fn rate_hz(self) -> u32 {
        match self {
            Self::Pcm24k => 24_000,
            Self::Pcmu8k => 8_000,
        }
    }

    /// Bytes of one sample.
    #[must_use]
    pub const fn sample_bytes(self) -> usize {
        match self {
            Self::Pcm24k => 2,
            Self::Pcmu8k => 1,
        }
    }

    /// How long `samples` samples last.
    #[must_use]
    pub fn lasts(self, samples: u64) -> Duration {
        Duration::from_nanos(samples * 1_000_000_000 / u64::from(self.rate_hz()))
    }

    /// How many whole samples fit into `time`.
    #[must_use]
    pub fn samples_in(self, time: Duration) -> u64 {
        let nanos = time.as_nanos() * u128::from(self.rate_hz()) / 1_000_000_000;
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// The length in base64 characters of the pieces a burst is cut into before it is paced out.
    ///
    /// Base64 can only be cut at multiples of three bytes: 20 ms of PCM are 960 bytes and can be
    /// cut; 20 ms of µ-law are 160 bytes and cannot, 30 ms are 240 and can.
    #[must_use]
    pub const fn piece_chars(self) -> usize {
        match self {
            Self::Pcm24k => 1_280,
            Self::Pcmu8k => 320,
        }
    }
}

/// One run of audio as base64 text (RFC 4648 §4, padded, no line breaks).
///
/// The text is shared, not copied: cloning and cutting cost a reference count.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Bytes);

impl Payload {
    /// Takes text that is base64; returns nothing when it cannot be: wrong length, a character
    /// outside the alphabet, padding inside.
    #[must_use]
    pub fn from_base64(text: Bytes) -> Option<Self> {
        if text.is_empty() || !text.len().is_multiple_of(4) {
            return None;
        }
        let body = text.len() - padding(&text);
        // Without a branch in the loop, which runs for every frame: sixteen bytes at a time.
        let foreign = text[..body].iter().fold(0, |any, &byte| any | u8::from(is_foreign(byte)));
        (foreign == 0).then_some(Self(text))
    }

    /// The base64 text, safe to stand between quotes in JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a payload holds only base64 characters")
    }

    /// Bytes of audio inside.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.0.len() / 4 * 3 - padding(&self.0)
    }

    /// Whole samples inside.
    #[must_use]
    pub fn samples(&self, format: Format) -> u64 {
        (self.byte_len() / format.sample_bytes()) as u64
    }

    /// Cuts the first piece of at most [`Format::piece_chars`] off; returns what was cut and
    /// leaves the rest, nothing when this was the last piece.
    #[must_use]
    pub fn cut(mut self, format: Format) -> (Self, Option<Self>) {
        let chars = format.piece_chars();
        if self.0.len() <= chars {
            return (self, None);
        }
        let first = self.0.split_to(chars);
        (Self(first), Some(self))
    }

    /// A copy that holds its own memory and keeps no larger read buffer alive.
    #[must_use]
    pub fn compact(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

/// Audio may carry a voice; a log gets its size only.
impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.byte_len())
    }
}

fn padding(text: &[u8]) -> usize {
    text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count()
}

/// Whether a byte is no base64 character; padding is none either. `/` stands before the digits.
const fn is_foreign(byte: u8) -> bool {
    let is_letter = (byte & !0x20).wrapping_sub(b'A') < 26;
    let is_digit = byte.wrapping_sub(b'/') < 11;
    !(is_letter | is_digit | (byte == b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_alphabet_of_rfc_4648_is_base64() {
        for byte in 0..=u8::MAX {
            let is_base64 = byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
            assert_eq!(is_foreign(byte), !is_base64, "{byte:#x}");
        }
    }

    #[test]
    fn a_payload_knows_its_length_without_decoding() {
        let frame = Payload::from_base64(Bytes::from("A".repeat(1_280))).expect("base64");
        assert_eq!(frame.byte_len(), 960);
        assert_eq!(frame.samples(Format::Pcm24k), 480);
        assert_eq!(Format::Pcm24k.lasts(480), Duration::from_millis(20));
        let padded = Payload::from_base64(Bytes::from_static(b"AAAAAA==")).expect("base64");
        assert_eq!(padded.byte_len(), 4);
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["", "AAA", "AA\"A", "A=AA", "AAAA\\AAA", "====", "AA A"] {
            let payload = Payload::from_base64(Bytes::from(text));
            assert!(payload.is_none(), "{text:?} passed");
        }
    }

    #[test]
    fn a_burst_is_cut_into_pieces_and_nothing_is_lost() {
        let mut rest = Payload::from_base64(Bytes::from("A".repeat(3_000)));
        let mut bytes = 0;
        while let Some(payload) = rest {
            let (piece, more) = payload.cut(Format::Pcm24k);
            assert!(piece.byte_len() <= 960);
            bytes += piece.byte_len();
            rest = more;
        }
        assert_eq!(bytes, 2_250);
    }
}
