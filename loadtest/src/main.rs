//! The load generator: not built yet, and it says so rather than pretending to measure.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("tashika-load: the load generator comes with the OCSP responder; there is nothing to load yet");
    ExitCode::from(2)
}
