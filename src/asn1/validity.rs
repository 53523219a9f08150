//! The validity of a certificate and the two ASN.1 spellings of a time.
//!
//! Used by the builder and the reader of this room.

use ::time::{Date, Month, OffsetDateTime, PrimitiveDateTime};
use rasn::types::Any;

use super::Asn1Error;
use super::raw::{RawValidity, TAG_GENERALIZED_TIME, TAG_UTC_TIME, contents};
use crate::model::Time;

/// From when to when a certificate may be used, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Validity {
    /// The first second.
    pub not_before: Time,
    /// The last second; 9999-12-31T23:59:59Z means "no well-defined end".
    pub not_after: Time,
}

impl Validity {
    /// Whether `at` lies within.
    pub fn covers(&self, at: Time) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    pub(super) fn decode(raw: &RawValidity) -> Result<Self, Asn1Error> {
        Ok(Self {
            not_before: decode_time("notBefore", raw.not_before.as_bytes())?,
            not_after: decode_time("notAfter", raw.not_after.as_bytes())?,
        })
    }

    pub(super) fn encode(&self) -> Result<RawValidity, Asn1Error> {
        if self.not_after < self.not_before {
            return Err(Asn1Error::ValidityReversed);
        }
        Ok(RawValidity {
            not_before: Any::new(encode_time(self.not_before)),
            not_after: Any::new(encode_time(self.not_after)),
        })
    }
}

/// UTCTime for the years 1950 to 2049, GeneralizedTime for all others (RFC 5280 §4.1.2.5).
pub(super) fn encode_time(time: Time) -> Vec<u8> {
    let date = OffsetDateTime::from_unix_timestamp(time.unix()).expect("a Time lies in the years 1 to 9999");
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(date.month()),
        date.day(),
        date.hour(),
        date.minute(),
        date.second()
    );
    let (tag, text) = match date.year() {
        year @ UTC_TIME_FIRST_YEAR..=UTC_TIME_LAST_YEAR => (TAG_UTC_TIME, format!("{:02}{rest}", year % 100)),
        year => (TAG_GENERALIZED_TIME, format!("{year:04}{rest}")),
    };
    let mut der = vec![tag, text.len() as u8];
    der.extend(text.bytes());
    der
}

/// Seconds present, no fraction, `Z`: the only forms that RFC 5280 §4.1.2.5.1 and §4.1.2.5.2 allow.
pub(super) fn decode_time(part: &'static str, der: &[u8]) -> Result<Time, Asn1Error> {
    let refused = |text: &[u8]| Asn1Error::Time { part, text: text.escape_ascii().to_string() };
    let (text, year_digits) = match (contents(TAG_UTC_TIME, der), contents(TAG_GENERALIZED_TIME, der)) {
        (Some(text), _) => (text, 2),
        (None, Some(text)) => (text, 4),
        (None, None) => return Err(refused(der)),
    };
    time_of(text, year_digits).and_then(|date| Time::from_unix(date.unix_timestamp()).ok()).ok_or_else(|| refused(text))
}

/// A GeneralizedTime, as OCSP has its times.
pub(super) fn generalized(part: &'static str, der: &[u8]) -> Result<Time, Asn1Error> {
    contents(TAG_GENERALIZED_TIME, der).ok_or(Asn1Error::NotDer(part))?;
    decode_time(part, der)
}

fn time_of(text: &[u8], year_digits: usize) -> Option<OffsetDateTime> {
    let digits = text.strip_suffix(b"Z")?;
    if digits.len() != year_digits + 10 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (year, rest) = digits.split_at(year_digits);
    let two = |at: usize| (rest[at] - b'0') * 10 + (rest[at + 1] - b'0');
    let year = year.iter().fold(0_i32, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    let year = match (year_digits, year) {
        (2, 50..) => 1900 + year,
        (2, _) => 2000 + year,
        (_, year) => year,
    };
    let date = Date::from_calendar_date(year, Month::try_from(two(0)).ok()?, two(2)).ok()?;
    let time = ::time::Time::from_hms(two(4), two(6), two(8)).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

const UTC_TIME_FIRST_YEAR: i32 = 1950;
const UTC_TIME_LAST_YEAR: i32 = 2049;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn turns_to_generalized_time_in_2050() {
        for (time, der) in [
            ("2049-12-31T23:59:59Z", &b"\x17\x0d491231235959Z"[..]),
            ("2050-01-01T00:00:00Z", b"\x18\x0f20500101000000Z"),
            ("1950-01-01T00:00:00Z", b"\x17\x0d500101000000Z"),
            ("1949-12-31T23:59:59Z", b"\x18\x0f19491231235959Z"),
            ("9999-12-31T23:59:59Z", b"\x18\x0f99991231235959Z"),
        ] {
            assert_eq!(encode_time(at(time)), der);
            assert_eq!(decode_time("notAfter", der).unwrap(), at(time));
        }
    }

    #[test]
    fn refuses_every_other_form() {
        for der in [
            &b"\x17\x0b4912312359Z"[..],
            b"\x17\x11491231235959+0900",
            b"\x17\x0d491331235959Z",
            b"\x17\x0d490230235959Z",
            b"\x17\x0d491231235960Z",
            b"\x18\x1120490101000000.5Z",
            b"\x18\x0f20490101000000z",
            b"\x18\x0f00000101000000Z",
            b"\x13\x0d491231235959Z",
            b"\x17\x00",
        ] {
            assert!(matches!(decode_time("notAfter", der), Err(Asn1Error::Time { .. })), "{}", der.escape_ascii());
        }
    }

    #[test]
    fn a_validity_that_ends_before_it_begins_is_not_written() {
        let reversed = Validity { not_before: at("2030-01-01T00:00:00Z"), not_after: at("2029-12-31T23:59:59Z") };
        assert_eq!(reversed.encode().unwrap_err(), Asn1Error::ValidityReversed);
        assert!(!reversed.covers(at("2029-12-31T23:59:59Z")));
    }

    proptest! {
        #[test]
        fn every_second_is_read_back(seconds in -62_135_596_800_i64..=253_402_300_799) {
            let time = Time::from_unix(seconds).unwrap();
            prop_assert_eq!(decode_time("notAfter", &encode_time(time)).unwrap(), time);
        }
    }
}
