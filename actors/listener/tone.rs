//! The tone of an answering machine: one steady frequency for a while, then silence. Pure.
//!
//! Limits: the tone of a line (ringing, busy) sounds the same once; two tones at once, as keys
//! and some networks make them, are not taken for one. A machine that records without a tone is
//! not noticed here.

use super::spectrum::Block;

/// Machines sound between these; below is mains hum, above whistles and the code of modems.
const HZ: std::ops::RangeInclusive<u16> = 400..=2_000;

/// Softer than this (−40 dB) is not meant to be heard.
const AUDIBLE: f32 = 300.0;

/// The part of the energy in one place. A tone between two filters keeps 0.81; noise 15 dB
/// below it takes 0.03 away.
const PURE: f32 = 0.75;

/// Whole blocks of a tone of 200 ms, wherever it begins in one.
const SHORTEST: u32 = 9;

/// Blocks of the longest: 2.5 s. What lasts longer is the network's tone.
const LONGEST: u32 = 125;

/// Blocks of silence that follow it, 100 ms: a melody goes on sooner.
const SILENCE: u32 = 5;

/// Silence is this part of the tone's loudness: 20 dB.
const HUSH: f32 = 0.1;

/// How much the loudness of a tone may change within it.
const EVEN: f32 = 1.5;

/// Follows the blocks of one stream.
#[derive(Debug, Default)]
pub struct Tone {
    strongest: u8,
    loudness: f32,
    lasted: u32,
    silent: u32,
    /// Blocks since it ended that were neither tone nor silence.
    torn: bool,
}

impl Tone {
    /// Takes the next block. Whether a whole tone, with the silence after it, has been heard.
    pub fn hear(&mut self, block: &Block) -> bool {
        if self.goes_on(block) {
            self.lasted += 1;
            return false;
        }
        let ended = (SHORTEST..=LONGEST).contains(&self.lasted);
        if ended && block.loudness < self.loudness * HUSH {
            self.silent += 1;
            if self.silent == SILENCE {
                *self = Self::default();
                return true;
            }
            return false;
        }
        // The block in which it ends is half tone, half silence.
        if ended && self.silent == 0 && !self.torn && block.loudness <= self.loudness {
            self.torn = true;
            return false;
        }
        *self = Self::default();
        if is_tone(block) {
            (self.strongest, self.loudness, self.lasted) = (block.strongest, block.loudness, 1);
        }
        false
    }

    fn goes_on(&self, block: &Block) -> bool {
        self.lasted > 0
            && self.silent == 0
            && !self.torn
            && is_tone(block)
            && block.strongest.abs_diff(self.strongest) <= 1
            && (self.loudness / EVEN..=self.loudness * EVEN).contains(&block.loudness)
    }
}

fn is_tone(block: &Block) -> bool {
    block.loudness >= AUDIBLE && block.purity >= PURE && HZ.contains(&block.hz())
}
