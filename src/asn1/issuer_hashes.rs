//! By which hashes an issuer is found: of its name and of its key, as a CertID states them.
//!
//! Computed when an issuer is added or read; looked up by every OCSP question.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use super::ocsp::HashedIssuer;
use super::{Name, PublicKey};

/// An issuer's hashes under both algorithms that are asked with (RFC 6960 §4.1.1, RFC 9919 §3.1.1).
///
/// Generations of one CA share the name hashes and differ in the key hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IssuerHashes {
    /// SHA-1 of the DER of the issuer's name.
    pub name_sha1: [u8; 20],
    /// SHA-1 of the contents of the BIT STRING of the issuer's key.
    pub key_sha1: [u8; 20],
    /// SHA-256 of the DER of the issuer's name.
    pub name_sha256: [u8; 32],
    /// SHA-256 of the contents of the BIT STRING of the issuer's key.
    pub key_sha256: [u8; 32],
}

impl IssuerHashes {
    /// The hashes of the issuer with that name and key.
    pub fn new(name: &Name, key: &PublicKey) -> Self {
        Self {
            name_sha1: hash(&SHA1_FOR_LEGACY_USE_ONLY, name.as_der()),
            key_sha1: hash(&SHA1_FOR_LEGACY_USE_ONLY, key.key_bits()),
            name_sha256: hash(&SHA256, name.as_der()),
            key_sha256: hash(&SHA256, key.key_bits()),
        }
    }

    /// As a CertID with SHA-1 names this issuer.
    pub fn sha1(&self) -> HashedIssuer {
        HashedIssuer::Sha1 { name: self.name_sha1, key: self.key_sha1 }
    }

    /// As a CertID with SHA-256 names this issuer.
    pub fn sha256(&self) -> HashedIssuer {
        HashedIssuer::Sha256 { name: self.name_sha256, key: self.key_sha256 }
    }
}

fn hash<const LENGTH: usize>(algorithm: &'static Algorithm, octets: &[u8]) -> [u8; LENGTH] {
    digest(algorithm, octets).as_ref().try_into().expect("each hash is asked for in its own length")
}
