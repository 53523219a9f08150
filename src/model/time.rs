//! Instants as the house keeps them: whole seconds since 1970-01-01T00:00:00Z in 64 bits.
//!
//! Written with an offset (RFC 3339), stored in UTC; "day" and "hour of the day" mean Japan time, which has had no
//! summer time since 1951 and so is a fixed offset.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

/// A span of time in whole seconds, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u32);

/// An instant in milliseconds since 1970: for leases, which must pass on within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

/// Why a text or number is not a time this house can keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339 with an offset.
    #[error("'{0}' is not a time such as 2026-11-20T09:30:00+09:00")]
    NotRfc3339(String),
    /// Before year 1 or after 9999-12-31T23:59:59Z.
    #[error("{0} seconds since 1970 lie outside the years 0001 to 9999")]
    OutOfRange(i64),
}

impl Time {
    /// The time that many seconds after 1970-01-01T00:00:00Z.
    pub fn from_unix(seconds: i64) -> Result<Self, TimeError> {
        if (UNIX_MIN..=UNIX_MAX).contains(&seconds) { Ok(Self(seconds)) } else { Err(TimeError::OutOfRange(seconds)) }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Whole hours since 1970 in Japan time: the grain in which budgets count.
    pub fn japan_hour(self) -> i64 {
        (self.0 + JAPAN_OFFSET_SECONDS).div_euclid(3600)
    }

    /// The midnight in Japan at which the day began that this time lies in.
    pub fn japan_midnight(self) -> Self {
        Self((self.0 - i64::from(self.japan_second_of_day())).max(UNIX_MIN))
    }

    /// Seconds since midnight in Japan.
    pub fn japan_second_of_day(self) -> u32 {
        (self.0 + JAPAN_OFFSET_SECONDS).rem_euclid(86_400) as u32
    }

    /// Whether it is Saturday or Sunday in Japan.
    pub fn is_japan_weekend(self) -> bool {
        // 1970-01-01 was a Thursday.
        matches!((self.0 + JAPAN_OFFSET_SECONDS).div_euclid(86_400).rem_euclid(7), 2 | 3)
    }

    /// Seconds from `earlier` to this time; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0).max(0) as u64
    }
}

impl Millis {
    /// The whole second that this instant lies in.
    pub fn time(self) -> Time {
        Time(self.0.div_euclid(1000).clamp(UNIX_MIN, UNIX_MAX))
    }

    /// So many milliseconds later.
    pub fn plus(self, millis: u32) -> Self {
        Self(self.0.saturating_add(millis.into()))
    }
}

impl Add<Seconds> for Time {
    type Output = Self;

    fn add(self, span: Seconds) -> Self {
        Self((self.0 + i64::from(span.0)).min(UNIX_MAX))
    }
}

impl Sub<Seconds> for Time {
    type Output = Self;

    fn sub(self, span: Seconds) -> Self {
        Self((self.0 - i64::from(span.0)).max(UNIX_MIN))
    }
}

impl Seconds {
    /// That many days.
    pub const fn days(days: u32) -> Self {
        Self(days * 86_400)
    }

    /// That many hours.
    pub const fn hours(hours: u32) -> Self {
        Self(hours * 3600)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = OffsetDateTime::from_unix_timestamp(self.0).map_err(|_| fmt::Error)?;
        f.write_str(&date.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Time {
    type Err = TimeError;

    /// RFC 3339 with an offset; a fraction of a second is dropped.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let date = OffsetDateTime::parse(text.trim(), &Rfc3339).map_err(|_| TimeError::NotRfc3339(text.to_owned()))?;
        Self::from_unix(date.unix_timestamp())
    }
}

/// 0001-01-01T00:00:00Z.
const UNIX_MIN: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z, which RFC 5280 §4.1.2.5 uses for "no well-defined end".
const UNIX_MAX: i64 = 253_402_300_799;
const JAPAN_OFFSET_SECONDS: i64 = 9 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_offsets_and_prints_utc() {
        let time: Time = "2026-11-20T09:30:00.75+09:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-20T00:30:00Z");
        assert_eq!(time.japan_second_of_day(), 9 * 3600 + 1800);
        assert!(!time.is_japan_weekend());
        assert!("2026-11-21T00:00:00+09:00".parse::<Time>().unwrap().is_japan_weekend());
    }

    #[test]
    fn the_last_second_of_year_9999_fits_and_nothing_beyond() {
        let last: Time = "9999-12-31T23:59:59Z".parse().unwrap();
        assert_eq!(last + Seconds(1), last);
        assert_eq!(Time::from_unix(UNIX_MAX + 1), Err(TimeError::OutOfRange(UNIX_MAX + 1)));
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        assert!("2026-11-20T09:30:00".parse::<Time>().is_err());
    }
}
