//! Rendering: a text becomes samples that sound like a voice and carry the text as code.

use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use super::cache::{self, Key};
use super::code::{Code, END, FILLER, START, Symbol};
use super::{FRAMES_PER_SECOND, Rate, Source, Voice, band, clips, pcm, programs};

/// Which sources may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Speech {
    /// A clip, else a program, else the hum.
    #[default]
    BestAvailable,
    /// A clip, else the hum: fast, and the same on every machine.
    NoPrograms,
    /// The hum alone: fastest, for load tests.
    SyntheticOnly,
}

/// The most bytes of text in one utterance; at the pace of speech two minutes. More is cut off.
const TEXT_MAX: usize = 2_000;
/// The pace of speech where no recording sets it, in bytes of text a second.
const BYTES_PER_SECOND: f32 = 14.5;
/// Frames that carry a control instead of text: the first and the last.
const CONTROL_FRAMES: usize = 2;
/// The peak of the voice, 12 dB below full scale, so that µ-law steps stay below the code.
const VOICE_PEAK: f32 = 8_000.0;
/// The most a recording is amplified: silence must stay silence.
const GAIN_MAX: f32 = 18_000.0;

impl Speech {
    /// The hum alone: fast and the same everywhere, for load tests and tests.
    #[must_use]
    pub const fn synthetic_only() -> Self {
        Self::SyntheticOnly
    }

    /// Renders a text, or takes it from the cache of the process.
    ///
    /// Control characters become spaces and text beyond 2,000 bytes is cut off. With
    /// [`Speech::BestAvailable`] a program may run for up to 2 s: on an async runtime use
    /// [`Speech::render_async`].
    #[must_use]
    pub fn render(self, text: &str, voice: &Voice, rate: Rate) -> Arc<Utterance> {
        let key = Key { text: carried(text), voice: *voice, rate, speech: self };
        cache::get_or_make(key, make)
    }

    /// Like [`Speech::render`], on a thread where blocking is allowed.
    pub async fn render_async(self, text: &str, voice: &Voice, rate: Rate) -> Arc<Utterance> {
        let (text, voice) = (text.to_owned(), *voice);
        tokio::task::spawn_blocking(move || self.render(&text, &voice, rate))
            .await
            .expect("rendering neither panics nor is aborted")
    }
}

/// Something said: samples that sound like a voice and carry their text as code.
#[derive(Debug)]
pub struct Utterance {
    /// The text it carries.
    pub text: String,
    /// The samples, a multiple of 20 ms.
    pub samples: Vec<i16>,
    rate: Rate,
    source: Source,
}

impl Utterance {
    /// A plain tone without code, as of an answering machine.
    #[must_use]
    pub fn tone(hz: f32, lasting: Duration, rate: Rate) -> Self {
        let frames = lasting.as_millis() as usize * FRAMES_PER_SECOND / 1_000;
        let samples = (0..frames * rate.frame())
            .map(|n| (VOICE_PEAK * (TAU * hz * n as f32 / rate.hz() as f32).sin()) as i16)
            .collect();
        Self { text: String::new(), samples, rate, source: Source::Synthetic }
    }

    /// A melody without code, as callers on hold hear it: chords that ring into one another.
    #[must_use]
    pub fn melody(lasting: Duration, rate: Rate) -> Self {
        const NOTES: [f32; 8] = [392.0, 440.0, 523.3, 587.3, 659.3, 587.3, 523.3, 440.0];
        const CHORD: [f32; 4] = [1.0, 1.26, 1.5, 2.0];
        let frames = lasting.as_millis() as usize * FRAMES_PER_SECOND / 1_000;
        let note = rate.hz() * 3 / 5;
        let ringing = |n: usize, struck: usize| {
            let fading = (-((n - struck * note) as f32) / note as f32).exp();
            let seconds = n as f32 / rate.hz() as f32;
            let wave = |step: &f32| (TAU * NOTES[struck % NOTES.len()] * step * seconds).sin();
            fading * CHORD.iter().map(wave).sum::<f32>()
        };
        let sample = |n: usize| {
            let struck = n / note;
            let sum: f32 = (struck.saturating_sub(2)..=struck).map(|at| ringing(n, at)).sum();
            (VOICE_PEAK / 6.0 * sum) as i16
        };
        let samples = (0..frames * rate.frame()).map(sample).collect();
        Self { text: String::new(), samples, rate, source: Source::Synthetic }
    }

