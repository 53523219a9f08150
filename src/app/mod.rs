//! Putting the house together: configuration, the choice of adapters, clock and entropy, threads and shutdown.
//!
//! Used by the command line. Never decides anything about a certificate, and never speaks HTTP itself.

pub mod check;
pub mod clock;
pub mod compose;
pub mod config;
pub mod crls;
pub mod demo;
pub mod describe;
pub mod fingerprint;
pub mod planning;
pub mod promises;
pub mod pseudonym;
pub mod pull;
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

/// Lets the threads that answer go before this one wherever they share a core: they get three times its time, and wait for
/// less of its own.
pub fn give_way() {
    // What was asked for is less, which nobody is refused; and if it were, the thread would do the same work.
    let _ = rustix::process::nice(GIVEN_WAY);
}

/// How many cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A third of the time of who doesn't give way; far from none, for others wait for what this thread makes.
const GIVEN_WAY: i32 = 5;
