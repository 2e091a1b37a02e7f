//! Two sides of a call on one time line: places runs of audio, cuts what was never heard, gives
//! out what can no longer change. Pure; knows samples, not files.

use std::collections::VecDeque;
use std::time::Duration;

use audio_codec_algorithms::decode_ulaw;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tandem_actors::audio::{Format, Payload};

/// What a tape was told.
pub(super) enum Told {
    Heard { at: Duration, audio: Payload },
    Played { at: Duration, audio: Payload },
    Flushed { at: Duration },
    Passed { at: Duration },
}

impl Told {
    /// Where a time line begins of which this is the first.
    pub(super) fn begins(&self) -> Duration {
        match self {
            // The caller's, which is heard before it, is told behind it.
            Self::Played { at, .. } => at.saturating_sub(LEAD),
            Self::Heard { at, .. } | Self::Flushed { at } | Self::Passed { at } => *at,
        }
    }

    /// What time it is about.
    pub(super) fn at(&self) -> Duration {
        match self {
            Self::Heard { at, .. }
            | Self::Played { at, .. }
            | Self::Flushed { at }
            | Self::Passed { at } => *at,
        }
    }
}

/// Runs that begin this near to the end of the run before follow it without a seam: frames arrive
/// some milliseconds early or late, and every seam would click.
const SEAMLESS: Duration = Duration::from_millis(40);

/// A side that has run this far ahead of its times, after a burst of late frames, is set back.
const AHEAD_MAX: Duration = Duration::from_millis(500);

/// Ours is told up to so much before it is heard: pacing runs ahead by as much.
const LEAD: Duration = Duration::from_millis(200);

/// Carriers send silence too, so that a time this far ahead of all before is a mistake, which must
/// not fill the disk.
const JUMP_MAX: Duration = Duration::from_secs(600);

/// Audio held of one side: the window and one run, which pacing keeps below a second.
const HELD_MAX: Duration = Duration::from_secs(30);

/// One side: the samples that may still change, and where the next run goes.
#[derive(Default)]
struct Side {
    samples: VecDeque<i16>,
    /// Absolute, in samples.
    end: u64,
}

/// The time line of both sides from `from` on.
pub(super) struct Mix {
    format: Format,
    /// So much before the latest time can still change.
    window: Duration,
    /// Everything before this, in samples, has been given out.
    from: u64,
    /// Everything before this cannot change any more.
    settled: u64,
    /// The latest time told.
    latest: u64,
    caller: Side,
    agent: Side,
    /// Runs that came too late or could not be decoded.
    unplaced: u64,
}

impl Mix {
    /// A time line from `start` on. Pacing tells up to 200 ms ahead and a flush comes late: the
    /// window is longer than both.
    pub(super) fn new(format: Format, window: Duration, start: Duration) -> Self {
        let from = format.samples_in(start);
        Self {
            format,
            window,
            from,
            settled: from,
            latest: from,
            caller: Side::default(),
            agent: Side::default(),
            unplaced: 0,
        }
    }

    /// How many samples have been given out or were before the start.
    pub(super) fn position(&self) -> u64 {
        self.from
    }

    pub(super) fn unplaced(&self) -> u64 {
        self.unplaced
    }

    /// Moves on to when this was told for; what lies more than the window before it is settled.
    /// False when that is too far ahead to be true.
    pub(super) fn reach(&mut self, told: &Told) -> bool {
        let at = match told {
            Told::Heard { at, .. } | Told::Played { at, .. } | Told::Passed { at } => {
                self.format.samples_in(*at)
            }
            // A flush takes audio back; it tells nothing of how far the call is.
            Told::Flushed { .. } => return true,
        };
        if at > self.latest + self.format.samples_in(JUMP_MAX) {
            self.unplaced += 1;
            return false;
        }
        self.latest = self.latest.max(at);
        self.settled = self.latest.saturating_sub(self.format.samples_in(self.window));
        true
    }

    /// Places a run that was reached, or takes back what was not heard.
    pub(super) fn place(&mut self, told: &Told) {
        let (side, at, audio) = match told {
            Told::Heard { at, audio } => (&mut self.caller, at, audio),
            Told::Played { at, audio } => (&mut self.agent, at, audio),
            Told::Flushed { at } => {
                self.agent.cut(self.from, self.format.samples_in(*at));
                return;
            }
            // Where nothing is placed it is silent.
            Told::Passed { .. } => return,
        };
        let at = self.format.samples_in(*at);
        let placed = decoded(self.format, audio)
            .is_some_and(|samples| side.place(self.format, self.from, at, &samples));
        self.unplaced += u64::from(!placed);
    }

    /// Nothing more will be told: everything is settled.
    pub(super) fn finish(&mut self) {
        self.settled = self.caller.end.max(self.agent.end).max(self.from);
    }

    /// Gives out what is settled as pairs (caller, agent) until `out` holds `most` samples;
    /// whether it does.
    pub(super) fn give_out(&mut self, out: &mut Vec<i16>, most: usize) -> bool {
        while self.from < self.settled && out.len() < most {
            out.push(self.caller.samples.pop_front().unwrap_or(0));
            out.push(self.agent.samples.pop_front().unwrap_or(0));
            self.from += 1;
        }
        out.len() >= most
    }
}

impl Side {
    /// Whether any of it lies on the part of the time line that can still change.
    fn place(&mut self, format: Format, from: u64, at: u64, samples: &[i16]) -> bool {
        let gap = at.saturating_sub(self.end);
        let ahead = self.end.saturating_sub(at);
        let follows = gap <= format.samples_in(SEAMLESS) && ahead <= format.samples_in(AHEAD_MAX);
        let start = if follows { self.end } else { at };
        let held = usize::try_from(format.samples_in(HELD_MAX)).unwrap_or(usize::MAX);
        let mut placed = false;
        for (position, &sample) in (start..).zip(samples) {
            let Some(index) = position.checked_sub(from).and_then(|i| usize::try_from(i).ok())
            else {
                continue;
            };
            if index >= held {
                break;
            }
            if index >= self.samples.len() {
                self.samples.resize(index + 1, 0);
            }
            self.samples[index] = sample;
            placed = true;
        }
        self.end = start + samples.len() as u64;
        placed
    }

    /// Takes back everything from `at` on that was not given out.
    fn cut(&mut self, from: u64, at: u64) {
        if at >= self.end {
            return;
        }
        let keep = usize::try_from(at.saturating_sub(from)).unwrap_or(usize::MAX);
        self.samples.truncate(keep);
        self.end = at.max(from);
    }
}

fn decoded(format: Format, audio: &Payload) -> Option<Vec<i16>> {
    let bytes = STANDARD.decode(audio.as_str()).ok()?;
    Some(match format {
        Format::Pcm24k => {
            bytes.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])).collect()
        }
        Format::Pcmu8k => bytes.iter().map(|&byte| decode_ulaw(byte)).collect(),
    })
}
