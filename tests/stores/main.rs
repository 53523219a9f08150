//! The contract of a store of CRLs, held by each that there is: a folder, a bucket, and the one in memory that other tests
//! publish to. Then what is each one's own: kills, full disks and foreign files; servers that are away, slow, or refuse.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]
#![allow(clippy::disallowed_methods, reason = "waiting for another process takes a clock")]

mod bucket;
mod bucket_server;
mod contract;
mod directory;
mod faults;
mod lies;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod rng;
#[path = "../support/shelf_store.rs"]
#[allow(dead_code, reason = "shared with the tests of publication, which use other parts")]
mod shelf_store;
mod tls;
