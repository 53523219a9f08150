//! The desk at work: commands from every side, on the ledger in memory that polices every batch.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]

#[path = "../support/memory_ledger.rs"]
#[allow(dead_code, reason = "shared with the contract, which uses other parts")]
mod memory_ledger;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the contract, which uses other parts")]
mod nation;
#[path = "../support/police.rs"]
mod police;

mod clock;
mod found;
mod inbox;
mod office;
mod queue;
mod registration;
mod replay;
mod reports;
mod sets;
mod undo;
mod writer;
