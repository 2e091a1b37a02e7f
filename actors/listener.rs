//! What can be told from the caller's audio without a model: the tone of an answering machine,
//! and that somebody speaks after music. Decodes only while it is asked to. Pure.

pub mod spectrum;
pub mod tone;
pub mod voice;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::audio::{Format, Payload};
use spectrum::{BLOCK, Block};
use tone::Tone;
use voice::Voice;

/// Blocks in which a tone is waited for: 60 s. Greetings of answering machines end within half
/// of that; after it the tone in the audio is more likely something else.
const TONE_BLOCKS: u32 = 3_000;

/// What the caller's audio is listened to for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listening {
    /// Nothing: it is not decoded.
    #[default]
    Nothing,
    /// The tone of an answering machine, for 60 s.
    ForTheTone,
    /// Somebody who speaks, after music or silence. The model hears nothing meanwhile.
    OnHold,
    /// Nothing, and neither do the model and the recording: the caller enters what nobody may
    /// hear.
    Privately,
}

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// The tone after which an answering machine records.
    Tone,
    /// Somebody speaks. Told once for each time of listening.
    Speech,
}

/// Listens to one call's uplink.
#[derive(Debug)]
pub struct Listener {
    format: Format,
    listening: Listening,
    blocks: u32,
    bytes: Vec<u8>,
    samples: Vec<f32>,
    tone: Tone,
    voice: Voice,
}

impl Listener {
    /// A listener that listens for nothing.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            listening: Listening::Nothing,
            blocks: 0,
            bytes: Vec::new(),
            samples: Vec::new(),
            tone: Tone::default(),
            voice: Voice::default(),
        }
    }

    /// What it listens for.
    #[must_use]
    pub const fn listening(&self) -> Listening {
        self.listening
    }

    /// Listens for this from here on, and to nothing heard before.
    pub fn listen(&mut self, listening: Listening) {
        // What it has worked with is given back: most calls listen for seconds of their minutes.
        *self = Self { listening, ..Self::new(self.format) };
    }

    /// Takes the next audio. Audio of the wrong length or coding is noise, and no error.
    pub fn hear(&mut self, audio: &Payload) -> Option<Noticed> {
        if matches!(self.listening, Listening::Nothing | Listening::Privately) {
            return None;
        }
        self.decode(audio);
        let mut noticed = None;
        let mut samples = std::mem::take(&mut self.samples);
        let (blocks, rest) = samples.as_chunks::<BLOCK>();
        let rest = rest.len();
        for samples in blocks {
            noticed = noticed.or(self.block(&Block::of(samples)));
        }
        samples.drain(..samples.len() - rest);
        self.samples = samples;
        noticed
    }

    fn block(&mut self, block: &Block) -> Option<Noticed> {
        self.blocks += 1;
        match self.listening {
            Listening::Nothing | Listening::Privately => None,
            Listening::ForTheTone => {
                if self.blocks > TONE_BLOCKS {
                    self.listening = Listening::Nothing;
                }
                self.tone.hear(block).then_some(Noticed::Tone)
            }
            Listening::OnHold => self.voice.hear(block).then_some(Noticed::Speech),
        }
    }

    /// Appends the audio at 8,000 samples a second.
    fn decode(&mut self, audio: &Payload) {
        self.bytes.clear();
        if STANDARD.decode_vec(audio.as_str(), &mut self.bytes).is_err() {
            return;
        }
        match self.format {
            Format::Pcmu8k => {
                let decode = |byte: &u8| f32::from(audio_codec_algorithms::decode_ulaw(*byte));
                self.samples.extend(self.bytes.iter().map(decode));
            }
            Format::Pcm24k => {
                // The mean of three is low-pass enough: what is looked for lies below 2 kHz.
                let (triples, _) = self.bytes.as_chunks::<6>();
                let sample = |low: u8, high: u8| f32::from(i16::from_le_bytes([low, high]));
                self.samples.extend(triples.iter().map(|[a, b, c, d, e, f]| {
                    (sample(*a, *b) + sample(*c, *d) + sample(*e, *f)) / 3.0
                }));
            }
        }
    }
}
