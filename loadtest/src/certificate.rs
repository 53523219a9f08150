//! Certificates: the issuer that is asked about, and the signers that answer. Decoded by `rasn-pkix`; the octets that
//! hashes and signatures need are cut out of the certificate as it stands.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rasn_pkix::{ExtKeyUsageSyntax, Time};
use sha1::{Digest as _, Sha1};

use crate::der::{Der, Malformed};
use crate::serials::{Expected, Key};
use crate::signature::{Algorithm, PublicKey, SignatureError};

/// What is needed of a certificate.
#[derive(Debug)]
pub struct Certificate {
    to_be_signed: Vec<u8>,
    /// Distinguished names, with tag and length.
    pub issuer: Vec<u8>,
    pub subject: Vec<u8>,
    /// Content of the INTEGER.
    serial: Vec<u8>,
    /// Content of the subjectPublicKey, without the octet of unused bits.
    pub key_bits: Vec<u8>,
    key: PublicKey,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    /// First and last second of its validity.
    pub validity: (i64, i64),
    pub may_sign_ocsp: bool,
}

/// A certificate that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{}: {source}", file.display())]
    File { file: PathBuf, source: std::io::Error },
    #[error("{}: {source}", file.display())]
    In { file: PathBuf, source: Box<CertificateError> },
    #[error("no certificate in PEM")]
    NotPem,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("not a certificate: {0}")]
    NotACertificate(String),
    #[error(transparent)]
    Key(#[from] SignatureError),
    #[error("a serial that is not positive or has more than 20 octets")]
    Serial,
}

impl Certificate {
    /// The first certificate of a PEM file.
    pub fn from_file(file: &Path) -> Result<Self, CertificateError> {
        let text = fs::read_to_string(file).map_err(|source| CertificateError::File { file: file.into(), source })?;
        let read = || Self::from_der(&from_pem(&text).ok_or(CertificateError::NotPem)?);
        read().map_err(|error| CertificateError::In { file: file.into(), source: Box::new(error) })
    }

    pub fn from_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        let decoded: rasn_pkix::Certificate =
            rasn::der::decode(bytes).map_err(|error| CertificateError::NotACertificate(error.to_string()))?;
        let mut all = Der::new(bytes);
        let mut parts = all.expect(0x30, "certificate")?.inside();
        all.end("octets behind the certificate")?;
        let tbs = parts.expect(0x30, "TBSCertificate")?;
        let algorithm = parts.expect(0x30, "signature algorithm")?.whole.to_vec();
        let mut fields = tbs.inside();
        fields.optional(0xa0)?;
        let serial = fields.expect(2, "serial")?.content.to_vec();
        fields.expect(0x30, "algorithm")?;
        let issuer = fields.expect(0x30, "issuer")?.whole.to_vec();
        fields.expect(0x30, "validity")?;
        let subject = fields.expect(0x30, "subject")?.whole.to_vec();
        let spki = fields.expect(0x30, "subject's key")?;
        let mut key = spki.inside();
        let key_algorithm = key.expect(0x30, "key algorithm")?.content;
        let [0, key_bits @ ..] = key.expect(3, "public key")?.content else {
            return Err(Malformed("a key of odd bits").into());
        };
        let body = &decoded.tbs_certificate;
        Ok(Self {
            to_be_signed: tbs.whole.to_vec(),
            issuer,
            subject,
            serial,
            key: PublicKey::new(key_algorithm, key_bits)?,
            key_bits: key_bits.to_vec(),
            algorithm,
            signature: decoded.signature_value.as_raw_slice().to_vec(),
            validity: (seconds(&body.validity.not_before), seconds(&body.validity.not_after)),
            may_sign_ocsp: body.extensions.as_ref().is_some_and(|extensions| {
                let usage = extensions.iter().find(|extension| **extension.extn_id == OID_EXTENDED_KEY_USAGE);
                let usage = usage.and_then(|usage| rasn::der::decode::<ExtKeyUsageSyntax>(&usage.extn_value).ok());
                usage.is_some_and(|purposes| purposes.iter().any(|purpose| **purpose == OID_OCSP_SIGNING))
            }),
        })
    }

    /// Whether this certificate's key made `signature` over `bytes`.
    pub fn has_signed(&self, bytes: &[u8], algorithm: &[u8], signature: &[u8]) -> bool {
        Algorithm::read(algorithm).is_ok_and(|algorithm| self.key.verify(algorithm, bytes, signature).is_ok())
    }

    /// Whether this certificate was issued by `issuer`: names fit, and the signature is right.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        self.issuer == issuer.subject && issuer.has_signed(&self.to_be_signed, &self.algorithm, &self.signature)
    }

    /// What byKey says of this certificate's key.
    pub fn key_identifier(&self) -> [u8; 20] {
        Sha1::digest(&self.key_bits).into()
    }

    /// A question about this certificate.
    pub fn question(&self, expected: Expected) -> Result<Key, CertificateError> {
        let positive = self.serial.first().is_some_and(|octet| *octet < 0x80);
        positive.then(|| Key::new(&self.serial, expected)).flatten().ok_or(CertificateError::Serial)
    }
}

fn from_pem(text: &str) -> Option<Vec<u8>> {
    let body = text.split_once("-----BEGIN CERTIFICATE-----")?.1.split_once("-----END CERTIFICATE-----")?.0;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

fn seconds(time: &Time) -> i64 {
    match time {
        Time::Utc(time) => time.timestamp(),
        Time::General(time) => time.timestamp(),
    }
}

const OID_EXTENDED_KEY_USAGE: [u32; 4] = [2, 5, 29, 37];
/// id-kp-OCSPSigning
const OID_OCSP_SIGNING: [u32; 9] = [1, 3, 6, 1, 5, 5, 7, 3, 9];
