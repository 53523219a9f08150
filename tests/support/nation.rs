//! A small nation for tests: issuers, scopes, holders with cards and phones. Every name follows from a number.

use tashika::ledger::Batch;
use tashika::model::{
    Actor, AppletId, Batch as ChipBatch, Body, Certificate, CertificateKey, CertificateNo, Channel, Delivery, Event,
    HolderId, Issuer, IssuerNo, KeyOrigin, LedgerId, Links, Medium, MediumId, MediumKind, Municipality, Operator,
    PersonId, Proofing, Role, Scope, ScopeNo, Serial, Sim, SimId, Time, Usage,
};

/// A Friday noon in Japan.
pub const NOON: i64 = 1_795_143_600;

/// So many seconds after that noon.
pub fn at(seconds: i64) -> Time {
    Time::from_unix(NOON + seconds).expect("within the calendar")
}

pub fn actor(role: Role) -> Actor {
    person(role, 1)
}

/// The same role, another person.
pub fn person(role: Role, number: u64) -> Actor {
    Actor { role, person: PersonId(name(6, number)), channel: Channel::Api }
}

pub fn operator(name: &str) -> Operator {
    name.parse().expect("a short lower-case name")
}

pub fn holder(number: u64) -> HolderId {
    HolderId(name(1, number))
}

/// The card of a holder.
pub fn card(number: u64) -> MediumId {
    MediumId(name(2, number))
}

/// The SIM of a holder, as a medium.
pub fn phone(number: u64) -> MediumId {
    MediumId(name(3, number))
}

/// The SIM of a holder, as its operator numbers it.
pub fn sim(number: u64) -> SimId {
    SimId(name(4, number))
}

/// A 128-bit name of a kind of thing, by number.
pub fn name(kind: u8, number: u64) -> [u8; 16] {
    let mut name = [kind; 16];
    name[8..].copy_from_slice(&number.to_be_bytes());
    name
}

pub fn key(issuer: u16, serial: u64) -> CertificateKey {
    let serial = Serial::from_unsigned(&serial.to_be_bytes()).expect("not zero");
    CertificateKey { issuer: IssuerNo(issuer), serial }
}

/// The first batch of a ledger.
pub fn genesis(number: u64) -> Batch {
    Batch::genesis(LedgerId(name(9, number)), actor(Role::Ops), at(0))
}

pub fn issuer(no: u16) -> Issuer {
    let octet = no as u8;
    Issuer {
        no: IssuerNo(no),
        name: format!("issuer-{no}"),
        certificate: vec![0x30, octet],
        name_sha1: [octet; 20],
        key_sha1: [octet; 20],
        name_sha256: [octet; 32],
        key_sha256: [octet; 32],
    }
}

/// The scope of the issuer with the same number.
pub fn scope(no: u16) -> Scope {
    let path = format!("scope-{no}.crl");
    Scope { no: ScopeNo(no.into()), issuer: IssuerNo(no), distribution_point: vec![0xa0, no as u8], path }
}

/// Adds issuers 1 to `count` to a batch, each with its scope.
pub fn add_issuers(batch: &mut Batch, count: u16) {
    for no in 1..=count {
        for body in [Body::IssuerAdded(issuer(no)), Body::ScopeAdded(scope(no))] {
            batch.record(Event { time: at(0), actor: actor(Role::Ops), cause: None, body });
        }
    }
}

/// A certificate on a holder's card, delivered.
pub fn on_card(key: CertificateKey, number: u64, usage: Usage) -> Certificate {
    Certificate {
        key,
        usage,
        medium: Medium { kind: MediumKind::Card, id: card(number) },
        holder: holder(number),
        sim: None,
        batch: ChipBatch((number % 3) as u32),
        not_before: at(-86_400 * 30),
        not_after: at(86_400 * 365 * 5),
        scope: ScopeNo(key.issuer.0.into()),
        municipality: Municipality(13_101 + (number % 2) as u32),
        key_origin: KeyOrigin::Medium,
        proofing: Proofing::InPerson,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

/// A certificate in a holder's SIM, delivered, applied for with the card's SIGN certificate.
pub fn in_sim(key: CertificateKey, number: u64, operator: Operator, under: CertificateNo) -> Certificate {
    Certificate {
        medium: Medium { kind: MediumKind::Sim, id: phone(number) },
        sim: Some(Sim { operator, sim: sim(number), applet: AppletId(name(5, number)) }),
        not_before: at(-86_400 * 20),
        key_origin: KeyOrigin::Service,
        proofing: Proofing::CardSignature,
        links: Links { issued_under: Some(under), ..Links::default() },
        ..on_card(key, number, Usage::Auth)
    }
}
