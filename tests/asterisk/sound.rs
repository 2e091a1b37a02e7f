//! What a phone says and hears, as WAV files. Everything said carries its words as a quiet code,
//! so that what has come through SIP, RTP and Asterisk can be read again.

use std::path::Path;

use anyhow::{Context, ensure};
use tandem::rehearsal::speech::{Account, Ear, Perceived, Rate, Speech, Voice};
use tokio::time::Instant;

/// Silence behind an utterance: a phone that comes to the end of its file hangs up.
const AFTER: usize = 120;

/// A frame is sound from this root mean square on; a quiet µ-law line stays below 20.
const SOUND_RMS: f64 = 60.0;

/// Writes an utterance, or only silence where there are no words, as a phone plays it.
pub(crate) fn write(path: &Path, words: &str) -> anyhow::Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec)?;
    if !words.is_empty() {
        let spoken = Speech::NoPrograms.render(words, &Voice::callee(), Rate::Hz8000);
        for sample in &spoken.samples {
            file.write_sample(*sample)?;
        }
    }
    for _ in 0..AFTER * 8_000 {
        file.write_sample(0_i16)?;
    }
    Ok(file.finalize()?)
}

/// One side of a recording.
pub(crate) struct Heard {
    /// The utterances, in order.
    pub(crate) words: Vec<String>,
    account: Account,
    frames: usize,
    sounding: usize,
    energy: f64,
}

impl Heard {
    /// Listens to one channel of a recording.
    pub(crate) fn of(path: &Path, channel: usize) -> anyhow::Result<Self> {
        let shown = path.display();
        let mut file = hound::WavReader::open(path).with_context(|| format!("{shown}"))?;
        let spec = file.spec();
        let rate = match spec.sample_rate {
            8_000 => Rate::Hz8000,
            24_000 => Rate::Hz24000,
            other => anyhow::bail!("{shown} has {other} Hz"),
        };
        let samples: Vec<i16> = file.samples().collect::<Result<_, _>>()?;
        let channels = usize::from(spec.channels);
        let side: Vec<i16> = samples.chunks_exact(channels).map(|frame| frame[channel]).collect();
        Ok(Self::from(&side, rate))
    }

    fn from(samples: &[i16], rate: Rate) -> Self {
        let mut heard = Vec::new();
        let mut ear = Ear::new(rate);
        ear.push(samples, Instant::now(), &mut heard);
        ear.finish(&mut heard);
        let mut all = Self {
            words: Vec::new(),
            account: Account::default(),
            frames: 0,
            sounding: 0,
            energy: 0.0,
        };
        for perceived in heard {
            if let Perceived::Quiet { text, account, .. } = perceived {
                all.words.push(text);
                all.account += account;
            }
        }
        for frame in samples.chunks_exact(rate.frame()) {
            let energy: f64 = frame.iter().map(|&sample| f64::from(sample).powi(2)).sum();
            let mean = energy / frame.len() as f64;
            all.frames += 1;
            if mean > SOUND_RMS.powi(2) {
                all.sounding += 1;
                all.energy += mean;
            }
        }
        all
    }

    /// Fails unless every one of these was heard, word by word.
    pub(crate) fn says(&self, who: &str, expected: &[&str]) -> anyhow::Result<()> {
        for words in expected {
            ensure!(
                self.words.iter().any(|heard| heard == words),
                "{who} has not heard {words:?} but {:?} ({})",
                self.words,
                self.figures()
            );
        }
        Ok(())
    }

    /// For people.
    pub(crate) fn figures(&self) -> String {
        let rms = (self.energy / self.sounding.max(1) as f64).sqrt().max(f64::MIN_POSITIVE);
        let Account { frames, lost, doubled, reordered, unreadable, .. } = self.account;
        format!(
            "{:.1} s, {:.1} s of sound at {:.0} dBFS; {frames} frames read, {lost} lost, \
             {doubled} doubled, {reordered} out of order, {unreadable} unreadable",
            self.frames as f64 / 50.0,
            self.sounding as f64 / 50.0,
            20.0 * (rms / 32_768.0).log10(),
        )
    }
}
