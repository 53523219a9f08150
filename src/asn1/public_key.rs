//! Public keys as certificates carry them (`SubjectPublicKeyInfo`), kept as their DER.
//!
//! Called by builder, reader and whoever identifies an issuer by its key.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::raw::{RawPublicKey, RawRsaKey, TAG_INTEGER, contents, is_encoding_of, whole_octets};
use super::{Asn1Error, Oid};

/// A subject's public key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    der: Vec<u8>,
    bits: Vec<u8>,
    algorithm: KeyAlgorithm,
}

/// What kind of key it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// secp256r1.
    EcP256,
    /// secp384r1.
    EcP384,
    /// An algorithm or curve that this house doesn't sign with.
    Other(Oid),
    /// RSA of that many bits.
    Rsa {
        /// The length of the modulus.
        bits: u32,
    },
}

impl PublicKey {
    /// The key in the DER of a `SubjectPublicKeyInfo`.
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let raw: RawPublicKey = rasn::der::decode(der).map_err(Asn1Error::malformed(PART))?;
        if !is_encoding_of(der, &raw) {
            return Err(Asn1Error::NotDer(PART));
        }
        let bits = whole_octets(&raw.key, PART)?;
        let algorithm = algorithm_of(&raw, &bits)?;
        Ok(Self { der: der.to_vec(), bits, algorithm })
    }

    /// The DER of the whole `SubjectPublicKeyInfo`.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The contents of its BIT STRING, without the octet that counts unused bits: what key hashes are computed over.
    pub fn key_bits(&self) -> &[u8] {
        &self.bits
    }

    /// What kind of key it is.
    pub fn algorithm(&self) -> &KeyAlgorithm {
        &self.algorithm
    }

    /// The key identifier of RFC 5280 §4.2.1.2 (1): SHA-1 of the key bits.
    pub fn key_identifier(&self) -> Vec<u8> {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.bits).as_ref().to_vec()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, ", self.algorithm)?;
        self.key_identifier().iter().try_for_each(|octet| write!(f, "{octet:02X}"))?;
        f.write_str(")")
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcP256 => f.write_str("P-256"),
            Self::EcP384 => f.write_str("P-384"),
            Self::Other(oid) => write!(f, "{oid}"),
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
        }
    }
}

fn algorithm_of(raw: &RawPublicKey, bits: &[u8]) -> Result<KeyAlgorithm, Asn1Error> {
    let oid = &raw.algorithm.algorithm;
    let parameters = raw.algorithm.parameters.as_ref().map(rasn::types::Any::as_bytes);
    if **oid == **EC_PUBLIC_KEY {
        let curve = parameters.ok_or_else(|| Asn1Error::wrong(PART, "an EC key without a curve"))?;
        let (algorithm, length) = match curve {
            P256 => (KeyAlgorithm::EcP256, 65),
            P384 => (KeyAlgorithm::EcP384, 97),
            _ => return Ok(KeyAlgorithm::Other(oid.clone())),
        };
        // RFC 5480 §2.2: uncompressed is what everybody must support, and what key hashes are computed over.
        if bits.len() != length || bits[0] != UNCOMPRESSED {
            return Err(Asn1Error::wrong(PART, "an EC point that isn't in the uncompressed form of its curve"));
        }
        return Ok(algorithm);
    }
    if **oid == **RSA_ENCRYPTION {
        let key: RawRsaKey = rasn::der::decode(bits).map_err(Asn1Error::malformed("the RSA key"))?;
        let modulus = contents(TAG_INTEGER, key.modulus.as_bytes()).unwrap_or_default();
        let digits = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        return match digits.first() {
            Some(first) if *first != 0 => {
                Ok(KeyAlgorithm::Rsa { bits: (digits.len() * 8) as u32 - first.leading_zeros() })
            }
            _ => Err(Asn1Error::wrong("the RSA key", "a modulus that isn't a positive number")),
        };
    }
    Ok(KeyAlgorithm::Other(oid.clone()))
}

const PART: &str = "the public key";
const EC_PUBLIC_KEY: &rasn::types::Oid = rasn::types::Oid::const_new(&[1, 2, 840, 10045, 2, 1]);
const RSA_ENCRYPTION: &rasn::types::Oid = rasn::types::Oid::const_new(&[1, 2, 840, 113549, 1, 1, 1]);
/// 1.2.840.10045.3.1.7 and 1.3.132.0.34 in DER.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const UNCOMPRESSED: u8 = 0x04;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::samples;

    #[test]
    fn knows_the_kinds_of_keys() {
        assert_eq!(samples::p256_key(1).algorithm(), &KeyAlgorithm::EcP256);
        assert_eq!(samples::p256_key(1).key_bits().len(), 65);
        let rsa = samples::rsa_key(256);
        assert_eq!(rsa.algorithm(), &KeyAlgorithm::Rsa { bits: 2048 });
        assert_eq!(rsa.algorithm().to_string(), "RSA-2048");
        // Ed25519, RFC 8410.
        let mut ed25519 = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        ed25519.extend([9; 32]);
        assert_eq!(PublicKey::from_der(&ed25519).unwrap().algorithm().to_string(), "1.3.101.112");
    }

    #[test]
    fn refuses_malformed_keys() {
        let good = samples::p256_key(1).as_der().to_vec();
        let with = |at: usize, octet: u8| {
            let mut bytes = good.clone();
            bytes[at] = octet;
            bytes
        };
        let mut trailing = good.clone();
        trailing.push(0);
        // Unused bits; a compressed point's first octet; P-384's length under P-256's name is caught by the same check.
        for bytes in [with(25, 1), with(26, 2), trailing, good[..60].to_vec(), vec![]] {
            assert!(PublicKey::from_der(&bytes).is_err(), "{bytes:02x?}");
        }
    }
}
