//! Dates as HTTP writes them (RFC 9110 §5.6.7). Used by headers and conditional requests.

use crate::model::Time;

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(time: Time) -> [u8; 29] {
    let (days, second) = (time.unix().div_euclid(86_400), time.unix().rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let mut text = *b"Sun, 06 Nov 1994 08:49:37 GMT";
    // The first day of 1970 was a Thursday.
    text[..3].copy_from_slice(DAYS[(days + 4).rem_euclid(7) as usize]);
    two(&mut text[5..7], day);
    text[8..11].copy_from_slice(MONTHS[(month - 1) as usize]);
    two(&mut text[12..14], year / 100);
    two(&mut text[14..16], year % 100);
    two(&mut text[17..19], second / 3_600);
    two(&mut text[20..22], second / 60 % 60);
    two(&mut text[23..25], second % 60);
    text
}

/// The time of such a date; none: it is written in another way, of which HTTP has had several.
pub(super) fn from_http_date(text: &[u8]) -> Option<Time> {
    let text: &[u8; 29] = text.try_into().ok()?;
    let number = |range: std::ops::Range<usize>| {
        text[range]
            .iter()
            .try_fold(0_i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let month = MONTHS.iter().position(|month| **month == text[8..11])? as i64 + 1;
    let days = days_of(number(12..16)?, month, number(5..7)?);
    let second = number(17..19)? * 3_600 + number(20..22)? * 60 + number(23..25)?;
    let time = Time::from_unix(days * 86_400 + second).ok()?;
    // What is written back as it was read was a date; 31 February is not.
    (http_date(time) == *text).then_some(time)
}

fn two(out: &mut [u8], number: i64) {
    out[0] = b'0' + (number / 10 % 10) as u8;
    out[1] = b'0' + (number % 10) as u8;
}

/// Year, month and day of a number of days since 1970-01-01, counted in eras of 400 years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The other way round.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const DAYS: [&[u8; 3]; 7] = [b"Sun", b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_standard_s_own_example() {
        let time: Time = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(http_date(time), *b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(from_http_date(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(time));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 0a Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(from_http_date(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_says_the_day_that_the_calendar_has(seconds in 0..253_402_300_799_i64) {
            let time = Time::from_unix(seconds).unwrap();
            let date = http_date(time);
            prop_assert_eq!(from_http_date(&date), Some(time));
            let (text, iso) = (str::from_utf8(&date).unwrap(), time.to_string());
            prop_assert_eq!(&text[12..16], &iso[..4]);
            prop_assert_eq!(&text[5..7], &iso[8..10]);
            prop_assert_eq!(&text[17..25], &iso[11..19]);
        }
    }
}
