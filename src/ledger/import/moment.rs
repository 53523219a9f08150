//! Times as imported files write them: OpenSSL's two digit forms, and RFC 3339 with a short way for its commonest form.

use time::{Date, Month, PrimitiveDateTime, Time as Clock};

use super::Fault;
use crate::model::Time;

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`. Two digits of a year mean 1950 to 2049 (RFC 5280 §4.1.2.5.1).
pub(super) fn openssl_date(field: &'static str, text: &str) -> Result<Time, Fault> {
    let parse = || {
        let digits = text.strip_suffix('Z')?.as_bytes();
        let (year, rest) = match digits.len() {
            12 => (number(&digits[..2])?, &digits[2..]),
            14 => (number(&digits[..4])?, &digits[4..]),
            _ => return None,
        };
        let year = match (digits.len(), year) {
            (12, 50..) => 1900 + year,
            (12, _) => 2000 + year,
            (_, year) => year,
        };
        moment(year, [&rest[..2], &rest[2..4], &rest[4..6], &rest[6..8], &rest[8..10]])
    };
    parse().ok_or_else(|| Fault::Date { field, text: text.escape_debug().to_string() })
}

/// RFC 3339 with an offset.
pub(super) fn rfc3339(field: &'static str, text: &str) -> Result<Time, Fault> {
    utc_to_the_second(text.as_bytes())
        .map_or_else(|| text.parse(), Ok)
        .map_err(|why| Fault::Time { field, why: why.to_string() })
}

/// `YYYY-MM-DDThh:mm:ssZ` only, which is what programs write; anything else goes the long way.
fn utc_to_the_second(text: &[u8]) -> Option<Time> {
    let form = text.len() == 20
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')].iter().all(|(at, c)| text[*at] == *c);
    if !form {
        return None;
    }
    moment(number(&text[..4])?, [&text[5..7], &text[8..10], &text[11..13], &text[14..16], &text[17..19]])
}

/// Month, day, hour, minute and second of a year.
fn moment(year: u16, parts: [&[u8]; 5]) -> Option<Time> {
    let mut values = [0_u8; 5];
    for (value, digits) in values.iter_mut().zip(parts) {
        *value = number(digits)? as u8;
    }
    let [month, day, hour, minute, second] = values;
    let date = Date::from_calendar_date(year.into(), Month::try_from(month).ok()?, day).ok()?;
    let clock = Clock::from_hms(hour, minute, second).ok()?;
    Time::from_unix(PrimitiveDateTime::new(date, clock).assume_utc().unix_timestamp()).ok()
}

fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u16::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_digits_of_a_year_mean_1950_to_2049() {
        let cases = [
            ("500101000000Z", "1950-01-01T00:00:00Z"),
            ("491231235959Z", "2049-12-31T23:59:59Z"),
            ("20500101000000Z", "2050-01-01T00:00:00Z"),
            ("99991231235959Z", "9999-12-31T23:59:59Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(openssl_date("expiry", text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn no_other_date_is_taken() {
        for text in
            ["", "Z", "4912312359Z", "491231235959", "491331235959Z", "490230235959Z", "49123123595xZ", "+9123123595Z"]
        {
            assert!(matches!(openssl_date("expiry", text), Err(Fault::Date { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_long_one(seconds in -62_135_596_800_i64..=253_402_300_799, mangle in 0_usize..40) {
            let text = Time::from_unix(seconds).unwrap().to_string();
            prop_assert_eq!(utc_to_the_second(text.as_bytes()), text.parse().ok());
            let mut wrong = text.into_bytes();
            if let Some(octet) = wrong.get_mut(mangle) {
                *octet = b'9';
            }
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(rfc3339("t", &wrong).ok(), wrong.parse().ok());
        }
    }
}
