//! Imports and listed sets from the file to the ledger: OpenSSL's own index files, every bad line by its cause, later
//! imports as a sync, a ledger that lies, a kill in the middle, a long file in little memory.

#![allow(clippy::unwrap_used, reason = "a case that can't go on should stop where it is, whatever helper it is in")]
#![allow(clippy::disallowed_methods, reason = "what an append takes is measured; nothing here is simulated")]

#[path = "../support/lying_ledger.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod lying_ledger;
#[path = "../support/memory_ledger.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod memory_ledger;
#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod nation;
#[path = "../support/police.rs"]
#[allow(dead_code, reason = "shared with the contract suite, which uses other parts")]
mod police;
#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod rng;

mod certificates;
mod crash;
mod lies;
mod lists;
mod ndjson;
mod openssl;
mod scale;
mod sync;
mod town;
