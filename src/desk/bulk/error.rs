//! Why bulk work stopped. What was committed before stays, and doing it again goes on from there.

use std::io;

use crate::ledger::import::{Fault, OpenError, Unit};
use crate::ledger::{BrokenLink, LedgerError};

/// Why bulk work stopped.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// Some entries are bad; each was told. Nothing was written.
    #[error(
        "{bad} of {entries} entries can't be used: nothing was written (correct them, or skip them with --skip-bad)"
    )]
    Bad {
        /// How many.
        bad: u64,
        /// Of how many.
        entries: u64,
    },
    /// An entry that was good when the plan was made.
    #[error(
        "{unit} {place}: {fault}: the file or the ledger has changed since it was checked; what came before it is \
         registered, and doing it again goes on from there"
    )]
    Changed {
        /// Line or certificate.
        unit: Unit,
        /// Its place.
        place: u64,
        /// What is wrong with it now.
        fault: Fault,
    },
    /// The file can't be read.
    #[error("the file can't be read: {0}")]
    Io(#[from] io::Error),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A list that doesn't hold what was written to it.
    #[error("list {list} holds {found} certificates instead of {expected}: nothing was changed; do it again")]
    List {
        /// The list.
        list: crate::model::ListNo,
        /// How many were to be in it.
        expected: u64,
        /// How many are.
        found: u64,
    },
    /// Nothing that can be imported.
    #[error(transparent)]
    Open(OpenError),
    /// A chunk could not be written, however often it was tried.
    #[error("a chunk could not be written in {0} attempts; what came before it is registered, do it again later")]
    Overtaken(u32),
    /// The CRL scope asked for is another issuer's, or doesn't exist.
    #[error("CRL scope {0} is not one of the issuer's: see 'tashika scope list'")]
    Scope(crate::model::ScopeNo),
    /// A file that can't say which SIM each certificate lives in, though it is said to be of SIMs.
    #[error(
        "this format doesn't say operator, SIM and applet, without which no carrier could report the phone: import \
         certificates in SIMs as NDJSON (docs/IMPORTING.md has the fields)"
    )]
    SimUnsaid,
    /// More entries than one file may have.
    #[error("more than {} entries in one file: split it", super::seen::ENTRIES_MAX)]
    TooMany,
}

impl From<OpenError> for BulkError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => Self::Io(error),
            error => Self::Open(error),
        }
    }
}

impl From<BrokenLink> for BulkError {
    fn from(error: BrokenLink) -> Self {
        Self::Ledger(error.into())
    }
}
