//! How answers about one issuer's certificates are made: settings, checked by whoever reads the configuration.

use std::fmt;

use crate::model::Seconds;

/// How answers about one issuer's certificates are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What caches may do with an answer.
    pub profile: Profile,
    /// From thisUpdate to nextUpdate.
    pub validity: Seconds,
    /// Which certificates have a signed reply before anybody asks.
    pub presign: Presign,
    /// In which form of question those replies are made.
    pub forms: Forms,
    /// How the responder names itself.
    pub named: Named,
    /// What is said of a certificate that was never issued.
    pub not_issued: NotIssued,
}

/// What caches may do with an answer, and how long one is valid unless that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Minutes: a loss is in the next answer, so caches keep one for a minute, and only the caller's own.
    National,
    /// Days, cached by everybody, as RFC 9919 has it for the web.
    Web,
}

/// Which certificates have a signed reply before anybody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presign {
    /// Every one that is valid.
    All,
    /// Those that were asked for within this time.
    Hot(Seconds),
    /// None: every answer is signed when it is asked for, and kept while it is valid.
    Off,
}

/// The form of CertID that kept replies are made for. Any other is signed when it is asked for, and kept within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forms {
    /// SHA-1 and SHA-256: twice the signatures.
    Both,
    /// SHA-1 with NULL parameters: what every client asks with unless told otherwise.
    Sha1,
    /// SHA-256 with NULL parameters.
    Sha256,
}

/// How the responder names itself in its answers (RFC 6960 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// By SHA-1 of its key, as RFC 9919 §3.2.2 wants it.
    ByKey,
    /// By its certificate's subject, for clients that look for nothing else.
    ByName,
}

/// What is said of a certificate that was never issued. Never good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIssued {
    /// Revoked since 1970, with the extension that says what that means (RFC 6960 §4.4.8).
    Revoked,
    /// Nothing: an unsigned refusal, for responders that hold no record of it.
    Unauthorized,
    /// Unknown.
    Unknown,
}

impl Profile {
    /// The validity of an answer unless it is set.
    pub fn validity(self) -> Seconds {
        match self {
            Self::National => Seconds(600),
            Self::Web => Seconds::days(4),
        }
    }
}

impl Policy {
    /// What a profile stands for, everything else as usual.
    pub fn of(profile: Profile) -> Self {
        Self {
            profile,
            validity: profile.validity(),
            presign: Presign::Hot(HOT_FOR),
            forms: Forms::Sha1,
            named: Named::ByKey,
            not_issued: NotIssued::Unknown,
        }
    }
}

impl fmt::Display for Presign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Hot(Seconds(within)) => write!(f, "hot (asked within {within} s)"),
            Self::Off => f.write_str("off"),
        }
    }
}

/// Whoever asked within the hour asks again.
pub const HOT_FOR: Seconds = Seconds(3_600);
