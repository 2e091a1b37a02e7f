//! Stored speech for moments when the model cannot speak, and the tones of keys for carriers
//! that press none, in every format a call may have.

use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tandem_actors::audio::{Format, Payload};
use tandem_actors::briefing::Clips;
use tandem_actors::carrier::Digit;

use crate::rehearsal::speech::pcm::Coding;
use crate::rehearsal::speech::{self, Rate, Voice};

/// While the link is repaired or a tool is slow.
pub const BRIDGE: &str = "One moment, please.";
/// When we cannot go on.
pub const APOLOGY: &str = "I am sorry, I have a technical problem and must end this call. Goodbye.";
/// When we cannot go on and a human takes over.
pub const HAND_OVER: &str =
    "I am sorry, I have a technical problem. I am connecting you with a colleague.";
/// At the end.
pub const GOODBYE: &str = "Thank you for your time. Goodbye.";

/// To a caller who has to enter a PIN.
pub const ENTER_PIN: &str = "Please enter your PIN, and end with the hash key.";
/// To one whose PIN was wrong.
pub const WRONG_PIN: &str =
    "That was not right. Please enter your PIN again, and end with the hash key.";
/// To one who is not let in.
pub const TURNED_AWAY: &str = "I am sorry, I cannot take your call. Goodbye.";

/// The keys by row and column, with the frequencies of each (ITU-T Q.23), in hertz.
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];

/// A key's tone, and the pause after it: ITU-T Q.24 lets receivers ask for 40 ms of each; with
/// 100 ms every receiver has enough on a line that loses a packet.
const KEY: Duration = Duration::from_millis(100);

/// The amplitude of each of the two: 14 dB below full scale, where exchanges send them.
const KEY_LEVEL: f32 = 6_500.0;

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
        hand_over: pieces(HAND_OVER, format),
        enter_pin: pieces(ENTER_PIN, format),
        wrong_pin: pieces(WRONG_PIN, format),
        turned_away: pieces(TURNED_AWAY, format),
        keys: keys(format),
    })
}

/// Frames of 20 ms.
fn pieces(text: &str, format: Format) -> Vec<Payload> {
    let coding = coding(format);
    let speech = speech::render(text, &Voice::agent(), coding.rate());
    speech.frames().filter_map(|frame| payload(frame, coding)).collect()
}

fn payload(frame: &[i16], coding: Coding) -> Option<Payload> {
    Payload::from_base64(Bytes::from(coding.to_base64(frame)))
}

const fn coding(format: Format) -> Coding {
    match format {
        Format::Pcm24k => Coding::Pcm24k,
        Format::Pcmu8k => Coding::Mulaw8k,
    }
}

fn keys(format: Format) -> Vec<(Digit, Vec<Payload>)> {
    let coding = coding(format);
    let mut keys = Vec::new();
    for (row, low) in KEYS.iter().zip(ROWS) {
        for (key, high) in row.iter().zip(COLUMNS) {
            let samples = dual_tone(low, high, coding.rate());
            let frames = samples.chunks_exact(coding.rate().frame());
            let pieces = frames.filter_map(|frame| payload(frame, coding)).collect();
            keys.extend(Digit::new(*key).map(|digit| (digit, pieces)));
        }
    }
    keys
}

/// Both tones together, then silence of the same length.
fn dual_tone(low: f32, high: f32, rate: Rate) -> Vec<i16> {
    let sounding = rate.hz() * KEY.as_millis() as usize / 1_000;
    let sample = |n: usize| {
        let wave = |hz: f32| (TAU * hz * n as f32 / rate.hz() as f32).sin();
        (KEY_LEVEL * (wave(low) + wave(high))) as i16
    };
    (0..2 * sounding).map(|n| if n < sounding { sample(n) } else { 0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How strong a frequency is in samples at 8 kHz, of an amplitude of 1.
    fn strength(samples: &[i16], hz: f32) -> f32 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let angle = TAU * hz * n as f32 / 8_000.0;
            re += f32::from(*sample) * angle.cos();
            im += f32::from(*sample) * angle.sin();
        }
        2.0 * re.hypot(im) / samples.len() as f32
    }

    #[test]
    fn every_key_sounds_at_its_two_frequencies_and_no_other() {
        let stock = Stock { wide: clips(Format::Pcm24k), narrow: clips(Format::Pcmu8k) };
        let clips = stock.of(Format::Pcmu8k);
        assert_eq!(clips.keys.len(), 16);
        for (digit, pieces) in &clips.keys {
            let samples: Vec<i16> = pieces
                .iter()
                .flat_map(|piece| Coding::Mulaw8k.from_base64(piece.as_str()).expect("base64"))
                .collect();
            assert_eq!(samples.len(), 1_600, "100 ms of tone, 100 ms of silence");
            assert!(samples[800..].iter().all(|sample| *sample == 0));
            let place = |row: &[char; 4]| row.iter().position(|key| *key == digit.key());
            let row = KEYS.iter().position(|row| place(row).is_some()).expect("a key");
            let column = place(&KEYS[row]).expect("in this row");
            for (n, hz) in ROWS.into_iter().chain(COLUMNS).enumerate() {
                let wanted = n == row || n == 4 + column;
                let found = strength(&samples[..800], hz);
                assert_eq!(found > 5_000.0, wanted, "{} has {hz} Hz at {found}", digit.key());
            }
        }
        assert_eq!(stock.of(Format::Pcm24k).keys.len(), 16);
    }
}
