//! Why a snapshot isn't written or isn't read: each refusal says which, and what it means for a start is the caller's.

use crate::model::Position;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Its seal doesn't fit: octets were altered, or it was sealed with another key.
    #[error("the snapshot's {0} was altered, or sealed with another key")]
    Altered(Part),
    /// Another snapshot of this table is being written.
    #[error("another snapshot of this table is being written")]
    Busy,
    /// The table has taken in events that it hasn't published.
    #[error("the table is between two positions: it has read up to {published}, and taken in {taken}")]
    BetweenPositions {
        /// Up to where it is whole.
        published: Position,
        /// The last event that was taken in.
        taken: Position,
    },
    /// The file couldn't be written or read.
    #[error("the snapshot's file: {0}")]
    Io(#[from] std::io::Error),
    /// Sealed as it should be, and yet not what a snapshot says.
    #[error("the snapshot contradicts itself: {0}")]
    Malformed(&'static str),
    /// Some other file, or the beginning of one that was never finished.
    #[error("this is no snapshot")]
    NotASnapshot,
    /// More than a file of this version has room for.
    #[error("{0} is more than a snapshot has room for")]
    TooLarge(&'static str),
    /// The file is shorter or longer than the whole.
    #[error("the snapshot is torn: its file has {found} octets, and had {written} when it was written")]
    Torn {
        /// How many were written.
        written: u64,
        /// How many there are.
        found: u64,
    },
    /// Written by a later program.
    #[error("the snapshot has version {0}, which this program can't read")]
    UnknownVersion(u32),
}

/// Parts of the file that are sealed on their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The list of frames.
    Directory,
    /// One frame, by its place in the list.
    Frame(u32),
    /// The first 4,096 octets.
    Header,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory => f.write_str("directory"),
            Self::Frame(index) => write!(f, "frame {index}"),
            Self::Header => f.write_str("header"),
        }
    }
}
