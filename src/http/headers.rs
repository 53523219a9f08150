//! What the headers of a request say: all that is kept of them while its body is read. Read by `ocsp` and `plain`.

use hyper::Method;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};

use super::replies::Condition;

/// What a request's headers say.
pub(super) struct Headers {
    /// Of a request without a body.
    pub condition: Condition,
    /// Its body is no OCSP request.
    pub is_of_other_type: bool,
    pub in_chunks: bool,
    pub has_length: bool,
}

impl Headers {
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE);
        Self {
            // It holds on to what it compares with.
            condition: if *method == Method::POST { Condition::None } else { Condition::of(headers) },
            is_of_other_type: kind.is_some_and(|kind| !is_ocsp_request(kind.as_bytes())),
            in_chunks: headers.contains_key(TRANSFER_ENCODING),
            has_length: headers.contains_key(CONTENT_LENGTH),
        }
    }
}

/// Whether a Content-Type is that of requests (RFC 6960 appendix A.1).
pub(super) fn is_ocsp_request(kind: &[u8]) -> bool {
    let end = kind.iter().position(|octet| *octet == b';').unwrap_or(kind.len());
    kind[..end].trim_ascii().eq_ignore_ascii_case(b"application/ocsp-request")
}
