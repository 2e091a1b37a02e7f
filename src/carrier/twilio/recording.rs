//! Recordings that Twilio makes of calls: ordered when a call's first media comes, fetched when
//! Twilio says that one is complete, kept beside our own. A call never waits for any of it.
//!
//! One that is told of while no server runs, or long after the call, stays at Twilio.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tandem_actors::briefing::CallId;
use tandem_actors::carrier::CarrierCallId;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, watch};

use super::form::Form;
use super::rest::{Rest, RestError};
use crate::recording::{BadName, Recordings};

/// Files fetched at once; the others wait. More would take the line from live calls.
const AT_ONCE: usize = 4;

/// The longest file: over four hours of both sides at 8 kHz.
const LONGEST: u64 = 512 * 1024 * 1024;

/// Before a file is asked for again, once for each: Twilio may tell of it a moment too early.
const AGAIN: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(20)];

/// What Twilio says of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is complete, under this name.
    Complete(String),
    /// There is none; in Twilio's word.
    None(String),
}

/// Reads a recording status callback; nothing when it is none. Of the address that it holds
/// nothing is taken.
#[must_use]
pub fn read(form: &Form) -> Option<Told> {
    let name = form.get("RecordingSid")?;
    match form.get("RecordingStatus")? {
        "completed" => Some(Told::Complete(name.to_owned())),
        other => Some(Told::None(other.to_owned())),
    }
}

/// Why a recording is not here.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Rest(#[from] RestError),
    #[error("it broke off: {0}")]
    Broken(String),
    #[error("it is longer than {LONGEST} bytes; it stays at Twilio")]
    TooLong,
    #[error("it cannot be written: {0}")]
    Disk(#[from] io::Error),
    #[error(transparent)]
    Name(#[from] BadName),
}

/// Orders recordings and fetches them; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Keeper(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rest: Rest,
    recordings: Recordings,
    turns: Semaphore,
    /// Calls whose file is on its way: Twilio may tell of it twice.
    coming: Mutex<BTreeSet<CallId>>,
    kept: watch::Sender<u64>,
}

impl Keeper {
    /// Keeps what it fetches among these.
    pub(super) fn new(rest: Rest, recordings: Recordings) -> Self {
        let (turns, coming, kept) =
            (Semaphore::new(AT_ONCE), Mutex::default(), watch::Sender::new(0));
        Self(Arc::new(Inner { rest, recordings, turns, coming, kept }))
    }

    /// Lets Twilio record a call. Where it does not, the call goes on.
    pub(super) fn begin(&self, call: &CallId, name: &CarrierCallId, events: String) {
        let (inner, call, name) = (Arc::clone(&self.0), call.clone(), name.clone());
        drop(tokio::spawn(async move {
            if let Err(error) = inner.rest.record(&name, &events).await {
                tracing::warn!(%call, %error, "twilio does not record the call");
            }
        }));
    }

    /// Takes what Twilio says of a call's recording.
    pub(super) fn hear(&self, call: &CallId, told: Told) {
        let (inner, call) = (Arc::clone(&self.0), call.clone());
        let name = match told {
            Told::Complete(name) => name,
            Told::None(word) => {
                return tracing::warn!(%call, word, "twilio has no recording of the call");
            }
        };
        if !inner.coming().insert(call.clone()) {
            return;
        }
        drop(tokio::spawn(async move {
            match inner.keep(&call, &name).await {
                Ok(new) => inner.kept.send_modify(|kept| *kept += u64::from(new)),
                Err(error) => tracing::error!(%call, %error, "twilio's recording is not here"),
            }
            inner.coming().remove(&call);
        }));
    }

    /// How many have been fetched since the start.
    pub(super) fn kept(&self) -> watch::Receiver<u64> {
        self.0.kept.subscribe()
    }
}

impl Inner {
    fn coming(&self) -> std::sync::MutexGuard<'_, BTreeSet<CallId>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was not here before.
    async fn keep(&self, call: &CallId, name: &str) -> Result<bool, Lost> {
        let path = self.recordings.twilios(call)?;
        if fs::try_exists(&path).await? {
            return Ok(false);
        }
        let _turn = self.turns.acquire().await.expect("nobody closes it");
        let mut pauses = AGAIN.into_iter();
        loop {
            match (self.fetch(name, &path).await, pauses.next()) {
                (Err(error @ (Lost::Rest(_) | Lost::Broken(_))), Some(pause)) => {
                    tracing::debug!(%call, %error, "twilio's recording is asked for again");
                    tokio::time::sleep(pause).await;
                }
                (fetched, _) => return fetched.map(|()| true),
            }
        }
    }

