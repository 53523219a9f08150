//! A place at which CRLs of one kind are published: whose they are, which certificates they speak of, which key signs them.

use crate::asn1::crl::IssuingPoint;
use crate::asn1::{
    CertificateFields, DistributionPointName, KeyAlgorithm, KeyUsage, Name, PublicKey, SignatureAlgorithm,
};
use crate::model::Time;

/// What every CRL at a place must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    issuer: Name,
    key: PublicKey,
    key_id: Vec<u8>,
    algorithm: SignatureAlgorithm,
    not_after: Time,
    point: Option<IssuingPoint>,
    freshest: Option<DistributionPointName>,
}

/// Why a certificate's key can't sign CRLs, or a place can't have them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// Verifiers of CRLs know other keys.
    #[error("{0} keys sign no CRLs: use P-256, P-384 or RSA")]
    Algorithm(KeyAlgorithm),
    /// Its key usage lacks cRLSign (RFC 5280 §6.3.3 (f)).
    #[error("the certificate's key usage lacks cRLSign: verifiers refuse what it signs")]
    NoCrlSign,
    /// It has critical extensions that nobody here knows.
    #[error("the certificate has critical extensions that this program does not know")]
    UnknownCritical,
    /// rustls and the root programmes refuse an issuingDistributionPoint without a name.
    #[error("an issuing distribution point needs a name")]
    Unnamed,
}

impl Slot {
    /// A place for CRLs that the certificate's key signs, about the certificates that `point` tells apart; none: all of that
    /// issuer's.
    pub fn new(signer: &CertificateFields, point: Option<IssuingPoint>) -> Result<Self, SlotError> {
        if signer.extensions.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(SlotError::NoCrlSign);
        }
        if !signer.unknown_critical.is_empty() {
            return Err(SlotError::UnknownCritical);
        }
        if point.as_ref().is_some_and(|point| point.name.is_none()) {
            return Err(SlotError::Unnamed);
        }
        let algorithm = match signer.public_key.algorithm() {
            KeyAlgorithm::EcP256 => SignatureAlgorithm::EcdsaSha256,
            KeyAlgorithm::EcP384 => SignatureAlgorithm::EcdsaSha384,
            KeyAlgorithm::Rsa { .. } => SignatureAlgorithm::RsaSha256,
            other @ KeyAlgorithm::Other(_) => return Err(SlotError::Algorithm(other.clone())),
        };
        let key_id = &signer.extensions.subject_key_id;
        Ok(Self {
            issuer: signer.subject.clone(),
            key_id: key_id.clone().unwrap_or_else(|| signer.public_key.key_identifier()),
            key: signer.public_key.clone(),
            algorithm,
            not_after: signer.validity.not_after,
            point,
            freshest: None,
        })
    }

    /// The same, with deltas at that address.
    pub fn with_deltas_at(self, address: DistributionPointName) -> Self {
        Self { freshest: Some(address), ..self }
    }

    /// Who issues them.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// The key that signs them.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// How they name that key.
    pub fn key_id(&self) -> &[u8] {
        &self.key_id
    }

    /// With which algorithm they are signed.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// No CRL may promise anything after this: the end of the signer's certificate.
    pub fn not_after(&self) -> Time {
        self.not_after
    }

    /// Which certificates they speak of, if not of all of their issuer's.
    pub fn point(&self) -> Option<&IssuingPoint> {
        self.point.as_ref()
    }

    /// Where their deltas are, if there are any.
    pub fn freshest(&self) -> Option<&DistributionPointName> {
        self.freshest.as_ref()
    }
}
