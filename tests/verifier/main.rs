//! The verifier's kit: CRLs shown, compared, pulled and installed, certificates checked, as the built program and its
//! parts do it, against a server that tells the truth or lies, and against the openssl command line.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on should stop where it stands")]

mod checking;
mod fetching;
#[path = "../publisher/openssl.rs"]
mod openssl;
mod press;
mod program;
mod pulling;
mod server;
mod shown;
