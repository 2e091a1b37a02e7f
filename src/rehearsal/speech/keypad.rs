//! A receiver of key tones (ITU-T Q.23): hears in samples which keys are pressed, as the menus of
//! companies do that get no keys from the carrier. Written from the recommendation; shares nothing
//! with what makes such tones.

use std::f32::consts::TAU;

use super::Rate;

/// One frequency of each, in hertz, make a key.
const LOW: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const PAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Blocks of 20 ms that must say the same. Receivers take tones of 40 ms (ITU-T Q.24) wherever
/// they begin; a longer pause than one block ends a key, a shorter gap does not.
const BLOCKS: u32 = 2;
/// What is softer, root mean square, 40 dB below full scale, is not meant to be heard.
const AUDIBLE: f32 = 300.0;
/// The part of the energy in the two frequencies: speech has it elsewhere too. Tones that are
/// off by the 1.5 % of ITU-T Q.24 leave 0.49 of theirs in blocks of this length.
const PURE: f32 = 0.4;
/// How much louder one may be than the other: 8 dB.
const TWIST: f32 = 6.3;
/// How much louder it must be than the others of its group: 6 dB.
const CLEAR: f32 = 4.0;

/// One receiver on one stream.
pub struct Keypad {
    block: Vec<i16>,
    /// Samples of a block.
    whole: usize,
    low: [Filter; 4],
    high: [Filter; 4],
    /// What the latest blocks have said, and how many of them.
    same: (Option<char>, u32),
    /// The key that is held down.
    down: Option<char>,
}

/// Goertzel's filter: the power at one frequency.
#[derive(Clone, Copy)]
struct Filter {
    turn: f32,
}

impl Filter {
    fn at(hz: f32, rate: Rate) -> Self {
        Self { turn: 2.0 * (TAU * hz / rate.hz() as f32).cos() }
    }

    fn power(self, samples: &[i16]) -> f32 {
        let (mut last, mut before) = (0.0_f32, 0.0_f32);
        for sample in samples {
            (last, before) = (f32::from(*sample) + self.turn * last - before, last);
        }
        last * last + before * before - self.turn * last * before
    }
}

impl Keypad {
    /// Listens to a stream of this rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let whole = rate.frame();
        let filters = |hz: [f32; 4]| hz.map(|hz| Filter::at(hz, rate));
        Self {
            block: Vec::with_capacity(whole),
            whole,
            low: filters(LOW),
            high: filters(HIGH),
            same: (None, 0),
            down: None,
        }
    }

    /// Takes what is heard next; adds the keys that were pressed in it.
    pub fn hear(&mut self, mut samples: &[i16], pressed: &mut Vec<char>) {
        while !samples.is_empty() {
            let piece = samples.len().min(self.whole - self.block.len());
            self.block.extend_from_slice(&samples[..piece]);
            samples = &samples[piece..];
            if self.block.len() == self.whole {
                let key = self.key();
                self.block.clear();
                pressed.extend(self.follow(key));
            }
        }
    }

    /// The key that has just been pressed, if this block makes one.
    fn follow(&mut self, key: Option<char>) -> Option<char> {
        self.same = if self.same.0 == key { (key, self.same.1 + 1) } else { (key, 1) };
        if self.same.1 < BLOCKS || self.down == key {
            return None;
        }
        self.down = key;
        key
    }

    /// The key that sounds in the block.
    fn key(&self) -> Option<char> {
        let energy: f32 = self.block.iter().map(|&it| f32::from(it) * f32::from(it)).sum();
        let samples = self.whole as f32;
        if (energy / samples).sqrt() < AUDIBLE {
            return None;
        }
        let (row, low) = loudest(self.low.map(|filter| filter.power(&self.block)))?;
        let (column, high) = loudest(self.high.map(|filter| filter.power(&self.block)))?;
        // A pure tone of this energy has this power at its frequency.
        let pure = (low + high) / (energy * samples / 2.0);
        let balanced = low <= high * TWIST && high <= low * TWIST;
        (pure >= PURE && balanced).then_some(PAD[row][column])
    }
}

