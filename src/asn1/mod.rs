//! Bytes ⇄ model: OCSP requests and replies ([`ocsp`]), CRLs ([`crl`]), the X.509 this house writes and the few fields of it that it
//! reads back.
//!
//! The demonstration PKI and the test data build certificates here ([`CertificateProfile`], [`Extensions`]); the
//! importers, `issuer add` and the key ring read them ([`CertificateFields`]). The structure of a certificate is coded
//! and checked by `rasn`; names, keys and distribution points are kept as the very bytes that stood in the certificate,
//! since look-ups and CRL scopes compare them octet by octet.
//!
//! Never signs, never does I/O, never reads a clock, never decides whom to trust.

mod canonical;
mod certificate;
mod cms;
pub mod crl;
mod distribution;
mod error;
mod extensions;
mod fields;
mod issuer_hashes;
mod name;
pub mod ocsp;
mod pem;
mod public_key;
mod raw;
mod signature;
mod validity;
mod verification;
mod write;

pub use certificate::{CertificateProfile, UnsignedCertificate};
pub use cms::{CmsError, CmsProfile, CmsSigned, UnsignedCms, verify_detached};
pub use distribution::{DistributionPoint, DistributionPointName, FullName, ReasonsCovered};
pub use error::Asn1Error;
pub use extensions::{AuthorityAccess, BasicConstraints, ExtendedKeyUsage, Extensions, KeyUsage};
pub use fields::CertificateFields;
pub use issuer_hashes::IssuerHashes;
pub use name::{Name, NameAttribute};
pub use pem::{CRL_LABEL, PemBlock, certificates_in, crl_in, pem_blocks, to_pem};
pub use public_key::{KeyAlgorithm, PublicKey};
pub use signature::SignatureAlgorithm;
pub use validity::Validity;
pub use verification::{verifies, verifies_digest};

/// An object identifier, checked when made by `Oid::new`.
pub use rasn::types::ObjectIdentifier as Oid;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
