//! CRLs as nouns: their numbers, the point up to which one speaks, as what a certificate is listed, and how exactly it is
//! dated. Used by whoever builds, checks or shows them.

use std::fmt;
use std::str::FromStr;

use super::{Position, Reason, Time};

/// The number of a CRL: not negative, at most 20 octets (RFC 5280 §5.2.3). Ordering is numerical.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlNumber {
    /// Big-endian; below 2¹⁵⁹, so that the INTEGER has no octet more for its sign.
    octets: [u8; OCTETS_MAX],
}

/// Octets or a text that are no CRL number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrlNumberError {
    /// No octets.
    #[error("a CRL number needs at least one octet")]
    Empty,
    /// A text that is no number.
    #[error("a CRL number is written in decimal, or in hexadecimal behind 0x")]
    NotANumber,
    /// More than 20 octets of INTEGER.
    #[error("a CRL number has at most {OCTETS_MAX} octets")]
    TooLong,
}

/// The point up to which a CRL speaks: all events at or before the position, and everything that the clock had brought
/// about by the time. Cut-offs of one scope only rise, in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cutoff {
    /// The last event.
    pub position: Position,
    /// The time that it speaks of: its thisUpdate.
    pub time: Time,
}

/// As what a certificate is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listed {
    /// certificateHold.
    Held,
    /// removeFromCRL: only ever in a delta.
    Removed,
    /// For good.
    Revoked(Reason),
}

/// For which reasons CRLs date a revocation by the day only, not to the second.
///
/// What happens to several certificates of one person happens in one second; on a public list such seconds would link them.
/// A date by the day is the midnight in Japan before, so it is never later than the true one. A hold is always dated to
/// the second: the first signatures that are in doubt are those of the same day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatedByDay {
    /// One bit for each reason's code.
    reasons: u16,
}

impl CrlNumber {
    /// The number in these unsigned big-endian octets.
    pub fn from_unsigned(octets: &[u8]) -> Result<Self, CrlNumberError> {
        if octets.is_empty() {
            return Err(CrlNumberError::Empty);
        }
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let digits = &octets[zeros..];
        if digits.len() > OCTETS_MAX || (digits.len() == OCTETS_MAX && digits[0] & 0x80 != 0) {
            return Err(CrlNumberError::TooLong);
        }
        let mut number = [0; OCTETS_MAX];
        number[OCTETS_MAX - digits.len()..].copy_from_slice(digits);
        Ok(Self { octets: number })
    }

    /// Unsigned, big-endian, without leading zeros; zero has none at all.
    pub fn as_octets(&self) -> &[u8] {
        let zeros = self.octets.iter().take_while(|octet| **octet == 0).count();
        &self.octets[zeros..]
    }

    /// As a number of 64 bits, if it is one.
    pub fn to_u64(self) -> Option<u64> {
        let (high, low) = self.octets.split_at(OCTETS_MAX - 8);
        let is_small = high.iter().all(|octet| *octet == 0);
        is_small.then(|| low.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }

    /// The one after it; none after the last.
    pub fn next(self) -> Option<Self> {
        let mut octets = self.octets;
        for octet in octets.iter_mut().rev() {
            *octet = octet.wrapping_add(1);
            if *octet != 0 {
                return Self::from_unsigned(&octets).ok();
            }
        }
        None
    }
}

impl From<u64> for CrlNumber {
    fn from(number: u64) -> Self {
        let mut octets = [0; OCTETS_MAX];
        octets[OCTETS_MAX - 8..].copy_from_slice(&number.to_be_bytes());
        Self { octets }
    }
}

impl fmt::Display for CrlNumber {
    /// In decimal as far as 128 bits go, beyond them in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = self.octets.split_at(OCTETS_MAX - 16);
        if high == [0; OCTETS_MAX - 16] {
            return u128::from_be_bytes(low.try_into().expect("sixteen octets")).fmt(f);
        }
        f.write_str("0x")?;
        self.as_octets().iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl FromStr for CrlNumber {
    type Err = CrlNumberError;

    /// As it is printed: in decimal, or behind `0x` in hexadecimal.
    fn from_str(text: &str) -> Result<Self, CrlNumberError> {
        let Some(digits) = text.strip_prefix("0x") else {
            let number = text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse::<u128>().ok()).flatten();
            return Self::from_unsigned(&number.ok_or(CrlNumberError::NotANumber)?.to_be_bytes());
        };
        if digits.is_empty() || digits.len() > 2 * OCTETS_MAX || !digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        {
            return Err(CrlNumberError::NotANumber);
        }
        let padded = format!("{digits:0>40}");
        let octets: Result<Vec<u8>, _> =
            (0..OCTETS_MAX).map(|at| u8::from_str_radix(&padded[2 * at..2 * at + 2], 16)).collect();
        Self::from_unsigned(&octets.map_err(|_| CrlNumberError::NotANumber)?)
    }
}

impl fmt::Debug for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrlNumber({self})")
    }
}

