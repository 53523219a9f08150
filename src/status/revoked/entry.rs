//! One certificate that may stand on a CRL, in 40 octets.

use std::cmp::{Ordering, Reverse};

use crate::model::{Life, Listed, Position, Reason, Serial, Status, Time};

use super::super::own::POSITION_BITS;

/// What is known of a certificate that may stand on a CRL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The serial number as one number of 160 bits, highest first; then what else there is, to the bit.
    words: [u64; 5],
}

/// What is the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// At least one hold is open, the first since then.
    Held {
        /// Since when.
        since: Time,
    },
    /// It waits for its acknowledgement, and no CRL says anything of it before that is overdue.
    Pending {
        /// The start of its validity.
        since: Time,
        /// Whether a CRL may have said something of it before.
        before: Before,
    },
    /// Nothing any more: it was released or acknowledged.
    Released {
        /// The date that was listed last.
        since: Time,
    },
    /// Final.
    Revoked {
        /// Why.
        reason: Reason,
        /// Since when.
        at: Time,
    },
}

/// Whether a CRL may have listed a certificate that waits for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// It was held meanwhile, and may have been.
    Held,
    /// Never.
    Nothing,
}

impl Known {
    /// Of a certificate with that end of validity, of which this has been so since that event.
    ///
    /// None if the position is beyond the 40 bits that it has here and in the table.
    pub fn new(serial: &Serial, fact: Fact, lost_at: Option<Time>, not_after: Time, changed: Position) -> Option<Self> {
        if changed.0 >> POSITION_BITS != 0 {
            return None;
        }
        let (kind, at) = fact.pack();
        let (at, lost, end) = (pack_time(Some(at)), pack_time(lost_at), pack_time(Some(not_after)));
        let [high, middle, low] = number_of(serial);
        let rest = kind << 28 | (changed.0 >> 26) << 12 | lost >> 26;
        let words = [high, middle, low << 32 | rest, at << 26 | changed.0 & LOW_26, end << 26 | lost & LOW_26];
        Some(Self { words })
    }

    /// Its number.
    #[inline]
    pub fn serial(&self) -> Serial {
        let mut octets = [0; 20];
        octets[..8].copy_from_slice(&self.words[0].to_be_bytes());
        octets[8..16].copy_from_slice(&self.words[1].to_be_bytes());
        octets[16..].copy_from_slice(&((self.words[2] >> 32) as u32).to_be_bytes());
        Serial::from_padded(octets).expect("it was made of a serial number")
    }

    /// Its number, if it has 16 octets.
    #[inline]
    pub fn number(&self) -> Option<u128> {
        let [high, middle, low, ..] = self.words;
        // Of the highest eight octets the upper four are zero, and the next is not.
        let number = u128::from(high) << 96 | u128::from(middle) << 32 | u128::from(low >> 32);
        (high >> 32 == 0 && high >> 24 != 0).then_some(number)
    }

    /// What is the case.
    #[inline]
    pub fn fact(&self) -> Fact {
        let at = unpack_time(self.words[3] >> 26).unwrap_or_default();
        match self.words[2] >> 28 & 0xf {
            HELD => Fact::Held { since: at },
            PENDING => Fact::Pending { since: at, before: Before::Nothing },
            PENDING_AGAIN => Fact::Pending { since: at, before: Before::Held },
            RELEASED => Fact::Released { since: at },
            code => {
                let reason = Reason::of_code(code as u8).expect("only codes of reasons are packed");
                Fact::Revoked { reason, at }
            }
        }
    }

    /// Whether it waits for its acknowledgement.
    #[inline]
    pub fn is_pending(&self) -> bool {
        matches!(self.words[2] >> 28 & 0xf, PENDING | PENDING_AGAIN)
    }

    /// The event since which it is so.
    #[inline]
    pub fn changed(&self) -> Position {
        Position((self.words[2] >> 12 & 0xffff) << 26 | self.words[3] & LOW_26)
    }

    /// The accepted time of loss, if such times are kept and there is one.
    #[inline]
    pub fn lost_at(&self) -> Option<Time> {
        unpack_time((self.words[2] & 0xfff) << 26 | self.words[4] & LOW_26)
    }

