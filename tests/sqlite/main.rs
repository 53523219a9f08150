//! What only the embedded ledger has: processes on one file, kill -9, files that are something else, guards in the
//! database, schemas of earlier versions, copies made while it is written. The contract itself is `tests/contract`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]
#![allow(clippy::disallowed_methods, reason = "waits are judged by the time they take")]

#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the contract, which uses other parts")]
mod nation;

mod copies;
mod files;
mod guards;
mod processes;
mod released;
mod work;
