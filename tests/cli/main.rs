//! The command line as people and scripts meet it: the built binary, its output, its errors and its exit codes.
//!
//! Run with `cargo test --test cli`. Snapshots are reviewed like code; what differs from run to run (times, names drawn
//! at random, paths) is replaced before they are compared.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is")]

mod answers;
mod bad_input;
mod copies;
mod help;
mod installation;
mod life;
mod on_postgres;
mod plan;
#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "shared with the contract, which uses other parts")]
mod postgres;
mod sets;
mod signers;
