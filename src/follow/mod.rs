//! From the ledger to the status in memory, in step: what is read, how far, how fresh it is, and when to freeze.
//!
//! A [`Follower`] fills a table from one scan of the ledger and then takes in every event after it, in order, each of
//! which must link to what it holds. `app` calls [`Follower::step`] in a loop, woken by `Ledger::wait`; the
//! simulation calls it as it likes. It can write itself down between two steps ([`Follower::snapshot`]), and the next
//! process begins from that file ([`Follower::from_snapshot`]) instead of a scan, if the ledger's history goes
//! through it, or without any ledger while that is away ([`Follower::from_snapshot_alone`]). How old what it knows is, is the age of the last heartbeat that it has read up to, never a difference
//! of positions: whoever follows a replica that stands still must know that it is behind.
//!
//! A [`ListFollower`] does the same for what CRLs are made from.
//!
//! Never writes to the ledger, never answers, never reads a clock, never goes on after a history that isn't its own.

mod bootstrap;
mod follower;
mod lists;
mod page;
mod past;
mod snapshot;

pub use follower::{FollowError, Follower, Frozen, Stepped};
pub use lists::{Beginning, ListFollower, ListsStepped};
pub use snapshot::{Opened, SnapshotRefused, Taken};
