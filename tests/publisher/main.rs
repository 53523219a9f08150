//! CRLs against a naive world that replays every event: what they say, that base and delta amount to the full one, what
//! preflight refuses, and what the openssl command line makes of them.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on should stop where it stands")]

mod breaking;
mod brought;
mod combined;
mod faults;
mod history;
mod issued;
mod naive;
mod nth_call;
mod openssl;
mod replaying;
mod rounds;
mod rows;
mod scene;
mod verifying;
mod world;

#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "shared with the simulation, which uses other parts")]
mod rng;
#[path = "../support/shelf_store.rs"]
#[allow(dead_code, reason = "shared with the tests of stores, which use other parts")]
mod shelf_store;
