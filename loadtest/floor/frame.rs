//! One frame of audio as it stands on the wire of a carrier's WebSocket, with the moment at which
//! it was to be sent written into its audio. Pure bytes.

use std::time::Duration;

use crate::cli::Carrier;

/// Digits of a moment in nanoseconds: all of a `u64`.
const STAMP: usize = 20;

/// From which end a frame comes; RFC 6455 §5.1 masks what the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The carrier opened the socket, so its frames are masked.
    Phone,
    /// Answers are not.
    Model,
}

/// A frame's bytes and where its stamp lies.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    bytes: Vec<u8>,
    stamp: usize,
}

impl Frame {
    /// The frame of 20 ms of this carrier.
    pub(super) fn new(carrier: Carrier, from: From) -> Self {
        let audio = "A".repeat(carrier.frame_bytes().div_ceil(3) * 4);
        let (before, after) = match carrier {
            Carrier::Acs | Carrier::Acs16k => (
                "{\"kind\":\"AudioData\",\"audioData\":{\
                 \"timestamp\":\"2026-01-01T10:00:06.020Z\",\"data\":\"",
                "\",\"silent\":false}}",
            ),
            Carrier::Twilio => (
                "{\"event\":\"media\",\"sequenceNumber\":\"00004\",\
                 \"streamSid\":\"MZ00000000000000000000000000000000\",\
                 \"media\":{\"track\":\"inbound\",\"chunk\":\"00002\",\"timestamp\":\"00020\",\
                 \"payload\":\"",
                "\"}}",
            ),
        };
        let length = before.len() + audio.len() + after.len();
        // A text frame of one piece with a 16-bit length; a mask of zeros leaves the text as it
        // is, which spares the driver, not the forwarder.
        let mut bytes = vec![0x81];
        let size = u16::try_from(length).expect("a frame of 20 ms is short").to_be_bytes();
        match from {
            From::Phone => bytes.extend([0x80 | 126, size[0], size[1], 0, 0, 0, 0]),
            From::Model => bytes.extend([126, size[0], size[1]]),
        }
        let stamp = bytes.len() + before.len();
        bytes.extend_from_slice(before.as_bytes());
        bytes.extend_from_slice(audio.as_bytes());
        bytes.extend_from_slice(after.as_bytes());
        Self { bytes, stamp }
    }

    /// Its bytes with a moment written in.
    pub(super) fn stamped(&mut self, moment: Duration) -> &[u8] {
        let mut nanos = moment.as_nanos() as u64;
        for digit in self.bytes[self.stamp..self.stamp + STAMP].iter_mut().rev() {
            *digit = b'0' + (nanos % 10) as u8;
            nanos /= 10;
        }
        &self.bytes
    }

    /// The moment in a frame that came in; none when these are not such a frame's bytes.
    pub(super) fn moment(&self, bytes: &[u8]) -> Option<Duration> {
        let digits = bytes.get(self.stamp..self.stamp + STAMP)?;
        let mut nanos = 0_u64;
        for digit in digits {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
            nanos = nanos.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
        Some(Duration::from_nanos(nanos))
    }

    /// Bytes on the wire.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_carries_its_moment_and_has_the_size_of_a_real_one() {
        for (carrier, from, size) in [
            (Carrier::Acs, From::Phone, 1_280),
            (Carrier::Acs16k, From::Model, 856),
            (Carrier::Twilio, From::Phone, 216),
        ] {
            let mut frame = Frame::new(carrier, from);
            let moment = Duration::from_nanos(12_345_678_901);
            let bytes = frame.stamped(moment).to_vec();
            assert_eq!(frame.moment(&bytes), Some(moment));
            assert_eq!(bytes.len(), frame.len());
            let head = if from == From::Phone { 8 } else { 4 };
            let text: serde_json::Value = serde_json::from_slice(&bytes[head..]).expect("JSON");
            let audio = &text["audioData"]["data"];
            let audio = audio.as_str().or_else(|| text["media"]["payload"].as_str());
            assert_eq!(audio.map(str::len), Some(size));
            assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) + head, bytes.len());
        }
    }

    #[test]
    fn shifted_bytes_are_no_frame() {
        let mut frame = Frame::new(Carrier::Acs, From::Model);
        let bytes = frame.stamped(Duration::from_secs(3)).to_vec();
        assert_eq!(frame.moment(&bytes[20..]), None);
        assert_eq!(frame.moment(&bytes[..40]), None);
    }
}
