//! Whether a CRL counts, and what it says of a certificate (RFC 5280 §6.3.3).

use crate::asn1::crl::{Contains, Crl, CrlEntry, CrlError, IssuingPoint, Lists};
use crate::asn1::{
    BasicConstraints, CertificateFields, DistributionPoint, DistributionPointName, KeyUsage, Name, ReasonsCovered,
};
use crate::model::{Listed, Time};

use super::SKEW;

/// Why a CRL doesn't count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// Its nextUpdate has passed.
    #[error("it has expired: a newer one was due by {0}")]
    Expired(Time),
    /// Its thisUpdate lies ahead.
    #[error("it is dated {0}, which lies ahead: one of the two clocks is wrong")]
    FromTheFuture(Time),
    /// It lists nothing of this certificate's kind.
    #[error("it speaks of {0} only")]
    Kind(&'static str),
    /// Nobody is known who has the name that it gives.
    #[error("it is issued by {0}, whose certificate is not known")]
    NoIssuer(Name),
    /// It belongs to another distribution point.
    #[error("it belongs to another distribution point than the certificate names")]
    OtherPoint,
    /// It speaks of another issuer's certificates.
    #[error("it lists the certificates of {0}")]
    OtherIssuer(Name),
    /// Nobody of that name signed it.
    #[error("its signature is not that of {0}")]
    Signature(Name),
    /// Whoever signed it may not sign CRLs.
    #[error("{0} may not sign CRLs")]
    Usage(Name),
}

/// What a full CRL and its delta say of a certificate together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word<'a> {
    /// It isn't listed.
    Absent,
    /// The delta lifts it from the full one.
    Lifted,
    /// The delta lists it.
    OnDelta(CrlEntry<'a>),
    /// The full CRL lists it, and the delta says nothing else.
    OnFull(CrlEntry<'a>),
}

/// Who of those that are known signed a CRL, and may.
pub fn signer_of<'a>(
    crl: &Crl<'_>,
    known: impl IntoIterator<Item = &'a CertificateFields>,
) -> Result<&'a CertificateFields, ListFault> {
    let mut fault = ListFault::NoIssuer(crl.issuer.clone());
    for candidate in known.into_iter().filter(|candidate| candidate.subject == crl.issuer) {
        let extensions = &candidate.extensions;
        let id = extensions.subject_key_id.clone().unwrap_or_else(|| candidate.public_key.key_identifier());
        if crl.extensions.authority_key_id.as_ref().is_some_and(|of_crl| *of_crl != id)
            || !crl.is_signed_by(&candidate.public_key)
        {
            if matches!(fault, ListFault::NoIssuer(_)) {
                fault = ListFault::Signature(crl.issuer.clone());
            }
            continue;
        }
        if extensions.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
            fault = ListFault::Usage(crl.issuer.clone());
            continue;
        }
        return Ok(candidate);
    }
    Err(fault)
}

/// Whether a CRL may be relied on at that time.
pub fn in_time(crl: &Crl<'_>, now: Time) -> Result<(), ListFault> {
    if crl.this_update > now + SKEW {
        return Err(ListFault::FromTheFuture(crl.this_update));
    }
    if crl.next_update < now {
        return Err(ListFault::Expired(crl.next_update));
    }
    Ok(())
}

/// Whether a CRL speaks of a certificate: of its issuer, its kind, and a distribution point that it names.
pub fn speaks_of(crl: &Crl<'_>, certificate: &CertificateFields) -> Result<(), ListFault> {
    let own = crl.issuer == certificate.issuer;
    let Some(point) = &crl.extensions.issuing_point else {
        return if own { Ok(()) } else { Err(ListFault::OtherIssuer(crl.issuer.clone())) };
    };
    let is_authority = matches!(certificate.extensions.basic_constraints, Some(BasicConstraints::Authority { .. }));
    match point.contains {
        Contains::Authorities if !is_authority => return Err(ListFault::Kind("CA certificates")),
        Contains::Users if is_authority => return Err(ListFault::Kind("holders' certificates")),
        _ => {}
    }
    let named = |found: &DistributionPoint| {
        // One that speaks for another issuer counts only if the certificate names it (RFC 5280 §6.3.3 (b)(1)).
        let issuer = match (&found.crl_issuer, point.lists) {
            (Some(issuer), Lists::Others) => *issuer == crl.issuer,
            (None, _) => own,
            (Some(_), Lists::Own) => false,
        };
        issuer && found.covers == ReasonsCovered::All && shares_name(point, found)
    };
    if certificate.extensions.crl_distribution_points.iter().any(named) {
        return Ok(());
    }
    // Without a name it is for everything that its issuer issued, wherever the certificate says that its list is.
    if own && point.name.is_none() && point.lists == Lists::Own {
        return Ok(());
    }
    if own || point.lists == Lists::Others {
        Err(ListFault::OtherPoint)
    } else {
        Err(ListFault::OtherIssuer(crl.issuer.clone()))
    }
}

/// What a full CRL says of a certificate, and what its delta does.
pub fn word<'a>(
    full: &Crl<'a>,
    delta: Option<&Crl<'a>>,
    certificate: &CertificateFields,
) -> Result<Word<'a>, CrlError> {
    let on_delta = delta.map(|delta| find(delta, certificate)).transpose()?.flatten();
    match on_delta {
        Some(entry) if entry.listed == Listed::Removed => return Ok(Word::Lifted),
        Some(entry) => return Ok(Word::OnDelta(entry)),
        None => {}
    }
    Ok(find(full, certificate)?.map_or(Word::Absent, Word::OnFull))
}

/// The entry of a certificate. The whole list is read: what can't be read to its end says nothing.
fn find<'a>(crl: &Crl<'a>, certificate: &CertificateFields) -> Result<Option<CrlEntry<'a>>, CrlError> {
    let mut found = None;
    for entry in crl.entries() {
        let entry = entry?;
        let issuer = entry.issuer.unwrap_or(crl.issuer.as_der());
        if entry.serial == certificate.serial && issuer == certificate.issuer.as_der() {
            found = Some(entry);
        }
    }
    Ok(found)
}

/// Whether a CRL's point has a name of the certificate's; where the certificate gives none, the CRL's issuer is the name.
fn shares_name(of_crl: &IssuingPoint, of_certificate: &DistributionPoint) -> bool {
    match (&of_crl.name, &of_certificate.name) {
        (Some(one), Some(other)) => {
            one.as_der() == other.as_der()
                || one.full_names().iter().any(|name| DistributionPointName::full_names(other).contains(name))
        }
        (None, _) => true,
        (Some(_), None) => false,
    }
}
