//! From a directory to a desk that can be written at: lock, check, connect, migrate, count the run.
//! Refuses with words that say what is wrong, with which file, and what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use super::desk::{Desk, Tenure};
use super::fault::{Fault, fault};
use super::lock::{DirLock, NoLock};

/// How long a statement waits for another program (a backup) to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Readers at once: more would only wait for the same disk.
const READERS_MAX: u32 = 4;

/// How long a reader waits for its turn before the answer is an error.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// Files up to this size are checked page by page at every start, which takes under a second; in
/// larger ones damage is found when a damaged page is read.
const CHECKED_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Why the record cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on it.
    #[error(
        "another process uses the data directory {0}; stop it, or give this one its own directory"
    )]
    InUse(PathBuf),
    /// The directory cannot be used.
    #[error("the data directory {dir} cannot be used ({what}); check that it exists and is ours")]
    Directory {
        /// Which.
        dir: PathBuf,
        /// What was seen.
        what: io::Error,
    },
    /// The file is no database, or damaged.
    #[error(
        "the record {0} is damaged; restore it from a backup, or move it away to begin a new one"
    )]
    Damaged(PathBuf),
    /// A later version has written it.
    #[error("the record {0} was written by a newer version; run that version or a later one")]
    Newer(PathBuf),
    /// Anything else.
    #[error("the record {file} cannot be opened: {what}")]
    Failed {
        /// Which.
        file: PathBuf,
        /// What was seen.
        what: String,
    },
}

/// What an opened record consists of.
pub(super) struct Opening {
    pub(super) desk: Desk,
    pub(super) readers: SqlitePool,
}

/// Makes the directory if there is none, for us alone, and locks it.
pub(super) fn lock(dir: &Path) -> Result<DirLock, OpenError> {
    make_private(dir).map_err(|what| OpenError::Directory { dir: dir.to_owned(), what })?;
    DirLock::take(dir).map_err(|error| match error {
        NoLock::Taken => OpenError::InUse(dir.to_owned()),
        NoLock::Io(what) => OpenError::Directory { dir: dir.to_owned(), what },
    })
}

/// A directory that others on the machine cannot look into: it holds what people said.
pub(crate) fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Opens the record in `dir` for a new run of `node`.
pub(super) async fn open(dir: &Path, node: &str) -> Result<Opening, OpenError> {
    let file = dir.join("tandem.db");
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged promise survives a power cut; batches make the fsync cheap.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // What is forgotten is not to be found on the disk.
        .pragma("secure_delete", "ON")
        .disable_statement_logging();
    let failed = |error: sqlx::Error| refusal(&file, &error);
    let mut conn = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    check(&mut conn, &file).await?;
    migrate(&mut conn, &file).await?;
    let tenure = begin_run(&mut conn, node).await.map_err(failed)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(READER_TIMEOUT)
        .connect_lazy_with(options.clone().create_if_missing(false).read_only(true));
    Ok(Opening { desk: Desk::new(conn, tenure, options), readers })
}

async fn check(conn: &mut SqliteConnection, file: &Path) -> Result<(), OpenError> {
    let size = std::fs::metadata(file).map_or(0, |data| data.len());
    if size > CHECKED_MAX_BYTES {
        return Ok(());
    }
    let seen: Result<String, sqlx::Error> =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(conn).await;
    match seen {
        Ok(word) if word == "ok" => Ok(()),
        Ok(_) => Err(OpenError::Damaged(file.to_owned())),
        Err(error) => Err(refusal(file, &error)),
    }
}

async fn migrate(conn: &mut SqliteConnection, file: &Path) -> Result<(), OpenError> {
    let Err(error) = sqlx::migrate!("src/store/migrations").run(conn).await else {
        return Ok(());
    };
    if let MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) = error {
        return Err(OpenError::Newer(file.to_owned()));
    }
    if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = &error {
        return Err(refusal(file, error));
    }
    Err(OpenError::Failed { file: file.to_owned(), what: error.to_string() })
}

/// Counts this run of the node; from here on the writes of its earlier runs are stale.
async fn begin_run(conn: &mut SqliteConnection, node: &str) -> Result<Tenure, sqlx::Error> {
    let mut run = conn.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "INSERT INTO nodes (node, epoch, started_ms, beat_ms) VALUES ($1, 1, $2, $2) \
         ON CONFLICT (node) DO UPDATE SET epoch = nodes.epoch + 1, \
         started_ms = excluded.started_ms, beat_ms = excluded.beat_ms",
    )
    .bind(node)
    .bind(jiff::Timestamp::now().as_millisecond())
    .execute(&mut *run)
    .await?;
    let epoch = sqlx::query_scalar("SELECT epoch FROM nodes WHERE node = $1")
        .bind(node)
        .fetch_one(&mut *run)
        .await?;
    run.commit().await?;
    Ok(Tenure { node: node.to_owned(), epoch })
}

fn refusal(file: &Path, error: &sqlx::Error) -> OpenError {
    let file = file.to_owned();
    match fault(error) {
        Some(Fault::Damaged) => OpenError::Damaged(file),
        Some(fault) => OpenError::Failed { file, what: fault.to_string() },
        None => OpenError::Failed { file, what: error.to_string() },
    }
}
