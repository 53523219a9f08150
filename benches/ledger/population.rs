//! A population for benchmarks: random 16-octet serials, holders, media and SIMs; each holder has a card with two
//! certificates, four in ten a phone with one more. Deterministic, so that the n-th certificate can be named again.

use std::sync::Arc;

use tashika::desk::{Desk, Task};
use tashika::ledger::Ledger;
use tashika::model::{
    Actor, AppletId, Batch, Certificate, CertificateKey, Channel, Delivery, HolderId, Issuer, IssuerNo, KeyOrigin,
    Links, Medium, MediumId, MediumKind, Municipality, PersonId, Policy, Proofing, Role, Scope, ScopeNo, Serial, Sim,
    SimId, Usage,
};

/// Adds the issuer and the scope that every certificate here belongs to.
pub fn found(desk: &mut Desk) {
    let issuer = Issuer {
        no: IssuerNo(0),
        name: "bench".into(),
        certificate: vec![0x30, 0],
        name_sha1: [1; 20],
        key_sha1: [2; 20],
        name_sha256: [3; 32],
        key_sha256: [4; 32],
    };
    let actor = crate::ops(1);
    desk.one(&Task::AddIssuer { actor, issuer, scopes: Vec::new() }, crate::start()).expect("a new issuer");
    let scope = Scope { no: ScopeNo(0), issuer: IssuerNo(1), distribution_point: Vec::new(), path: "bench".into() };
    desk.one(&Task::AddScope { actor, scope }, crate::start()).expect("a new scope");
}

/// The CA that registers them.
pub fn ca() -> Actor {
    Actor { role: Role::Ca(IssuerNo(1)), person: PersonId([9; 16]), channel: Channel::Api }
}

/// Fills an empty ledger.
pub fn fill(ledger: &Arc<dyn Ledger>, count: usize) {
    let mut desk = Desk::new(ledger.clone(), Policy::default());
    found(&mut desk);
    for first in (0..count).step_by(FILL_CHUNK) {
        let certificates = (first..count.min(first + FILL_CHUNK)).map(certificate).collect();
        desk.one(&Task::Register { actor: ca(), certificates }, crate::start()).expect("new certificates");
        while ledger.upkeep().expect("upkeep") == tashika::ledger::Upkeep::More {}
    }
}

/// The key of the n-th certificate.
pub fn key(n: usize) -> CertificateKey {
    let mut octets = name(n as u64, 1);
    octets[0] |= 1;
    CertificateKey { issuer: IssuerNo(1), serial: Serial::from_unsigned(&octets).expect("16 octets are a serial") }
}

/// The n-th certificate.
pub fn certificate(n: usize) -> Certificate {
    let (holder, place) = (n as u64 / 12 * 5 + (n as u64 % 12) * 5 / 12, n % 12);
    let phone = place % 12 >= 10;
    let usage = if n.is_multiple_of(2) { Usage::Sign } else { Usage::Auth };
    let not_before = crate::start();
    Certificate {
        key: key(n),
        usage,
        medium: Medium {
            kind: if phone { MediumKind::Sim } else { MediumKind::Card },
            id: MediumId(name(holder, if phone { 3 } else { 2 })),
        },
        holder: HolderId(name(holder, 4)),
        sim: phone.then(|| Sim {
            operator: "mno-1".parse().expect("a short name"),
            sim: SimId(name(holder, 5)),
            applet: AppletId(name(holder, 6)),
        }),
        batch: Batch((n / 100_000) as u32),
        not_before,
        not_after: not_before + tashika::model::Seconds::days(1_825),
        scope: ScopeNo(1),
        municipality: Municipality(13_101),
        key_origin: KeyOrigin::Medium,
        proofing: Proofing::InPerson,
        delivery: Delivery::Delivered,
        links: Links::default(),
    }
}

/// A random name that is always the same for the same numbers (splitmix64, twice).
fn name(n: u64, kind: u64) -> [u8; 16] {
    let mut octets = [0; 16];
    for (half, chunk) in octets.chunks_mut(8).enumerate() {
        let mut z = (n << 4 | kind << 1 | half as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ z >> 31).to_be_bytes());
    }
    octets
}

const FILL_CHUNK: usize = 20_000;
