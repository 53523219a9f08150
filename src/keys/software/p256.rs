//! A P-256 key in a file: the CAs of the demonstration, and later the signers of replies and CRLs.
//!
//! Made and opened by composition. `openssl pkey` reads the same files.

use std::fmt;
use std::path::Path;

use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use zeroize::Zeroizing;

use super::super::{Algorithm, KeyError, Signer};
use super::{read_key, write_key};

/// A P-256 key. The cryptographic library holds the secret and wipes it when the key is dropped.
pub struct P256Key {
    pair: EcdsaKeyPair,
    subject_public_key: Vec<u8>,
}

impl P256Key {
    /// Makes a key of 32 octets of fresh entropy and writes its file, which must not exist yet.
    ///
    /// One draw in 2³² is no key on this curve and ends in [`KeyError::Failed`].
    pub fn create(path: &Path, entropy: &Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        let key = Self::from_secret(entropy).ok_or(KeyError::Failed)?;
        // A `Document` wipes itself.
        let der = key.pair.to_pkcs8v1().map_err(|_| KeyError::Failed)?;
        write_key(path, der.as_ref())?;
        Ok(key)
    }

    /// Opens a key's file. One that others may read is refused: it is no secret any more.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let form = |what| KeyError::Form { path: path.to_owned(), what };
        let der = read_key(path)?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der)
            .map(Self::of)
            .map_err(|_| form("not a P-256 key in PKCS#8"))
    }

    fn from_secret(secret: &Zeroizing<[u8; 32]>) -> Option<Self> {
        let private = agreement::PrivateKey::from_private_key(&ECDH_P256, &secret[..]).ok()?;
        let public = private.compute_public_key().ok()?;
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &secret[..], public.as_ref()).ok().map(Self::of)
    }

    fn of(pair: EcdsaKeyPair) -> Self {
        let subject_public_key = [&SPKI_P256, pair.public_key().as_ref()].concat();
        Self { pair, subject_public_key }
    }
}

impl Signer for P256Key {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EcdsaP256
    }

    fn public_key(&self) -> &[u8] {
        &self.subject_public_key
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign_digest(&digest(&SHA256, octets)).map_err(|_| KeyError::Failed)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for P256Key {
    /// Says that there is a key, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P256Key")
    }
}

/// The DER of a SubjectPublicKeyInfo on P-256 before its 65 octets of uncompressed point (RFC 5480 §2).
const SPKI_P256: [u8; 26] =
    *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Verifier as _;
    use p256::ecdsa::{DerSignature, VerifyingKey};
    use p256::pkcs8::DecodePublicKey as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_it_signs_is_verified_by_an_independent_implementation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issuer.key");
        let made = P256Key::create(&path, &Zeroizing::new([0x42; 32])).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let opened = P256Key::open(&path).unwrap();
        assert_eq!((opened.public_key(), opened.algorithm()), (made.public_key(), Algorithm::EcdsaP256));
        let verifier = VerifyingKey::from_public_key_der(opened.public_key()).unwrap();
        let signature = DerSignature::from_bytes(&opened.sign(b"a certificate").unwrap()).unwrap();
        assert!(verifier.verify(b"a certificate", &signature).is_ok());
        assert!(verifier.verify(b"another", &signature).is_err());
        let secret = p256::SecretKey::from_slice(&[0x42; 32]).unwrap();
        assert_eq!(verifier, VerifyingKey::from(secret.public_key()), "the entropy is the secret");
        assert!(matches!(P256Key::create(&path, &Zeroizing::new([1; 32])), Err(KeyError::Exists(_))));
        assert_eq!(format!("{opened:?}"), "P256Key");
    }

    #[test]
    fn a_draw_beyond_the_group_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issuer.key");
        for draw in [[0xff; 32], [0; 32]] {
            assert!(matches!(P256Key::create(&path, &Zeroizing::new(draw)), Err(KeyError::Failed)));
            assert!(!path.exists());
        }
    }
}
