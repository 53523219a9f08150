//! The snapshot: a table written to a file at one position while it moves on, and read back many times faster than a
//! scan.
//!
//! `follow` writes one ([`Capture`]) and begins from one ([`Snapshot`]). `docs/SNAPSHOT.md` has the format octet by
//! octet; this page has what the code must keep to.
//!
//! ## One position
//!
//! [`Capture::begin`] notes, under the writer's turn and between two batches, the position *P*, the set events and
//! the highest certificate number. From then on the table's writer calls `Recording::changing` **before** each change
//! of a certificate: what isn't written yet is kept as it was, once. Slices of certificates are written under the
//! turn, in order of their numbers, each as it was kept or else as it is. So each is written as of *P*: nobody
//! changed it since, or the first who did kept it. What was added since is above the highest number, or noted as late
//! and left out. A reply that reflects more than *P* stays out, since a set event may be in it that the snapshot
//! doesn't have; a change takes its certificate's reply along. Issuers and scopes are given by the follower, as of *P*.
//!
//! Records are numbered anew as they are written, so nothing leads to a record that was used again meanwhile, and
//! the file has no gaps.
//!
//! ## Old or new
//!
//! Another name, zeros for a header, the frames, the header, flush, rename, flush the folder. Whatever octet it stops
//! at, the name stands for a whole file, and what isn't whole isn't taken for one.
//!
//! ## All or nothing
//!
//! The header is under an HMAC, each frame and the directory under AES-256-GCM with a key of the file's own, with its
//! place as nonce and its kind and number authenticated; the length of the file is in the header. What is inside an
//! opened seal was written by a table: references are held against the counts, since a reader follows them without
//! asking, and the rest is believed.
//!
//! ## Fast
//!
//! A frame is one chunk of the table's own words: read into a buffer that stays in the nearest cache, opened there,
//! copied once to fresh memory. The index comes as the slots of each shard, in order, so that they are put in without
//! a miss. Nothing is hashed or compared again. What remains is mostly the kernel's work on fresh pages.
//!
//! Of the two seals that were weighed, HMAC-SHA-256 takes some 0.8 s of one processor for the 1.1 GB of 10 million
//! certificates with replies, AES-256-GCM 0.1 s, and hides the hash key as well.
//!
//! Never reads the clock or entropy: the time, the salt and the key are arguments. Never asks the ledger: `follow`
//! knows whether its history goes through here.

mod capture;
mod error;
mod layout;
mod octets;
mod read;
mod recording;
mod registers;
mod seal;
mod small;
mod write;

pub use capture::Capture;
pub use error::{Part, SnapshotError};
pub use read::Snapshot;
pub use recording::Recording;
pub use registers::Registers;
pub use seal::{Salt, SnapshotKey};
pub use write::{About, Written};