    /// When its validity ends.
    #[inline]
    pub fn not_after(&self) -> Time {
        unpack_time(self.words[4] >> 26).unwrap_or_default()
    }

    /// By the number alone.
    #[inline]
    pub fn cmp_serial(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }

    /// What must be said where two certificates can't be told apart, because key generations of one name gave them one
    /// number: the worse, until neither has anything to be said of it.
    pub fn or_worse(self, other: Self) -> Self {
        let (worse, better) = if self.fact().weight() >= other.fact().weight() { (self, other) } else { (other, self) };
        let mut fact = worse.fact();
        if let (Fact::Pending { since, .. }, Fact::Released { .. }) = (fact, better.fact()) {
            fact = Fact::Pending { since, before: Before::Held };
        }
        let lost_at = worse.lost_at().into_iter().chain(better.lost_at()).min();
        let (end, changed) = (worse.not_after().max(better.not_after()), worse.changed().max(better.changed()));
        Self::new(&self.serial(), fact, lost_at, end, changed).expect("both positions fit")
    }

    /// What its place in the order of serial numbers is.
    #[inline]
    pub(super) fn key(&self) -> Key {
        Key(self.words[0], self.words[1], (self.words[2] >> 32) as u32)
    }

    /// Whether it says the same but for the event since which it is so.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        (self.fact(), self.lost_at(), self.not_after()) == (other.fact(), other.lost_at(), other.not_after())
    }
}

/// The order of serial numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64, u64, u32);

impl Key {
    pub fn of(serial: &Serial) -> Self {
        let [high, middle, low] = number_of(serial);
        Self(high, middle, low as u32)
    }
}

impl Fact {
    /// What a status is to a CRL; `known` is what was known before. None: nothing, and it never was anything else.
    pub(super) fn of(status: &Status, not_before: Time, known: Option<Fact>) -> Option<Self> {
        let since = status.held_since();
        match (status.life, since) {
            (Life::Revoked(revocation), _) => Some(Self::Revoked { reason: revocation.reason, at: revocation.at }),
            (Life::Active | Life::Pending, Some(since)) => Some(Self::Held { since }),
            (Life::Pending, None) => {
                let before = match known {
                    None | Some(Self::Pending { before: Before::Nothing, .. }) => Before::Nothing,
                    Some(_) => Before::Held,
                };
                Some(Self::Pending { since: not_before, before })
            }
            (Life::Active, None) => match known? {
                Self::Held { since } | Self::Pending { since, .. } | Self::Released { since } => {
                    Some(Self::Released { since })
                }
                // Nothing revoked is ever good again; should a history say so, whoever verifies must be told.
                Self::Revoked { at, .. } => Some(Self::Released { since: at }),
            },
        }
    }

    /// As what it is listed, if it is, and since when. What waits is listed, once it is overdue, as a hold: answers say the
    /// same of it.
    #[inline]
    pub fn listed(self) -> Option<(Listed, Time)> {
        match self {
            Self::Held { since } | Self::Pending { since, .. } => Some((Listed::Held, since)),
            Self::Released { .. } => None,
            Self::Revoked { reason, at } => Some((Listed::Revoked(reason), at)),
        }
    }

    /// How bad it is, with the earlier before the later: the order of what is said when only one thing can be.
    fn weight(self) -> impl Ord {
        match self {
            Self::Released { since } => (0, 0, Reverse(since)),
            Self::Pending { since, before } => (1, u8::from(before == Before::Held), Reverse(since)),
            Self::Held { since } => (2, 0, Reverse(since)),
            Self::Revoked { reason, at } if reason.is_compromise() => (4, reason.code(), Reverse(at)),
            Self::Revoked { reason, at } => (3, reason.code(), Reverse(at)),
        }
    }

    fn pack(self) -> (u64, Time) {
        match self {
            Self::Held { since } => (HELD, since),
            Self::Pending { since, before: Before::Nothing } => (PENDING, since),
            Self::Pending { since, before: Before::Held } => (PENDING_AGAIN, since),
            Self::Released { since } => (RELEASED, since),
            Self::Revoked { reason, at } => (reason.code().into(), at),
        }
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (serial, fact, changed) = (self.serial(), self.fact(), self.changed());
        write!(f, "{serial} {fact:?} since {changed}, lost {:?}, ends {}", self.lost_at(), self.not_after())
    }
}

