//! The times of a CRL as octets: UTCTime through 2049 and GeneralizedTime from 2050 (RFC 5280 §5.1.2.4, §5.1.2.6).
//!
//! A list has a million dates on a few thousand days, so the digits of a day are worked out once. Used by writer and reader.

use crate::asn1::write::tag;
use crate::model::Time;

/// Writes dates. Holds the digits of days that were written before.
pub(super) struct Calendar {
    /// By the low bits of the day's number; the number itself tells whether it is the day that is meant.
    days: Box<[(i64, [u8; 6])]>,
}

impl Calendar {
    pub fn new() -> Self {
        Self { days: vec![(i64::MIN, [0; 6]); DAYS].into() }
    }

    /// The octets of the date at the front of `buffer`, and how many they are.
    #[inline]
    pub fn put(&mut self, buffer: &mut [u8; DATE_LEN_MAX], time: Time) -> usize {
        if !is_utc_time(time) {
            buffer.copy_from_slice(&generalized(time));
            return DATE_LEN_MAX;
        }
        let (day, second) = (time.unix().div_euclid(DAY), time.unix().rem_euclid(DAY) as u32);
        let known = &mut self.days[day as usize % DAYS];
        if known.0 != day {
            let digits = generalized(time);
            *known = (day, digits[4..10].try_into().expect("six digits"));
        }
        buffer[0] = tag::UTC_TIME;
        buffer[1] = 13;
        buffer[2..8].copy_from_slice(&known.1);
        buffer[8..10].copy_from_slice(&PAIRS[(second / 3600) as usize]);
        buffer[10..12].copy_from_slice(&PAIRS[(second / 60 % 60) as usize]);
        buffer[12..14].copy_from_slice(&PAIRS[(second % 60) as usize]);
        buffer[14] = b'Z';
        UTC_TIME_LEN
    }
}

/// The octets that a date takes.
#[inline]
pub(super) fn date_len(time: Time) -> usize {
    if is_utc_time(time) { UTC_TIME_LEN } else { DATE_LEN_MAX }
}

/// The time of those contents; none: not in the one form that it must have.
///
/// Lists have a million of these: the digits are taken eight at a time, and all is refused in one place.
#[inline(always)]
pub(super) fn utc_time(digits: &[u8]) -> Option<Time> {
    let digits: &[u8; 13] = digits.try_into().ok()?;
    let (day, second) = (digits.first_chunk::<8>()?, digits[4..].first_chunk::<8>()?);
    let ([year, month, day, hour], [.., minute, second]) = (pairs(*day)?, pairs(*second)?);
    // Years since 1950, of which the third was a leap year, and every fourth from there on: 2000 was one.
    let year = if year < 50 { year + 50 } else { year - 50 };
    let is_leap = year % 4 == 2;
    let (before, length) = *MONTHS.get(usize::from(month).wrapping_sub(1))?;
    let (is_february, is_later) = (is_leap & (month == 2), is_leap & (month > 2));
    let length = u16::from(length) + u16::from(is_february);
    let is_wrong = (day == 0) | (day > length) | (hour > 23) | (minute > 59) | (second > 59) | (digits[12] != b'Z');
    if is_wrong {
        return None;
    }
    let day = 365 * u32::from(year) + u32::from((year + 1) / 4) + u32::from(before + u16::from(is_later) + day) - 1;
    let second = u32::from(hour) * 3600 + u32::from(minute) * 60 + u32::from(second);
    Time::from_unix(UTC_TIME_FIRST + i64::from(day) * DAY + i64::from(second)).ok()
}

/// The same of a GeneralizedTime, whatever the year.
pub(super) fn generalized_time(digits: &[u8]) -> Option<Time> {
    let digits: &[u8; 15] = digits.try_into().ok()?;
    let year = i64::from(pair(digits, 0)?) * 100 + i64::from(pair(digits, 2)?);
    seconds(year, digits, 4).filter(|_| year > 0)
}

/// Whether a date is written as UTCTime.
#[inline]
pub(super) fn is_utc_time(time: Time) -> bool {
    (UTC_TIME_FIRST..UTC_TIME_END).contains(&time.unix())
}

/// GeneralizedTime to the second, as a whole element.
pub(super) fn generalized(time: Time) -> [u8; DATE_LEN_MAX] {
    let mut out = Vec::with_capacity(DATE_LEN_MAX);
    super::write::time(&mut out, time);
    out.try_into().expect("a GeneralizedTime to the second has one length")
}

