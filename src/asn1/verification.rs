//! Whether a signature is a key's. What this house signs is verified before anybody sees it, and what others signed before it
//! is relied on.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::{KeyAlgorithm, PublicKey, SignatureAlgorithm};

/// Whether `signature` is this key's over these octets. Never true where key and algorithm don't belong together.
pub fn verifies(key: &PublicKey, algorithm: SignatureAlgorithm, octets: &[u8], signature: &[u8]) -> bool {
    let verification: &'static dyn VerificationAlgorithm = match (algorithm, key.algorithm()) {
        (SignatureAlgorithm::EcdsaSha256, KeyAlgorithm::EcP256) => &ECDSA_P256_SHA256_ASN1,
        (SignatureAlgorithm::EcdsaSha384, KeyAlgorithm::EcP384) => &ECDSA_P384_SHA384_ASN1,
        (SignatureAlgorithm::RsaSha256, KeyAlgorithm::Rsa { .. }) => &RSA_PKCS1_2048_8192_SHA256,
        _ => return false,
    };
    UnparsedPublicKey::new(verification, key.key_bits()).verify(octets, signature).is_ok()
}
