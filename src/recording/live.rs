//! A call's audio as it is heard, for somebody who listens: the two sides on one time line, as on
//! the recording, a moment late. Knows nothing of who listens. A listener that does not keep up
//! loses audio, and learns how much; the call never waits.

use std::time::Duration;

use bytes::Bytes;
use tandem_actors::audio::{Format, Payload};
use tandem_actors::tape::Tape;
use tokio::sync::mpsc;

use super::mix::{Mix, Told};

/// How late a listener hears: long enough that what was taken back by an interruption is not heard.
const LATE: Duration = Duration::from_millis(400);

/// Runs on their way to a listener: some two seconds of both sides.
const RUNS_MAX: usize = 256;

/// Frames a second.
const FRAMES: u32 = 50;

/// The samples in a frame: pairs of caller and agent.
fn frame_samples(format: Format) -> usize {
    (format.rate_hz() / FRAMES * 2) as usize
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// 20 ms of both sides: 16 bits, little-endian, the caller's sample before the agent's.
    Frame(Bytes),
    /// So many milliseconds before the next frame are missing.
    Lost(u64),
}

/// A run, and whether others before it found no room.
struct Run {
    told: Told,
    after_loss: bool,
}

/// The end that a call holds.
struct Tap {
    runs: mpsc::Sender<Run>,
    after_loss: bool,
}

impl Tap {
    fn tell(&mut self, told: Told) {
        let run = Run { told, after_loss: self.after_loss };
        self.after_loss = self.runs.try_send(run).is_err();
    }
}

impl Tape for Tap {
    fn heard(&mut self, at: Duration, audio: &Payload) {
        // A copy of its own: the payload may lie in a socket's whole read buffer.
        self.tell(Told::Heard { at, audio: audio.compact() });
    }

    fn played(&mut self, at: Duration, audio: &Payload) {
        self.tell(Told::Played { at, audio: audio.compact() });
    }

    fn flushed(&mut self, at: Duration) {
        self.tell(Told::Flushed { at });
    }

    fn passed(&mut self, at: Duration) {
        self.tell(Told::Passed { at });
    }

    fn is_over(&self) -> bool {
        self.runs.is_closed()
    }
}

/// The end that a listener holds. Dropping it ends the listening.
pub struct Live {
    format: Format,
    runs: mpsc::Receiver<Run>,
    mix: Option<Mix>,
    /// To be placed when what it settles has been given out.
    reached: Option<Told>,
    frame: Vec<i16>,
    over: bool,
}

/// Somebody listens: what the call is told to tell, and what the listener hears.
#[must_use]
pub fn listen(format: Format) -> (Box<dyn Tape>, Live) {
    let (sender, runs) = mpsc::channel(RUNS_MAX);
    let live = Live { format, runs, mix: None, reached: None, frame: Vec::new(), over: false };
    (Box::new(Tap { runs: sender, after_loss: false }), live)
}

impl Live {
    /// What is heard next; nothing when the call is over. Loses nothing when it is dropped before
    /// it is ready.
    pub async fn next(&mut self) -> Option<Next> {
        loop {
            if let Some(frame) = self.frame() {
                return Some(Next::Frame(frame));
            }
            if self.over {
                return None;
            }
            if let (Some(mix), Some(told)) = (&mut self.mix, self.reached.take()) {
                mix.place(&told);
            }
            let Some(Run { told, after_loss }) = self.runs.recv().await else {
                self.over = true;
                self.mix.iter_mut().for_each(Mix::finish);
                continue;
            };
            let lost = after_loss.then(|| self.begin_again(told.at())).flatten();
            let new = || Mix::new(self.format, LATE, told.at());
            if self.mix.get_or_insert_with(new).reach(&told) {
                self.reached = Some(told);
            }
            if let Some(lost) = lost {
                return Some(Next::Lost(lost));
            }
        }
    }

    /// The next whole frame; the last one is filled up with silence.
    fn frame(&mut self) -> Option<Bytes> {
        let whole = frame_samples(self.format);
        let full = self.mix.as_mut()?.give_out(&mut self.frame, whole);
        if !full && (!self.over || self.frame.is_empty()) {
            return None;
        }
        self.frame.resize(whole, 0);
        Some(self.frame.drain(..).flat_map(i16::to_le_bytes).collect())
    }

