//! The programs that relying parties use, against one running `tashika serve`: each must find in the answers what the
//! ledger says.
//!
//! What they need is installed by `cargo xtask setup`; a program that is missing fails its test and says so. A client's
//! own settings are told to banks in `docs/CLIENTS.md`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]
#![allow(clippy::disallowed_methods, reason = "waiting for another process takes a clock")]

mod apache;
mod bank;
mod bouncycastle;
mod crls;
mod demonstration;
mod house;
mod jdk;
mod nginx;
mod ocsptool;
mod openssl;
mod pkilint;
#[allow(dead_code, reason = "shared with the tests of `up` and `serve`, which use other parts")]
#[path = "../up/program.rs"]
mod program;
mod pyca;
mod settings;
mod tap;
mod tool;
