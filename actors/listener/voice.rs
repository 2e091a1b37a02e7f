//! Somebody speaks, or it is music: told by how the loudness swings and the pitch wanders. Pure.
//!
//! A voice swings at the rate of its syllables, two to eight a second, falls silent between
//! words, and its strongest frequency seldom stays where it was. Music is even, or holds its
//! notes. Limits: singing, drums with rests and melodies plucked in a room without echo are taken
//! for speech; speech over music of the same loudness is taken for music. Whoever uses this must
//! bear both: a model that is woken by music is put on hold again, and a hold has an end.

use std::collections::VecDeque;

use super::spectrum::Block;

/// Blocks looked at: 1.5 s, two or three words.
const WINDOW: usize = 75;

/// Blocks from one look to the next: 100 ms.
const EVERY: usize = 5;

/// Softer than this (−42 dB) nobody speaks into a phone.
const AUDIBLE: f32 = 250.0;

/// The part of the loudness below which a block is a pause: 20 dB.
const PAUSE: f32 = 0.1;

/// A syllable has begun above this part of the loudness …
const RISE: f32 = 0.5;

/// … and ended below this one.
const FALL: f32 = 0.25;

/// A voice is silent for at least this part of the time; music that rings on never is.
const PAUSES: f32 = 0.1;

/// Syllables that stand apart in 1.5 s: two to eight a second, of which some run together.
const SYLLABLES: std::ops::RangeInclusive<u32> = 2..=12;

/// A tone of the line stays where it is …
const HELD: f32 = 0.95;

/// … and is nothing but a tone.
const PURE: f32 = 0.75;

/// Noise spreads its energy thinner than the breathiest voice: a third of this.
const VOICED: f32 = 0.18;

/// What was measured in the last 1.5 s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// How loud its louder parts are.
    pub loudness: f32,
    /// The part of the time in which nothing sounds.
    pub pauses: f32,
    /// How often the loudness rose from a dip: syllables, or notes.
    pub rises: u32,
    /// The part of what sounds in which the strongest frequency stayed where it was.
    pub steady: f32,
    /// The middle purity of what sounds.
    pub purity: f32,
}

/// Follows the blocks of one stream.
#[derive(Debug, Default)]
pub struct Voice {
    blocks: VecDeque<Block>,
    heard: usize,
    told: bool,
}

impl Voice {
    /// Takes the next block. Whether somebody speaks; told once.
    pub fn hear(&mut self, block: &Block) -> bool {
        if self.told {
            return false;
        }
        if self.blocks.len() == WINDOW {
            self.blocks.pop_front();
        }
        self.blocks.push_back(*block);
        self.heard += 1;
        self.told = self.heard.is_multiple_of(EVERY)
            && self.figures().is_some_and(|figures| figures.is_speech());
        self.told
    }

    /// What the last 1.5 s were like; nothing before that much was heard.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        if self.blocks.len() < WINDOW {
            return None;
        }
        let mut sorted: Vec<f32> = self.blocks.iter().map(|block| block.loudness).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        // Not the loudest: one click is no voice.
        let loudness = sorted[WINDOW * 9 / 10];
        let sounds = |block: &&Block| block.loudness >= loudness * FALL;
        let pauses = sorted.iter().filter(|block| **block < loudness * PAUSE).count();
        let mut rises = 0;
        let mut up = false;
        for block in &self.blocks {
            if up && block.loudness < loudness * FALL {
                up = false;
            } else if !up && block.loudness > loudness * RISE {
                (up, rises) = (true, rises + 1);
            }
        }
        let sounding: Vec<&Block> = self.blocks.iter().filter(sounds).collect();
        let stayed = sounding.windows(2).filter(|pair| pair[0].strongest == pair[1].strongest);
        let steady = stayed.count() as f32 / sounding.len().max(1) as f32;
        let mut purity: Vec<f32> = sounding.iter().map(|block| block.purity).collect();
        purity.sort_unstable_by(f32::total_cmp);
        let purity = purity.get(purity.len() / 2).copied().unwrap_or(0.0);
        Some(Figures { loudness, pauses: pauses as f32 / WINDOW as f32, rises, steady, purity })
    }
}

impl Figures {
    /// Whether that is a voice.
    #[must_use]
    pub fn is_speech(&self) -> bool {
        let tone = self.steady >= HELD && self.purity >= PURE;
        self.loudness >= AUDIBLE
            && self.pauses >= PAUSES
            && SYLLABLES.contains(&self.rises)
            && self.purity >= VOICED
            && !tone
    }
}