    /// A new time line from here on, behind a loss. Returns the milliseconds in between.
    fn begin_again(&mut self, at: Duration) -> Option<u64> {
        let mix = self.mix.take()?;
        let reached = mix.position() - (self.frame.len() / 2) as u64;
        self.frame.clear();
        let lost = at.saturating_sub(self.format.lasts(reached));
        self.mix = Some(Mix::new(self.format, LATE, at.max(self.format.lasts(reached))));
        u64::try_from(lost.as_millis()).ok()
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("over", &self.over).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const FORMAT: Format = Format::Pcm24k;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// 20 ms of one sample.
    fn pcm(value: i16) -> Payload {
        let bytes: Vec<u8> = (0..480).flat_map(|_| value.to_le_bytes()).collect();
        Payload::from_base64(Bytes::from(STANDARD.encode(bytes))).expect("base64")
    }

    /// The first pair of every frame, and what was lost in between.
    async fn heard(mut live: Live) -> (Vec<(i16, i16)>, Vec<u64>) {
        let (mut frames, mut losses) = (Vec::new(), Vec::new());
        while let Some(next) = live.next().await {
            match next {
                Next::Frame(frame) => {
                    assert_eq!(frame.len(), 1_920);
                    let sample = |at| i16::from_le_bytes([frame[at], frame[at + 1]]);
                    frames.push((sample(0), sample(2)));
                }
                Next::Lost(ms) => losses.push(ms),
            }
        }
        (frames, losses)
    }

    #[tokio::test]
    async fn both_sides_are_heard_from_the_middle_of_a_call_without_what_was_taken_back() {
        let (mut tape, live) = listen(FORMAT);
        for at in (7_000..7_100).step_by(20) {
            tape.heard(ms(at), &pcm(1));
        }
        for at in (7_020..7_220).step_by(20) {
            tape.played(ms(at), &pcm(2));
        }
        tape.flushed(ms(7_060));
        tape.passed(ms(7_300));
        drop(tape);
        let (frames, losses) = heard(live).await;
        assert!(losses.is_empty(), "{losses:?}");
        assert_eq!(frames, [(1, 0), (1, 2), (1, 2), (1, 0), (1, 0)]);
    }

    #[tokio::test]
    async fn what_is_private_is_silence_that_comes_as_it_passes() {
        let (mut tape, mut live) = listen(FORMAT);
        tape.heard(ms(0), &pcm(1));
        for at in (20..=480).step_by(20) {
            tape.passed(ms(at));
        }
        let mut frames = Vec::new();
        for _ in 0..4 {
            let Some(Next::Frame(frame)) = live.next().await else { panic!("no frame") };
            frames.push(frame[0]);
        }
        assert_eq!(frames, [1, 0, 0, 0], "while the call goes on");
    }

    #[tokio::test]
    async fn whoever_does_not_keep_up_loses_audio_and_learns_how_much() {
        let (mut tape, mut live) = listen(FORMAT);
        let told = RUNS_MAX as u64;
        for run in 0..told + 50 {
            tape.heard(ms(run * 20), &pcm(1));
        }
        let mut frames = 0;
        while frames < told - 21 {
            assert!(matches!(live.next().await, Some(Next::Frame(_))));
            frames += 1;
        }
        tape.heard(ms((told + 50) * 20), &pcm(3));
        drop(tape);
        let (rest, losses) = heard(live).await;
        let whole = frames * 20 + losses.iter().sum::<u64>() + rest.len() as u64 * 20;
        assert_eq!(whole, (told + 51) * 20, "nothing is unaccounted for");
        assert_eq!((losses.len(), rest.last()), (1, Some(&(3, 0))));
    }

    #[tokio::test]
    async fn whoever_has_gone_is_not_told_any_more() {
        let (tape, live) = listen(FORMAT);
        assert!(!tape.is_over());
        drop(live);
        assert!(tape.is_over());
    }
}
