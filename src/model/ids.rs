//! Names and numbers of things: ledger positions, certificate numbers, pseudonyms, codes.
//!
//! Each is a type of its own, so that a position can't be passed for a certificate number, nor a SIM for a holder.

use std::fmt;
use std::str::FromStr;

/// Declares a number that names one kind of thing.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// Declares a 128-bit name, written as 32 hexadecimal digits.
macro_rules! name128 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = || IdError::NotHex128(text.to_owned());
                if text.len() != 32 || !text.is_ascii() {
                    return Err(wrong());
                }
                let mut octets = [0; 16];
                for (octet, pair) in octets.iter_mut().zip(text.as_bytes().chunks(2)) {
                    let digit = |c: u8| (c as char).to_digit(16).ok_or_else(wrong);
                    *octet = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
                }
                Ok(Self(octets))
            }
        }
    };
}

number! {
    /// The place of an event in the ledger: 1, 2, 3, … without gaps, in the order of commits. 0 is "before the first".
    Position(u64)
}
number! {
    /// Which history of a ledger: raised by a person when histories forked (`ledger adopt`).
    Epoch(u32)
}
number! {
    /// A certificate's number in the ledger, from 1 in the order of registration. Local to the ledger, never published.
    CertificateNo(u64)
}
number! {
    /// An issuer key generation's number in the ledger.
    IssuerNo(u16)
}
number! {
    /// A CRL scope's number in the ledger.
    ScopeNo(u32)
}
number! {
    /// A listed set's number: its members are written beforehand under it.
    ListNo(u32)
}
number! {
    /// A production batch of chips or of their operating system.
    Batch(u32)
}
number! {
    /// A municipality's code, as the local government codes number them (Chiyoda is 13101).
    Municipality(u32)
}
number! {
    /// A hold's name: the position of the event that opened it.
    HoldId(Position)
}

name128! {
    /// A ledger's identity, drawn at random when it is made.
    LedgerId
}
name128! {
    /// A holder, as a keyed pseudonym.
    HolderId
}
name128! {
    /// A card, SIM or secure element, as a keyed pseudonym.
    MediumId
}
name128! {
    /// A SIM as its operator numbers it, as a keyed pseudonym.
    SimId
}
name128! {
    /// The applet instance within a SIM, as a keyed pseudonym.
    AppletId
}
name128! {
    /// The person or terminal behind a command, as a keyed pseudonym.
    PersonId
}
name128! {
    /// Names a command so that sending it twice does it once.
    IdempotencyKey
}
name128! {
    /// One running process: who holds a lease.
    NodeId
}

/// A mobile operator, by its short name: 1 to 16 of `a-z`, `0-9` and `-`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    name: [u8; OPERATOR_OCTETS_MAX],
    len: u8,
}

/// Why a text names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 32 hexadecimal digits.
    #[error("'{0}' is not a name of 32 hexadecimal digits")]
    NotHex128(String),
    /// Not a short operator name.
    #[error("'{0}' is not an operator name (1 to {OPERATOR_OCTETS_MAX} of a-z, 0-9 and '-')")]
    NotOperator(String),
}

impl Position {
    /// The position after this one.
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The position `count` further on.
    pub fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }
}

impl CertificateNo {
    /// The number `count` further on.
    pub fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }
}

impl Operator {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.name[..self.len as usize]).expect("only ASCII is let in")
    }
}

impl FromStr for Operator {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=OPERATOR_OCTETS_MAX).contains(&text.len())
            && text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !fits {
            return Err(IdError::NotOperator(text.to_owned()));
        }
        let mut operator = Self { name: [0; OPERATOR_OCTETS_MAX], len: text.len() as u8 };
        operator.name[..text.len()].copy_from_slice(text.as_bytes());
        Ok(operator)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operator({self})")
    }
}

const OPERATOR_OCTETS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_printed() {
        let name = LedgerId(*b"0123456789abcdef");
        assert_eq!(name.to_string().parse(), Ok(name));
        assert!("30313233".parse::<LedgerId>().is_err());
        assert!("zz313233343536373839616263646566".parse::<LedgerId>().is_err());
    }

    #[test]
    fn operators_are_short_lower_case_names() {
        assert_eq!("mno-1".parse::<Operator>().unwrap().as_str(), "mno-1");
        for wrong in ["", "MNO", "a_b", "abcdefghijklmnopq"] {
            assert!(wrong.parse::<Operator>().is_err(), "{wrong}");
        }
    }
}
