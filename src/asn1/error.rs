//! Why bytes are not what they should be, or can't be written: the one error of this room.

use crate::model::{SerialError, TimeError};

/// What is wrong with a certificate, a name or a PEM file, as data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Asn1Error {
    /// `rasn` refused the structure, or bytes are left over after it.
    #[error("{part} is not valid DER: {cause}")]
    Malformed {
        /// The part of the certificate that was being read.
        part: &'static str,
        /// What the decoder says.
        cause: String,
    },
    /// A structure that BER allows and DER doesn't, in a part whose bytes must have one form only.
    #[error("{0} is not in the one form that DER allows")]
    NotDer(&'static str),
    /// The inner and the outer signature algorithm differ (RFC 5280 §4.1.1.2).
    #[error("the certificate names one signature algorithm inside and another outside")]
    AlgorithmMismatch,
    /// Only version 3 certificates carry extensions.
    #[error("extensions in a certificate that isn't version 3")]
    NotVersion3,
    /// The same extension twice (RFC 5280 §4.2).
    #[error("the extension {0} appears twice")]
    DuplicateExtension(String),
    /// A serial number that is none.
    #[error("serial number: {0}")]
    Serial(#[from] SerialError),
    /// A time that is none.
    #[error("{part}: '{text}' is no UTCTime or GeneralizedTime that X.509 allows")]
    Time {
        /// `notBefore` or `notAfter`.
        part: &'static str,
        /// The characters found, escaped.
        text: String,
    },
    /// A time outside the years 1 to 9999.
    #[error("time: {0}")]
    TimeRange(#[from] TimeError),
    /// `notAfter` lies before `notBefore`.
    #[error("the validity ends before it begins")]
    ValidityReversed,
    /// An issuer, or a name asked for, without any attribute.
    #[error("{0} is an empty name")]
    EmptyName(&'static str),
    /// Text that the attribute or extension can't carry.
    #[error("'{text}' can't be a {kind}")]
    Text {
        /// The ASN.1 type or attribute.
        kind: &'static str,
        /// The text, escaped.
        text: String,
    },
    /// A distribution point that names neither a place nor a CRL issuer (RFC 5280 §4.2.1.13).
    #[error("a distribution point names neither a place nor a CRL issuer")]
    EmptyDistributionPoint,
    /// Arcs that no object identifier can have.
    #[error("'{0}' is not an object identifier")]
    Oid(String),
    /// A DER file that has fewer octets than it says.
    #[error("the file ends in the middle of what it holds: it was cut off")]
    CutOff,
    /// No certificate in the file.
    #[error("no certificate found: neither a PEM block CERTIFICATE nor DER")]
    NoCertificate,
    /// No CRL in the file.
    #[error("no CRL found: neither a PEM block X509 CRL nor DER")]
    NoCrl,
    /// More certificates than the caller asked for.
    #[error("one certificate was expected, the file has {0}")]
    SeveralCertificates(usize),
    /// More CRLs than the caller asked for.
    #[error("one CRL was expected, the file has {0}")]
    SeveralCrls(usize),
    /// A PEM block that doesn't end, or ends with another label.
    #[error("the PEM block {label} that begins in line {line} does not end")]
    PemUnterminated {
        /// The label of its first line.
        label: String,
        /// Counted from 1.
        line: usize,
    },
    /// A PEM block whose lines aren't base64.
    #[error("the PEM block {label} that begins in line {line} is not base64")]
    PemNotBase64 {
        /// The label of its first line.
        label: String,
        /// Counted from 1.
        line: usize,
    },
}

impl Asn1Error {
    /// The mapper of a decoder's refusal of `part`.
    pub(super) fn malformed(part: &'static str) -> impl Fn(rasn::error::DecodeError) -> Self {
        move |cause| Self::Malformed { part, cause: cause.to_string() }
    }

    /// A refusal of `part` that `rasn` would not have made.
    pub(super) fn wrong(part: &'static str, cause: &str) -> Self {
        Self::Malformed { part, cause: cause.to_owned() }
    }
}
