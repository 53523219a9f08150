//! Detached signatures over octets: CMS SignedData (RFC 5652) without the content, with one signer and its certificate.
//!
//! Whoever publishes signs an index of CRLs with one, whoever pulls reads it. The signature comes from the caller:
//!
//! ```
//! # fn sign(_: &[u8]) -> Vec<u8> { vec![0; 64] }
//! # fn example(index: &[u8], certificate: &[u8], now: tashika::model::Time) -> Result<(), tashika::asn1::Asn1Error> {
//! use tashika::asn1::CmsProfile;
//!
//! let unsigned = CmsProfile { content: index, certificate, signing_time: now }.unsigned()?;
//! let p7s = unsigned.assemble(&sign(unsigned.to_be_signed()));
//! # Ok(()) }
//! ```
//!
//! What is read must have the one form that DER allows, like everything in this room.

use aws_lc_rs::digest::digest;
use rasn::prelude::*;

use super::raw::{RawCertificate, encode, is_encoding_of};
use super::validity::{decode_time, encode_time};
use super::{Asn1Error, CertificateFields, KeyAlgorithm, SignatureAlgorithm, verifies};
use crate::model::Time;

/// What a detached signature says.
#[derive(Clone, Copy, Debug)]
pub struct CmsProfile<'a> {
    /// What is signed.
    pub content: &'a [u8],
    /// The signer's certificate, in DER; its key says with which algorithm it signs.
    pub certificate: &'a [u8],
    /// When it is signed.
    pub signing_time: Time,
}

/// A signature that is still to be made.
#[derive(Clone, Debug)]
pub struct UnsignedCms {
    algorithm: SignatureAlgorithm,
    certificate: Any,
    signer: RawSignerId,
    attributes: SetOf<Any>,
    to_be_signed: Vec<u8>,
}

/// A signature that fits its content. Whether its signer is to be relied on, the caller decides.
#[derive(Clone, Debug)]
pub struct CmsSigned {
    /// Who signed.
    pub signer: CertificateFields,
    /// The signer's certificate, in DER.
    pub certificate: Vec<u8>,
    /// When, as the signer says.
    pub signing_time: Time,
}

/// Why a detached signature is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// It, or the certificate in it, isn't what it should be.
    #[error(transparent)]
    Form(#[from] Asn1Error),
    /// It says something that this house doesn't read.
    #[error("the signature {0}")]
    Profile(&'static str),
    /// It was made over other octets.
    #[error("the signature is one over other octets")]
    OtherContent,
    /// The signer's key didn't make it.
    #[error("the signature was not made with the key of the certificate in it")]
    NotTheSigners,
}

impl CmsProfile<'_> {
    /// The signature but for the signature itself.
    pub fn unsigned(&self) -> Result<UnsignedCms, Asn1Error> {
        let signer = CertificateFields::from_der(self.certificate)?;
        let algorithm = algorithm_of(&signer)
            .ok_or_else(|| Asn1Error::wrong(SIGNER, "a key that is none of P-256, P-384 and RSA"))?;
        let message_digest = OctetString::from_slice(digest(algorithm.digest(), self.content).as_ref());
        let mut attributes = SetOf::new();
        for (kind, value) in [
            (CONTENT_TYPE, encode(&oid(DATA))),
            (SIGNING_TIME, encode_time(self.signing_time)),
            (MESSAGE_DIGEST, encode(&message_digest)),
        ] {
            let mut values = SetOf::new();
            values.insert(Any::new(value));
            attributes.insert(Any::new(encode(&RawAttribute { kind: oid(kind), values })));
        }
        let to_be_signed = encode(&attributes);
        let certificate = Any::new(self.certificate.to_vec());
        Ok(UnsignedCms { algorithm, certificate, signer: signer_id(self.certificate)?, attributes, to_be_signed })
    }
}

impl UnsignedCms {
    /// What the signer signs, hashing included: the attributes, the content's digest among them.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// What the signer signs with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The whole. `signature` as X.509 wants it: an ECDSA signature in its ASN.1 form, an RSA signature as is.
    pub fn assemble(&self, signature: &[u8]) -> Vec<u8> {
        let digest_algorithm = Any::new(digest_identifier(self.algorithm, Parameters::Absent));
        let signer = RawSigner {
            version: 1.into(),
            id: self.signer.clone(),
            digest_algorithm: digest_algorithm.clone(),
            signed: Some(self.attributes.clone()),
            signature_algorithm: Any::new(signature_identifier(self.algorithm)),
            signature: OctetString::from_slice(signature),
            unsigned: None,
        };
        let signed_data = RawSignedData {
            version: 1.into(),
            digest_algorithms: one(digest_algorithm),
            content: RawContent { kind: oid(DATA), content: None },
            certificates: Some(one(self.certificate.clone())),
            crls: None,
            signers: one(Any::new(encode(&signer))),
        };
        encode(&RawContentInfo { kind: oid(SIGNED_DATA), content: Any::new(encode(&signed_data)) })
    }
}