impl Listed {
    /// The code of RFC 5280 §5.3.1.
    #[inline]
    pub fn code(self) -> u8 {
        match self {
            Self::Held => HOLD,
            Self::Removed => REMOVE,
            Self::Revoked(reason) => reason.code(),
        }
    }

    /// The name RFC 5280 gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "certificateHold",
            Self::Removed => "removeFromCRL",
            Self::Revoked(reason) => reason.name(),
        }
    }

    /// What is listed with that code; none: it isn't assigned.
    #[inline]
    pub fn of_code(code: u8) -> Option<Self> {
        match code {
            HOLD => Some(Self::Held),
            REMOVE => Some(Self::Removed),
            code => Reason::of_code(code).map(Self::Revoked),
        }
    }
}

impl DatedByDay {
    /// None: everything is dated to the second.
    pub const NONE: Self = Self { reasons: 0 };

    /// The date that a CRL says, of what happened at that time.
    #[inline]
    pub fn date(self, listed: Listed, at: Time) -> Time {
        match listed {
            Listed::Revoked(reason) if self.reasons >> reason.code() & 1 == 1 => at.japan_midnight(),
            Listed::Held | Listed::Removed | Listed::Revoked(_) => at,
        }
    }
}

impl DatedByDay {
    /// For which.
    pub fn reasons(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.reasons >> reason.code() & 1 == 1)
    }
}

impl FromIterator<Reason> for DatedByDay {
    fn from_iter<I: IntoIterator<Item = Reason>>(reasons: I) -> Self {
        Self { reasons: reasons.into_iter().fold(0, |set, reason| set | 1 << reason.code()) }
    }
}

impl Default for DatedByDay {
    /// Moved, renamed, died, renewed.
    fn default() -> Self {
        [Reason::AffiliationChanged, Reason::Superseded].into_iter().collect()
    }
}

const OCTETS_MAX: usize = 20;
const HOLD: u8 = 6;
const REMOVE: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_by_one_up_to_the_last() {
        let number = CrlNumber::from(u64::MAX);
        assert_eq!(number.next().unwrap().to_string(), "18446744073709551616");
        assert!(number < number.next().unwrap());
        let mut last = [0xff; OCTETS_MAX];
        last[0] = 0x7f;
        let last = CrlNumber::from_unsigned(&last).unwrap();
        assert_eq!((last.next(), last.as_octets().len()), (None, 20));
        assert_eq!(last.to_string(), format!("0x7F{}", "FF".repeat(19)));
        assert_eq!(CrlNumber::from(0).as_octets(), [0_u8; 0]);
        for number in [CrlNumber::from(0), CrlNumber::from(41), last] {
            assert_eq!(number.to_string().parse(), Ok(number));
        }
        for wrong in ["", "+1", "-1", "1.0", "0x", "0xg", "ff"] {
            assert!(wrong.parse::<CrlNumber>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn octets_that_are_too_many_are_refused() {
        assert_eq!(CrlNumber::from_unsigned(&[0x80; 20]), Err(CrlNumberError::TooLong));
        assert_eq!(CrlNumber::from_unsigned(&[1; 21]), Err(CrlNumberError::TooLong));
        assert_eq!(CrlNumber::from_unsigned(&[]), Err(CrlNumberError::Empty));
        assert_eq!(CrlNumber::from_unsigned(&[0, 0, 7]), Ok(CrlNumber::from(7)));
    }

    #[test]
    fn codes_lead_back_and_seven_is_none() {
        for listed in Reason::ALL.map(Listed::Revoked).into_iter().chain([Listed::Held, Listed::Removed]) {
            assert_eq!(Listed::of_code(listed.code()), Some(listed));
        }
        assert_eq!((Listed::of_code(7), Listed::of_code(11)), (None, None));
    }

    #[test]
    fn a_date_by_the_day_is_the_midnight_in_japan_before() {
        let at = |text: &str| text.parse::<Time>().unwrap();
        let days = DatedByDay::default();
        let moved = Listed::Revoked(Reason::AffiliationChanged);
        assert_eq!(days.date(moved, at("2026-11-20T00:30:59+09:00")), at("2026-11-20T00:00:00+09:00"));
        assert_eq!(days.date(moved, at("2026-11-20T23:59:59+09:00")), at("2026-11-20T00:00:00+09:00"));
        let lost = at("2026-11-20T12:34:56+09:00");
        for listed in [Listed::Held, Listed::Removed, Listed::Revoked(Reason::KeyCompromise)] {
            assert_eq!(days.date(listed, lost), lost);
        }
        assert_eq!(DatedByDay::NONE.date(moved, lost), lost);
        let first = Time::from_unix(-62_135_596_800).unwrap();
        assert_eq!(days.date(moved, first), first, "not before the first day");
    }
}
