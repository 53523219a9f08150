//! The responder with a real table and real keys, time in the test's hand: `cargo test --test responder`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]

#[path = "../support/bureau.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod bureau;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod nation;
#[path = "../support/ocsp.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod ocsp;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod rng;

mod clocks;
mod content;
mod fence;
mod kept;
mod lane;
mod model;
mod nonce;
mod refresh;
