//! The certificate extensions this house writes and reads, as values.
//!
//! One struct serves both directions, so that what was built reads back equal. The `for_…` constructors are the
//! profiles of the PKI; the demonstration and the test data start from them and add what names places.

use super::distribution::{decode_uri, encode_uri};
use super::raw::{RawAccess, RawDistributionPoint, RawPolicy, TAG_URI, encode};
use super::{Asn1Error, DistributionPoint, Oid, PublicKey};

use rasn::types::{Any, BitString, OctetString};
use rasn_pkix::{AuthorityKeyIdentifier, Extension};

/// The extensions of a certificate that matter here. `Default` is none at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Extensions {
    /// The identifier of the issuer's key.
    pub authority_key_id: Option<Vec<u8>>,
    /// The identifier of the subject's key.
    pub subject_key_id: Option<Vec<u8>>,
    /// What the key may do; none: anything. Critical.
    pub key_usage: Option<KeyUsage>,
    /// Whether the subject may issue certificates. Critical.
    pub basic_constraints: Option<BasicConstraints>,
    /// What the key is for; empty: the extension is absent.
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    /// Under which policies it was issued (qualifiers are neither written nor read).
    pub policies: Vec<Oid>,
    /// Where its status is listed.
    pub crl_distribution_points: Vec<DistributionPoint>,
    /// Where its issuer can be asked about it.
    pub authority_access: AuthorityAccess,
    /// id-pkix-ocsp-nocheck: whoever meets this OCSP signer doesn't ask for its status (RFC 6960 §4.2.2.2.1).
    pub ocsp_no_check: bool,
}

/// A set of key usages (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

/// Whether the subject is a CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BasicConstraints {
    /// A CA, with that many CAs allowed below it; none: any number.
    Authority {
        /// pathLenConstraint.
        path_length: Option<u8>,
    },
    /// No CA, said so by an empty SEQUENCE.
    EndEntity,
}

/// A purpose of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExtendedKeyUsage {
    /// id-kp-clientAuth.
    ClientAuth,
    /// id-kp-OCSPSigning.
    OcspSigning,
    /// Any other.
    Other(Oid),
}

/// The addresses in authorityInfoAccess.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AuthorityAccess {
    /// Where OCSP requests go.
    pub ocsp: Vec<String>,
    /// Where the issuer's certificate is.
    pub ca_issuers: Vec<String>,
}

