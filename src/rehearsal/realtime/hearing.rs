//! What reaches the server of the caller: appended audio is measured, decoded unless it is
//! silent, and given to an ear; from what the ear perceives, turns are found. Time is counted in
//! appended audio, never by the clock.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::Instant;

use super::delivery::Format;
use super::settings::Turns;
use super::wire::{self, Complaint};
use crate::rehearsal::speech::{Account, Ear, Perceived};

/// Less than this cannot be committed.
const COMMIT_MIN: Duration = Duration::from_millis(100);

/// What ends an utterance while the client ends the turns.
const SILENCE: Duration = Duration::from_millis(500);

/// The most base64 text that one append may carry: 15 MiB of audio.
const APPEND_CHARS_MAX: usize = (15 << 20) / 3 * 4;

/// What the caller has said in one turn.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Utterance {
    /// The words; empty when there were none to understand.
    pub(super) text: String,
    /// How much audio it was.
    pub(super) lasted: Duration,
}

/// What was found in the appended audio, at places counted from the first sample ever appended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Speech began, prefix padding included.
    Started { start: Duration },
    /// It ended, the silence that ended it included.
    Stopped { end: Duration, utterance: Utterance },
}

/// The input audio buffer and the ear behind it.
pub(super) struct Hearing {
    format: Format,
    ear: Ear,
    /// How long a silence ends an utterance for the ear.
    silence: Duration,
    /// Appended in this format, in samples, and before it, as time.
    samples: u64,
    before: Duration,
    /// Where the last commit or clear was.
    mark: Duration,
    speech: Speech,
    text: String,
    account: Account,
    perceived: Vec<Perceived>,
    decoded: Vec<i16>,
}

/// Whether somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    None,
    Running {
        start: Duration,
    },
    /// An utterance has ended; when no other follows at once, so has the turn.
    Ended {
        start: Duration,
    },
}

impl Hearing {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            ear: Ear::new(format.rate()),
            silence: SILENCE,
            samples: 0,
            before: Duration::ZERO,
            mark: Duration::ZERO,
            speech: Speech::None,
            text: String::new(),
            account: Account::default(),
            perceived: Vec::new(),
            decoded: Vec::new(),
        }
    }

    /// Changes the coding of what will be appended, and the silence that ends a turn. What is
    /// being said meanwhile is lost with the old ear.
    pub(super) fn adjust(&mut self, format: Format, turns: Turns) {
        let silence = match turns {
            Turns::Manual => SILENCE,
            Turns::Detected { silence, .. } => silence,
        };
        if (format, silence) != (self.format, self.silence) {
            self.before = self.position();
            self.samples = 0;
            (self.format, self.silence) = (format, silence);
            self.renew_ear();
        }
    }

    fn renew_ear(&mut self) {
        self.ear = Ear::new(self.format.rate()).with_quiet(self.silence);
    }

    /// How the frames of what was heard so far arrived.
    pub(super) const fn account(&self) -> Account {
        self.account
    }

    /// How much was appended since the session began.
    pub(super) fn position(&self) -> Duration {
        self.before + self.format.lasts(self.samples)
    }

    /// Takes base64 audio. `frames` is told the frames of speech as they are heard.
    pub(super) fn append(
        &mut self,
        audio: &str,
        turns: Turns,
        now: Instant,
        mut frames: impl FnMut(u8, Instant),
    ) -> Result<Vec<Heard>, Complaint> {
        if audio.len() > APPEND_CHARS_MAX {
            return Err(Complaint::invalid("audio", "The audio is longer than 15 MiB."));
        }
        self.decoded.clear();
        let mut heard = Vec::new();
        match silence(audio, self.format) {
            // Digital silence while nobody speaks tells the ear nothing.
            Some(samples) if self.speech == Speech::None => {
                self.samples += samples as u64;
                return Ok(heard);
            }
            Some(samples) => self.decoded.resize(samples, 0),
            None => self.decoded.extend(decode(audio, self.format)?),
        }
        self.samples += self.decoded.len() as u64;
        let mut perceived = std::mem::take(&mut self.perceived);
        self.ear.push(&self.decoded, now, &mut perceived);
        for event in perceived.drain(..) {
            match event {
                Perceived::Onset { .. } => self.begin(turns, &mut heard),
                Perceived::Frame { sequence, at } => frames(sequence, at),
                Perceived::Words(_) => {}
                Perceived::Quiet { text, account, .. } => self.fall_quiet(&text, account),
            }
        }
        self.perceived = perceived;
        self.end_turn(turns, &mut heard);
        Ok(heard)
    }

    fn begin(&mut self, turns: Turns, heard: &mut Vec<Heard>) {
        match self.speech {
            Speech::None => {
                let prefix = match turns {
                    Turns::Manual => Duration::ZERO,
                    Turns::Detected { prefix, .. } => prefix,
                };
                let start = self.position().saturating_sub(prefix);
                self.speech = Speech::Running { start };
                heard.push(Heard::Started { start });
            }
            Speech::Ended { start } => self.speech = Speech::Running { start },
            Speech::Running { .. } => {}
        }
    }

    fn fall_quiet(&mut self, text: &str, account: Account) {
        self.account += account;
        if let Speech::Running { start } = self.speech {
            self.speech = Speech::Ended { start };
        }
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }

    fn end_turn(&mut self, turns: Turns, heard: &mut Vec<Heard>) {
        let Speech::Ended { start } = self.speech else { return };
        self.speech = Speech::None;
        match turns {
            Turns::Manual => {}
            Turns::Detected { .. } => {
                let end = self.position();
                self.mark = end;
                let text = std::mem::take(&mut self.text);
                let utterance = Utterance { text, lasted: end.saturating_sub(start) };
                heard.push(Heard::Stopped { end, utterance });
            }
        }
    }

    /// Takes everything since the last commit as one turn.
    pub(super) fn commit(&mut self) -> Result<Utterance, Complaint> {
        let lasted = self.position().saturating_sub(self.mark);
        if lasted < COMMIT_MIN {
            let message = format!(
                "Error committing input audio buffer: buffer too small. Expected at least \
                 100ms of audio, but buffer only has {}ms of audio.",
                lasted.as_millis()
            );
            return Err(Complaint::new("input_audio_buffer_commit_empty", message));
        }
        let text = self.finish();
        Ok(Utterance { text, lasted })
    }

    /// Forgets everything since the last commit.
    pub(super) fn clear(&mut self) {
        self.finish();
    }

    /// Ends what is being heard here and now.
    fn finish(&mut self) -> String {
        let mut perceived = std::mem::take(&mut self.perceived);
        self.ear.finish(&mut perceived);
        for event in perceived.drain(..) {
            if let Perceived::Quiet { text, account, .. } = event {
                self.fall_quiet(&text, account);
            }
        }
        self.perceived = perceived;
        self.renew_ear();
        self.speech = Speech::None;
        self.mark = self.position();
        std::mem::take(&mut self.text)
    }
}

