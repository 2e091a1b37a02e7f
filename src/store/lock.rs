//! One process per data directory: a lock that the system lets go when the process ends, however
//! it ends. Two writers would each believe that the other's calls are left over.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// The locked file; unlocked when dropped.
pub(super) struct DirLock(File);

/// Why the directory is not ours.
pub(super) enum NoLock {
    /// Another process has it.
    Taken,
    /// The file cannot be made or locked.
    Io(io::Error),
}

impl Drop for DirLock {
    fn drop(&mut self) {
        // A child that is just being started has the file too: to close it is not to unlock it.
        drop(self.0.unlock());
    }
}

impl DirLock {
    pub(super) fn take(dir: &Path) -> Result<Self, NoLock> {
        let path = dir.join("tandem.lock");
        // Never truncated: the file is only a place to hold the lock on.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(NoLock::Io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(NoLock::Taken),
            Err(TryLockError::Error(error)) => Err(NoLock::Io(error)),
        }
    }
}
