//! Who answers, as replies say it: the responder's identifier, its algorithm and its certificate.
//!
//! Made by the responder when a key enters service, used for each reply it signs.

use super::write::{self, tag};
use crate::asn1::{Name, PublicKey, SignatureAlgorithm};

/// The responderID of a reply, as DER (RFC 6960 §4.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResponderId(Box<[u8]>);

/// What stands around a signature: the algorithm before it, the certificates behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credentials {
    algorithm: Box<[u8]>,
    /// `certs`, with its tag; empty where there are none.
    certificates: Box<[u8]>,
}

impl ResponderId {
    /// By SHA-1 of the key, as RFC 9919 §3.2.2 wants it.
    pub fn by_key(key: &PublicKey) -> Self {
        Self::of_hash(&key.key_identifier())
    }

    /// The same, of a key whose hash is known.
    pub fn of_key_hash(hash: &[u8; 20]) -> Self {
        Self::of_hash(hash)
    }

    fn of_hash(hash: &[u8]) -> Self {
        let mut der = Vec::new();
        write::header(&mut der, tag::CONTEXT_2, write::element_len(hash.len()));
        write::element(&mut der, tag::OCTET_STRING, hash);
        Self(der.into())
    }

    /// By the subject of the responder's certificate, for clients that look for nothing else.
    pub fn by_name(name: &Name) -> Self {
        let mut der = Vec::new();
        write::element(&mut der, tag::CONTEXT_1, name.as_der());
        Self(der.into())
    }

    pub(super) fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl Credentials {
    /// Signatures by `algorithm`, checked with the first of `certificates` (each in DER, the signer's own first). With
    /// none, clients must know the signer: an issuer that answers for itself.
    pub fn new(algorithm: SignatureAlgorithm, certificates: &[&[u8]]) -> Self {
        let list: usize = certificates.iter().map(|certificate| certificate.len()).sum();
        let mut der = Vec::new();
        if list > 0 {
            write::header(&mut der, tag::CONTEXT_0, write::element_len(list));
            write::element(&mut der, tag::SEQUENCE, &certificates.concat());
        }
        Self { algorithm: algorithm.identifier_der().into(), certificates: der.into() }
    }

    pub(super) fn algorithm_der(&self) -> &[u8] {
        &self.algorithm
    }

    pub(super) fn certificates_der(&self) -> &[u8] {
        &self.certificates
    }
}
