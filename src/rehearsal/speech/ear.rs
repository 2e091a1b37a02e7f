//! The ear: a stream of samples becomes what a listener perceives of it. It judges sound and
//! silence by energy alone, like any voice activity detector, finds the code in what sounds, and
//! takes down what the code says. Knows no clock: every push says when it arrived.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::Rate;
use super::code::{Code, Reading};
use super::transcript::{Account, Belongs, Transcript};

/// What a listener perceives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Perceived {
    /// Somebody begins to speak.
    Onset {
        /// When the first sound had arrived.
        at: Instant,
    },
    /// One frame of the code.
    Frame {
        /// Its place in the utterance, wrapping at 256.
        sequence: u8,
        /// When its last sample had arrived.
        at: Instant,
    },
    /// The utterance so far, told again whenever it has grown; at most once a push.
    Words(String),
    /// The utterance is over: it was silent for a while, or the next one began without a pause.
    Quiet {
        /// All of it; empty for a voice without code.
        text: String,
        /// When the last sound had arrived; now is later by the time of silence.
        at: Instant,
        /// How its frames arrived.
        account: Account,
    },
}

/// The silence that ends an utterance unless it is set: the server's default of the realtime
/// models' voice activity detection.
const QUIET: Duration = Duration::from_millis(500);
/// The shortest such silence: a search for the code may look ahead by two frames.
const QUIET_MIN: Duration = Duration::from_millis(60);
/// Pieces that a frame is judged in: sound or silence is known every 5 ms.
const HOPS: usize = 4;
/// Sound is louder than this, root mean square; the code alone has 254, a quiet line below 20.
const SOUND_RMS: i64 = 60;
/// The first sample of a sound is at least this loud.
const SOUND_SAMPLE: u16 = 48;
/// The part of a frame by which one may begin before its first loud sample: 2 ms.
const REACH: usize = 10;
/// Places in a frame's length at which the code is looked for: a reading tells where its symbol
/// begins up to a quarter of a frame away.
const STEPS: usize = 5;
/// A frame that lies more than this part of a frame (0.4 ms) beside its place is looked for
/// again. Parts of two frames seldom look like one that lies straight.
const SLACK: usize = 50;

/// One listener on one stream.
pub struct Ear {
    code: &'static Code,
    hz: usize,
    quiet_after: u64,
    /// Samples that may still be needed.
    held: Vec<i16>,
    /// The place in the stream of the first one held.
    first: u64,
    /// Up to here sound was told from silence.
    sensed: u64,
    /// For each push that reaches into what is held: its end in the stream, and when it arrived.
    arrivals: VecDeque<(u64, Instant)>,
    alignment: Alignment,
    open: Option<Open>,
    /// Perceived in a gap, told with the next push.
    left: Vec<Perceived>,
}

/// What is known of where the frames begin.
#[derive(Clone, Copy)]
enum Alignment {
    /// Nothing; the next sound begins a search.
    Unknown,
    /// A sound began at this sample; a frame should begin near it.
    Near(u64),
    /// A frame begins somewhere in the frame's length from here, if there is code at all.
    Anywhere(u64),
    /// The next frame begins here.
    Known(u64),
}

/// The utterance being heard.
struct Open {
    transcript: Transcript,
    /// Bytes of text that have been told.
    told: usize,
    last_sound: u64,
    last_sound_at: Instant,
}

impl Open {
    fn quiet(self) -> Perceived {
        let (text, account) = self.transcript.close();
        Perceived::Quiet { text, at: self.last_sound_at, account }
    }
}

