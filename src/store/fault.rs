//! What can be wrong with the storage below the record, sorted by what an operator does about it.
//! Knows SQLite's result codes, so that nothing else has to.

use tandem_actors::record::RecordError;

/// Why nothing can be written at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No space; writing goes on by itself when there is some.
    #[error("the disk is full")]
    Full,
    /// Another program holds the file; writing goes on when it lets go.
    #[error("another program holds the database file")]
    Locked,
    /// The file's content is not what was written.
    #[error("the database file is damaged")]
    Damaged,
    /// The file or its directory is not ours to write.
    #[error("the database file cannot be written")]
    Unwritable,
    /// The device failed, or the connection to the file did.
    #[error("reading or writing the database file failed")]
    Io,
}

/// Why an order could not be carried out.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This order alone: it contradicts what is written.
    Refused(RecordError),
    /// The storage: everything in the same transaction is undone.
    Fault(Fault),
}

impl Trouble {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(RecordError(why.into()))
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        match fault(&error) {
            Some(fault) => Self::Fault(fault),
            None => Self::Refused(RecordError(error.to_string())),
        }
    }
}

/// The fault behind an error; none when the order itself was wrong.
pub(super) fn fault(error: &sqlx::Error) -> Option<Fault> {
    let lost = matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
    );
    if lost {
        return Some(Fault::Io);
    }
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    // The low byte is the primary result code (sqlite.org/rescode.html).
    match code & 0xff {
        13 => Some(Fault::Full),
        5 | 6 => Some(Fault::Locked),
        11 | 26 => Some(Fault::Damaged),
        3 | 8 | 14 | 23 => Some(Fault::Unwritable),
        7 | 10 => Some(Fault::Io),
        _ => None,
    }
}

/// An error of reading, in words fit for a log.
pub(super) fn unread(error: &sqlx::Error) -> RecordError {
    match fault(error) {
        Some(fault) => RecordError(fault.to_string()),
        None => RecordError(error.to_string()),
    }
}
