//! Certificates themselves, PEM or DER: serial, validity and scope are theirs, the rest comes from the defaults.
//!
//! Each must be its issuer's: the same name, the same key identifier, and a signature that verifies. Called by `reading`.

use super::{Context, Fault, NamedLinks, Record, Remarks, Standing, States};
use crate::asn1::{BasicConstraints, CertificateFields, ExtendedKeyUsage, KeyUsage, Name, PublicKey, verifies};
use crate::model::{Issuer, ScopeNo, Usage};

/// An issuer as its certificates name and prove it.
#[derive(Clone, Debug)]
pub struct Authority {
    name: Name,
    key: PublicKey,
    key_id: Vec<u8>,
}

impl Authority {
    /// Read from the issuer's own certificate.
    pub fn of(issuer: &Issuer) -> Result<Self, Fault> {
        let fields = CertificateFields::from_der(&issuer.certificate)?;
        let key_id = fields.extensions.subject_key_id.unwrap_or_else(|| fields.public_key.key_identifier());
        Ok(Self { name: fields.subject, key: fields.public_key, key_id })
    }

    /// Whether the certificate is this issuer's, and if so, whether its signature could be verified at all.
    fn vouches_for(&self, fields: &CertificateFields) -> Result<Verified, Fault> {
        if fields.issuer != self.name {
            return Err(Fault::ForeignIssuer("another issuer (its issuer name differs)"));
        }
        match &fields.extensions.authority_key_id {
            Some(id) if *id == self.key_id || *id == self.key.key_identifier() => {}
            Some(_) => {
                return Err(Fault::ForeignIssuer("another key generation (its authority key identifier differs)"));
            }
            None => {}
        }
        match fields.signature_algorithm {
            Some(algorithm) if verifies(&self.key, algorithm, fields.tbs_der(), &fields.signature) => Ok(Verified::Yes),
            Some(_) => Err(Fault::Signature),
            // Without a key identifier and without a signature nothing would tell the generations apart.
            None if fields.extensions.authority_key_id.is_none() => Err(Fault::Signature),
            None => Ok(Verified::No),
        }
    }
}

/// What one certificate says.
pub(super) fn read_der(der: &[u8], authority: &Authority, context: &Context<'_>) -> Result<Record, Fault> {
    let fields = CertificateFields::from_der(der)?;
    let verified = authority.vouches_for(&fields)?;
    of_a_person(&fields)?;
    let subject = if fields.subject.is_empty() { String::new() } else { fields.subject.to_string() };
    let validity = fields.validity;
    let mut certificate = context.bare(fields.serial, validity.not_before, validity.not_after, &subject)?;
    certificate.scope = scope_of(&fields, context)?;
    certificate.usage = context.defaults.usage.unwrap_or_else(|| usage_of(&fields));
    let remarks = Remarks {
        without_combined: fields.extensions.crl_distribution_points.iter().all(|point| point.crl_issuer.is_none()),
        unverified: verified == Verified::No,
    };
    let (states, standing, links) = (States::Certificate, Standing::Unsaid, NamedLinks::default());
    Ok(Record { certificate, states, standing, links, remarks })
}

/// A CA signs more than people's certificates, and all of it lies in the folder that is imported. What is registered would
/// be held and revoked like a person's, and its own status is answered by others.
fn of_a_person(fields: &CertificateFields) -> Result<(), Fault> {
    let extensions = &fields.extensions;
    if matches!(extensions.basic_constraints, Some(BasicConstraints::Authority { .. })) {
        return Err(Fault::NotAPersons("a CA's certificate (basicConstraints)"));
    }
    if extensions.key_usage.is_some_and(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN)) {
        return Err(Fault::NotAPersons("a CA's certificate (keyCertSign)"));
    }
    if extensions.key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN)) {
        return Err(Fault::NotAPersons("a CRL signer's certificate (cRLSign)"));
    }
    if extensions.extended_key_usage.contains(&ExtendedKeyUsage::OcspSigning) {
        return Err(Fault::NotAPersons("an OCSP signer's certificate (id-kp-OCSPSigning)"));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verified {
    No,
    Yes,
}

/// The scope that the certificate itself names; what is said elsewhere may confirm it, never overrule it.
fn scope_of(fields: &CertificateFields, context: &Context<'_>) -> Result<ScopeNo, Fault> {
    let own = fields.extensions.crl_distribution_points.iter().filter(|point| point.crl_issuer.is_none());
    let names: Vec<_> = own.filter_map(|point| point.name.as_ref()).collect();
    let mut named: Vec<_> =
        names.iter().filter_map(|name| context.book.scope_of(context.issuer, name.as_der())).map(|s| s.no).collect();
    named.dedup();
    let found = match (&named[..], &names[..]) {
        ([one], _) => *one,
        // A CRL without IDP speaks for every certificate of its issuer, whatever its distribution point.
        ([], _) => context.book.scope_of(context.issuer, &[]).map(|scope| scope.no).ok_or_else(|| {
            let points: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
            Fault::ScopeOfCertificate(match &points[..] {
                [] => "it has no distribution point, and the issuer no scope without one".into(),
                points => format!(
                    "its distribution point is no scope of the issuer: {}: add it with 'tashika scope add'",
                    points.join(", ")
                ),
            })
        })?,
        _ => return Err(Fault::ScopeOfCertificate("its distribution points belong to more than one scope".into())),
    };
    match context.defaults.scope {
        Some(asked) if asked != found => {
            Err(Fault::ScopeOfCertificate("its distribution point names another scope than the one asked for".into()))
        }
        _ => Ok(found),
    }
}

/// nonRepudiation is what a signing certificate has and a log-in certificate must not have.
fn usage_of(fields: &CertificateFields) -> Usage {
    match fields.extensions.key_usage {
        Some(usage) if usage.contains(KeyUsage::NON_REPUDIATION) => Usage::Sign,
        _ => Usage::Auth,
    }
}
