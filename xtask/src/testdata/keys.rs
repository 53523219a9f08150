//! Private keys out of seeds, and their signatures. Called by the other files of the generator.

use p256::ecdsa::signature::Signer;
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rsa::pkcs1v15;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::SignatureEncoding;
use tashika::asn1::{PublicKey, SignatureAlgorithm};

/// The kinds of keys that a national PKI has or is about to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// RSA of 2048 bits.
    Rsa2048,
}

/// A private key that everybody knows.
pub enum TestKey {
    /// secp256r1.
    P256(p256::SecretKey),
    /// secp384r1.
    P384(p384::SecretKey),
    /// RSA of 2048 bits.
    Rsa2048(Box<rsa::RsaPrivateKey>),
}

impl TestKey {
    /// The key that belongs to that label.
    pub fn from_label(kind: Kind, label: &str) -> Self {
        let seed = Sha256::new().chain_update("tashika public test key: ").chain_update(label).finalize();
        let mut random = ChaCha20Rng::from_seed(seed.into());
        match kind {
            Kind::P256 => Self::P256(p256::SecretKey::random(&mut random)),
            Kind::P384 => Self::P384(p384::SecretKey::random(&mut random)),
            Kind::Rsa2048 => {
                let key = rsa::RsaPrivateKey::new(&mut random, 2048).expect("2048 bits are a size rsa makes");
                Self::Rsa2048(Box::new(key))
            }
        }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        let der = match self {
            Self::P256(key) => key.public_key().to_public_key_der(),
            Self::P384(key) => key.public_key().to_public_key_der(),
            Self::Rsa2048(key) => key.to_public_key().to_public_key_der(),
        };
        PublicKey::from_der(der.expect("a public key has a DER form").as_bytes()).expect("and the reader takes it")
    }

    /// The algorithm of its signatures.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::P256(_) => SignatureAlgorithm::EcdsaSha256,
            Self::P384(_) => SignatureAlgorithm::EcdsaSha384,
            Self::Rsa2048(_) => SignatureAlgorithm::RsaSha256,
        }
    }

    /// Signs, without drawing anything (RFC 6979; PKCS#1 v1.5).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key).sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Self::Rsa2048(key) => pkcs1v15::SigningKey::<Sha256>::new(key.as_ref().clone()).sign(message).to_vec(),
        }
    }

    /// PKCS#8 in PEM.
    pub fn to_pem(&self) -> String {
        let pem = match self {
            Self::P256(key) => key.to_pkcs8_pem(LineEnding::LF),
            Self::P384(key) => key.to_pkcs8_pem(LineEnding::LF),
            Self::Rsa2048(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        pem.expect("a private key has a PKCS#8 form").to_string()
    }
}
