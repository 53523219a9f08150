//! What PostgreSQL alone has: roles and how they are attacked, the inbox, sessions that break, servers that are killed,
//! TLS, released schemas. What every ledger has in common is `tests/contract`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it is, whatever helper it is in")]

#[path = "../support/nation.rs"]
#[allow(dead_code, reason = "shared with other tests, which use other parts")]
mod nation;
#[path = "../support/postgres_proxy.rs"]
mod postgres_proxy;
#[path = "../support/postgres.rs"]
mod postgres_server;

mod crashes;
mod fixture;
mod forgeries;
mod inbox;
mod losses;
mod patience;
mod replica;
mod roles;
mod rules;
mod schema;
mod server;
mod woken;