/// Reads a detached signature, and proves that its signer made it over that content.
pub fn verify_detached(cms: &[u8], content: &[u8]) -> Result<CmsSigned, CmsError> {
    let info: RawContentInfo = decoded(cms)?;
    if *info.kind != *SIGNED_DATA {
        return Err(CmsError::Profile("is not of SignedData"));
    }
    let data: RawSignedData = decoded(info.content.as_bytes())?;
    if data.version != 1.into() || *data.content.kind != *DATA {
        return Err(CmsError::Profile("is of another version or of other content than plain octets"));
    }
    if data.content.content.is_some() {
        return Err(CmsError::Profile("brings its own content, where it should stand beside it"));
    }
    let certificate =
        only(data.certificates.as_ref()).ok_or(CmsError::Profile("brings not exactly one certificate"))?;
    let signer: RawSigner = match only(Some(&data.signers)) {
        Some(signer) => decoded(signer.as_bytes())?,
        None => return Err(CmsError::Profile("has not exactly one signer")),
    };
    if data.crls.is_some() || signer.unsigned.is_some() {
        return Err(CmsError::Profile("has something in it that nobody signed"));
    }
    let fields = CertificateFields::from_der(certificate.as_bytes())?;
    if signer.version != 1.into() || signer.id != signer_id(certificate.as_bytes())? {
        return Err(CmsError::Profile("names another signer than the certificate in it"));
    }
    let algorithm = algorithm_of(&fields).ok_or(CmsError::Profile("is of a key that is none of P-256, P-384, RSA"))?;
    let is_known = only(Some(&data.digest_algorithms)) == Some(&signer.digest_algorithm)
        && is_digest(signer.digest_algorithm.as_bytes(), algorithm)
        && is_signature(signer.signature_algorithm.as_bytes(), algorithm);
    if !is_known {
        return Err(CmsError::Profile("names other algorithms than its signer's key has"));
    }
    let attributes = signer.signed.ok_or(CmsError::Profile("has no signed attributes"))?;
    let signing_time = signed_attributes(&attributes, digest(algorithm.digest(), content).as_ref())?;
    // RFC 5652 §5.4: signed is the SET OF, not the [0] that stands in its place.
    if !verifies(&fields.public_key, algorithm, &encode(&attributes), &signer.signature) {
        return Err(CmsError::NotTheSigners);
    }
    Ok(CmsSigned { signer: fields, certificate: certificate.as_bytes().to_vec(), signing_time })
}

