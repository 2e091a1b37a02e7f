//! Speech from the programs `flite` and `espeak-ng`, where the machine has them. A program gets
//! the text as one argument, never through a shell, and is killed when it takes too long.

use std::io::{Cursor, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use super::{Source, Voice};

/// How long a program may take. A sentence takes it a few hundredths of a second.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most bytes a program may write: two minutes at 22,050 Hz, more than any text gives.
const OUTPUT_MAX: u64 = 6 << 20;

/// The best source this machine has for a text without a clip; looked for once.
///
/// The first call may take a few seconds: it runs each program to see whether it is there.
#[must_use]
pub fn available() -> Source {
    static FOUND: OnceLock<Source> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let runs = |program: &str, ask: &str| output(Command::new(program).arg(ask)).is_some();
        // The list of voices: asked for its version, flite fails.
        if runs("flite", "-lv") {
            Source::Flite
        } else if runs("espeak-ng", "--version") {
            Source::Espeak
        } else {
            Source::Synthetic
        }
    })
}

/// A recording from a program, and how it is sampled.
pub(super) struct Recording {
    pub(super) samples: Vec<f32>,
    pub(super) hz: usize,
    pub(super) source: Source,
}

/// Has the text spoken; nothing when no program does it in time.
pub(super) fn speak(text: &str, voice: &Voice) -> Option<Recording> {
    let source = available();
    let wav = match source {
        Source::Flite => {
            let mut flite = Command::new("flite");
            output(flite.args(["-voice", voice.flite(), "-t", text, "-o", "/dev/stdout"]))
        }
        Source::Espeak => {
            let mut espeak = Command::new("espeak-ng");
            output(espeak.args(["--stdout", "-v", voice.espeak(), "--", text]))
        }
        Source::Clip | Source::Synthetic => None,
    }?;
    let (samples, hz) = read_wav(&wav)?;
    Some(Recording { samples, hz, source })
}

/// What a program writes to its standard output; nothing when it fails or is too slow.
fn output(command: &mut Command) -> Option<Vec<u8>> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = quiet.spawn().ok()?;
    let stdout = child.stdout.take().expect("the output was asked for as a pipe");
    let (done, finished) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(OUTPUT_MAX).read_to_end(&mut bytes);
        // Nobody waits any more when the program was too slow.
        done.send(read.map(|_| bytes)).ok();
    });
    let bytes = finished.recv_timeout(PATIENCE);
    let status = end(&mut child, bytes.is_ok());
    bytes.ok()?.ok().filter(|_| status)
}

/// Collects the program, so that it leaves no zombie; tells whether it ended well by itself.
fn end(child: &mut Child, finished: bool) -> bool {
    if !finished {
        // It fails only for a program that has just ended.
        child.kill().ok();
    }
    // A program that closed its output and lingers is not waited for without end either.
    let pause = Duration::from_millis(5);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(pause),
            Err(_) => return false,
        }
    }
    child.kill().ok();
    child.wait().is_ok_and(|status| status.success())
}

/// The samples of a mono WAV file, and their rate. A program that writes to a pipe cannot know
/// the length it puts into the header, so the samples end where the bytes do.
fn read_wav(bytes: &[u8]) -> Option<(Vec<f32>, usize)> {
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).ok()?;
    let spec = reader.spec();
    if spec.channels != 1 || spec.bits_per_sample != 16 || spec.sample_rate == 0 {
        return None;
    }
    let samples: Vec<f32> = reader.samples::<i16>().map_while(Result::ok).map(f32::from).collect();
    Some((samples, usize::try_from(spec.sample_rate).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_or_fails_gives_nothing() {
        assert_eq!(output(&mut Command::new("no-such-program-anywhere")), None);
        assert_eq!(output(&mut Command::new("false")), None);
        assert_eq!(output(Command::new("echo").arg("a b")), Some(b"a b\n".to_vec()));
    }

    #[test]
    fn a_program_that_hangs_is_ended_in_time() {
        let start = std::time::Instant::now();
        assert_eq!(output(Command::new("sleep").arg("60")), None);
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_wav_whose_header_promises_more_than_there_is_is_read_to_its_end() {
        let mut bytes = Vec::new();
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 22_050,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::new(Cursor::new(&mut bytes), spec).unwrap();
        for sample in 0..100_i16 {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes[40..44].copy_from_slice(&0x7FFF_F000_u32.to_le_bytes());
        let (samples, hz) = read_wav(&bytes).expect("a mono file");
        assert_eq!((samples.len(), hz), (100, 22_050));
        assert!(read_wav(b"RIFF").is_none());
    }
}
