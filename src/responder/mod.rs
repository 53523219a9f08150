//! OCSP answers: signed in advance, or now.
//!
//! [`Policy`] says how an issuer's answers are made.
//!
//! Never waits for the ledger where the table knows, never reads a clock, never opens a socket, never holds a secret.

mod policy;

pub use policy::{Forms, HOT_FOR, Named, NotIssued, Policy, Presign, Profile};
