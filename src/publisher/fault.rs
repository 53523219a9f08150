//! What preflight can find wrong, as data, so that an alarm can say which check failed.

use crate::asn1::crl::CrlError;
use crate::model::{CrlNumber, Serial, Time};

use super::replay::Mismatch;

/// Why a CRL may not be exposed. The one before it stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is signed with another algorithm than the slot's, or one that nobody here knows.
    #[error("it is signed with another algorithm than this slot's")]
    Algorithm,
    /// The delta names another base than the one that holders have, or belongs to another list.
    #[error("the delta does not fit its base: {0} differ")]
    Base(&'static str),
    /// Base and delta don't amount to the full CRL of the same cut-off, or the CRL before and what happened since don't.
    #[error("it does not follow from the CRL before: {0}")]
    DoesNotFollow(Mismatch),
    /// It says of a certificate what the lists don't, or not what they do.
    #[error("its entries are not those that were planned: {0}")]
    Entries(Mismatch),
    /// One of its other extensions isn't what was planned.
    #[error("its {0} is not what was planned")]
    Extension(&'static str),
    /// A date after its own thisUpdate.
    #[error("{serial} is dated {date}, after the CRL itself")]
    FromTheFuture {
        /// Of which certificate.
        serial: Serial,
        /// The date.
        date: Time,
    },
    /// Another's, or another key generation's under the same name.
    #[error("its issuer is not this slot's")]
    Issuer,
    /// The key identifier is another's.
    #[error("its authority key identifier is not that of this slot's key")]
    KeyId,
    /// A delta where a full CRL was planned, or the other way round, or against another base.
    #[error("it is of another kind than planned, or against another base")]
    Kind,
    /// It holds only later.
    #[error("its thisUpdate is {from}, and it is {now}")]
    NotYet {
        /// Its thisUpdate.
        from: Time,
        /// Now.
        now: Time,
    },
    /// It holds no longer.
    #[error("its nextUpdate was {until}, and it is {now}")]
    Over {
        /// Its nextUpdate.
        until: Time,
        /// Now.
        now: Time,
    },
    /// Its number is not the planned one.
    #[error("its number is {found}, planned was {planned}")]
    Number {
        /// What was planned.
        planned: CrlNumber,
        /// What it says.
        found: CrlNumber,
    },
    /// Its number is not above all that were exposed here.
    #[error("its number {found} is not above {exposed}, which was exposed here")]
    NumberNotRising {
        /// The highest.
        exposed: CrlNumber,
        /// What it says.
        found: CrlNumber,
    },
    /// It has no number.
    #[error("it has no number")]
    NoNumber,
    /// It speaks of other certificates than this slot's.
    #[error("its issuing distribution point is not this slot's")]
    Point,
    /// removeFromCRL on a full CRL.
    #[error("{0} is said to be removed, on a full CRL")]
    RemovedOnFull(Serial),
    /// The signature isn't the slot's key's over these octets.
    #[error("its signature does not verify with this slot's key")]
    Signature,
    /// thisUpdate isn't its cut-off's time.
    #[error("thisUpdate is {found}, its cut-off {planned}")]
    ThisUpdate {
        /// The cut-off's.
        planned: Time,
        /// What it says.
        found: Time,
    },
    /// thisUpdate lies before that of what was exposed.
    #[error("thisUpdate is {found}, before that of the CRL exposed before, {exposed}")]
    ThisUpdateBack {
        /// Of what was exposed.
        exposed: Time,
        /// What it says.
        found: Time,
    },
    /// nextUpdate isn't the planned one, or not after thisUpdate.
    #[error("nextUpdate is {found}, planned was {planned}")]
    NextUpdate {
        /// What was planned.
        planned: Time,
        /// What it says.
        found: Time,
    },
    /// nextUpdate lies before that of what was exposed.
    #[error("nextUpdate is {found}, before that of the CRL exposed before, {exposed}")]
    NextUpdateBack {
        /// Of what was exposed.
        exposed: Time,
        /// What it says.
        found: Time,
    },
    /// nextUpdate lies beyond the end of the signer's certificate.
    #[error("nextUpdate is {found}, and the certificate of the key that signs ends at {not_after}")]
    NextUpdateTooLate {
        /// The signer's end.
        not_after: Time,
        /// What it says.
        found: Time,
    },
    /// It can't be read back.
    #[error("it can't be read back: {0}")]
    Unreadable(#[from] CrlError),
}