/// Four numbers of two digits; none if anything else is among them.
#[inline(always)]
fn pairs(digits: [u8; 8]) -> Option<[u16; 4]> {
    let digits = u64::from_le_bytes(digits) ^ u64::from_le_bytes([b'0'; 8]);
    // An octet above 9 reaches its top bit, or has it already; what it carries over is of no matter then.
    if (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // In every other octet ten times the digit and the one that follows it: at most 99, nothing is carried over.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    Some([pairs as u16, (pairs >> 16) as u16, (pairs >> 32) as u16, (pairs >> 48) as u16])
}

#[inline]
fn pair(digits: &[u8], at: usize) -> Option<u8> {
    let (tens, ones) = (digits[at].wrapping_sub(b'0'), digits[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

/// Month, day, hour, minute, second and `Z` from `at` on, in that year.
#[inline(always)]
fn seconds(year: i64, digits: &[u8], at: usize) -> Option<Time> {
    let [month, day, hour, minute, second] =
        [pair(digits, at)?, pair(digits, at + 2)?, pair(digits, at + 4)?, pair(digits, at + 6)?, pair(digits, at + 8)?];
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (before, length) = *MONTHS.get(usize::from(month).wrapping_sub(1))?;
    let leap_day = i64::from(is_leap && month > 2);
    let length = length + u8::from(is_leap && month == 2);
    if day == 0 || day > length || hour > 23 || minute > 59 || second > 59 || digits.last() != Some(&b'Z') {
        return None;
    }
    // Days since 1970 of the first of January; the leap days of all years before, less those before 1970.
    let past = year - 1;
    let new_year = 365 * (year - 1970) + past / 4 - past / 100 + past / 400 - LEAP_DAYS_TO_1970;
    let day = new_year + i64::from(before) + leap_day + i64::from(day) - 1;
    let seconds = day * DAY + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Time::from_unix(seconds).ok()
}

/// What UTCTime takes.
pub(super) const UTC_TIME_LEN: usize = 15;
/// What GeneralizedTime takes.
pub(super) const DATE_LEN_MAX: usize = 17;
const DAY: i64 = 86_400;
/// 1950-01-01T00:00:00Z and 2050-01-01T00:00:00Z.
const UTC_TIME_FIRST: i64 = -631_152_000;
const UTC_TIME_END: i64 = 2_524_608_000;
/// Eleven years: certificates live for five or ten.
const DAYS: usize = 4096;
const LEAP_DAYS_TO_1970: i64 = 477;
/// Days of the year before each month, and its own, in a common year.
const MONTHS: [(u16, u8); 12] = [
    (0, 31),
    (31, 28),
    (59, 31),
    (90, 30),
    (120, 31),
    (151, 30),
    (181, 31),
    (212, 31),
    (243, 30),
    (273, 31),
    (304, 30),
    (334, 31),
];
const PAIRS: [[u8; 2]; 60] = {
    let mut pairs = [[0; 2]; 60];
    let mut number = 0;
    while number < 60 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(time: Time) -> Vec<u8> {
        let mut buffer = [0; DATE_LEN_MAX];
        let length = Calendar::new().put(&mut buffer, time);
        assert_eq!(length, date_len(time));
        buffer[..length].to_vec()
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
            assert_eq!(written(time.parse().unwrap()), der);
        }
    }

    #[test]
    fn days_that_share_a_place_are_not_mixed_up() {
        let mut calendar = Calendar::new();
        let mut buffer = [0; DATE_LEN_MAX];
        for day in [20_000, 20_000 - DAYS as i64, 20_000, -1, -1 - DAYS as i64] {
            let time = Time::from_unix(day * DAY + 5).unwrap();
            calendar.put(&mut buffer, time);
            assert_eq!(utc_time(&buffer[2..15]), Some(time));
        }
    }

    #[test]
    fn refuses_every_other_form() {
        for digits in [
            "4912312359Z",
            "491331235959Z",
            "490001235959Z",
            "490230235959Z",
            "490229235959Z",
            "491200235959Z",
            "491231245959Z",
            "491231236059Z",
            "491231235960Z",
            "49123123595:Z",
            "491231235959z",
            "491231235959+",
        ] {
            assert_eq!(utc_time(digits.as_bytes()), None, "{digits}");
        }
        assert!(utc_time(b"480229235959Z").is_some());
        for digits in ["20490101000000z", "00000101000000Z", "2049010100000Z", "19000229000000Z"] {
            assert_eq!(generalized_time(digits.as_bytes()), None, "{digits}");
        }
    }

    /// Thirteen octets that are a time, or nearly one.
    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let spoilt = prop::option::of((0_usize..13, any::<u8>()));
        ("[0-9]{2}[01][0-9][0-3][0-9][0-2][0-9][0-6][0-9][0-6][0-9]Z", spoilt).prop_map(|(text, spoilt)| {
            let mut digits = text.into_bytes();
            spoilt.into_iter().for_each(|(at, octet)| digits[at] = octet);
            digits
        })
    }

    proptest! {
        #[test]
        fn digits_taken_at_once_are_those_taken_one_by_one(digits in nearly()) {
            let century = if digits[0] < b'5' { b"20" } else { b"19" };
            prop_assert_eq!(utc_time(&digits), generalized_time(&[&century[..], &digits[..]].concat()));
        }

        #[test]
        fn every_second_is_read_back(seconds in -62_135_596_800_i64..=253_402_300_799) {
            let time = Time::from_unix(seconds).unwrap();
            let der = written(time);
            let read = if is_utc_time(time) { utc_time(&der[2..]) } else { generalized_time(&der[2..]) };
            prop_assert_eq!(read, Some(time));
            prop_assert_eq!(generalized_time(&generalized(time)[2..]), Some(time));
        }
    }
}
