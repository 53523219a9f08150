//! Reading certificates: the fields of X.509 that importers, `issuer add` and the key ring need.
//!
//! Checks structure, never signatures or trust.

use std::collections::HashSet;

use super::raw::{RawCertificate, RawTbs, TAG_INTEGER, contents, decode_extension, whole_octets};
use super::{Asn1Error, Extensions, IssuerHashes, Name, Oid, PublicKey, SignatureAlgorithm, Validity, certificates_in};
use crate::model::{SERIAL_OCTETS_MAX, Serial, SerialError};

use rasn_pkix::Version;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFields {
    /// Its number at its issuer.
    pub serial: Serial,
    /// Who issued it, octet for octet.
    pub issuer: Name,
    /// From when to when it may be used.
    pub validity: Validity,
    /// Whose it is; may be empty.
    pub subject: Name,
    /// The subject's key.
    pub public_key: PublicKey,
    /// The extensions this house knows.
    pub extensions: Extensions,
    /// Critical extensions it doesn't know: whoever relies on the certificate must refuse it (RFC 5280 §4.2).
    pub unknown_critical: Vec<Oid>,
    /// With which algorithm it is signed; none: not one of ours.
    pub signature_algorithm: Option<SignatureAlgorithm>,
    /// The issuer's signature over [`tbs_der`](Self::tbs_der).
    pub signature: Vec<u8>,
    tbs: Vec<u8>,
}

impl CertificateFields {
    /// The fields of one DER certificate with nothing behind it.
    pub fn from_der(der: &[u8]) -> Result<Self, Asn1Error> {
        let (certificate, tbs) = RawCertificate::decode(der)?;
        if tbs.signature != certificate.signature_algorithm {
            return Err(Asn1Error::AlgorithmMismatch);
        }
        let issuer = Name::from_der(tbs.issuer.as_bytes())?;
        if issuer.is_empty() {
            return Err(Asn1Error::EmptyName("the issuer"));
        }
        let (extensions, unknown_critical) = read_extensions(&tbs)?;
        Ok(Self {
            serial: read_serial(tbs.serial.as_bytes())?,
            issuer,
            validity: Validity::decode(&tbs.validity)?,
            subject: Name::from_der(tbs.subject.as_bytes())?,
            public_key: PublicKey::from_der(tbs.public_key.as_bytes())?,
            extensions,
            unknown_critical,
            signature_algorithm: SignatureAlgorithm::from_identifier(certificate.signature_algorithm.as_bytes()),
            signature: whole_octets(&certificate.signature, "the signature")?,
            tbs: certificate.tbs.into_bytes(),
        })
    }

    /// The fields of the one certificate in a file, PEM or DER.
    pub fn from_file(file: &[u8]) -> Result<Self, Asn1Error> {
        match certificates_in(file)?.as_slice() {
            [der] => Self::from_der(der),
            several => Err(Asn1Error::SeveralCertificates(several.len())),
        }
    }

    /// The octets that its issuer signed.
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs
    }

    /// The hashes by which this certificate's subject is found as an issuer.
    pub fn issuer_hashes(&self) -> IssuerHashes {
        IssuerHashes::new(&self.subject, &self.public_key)
    }
}

/// An INTEGER in its shortest form; a serial with two spellings would be two serials to whoever compares octets.
fn read_serial(der: &[u8]) -> Result<Serial, Asn1Error> {
    let octets = match contents(TAG_INTEGER, der) {
        Some(octets) => octets,
        None => return Err(Asn1Error::wrong("the serial number", "not an INTEGER")),
    };
    if let [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] = octets {
        return Err(Asn1Error::NotDer("the serial number"));
    }
    if octets.len() > SERIAL_OCTETS_MAX + 1 && octets[0] & 0x80 == 0 {
        return Err(SerialError::TooLong.into());
    }
    Ok(Serial::from_der_integer(octets)?)
}

fn read_extensions(tbs: &RawTbs) -> Result<(Extensions, Vec<Oid>), Asn1Error> {
    let mut extensions = Extensions::default();
    let mut unknown_critical = Vec::new();
    let Some(list) = &tbs.extensions else { return Ok((extensions, unknown_critical)) };
    if tbs.version != Version::V3 {
        return Err(Asn1Error::NotVersion3);
    }
    let mut seen = HashSet::new();
    for any in list {
        let extension = decode_extension(any)?;
        if !seen.insert(extension.extn_id.clone()) {
            return Err(Asn1Error::DuplicateExtension(extension.extn_id.to_string()));
        }
        if !extensions.absorb(&extension)? && extension.critical {
            unknown_critical.push(extension.extn_id);
        }
    }
    Ok((extensions, unknown_critical))
}
