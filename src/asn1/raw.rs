//! The skeleton of a certificate for `rasn`: structure decoded, the parts whose bytes matter left as they are.
//!
//! Used by the builder and the reader of this room alone. `rasn-pkix` decodes names and times into values, and would
//! write some of them back in other bytes; look-ups, hashes and scopes need the bytes, so the skeleton keeps
//! [`Any`] there. `rasn` accepts a few BER spellings under DER; [`RawCertificate::decode`] closes that by encoding the
//! skeleton again and comparing.

use rasn::prelude::*;
use rasn_pkix::{Extension, Version};

use super::Asn1Error;

/// `Certificate` with its three members as they stand.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawCertificate {
    pub tbs: Any,
    pub signature_algorithm: Any,
    pub signature: BitString,
}

/// `TBSCertificate`; names, key and extensions undecoded.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawTbs {
    #[rasn(tag(explicit(0)), default)]
    pub version: Version,
    pub serial: Any,
    pub signature: Any,
    pub issuer: Any,
    pub validity: RawValidity,
    pub subject: Any,
    pub public_key: Any,
    #[rasn(tag(1))]
    pub issuer_unique_id: Option<BitString>,
    #[rasn(tag(2))]
    pub subject_unique_id: Option<BitString>,
    #[rasn(tag(explicit(3)))]
    pub extensions: Option<SequenceOf<Any>>,
}

/// `Validity`; `rasn` reads UTCTime years 50 to 69 as 2050 to 2069, RFC 5280 §4.1.2.5.1 as 1950 to 1969, so the two
/// times are read by hand.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawValidity {
    pub not_before: Any,
    pub not_after: Any,
}

/// `DistributionPoint` with its name as it stands (a CHOICE, hence explicitly tagged).
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawDistributionPoint {
    #[rasn(tag(explicit(0)))]
    pub name: Option<Any>,
    #[rasn(tag(1))]
    pub reasons: Option<BitString>,
    #[rasn(tag(2))]
    pub crl_issuer: Option<SequenceOf<Any>>,
}

/// `DistributionPointName`; general names as they stand.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
#[rasn(choice)]
pub(super) enum RawPointName {
    #[rasn(tag(0))]
    FullName(SequenceOf<Any>),
    #[rasn(tag(1))]
    RelativeToIssuer(SetOf<Any>),
}

/// `GeneralName` of the kind directoryName, with the name as it stands.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
#[rasn(delegate, tag(explicit(context, 4)))]
pub(super) struct RawDirectoryName(pub Any);

/// `AccessDescription` with its location as it stands: kinds that aren't ours are skipped, not refused.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawAccess {
    pub method: ObjectIdentifier,
    pub location: Any,
}

/// `PolicyInformation`; qualifiers as they stand.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawPolicy {
    pub id: ObjectIdentifier,
    pub qualifiers: Option<SequenceOf<Any>>,
}

/// `AlgorithmIdentifier` and key of a `SubjectPublicKeyInfo`.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawPublicKey {
    pub algorithm: rasn_pkix::AlgorithmIdentifier,
    pub key: BitString,
}

/// `RSAPublicKey`, for the length of its modulus.
#[derive(AsnType, Clone, Debug, Decode, Encode)]
pub(super) struct RawRsaKey {
    pub modulus: Any,
    pub exponent: Any,
}

impl RawCertificate {
    /// The skeleton of one certificate: nothing after it, its own structure in the one DER form.
    pub fn decode(der: &[u8]) -> Result<(Self, RawTbs), Asn1Error> {
        let certificate: Self = rasn::der::decode(der).map_err(Asn1Error::malformed("the certificate"))?;
        let tbs: RawTbs =
            rasn::der::decode(certificate.tbs.as_bytes()).map_err(Asn1Error::malformed("the tbsCertificate"))?;
        if !is_encoding_of(der, &certificate) {
            return Err(Asn1Error::NotDer("the certificate"));
        }
        if !is_encoding_of(certificate.tbs.as_bytes(), &tbs) {
            return Err(Asn1Error::NotDer("the tbsCertificate"));
        }
        Ok((certificate, tbs))
    }
}

/// The extension in `any`.
pub(super) fn decode_extension(any: &Any) -> Result<Extension, Asn1Error> {
    rasn::der::decode(any.as_bytes()).map_err(Asn1Error::malformed("an extension"))
}

/// Whether `der` is the one DER form of what was decoded from it.
pub(super) fn is_encoding_of<T: Encode>(der: &[u8], decoded: &T) -> bool {
    rasn::der::encode(decoded).is_ok_and(|encoded| encoded == der)
}

/// The DER of a value whose constraints its constructor has already checked.
pub(super) fn encode<T: Encode>(value: &T) -> Vec<u8> {
    rasn::der::encode(value).expect("checked values have a DER form")
}

/// The contents of one element with that tag octet (the decoder has already checked the header). None: another tag, or
/// a length that isn't in its shortest form.
pub(super) fn contents(tag: u8, der: &[u8]) -> Option<&[u8]> {
    let (&first, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    if first != tag {
        return None;
    }
    if length < 0x80 {
        return (rest.len() == usize::from(length)).then_some(rest);
    }
    let octets = usize::from(length & 0x7f);
    if octets == 0 || octets > LENGTH_OCTETS_MAX || rest.len() < octets || rest[0] == 0 {
        return None;
    }
    let (length, contents) = rest.split_at(octets);
    let length = length.iter().fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
    (length >= 0x80 && contents.len() == length).then_some(contents)
}

/// The octets of a BIT STRING that is a whole number of octets.
pub(super) fn whole_octets(bits: &BitString, part: &'static str) -> Result<Vec<u8>, Asn1Error> {
    if !bits.len().is_multiple_of(8) {
        return Err(Asn1Error::wrong(part, "a BIT STRING with unused bits"));
    }
    Ok(bits.clone().into_vec())
}

pub(super) const TAG_INTEGER: u8 = 0x02;
pub(super) const TAG_UTC_TIME: u8 = 0x17;
pub(super) const TAG_GENERALIZED_TIME: u8 = 0x18;
/// `GeneralName` uniformResourceIdentifier, `[6]` IMPLICIT.
pub(super) const TAG_URI: u8 = 0x86;
/// `GeneralName` directoryName, `[4]` EXPLICIT.
pub(super) const TAG_DIRECTORY: u8 = 0xa4;
/// 2^32 octets are far beyond any certificate.
const LENGTH_OCTETS_MAX: usize = 4;