/// The one that is clearly louder than the others.
fn loudest(power: [f32; 4]) -> Option<(usize, f32)> {
    let mut order = [0, 1, 2, 3];
    order.sort_unstable_by(|a, b| power[*b].total_cmp(&power[*a]));
    let [first, second, ..] = order;
    (power[first] >= power[second] * CLEAR).then_some((first, power[first]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clips;
    use crate::rehearsal::speech::pcm::Coding;
    use crate::rehearsal::speech::{Speech, Utterance, Voice};

    const RATES: [Rate; 3] = [Rate::Hz8000, Rate::Hz16000, Rate::Hz24000];

    fn pressed(samples: &[i16], rate: Rate) -> String {
        let (mut keypad, mut keys) = (Keypad::new(rate), Vec::new());
        // In pieces that fit no block.
        for piece in samples.chunks(97) {
            keypad.hear(piece, &mut keys);
        }
        keys.into_iter().collect()
    }

    fn silence(ms: usize, rate: Rate) -> Vec<i16> {
        vec![0; rate.hz() * ms / 1_000]
    }

    /// Two tones of these frequencies and amplitudes.
    fn tones(two: [(f32, f32); 2], ms: usize, rate: Rate) -> Vec<i16> {
        let wave = |n: usize, (hz, loud): (f32, f32)| {
            loud * (TAU * hz * n as f32 / rate.hz() as f32).sin()
        };
        let sample = |n| two.into_iter().map(|tone| wave(n, tone)).sum::<f32>() as i16;
        (0..rate.hz() * ms / 1_000).map(sample).collect()
    }

    fn five(ms: usize, rate: Rate) -> Vec<i16> {
        tones([(770.0, 6_000.0), (1_336.0, 6_000.0)], ms, rate)
    }

    #[test]
    fn every_key_is_told_from_every_other_wherever_it_begins() {
        for rate in RATES {
            for (row, low) in LOW.into_iter().enumerate() {
                for (column, high) in HIGH.into_iter().enumerate() {
                    // A phone may be 1.5 % off (ITU-T Q.24), and sound softer on one side.
                    let two = [(low * 1.015, 3_000.0), (high * 0.985, 6_000.0)];
                    for early in 0..7 {
                        let line = [silence(early * 3, rate), tones(two, 100, rate)].concat();
                        let expected = PAD[row][column].to_string();
                        assert_eq!(pressed(&line, rate), expected, "{rate:?} after {early}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_key_is_pressed_once_however_long_and_twice_after_a_pause() {
        let rate = Rate::Hz8000;
        assert_eq!(pressed(&five(2_000, rate), rate), "5");
        let pause = silence(60, rate);
        assert_eq!(pressed(&[five(100, rate), pause, five(100, rate)].concat(), rate), "55");
        let gap = silence(10, rate);
        assert_eq!(pressed(&[five(100, rate), gap, five(100, rate)].concat(), rate), "5");
        assert_eq!(pressed(&[five(20, rate), silence(100, rate)].concat(), rate), "", "a click");
    }

    #[test]
    fn half_a_key_one_too_soft_and_one_drowned_are_none() {
        let rate = Rate::Hz8000;
        let none = |two| pressed(&tones(two, 200, rate), rate);
        assert_eq!(none([(770.0, 6_000.0), (770.0, 0.0)]), "");
        assert_eq!(none([(770.0, 6_000.0), (852.0, 6_000.0)]), "", "two of one group");
        assert_eq!(none([(770.0, 6_000.0), (1_336.0, 600.0)]), "", "20 dB of twist");
        assert_eq!(none([(770.0, 100.0), (1_336.0, 100.0)]), "");
        let hum = tones([(500.0, 9_000.0), (2_100.0, 9_000.0)], 200, rate);
        let drowned: Vec<i16> = five(200, rate).iter().zip(hum).map(|(a, b)| a + b).collect();
        assert_eq!(pressed(&drowned, rate), "");
    }

    #[test]
    fn nobody_presses_keys_by_speaking_and_music_and_beeps_are_none() {
        let spoken = [
            clips::APOLOGY,
            clips::HAND_OVER,
            clips::GOODBYE,
            "Hello, this is your task line. What can I do for you?",
            "One, two, three: press any key for a table at seven, or zero for a human.",
        ];
        for rate in RATES {
            for words in spoken {
                for speech in [Speech::NoPrograms, Speech::SyntheticOnly] {
                    for voice in [Voice::agent(), Voice::callee()] {
                        let said = speech.render(words, &voice, rate);
                        assert_eq!(pressed(&said.samples, rate), "", "{words}");
                    }
                }
            }
            let music = Utterance::melody(Duration::from_secs(10), rate);
            assert_eq!(pressed(&music.samples, rate), "");
            let beep = Utterance::tone(1_000.0, Duration::from_millis(400), rate);
            assert_eq!(pressed(&beep.samples, rate), "");
        }
    }

    #[test]
    fn what_the_line_makes_of_a_key_is_still_that_key() {
        let rate = Rate::Hz8000;
        let coded = Coding::Mulaw8k.to_base64(&five(100, rate));
        let heard = Coding::Mulaw8k.from_base64(&coded).unwrap();
        assert_eq!(pressed(&heard, rate), "5");
    }
}
