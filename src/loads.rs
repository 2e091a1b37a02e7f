//! Runs of the load test as they lie in a folder: what a run writes there while it goes on and at
//! its end, and how whoever shows them reads it. Knows nothing of how a run is done.
//!
//! Each run has a folder of its own. Whoever writes it holds the folder's lock: a run without a
//! verdict whose lock nobody holds was broken off, however its process ended.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The folder of runs in the data directory.
pub const FOLDER: &str = "loads";

/// How a run stands; written anew once a second.
pub const RUN: &str = "run.json";

/// The report as a page.
pub const PAGE: &str = "report.html";

/// The report of a run that has no page.
pub const TEXT: &str = "report.txt";

/// Runs that are shown: the newest. More is for whoever looks into the folder.
pub const SHOWN: usize = 100;

/// Points of a timeline that are written once a second: more than a graph has pixels for.
pub const POINTS_MAX: usize = 300;

/// Bytes of [`RUN`] that are read: ten times the longest timeline.
const RUN_BYTES: u64 = 512 << 10;

/// Bytes of a report that are read: a hundred times one of an hour.
const REPORT_BYTES: u64 = 32 << 20;

/// Letters of a folder's name.
const NAME_MAX: usize = 64;

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What kind of run it is.
    pub mode: String,
    /// What was asked for, in words.
    pub asked: String,
    /// When it began, in milliseconds since 1970.
    pub began_ms: i64,
    /// When this was written, likewise.
    pub seen_ms: i64,
    /// What is being done.
    pub phase: String,
    /// What was counted.
    pub counts: Counts,
    /// What is tested, second by second; empty when it is over, for the report has it.
    pub timeline: Vec<Tick>,
    /// What it was worth, once it is over.
    pub verdict: Option<Verdict>,
}

/// What a run counts while it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LoadCounts")]
pub struct Counts {
    /// Calls that are up.
    pub live: u64,
    /// Calls that were started.
    pub started: u64,
    /// Calls that are over.
    pub ended: u64,
    /// Calls that were lost.
    pub lost: u64,
    /// Answers that were heard.
    pub turns: u64,
    /// What was not as it had to be.
    pub wrong: u64,
    /// Faults that were injected.
    pub faults: u64,
}

/// The server under test at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LoadTick")]
pub struct Tick {
    /// Seconds since the run began.
    pub at_s: f64,
    /// Calls that are up.
    pub live: u64,
    /// Processor time since the last tick, in percent of one core.
    pub cpu_percent: f64,
    /// Resident memory.
    pub rss_mib: f64,
    /// Open files.
    pub fds: u64,
}

/// What a run was worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LoadVerdict")]
pub struct Verdict {
    /// The word.
    pub word: Word,
    /// What was not met, or why nothing can be said.
    pub why: Vec<String>,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Word {
    /// Every demand was met.
    Passed,
    /// At least one was not.
    Failed,
    /// The run says nothing about what was tested.
    NotValid,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    /// It goes on.
    Running,
    /// It has a verdict.
    Finished,
    /// Its process ended without one.
    BrokenOff,
    /// What lies there is none, or damaged.
    Unreadable,
}

/// What lies in the folder of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name there.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// What it says of itself; or why it cannot be read.
    pub run: Result<Run, String>,
    /// The file of its report, when there is one.
    pub report: Option<&'static str>,
}

/// The folder of runs.
#[derive(Clone, Debug)]
pub struct Loads {
    dir: PathBuf,
}

impl Loads {
    /// The runs in this folder, which may not be there.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The newest of them, newest first.
    ///
    /// # Errors
    /// What the file system says of the folder; what is wrong in it is an entry of its own.
    pub fn newest(&self) -> io::Result<Vec<Entry>> {
        let files = match fs::read_dir(&self.dir) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let name = |file: io::Result<fs::DirEntry>| {
            file.map(|file| file.file_name().to_string_lossy().into_owned())
        };
        let mut names = files.map(name).collect::<io::Result<Vec<String>>>()?;
        // A name begins with the time; what is no name of ours comes last.
        names.sort_by(|one, other| (is_name(other), other).cmp(&(is_name(one), one)));
        names.truncate(SHOWN);
        Ok(names.into_iter().map(|id| self.entry(id)).collect())
    }

    /// The one of this name.
    #[must_use]
    pub fn one(&self, id: &str) -> Option<Entry> {
        let there = is_name(id) && fs::symlink_metadata(self.dir.join(id)).is_ok();
        there.then(|| self.entry(id.to_owned()))
    }

    /// The report of the one of this name, and whether it is a page.
    ///
    /// # Errors
    /// Why there is none, for a person.
    pub fn report(&self, id: &str) -> Result<(&'static str, Vec<u8>), String> {
        let entry = self.one(id).ok_or("there is no such run")?;
        let file = entry.report.ok_or("it has no report, or none yet")?;
        Ok((file, read(&self.dir.join(id).join(file), REPORT_BYTES)?))
    }

    fn entry(&self, id: String) -> Entry {
        let folder = self.dir.join(&id);
        let none = |why: &str| Entry {
            id: id.chars().take(NAME_MAX).collect(),
            state: State::Unreadable,
            run: Err(why.to_owned()),
            report: None,
        };
        if !is_name(&id) {
            return none("this is not the name of a run");
        }
        if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
            return none("this is not the folder of a run");
        }
        // Before the reading: a run that ends meanwhile has written its verdict by then.
        let is_held = is_held(&folder);
        let text = match read(&folder.join(RUN), RUN_BYTES) {
            Ok(text) => text,
            Err(why) => return none(&format!("{RUN}: {why}")),
        };
        let run: Run = match serde_json::from_slice(&text) {
            Ok(run) => run,
            Err(error) => return none(&format!("{RUN} is damaged: {error}")),
        };
        let state = match (&run.verdict, is_held) {
            (Some(_), _) => State::Finished,
            (None, true) => State::Running,
            (None, false) => State::BrokenOff,
        };
        let is_there = |file: &&str| {
            fs::symlink_metadata(folder.join(file)).is_ok_and(|found| found.is_file())
        };
        let report = [PAGE, TEXT].into_iter().find(is_there);
        Entry { id, state, run: Ok(run), report }
    }
}

/// Makes the folder of a run, and holds it until the file is dropped.
///
/// # Errors
/// What the file system says.
pub fn hold(folder: &Path) -> io::Result<File> {
    crate::store::make_private(folder)?;
    let held = File::open(folder)?;
    held.lock()?;
    Ok(held)
}

fn is_held(folder: &Path) -> bool {
    let Ok(folder) = File::open(folder) else { return false };
    matches!(folder.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Names that cannot lead anywhere else.
fn is_name(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !id.is_empty() && id.len() <= NAME_MAX && id.chars().all(plain)
}

/// A file that is one, and not too long.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: io::Error| format!("it cannot be read: {error}");
    if !fs::symlink_metadata(path).map_err(cannot)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(cannot)?.take(most + 1).read_to_end(&mut bytes).map_err(cannot)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= most => Ok(bytes),
        Ok(_) | Err(_) => Err(format!("it is longer than {most} bytes")),
    }
}
