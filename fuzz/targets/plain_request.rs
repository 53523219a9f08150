//! The recogniser of plain HTTP requests against hyper: `cargo +nightly fuzz run plain_request`.
//!
//! Whatever it reads, hyper must read of the same octets, and go on where it ended; neither may panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| tashika::http::agree(octets));
