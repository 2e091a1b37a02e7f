//! The code beside the voice: 18 carriers between 1,950 and 3,650 Hz, 16 bits in every 20 ms.
//! Knows one window of samples at a time, no streams and no text.
//!
//! The carriers stand 100 Hz apart and are read through a Hann window of 20 ms, in which they do
//! not touch each other, a voice below them does not reach them, and the edges count for little.
//! A bit is whether the phase turns by half from one carrier to the next. A window that lies
//! beside its symbol turns all carriers against their neighbours by the same angle, so a reading
//! also tells by how much it lies beside.

use std::f32::consts::{PI, TAU};
use std::sync::LazyLock;

use super::Rate;

/// Carriers of a symbol: 16 bits and a pilot lie between 18.
const CARRIERS: usize = 18;
/// Differences between neighbours.
const TURNS: usize = CARRIERS - 1;
/// The difference that never turns. Without it a window 5 ms beside its symbol, where all
/// differences turn by half, would read as a symbol of inverted bits.
const PILOT: usize = TURNS / 2;
/// The lowest carrier; the voice ends at 1,800 Hz.
const LOWEST_HZ: f32 = 1_950.0;
/// From one carrier to the next; a Hann window of 20 ms keeps them apart.
const SPACING_HZ: f32 = 100.0;
/// The amplitude of one carrier: all of them together are 42 dB below full scale, a hiss behind
/// the voice, and µ-law noise under speech of our level stays 20 dB below each.
const LEVEL: f32 = 85.0;
/// A carrier this much weaker or stronger (18 dB) than it was made is not one of ours; a line of
/// 8 kHz weakens the uppermost by 13 dB.
const LEVEL_FACTOR: f32 = 8.0;
/// How closely the differences must keep to the two angles, at the mean of their cosines. Noise
/// reaches 0.66 ± 0.08; resampled to 8 kHz and back and through µ-law a symbol keeps 0.99.
const READABLE: f32 = 0.94;
/// The same for the worst of them; that symbol keeps 0.95. Two halves of different symbols in one
/// window are told from a symbol by this.
const READABLE_TURN: f32 = 0.8;
/// The part of a window at each end over which a symbol fades, against clicks.
const FADE: f32 = 0.05;
/// A row of the tables: the carriers, and zeroes up to whole vectors of four.
const ROW: usize = CARRIERS.next_multiple_of(4);
/// Half of the longest window, at 24 kHz.
const HALF_MAX: usize = 240;

/// The payload of a frame between two bytes of the text.
pub(super) const FILLER: u8 = 0;
/// The payload of an utterance's first frame.
pub(super) const START: u8 = 2;
/// The payload of an utterance's last frame.
pub(super) const END: u8 = 3;

/// What one 20 ms window carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// Place in the utterance, wrapping.
    pub(super) sequence: u8,
    /// One byte of the text, or a control.
    pub(super) payload: u8,
}

impl Symbol {
    /// Whether the phase turns by half between one carrier and the next.
    fn turns(self) -> [bool; TURNS] {
        let word = u16::from_be_bytes([self.sequence, self.payload]);
        std::array::from_fn(|turn| turn != PILOT && word >> bit_of(turn) & 1 == 1)
    }

    fn from_turns(turns: [bool; TURNS]) -> Self {
        let data = turns.iter().enumerate().filter(|(turn, _)| *turn != PILOT);
        let word = data.fold(0, |word, (turn, &half)| word | u16::from(half) << bit_of(turn));
        let [sequence, payload] = word.to_be_bytes();
        Self { sequence, payload }
    }

    /// Whether a symbol like this is ever made: a control of ours or a byte of UTF-8 text.
    const fn possible(self) -> bool {
        matches!(self.payload, FILLER | START | END | b' '..0xF8)
    }
}

/// The place in a symbol's word of a turn other than the pilot.
const fn bit_of(turn: usize) -> usize {
    if turn < PILOT { turn } else { turn - 1 }
}

/// What was found in a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) symbol: Symbol,
    /// How many samples after the window's begin the symbol begins, up to a quarter either way.
    pub(super) beside: i32,
    /// Whether it can be believed.
    pub(super) readable: bool,
}

/// The carriers at one sampling rate.
pub(super) struct Code {
    frame: usize,
    /// For every sample of the second half of a window, from its middle on: the Hann window
    /// times each carrier's cosine and sine, angles counted from the middle.
    cos: Vec<[f32; ROW]>,
    sin: Vec<[f32; ROW]>,
    /// The cosine and sine of each carrier's own phase.
    phases: [(f32, f32); CARRIERS],
}

