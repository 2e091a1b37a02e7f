//! One block of 20 ms: how loud it is, and its strongest frequency among those of a telephone
//! voice. A bank of Goertzel filters; no transform, no memory between blocks. Pure.

use std::f32::consts::TAU;
use std::sync::LazyLock;

/// Samples of a block at 8,000 samples a second: 20 ms.
pub const BLOCK: usize = 160;

/// From one filter to the next: what 20 ms can tell apart.
pub const STEP_HZ: u16 = 50;

/// The lowest filter. Below it are hum and the fundamental of a voice, which tell nothing.
pub const LOWEST_HZ: u16 = 200;

/// Filters: up to 2,000 Hz.
const FILTERS: usize = 37;

static TURNS: LazyLock<[f32; FILTERS]> = LazyLock::new(|| {
    std::array::from_fn(|at| {
        let hz = f32::from(LOWEST_HZ) + at as f32 * f32::from(STEP_HZ);
        2.0 * (TAU * hz / 8_000.0).cos()
    })
});

/// What is known of one block.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The root mean square of its samples, of 32,768.
    pub loudness: f32,
    /// The strongest filter's number, counted from [`LOWEST_HZ`].
    pub strongest: u8,
    /// The part of the energy in that filter and its stronger neighbour: 1 for a pure tone.
    pub purity: f32,
}

impl Block {
    /// Measures a block.
    #[must_use]
    pub fn of(samples: &[f32; BLOCK]) -> Self {
        let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
        let loudness = (energy / BLOCK as f32).sqrt();
        // All filters at once, sample by sample: the inner loop is a few vectors wide.
        let (mut last, mut before) = ([0.0_f32; FILTERS], [0.0_f32; FILTERS]);
        for sample in samples {
            for ((last, before), turn) in last.iter_mut().zip(&mut before).zip(TURNS.iter()) {
                let next = sample + turn * *last - *before;
                (*before, *last) = (*last, next);
            }
        }
        let power: [f32; FILTERS] = std::array::from_fn(|at| {
            let (last, before) = (last[at], before[at]);
            last * last + before * before - TURNS[at] * last * before
        });
        let strongest = (0..FILTERS).max_by(|a, b| power[*a].total_cmp(&power[*b])).unwrap_or(0);
        let left = strongest.checked_sub(1).map_or(0.0, |at| power[at]);
        let right = power.get(strongest + 1).copied().unwrap_or(0.0);
        let whole = (energy * BLOCK as f32 / 2.0).max(f32::MIN_POSITIVE);
        let purity = ((power[strongest] + left.max(right)) / whole).min(1.0);
        Self { loudness, strongest: strongest as u8, purity }
    }

    /// The strongest filter's frequency.
    #[must_use]
    pub fn hz(&self) -> u16 {
        LOWEST_HZ + u16::from(self.strongest) * STEP_HZ
    }
}
