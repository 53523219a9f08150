//! What SQLite reports, sorted into the ledger's errors. Used by every file of the adapter through `?`.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::ledger::LedgerError;

use super::store::place;

impl From<Error> for LedgerError {
    /// For everything but a commit: there nothing was written.
    fn from(error: Error) -> Self {
        // The index of the log is mapped memory, and has a code of its own for no room to grow.
        if error.sqlite_error().is_some_and(|failure| failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE) {
            return Self::Full(message(error));
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Refused(message(error)),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Unreachable("another process has been writing for too long".into())
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(message(error)),
            Some(ErrorCode::DiskFull) => Self::Full(message(error)),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::Denied(message(error))
            }
            Some(_) => Self::Unreachable(message(error)),
            // Of the other kinds, only values of another type or range than was written can occur.
            None => Self::Damaged(error.to_string()),
        }
    }
}

/// Says which file an error is about, where SQLite doesn't.
pub(super) fn of_file(path: &Path, error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Denied(why) => LedgerError::Denied(format!(
            "{} and its folder can't be written to by this user: {why}: run tashika as their owner, and see that the \
             file system is writable",
            place(path)
        )),
        LedgerError::Full(why) => LedgerError::Full(format!("{} ({why})", place(path))),
        other => other,
    }
}

/// A commit that failed: an error of the disk may have come before or after the frames were safe.
pub(super) fn at_commit(error: Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => LedgerError::Uncertain(message(error)),
        _ => error.into(),
    }
}

fn message(error: Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(text)) => text,
        other => other.to_string(),
    }
}
