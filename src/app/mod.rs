//! Putting the house together: configuration, the choice of adapters, clock and entropy, threads and shutdown.
//!
//! Used by the command line. Never decides anything about a certificate, and never speaks HTTP itself.

pub mod clock;
pub mod compose;
pub mod config;
pub mod demo;
pub mod describe;
pub mod fingerprint;
pub mod planning;
pub mod promises;
pub mod pseudonym;
pub mod rehearsal;
pub mod serve;
pub mod sheet;
pub mod signers;
pub mod state;
pub mod token;
pub mod who;
pub mod witness;
pub mod words;
mod writer;

pub use writer::Writer;

/// How many cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
