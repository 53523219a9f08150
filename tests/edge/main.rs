//! The public listener over real sockets, with a responder behind it: `cargo test --test edge`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]
#![allow(clippy::disallowed_methods, reason = "waiting for the other side of a socket takes a clock")]

#[path = "../support/bureau.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod bureau;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod nation;
#[path = "../support/ocsp.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod ocsp;

mod caching;
mod callers;
mod client;
mod connections;
mod files;
mod house;
mod http2;
mod requests;
mod stopping;
mod unruly;
