//! The carrier's jitter buffer and the ear at its end: what arrives is queued, played at the pace
//! of time, and heard as it is played. Knows no socket and no clock.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::guest::mixed;
use crate::rehearsal::speech::{Ear, Keypad, Perceived, Rate};

/// Frames that are gathered before playing starts after silence, so that arrivals may jitter by
/// as much.
const PREFILL_FRAMES: usize = 2;
/// The play-out side of a line.
pub(super) struct Player {
    ear: Ear,
    /// Hears the tones of keys, for whoever cares.
    keypad: Option<Keypad>,
    rate: Rate,
    frame: usize,
    /// Audio it holds at most; what comes beyond is thrown away.
    held_max: Duration,
    queue: VecDeque<Item>,
    /// Samples in the queue.
    held: usize,
    state: State,
    hole: Hole,
    /// Marks behind the frame that is being played.
    reached: Vec<String>,
    silence: Vec<i16>,
}

enum Item {
    Audio { samples: Vec<i16>, played: usize, arrived: Instant },
    Mark(String),
}

enum State {
    /// Nothing is played; so many frames ago the first audio arrived.
    Waiting(usize),
    Playing,
}

/// Silence where the middle of an utterance should be.
#[derive(Clone, Copy)]
enum Hole {
    None,
    /// So many samples long by now.
    Open(usize),
    /// What was to come has been thrown away: silence is right.
    Flushed,
}

/// What a frame's time of playing came to.
pub(super) struct Played {
    /// Marks before which all has been played, in order.
    pub(super) marks: Vec<String>,
    /// A hole in an utterance that has ended now.
    pub(super) hole: Option<Duration>,
    /// Keys whose tones were heard.
    pub(super) keys: Vec<char>,
    /// The frame as it was played, its silence too, when there is a guest to hear it.
    pub(super) sound: Vec<i16>,
}

impl Player {
    pub(super) fn new(rate: Rate, held_max: Duration) -> Self {
        Self {
            ear: Ear::new(rate),
            keypad: None,
            rate,
            frame: rate.frame(),
            held_max,
            queue: VecDeque::new(),
            held: 0,
            state: State::Waiting(0),
            hole: Hole::None,
            reached: Vec::new(),
            silence: vec![0; rate.frame()],
        }
    }

    /// From here on the tones of keys are understood.
    pub(super) fn expect_keys(&mut self) {
        self.keypad.get_or_insert_with(|| Keypad::new(self.rate));
    }

    /// Takes audio; returns how much of it had no room.
    pub(super) fn receive(&mut self, mut samples: Vec<i16>, arrived: Instant) -> Duration {
        let room = (self.held_max.as_secs() as usize * self.rate.hz()).saturating_sub(self.held);
        let beyond = samples.len().saturating_sub(room);
        samples.truncate(room);
        if matches!(self.hole, Hole::Flushed) {
            self.hole = Hole::None;
        }
        self.held += samples.len();
        if !samples.is_empty() {
            self.queue.push_back(Item::Audio { samples, played: 0, arrived });
        }
        self.time(beyond)
    }

    /// Frames that wait to be played, the last one begun.
    pub(super) const fn waiting(&self) -> usize {
        self.held.div_ceil(self.frame)
    }

    /// Takes a mark behind the audio that is queued.
    pub(super) fn mark(&mut self, name: String) {
        self.queue.push_back(Item::Mark(name));
    }

    /// Throws everything away; returns the marks that were pending.
    pub(super) fn flush(&mut self) -> Vec<String> {
        self.held = 0;
        self.state = State::Waiting(0);
        self.hole = Hole::Flushed;
        self.ear.gap();
        let queued = self.queue.drain(..).filter_map(|item| match item {
            Item::Mark(name) => Some(name),
            Item::Audio { .. } => None,
        });
        self.reached.drain(..).chain(queued).collect()
    }

