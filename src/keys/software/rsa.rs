//! RSA keys: signers of replies and CRLs for verifiers that know nothing else. Opened, never made.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};

use super::super::{Algorithm, KeyError, Signer};

/// An RSA key of 2048 to 4096 bits. The cryptographic library holds the secret and wipes it when the key is dropped.
pub struct RsaKey {
    pair: RsaKeyPair,
    subject_public_key: Vec<u8>,
}

impl RsaKey {
    /// The key in PKCS#8 or PKCS#1. `None` if it is no RSA key, or of a length that verifiers don't take.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let pair = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok()?;
        if !LENGTHS.contains(&pair.public_modulus_len()) {
            return None;
        }
        let subject_public_key = pair.public_key().as_der().ok()?.as_ref().to_vec();
        Some(Self { pair, subject_public_key })
    }
}

impl Signer for RsaKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RsaSha256
    }

    fn public_key(&self) -> &[u8] {
        &self.subject_public_key
    }

    fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sign_digest(&digest(&SHA256, octets))
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, KeyError> {
        if digest.algorithm() != &SHA256 {
            return Err(KeyError::Digest(Algorithm::RsaSha256));
        }
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature).map_err(|_| KeyError::Failed)?;
        Ok(signature)
    }
}

impl fmt::Debug for RsaKey {
    /// Says that there is a key, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey")
    }
}

/// Octets of modulus: 2048, 3072 and 4096 bits.
const LENGTHS: [usize; 3] = [256, 384, 512];
