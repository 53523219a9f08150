//! From a certificate to one that is trusted: names, signatures, times, and who may issue (RFC 5280 §6.1, without policies
//! and name constraints: a critical extension that isn't known here ends the chain).

use crate::asn1::{BasicConstraints, CertificateFields, KeyUsage, Name, verifies};
use crate::model::Time;

/// Why there is no way to an anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Its validity has ended.
    #[error("the certificate of {subject} expired on {at}")]
    Expired {
        /// Whose.
        subject: Name,
        /// When.
        at: Time,
    },
    /// More certificates than any chain has.
    #[error("there is no chain of at most {LENGTH_MAX} certificates")]
    Long,
    /// Nobody is known who issued it.
    #[error("nobody who is trusted issued the certificate of {subject}: the certificate of {issuer} is missing")]
    NoIssuer {
        /// Whose.
        subject: Name,
        /// By whom it says that it was issued.
        issuer: Name,
    },
    /// Whoever signed it may not issue certificates.
    #[error("{0} may not issue certificates")]
    NotAuthority(Name),
    /// Its validity begins later.
    #[error("the certificate of {subject} is not valid before {at}")]
    NotYet {
        /// Whose.
        subject: Name,
        /// From when.
        at: Time,
    },
    /// Nobody of the name that it gives signed it.
    #[error("{issuer} did not sign the certificate of {subject}")]
    Signature {
        /// Whose.
        subject: Name,
        /// Who should have.
        issuer: Name,
    },
    /// It says something critical that this program doesn't know.
    #[error("the certificate of {0} has a critical extension that this program does not know")]
    UnknownCritical(Name),
}

/// The certificates from this one to an anchor, both included. `known` are those that may stand in between.
pub fn chain<'a>(
    leaf: &'a CertificateFields,
    known: &'a [CertificateFields],
    anchors: &'a [CertificateFields],
    now: Time,
) -> Result<Vec<&'a CertificateFields>, ChainFault> {
    let mut path = vec![leaf];
    extend(&mut path, known, anchors, now)?;
    Ok(path)
}

fn extend<'a>(
    path: &mut Vec<&'a CertificateFields>,
    known: &'a [CertificateFields],
    anchors: &'a [CertificateFields],
    now: Time,
) -> Result<(), ChainFault> {
    let last = *path.last().expect("a path begins with a certificate");
    usable(last, now)?;
    if anchors.contains(last) {
        return Ok(());
    }
    if path.len() == LENGTH_MAX {
        return Err(ChainFault::Long);
    }
    // Authorities below this one: all of the path but the leaf.
    let below = path.len() - 1;
    let mut fault = ChainFault::NoIssuer { subject: last.subject.clone(), issuer: last.issuer.clone() };
    for issuer in anchors.iter().chain(known).filter(|issuer| issuer.subject == last.issuer) {
        if path.contains(&issuer) {
            continue;
        }
        let length = path.len();
        let tried = issued(last, issuer, below).and_then(|()| {
            path.push(issuer);
            extend(path, known, anchors, now)
        });
        match tried {
            Ok(()) => return Ok(()),
            Err(why) => {
                path.truncate(length);
                // Of several of that name the one that signed says more than the others.
                if !matches!(why, ChainFault::Signature { .. }) || matches!(fault, ChainFault::NoIssuer { .. }) {
                    fault = why;
                }
            }
        }
    }
    Err(fault)
}

/// Whether a certificate may be used at all.
pub(super) fn usable(certificate: &CertificateFields, now: Time) -> Result<(), ChainFault> {
    let subject = || certificate.subject.clone();
    if !certificate.unknown_critical.is_empty() {
        return Err(ChainFault::UnknownCritical(subject()));
    }
    if now < certificate.validity.not_before {
        return Err(ChainFault::NotYet { subject: subject(), at: certificate.validity.not_before });
    }
    if now > certificate.validity.not_after {
        return Err(ChainFault::Expired { subject: subject(), at: certificate.validity.not_after });
    }
    Ok(())
}

/// Whether one certificate was issued by the holder of the other, who has so many authorities below.
fn issued(certificate: &CertificateFields, issuer: &CertificateFields, below: usize) -> Result<(), ChainFault> {
    if !is_signed_by(certificate, issuer) {
        let (subject, issuer) = (certificate.subject.clone(), issuer.subject.clone());
        return Err(ChainFault::Signature { subject, issuer });
    }
    let may_sign = issuer.extensions.key_usage.is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
    match issuer.extensions.basic_constraints {
        Some(BasicConstraints::Authority { path_length })
            if may_sign && path_length.is_none_or(|length| below <= usize::from(length)) =>
        {
            Ok(())
        }
        _ => Err(ChainFault::NotAuthority(issuer.subject.clone())),
    }
}

/// Whether the holder of one certificate signed the other, by a name and a key identifier that agree.
pub(super) fn is_signed_by(certificate: &CertificateFields, issuer: &CertificateFields) -> bool {
    certificate.issuer == issuer.subject
        && certificate.signature_algorithm.is_some_and(|algorithm| {
            verifies(&issuer.public_key, algorithm, certificate.tbs_der(), &certificate.signature)
        })
}

/// A root, two CAs and a leaf with room to spare.
const LENGTH_MAX: usize = 8;
