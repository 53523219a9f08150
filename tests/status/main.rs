//! The status table against a naive model, and under readers and a writer at once: `cargo test --test status`.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]

#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod nation;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod rng;

mod bounds;
mod model;
mod naive;
mod snapshot;
mod threads;
mod written_beside;
