//! `tashika up` and `tashika serve` as somebody at a terminal meets them: the built program, real files, real signals.
//!
//! Every listener asks for port 0 and the real one is read from the `ready` line.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]
#![allow(clippy::disallowed_methods, reason = "waiting for another process takes a clock")]

mod activation;
mod admin;
mod alone;
mod answers;
mod broken_off;
mod certificates;
mod checking;
mod crls;
mod demonstration;
mod exposition;
mod files;
#[allow(dead_code, reason = "shared with PostgreSQL's own tests, which use other parts")]
#[path = "../support/postgres.rs"]
mod postgres;
mod postgres_away;
mod program;
mod serving;
mod succession;
mod takeover;