/// 0 for none, else seconds from the first on, from 1. No certificate is older than the year 1289; what is said to be counts
/// as of then.
fn pack_time(time: Option<Time>) -> u64 {
    time.map_or(0, |time| (time.unix() - FIRST).max(0) as u64 + 1)
}

#[inline]
fn unpack_time(packed: u64) -> Option<Time> {
    let seconds = packed.checked_sub(1)? as i64 + FIRST;
    Time::from_unix(seconds).ok()
}

/// As a number of 64, 64 and 32 bits.
fn number_of(serial: &Serial) -> [u64; 3] {
    let digits = serial.as_octets();
    let mut octets = [0; 20];
    octets[20 - digits.len()..].copy_from_slice(digits);
    let word = |octets: &[u8]| octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
    [word(&octets[..8]), word(&octets[8..16]), word(&octets[16..])]
}

const LOW_26: u64 = (1 << 26) - 1;
/// 38 bits before the end of the year 9999, and one.
const FIRST: i64 = 253_402_300_799 - ((1 << 38) - 2);
/// Codes beside those of the reasons, which take 0 to 5, 9 and 10.
const HELD: u64 = 6;
const RELEASED: u64 = 8;
const PENDING: u64 = 11;
const PENDING_AGAIN: u64 = 12;
const _: () = assert!(size_of::<Known>() == 40);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times() -> impl Strategy<Value = Time> {
        prop_oneof![Just(FIRST), Just(253_402_300_799), Just(0), FIRST..=253_402_300_799]
            .prop_map(|seconds| Time::from_unix(seconds).unwrap())
    }

    fn facts() -> impl Strategy<Value = Fact> {
        prop_oneof![
            times().prop_map(|since| Fact::Held { since }),
            (times(), prop::sample::select(vec![Before::Held, Before::Nothing]))
                .prop_map(|(since, before)| Fact::Pending { since, before }),
            times().prop_map(|since| Fact::Released { since }),
            (times(), prop::sample::select(Reason::ALL.to_vec())).prop_map(|(at, reason)| Fact::Revoked { reason, at }),
        ]
    }

    fn serials() -> impl Strategy<Value = Serial> {
        prop::collection::vec(any::<u8>(), 1..=20).prop_filter_map("zero", |octets| Serial::from_unsigned(&octets).ok())
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            (serial, fact, lost, end) in (serials(), facts(), prop::option::of(times()), times()),
            changed in 0..1_u64 << POSITION_BITS,
        ) {
            let known = Known::new(&serial, fact, lost, end, Position(changed)).unwrap();
            prop_assert_eq!((known.serial(), known.fact(), known.lost_at()), (serial, fact, lost));
            prop_assert_eq!((known.not_after(), known.changed()), (end, Position(changed)));
            let number = <[u8; 16]>::try_from(serial.as_octets()).ok().map(u128::from_be_bytes);
            prop_assert_eq!(known.number(), number);
        }

        #[test]
        fn the_order_is_that_of_serial_numbers(one in serials(), other in serials()) {
            prop_assert_eq!(Key::of(&one).cmp(&Key::of(&other)), one.cmp(&other));
            let known = Known::new(&one, Fact::Held { since: Time::default() }, None, Time::default(), Position(1));
            prop_assert_eq!(known.unwrap().key(), Key::of(&one));
        }
    }

    #[test]
    fn what_is_older_than_the_first_time_is_of_then() {
        let serial = Serial::from_unsigned(&[1]).unwrap();
        let since = Time::from_unix(FIRST - 1).unwrap();
        let known = Known::new(&serial, Fact::Held { since }, Some(since), since, Position(1)).unwrap();
        let first = Time::from_unix(FIRST).unwrap();
        assert_eq!((known.fact(), known.lost_at()), (Fact::Held { since: first }, Some(first)));
        assert_eq!(known.not_after(), first);
    }

    #[test]
    fn a_position_that_does_not_fit_is_not_cut() {
        let serial = Serial::from_unsigned(&[1]).unwrap();
        let held = Fact::Held { since: Time::default() };
        assert_eq!(Known::new(&serial, held, None, Time::default(), Position(1 << POSITION_BITS)), None);
    }
}
