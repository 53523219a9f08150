//! The pure rules against DOMAIN: every row of §5 and of the authority of §2 and §4 as a table, and properties that hold
//! for any sequence of commands, under both release policies.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]

mod applies;
mod authority;
mod ends;
mod family;
mod lifting;
mod properties;
mod rows;
mod sets;
