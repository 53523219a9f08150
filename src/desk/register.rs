//! Registration: certificates of one CA, all or none, by one event.

use std::collections::HashSet;

use crate::ledger::{Batch, Ledger, LedgerError, Wanted};
use crate::model::{
    Action, Actor, Book, Certificate, CertificateNo, Delivery, Entry, Issuer, Policy, Position, Refusal, Role, Scope,
    Status, Time, may, next_due,
};

/// Checks new certificates against the book: everything but whether their serials are free.
pub fn check_certificates(
    book: &Book,
    actor: &Actor,
    certificates: &[Certificate],
    next: CertificateNo,
) -> Result<(), Refusal> {
    may(actor.role, Action::Register)?;
    let mut serials = HashSet::with_capacity(certificates.len());
    certificates.iter().zip(0..).try_for_each(|(certificate, index)| {
        check_certificate(book, actor, certificate, next.plus(index))?;
        if serials.insert(certificate.key) { Ok(()) } else { Err(Refusal::AlreadyRegistered(certificate.key.serial)) }
    })
}

fn check_certificate(book: &Book, actor: &Actor, certificate: &Certificate, no: CertificateNo) -> Result<(), Refusal> {
    let serial = certificate.key.serial;
    let unfit = |why| Err(Refusal::Unfit { serial, why });
    if !matches!(actor.role, Role::Ca(own) if own == certificate.key.issuer) {
        return unfit("another CA issued it");
    }
    if book.issuer(certificate.key.issuer).is_none() {
        return unfit("its issuer is unknown: add it with 'issuer add'");
    }
    if book.scope(certificate.scope).is_none_or(|scope| scope.issuer != certificate.key.issuer) {
        return unfit("its CRL scope is not one of its issuer's: add it with 'scope add'");
    }
    if certificate.not_after < certificate.not_before {
        return unfit("its validity ends before it begins");
    }
    if certificate.sim.is_some() && !certificate.is_phone() {
        return unfit("a card has no SIM");
    }
    let links = &certificate.links;
    if [links.issued_under, links.parallel_of, links.succeeds].into_iter().flatten().any(|linked| linked >= no) {
        return unfit("it is linked to a certificate that is not registered before it");
    }
    if book.closed_by(certificate).is_some() {
        return unfit("its issuer or chip batch was held or revoked as a whole");
    }
    Ok(())
}

/// Rule X for newcomers: what was enrolled after its card's certificate was lost, held or revoked is not registered, for it
/// would be good until somebody reports the loss again. Its status is read behind the head that the batch will go on.
pub(super) fn check_enrolment(
    ledger: &dyn Ledger,
    certificates: &[Certificate],
) -> Result<Result<(), Refusal>, LedgerError> {
    let enrolled = || certificates.iter().filter_map(|phone| Some((phone, enrolled_under(phone)?)));
    let mut numbers: Vec<_> = enrolled().map(|(_, under)| under).collect();
    if numbers.is_empty() {
        return Ok(Ok(()));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let known = ledger.find(&Wanted { numbers, ..Wanted::default() })?.entries;
    // What is not found stands in the same registration, and is as good as new.
    let refusal = enrolled().find_map(|(phone, under)| {
        let under = known.iter().find(|entry| entry.no == under)?;
        let since = in_doubt_at_enrolment(phone, under)?;
        Some(Refusal::EnrolledInDoubt { serial: phone.key.serial, under: under.certificate.key.serial, since })
    });
    Ok(refusal.map_or(Ok(()), Err))
}

/// The card's certificate that a phone certificate was applied for with.
pub(super) fn enrolled_under(phone: &Certificate) -> Option<CertificateNo> {
    phone.links.issued_under.filter(|_| phone.is_phone())
}

/// Since when the card's certificate has been in doubt, if the phone's is younger than that.
pub(super) fn in_doubt_at_enrolment(phone: &Certificate, under: &Entry) -> Option<Time> {
    under.status.in_doubt_since().filter(|since| phone.not_before > *since)
}

/// Records a registration. The caller has checked the certificates against the book of `batch.at`.
pub fn record_certificates(
    ledger: &dyn Ledger,
    batch: &mut Batch,
    actor: &Actor,
    certificates: Vec<Certificate>,
    policy: &Policy,
    now: Time,
) -> Result<Result<Position, Refusal>, LedgerError> {
    let keys: Vec<_> = certificates.iter().map(|certificate| certificate.key).collect();
    let taken = ledger.registered(&keys)?;
    if let Some((key, _)) = keys.iter().zip(taken).find(|(_, no)| no.is_some()) {
        return Ok(Err(Refusal::AlreadyRegistered(key.serial)));
    }
    let first = CertificateNo(batch.next.certificates + 1);
    for (certificate, index) in certificates.iter().zip(0..) {
        if certificate.delivery == Delivery::Awaited {
            let status = Status::at_registration(certificate, Position(0));
            if let Some(due) = next_due(certificate, &status, policy) {
                batch.timers.push((due, first.plus(index)));
            }
        }
    }
    Ok(Ok(batch.register(*actor, now, certificates)))
}

/// Checks a new issuer against the book.
pub(super) fn check_issuer(book: &Book, actor: &Actor, issuer: &Issuer) -> Result<(), Refusal> {
    may(actor.role, Action::Configure)?;
    if book.issuer_named(&issuer.name).is_some() {
        return Err(Refusal::Taken(format!("there is already an issuer named '{}'", issuer.name)));
    }
    match book.issuers.iter().find(|known| known.key_sha256 == issuer.key_sha256) {
        Some(known) => Err(Refusal::Taken(format!("issuer '{}' has the same key", known.name))),
        None => Ok(()),
    }
}

/// Checks a new scope against the book.
pub(super) fn check_scope(book: &Book, actor: &Actor, scope: &Scope) -> Result<(), Refusal> {
    may(actor.role, Action::Configure)?;
    if book.issuer(scope.issuer).is_none() {
        return Err(Refusal::UnknownSet(format!("there is no issuer {}", scope.issuer)));
    }
    if book.scopes.iter().any(|known| known.path == scope.path) {
        return Err(Refusal::Taken(format!("the path '{}' belongs to another scope", scope.path)));
    }
    if book.scope_of(scope.issuer, &scope.distribution_point).is_some() {
        return Err(Refusal::Taken("the issuer has a scope for this distribution point".into()));
    }
    Ok(())
}
