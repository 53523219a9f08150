//! `tashika-load`: load for OCSP responders, every answer judged by code that shares nothing with the responder.
#![allow(clippy::disallowed_methods, reason = "a load generator is about time: it reads the clocks all along")]

mod answer;
mod certificate;
mod cli;
mod client;
mod connection;
mod der;
mod engine;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fake_server;
mod http;
mod judge;
mod load;
mod probe;
mod random;
mod report;
mod request;
mod serials;
mod server;
mod signature;
mod tally;
#[cfg(test)]
mod tests;
mod verify;

fn main() -> std::process::ExitCode {
    cli::main()
}
