//! What can go wrong in the status table: all of it says that the follower and the table disagree, or that a bound is
//! reached; nothing of it concerns a reader.

use crate::model::{CertificateNo, ListNo, Position};

/// Why the table can't take in what it was given. Nothing of the refused row, change or reply is visible
/// afterwards; rows of the same registration that came before it are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// A certificate is registered twice.
    #[error("certificate {0} is in the status table already")]
    AlreadyThere(CertificateNo),
    /// An issuer and serial are registered under two numbers.
    #[error("certificate {new} has the issuer and serial of {known}")]
    KeyTaken {
        /// The one that came.
        new: CertificateNo,
        /// The one that was there.
        known: CertificateNo,
    },
    /// A set event on a list came without the list's members, or with another number of them.
    #[error("set event {position} needs the {count} members of list {list}")]
    MembersMissing {
        /// The set event.
        position: Position,
        /// The list.
        list: ListNo,
        /// How many it names.
        count: u64,
    },
    /// A change names a certificate that was never registered.
    #[error("certificate {0} is not in the status table")]
    NotThere(CertificateNo),
    /// A change comes at or before a position that the table has read already.
    #[error("an event at {found} comes after one at {at}")]
    OutOfOrder {
        /// The last one.
        at: Position,
        /// The one that came.
        found: Position,
    },
    /// A number beyond what the table's words can hold: certificates, combinations of issuer, batch and day of expiry,
    /// changed certificates (2³² each, 2³⁰ for combinations), positions (2⁴⁰) or epochs (2²⁴).
    #[error("{what} {number} is beyond what the status table can hold")]
    TooLarge {
        /// Of what.
        what: Kind,
        /// Which.
        number: u64,
    },
    /// A change names a certificate by a number and by an issuer and serial that belong to two.
    #[error("certificate {0} has another issuer or serial in the status table")]
    WrongKey(CertificateNo),
}

/// Things that the table numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A certificate.
    Certificate,
    /// A changed certificate's details.
    Details,
    /// An epoch.
    Epoch,
    /// A combination of issuer, batch and day of expiry.
    Group,
    /// A position.
    Position,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Details => "details",
            Self::Epoch => "epoch",
            Self::Group => "group",
            Self::Position => "position",
        })
    }
}