    /// Frames of 20 ms each.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[i16]> {
        self.samples.chunks_exact(self.rate.frame())
    }

    /// Samples a second.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Where its voice came from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The sequence number that the frame at this place carries.
    #[must_use]
    pub const fn sequence(place: usize) -> u8 {
        (place % SEQUENCES) as u8
    }
}

/// Sequence numbers before they start again at zero.
pub(super) const SEQUENCES: usize = 256;

/// Bytes of a text that have been carried when `done` of `frames` frames have been.
#[must_use]
pub fn bytes_carried(text_bytes: usize, frames: usize, done: usize) -> usize {
    (0..text_bytes).take_while(|&byte| place_of(byte, text_bytes, frames) < done).count()
}

/// The frame that carries a byte: they are spread evenly between the first and the last frame.
const fn place_of(byte: usize, text_bytes: usize, frames: usize) -> usize {
    1 + byte * (frames - CONTROL_FRAMES) / text_bytes
}

/// The text as it is carried: no control characters, not too long.
fn carried(text: &str) -> String {
    let mut plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.truncate(plain.floor_char_boundary(TEXT_MAX));
    plain
}

fn make(key: &Key) -> Utterance {
    let (voice, source) = audible(key);
    let code = Code::at(key.rate);
    let mut samples = band::widen(&voice, key.rate);
    let bytes = key.text.as_bytes();
    let frames = samples.len().div_ceil(code.frame()).max(bytes.len() + CONTROL_FRAMES);
    samples.resize(frames * code.frame(), 0.0);
    let mut payloads = vec![FILLER; frames];
    for (byte, &payload) in bytes.iter().enumerate() {
        payloads[place_of(byte, bytes.len(), frames)] = payload;
    }
    payloads[0] = START;
    payloads[frames - 1] = END;
    for (place, (window, payload)) in
        samples.chunks_exact_mut(code.frame()).zip(payloads).enumerate()
    {
        code.imprint(window, Symbol { sequence: Utterance::sequence(place), payload });
    }
    let samples = samples.iter().map(|&sample| sample.round() as i16).collect();
    Utterance { text: key.text.clone(), samples, rate: key.rate, source }
}

/// The voice at [`band::VOICE_HZ`], at its proper level.
fn audible(key: &Key) -> (Vec<f32>, Source) {
    let clip = || {
        let found = clips::find(&key.text, &key.voice)?;
        let samples: Vec<f32> = pcm::mulaw_decode(found).iter().map(|&s| f32::from(s)).collect();
        Some((band::narrow(&samples, Rate::Hz8000.hz()), Source::Clip))
    };
    let spoken = || {
        let recording = programs::speak(&key.text, &key.voice)?;
        Some((band::narrow(&recording.samples, recording.hz), recording.source))
    };
    let found = match key.speech {
        Speech::BestAvailable => clip().or_else(spoken),
        Speech::NoPrograms => clip(),
        Speech::SyntheticOnly => None,
    };
    let (mut voice, source) = found.unwrap_or_else(|| {
        let frames = (key.text.len() * FRAMES_PER_SECOND) as f32 / BYTES_PER_SECOND;
        let seconds = (frames.ceil() + CONTROL_FRAMES as f32) / FRAMES_PER_SECOND as f32;
        (key.voice.hum(&key.text, seconds), Source::Synthetic)
    });
    let peak = voice.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let gain = (VOICE_PEAK / peak.max(f32::MIN_POSITIVE)).min(GAIN_MAX);
    voice.iter_mut().for_each(|sample| *sample *= gain);
    (voice, source)
}
