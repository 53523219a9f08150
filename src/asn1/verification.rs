//! Whether a signature is a key's. What this house signs is verified before anybody sees it, and what others signed before it
//! is relied on.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::{KeyAlgorithm, PublicKey, SignatureAlgorithm};

/// Whether `signature` is this key's over these octets. Never true where key and algorithm don't belong together.
pub fn verifies(key: &PublicKey, algorithm: SignatureAlgorithm, octets: &[u8], signature: &[u8]) -> bool {
    verification(key, algorithm)
        .is_some_and(|known| UnparsedPublicKey::new(known, key.key_bits()).verify(octets, signature).is_ok())
}

/// The same of octets that were hashed already, with [`SignatureAlgorithm::digest`].
pub fn verifies_digest(key: &PublicKey, algorithm: SignatureAlgorithm, digest: &Digest, signature: &[u8]) -> bool {
    digest.algorithm() == algorithm.digest()
        && verification(key, algorithm)
            .is_some_and(|known| known.verify_digest_sig(key.key_bits(), digest, signature).is_ok())
}

fn verification(key: &PublicKey, algorithm: SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match (algorithm, key.algorithm()) {
        (SignatureAlgorithm::EcdsaSha256, KeyAlgorithm::EcP256) => Some(&ECDSA_P256_SHA256_ASN1),
        (SignatureAlgorithm::EcdsaSha384, KeyAlgorithm::EcP384) => Some(&ECDSA_P384_SHA384_ASN1),
        (SignatureAlgorithm::RsaSha256, KeyAlgorithm::Rsa { .. }) => Some(&RSA_PKCS1_2048_8192_SHA256),
        _ => None,
    }
}
