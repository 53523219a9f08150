//! The recogniser of OCSP requests against `rasn`'s decoding: `cargo +nightly fuzz run ocsp_request`.
//!
//! Whatever the recogniser reads, `decode` must read of the same octets, under the limits of either kind of caller;
//! neither may panic. The path of a GET is decoded from the same octets, and what comes out is read once more.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tashika::asn1::ocsp::{decode, from_path, recognise};
use tashika::model::RequestLimits;

fuzz_target!(|bytes: &[u8]| {
    agree(bytes);
    let mut buffer = Vec::new();
    if let Ok(request) = from_path(bytes, RequestLimits::ANONYMOUS, &mut buffer) {
        agree(request);
    }
});

fn agree(bytes: &[u8]) {
    for limits in [RequestLimits::ACCREDITED, RequestLimits { octets_max: 500, questions_max: 2 }] {
        let decoded = decode(bytes, limits);
        if let Some(recognised) = recognise(bytes, limits) {
            assert_eq!(decoded.as_ref(), Ok(&recognised));
        }
    }
}
