//! Why a certificate was revoked (RFC 5280 §5.3.1), as far as a revocation can say it.
//!
//! `certificateHold` (6) is a hold and `removeFromCRL` (8) a line in a delta CRL: neither is a reason to be revoked for,
//! and 7 was never assigned. None of the three can be written as a [`Reason`].

use std::fmt;
use std::str::FromStr;

/// The reason for a final revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Contents changed: moved, renamed, died.
    AffiliationChanged = 3,
    /// An attribute authority's compromise; accepted on import only.
    AaCompromise = 10,
    /// The CA's key is compromised.
    CaCompromise = 2,
    /// No longer needed.
    CessationOfOperation = 5,
    /// Lost and not found, or the key known to others.
    KeyCompromise = 1,
    /// A privilege was withdrawn; accepted on import only.
    PrivilegeWithdrawn = 9,
    /// Replaced by another certificate.
    Superseded = 4,
    /// Discarded before delivery; CRLs then omit the reason.
    Unspecified = 0,
}

/// A number or name that is no reason for a revocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// 6 or `certificateHold`.
    #[error("certificateHold is not a revocation: use 'hold'")]
    Hold,
    /// A number that RFC 5280 does not assign to a revocation.
    #[error("{0} is not a revocation reason code")]
    Number(u64),
    /// An unknown name.
    #[error("'{0}' is not a revocation reason (one of {names})", names = names())]
    Name(String),
}

impl Reason {
    /// Every reason, alphabetically.
    pub const ALL: [Self; 8] = [
        Self::AaCompromise,
        Self::AffiliationChanged,
        Self::CaCompromise,
        Self::CessationOfOperation,
        Self::KeyCompromise,
        Self::PrivilegeWithdrawn,
        Self::Superseded,
        Self::Unspecified,
    ];

    /// The code of RFC 5280 §5.3.1.
    #[inline]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The reason with that code.
    pub fn from_code(code: u64) -> Result<Self, ReasonError> {
        match code {
            6 => Err(ReasonError::Hold),
            _ => u8::try_from(code).ok().and_then(Self::of_code).ok_or(ReasonError::Number(code)),
        }
    }

    /// The same without a word about what is wrong: CRLs are read a million codes at a time.
    #[inline]
    pub fn of_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Unspecified),
            1 => Some(Self::KeyCompromise),
            2 => Some(Self::CaCompromise),
            3 => Some(Self::AffiliationChanged),
            4 => Some(Self::Superseded),
            5 => Some(Self::CessationOfOperation),
            9 => Some(Self::PrivilegeWithdrawn),
            10 => Some(Self::AaCompromise),
            _ => None,
        }
    }

    /// The name RFC 5280 gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AaCompromise => "aACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::CaCompromise => "cACompromise",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::KeyCompromise => "keyCompromise",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        }
    }

    /// Whether replacing `other` by this reason says something worse. A final reason is only ever changed so: a bank
    /// that was told "key compromised" must never later read "renewed".
    pub fn outweighs(self, other: Self) -> bool {
        self.weight() > other.weight()
    }

    /// Whether it says that others may have the key, or could have made such a certificate.
    pub fn is_compromise(self) -> bool {
        self.outweighs(Self::Superseded)
    }

    fn weight(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::AffiliationChanged | Self::CessationOfOperation | Self::PrivilegeWithdrawn | Self::Superseded => 1,
            Self::AaCompromise | Self::KeyCompromise => 2,
            Self::CaCompromise => 3,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    /// The name in any case, or the code in decimal.
    fn from_str(text: &str) -> Result<Self, ReasonError> {
        if let Ok(code) = text.parse() {
            return Self::from_code(code);
        }
        if text.eq_ignore_ascii_case("certificateHold") {
            return Err(ReasonError::Hold);
        }
        Self::ALL
            .into_iter()
            .find(|reason| reason.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| ReasonError::Name(text.to_owned()))
    }
}

fn names() -> String {
    Reason::ALL.map(Reason::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_seven_and_eight_are_no_reasons() {
        assert_eq!(Reason::from_code(6), Err(ReasonError::Hold));
        assert_eq!(Reason::from_code(7), Err(ReasonError::Number(7)));
        assert_eq!(Reason::from_code(8), Err(ReasonError::Number(8)));
    }

    #[test]
    fn codes_and_names_lead_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code().into()), Ok(reason));
            assert_eq!(Reason::of_code(reason.code()), Some(reason));
            assert_eq!(reason.name().to_lowercase().parse(), Ok(reason));
        }
        assert_eq!("CACompromise".parse(), Ok(Reason::CaCompromise));
    }

    #[test]
    fn no_reason_outweighs_itself() {
        for reason in Reason::ALL {
            assert!(!reason.outweighs(reason));
        }
        assert!(Reason::KeyCompromise.outweighs(Reason::Superseded));
    }
}
