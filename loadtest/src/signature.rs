//! Signatures checked by `p256`, `p384` and `rsa`: nothing that the responder signs with. Used by `certificate`.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::{Pkcs1v15Sign, RsaPublicKey};

use crate::der::Der;

/// A key that signs answers or certificates.
#[derive(Debug)]
pub enum PublicKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Rsa(RsaPublicKey),
}

/// The hash below a signature; which family of keys must fit the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithm {
    family: Family,
    hash: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Ecdsa,
    Rsa,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("a key of a kind that is not known here (P-256, P-384, RSA)")]
    Key,
    #[error("a signature algorithm that is not known here, or not of this key")]
    Algorithm,
    #[error("the signature is wrong")]
    Wrong,
}

impl PublicKey {
    /// `algorithm` is the content of the AlgorithmIdentifier, `bits` the content of the subjectPublicKey.
    pub fn new(algorithm: &[u8], bits: &[u8]) -> Result<Self, SignatureError> {
        let mut fields = Der::new(algorithm);
        let id = fields.expect(6, "key algorithm").map_err(|_| SignatureError::Key)?.content;
        let curve = fields.optional(6).ok().flatten().map(|curve| curve.content);
        let key = match (id, curve) {
            (OID_EC, Some(OID_P256)) => p256::ecdsa::VerifyingKey::from_sec1_bytes(bits).ok().map(Self::P256),
            (OID_EC, Some(OID_P384)) => p384::ecdsa::VerifyingKey::from_sec1_bytes(bits).ok().map(Self::P384),
            (OID_RSA, None) => RsaPublicKey::from_pkcs1_der(bits).ok().map(Self::Rsa),
            _ => None,
        };
        key.ok_or(SignatureError::Key)
    }

    pub fn verify(&self, algorithm: Algorithm, bytes: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let hash = algorithm.hash.of(bytes);
        let right = match (self, algorithm.family) {
            (Self::P256(key), Family::Ecdsa) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash, &signature).is_ok()),
            (Self::P384(key), Family::Ecdsa) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash, &signature).is_ok()),
            (Self::Rsa(key), Family::Rsa) => key.verify(algorithm.hash.padding(), &hash, signature).is_ok(),
            _ => return Err(SignatureError::Algorithm),
        };
        if right { Ok(()) } else { Err(SignatureError::Wrong) }
    }
}

impl Algorithm {
    /// From an AlgorithmIdentifier, with tag and length.
    pub fn read(identifier: &[u8]) -> Result<Self, SignatureError> {
        let id = Der::new(identifier).expect(0x30, "algorithm").and_then(|whole| whole.inside().expect(6, "algorithm"));
        let (family, hash) = match id.map_err(|_| SignatureError::Algorithm)?.content {
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2] => (Family::Ecdsa, Hash::Sha256),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => (Family::Ecdsa, Hash::Sha384),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => (Family::Ecdsa, Hash::Sha512),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11] => (Family::Rsa, Hash::Sha256),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12] => (Family::Rsa, Hash::Sha384),
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13] => (Family::Rsa, Hash::Sha512),
            _ => return Err(SignatureError::Algorithm),
        };
        Ok(Self { family, hash })
    }
}

impl Hash {
    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn padding(self) -> Pkcs1v15Sign {
        match self {
            Self::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            Self::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
            Self::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
        }
    }
}

const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const OID_P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