impl Ear {
    /// Listens to a stream of this rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            code: Code::at(rate),
            hz: rate.hz(),
            quiet_after: samples(QUIET, rate.hz()),
            held: Vec::new(),
            first: 0,
            sensed: 0,
            arrivals: VecDeque::new(),
            alignment: Alignment::Unknown,
            open: None,
            left: Vec::new(),
        }
    }

    /// Sets the silence that ends an utterance; at least 60 ms.
    #[must_use]
    pub fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet_after = samples(quiet.max(QUIET_MIN), self.hz);
        self
    }

    /// Listens to the next samples, which arrived at this moment, and adds what is perceived.
    /// Chunks may have any size; silence has to be pushed too, it is what ends an utterance.
    pub fn push(&mut self, samples: &[i16], at: Instant, heard: &mut Vec<Perceived>) {
        heard.append(&mut self.left);
        // In pieces, so that what is held stays a few frames whatever is pushed at once.
        for piece in samples.chunks(self.code.frame()) {
            self.held.extend_from_slice(piece);
            self.arrivals.push_back((self.end(), at));
            while self.sensed + self.hop() <= self.end() {
                self.sense(heard);
                self.read(Looking::Ahead, heard);
                self.close_if_quiet(heard);
            }
            self.forget();
        }
        if let Some(open) = &mut self.open
            && open.transcript.len() > open.told
        {
            open.told = open.transcript.len();
            heard.push(Perceived::Words(open.transcript.text()));
        }
    }

    /// The stream broke off here: samples are missing, or what follows has nothing to do with
    /// what was before. Where frames begin is no longer known; what was said so far stays.
    pub fn gap(&mut self) {
        let mut heard = std::mem::take(&mut self.left);
        self.sensed = self.end();
        self.read(Looking::AtTheEnd, &mut heard);
        self.left = heard;
        self.alignment = Alignment::Unknown;
        self.first = self.end();
        self.held.clear();
    }

    /// The stream is over: what was being said is told as it is.
    pub fn finish(&mut self, heard: &mut Vec<Perceived>) {
        self.gap();
        heard.append(&mut self.left);
        if let Some(open) = self.open.take() {
            heard.push(open.quiet());
        }
    }

    /// Whether an utterance with code has begun whose last frame has not been heard: silence now
    /// would be a hole in it.
    #[must_use]
    pub fn inside(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.transcript.inside())
    }

    fn hop(&self) -> u64 {
        (self.code.frame() / HOPS) as u64
    }

    fn frame(&self) -> u64 {
        self.code.frame() as u64
    }

    fn end(&self) -> u64 {
        self.first + self.held.len() as u64
    }

    fn between(&self, from: u64, to: u64) -> &[i16] {
        &self.held[(from - self.first) as usize..(to - self.first) as usize]
    }

    /// Judges the next hop.
    fn sense(&mut self, heard: &mut Vec<Perceived>) {
        let from = self.sensed;
        self.sensed += self.hop();
        if !is_sound(self.between(from, self.sensed)) {
            return;
        }
        let at = self.arrival(self.sensed);
        let open = self.open.get_or_insert_with(|| {
            heard.push(Perceived::Onset { at });
            Open { transcript: Transcript::default(), told: 0, last_sound: 0, last_sound_at: at }
        });
        (open.last_sound, open.last_sound_at) = (self.sensed, at);
        if matches!(self.alignment, Alignment::Unknown) {
            self.seek_sound(from);
        }
    }

    /// Begins a search at the first loud sample from here, if there is one.
    fn seek_sound(&mut self, from: u64) {
        let loud = |sample: &i16| sample.unsigned_abs() >= SOUND_SAMPLE;
        let place = self.between(from, self.sensed).iter().position(loud);
        self.alignment =
            place.map_or(Alignment::Unknown, |place| Alignment::Near(from + place as u64));
    }

    /// Reads all frames that are complete.
    fn read(&mut self, looking: Looking, heard: &mut Vec<Perceived>) {
        let (frame, reach) = (self.frame(), self.frame() / REACH as u64);
        loop {
            let (from, last, ahead) = match self.alignment {
                Alignment::Unknown => return,
                Alignment::Near(sound) => (sound, sound + reach, reach),
                Alignment::Anywhere(from) => (from, from + frame, frame),
                Alignment::Known(next) => (next, next, 0),
            };
            let complete = match looking {
                Looking::Ahead => from + ahead + frame,
                Looking::AtTheEnd => from + frame,
            };
            if complete > self.sensed {
                return;
            }
            let last = last.min(self.sensed - frame);
            match self.alignment {
                Alignment::Unknown => return,
                Alignment::Near(sound) => {
                    self.alignment = self
                        .search(sound.saturating_sub(reach), last)
                        .map_or(Alignment::Anywhere(sound), Alignment::Known);
                }
                Alignment::Known(next) | Alignment::Anywhere(next)
                    if !is_sound(self.between(next, next + frame)) =>
                {
                    self.rest(next + frame);
                }
                Alignment::Known(next) => {
                    let reading = self.code.read(self.between(next, next + frame));
                    self.alignment = if self.is_straight(reading) {
                        self.take(reading, next + frame, heard);
                        Alignment::Known(next + frame)
                    } else {
                        Alignment::Anywhere(next)
                    };
                }
                Alignment::Anywhere(from) => self.resume(from, last),
            }
        }
    }

    /// Looks for the code anywhere in a frame's length.
    fn resume(&mut self, from: u64, last: u64) {
        let (frame, reach) = (self.frame(), self.frame() / REACH as u64);
        let found = self.search(from.saturating_sub(reach), last);
        let skipped = found.map_or(1, |place| (place.max(from) - from + frame / 2) / frame);
        if let Some(open) = &mut self.open {
            open.transcript.unreadable(skipped);
        }
        self.alignment = found.map_or(Alignment::Anywhere(from + frame), Alignment::Known);
    }

    /// A frame was silent; a sound that began right after it is not missed.
    fn rest(&mut self, from: u64) {
        self.alignment = Alignment::Unknown;
        let sounding = self.open.as_ref().is_some_and(|open| open.last_sound == self.sensed);
        if sounding && from < self.sensed {
            self.seek_sound(from);
        }
    }

    /// The first place for a frame to begin at, from `from` to about `last`.
    fn search(&self, from: u64, last: u64) -> Option<u64> {
        let from = from.max(self.first);
        let places = from..=self.sensed - self.frame();
        let look = |place: u64| self.code.read(self.between(place, place + self.frame()));
        (from..=last).step_by(self.code.frame() / STEPS).find_map(|place| {
            let aside = look(place);
            let place = place.saturating_add_signed(aside.beside.into());
            // What reads from the side has to read from the front as well.
            (aside.readable && places.contains(&place) && self.is_straight(look(place)))
                .then_some(place)
        })
    }

    /// Whether a symbol was found, and lies where it was looked for.
    fn is_straight(&self, reading: Reading) -> bool {
        reading.readable && reading.beside.unsigned_abs() as usize <= self.code.frame() / SLACK
    }

    fn take(&mut self, reading: Reading, end: u64, heard: &mut Vec<Perceived>) {
        let at = self.arrival(end);
        let Some(mut open) = self.open.take() else { return };
        if open.transcript.take(reading.symbol) == Belongs::Next {
            let next = Open { transcript: Transcript::default(), told: 0, ..open };
            heard.push(std::mem::replace(&mut open, next).quiet());
            heard.push(Perceived::Onset { at });
            let belongs = open.transcript.take(reading.symbol);
            debug_assert_eq!(belongs, Belongs::Here, "a fresh transcript takes its first frame");
        }
        heard.push(Perceived::Frame { sequence: reading.symbol.sequence, at });
        self.open = Some(open);
    }

    fn close_if_quiet(&mut self, heard: &mut Vec<Perceived>) {
        let long_enough = |open: &Open| self.sensed - open.last_sound >= self.quiet_after;
        if let Some(open) = self.open.take_if(|open| long_enough(open)) {
            heard.push(open.quiet());
            self.alignment = Alignment::Unknown;
        }
    }

    /// When the sample before this place had arrived.
    fn arrival(&self, place: u64) -> Instant {
        let (_, at) = self
            .arrivals
            .iter()
            .find(|(end, _)| *end >= place)
            .expect("whatever is judged has arrived");
        *at
    }

    /// Lets go of samples that no search can need.
    fn forget(&mut self) {
        let (hop, reach) = (self.hop(), self.frame() / REACH as u64);
        let needed = match self.alignment {
            Alignment::Unknown => self.sensed.saturating_sub(hop),
            Alignment::Near(place) | Alignment::Anywhere(place) | Alignment::Known(place) => {
                place.saturating_sub(reach).min(self.sensed)
            }
        };
        let done = needed.saturating_sub(self.first);
        if done >= hop {
            self.held.drain(..done as usize);
            self.first = needed;
            while self.arrivals.front().is_some_and(|(end, _)| *end <= needed) {
                self.arrivals.pop_front();
            }
        }
    }
}

/// Whether more samples are to come that a search may wait for.
#[derive(Clone, Copy)]
enum Looking {
    Ahead,
    AtTheEnd,
}

fn is_sound(samples: &[i16]) -> bool {
    let energy: i64 =
        samples.iter().map(|&sample| i64::from(i32::from(sample) * i32::from(sample))).sum();
    energy > SOUND_RMS * SOUND_RMS * samples.len() as i64
}

fn samples(time: Duration, hz: usize) -> u64 {
    time.as_millis() as u64 * hz as u64 / 1_000
}
