//! One relying party as the operator describes it. Used by the register, and made by whoever reads the settings.

use std::fmt;
use std::str::FromStr;

use super::Network;
use crate::model::Rank;

/// An organisation that relies on answers, with the services for which it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its name, as it stands in paths and accounts.
    pub name: Label,
    /// Its services, each with an account of its own.
    pub services: Vec<Label>,
    /// Where its requests come from.
    pub networks: Vec<Network>,
    /// In whose turn it is answered.
    pub rank: Rank,
}

/// A name that fits into a path as it is: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Box<str>);

/// A text that is no such name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no name of 1 to {LABEL_OCTETS_MAX} of a-z, 0-9 and '-'")]
pub struct LabelError(pub String);

impl Label {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let plain = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if !(1..=LABEL_OCTETS_MAX).contains(&text.len()) || !text.bytes().all(plain) {
            return Err(LabelError(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Room for `ministry-of-something`, and an account's line still fits on a screen.
const LABEL_OCTETS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_paths() {
        for right in ["a", "demo", "bank-7", "0123456789abcdef0123456789abcdef"] {
            assert_eq!(right.parse::<Label>().unwrap().as_str(), right);
        }
        for wrong in ["", "Demo", "a_b", "a/b", "a.b", "é", "0123456789abcdef0123456789abcdef0"] {
            assert_eq!(wrong.parse::<Label>(), Err(LabelError(wrong.to_owned())));
        }
    }
}