    /// Writes beside its place and moves it there when it is whole.
    async fn fetch(&self, name: &str, path: &Path) -> Result<(), Lost> {
        let half = Half(path.with_extension("part"));
        let mut answer = self.rest.recording(name).await?;
        if answer.content_length().is_some_and(|length| length > LONGEST) {
            return Err(Lost::TooLong);
        }
        let mut file = File::create(&half.0).await?;
        let mut length = 0;
        let broken = |error: reqwest::Error| Lost::Broken(error.without_url().to_string());
        while let Some(piece) = answer.chunk().await.map_err(broken)? {
            length += piece.len() as u64;
            if length > LONGEST {
                return Err(Lost::TooLong);
            }
            file.write_all(&piece).await?;
        }
        file.sync_all().await?;
        fs::rename(&half.0, path).await?;
        Ok(())
    }
}

/// A file that is not whole; gone when dropped.
struct Half(PathBuf);

impl Drop for Half {
    fn drop(&mut self) {
        // It may have been moved to its place, or never been made.
        std::fs::remove_file(&self.0).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use tempfile::TempDir;

    use super::*;
    use crate::carrier::twilio::rest::tests::{answering, rest};

    fn keeper(url: &str) -> (Keeper, TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let recordings = Recordings::new(dir.path()).unwrap();
        (Keeper::new(rest(url, "token"), recordings), dir)
    }

    async fn fetched(answer: &'static str) -> (Result<(), Lost>, usize, usize) {
        let (url, asked) = answering(answer).await;
        let (keeper, dir) = keeper(&url);
        let fetched = keeper.0.fetch("RE00", &dir.path().join("c.twilio.wav")).await;
        let files = std::fs::read_dir(dir.path()).unwrap().count();
        (fetched, asked.load(Ordering::SeqCst), files)
    }

    #[test]
    fn of_a_callback_the_name_counts_and_no_address() {
        let read_text = |text: &str| read(&Form::read(text.as_bytes()));
        let complete = "CallSid=CA00&RecordingSid=RE00&RecordingStatus=completed\
                        &RecordingUrl=https%3A%2F%2Fevil.example%2F";
        assert_eq!(read_text(complete), Some(Told::Complete("RE00".to_owned())));
        let absent = "RecordingSid=RE00&RecordingStatus=absent";
        assert_eq!(read_text(absent), Some(Told::None("absent".to_owned())));
        assert_eq!(read_text("CallSid=CA00&CallStatus=completed"), None);
    }

    #[tokio::test]
    async fn a_file_that_is_whole_is_kept_and_a_half_one_is_not() {
        let (whole, _, files) = fetched("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nRIFF").await;
        assert!(whole.is_ok() && files == 1, "{whole:?}");
        let (half, _, files) = fetched("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nRIFF").await;
        assert!(matches!(half, Err(Lost::Broken(_))) && files == 0, "{half:?}");
    }

    #[tokio::test]
    async fn a_file_beyond_the_bound_and_one_that_lies_elsewhere_are_left_there() {
        let long = "HTTP/1.1 200 OK\r\ncontent-length: 536870913\r\n\r\nRIFF";
        let (long, _, files) = fetched(long).await;
        assert!(matches!(long, Err(Lost::TooLong)) && files == 0, "{long:?}");
        let elsewhere = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\n\r\n";
        let (moved, asked, files) = fetched(elsewhere).await;
        let Err(Lost::Rest(RestError::Unknown(why))) = moved else { panic!("{moved:?}") };
        assert_eq!((why.as_str(), asked, files), ("status 302", 1, 0));
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_is_not_asked_for() {
        let (url, asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        for name in ["", "../Calls", "RE00?", "RE00/../x"] {
            let error = rest(&url, "token").recording(name).await.unwrap_err();
            assert!(matches!(error, RestError::NotSent(_)), "{name}: {error}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }
}
