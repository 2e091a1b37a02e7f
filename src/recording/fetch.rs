//! Recordings that a carrier made, on their way from the carrier to a place beside our own. A
//! call never waits for any of it. Knows no carrier, only how one is asked for a file.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Response;
use tandem_actors::briefing::CallId;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, watch};

use super::{BadName, Recordings};

/// Files fetched at once; the others wait. More would take the line from live calls.
const AT_ONCE: usize = 4;

/// The longest file: over four hours of both sides at 8 kHz, over two at 16 kHz.
const LONGEST: u64 = 512 * 1024 * 1024;

/// Before a file is asked for again, once for each: a carrier may tell of it a moment too early.
const AGAIN: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(20)];

/// The carrier does not give a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotGiven {
    /// In the carrier's words, fit for a log.
    pub why: String,
    /// Whether it may give the file later.
    pub may_pass: bool,
}

/// Why a recording is not here.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// It was not given.
    #[error("{}", .0.why)]
    NotGiven(NotGiven),
    /// It broke off; there is no half of it.
    #[error("it broke off: {0}")]
    Broken(String),
    /// It is left where it is.
    #[error("it is longer than {LONGEST} bytes; it stays at the carrier")]
    TooLong,
    /// Our own disk.
    #[error("it cannot be written: {0}")]
    Disk(#[from] io::Error),
    /// Our own name for the call.
    #[error(transparent)]
    Name(#[from] BadName),
}

impl Lost {
    /// Whether asking again helps.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::NotGiven(no) => no.may_pass,
            Self::Broken(_) | Self::Disk(_) => true,
            Self::TooLong | Self::Name(_) => false,
        }
    }
}

/// What became of an errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The file is here now.
    New,
    /// It was here before.
    Before,
    /// Somebody else is on the way for it.
    Coming,
}

/// Fetches files; cheap to clone, all clones share the line.
#[derive(Clone, Debug)]
pub struct Fetcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    recordings: Recordings,
    turns: Semaphore,
    /// Files on their way: a carrier may tell of one twice.
    coming: Mutex<BTreeSet<PathBuf>>,
    kept: watch::Sender<u64>,
}

/// A file on its way; not any more when dropped.
struct Errand<'a> {
    inner: &'a Inner,
    path: PathBuf,
}

impl Drop for Errand<'_> {
    fn drop(&mut self) {
        self.inner.coming().remove(&self.path);
    }
}

impl Fetcher {
    /// Keeps what it fetches among these.
    #[must_use]
    pub fn new(recordings: Recordings) -> Self {
        let (turns, coming, kept) =
            (Semaphore::new(AT_ONCE), Mutex::default(), watch::Sender::new(0));
        Self(Arc::new(Inner { recordings, turns, coming, kept }))
    }

    /// Fetches a file of a call, which then lies beside our own recording and ends in `ending`
    /// (`twilio.wav`). `ask` asks the carrier, anew each time.
    ///
    /// # Errors
    /// [`Lost`], after the last attempt.
    pub async fn fetch<F>(
        &self,
        call: &CallId,
        ending: &str,
        ask: impl Fn() -> F,
    ) -> Result<Fetched, Lost>
    where
        F: Future<Output = Result<Response, NotGiven>>,
    {
        let inner = &*self.0;
        let path = inner.recordings.theirs(call, ending)?;
        if !inner.coming().insert(path.clone()) {
            return Ok(Fetched::Coming);
        }
        let errand = Errand { inner, path };
        if fs::try_exists(&errand.path).await? {
            return Ok(Fetched::Before);
        }
        let _turn = inner.turns.acquire().await.expect("nobody closes it");
        let mut pauses = AGAIN.into_iter();
        loop {
            match (attempt(&ask, &errand.path).await, pauses.next()) {
                (Ok(()), _) => break,
                (Err(error @ (Lost::NotGiven(_) | Lost::Broken(_))), Some(pause))
                    if error.may_pass() =>
                {
                    tracing::debug!(%call, %error, "a carrier's recording is asked for again");
                    tokio::time::sleep(pause).await;
                }
                (Err(error), _) => return Err(error),
            }
        }
        inner.kept.send_modify(|kept| *kept += 1);
        Ok(Fetched::New)
    }

    /// How many have been fetched since the start.
    #[must_use]
    pub fn kept(&self) -> watch::Receiver<u64> {
        self.0.kept.subscribe()
    }
}

