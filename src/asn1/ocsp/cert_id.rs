//! The two halves of a CertID: which issuer, by its hashes, and which serial.
//!
//! Read out of requests; written for replies that are signed before anybody asks.

use super::write::{self, tag};
use crate::model::Serial;

/// An issuer as a CertID names it: hash of its name, hash of its key.
///
/// The key under which issuers are looked up: equal hashes under one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashedIssuer {
    /// With SHA-1, as every client asks unless told otherwise.
    Sha1 {
        /// Of the DER of the name.
        name: [u8; 20],
        /// Of the contents of the BIT STRING of the key.
        key: [u8; 20],
    },
    /// With SHA-256.
    Sha256 {
        /// Of the DER of the name.
        name: [u8; 32],
        /// Of the contents of the BIT STRING of the key.
        key: [u8; 32],
    },
}

/// The parameters of a CertID's hash algorithm; both forms are in use and mean the same (RFC 5754 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameters {
    /// Left out.
    Absent,
    /// NULL, as every client asks unless told otherwise.
    Null,
}

/// The issuer that a question names.
///
/// `By` with the serial determines every octet of the CertID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IssuerAsked {
    /// Hashes of the right lengths, by an algorithm that is known here.
    By(HashedIssuer, Parameters),
    /// Another algorithm, other parameters or another length: no issuer of ours.
    Other,
}

/// The serial that a question names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SerialAsked {
    /// One that a certificate can have.
    Serial(Serial),
    /// Zero, negative, longer than 20 octets, or not in the shortest form: no certificate has it.
    Impossible,
}

impl SerialAsked {
    /// The serial in the contents of an INTEGER.
    pub(super) fn of_integer(contents: &[u8]) -> Self {
        // X.690 §8.3.2: a leading zero octet is there for the sign or not at all. The number is compared, and what isn't
        // its one form is not that number.
        if let [0, next, ..] = contents
            && next & 0x80 == 0
        {
            return Self::Impossible;
        }
        Serial::from_der_integer(contents).map_or(Self::Impossible, Self::Serial)
    }
}

/// The DER of the CertID by which a client asks about that certificate.
pub fn cert_id(issuer: &HashedIssuer, parameters: Parameters, serial: &Serial) -> Vec<u8> {
    let algorithm = algorithm_der(issuer, parameters);
    let hashes: [&[u8]; 2] = match issuer {
        HashedIssuer::Sha1 { name, key } => [name, key],
        HashedIssuer::Sha256 { name, key } => [name, key],
    };
    let octets = serial.as_octets();
    let sign = usize::from(octets[0] >> 7);
    let content = algorithm.len() + 2 * write::element_len(hashes[0].len()) + write::element_len(sign + octets.len());
    let mut der = Vec::with_capacity(write::element_len(content));
    write::header(&mut der, tag::SEQUENCE, content);
    der.extend_from_slice(algorithm);
    for hash in hashes {
        write::element(&mut der, tag::OCTET_STRING, hash);
    }
    write::header(&mut der, tag::INTEGER, sign + octets.len());
    der.extend_from_slice(&[0][..sign]);
    der.extend_from_slice(octets);
    der
}

fn algorithm_der(issuer: &HashedIssuer, parameters: Parameters) -> &'static [u8] {
    match (issuer, parameters) {
        (HashedIssuer::Sha1 { .. }, Parameters::Absent) => SHA1_ABSENT,
        (HashedIssuer::Sha1 { .. }, Parameters::Null) => SHA1_NULL,
        (HashedIssuer::Sha256 { .. }, Parameters::Absent) => SHA256_ABSENT,
        (HashedIssuer::Sha256 { .. }, Parameters::Null) => SHA256_NULL,
    }
}

/// The AlgorithmIdentifiers of SHA-1 (1.3.14.3.2.26) and SHA-256 (2.16.840.1.101.3.4.2.1) in both forms.
pub(super) const SHA1_ABSENT: &[u8] = &[0x30, 7, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a];
pub(super) const SHA1_NULL: &[u8] = &[0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0];
pub(super) const SHA256_ABSENT: &[u8] = &[0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
pub(super) const SHA256_NULL: &[u8] = &[0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0];
