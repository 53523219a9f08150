//! DER written forwards, behind lengths that are known before: what replies and CRLs are put together with.

use time::OffsetDateTime;

use crate::model::Time;

/// The octets that an element with so many contents takes.
pub(super) const fn element_len(contents: usize) -> usize {
    1 + length_len(contents) + contents
}

/// Tag and length of an element with so many contents.
pub(super) fn header(out: &mut Vec<u8>, tag: u8, contents: usize) {
    debug_assert!(u32::try_from(contents).is_ok(), "CRLs stay below 4 GB, and replies far below");
    let [top, high, middle, low] = (contents as u32).to_be_bytes();
    match length_len(contents) {
        1 => out.extend_from_slice(&[tag, low]),
        2 => out.extend_from_slice(&[tag, 0x81, low]),
        3 => out.extend_from_slice(&[tag, 0x82, middle, low]),
        4 => out.extend_from_slice(&[tag, 0x83, high, middle, low]),
        _ => out.extend_from_slice(&[tag, 0x84, top, high, middle, low]),
    }
}

/// A whole element.
pub(super) fn element(out: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    header(out, tag, contents.len());
    out.extend_from_slice(contents);
}

/// A GeneralizedTime to the second, without a fraction (RFC 9919 §3.2.4); `TIME_LEN` octets.
pub(super) fn time(out: &mut Vec<u8>, time: Time) {
    let date = OffsetDateTime::from_unix_timestamp(time.unix()).expect("a Time lies in the years 1 to 9999");
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second) = date.to_hms();
    let year = year.unsigned_abs();
    let mut der = *b"\x18\x0fYYYYMMDDHHMMSSZ";
    let pairs = [(year / 100) as u8, (year % 100) as u8, u8::from(month), day, hour, minute, second];
    for (place, pair) in der[2..16].chunks_exact_mut(2).zip(pairs) {
        place.copy_from_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
    }
    out.extend_from_slice(&der);
}

const fn length_len(contents: usize) -> usize {
    match contents {
        0..0x80 => 1,
        0x80..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x100_0000 => 4,
        _ => 5,
    }
}

/// What `time` writes.
pub(super) const TIME_LEN: usize = 17;

/// Tags that requests, replies and CRLs are made of.
pub(super) mod tag {
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const ENUMERATED: u8 = 0x0a;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const SEQUENCE: u8 = 0x30;
    pub const CONTEXT_0: u8 = 0xa0;
    pub const CONTEXT_1: u8 = 0xa1;
    pub const CONTEXT_2: u8 = 0xa2;
}

/// Object identifiers as whole elements (RFC 6960 §4.2.1 and §4.4, RFC 5280 §5.3.2).
pub(super) mod id {
    /// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
    pub const BASIC: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
    /// id-pkix-ocsp-nonce.
    pub const NONCE: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
    /// id-pkix-ocsp-crl.
    pub const CRL: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 3];
    /// id-pkix-ocsp-archive-cutoff.
    pub const ARCHIVE_CUTOFF: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 6];
    /// id-pkix-ocsp-extended-revoke.
    pub const EXTENDED_REVOKE: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 9];
    /// id-ce-invalidityDate, 2.5.29.24.
    pub const INVALIDITY_DATE: &[u8] = &[6, 3, 0x55, 0x1d, 0x18];
}