/// How many samples of digital silence this is, told without decoding: zero bytes of PCM are `A`
/// in base64, 0xFF bytes of µ-law are `/`. Most of what a listener hears is this.
fn silence(audio: &str, format: Format) -> Option<usize> {
    let (character, byte) = match format {
        Format::Pcm24k => (b'A', 0x00),
        Format::Pcmu8k => (b'/', 0xFF),
    };
    let (body, tail) = audio.as_bytes().split_last_chunk::<4>()?;
    if !body.len().is_multiple_of(4) || body.iter().any(|found| *found != character) {
        return None;
    }
    let tail = STANDARD.decode(tail).ok()?;
    let bytes = body.len() / 4 * 3 + tail.len();
    let silent =
        tail.iter().all(|found| *found == byte) && bytes.is_multiple_of(format.sample_bytes());
    silent.then_some(bytes / format.sample_bytes())
}

fn decode(audio: &str, format: Format) -> Result<Vec<i16>, Complaint> {
    let not_audio = || {
        let message = "Invalid 'audio'. Expected base64-encoded audio bytes.";
        Complaint::invalid("audio", message)
    };
    let bytes = STANDARD.decode(audio).map_err(|_| not_audio())?;
    if !bytes.len().is_multiple_of(format.sample_bytes()) {
        return Err(not_audio());
    }
    Ok(format.coding().decode(&bytes))
}

/// The words in the audio of a client's item.
pub(super) fn listen_to(part: &Value, format: Format) -> Result<(String, Duration), Complaint> {
    let samples = decode(wire::text(part, "audio")?, format)?;
    let lasted = format.lasts(samples.len() as u64);
    let mut hearing = Hearing::new(format);
    hearing.ear.push(&samples, Instant::now(), &mut hearing.perceived);
    Ok((hearing.finish(), lasted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::speech::{Rate, Speech, Voice};

    #[test]
    fn silence_is_told_without_decoding() {
        assert_eq!(silence(&STANDARD.encode([0; 960]), Format::Pcm24k), Some(480));
        assert_eq!(silence(&STANDARD.encode([0xFF; 160]), Format::Pcmu8k), Some(160));
        assert_eq!(silence(&STANDARD.encode([0; 961]), Format::Pcm24k), None);
        let mut click = [0; 960];
        for at in [0, 500, 959] {
            click[at] = 1;
            assert_eq!(silence(&STANDARD.encode(click), Format::Pcm24k), None);
            click[at] = 0;
        }
        assert_eq!(silence("", Format::Pcm24k), None);
        assert_eq!(silence("AAA", Format::Pcm24k), None);
    }

    #[test]
    fn a_commit_needs_a_tenth_of_a_second_since_the_last() {
        let mut hearing = Hearing::new(Format::Pcm24k);
        let frame = STANDARD.encode([0; 960]);
        let now = Instant::now();
        for _ in 0..4 {
            hearing.append(&frame, Turns::Manual, now, |_, _| {}).expect("audio");
        }
        let complaint = hearing.commit().expect_err("80 ms are too little");
        assert_eq!(complaint.code, "input_audio_buffer_commit_empty");
        hearing.append(&frame, Turns::Manual, now, |_, _| {}).expect("audio");
        assert_eq!(hearing.commit().expect("100 ms").lasted, Duration::from_millis(100));
        hearing.commit().expect_err("nothing since");
    }

    #[test]
    fn the_audio_of_an_item_is_listened_to() {
        let said = Speech::synthetic_only().render("Good evening.", &Voice::callee(), Rate::Hz8000);
        let audio = Format::Pcmu8k.coding().to_base64(&said.samples);
        let part = serde_json::json!({ "type": "input_audio", "audio": audio });
        assert_eq!(listen_to(&part, Format::Pcmu8k).expect("audio").0, "Good evening.");
        listen_to(&serde_json::json!({}), Format::Pcmu8k).expect_err("no audio");
    }

    #[test]
    fn what_is_no_audio_is_refused() {
        let mut hearing = Hearing::new(Format::Pcm24k);
        for audio in ["no base64", "AAAAA", "AA=="] {
            let refused = hearing.append(audio, Turns::Manual, Instant::now(), |_, _| {});
            assert_eq!(refused.expect_err("no audio").code, "invalid_value");
        }
    }
}