impl Extensions {
    /// Of a CA: signs certificates and CRLs.
    pub fn for_authority(key: &PublicKey, issuer: &PublicKey, path_length: Option<u8>) -> Self {
        Self {
            key_usage: Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN),
            basic_constraints: Some(BasicConstraints::Authority { path_length }),
            ..Self::identified(key, issuer)
        }
    }

    /// Of a signer of CRLs that is no CA: the combined CRL's issuer.
    pub fn for_crl_signer(key: &PublicKey, issuer: &PublicKey) -> Self {
        Self {
            key_usage: Some(KeyUsage::CRL_SIGN),
            basic_constraints: Some(BasicConstraints::EndEntity),
            ..Self::identified(key, issuer)
        }
    }

    /// Of a delegated OCSP signer: digitalSignature only, OCSPSigning only, nocheck, no places (RFC 6960 §4.2.2.2).
    pub fn for_ocsp_signer(key: &PublicKey, issuer: &PublicKey) -> Self {
        Self {
            key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
            extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
            ocsp_no_check: true,
            ..Self::identified(key, issuer)
        }
    }

    /// Of a holder's certificate for signing documents.
    pub fn for_signature(key: &PublicKey, issuer: &PublicKey) -> Self {
        Self {
            key_usage: Some(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION),
            ..Self::identified(key, issuer)
        }
    }

    /// Of a holder's certificate for logging in.
    pub fn for_authentication(key: &PublicKey, issuer: &PublicKey) -> Self {
        Self {
            key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
            extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
            ..Self::identified(key, issuer)
        }
    }

    fn identified(key: &PublicKey, issuer: &PublicKey) -> Self {
        Self {
            authority_key_id: Some(issuer.key_identifier()),
            subject_key_id: Some(key.key_identifier()),
            ..Self::default()
        }
    }

    /// Each extension that is present, as DER, in a fixed order.
    pub(super) fn encode(&self) -> Result<Vec<Any>, Asn1Error> {
        let mut list = List::default();
        if let Some(id) = &self.authority_key_id {
            let id = AuthorityKeyIdentifier { key_identifier: Some(octets(id)), ..Default::default() };
            list.push(AUTHORITY_KEY_ID, false, encode(&id));
        }
        if let Some(id) = &self.subject_key_id {
            list.push(SUBJECT_KEY_ID, false, encode(&octets(id)));
        }
        if let Some(usage) = self.key_usage {
            list.push(KEY_USAGE, true, encode(&usage.to_bits()));
        }
        if let Some(constraints) = self.basic_constraints {
            list.push(BASIC_CONSTRAINTS, true, encode(&constraints.to_rasn()));
        }
        if !self.extended_key_usage.is_empty() {
            let purposes: Vec<Oid> = self.extended_key_usage.iter().map(ExtendedKeyUsage::oid).collect();
            list.push(EXTENDED_KEY_USAGE, false, encode(&checked(purposes)?));
        }
        if !self.policies.is_empty() {
            let policies = checked(self.policies.clone())?.into_iter();
            let policies: Vec<_> = policies.map(|id| RawPolicy { id, qualifiers: None }).collect();
            list.push(CERTIFICATE_POLICIES, false, encode(&policies));
        }
        if !self.crl_distribution_points.is_empty() {
            let points: Result<Vec<_>, _> =
                self.crl_distribution_points.iter().map(DistributionPoint::encode).collect();
            list.push(CRL_DISTRIBUTION_POINTS, false, encode(&points?));
        }
        if self.authority_access != AuthorityAccess::default() {
            list.push(AUTHORITY_ACCESS, false, encode(&self.authority_access.encode()?));
        }
        if self.ocsp_no_check {
            list.push(OCSP_NO_CHECK, false, encode(&()));
        }
        Ok(list.0)
    }

    /// Takes one extension in; false: not one that is read here.
    pub(super) fn absorb(&mut self, extension: &Extension) -> Result<bool, Asn1Error> {
        let value: &[u8] = &extension.extn_value;
        match extension.extn_id.as_ref() {
            AUTHORITY_KEY_ID => {
                let id: AuthorityKeyIdentifier = decode("authorityKeyIdentifier", value)?;
                self.authority_key_id = id.key_identifier.map(|id| id.to_vec());
            }
            SUBJECT_KEY_ID => {
                self.subject_key_id = Some(decode::<OctetString>("subjectKeyIdentifier", value)?.to_vec());
            }
            KEY_USAGE => self.key_usage = Some(KeyUsage::from_bits(&decode("keyUsage", value)?)),
            BASIC_CONSTRAINTS => {
                self.basic_constraints = Some(BasicConstraints::from_rasn(decode("basicConstraints", value)?)?);
            }
            EXTENDED_KEY_USAGE => {
                let purposes: Vec<Oid> = decode("extendedKeyUsage", value)?;
                self.extended_key_usage = purposes.into_iter().map(ExtendedKeyUsage::from).collect();
            }
            CERTIFICATE_POLICIES => {
                let policies: Vec<RawPolicy> = decode("certificatePolicies", value)?;
                self.policies = policies.into_iter().map(|policy| policy.id).collect();
            }
            CRL_DISTRIBUTION_POINTS => {
                let points: Vec<RawDistributionPoint> = decode("cRLDistributionPoints", value)?;
                self.crl_distribution_points =
                    points.into_iter().map(DistributionPoint::decode).collect::<Result<_, _>>()?;
            }
            AUTHORITY_ACCESS => {
                self.authority_access = AuthorityAccess::decode(&decode::<Vec<_>>("authorityInfoAccess", value)?)?;
            }
            OCSP_NO_CHECK => {
                decode::<()>("ocsp-nocheck", value)?;
                self.ocsp_no_check = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl KeyUsage {
    /// May sign data, logins and OCSP answers.
    pub const DIGITAL_SIGNATURE: Self = Self(1 << 0);
    /// May sign what binds the signer later.
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// May sign certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// May sign CRLs.
    pub const CRL_SIGN: Self = Self(1 << 6);

    /// Whether all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// A named bit list has no trailing zero bits in DER (X.690 §11.2.2).
    fn to_bits(self) -> BitString {
        let length = u16::BITS - self.0.leading_zeros();
        (0..length).map(|bit| self.0 >> bit & 1 == 1).collect()
    }

    fn from_bits(bits: &BitString) -> Self {
        Self(bits.iter().take(KEY_USAGE_BITS).enumerate().fold(0, |set, (bit, on)| set | u16::from(*on) << bit))
    }
}

impl std::ops::BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BasicConstraints {
    fn to_rasn(self) -> rasn_pkix::BasicConstraints {
        match self {
            Self::Authority { path_length } => {
                rasn_pkix::BasicConstraints { ca: true, path_len_constraint: path_length.map(Into::into) }
            }
            Self::EndEntity => rasn_pkix::BasicConstraints { ca: false, path_len_constraint: None },
        }
    }

    fn from_rasn(raw: rasn_pkix::BasicConstraints) -> Result<Self, Asn1Error> {
        let refused = |_| Asn1Error::wrong("basicConstraints", "a path length that isn't between 0 and 255");
        match (raw.ca, raw.path_len_constraint) {
            (true, length) => Ok(Self::Authority {
                path_length: length.map(|length| u8::try_from(&length).map_err(refused)).transpose()?,
            }),
            // RFC 5280 §4.2.1.9: a path length without cA means nothing; whoever wrote it meant something else.
            (false, Some(_)) => Err(Asn1Error::wrong("basicConstraints", "a path length for a subject that is no CA")),
            (false, None) => Ok(Self::EndEntity),
        }
    }
}

impl ExtendedKeyUsage {
    fn oid(&self) -> Oid {
        match self {
            Self::ClientAuth => Oid::new_unchecked(CLIENT_AUTH.into()),
            Self::OcspSigning => Oid::new_unchecked(OCSP_SIGNING.into()),
            Self::Other(oid) => oid.clone(),
        }
    }
}

impl From<Oid> for ExtendedKeyUsage {
    fn from(oid: Oid) -> Self {
        match oid.as_ref() {
            CLIENT_AUTH => Self::ClientAuth,
            OCSP_SIGNING => Self::OcspSigning,
            _ => Self::Other(oid),
        }
    }
}

impl AuthorityAccess {
    fn encode(&self) -> Result<Vec<RawAccess>, Asn1Error> {
        let ocsp = self.ocsp.iter().map(|uri| (ACCESS_OCSP, uri));
        let issuers = self.ca_issuers.iter().map(|uri| (ACCESS_CA_ISSUERS, uri));
        ocsp.chain(issuers)
            .map(|(method, uri)| {
                Ok(RawAccess { method: Oid::new_unchecked(method.into()), location: Any::new(encode_uri(uri)?) })
            })
            .collect()
    }

    fn decode(entries: &[RawAccess]) -> Result<Self, Asn1Error> {
        let mut access = Self::default();
        for entry in entries.iter().filter(|entry| entry.location.as_bytes().first() == Some(&TAG_URI)) {
            let list = match entry.method.as_ref() {
                ACCESS_OCSP => &mut access.ocsp,
                ACCESS_CA_ISSUERS => &mut access.ca_issuers,
                _ => continue,
            };
            list.push(decode_uri(entry.location.as_bytes())?);
        }
        Ok(access)
    }
}

#[derive(Default)]
struct List(Vec<Any>);

impl List {
    fn push(&mut self, id: &'static [u32], critical: bool, value: Vec<u8>) {
        let extn_id = Oid::new_unchecked(id.into());
        self.0.push(Any::new(encode(&Extension { extn_id, critical, extn_value: value.into() })));
    }
}

fn decode<T: rasn::Decode>(part: &'static str, der: &[u8]) -> Result<T, Asn1Error> {
    rasn::der::decode(der).map_err(Asn1Error::malformed(part))
}

fn octets(octets: &[u8]) -> OctetString {
    octets.to_vec().into()
}

/// An `Oid` made without its checks may hold arcs that can't be encoded.
fn checked(oids: Vec<Oid>) -> Result<Vec<Oid>, Asn1Error> {
    for oid in &oids {
        rasn::der::encode(oid).map_err(|_| Asn1Error::Oid(oid.to_string()))?;
    }
    Ok(oids)
}

const SUBJECT_KEY_ID: &[u32] = &[2, 5, 29, 14];
const KEY_USAGE: &[u32] = &[2, 5, 29, 15];
const BASIC_CONSTRAINTS: &[u32] = &[2, 5, 29, 19];
const CRL_DISTRIBUTION_POINTS: &[u32] = &[2, 5, 29, 31];
const CERTIFICATE_POLICIES: &[u32] = &[2, 5, 29, 32];
const AUTHORITY_KEY_ID: &[u32] = &[2, 5, 29, 35];
const EXTENDED_KEY_USAGE: &[u32] = &[2, 5, 29, 37];
const AUTHORITY_ACCESS: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const OCSP_NO_CHECK: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
const CLIENT_AUTH: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];
const OCSP_SIGNING: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 3, 9];
const ACCESS_OCSP: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 1];
const ACCESS_CA_ISSUERS: &[u32] = &[1, 3, 6, 1, 5, 5, 7, 48, 2];
/// RFC 5280 §4.2.1.3 names nine.
const KEY_USAGE_BITS: usize = 9;