    /// Plays one frame's time, and what a guest says meanwhile.
    pub(super) fn play(
        &mut self,
        now: Instant,
        guest: Option<&[i16]>,
        heard: &mut Vec<Perceived>,
    ) -> Played {
        // What was taken a frame's time ago has been played by now.
        let marks = std::mem::take(&mut self.reached);
        let mut played = Played { marks, hole: None, keys: Vec::new(), sound: Vec::new() };
        self.start_if_ready();
        let mut missing = self.frame;
        if matches!(self.state, State::Playing) || self.held == 0 {
            missing = self.take(missing, guest, heard, &mut played);
        }
        if missing == 0 {
            return played;
        }
        if matches!(self.state, State::Playing) {
            self.state = State::Waiting(0);
        }
        match &mut self.hole {
            Hole::Open(samples) => *samples += missing,
            Hole::None => {
                // A guest's words come without holes.
                if guest.is_none() && self.breaks_off() {
                    self.hole = Hole::Open(missing);
                }
            }
            Hole::Flushed => {}
        }
        let before = heard.len();
        let silence = &self.silence[..missing];
        match guest {
            Some(guest) => {
                self.ear.push(&guest[self.frame - missing..], now, heard);
                played.sound.extend_from_slice(silence);
            }
            None => self.ear.push(silence, now, heard),
        }
        if let Some(keypad) = &mut self.keypad {
            keypad.hear(silence, &mut played.keys);
        }
        let over = heard[before..].iter().any(|it| matches!(it, Perceived::Quiet { .. }));
        if over && matches!(self.hole, Hole::Open(_)) {
            // It never went on: an utterance that was cut off, which its account tells.
            self.hole = Hole::None;
        }
        played
    }

    /// The end of the line.
    pub(super) fn finish(&mut self, heard: &mut Vec<Perceived>) {
        self.ear.finish(heard);
    }

    fn start_if_ready(&mut self) {
        if let State::Waiting(frames) = &mut self.state
            && self.held > 0
        {
            *frames += 1;
            if self.held >= PREFILL_FRAMES * self.frame || *frames > PREFILL_FRAMES {
                self.state = State::Playing;
            }
        }
    }

    /// Whether silence now is a hole: the listener was in the middle of an utterance.
    fn breaks_off(&mut self) -> bool {
        // The gap makes the ear read what it still has, which may be the utterance's last frame.
        self.ear.inside() && {
            self.ear.gap();
            self.ear.inside()
        }
    }

    /// Plays up to so many samples from the queue; returns how many were missing.
    fn take(
        &mut self,
        mut wanted: usize,
        guest: Option<&[i16]>,
        heard: &mut Vec<Perceived>,
        out: &mut Played,
    ) -> usize {
        while let Some(item) = self.queue.front_mut() {
            match item {
                Item::Mark(name) => self.reached.push(std::mem::take(name)),
                Item::Audio { .. } if wanted == 0 => break,
                Item::Audio { samples, played, arrived } => {
                    if let Hole::Open(samples) = self.hole {
                        out.hole =
                            Some(Duration::from_secs_f64(samples as f64 / self.rate.hz() as f64));
                        self.hole = Hole::None;
                    }
                    let piece = wanted.min(samples.len() - *played);
                    let sound = &samples[*played..*played + piece];
                    match guest {
                        Some(guest) => {
                            let at = self.frame - wanted;
                            let both = mixed(sound, &guest[at..at + piece]);
                            self.ear.push(&both, *arrived, heard);
                            out.sound.extend_from_slice(sound);
                        }
                        None => self.ear.push(sound, *arrived, heard),
                    }
                    if let Some(keypad) = &mut self.keypad {
                        keypad.hear(sound, &mut out.keys);
                    }
                    *played += piece;
                    self.held -= piece;
                    wanted -= piece;
                    if *played < samples.len() {
                        break;
                    }
                }
            }
            self.queue.pop_front();
        }
        wanted
    }

