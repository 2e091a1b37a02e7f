//! The writer of one recording: a task that mixes what it is told and writes it in the blocking
//! pool, a second at a time, header included, so that a file is readable whenever the process dies.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use tandem_actors::audio::Format;
use tandem_actors::briefing::CallId;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::Batch;
use super::mix::{Mix, Told};

/// Written at once, in samples of both sides: a second at 24 kHz, three at 8 kHz. What a killed
/// process loses is this and the mix's window.
const WRITE_SAMPLES: usize = 48_000;

/// The last second can still change.
const WINDOW: Duration = Duration::from_secs(1);

/// The longest recording in bytes: a WAV's sizes are 32-bit, and half of that is over six hours.
const FILE_MAX_BYTES: u64 = 2_000_000_000;

/// Why a recording stops.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("{0}")]
    Disk(#[from] hound::Error),
    #[error("the file has reached its longest")]
    TooLong,
    #[error("the file there is of another format")]
    OtherFormat,
    #[error("its writer was stopped")]
    Abandoned,
}

type Writer = WavWriter<BufWriter<File>>;

/// A recording on its way to its file.
pub(super) struct Reel {
    call: CallId,
    path: PathBuf,
    format: Format,
}

impl Reel {
    pub(super) fn new(call: CallId, path: PathBuf, format: Format) -> Self {
        Self { call, path, format }
    }

    /// Writes until the tape is dropped; on a fault of the disk it stops and says so once.
    pub(super) async fn run(self, mut told: mpsc::Receiver<Batch>) {
        let mut dropped = 0;
        let unplaced = match self.write_all(&mut told, &mut dropped).await {
            Ok(unplaced) => unplaced,
            Err(error) => {
                tracing::error!(call = %self.call, %error, "the recording stops; the call goes on");
                return;
            }
        };
        if dropped > 0 || unplaced > 0 {
            tracing::warn!(call = %self.call, dropped, unplaced, "the recording has holes");
        }
    }

    async fn write_all(
        &self,
        told: &mut mpsc::Receiver<Batch>,
        dropped: &mut u64,
    ) -> Result<u64, Stopped> {
        // What is never recorded has no file.
        let Some(mut next) = told.recv().await else { return Ok(0) };
        // It begins when it is told of first: with the audio, or when it may.
        let start = next.runs.first().map_or(Duration::ZERO, Told::begins);
        let mut mix = Mix::new(self.format, WINDOW, start);
        let (path, spec) = (self.path.clone(), spec(self.format));
        let mut writer = blocking(move || open(&path, spec)).await?;
        let mut ready = Vec::new();
        loop {
            let batch = next;
            *dropped += batch.dropped;
            for run in batch.runs {
                if !mix.reach(&run) {
                    continue;
                }
                while mix.give_out(&mut ready, WRITE_SAMPLES) {
                    (writer, ready) = write(writer, ready).await?;
                }
                mix.place(&run);
            }
            match told.recv().await {
                Some(batch) => next = batch,
                None => break,
            }
        }
        mix.finish();
        while mix.give_out(&mut ready, WRITE_SAMPLES) {
            (writer, ready) = write(writer, ready).await?;
        }
        (writer, _) = write(writer, ready).await?;
        blocking(move || Ok(writer.finalize()?)).await?;
        Ok(mix.unplaced())
    }
}

fn spec(format: Format) -> WavSpec {
    WavSpec {
        channels: 2,
        sample_rate: format.rate_hz(),
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    }
}

/// A new file, or the end of the one that is there, if it is of the same kind.
fn open(path: &Path, spec: WavSpec) -> Result<Writer, Stopped> {
    let there = std::fs::metadata(path).map_or(0, |data| data.len());
    if there > 0 {
        let writer = WavWriter::append(path)?;
        return if writer.spec() == spec { Ok(writer) } else { Err(Stopped::OtherFormat) };
    }
    let mut writer = WavWriter::create(path, spec)?;
    writer.flush()?;
    Ok(writer)
}

/// Writes all of it and the header; gives the emptied buffer back.
async fn write(mut writer: Writer, mut samples: Vec<i16>) -> Result<(Writer, Vec<i16>), Stopped> {
    blocking(move || {
        let bytes = (u64::from(writer.len()) + samples.len() as u64) * 2;
        if bytes > FILE_MAX_BYTES {
            return Err(Stopped::TooLong);
        }
        for &sample in &samples {
            writer.write_sample(sample)?;
        }
        writer.flush()?;
        samples.clear();
        Ok((writer, samples))
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
) -> Result<T, Stopped> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        // The runtime shuts down, or our own code panicked: either way nothing more is written.
        Err(_) => Err(Stopped::Abandoned),
    }
}