/// Checks the attributes that must be there, each once with one value (RFC 5652 §11); gives the time. Others say nothing here.
fn signed_attributes(attributes: &SetOf<Any>, message_digest: &[u8]) -> Result<Time, CmsError> {
    let (mut types, mut digests, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for any in attributes.to_vec() {
        let attribute: RawAttribute = decoded(any.as_bytes())?;
        let place = match &*attribute.kind {
            kind if *kind == *CONTENT_TYPE => &mut types,
            kind if *kind == *MESSAGE_DIGEST => &mut digests,
            kind if *kind == *SIGNING_TIME => &mut times,
            _ => continue,
        };
        place.extend(attribute.values.to_vec().into_iter().cloned());
    }
    let ([kind], [digest], [time]) = (&types[..], &digests[..], &times[..]) else {
        return Err(CmsError::Profile("lacks a content type, a digest or a time, or has one twice"));
    };
    if kind.as_bytes() != encode(&oid(DATA)) {
        return Err(CmsError::Profile("is one over other content than plain octets"));
    }
    if digest.as_bytes() != encode(&OctetString::from_slice(message_digest)) {
        return Err(CmsError::OtherContent);
    }
    Ok(decode_time("signingTime", time.as_bytes())?)
}

/// The algorithm that this house uses with such a key.
fn algorithm_of(signer: &CertificateFields) -> Option<SignatureAlgorithm> {
    match signer.public_key.algorithm() {
        KeyAlgorithm::EcP256 => Some(SignatureAlgorithm::EcdsaSha256),
        KeyAlgorithm::EcP384 => Some(SignatureAlgorithm::EcdsaSha384),
        KeyAlgorithm::Rsa { .. } => Some(SignatureAlgorithm::RsaSha256),
        KeyAlgorithm::Other(_) => None,
    }
}

/// The issuer's name and the serial of a certificate, octet for octet.
fn signer_id(certificate: &[u8]) -> Result<RawSignerId, Asn1Error> {
    let (_, tbs) = RawCertificate::decode(certificate)?;
    Ok(RawSignerId { issuer: tbs.issuer, serial: tbs.serial })
}

#[derive(Clone, Copy)]
enum Parameters {
    Absent,
    Null,
}

/// A hash as it is named here. RFC 5754 §2: written without parameters, read with NULL as well.
fn digest_identifier(algorithm: SignatureAlgorithm, parameters: Parameters) -> Vec<u8> {
    let hash = match algorithm {
        SignatureAlgorithm::EcdsaSha256 | SignatureAlgorithm::RsaSha256 => SHA256,
        SignatureAlgorithm::EcdsaSha384 => SHA384,
    };
    let parameters = match parameters {
        Parameters::Absent => None,
        Parameters::Null => Some(Any::new(NULL.to_vec())),
    };
    encode(&rasn_pkix::AlgorithmIdentifier { algorithm: oid(hash), parameters })
}

fn is_digest(der: &[u8], algorithm: SignatureAlgorithm) -> bool {
    [Parameters::Absent, Parameters::Null].into_iter().any(|form| der == digest_identifier(algorithm, form))
}

/// The signature algorithm as it is named here. RFC 3370 §3.2: every reader knows RSA by the key's own name.
fn signature_identifier(algorithm: SignatureAlgorithm) -> Vec<u8> {
    match algorithm {
        SignatureAlgorithm::EcdsaSha256 | SignatureAlgorithm::EcdsaSha384 => algorithm.identifier_der(),
        SignatureAlgorithm::RsaSha256 => {
            let parameters = Some(Any::new(NULL.to_vec()));
            encode(&rasn_pkix::AlgorithmIdentifier { algorithm: oid(RSA_ENCRYPTION), parameters })
        }
    }
}

/// RFC 5754 §3.2: RSA may also be named with its hash.
fn is_signature(der: &[u8], algorithm: SignatureAlgorithm) -> bool {
    der == signature_identifier(algorithm) || der == algorithm.identifier_der()
}

fn decoded<T: Decode + Encode>(der: &[u8]) -> Result<T, Asn1Error> {
    let value = rasn::der::decode(der).map_err(Asn1Error::malformed(PART))?;
    if is_encoding_of(der, &value) { Ok(value) } else { Err(Asn1Error::NotDer(PART)) }
}

fn one(element: Any) -> SetOf<Any> {
    let mut set = SetOf::new();
    set.insert(element);
    set
}

fn only(set: Option<&SetOf<Any>>) -> Option<&Any> {
    match set?.to_vec()[..] {
        [element] => Some(element),
        _ => None,
    }
}

fn oid(arcs: &'static [u32]) -> ObjectIdentifier {
    ObjectIdentifier::new_unchecked(arcs.into())
}

/// `ContentInfo`.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
struct RawContentInfo {
    kind: ObjectIdentifier,
    #[rasn(tag(explicit(0)))]
    content: Any,
}

/// `SignedData`.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
struct RawSignedData {
    version: Integer,
    digest_algorithms: SetOf<Any>,
    content: RawContent,
    #[rasn(tag(0))]
    certificates: Option<SetOf<Any>>,
    #[rasn(tag(1))]
    crls: Option<SetOf<Any>>,
    signers: SetOf<Any>,
}

/// `EncapsulatedContentInfo`.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
struct RawContent {
    kind: ObjectIdentifier,
    #[rasn(tag(explicit(0)))]
    content: Option<Any>,
}

/// `SignerInfo`, of version 1.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
struct RawSigner {
    version: Integer,
    id: RawSignerId,
    digest_algorithm: Any,
    #[rasn(tag(0))]
    signed: Option<SetOf<Any>>,
    signature_algorithm: Any,
    signature: OctetString,
    #[rasn(tag(1))]
    unsigned: Option<SetOf<Any>>,
}

/// `IssuerAndSerialNumber`.
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq)]
struct RawSignerId {
    issuer: Any,
    serial: Any,
}

/// `Attribute`.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
struct RawAttribute {
    kind: ObjectIdentifier,
    values: SetOf<Any>,
}

const PART: &str = "the detached signature";
const SIGNER: &str = "the signer's certificate";
const NULL: [u8; 2] = [0x05, 0x00];
/// id-data and id-signedData (RFC 5652 §4, §5.1).
const DATA: &[u32] = &[1, 2, 840, 113549, 1, 7, 1];
const SIGNED_DATA: &[u32] = &[1, 2, 840, 113549, 1, 7, 2];
/// Attributes (RFC 5652 §11).
const CONTENT_TYPE: &[u32] = &[1, 2, 840, 113549, 1, 9, 3];
const MESSAGE_DIGEST: &[u32] = &[1, 2, 840, 113549, 1, 9, 4];
const SIGNING_TIME: &[u32] = &[1, 2, 840, 113549, 1, 9, 5];
/// Hashes (RFC 5754 §2).
const SHA256: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const SHA384: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 2];
const RSA_ENCRYPTION: &[u32] = &[1, 2, 840, 113549, 1, 1, 1];