    fn time(&self, samples: usize) -> Duration {
        Duration::from_secs_f64(samples as f64 / self.rate.hz() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::speech::{Account, Speech, Utterance, Voice};
    use std::sync::Arc;

    fn utterance() -> Arc<Utterance> {
        Speech::synthetic_only().render("Good evening to you.", &Voice::agent(), Rate::Hz8000)
    }

    fn said(heard: &[Perceived]) -> Option<(&str, Account)> {
        heard.iter().find_map(|it| match it {
            Perceived::Quiet { text, account, .. } => Some((text.as_str(), *account)),
            Perceived::Onset { .. } | Perceived::Frame { .. } | Perceived::Words(_) => None,
        })
    }

    #[test]
    fn what_arrives_in_odd_pieces_is_played_whole_and_marks_come_when_reached() {
        let utterance = utterance();
        let mut player = Player::new(Rate::Hz8000, Duration::from_secs(60));
        let mut heard = Vec::new();
        let mut pieces = utterance.samples.chunks(240);
        let mut marks = Vec::new();
        for n in 0..150 {
            if n % 3 != 2 {
                pieces.next().map(|piece| player.receive(piece.to_vec(), Instant::now()));
            }
            if n == 10 {
                player.mark("ten".into());
            }
            let played = player.play(Instant::now(), None, &mut heard);
            assert_eq!(played.hole, None);
            marks.extend(played.marks.into_iter().map(|mark| (mark, n)));
        }
        let (text, account) = said(&heard).expect("somebody spoke");
        assert_eq!(text, utterance.text);
        assert_eq!(account.frames, utterance.frames().len() as u64);
        assert_eq!(marks, [("ten".to_owned(), 13)]);
    }

    #[test]
    fn running_dry_in_an_utterance_is_a_hole_and_its_end_is_none() {
        let utterance = utterance();
        let mut player = Player::new(Rate::Hz8000, Duration::from_secs(60));
        let mut heard = Vec::new();
        let mut holes = Vec::new();
        let (first, second) = utterance.samples.split_at(30 * 160);
        player.receive(first.to_vec(), Instant::now());
        for n in 0..130 {
            if n == 40 {
                player.receive(second.to_vec(), Instant::now());
            }
            holes.extend(player.play(Instant::now(), None, &mut heard).hole);
        }
        assert_eq!(holes, [Duration::from_millis(200)]);
        let (text, account) = said(&heard).expect("somebody spoke");
        assert_eq!(text, utterance.text);
        assert_eq!((account.lost, account.cut_off), (0, 0));
    }

    #[test]
    fn a_flush_is_no_hole_and_returns_the_marks_at_once() {
        let utterance = utterance();
        let mut player = Player::new(Rate::Hz8000, Duration::from_secs(60));
        let mut heard = Vec::new();
        player.receive(utterance.samples.clone(), Instant::now());
        player.mark("one".into());
        player.mark("two".into());
        for n in 0..60 {
            if n == 20 {
                assert_eq!(player.flush(), ["one", "two"]);
            }
            let played = player.play(Instant::now(), None, &mut heard);
            assert!(played.hole.is_none() && played.marks.is_empty());
        }
        let (text, account) = said(&heard).expect("somebody spoke");
        assert!(!text.is_empty() && utterance.text.starts_with(text) && text != utterance.text);
        assert_eq!(account.cut_off, 1);
    }

    #[test]
    fn a_guest_hears_every_frame_that_is_played_and_the_silence_between() {
        let utterance = utterance();
        let mut player = Player::new(Rate::Hz8000, Duration::from_secs(60));
        let (mut heard, mut sound) = (Vec::new(), Vec::new());
        let (first, rest) = utterance.samples.split_at(7 * 160 + 40);
        player.receive(first.to_vec(), Instant::now());
        for n in 0..150 {
            if n == 30 {
                player.receive(rest.to_vec(), Instant::now());
            }
            sound.extend(player.play(Instant::now(), Some(&[0; 160]), &mut heard).sound);
        }
        let mut expected = [first, &[0; 22 * 160 + 120], rest].concat();
        expected.resize(150 * 160, 0);
        assert!(sound == expected, "{} samples", sound.len());
    }

    #[test]
    fn more_than_a_carrier_holds_is_thrown_away() {
        let mut player = Player::new(Rate::Hz8000, Duration::from_secs(60));
        assert_eq!(player.receive(vec![0; 8_000 * 59], Instant::now()), Duration::ZERO);
        assert_eq!(player.receive(vec![0; 8_000 * 2], Instant::now()), Duration::from_secs(1));
    }
}