impl Code {
    /// The tables for a rate, made once.
    pub(super) fn at(rate: Rate) -> &'static Self {
        static AT_24000: LazyLock<Code> = LazyLock::new(|| Code::new(Rate::Hz24000));
        static AT_16000: LazyLock<Code> = LazyLock::new(|| Code::new(Rate::Hz16000));
        static AT_8000: LazyLock<Code> = LazyLock::new(|| Code::new(Rate::Hz8000));
        match rate {
            Rate::Hz24000 => &AT_24000,
            Rate::Hz16000 => &AT_16000,
            Rate::Hz8000 => &AT_8000,
        }
    }

    fn new(rate: Rate) -> Self {
        let frame = rate.frame();
        let table = |wave: fn(f32) -> f32| {
            let row = |n: usize| {
                let mut row = [0.0; ROW];
                for (carrier, cell) in row[..CARRIERS].iter_mut().enumerate() {
                    *cell = hann(n, frame) * wave(angle(carrier, n, frame));
                }
                row
            };
            (0..frame / 2).map(row).collect()
        };
        // Quadratic phases keep the peaks of the sum low, and no harmonic voice has them.
        let phase = |carrier: usize| PI * (carrier * carrier) as f32 / CARRIERS as f32;
        let phases = std::array::from_fn(|carrier| (phase(carrier).cos(), phase(carrier).sin()));
        Self { frame, cos: table(f32::cos), sin: table(f32::sin), phases }
    }

    /// Samples of a window.
    pub(super) const fn frame(&self) -> usize {
        self.frame
    }

    /// Adds a symbol to a window that has nothing in the band of the code.
    pub(super) fn imprint(&self, window: &mut [f32], symbol: Symbol) {
        let mut sign = 1.0;
        let mut re = [0.0; CARRIERS];
        let mut im = [0.0; CARRIERS];
        let turns = symbol.turns();
        for (carrier, (cos, sin)) in self.phases.iter().enumerate() {
            if carrier > 0 && turns[carrier - 1] {
                sign = -sign;
            }
            re[carrier] = sign * LEVEL * cos;
            im[carrier] = sign * LEVEL * sin;
        }
        let half = self.frame / 2;
        for n in 0..half {
            // The table holds the carriers under the window; here they are wanted without it.
            let gain = fade(n, self.frame) / hann(n, self.frame);
            let (mut even, mut odd) = (0.0, 0.0);
            for carrier in 0..CARRIERS {
                even += re[carrier] * self.cos[n][carrier];
                odd += im[carrier] * self.sin[n][carrier];
            }
            window[half + n] += gain * (even - odd);
            window[half - 1 - n] += gain * (even + odd);
        }
    }

    /// Reads a window of exactly one frame.
    pub(super) fn read(&self, window: &[i16]) -> Reading {
        let carriers = self.carriers(window);
        let made = LEVEL * self.frame as f32 / 4.0;
        let levels = (made / LEVEL_FACTOR).powi(2)..(made * LEVEL_FACTOR).powi(2);
        let level_fits = carriers.iter().all(|&(re, im)| levels.contains(&(re * re + im * im)));
        let mut turns = [(0.0, 0.0); TURNS];
        let mut doubled = (0.0, 0.0);
        for (turn, pair) in turns.iter_mut().zip(carriers.windows(2)) {
            let ((a, b), (c, d)) = (pair[0], pair[1]);
            let (re, im) = (a * c + b * d, a * d - b * c);
            let size = re.hypot(im).max(f32::MIN_POSITIVE);
            *turn = (re / size, im / size);
            // Twice the angle no longer tells a half turn from none: what is left is common.
            doubled.0 += turn.0 * turn.0 - turn.1 * turn.1;
            doubled.1 += 2.0 * turn.0 * turn.1;
        }
        let mut common = f32::atan2(doubled.1, doubled.0) / 2.0;
        let along = |common: f32, turn: (f32, f32)| turn.0 * common.cos() + turn.1 * common.sin();
        if along(common, turns[PILOT]) < 0.0 {
            common -= PI.copysign(common);
        }
        let kept = turns.map(|turn| along(common, turn));
        let mean = kept.iter().map(|along| along.abs()).sum::<f32>() / TURNS as f32;
        let symbol = Symbol::from_turns(kept.map(|along| along < 0.0));
        let readable = level_fits
            && mean >= READABLE
            && kept.iter().all(|along| along.abs() >= READABLE_TURN)
            && symbol.possible();
        let per_sample = TAU * SPACING_HZ / (self.frame * super::FRAMES_PER_SECOND) as f32;
        Reading { symbol, beside: (-common / per_sample).round() as i32, readable }
    }

    /// Each carrier's complex amplitude in a window, its own phase taken off.
    ///
    /// Counted from the middle of the window cosines are even and sines odd, so the window is
    /// folded there: half of the work is left.
    fn carriers(&self, window: &[i16]) -> [(f32, f32); CARRIERS] {
        let half = self.frame / 2;
        let (before, after) = window[..self.frame].split_at(half);
        let mut even = [0.0_f32; HALF_MAX];
        let mut odd = [0.0_f32; HALF_MAX];
        for (n, (&late, &early)) in after.iter().zip(before.iter().rev()).enumerate() {
            let (late, early) = (i32::from(late), i32::from(early));
            even[n] = (late + early) as f32;
            odd[n] = (late - early) as f32;
        }
        let re = correlate(&even[..half], &self.cos);
        let im = correlate(&odd[..half], &self.sin);
        std::array::from_fn(|carrier| {
            // A wave cos(wt + p) correlates as (cos p, -sin p).
            let (re, im) = (re[carrier], -im[carrier]);
            let (cos, sin) = self.phases[carrier];
            (re * cos + im * sin, im * cos - re * sin)
        })
    }
}

