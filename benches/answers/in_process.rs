//! What needs no network: reading, looking up and assembling; signing in advance; set events.

use std::sync::Arc;
use std::time::Instant;

use tashika::asn1::ocsp::{Parameters, cert_id, read};
use tashika::model::{
    Caller, CertificateNo, IssuerNo, ListNo, Position, Rank, Reason, RequestLimits, SetChange, SetEvent, SetTarget,
    Share,
};
use tashika::responder::{Answer, Responder, Worked};
use tashika::status::{Belongs, Members, ReadTo, Signature, Table as Statuses};

use crate::Scale;
use crate::asker::request;
use crate::load::busy;
use crate::served::{self, KeptReplies};
use crate::table::{Table, Verdict};

/// Read, look up, assemble.
pub fn path(scale: Scale, table: &mut Table) {
    let (responder, issuer) = served::responder("card-sign-g2-p256", scale.million, KeptReplies::Filled);
    // Each certificate once a round, in no order: what was asked for a moment ago, and its neighbours, lie nearer.
    let requests: Vec<Vec<u8>> = (0..scale.million)
        .map(|at| at * STRIDE % scale.million + 1)
        .map(|number| request(&cert_id(&issuer, Parameters::Null, &served::serial(number))))
        .collect();
    let caller = Caller { rank: Rank::Anonymous, share: Share::Address(1) };
    let mut signature = Signature::default();
    let now = served::time();
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let began = busy();
        for octets in &requests {
            let request = read(octets, RequestLimits::ANONYMOUS).expect("a request");
            let answer = responder.answer(caller, &request, now, &mut signature);
            assert!(matches!(&answer, Answer::Kept(reply) if !reply.der.is_empty()), "{answer:?}");
        }
        least = least.min((busy() - began) * 1e6 / scale.million as f64);
    }
    let name = format!("parse + look-up + assemble, no HTTP, {} certificates asked for evenly", scale.million);
    table.row(name, format!("{least:.2} µs"), "≤ 0.8 µs", "≤ 0.3 µs", Verdict::at_most(least, 0.8, 0.3));
}

/// Signing in advance beside signing.
pub fn advance(scale: Scale, table: &mut Table) {
    for (ca, count) in [("card-sign-g2-p256", scale.million / 5), ("card-sign-g1-rsa2048", scale.million / 50)] {
        let signer = served::signer(ca);
        let octets = vec![0x5a; 330];
        let began = busy();
        (0..count).for_each(|_| drop(signer.sign(&octets).expect("a signature")));
        let bare = count as f64 / (busy() - began);
        let (responder, _) = served::responder(ca, count, KeptReplies::None);
        served::presign(&responder, ca);
        let began = busy();
        while responder.work(served::moment()) == Worked::Done {}
        let stored = responder.figures().kept as f64 / (busy() - began);
        let ratio = stored / bare;
        let name = format!("signing in advance: stored a second and core, beside bare signing, {ca}");
        let measured = format!("{ratio:.2} ({stored:.0}/s, bare {bare:.0}/s)");
        table.row(name, measured, "≥ 0.85", "≥ 0.95", Verdict::at_least(ratio, 0.85, 0.95));
    }
}

/// A set event over all certificates, in the table.
pub fn sets(scale: Scale, table: &mut Table) {
    let count = scale.ten_million;
    let (responder, _) = served::responder("card-sign-g2-p256", count, KeptReplies::None);
    let statuses: &Arc<Statuses> = responder.table();
    let began = Instant::now();
    set(statuses, SetTarget::Issuer(IssuerNo(1)), Belongs::AsTargeted);
    let shown = shows(&responder, count);
    let took = began.elapsed().as_secs_f64();
    assert!(shown, "the set is in every answer");
    let name = format!("set event over {count} certificates, issuer generation, in every answer (table)");
    table.row(name, format!("{:.3} ms", took * 1e3), "≤ 1 s", "≤ 0.1 s", Verdict::at_most(took, 1.0, 0.1));

    let (responder, _) = served::responder("card-sign-g2-p256", count, KeptReplies::None);
    let began = Instant::now();
    let mut members = Members::default();
    (1..=count).for_each(|number| members.push(CertificateNo(number)).expect("ascending"));
    let target = SetTarget::Listed { list: ListNo(1), count, digest: [0; 32] };
    set(responder.table(), target, Belongs::Listed(Arc::new(members)));
    let shown = shows(&responder, count);
    let took = began.elapsed().as_secs_f64();
    assert!(shown, "the set is in every answer");
    let name =
        format!("set event over {count} certificates, listed set, in every answer (table; its list read already)");
    table.row(name, format!("{:.0} ms", took * 1e3), "≤ 30 s", "≤ 10 s", Verdict::at_most(took, 30.0, 10.0));
}

fn set(statuses: &Statuses, target: SetTarget, belongs: Belongs) {
    let position = Position(statuses.read_to().position.0 + 1);
    let time = served::time();
    let change = SetChange::Revoked { reason: Reason::KeyCompromise };
    statuses.change_set(&SetEvent { position, time, cause: position, target, change }, belongs).expect("a set");
    statuses.publish(ReadTo { position, ..statuses.read_to() }).expect("a later position");
}

fn shows(responder: &Responder, count: u64) -> bool {
    let mut signature = Signature::default();
    (1..=count).step_by((count / 1_000).max(1) as usize).all(|number| {
        let view = responder.table().at(CertificateNo(number), &mut signature).expect("a certificate").1;
        matches!(view.standing, tashika::status::Standing::Revoked { .. })
    })
}

const ROUNDS: usize = 5;
/// A prime that divides no scale.
const STRIDE: u64 = 7_368_787;
