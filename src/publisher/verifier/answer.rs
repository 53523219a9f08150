//! Whether an OCSP answer counts: whose it is, who signed it, for which question, when (RFC 6960 §3.2, RFC 9919 §4).

use crate::asn1::ocsp::{
    Answer, CertStatus, ErrorReply, HashedIssuer, Nonce, Parameters, Reply, Single, cert_id, request,
};
use crate::asn1::{Asn1Error, CertificateFields, ExtendedKeyUsage};
use crate::model::{Serial, Time};

use super::chain::{is_signed_by, usable};
use super::{ChainFault, SKEW};

/// What is asked about one certificate.
#[derive(Clone, Debug)]
pub struct Question {
    issuer: HashedIssuer,
    serial: Serial,
    nonce: Nonce<'static>,
}

/// An answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// What is so.
    pub status: CertStatus,
    /// When it was known to be so.
    pub this_update: Time,
    /// Until when it may be relied on.
    pub next_update: Option<Time>,
    /// When it was signed.
    pub produced_at: Time,
    /// To whom the issuer delegated it; none: the issuer signed it.
    pub delegate: Option<Box<CertificateFields>>,
    /// Whether it was made for this question: it repeats the nonce.
    pub is_for_us: bool,
}

/// Why an answer doesn't count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// The signer's certificate isn't for OCSP.
    #[error("its signer's certificate is not for OCSP signing")]
    DelegateUsage,
    /// Its time has passed.
    #[error("it has expired: it was valid until {0}")]
    Expired(Time),
    /// It lies ahead.
    #[error("it is dated {0}, which lies ahead: one of the two clocks is wrong")]
    FromTheFuture(Time),
    /// Another nonce than was asked with.
    #[error("it repeats another nonce than was asked with: it answers somebody else's question")]
    Nonce,
    /// Nobody says until when it counts, and it isn't made for us.
    #[error("it says neither until when it counts nor that it was made for this question")]
    NoEnd,
    /// The signer's own status would have to be looked up.
    #[error("its signer's certificate does not say ocsp-nocheck, and nobody says whether it was revoked")]
    NoNocheck,
    /// It speaks of other certificates only.
    #[error("it does not speak of this certificate")]
    OtherCertificate,
    /// The responder doesn't answer.
    #[error("the responder does not answer: {}", error_name(*.0))]
    Refused(ErrorReply),
    /// The signature isn't that of whom it names.
    #[error("its signature does not verify")]
    Signature,
    /// The signer's certificate can't be used.
    #[error("its signer can't be relied on: {0}")]
    Signer(ChainFault),
    /// It is signed by somebody whom the certificate's issuer didn't name.
    #[error("it is signed by nobody whom the certificate's issuer delegated it to")]
    Stranger,
    /// It can't be read.
    #[error("{0}")]
    Unreadable(#[from] Asn1Error),
}

impl Question {
    /// About a certificate of that issuer, in the form that every responder answers.
    pub fn new(issuer: &CertificateFields, serial: Serial, nonce: Nonce<'static>) -> Self {
        Self { issuer: issuer.issuer_hashes().sha1(), serial, nonce }
    }

    /// Its octets.
    pub fn to_der(&self) -> Vec<u8> {
        request(&cert_id(&self.issuer, Parameters::Null, &self.serial), Some(&self.nonce))
    }

    /// What is said of it. Parameters of the hash mean the same in both their forms.
    fn answered<'a>(&self, answer: &'a Answer) -> Option<&'a Single> {
        let ids = [Parameters::Null, Parameters::Absent].map(|form| cert_id(&self.issuer, form, &self.serial));
        answer.singles.iter().find(|single| ids.contains(&single.cert_id))
    }
}

/// What a reply says of the certificate that was asked about, if it counts at that time.
pub fn judge(
    octets: &[u8],
    question: &Question,
    issuer: &CertificateFields,
    now: Time,
) -> Result<Vouched, AnswerFault> {
    let answer = match Reply::read(octets)? {
        Reply::Basic(answer) => answer,
        Reply::Error(error) => return Err(AnswerFault::Refused(error)),
    };
    let delegate = signer(&answer, issuer, now)?;
    let is_for_us = match answer.nonce.as_deref() {
        Some(nonce) if nonce == question.nonce.as_octets() => true,
        Some(_) => return Err(AnswerFault::Nonce),
        None => false,
    };
    let single = question.answered(&answer).ok_or(AnswerFault::OtherCertificate)?;
    if let Some(ahead) = [single.this_update, answer.produced_at].into_iter().find(|time| *time > now + SKEW) {
        return Err(AnswerFault::FromTheFuture(ahead));
    }
    match single.next_update {
        Some(end) if end < now => return Err(AnswerFault::Expired(end)),
        None if !is_for_us => return Err(AnswerFault::NoEnd),
        _ => {}
    }
    Ok(Vouched {
        status: single.status,
        this_update: single.this_update,
        next_update: single.next_update,
        produced_at: answer.produced_at,
        delegate: delegate.map(Box::new),
        is_for_us,
    })
}

/// Who signed: the issuer (none), or whoever it delegated answers to.
fn signer(answer: &Answer, issuer: &CertificateFields, now: Time) -> Result<Option<CertificateFields>, AnswerFault> {
    if answer.is_by(&issuer.subject, &issuer.public_key) && answer.is_signed_by(&issuer.public_key) {
        return Ok(None);
    }
    let mut fault = AnswerFault::Stranger;
    for der in answer.certificates.iter().take(CERTIFICATES_MAX) {
        let Ok(candidate) = CertificateFields::from_der(der) else { continue };
        if !answer.is_by(&candidate.subject, &candidate.public_key) || !is_signed_by(&candidate, issuer) {
            continue;
        }
        match delegated(answer, &candidate, now) {
            Ok(()) => return Ok(Some(candidate)),
            Err(why) => fault = why,
        }
    }
    Err(fault)
}

/// Whether the holder of a certificate of the issuer's may answer, and did (RFC 6960 §4.2.2.2).
fn delegated(answer: &Answer, candidate: &CertificateFields, now: Time) -> Result<(), AnswerFault> {
    if !candidate.extensions.extended_key_usage.contains(&ExtendedKeyUsage::OcspSigning) {
        return Err(AnswerFault::DelegateUsage);
    }
    usable(candidate, now).map_err(AnswerFault::Signer)?;
    if !candidate.extensions.ocsp_no_check {
        return Err(AnswerFault::NoNocheck);
    }
    if answer.is_signed_by(&candidate.public_key) { Ok(()) } else { Err(AnswerFault::Signature) }
}

fn error_name(error: ErrorReply) -> &'static str {
    match error {
        ErrorReply::InternalError => "internalError",
        ErrorReply::MalformedRequest => "malformedRequest",
        ErrorReply::SigRequired => "sigRequired",
        ErrorReply::TryLater => "tryLater",
        ErrorReply::Unauthorized => "unauthorized: it does not speak for this issuer, or not to us",
    }
}

/// A signer's own comes first; nobody sends a whole chain.
const CERTIFICATES_MAX: usize = 8;