/// The sum over all samples of each sample times its row.
#[inline]
fn correlate(samples: &[f32], rows: &[[f32; ROW]]) -> [f32; ROW] {
    let mut sum = [0.0; ROW];
    for (&sample, row) in samples.iter().zip(rows) {
        for (sum, cell) in sum.iter_mut().zip(row) {
            *sum += sample * cell;
        }
    }
    sum
}

/// The carrier's angle at the middle of the `n`th sample after the window's middle.
fn angle(carrier: usize, n: usize, frame: usize) -> f32 {
    let hz = LOWEST_HZ + SPACING_HZ * carrier as f32;
    let seconds = (n as f32 + 0.5) / (frame * super::FRAMES_PER_SECOND) as f32;
    TAU * (hz * seconds).fract()
}

/// The Hann window at the `n`th sample after its middle.
fn hann(n: usize, frame: usize) -> f32 {
    0.5 + 0.5 * (TAU * (n as f32 + 0.5) / frame as f32).cos()
}

/// A symbol's loudness at the `n`th sample after its middle.
fn fade(n: usize, frame: usize) -> f32 {
    let to_the_end = 0.5 - (n as f32 + 0.5) / frame as f32;
    (to_the_end / FADE).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn tone(hz: f32, level: f32, n: usize, rate: Rate) -> f32 {
        level * (TAU * hz * n as f32 / rate.hz() as f32).sin()
    }

    #[rstest]
    fn every_symbol_reads_back_beside_a_loud_voice_and_tells_where_it_lies(
        #[values(Rate::Hz24000, Rate::Hz16000, Rate::Hz8000)] rate: Rate,
    ) {
        let code = Code::at(rate);
        let frame = code.frame();
        for sequence in 0..=u8::MAX {
            let symbol = Symbol { sequence, payload: sequence % 0x5F + b' ' };
            let mut window = vec![0.0; 3 * frame];
            code.imprint(&mut window[frame..2 * frame], symbol);
            let samples: Vec<i16> = (0..3 * frame)
                .map(|n| window[n] + tone(612.0, 6_000.0, n, rate) + tone(1_500.0, 999.0, n, rate))
                .map(|sample| sample as i16)
                .collect();
            for beside in [-(frame as i32) / 8, 0, 3, frame as i32 / 8] {
                let begin = (frame as i32 - beside) as usize;
                let reading = code.read(&samples[begin..begin + frame]);
                assert!(reading.readable, "{reading:?} {beside} beside");
                assert_eq!(reading.symbol, symbol);
                assert!((reading.beside - beside).abs() <= 2, "{reading:?} {beside} beside");
            }
        }
    }

    #[test]
    fn a_steady_voice_with_a_harmonic_on_every_carrier_is_no_code() {
        let code = Code::at(Rate::Hz24000);
        for shift in 0..240 {
            let samples: Vec<i16> = (shift..shift + code.frame())
                .map(|n| {
                    (0..40).map(move |nth| tone(50.0 + 100.0 * nth as f32, 85.0, n, Rate::Hz24000))
                })
                .map(|tones| tones.sum::<f32>() as i16)
                .collect();
            let reading = code.read(&samples);
            assert!(!reading.readable, "{reading:?}");
        }
    }
}