impl Inner {
    fn coming(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes beside its place and moves it there when it is whole.
async fn attempt<F>(ask: &impl Fn() -> F, path: &Path) -> Result<(), Lost>
where
    F: Future<Output = Result<Response, NotGiven>>,
{
    let mut answer = ask().await.map_err(Lost::NotGiven)?;
    if answer.content_length().is_some_and(|length| length > LONGEST) {
        return Err(Lost::TooLong);
    }
    let half = Half(path.with_extension("part"));
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tempfile::TempDir;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// Answers every connection with the next of these, in HTTP, and closes it.
    async fn answering(answers: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&asked);
        drop(tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answers[seen.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
                let _read = stream.read(&mut [0; 2_048]).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }));
        (url, asked)
    }

    fn fetcher() -> (Fetcher, TempDir) {
        let dir = tempfile::tempdir().unwrap();
        (Fetcher::new(Recordings::new(dir.path()).unwrap()), dir)
    }

    async fn given(url: &str) -> Result<Response, NotGiven> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(url).send().await;
        let answer = answer.and_then(Response::error_for_status);
        answer.map_err(|error| NotGiven { why: error.to_string(), may_pass: true })
    }

    fn names(dir: &TempDir) -> Vec<String> {
        let files = std::fs::read_dir(dir.path()).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nRIFF";
    const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nRIFF";
    const LONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 536870913\r\n\r\nRIFF";

    #[tokio::test]
    async fn a_file_that_is_whole_is_kept_and_not_asked_for_again() {
        let (url, asked) = answering(&[WHOLE]).await;
        let (fetcher, dir) = fetcher();
        let call = CallId::new("c-1");
        let fetch = || fetcher.fetch(&call, "acs.1.wav", || given(&url));
        assert_eq!(fetch().await.unwrap(), Fetched::New);
        assert_eq!(fetch().await.unwrap(), Fetched::Before);
        assert_eq!((names(&dir), *fetcher.kept().borrow()), (vec!["c-1.acs.1.wav".to_owned()], 1));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let (one, other) = tokio::join!(
            fetcher.fetch(&call, "acs.wav", || given(&url)),
            fetcher.fetch(&call, "acs.wav", || given(&url)),
        );
        assert_eq!((one.unwrap(), other.unwrap()), (Fetched::New, Fetched::Coming));
        assert_eq!(asked.load(Ordering::SeqCst), 2, "told twice, fetched once");
    }

    #[tokio::test]
    async fn a_half_file_leaves_nothing_behind() {
        let (url, _) = answering(&[HALF]).await;
        let dir = tempfile::tempdir().unwrap();
        let error = attempt(&|| given(&url), &dir.path().join("c.wav")).await.unwrap_err();
        assert!(matches!(error, Lost::Broken(_)) && error.may_pass(), "{error}");
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
        assert!(names(&dir).is_empty());
    }

    #[tokio::test]
    async fn a_file_beyond_the_bound_is_left_where_it_is() {
        let (url, asked) = answering(&[LONG]).await;
        let (fetcher, dir) = fetcher();
        let error = fetcher.fetch(&CallId::new("c"), "acs.wav", || given(&url)).await.unwrap_err();
        assert!(matches!(error, Lost::TooLong) && !error.may_pass(), "{error}");
        assert_eq!((names(&dir).len(), asked.load(Ordering::SeqCst)), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_broke_off_is_asked_for_again_as_a_whole() {
        let (url, asked) = answering(&[HALF, WHOLE]).await;
        let (fetcher, dir) = fetcher();
        let fetched = fetcher.fetch(&CallId::new("c"), "acs.wav", || given(&url)).await;
        assert_eq!((fetched.unwrap(), asked.load(Ordering::SeqCst)), (Fetched::New, 2));
        assert_eq!(std::fs::read(dir.path().join("c.acs.wav")).unwrap(), b"RIFF");
        assert_eq!(names(&dir).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_of_a_moment_too_early_is_asked_for_twice_more() {
        let (fetcher, _dir) = fetcher();
        let asked = AtomicUsize::new(0);
        let ask = async |may_pass: bool| {
            asked.store(0, Ordering::SeqCst);
            let ask = || async {
                asked.fetch_add(1, Ordering::SeqCst);
                Err(NotGiven { why: "status 404".to_owned(), may_pass })
            };
            let error = fetcher.fetch(&CallId::new("c"), "acs.wav", ask).await.unwrap_err();
            assert_eq!(error.to_string(), "status 404");
            asked.load(Ordering::SeqCst)
        };
        assert_eq!(ask(true).await, 3);
        assert_eq!(ask(false).await, 1, "the errand before is over");
    }
}
