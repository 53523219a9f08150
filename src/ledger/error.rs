//! What can go wrong with a ledger, sorted by what to do about it.

use crate::model::{LedgerId, Position};

use super::bytes::Malformed;
use super::seal::BrokenLink;

/// A ledger's failure.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another writer was faster: read again, decide again, append again.
    #[error("the ledger moved on to {now} while this was being decided")]
    Moved {
        /// Where it stands now.
        now: Position,
    },
    /// The database can't be reached at the moment; nothing was written. Retry.
    #[error("the ledger's database can't be reached, or is too busy: {0}: try again")]
    Unreachable(String),
    /// The connection was lost around a commit: the caller must find out with [`super::settle`], not guess.
    #[error("it is not known whether the append was committed: {0}")]
    Uncertain(String),
    /// The disk, or the space allowed, is full; nothing was written.
    #[error(
        "the disk is full, or the space that the ledger may have, and nothing was written: {0}: make room, then try again"
    )]
    Full(String),
    /// The system doesn't let this process have the file; says which and why.
    #[error("{0}")]
    Denied(String),
    /// Something stored is not what was written.
    #[error("the ledger is damaged: {0}: run 'tashika ledger verify'")]
    Damaged(String),
    /// The events don't continue one another, or what a reader holds.
    #[error("the ledger's history is broken: {0}: run 'tashika ledger verify'")]
    Broken(#[from] BrokenLink),
    /// Not the ledger that was expected.
    #[error("this is ledger {found}, not {expected}: check the URL")]
    Foreign {
        /// The one at hand.
        found: LedgerId,
        /// The one wanted.
        expected: LedgerId,
    },
    /// No ledger at that place.
    #[error(
        "there is no ledger at {0}: bring it back from a backup (see 'tashika ledger restore --help'), or make a new \
         installation with 'tashika init'"
    )]
    Missing(String),
    /// No database for a ledger to be made in.
    #[error("there is no database at {0}: create it first")]
    NoDatabase(String),
    /// Something else lies at that place, or what is left of a ledger.
    #[error(
        "{0} isn't a tashika ledger, or is damaged beyond recognition: move it away, then bring a backup back with \
         'tashika ledger restore FILE'"
    )]
    Strange(String),
    /// A ledger is there already.
    #[error("there is already a ledger at {0}, or something else: nothing was changed; move it away first")]
    Exists(String),
    /// Written by a newer program.
    #[error("the ledger has schema {found}, and this program knows schemas up to {known}: upgrade tashika")]
    SchemaNewer {
        /// Its schema.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The database refused what the rules forbid: an attempt, or a bug.
    #[error("the database refused: {0}")]
    Refused(String),
    /// The URL or the settings make no sense.
    #[error("{0}")]
    Settings(String),
}

/// What a caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Stop: a person must look.
    Fatal,
    /// Tell whoever asked.
    Reject,
    /// Try again, after a while.
    Retry,
}

impl LedgerError {
    /// What to do about it.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Moved { .. } | Self::Unreachable(_) | Self::Uncertain(_) | Self::Full(_) => Severity::Retry,
            Self::Denied(_)
            | Self::Exists(_)
            | Self::Missing(_)
            | Self::NoDatabase(_)
            | Self::Refused(_)
            | Self::Settings(_) => Severity::Reject,
            Self::Broken(_) | Self::Damaged(_) | Self::Foreign { .. } | Self::SchemaNewer { .. } | Self::Strange(_) => {
                Severity::Fatal
            }
        }
    }
}

impl From<Malformed> for LedgerError {
    fn from(malformed: Malformed) -> Self {
        Self::Damaged(malformed.to_string())
    }
}
