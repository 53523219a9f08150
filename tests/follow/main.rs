//! The follower: a table in step with the ledger, whoever wrote it and wherever the following began, and frozen where the
//! ledger isn't the one that was followed: `cargo test --test follow`.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]

#[path = "../proof/history.rs"]
#[allow(dead_code, reason = "shared with the proof, which uses other parts")]
mod history;
#[path = "../support/lying_ledger.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod lying_ledger;
#[path = "../support/memory_ledger.rs"]
#[allow(dead_code, reason = "shared with the contract and the simulation, which use other parts")]
mod memory_ledger;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the contract and the simulation, which use other parts")]
mod nation;
#[path = "../support/police.rs"]
#[allow(dead_code, reason = "shared with the contract and the simulation, which use other parts")]
mod police;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod rng;

mod away;
mod between;
mod freezing;
mod in_step;
mod lists;
mod snapshot;
mod town;
