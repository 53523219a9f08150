//! Building certificates: a profile becomes the octets to sign, and with a signature the certificate.
//!
//! Called by the demonstration PKI (keys made at run time) and by the generator of the test data (fixed keys). The
//! signature comes from the caller:
//!
//! ```
//! # fn sign(_: &[u8]) -> Vec<u8> { vec![0; 64] }
//! # fn example(key: tashika::asn1::PublicKey, ca_key: tashika::asn1::PublicKey)
//! #     -> Result<(), tashika::asn1::Asn1Error> {
//! use tashika::asn1::*;
//! use tashika::model::Serial;
//!
//! let issuer = Name::new(&[(NameAttribute::Country, "JP"), (NameAttribute::Organization, "Example CA")])?;
//! let profile = CertificateProfile {
//!     serial: Serial::from_unsigned(&[0x0a, 0x1b])?,
//!     subject: issuer.with(&[(NameAttribute::CommonName, "OCSP signer")])?,
//!     issuer,
//!     validity: Validity { not_before: "2026-01-01T00:00:00Z".parse()?, not_after: "2026-01-04T00:00:00Z".parse()? },
//!     extensions: Extensions::for_ocsp_signer(&key, &ca_key),
//!     public_key: key,
//! };
//! let unsigned = profile.unsigned(SignatureAlgorithm::EcdsaSha256)?;
//! let der = unsigned.assemble(&sign(unsigned.tbs_der()));
//! # Ok(()) }
//! ```

use rasn::types::{Any, BitString};
use rasn_pkix::Version;

use super::raw::{RawCertificate, RawTbs, TAG_INTEGER, encode};
use super::{Asn1Error, Extensions, Name, PublicKey, SignatureAlgorithm, Validity};
use crate::model::Serial;

/// Everything a certificate says, but for who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateProfile {
    /// Its number at its issuer.
    pub serial: Serial,
    /// Who issues it.
    pub issuer: Name,
    /// From when to when it may be used.
    pub validity: Validity,
    /// Whose it is.
    pub subject: Name,
    /// The subject's key.
    pub public_key: PublicKey,
    /// Everything else.
    pub extensions: Extensions,
}

/// The octets of a certificate that its issuer signs, with the algorithm that they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedCertificate {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl CertificateProfile {
    /// The version 3 TBSCertificate, for an issuer that signs with `algorithm`.
    pub fn unsigned(&self, algorithm: SignatureAlgorithm) -> Result<UnsignedCertificate, Asn1Error> {
        if self.issuer.is_empty() {
            return Err(Asn1Error::EmptyName("the issuer"));
        }
        let extensions = self.extensions.encode()?;
        let tbs = encode(&RawTbs {
            version: Version::V3,
            serial: Any::new(encode_serial(&self.serial)),
            signature: Any::new(algorithm.identifier_der()),
            issuer: Any::new(self.issuer.as_der().to_vec()),
            validity: self.validity.encode()?,
            subject: Any::new(self.subject.as_der().to_vec()),
            public_key: Any::new(self.public_key.as_der().to_vec()),
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: if extensions.is_empty() { None } else { Some(extensions) },
        });
        Ok(UnsignedCertificate { tbs, algorithm })
    }
}

impl UnsignedCertificate {
    /// What the issuer signs.
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs
    }

    /// What the issuer signs with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The certificate. `signature` as X.509 wants it: an ECDSA signature in its ASN.1 form, an RSA signature as is.
    pub fn assemble(&self, signature: &[u8]) -> Vec<u8> {
        encode(&RawCertificate {
            tbs: Any::new(self.tbs.clone()),
            signature_algorithm: Any::new(self.algorithm.identifier_der()),
            signature: BitString::from_slice(signature),
        })
    }
}

/// A positive INTEGER: a zero octet goes before a number whose top bit is set.
fn encode_serial(serial: &Serial) -> Vec<u8> {
    let octets = serial.as_octets();
    let sign: &[u8] = if octets[0] & 0x80 == 0 { &[] } else { &[0] };
    let mut der = vec![TAG_INTEGER, (sign.len() + octets.len()) as u8];
    der.extend(sign);
    der.extend(octets);
    der
}
