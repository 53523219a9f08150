//! Why octets are no CRL that this house reads.

use crate::asn1::Asn1Error;
use crate::model::{CrlNumberError, SerialError};

/// What is wrong with a CRL, as data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// The inner and the outer signature algorithm differ (RFC 5280 §5.1.1.2).
    #[error("the CRL names one signature algorithm inside and another outside")]
    AlgorithmMismatch,
    /// The same extension twice (RFC 5280 §4.2).
    #[error("an extension appears twice, the second time at octet {at}")]
    DuplicateExtension {
        /// Where.
        at: usize,
    },
    /// Not the element, length or spelling that must stand there.
    #[error("{part} is not as DER and RFC 5280 have it, at octet {at}")]
    Malformed {
        /// What was being read.
        part: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A name, key identifier or distribution point within it.
    #[error(transparent)]
    Part(#[from] Asn1Error),
    /// Not a CRL of version 2.
    #[error("the CRL is not of version 2")]
    NotVersion2,
    /// A cRLNumber or deltaCRLIndicator that is none.
    #[error("{0}")]
    Number(#[from] CrlNumberError),
    /// A serial number that is none.
    #[error("serial number at octet {at}: {cause}")]
    Serial {
        /// Where the entry's number stands.
        at: usize,
        /// What is wrong with it.
        cause: SerialError,
    },
    /// More octets than may be read.
    #[error("the CRL has {octets} octets, more than the {octets_max} that may be read")]
    TooLarge {
        /// So many.
        octets: usize,
        /// And no more than that.
        octets_max: usize,
    },
    /// More entries than may be read.
    #[error("the CRL has more than the {entries_max} entries that may be read")]
    TooManyEntries {
        /// No more than that.
        entries_max: usize,
    },
    /// A critical extension that nobody here knows: such a CRL must not be relied on (RFC 5280 §5.2, §5.3).
    #[error("a critical extension that this program does not know, at octet {at}")]
    UnknownCritical {
        /// Where.
        at: usize,
    },
    /// It covers some reasons only, or attribute certificates: it must not be mistaken for a whole list.
    #[error("the CRL lists only {0}, which this program does not handle")]
    Partial(&'static str),
}
