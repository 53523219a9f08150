//! Keys on P-256 and P-384: the CAs of the demonstration, the signers of replies and CRLs.
//!
//! Made and opened by composition. `openssl pkey` reads the same files.

use std::fmt;
use std::path::Path;

use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::digest::{self, Digest, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use zeroize::Zeroizing;

use super::super::{Algorithm, KeyError, Signer};
use super::file;

/// A key on one of the two curves. The cryptographic library holds the secret and wipes it when the key is dropped.
pub struct EcdsaKey {
    pair: EcdsaKeyPair,
    curve: &'static Curve,
    subject_public_key: Vec<u8>,
}

/// What differs between the curves.
struct Curve {
    algorithm: Algorithm,
    signing: &'static EcdsaSigningAlgorithm,
    digest: &'static digest::Algorithm,
}

impl EcdsaKey {
    /// Makes a P-256 key of 32 octets of fresh entropy and writes its file, which must not exist yet.
    ///
    /// One draw in 2³² is no key on this curve and ends in [`KeyError::Failed`].
    pub fn create_p256(path: &Path, entropy: &Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        let key = Self::p256_from_secret(entropy).ok_or(KeyError::Failed)?;
        // A `Document` wipes itself.
        let der = key.pair.to_pkcs8v1().map_err(|_| KeyError::Failed)?;
        file::write(path, der.as_ref())?;
        Ok(key)
    }

    /// The key in PKCS#8 or SEC1, if it is on one of the curves.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        CURVES.iter().find_map(|curve| {
            let pair = EcdsaKeyPair::from_private_key_der(curve.signing, der).ok()?;
            Self::of(pair, curve)
        })
    }

    fn p256_from_secret(secret: &Zeroizing<[u8; 32]>) -> Option<Self> {
        let private = agreement::PrivateKey::from_private_key(&ECDH_P256, &secret[..]).ok()?;
        let public = private.compute_public_key().ok()?;
        let curve = &CURVES[0];
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing, &secret[..], public.as_ref()).ok()?;
        Self::of(pair, curve)
    }

    fn of(pair: EcdsaKeyPair, curve: &'static Curve) -> Option<Self> {
        let subject_public_key = pair.public_key().as_der().ok()?.as_ref().to_vec();
        Some(Self { pair, curve, subject_public_key })
    }
}

impl Signer for EcdsaKey {
    fn algorithm(&self) -> Algorithm {
        self.curve.algorithm
    }

    fn public_key(&self) -> &[u8] {
        &self.subject_public_key
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sign_digest(&digest(self.curve.digest, octets))
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, KeyError> {
        if digest.algorithm() != self.curve.digest {
            return Err(KeyError::Digest(self.curve.algorithm));
        }
        let signature = self.pair.sign_digest(digest).map_err(|_| KeyError::Failed)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for EcdsaKey {
    /// Says that there is a key, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcdsaKey")
    }
}

static CURVES: [Curve; 2] = [
    Curve { algorithm: Algorithm::EcdsaP256, signing: &ECDSA_P256_SHA256_ASN1_SIGNING, digest: &digest::SHA256 },
    Curve { algorithm: Algorithm::EcdsaP384, signing: &ECDSA_P384_SHA384_ASN1_SIGNING, digest: &digest::SHA384 },
];

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::VerifyingKey;
    use p256::pkcs8::DecodePublicKey as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_entropy_is_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issuer.key");
        let made = EcdsaKey::create_p256(&path, &Zeroizing::new([0x42; 32])).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let opened = super::super::open(&path, None).unwrap();
        assert_eq!((opened.public_key(), opened.algorithm()), (made.public_key(), Algorithm::EcdsaP256));
        let verifier = VerifyingKey::from_public_key_der(opened.public_key()).unwrap();
        let secret = p256::SecretKey::from_slice(&[0x42; 32]).unwrap();
        assert_eq!(verifier, VerifyingKey::from(secret.public_key()));
        let again = EcdsaKey::create_p256(&path, &Zeroizing::new([1; 32]));
        assert!(matches!(again, Err(KeyError::Exists(_))));
        assert_eq!(format!("{made:?}"), "EcdsaKey");
    }

    #[test]
    fn a_draw_beyond_the_group_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issuer.key");
        for draw in [[0xff; 32], [0; 32]] {
            assert!(matches!(EcdsaKey::create_p256(&path, &Zeroizing::new(draw)), Err(KeyError::Failed)));
            assert!(!path.exists());
        }
    }
}
