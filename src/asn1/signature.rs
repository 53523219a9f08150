//! The signature algorithms this house signs and verifies with, as they are named in certificates.
//!
//! Used by builder and reader here; the signers in `keys` choose one of these.

use aws_lc_rs::digest;
use rasn::types::Any;
use rasn_pkix::AlgorithmIdentifier;

use super::Oid;
use super::raw::encode;

/// An algorithm with its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// ecdsa-with-SHA256, for P-256 keys.
    EcdsaSha256,
    /// ecdsa-with-SHA384, for P-384 keys.
    EcdsaSha384,
    /// sha256WithRSAEncryption, PKCS#1 v1.5.
    RsaSha256,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EcdsaSha256, Self::EcdsaSha384, Self::RsaSha256];

    /// The hash that is signed.
    pub fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::EcdsaSha256 | Self::RsaSha256 => &digest::SHA256,
            Self::EcdsaSha384 => &digest::SHA384,
        }
    }

    /// The DER of its `AlgorithmIdentifier`: parameters absent for ECDSA (RFC 5758 §3.2), NULL for RSA (RFC 4055 §5).
    pub fn identifier_der(self) -> Vec<u8> {
        let parameters = match self {
            Self::EcdsaSha256 | Self::EcdsaSha384 => None,
            Self::RsaSha256 => Some(Any::new(NULL.to_vec())),
        };
        encode(&AlgorithmIdentifier { algorithm: Oid::new_unchecked(self.arcs().into()), parameters })
    }

    /// The algorithm of that `AlgorithmIdentifier`; none: not one of ours.
    pub fn from_identifier(der: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.identifier_der() == der)
    }

    /// The algorithm with that object identifier, whatever parameters stand beside it; none: not one of ours.
    pub(super) fn from_oid(oid: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| **oid == *algorithm.arcs())
    }

    fn arcs(self) -> &'static [u32] {
        match self {
            Self::EcdsaSha256 => &[1, 2, 840, 10045, 4, 3, 2],
            Self::EcdsaSha384 => &[1, 2, 840, 10045, 4, 3, 3],
            Self::RsaSha256 => &[1, 2, 840, 113549, 1, 1, 11],
        }
    }
}

const NULL: [u8; 2] = [0x05, 0x00];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_recognised_by_its_own_identifier_only() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::from_identifier(&algorithm.identifier_der()), Some(algorithm));
        }
        let mut sha1 = SignatureAlgorithm::RsaSha256.identifier_der();
        *sha1.iter_mut().nth_back(2).unwrap() = 5;
        assert_eq!(SignatureAlgorithm::from_identifier(&sha1), None);
    }

    #[test]
    fn ecdsa_has_no_parameters_and_rsa_has_null() {
        assert_eq!(
            SignatureAlgorithm::EcdsaSha256.identifier_der(),
            *b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
        );
        assert!(SignatureAlgorithm::RsaSha256.identifier_der().ends_with(&[0x01, 0x01, 0x0b, 0x05, 0x00]));
    }
}
