//! Recordings of calls as WAV files, caller left, agent right. A call that is recorded never waits
//! for the disk: what finds no room on the way there is dropped, counted and silent in the file.

pub mod fetch;
pub mod live;
mod mix;
mod reel;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, mem};

use tandem_actors::audio::{Format, Payload};
use tandem_actors::briefing::CallId;
use tandem_actors::tape::Tape;
use tokio::sync::{mpsc, watch};

use mix::Told;
use reel::Reel;

/// Runs told in one go: one wake-up of the writer for these instead of one each, some 300 ms of
/// both sides.
const BATCH_RUNS: usize = 32;

/// Batches on their way to the disk: five seconds of a call, some 650 kB at 24 kHz.
const BATCHES_MAX: usize = 16;

/// Characters of a call id that may name a file.
const NAME_MAX: usize = 128;

/// The folder of recordings in the data directory.
pub const FOLDER: &str = "recordings";

/// The directory of recordings.
#[derive(Clone, Debug)]
pub struct Recordings {
    dir: Arc<Path>,
    /// Recordings being written, by call; each tells when its file is complete.
    open: Arc<Mutex<HashMap<CallId, watch::Receiver<()>>>>,
}

/// The call's id cannot name a file: only letters, digits, `-` and `_` can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call's id cannot name a recording")]
pub struct BadName;

impl Recordings {
    /// Recordings in `dir`, which is made if there is none.
    pub fn new(dir: &Path) -> io::Result<Self> {
        crate::store::make_private(dir)?;
        Ok(Self { dir: dir.into(), open: Arc::default() })
    }

    /// Begins the recording of a call, or goes on behind the end of the one there is: a call that
    /// is restarted keeps what was recorded.
    ///
    /// Must be called within a Tokio runtime, which the writer runs on.
    pub fn tape(&self, call: &CallId, format: Format) -> Result<Box<dyn Tape>, BadName> {
        let path = self.path(call)?;
        let (batches, told) = mpsc::channel(BATCHES_MAX);
        let (complete, completed) = watch::channel(());
        let predecessor = self.lock_open().insert(call.clone(), completed.clone());
        let this = self.clone();
        let call = call.clone();
        tokio::spawn(async move {
            if let Some(mut predecessor) = predecessor {
                // Ends with an error, when the predecessor's sender is dropped.
                predecessor.changed().await.ok();
            }
            Reel::new(call.clone(), path, format).run(told).await;
            this.forget(&call, &completed);
            drop(complete);
        });
        Ok(Box::new(Head { batches, batch: Vec::new(), batch_from: Duration::ZERO, dropped: 0 }))
    }

    /// Where a call's recording is or would be.
    pub fn path(&self, call: &CallId) -> Result<PathBuf, BadName> {
        let name: &str = &call.0;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
            return Err(BadName);
        }
        Ok(self.dir.join(format!("{name}.wav")))
    }

    /// Where a recording that a carrier made of a call is or would be: beside our own, and it
    /// ends in `ending` (`twilio.wav`).
    pub fn theirs(&self, call: &CallId, ending: &str) -> Result<PathBuf, BadName> {
        Ok(self.path(call)?.with_extension(ending))
    }

    /// Removes every file of a call, ours and those that its carrier made.
    ///
    /// # Errors
    /// What the file system says; some may be gone then.
    pub async fn remove(&self, call: &CallId) -> io::Result<()> {
        // A name that no file can have has none.
        let Ok(path) = self.path(call) else { return Ok(()) };
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let begins = format!("{}.", stem.unwrap_or_default());
        let mut files = tokio::fs::read_dir(&*self.dir).await?;
        while let Some(file) = files.next_entry().await? {
            if file.file_name().to_string_lossy().starts_with(&begins) {
                tokio::fs::remove_file(file.path()).await?;
            }
        }
        Ok(())
    }

    /// Returns when the file of a call is complete: its tape dropped, everything written. At once
    /// when nothing is being recorded.
    pub async fn finished(&self, call: &CallId) {
        let open = self.lock_open().get(call).cloned();
        if let Some(mut open) = open {
            // Nothing is ever sent: the sender is dropped when the file is complete.
            open.changed().await.ok();
        }
    }

    /// A successor's entry stays.
    fn forget(&self, call: &CallId, completed: &watch::Receiver<()>) {
        let mut open = self.lock_open();
        if open.get(call).is_some_and(|held| held.same_channel(completed)) {
            open.remove(call);
        }
    }

    /// The map is whole between any two statements, so that a panic elsewhere does not spoil it.
    fn lock_open(&self) -> std::sync::MutexGuard<'_, HashMap<CallId, watch::Receiver<()>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch of what was told, and how many runs before it found no room.
struct Batch {
    runs: Vec<Told>,
    dropped: u64,
}

/// The end of a recording that a call holds.
struct Head {
    batches: mpsc::Sender<Batch>,
    batch: Vec<Told>,
    batch_from: Duration,
    dropped: u64,
}

/// A batch is sent at the latest when it spans this much, so that the file keeps up.
const BATCH_SPAN: Duration = Duration::from_millis(500);

impl Tape for Head {
    fn heard(&mut self, at: Duration, audio: &Payload) {
        // A copy of its own: the payload may lie in a socket's whole read buffer.
        self.tell(at, Told::Heard { at, audio: audio.compact() });
    }

    fn played(&mut self, at: Duration, audio: &Payload) {
        self.tell(at, Told::Played { at, audio: audio.compact() });
    }

    fn flushed(&mut self, at: Duration) {
        self.tell(at, Told::Flushed { at });
    }

    fn passed(&mut self, at: Duration) {
        self.tell(at, Told::Passed { at });
    }

    /// The file is wanted to the end of the call.
    fn is_over(&self) -> bool {
        false
    }
}

impl Head {
    fn tell(&mut self, at: Duration, told: Told) {
        if self.batch.is_empty() {
            self.batch_from = at;
        }
        self.batch.push(told);
        let spans = at.saturating_sub(self.batch_from);
        if self.batch.len() >= BATCH_RUNS || spans >= BATCH_SPAN {
            self.send();
        }
    }

    fn send(&mut self) {
        let runs = mem::take(&mut self.batch);
        let count = runs.len() as u64;
        let batch = Batch { runs, dropped: self.dropped };
        match self.batches.try_send(batch) {
            Ok(()) => self.dropped = 0,
            Err(_) => self.dropped += count,
        }
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        if !self.batch.is_empty() {
            self.send();
        }
    }
}
