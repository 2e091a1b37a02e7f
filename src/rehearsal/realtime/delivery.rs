//! An utterance on its way out: which words lie in which frames, and frames as base64 in the
//! session's format. Knows no session.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::rehearsal::speech::pcm::Coding;
use crate::rehearsal::speech::{Rate, Utterance, bytes_carried};

/// The grain of speech.
pub(super) const FRAME: Duration = Duration::from_millis(20);

/// The formats of the protocol that this server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `audio/pcm`.
    Pcm24k,
    /// `audio/pcmu`.
    Pcmu8k,
}

impl Format {
    pub(super) const fn coding(self) -> Coding {
        match self {
            Self::Pcm24k => Coding::Pcm24k,
            Self::Pcmu8k => Coding::Mulaw8k,
        }
    }

    pub(super) const fn rate(self) -> Rate {
        self.coding().rate()
    }

    pub(super) const fn sample_bytes(self) -> usize {
        self.coding().frame_bytes() / self.rate().frame()
    }

    /// How long this many samples last.
    pub(super) fn lasts(self, samples: u64) -> Duration {
        Duration::from_nanos(samples * 1_000_000_000 / self.rate().hz() as u64)
    }
}

/// A word of an utterance.
pub(super) struct Word {
    /// The frame behind its last.
    pub(super) end_frame: usize,
    /// Where it ends in the text, in bytes.
    pub(super) end_byte: usize,
}

/// An utterance with its words, and silence behind it when it was padded.
pub(super) struct Delivery {
    utterance: Arc<Utterance>,
    coding: Coding,
    /// Frames of speech, and of speech with what follows it.
    spoken: usize,
    padded: usize,
    words: Vec<Word>,
}

impl Delivery {
    pub(super) fn new(utterance: Arc<Utterance>, format: Format, pad_to: Duration) -> Self {
        let spoken = utterance.frames().len();
        let padding = pad_to.as_millis().div_ceil(FRAME.as_millis()) as usize;
        let words = words(&utterance.text, spoken);
        Self { utterance, coding: format.coding(), spoken, padded: spoken.max(padding), words }
    }

    /// The text it carries.
    pub(super) fn text(&self) -> &str {
        &self.utterance.text
    }

    /// How many frames there are to send.
    pub(super) const fn frames(&self) -> usize {
        self.padded
    }

    pub(super) fn word(&self, number: usize) -> Option<&Word> {
        self.words.get(number)
    }

    /// The frame's number as an ear hears it; padding has none.
    pub(super) fn sequence(&self, frame: usize) -> Option<u8> {
        (frame < self.spoken).then(|| Utterance::sequence(frame))
    }

    /// Frames as base64.
    pub(super) fn base64(&self, frames: Range<usize>) -> String {
        let size = self.coding.rate().frame();
        let spoken = frames.start.min(self.spoken)..frames.end.min(self.spoken);
        let samples = &self.utterance.samples[spoken.start * size..spoken.end * size];
        if spoken.len() == frames.len() {
            return self.coding.to_base64(samples);
        }
        let mut padded = samples.to_vec();
        padded.resize(frames.len() * size, 0);
        self.coding.to_base64(&padded)
    }
}

/// Finds the words of a text in the frames that carry it.
fn words(text: &str, frames: usize) -> Vec<Word> {
    // The number of frames after which this many bytes have been carried.
    let carry = |bytes: usize| {
        let (mut low, mut high) = (0, frames);
        while low < high {
            let middle = low.midpoint(high);
            if bytes_carried(text.len(), frames, middle) < bytes {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    };
    let mut words = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let start = text.len() - text[from..].trim_start().len();
        let end_byte = text[start..].find(' ').map_or(text.len(), |at| start + at);
        words.push(Word { end_frame: carry(end_byte), end_byte });
        from = end_byte;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::speech::{Ear, Perceived, Speech, Voice};

    #[test]
    fn words_end_where_an_ear_has_heard_them() {
        let text = "Hello there, all of you.";
        let utterance = Speech::synthetic_only().render(text, &Voice::agent(), Rate::Hz24000);
        let delivery = Delivery::new(Arc::clone(&utterance), Format::Pcm24k, Duration::ZERO);
        let mut heard = Vec::new();
        for number in 0..5 {
            let word = delivery.word(number).expect("five words");
            let mut ear = Ear::new(Rate::Hz24000);
            ear.push(
                &utterance.samples[..word.end_frame * 480],
                tokio::time::Instant::now(),
                &mut heard,
            );
            let Some(Perceived::Words(words)) = heard.pop() else { panic!("words are heard") };
            assert_eq!(words, text[..word.end_byte]);
        }
        assert!(delivery.word(5).is_none());
    }

    #[test]
    fn padding_is_silence_behind_the_words() {
        let utterance = Speech::synthetic_only().render("Hi", &Voice::agent(), Rate::Hz8000);
        let spoken = utterance.frames().len();
        let delivery = Delivery::new(utterance, Format::Pcmu8k, Duration::from_secs(1));
        assert_eq!(delivery.frames(), 50);
        assert_eq!(delivery.sequence(spoken), None);
        let tail = delivery.base64(spoken - 1..spoken + 1);
        let samples = Coding::Mulaw8k.from_base64(&tail).expect("base64");
        assert!(samples[..160].iter().any(|sample| *sample != 0));
        assert!(samples[160..].iter().all(|sample| *sample == 0));
    }
}
