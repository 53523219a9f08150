//! The snapshot: a table written to a file at one position.

mod capture;
mod error;
mod layout;
mod octets;
mod read;
mod recording;
mod seal;
mod small;
mod write;

pub use capture::Capture;
pub use error::{Part, SnapshotError};
pub use read::Snapshot;
pub use recording::Recording;
pub use seal::{Salt, SnapshotKey};
pub use write::{About, Written};
