//! A server's own role tries to write what the rules forbid, by way of the one function that writes. The batches are
//! well-formed but for one thing each; the database must refuse every one, whatever the program would have said.

use tashika::ledger::{Answer, Batch, Found, Ledger, LedgerError, NewStatus, Sealed};
use tashika::model::{
    Body, Certificate, CertificateNo, Change, Epoch, Event, HoldId, HoldKind, IdempotencyKey, IssuerNo, Outcome,
    Position, Reason, Role, SetChange, SetTarget, Status, Usage, Verdict, Wish,
};

use crate::fixture::{Fixture, commit, hold_by_call_centre, marker, operator, prepared, record, wish};
use crate::nation::{self, actor, at};

/// What is wrong with a batch, and a word of the refusal.
type Forgery = (&'static str, fn(&Found, &mut Batch), &'static str);

/// Certificate 1 is held by the call centre, 2 is revoked as superseded, 3 and 4 are active, 5 is issuer 2's, 6 is
/// pending. The ledger is at second 100 or later.
const FORGERIES: &[Forgery] = &[
    ("a link that does not follow", |_, b| wrong_link(b), "continue the history"),
    ("bytes changed after sealing", |_, b| b.events[0].bytes[30] ^= 1, "continue the history"),
    ("an event left out", |_, b| drop(b.events.remove(0)), "contiguous"),
    ("an event twice", |_, b| b.events.push(b.events[0].clone()), "contiguous"),
    ("a head that is not the last event", |_, b| b.next.link[0] ^= 1, "last event"),
    ("a head further on", |_, b| b.next.position.0 += 1, "contiguous"),
    ("a tree of another size", |_, b| b.next.tree.push([0; 32]), "hash tree"),
    ("another epoch without an event", |_, b| b.next.epoch = Epoch(7), "their own events"),
    ("a book that did not change", |_, b| b.next.book = b.next.position, "their own events"),
    ("a certificate too many", |_, b| b.next.certificates += 1, "without gaps"),
    ("a time before the last event's", |_, b| backdated(b), "dated before"),
    ("a cause that comes later", |_, b| _ = b.record(later(b)), "comes later"),
    ("bytes of no kind", |_, b| forge(b, 1, 0), "does not know"),
    ("bytes of an unknown version", |_, b| forge(b, 3, 9), "does not know"),
    ("another ledger's creation", |_, b| creation(b), "role may not write"),
    ("an auditor's report", |_, b| role(b, Role::Auditor), "role may not write"),
    ("a report by operations", |_, b| role(b, Role::Ops), "role may not write"),
    ("an issuer added by a CA", |_, b| issuer(b, Role::Ca(IssuerNo(1)), 3), "role may not write"),
    ("an issuer's number left out", |_, b| issuer(b, Role::Ops, 4), "without gaps"),
    ("registered by a window", |_, b| register(b, Role::Window(None), &new(1)), "role may not write"),
    ("registered by another CA", |_, b| register(b, Role::Ca(IssuerNo(2)), &new(1)), "not of its issuer"),
    ("into another issuer's scope", |_, b| register(b, Role::Ca(IssuerNo(1)), &stray()), "not of its issuer"),
    ("a serial registered again", |_, b| register(b, Role::Ca(IssuerNo(1)), &again()), "duplicate key"),
    ("a row that the digest does not cover", |_, b| altered_row(b), "differ from their event"),
    ("a row that no event registers", |_, b| stowaway(b), "exactly the certificates"),
    ("revoked by a carrier", |f, b| revoke(f, b, 3, carrier()), "role may not"),
    ("revoked by the call centre", |f, b| revoke(f, b, 3, Role::CallCentre), "role may not"),
    ("revoked by operations", |f, b| revoke(f, b, 3, Role::Ops), "role may not"),
    ("revoked by another CA", |f, b| revoke(f, b, 3, Role::Ca(IssuerNo(2))), "role may not"),
    ("a CA revokes for another's issuer", |f, b| revoke(f, b, 5, Role::Ca(IssuerNo(1))), "role may not"),
    ("held by an auditor", |f, b| held(f, b, 3, Role::Auditor, HoldKind::Review), "role may not"),
    ("held in another's name", |f, b| held(f, b, 3, Role::CallCentre, HoldKind::Window), "role may not"),
    ("held in another carrier's name", |f, b| held(f, b, 3, carrier(), other_carrier()), "role may not"),
    ("held by a set that is none", |f, b| held(f, b, 3, Role::Ops, HoldKind::Set), "role may not"),
    ("held by rule X without a report", |f, b| held(f, b, 3, Role::Window(None), HoldKind::RuleX), "role may not"),
    ("released by the call centre", |f, b| release(f, b, Role::CallCentre, None), "role may not"),
    ("released by a hold that is not open", |f, b| release(f, b, Role::Window(None), Some(1)), "not open"),
    ("released after it was revoked", |f, b| change(f, b, 2, &Change::Released { holds: vec![] }), "can not follow"),
    ("held after it was revoked", |f, b| held(f, b, 2, Role::CallCentre, HoldKind::CallCentre), "can not follow"),
    ("revoked again", |f, b| revoke(f, b, 2, Role::Window(None)), "can not follow"),
    ("acknowledged though active", |f, b| change(f, b, 3, &Change::Acknowledged), "can not follow"),
    ("acknowledged though revoked", |f, b| change(f, b, 2, &Change::Acknowledged), "can not follow"),
    ("a final reason weakened", |f, b| change(f, b, 2, &reason(Reason::Unspecified)), "can not follow"),
    ("a final reason exchanged", |f, b| change(f, b, 2, &reason(Reason::CessationOfOperation)), "can not follow"),
    ("a reason for what is not revoked", |f, b| change(f, b, 3, &reason(Reason::KeyCompromise)), "can not follow"),
    ("revoked, and held in the same batch", |f, b| revoked_then_held(f, b), "can not follow"),
    ("a status that says good", |f, b| good(f, b, 3), "does not follow"),
    ("a status without the hold", |f, b| without_hold(f, b), "does not follow"),
    ("a status with another reason", |f, b| other_reason(f, b), "does not follow"),
    ("a status of long ago", |f, b| old_status(f, b), "does not follow"),
    ("a status left out", |f, b| left_out(f, b), "each certificate"),
    ("a status that no event changed", |f, b| b.statuses.push(active(f, 3)), "for no other"),
    ("good again without an event", |f, b| b.statuses.push(active(f, 2)), "for no other"),
    ("another certificate's key", |f, b| other_key(f, b), "this number"),
    ("a certificate that is none", |f, b| nobody(f, b), "no such certificate"),
    ("a set of another CA", |_, b| set(b, Role::Ca(IssuerNo(1)), SetTarget::Issuer(IssuerNo(2))), "role may not write"),
    ("a chip batch by a CA", |_, b| set(b, Role::Ca(IssuerNo(1)), chip_batch()), "role may not write"),
    ("a set by a carrier", |_, b| set(b, carrier(), SetTarget::Issuer(IssuerNo(1))), "role may not write"),
    ("a list that is none", |_, b| set(b, Role::Ops, list(9)), "does not fit list"),
    ("a decision about nothing", |_, b| decide(b), "does not wait"),
    ("an epoch that was", |_, b| epoch(b, 0), "role may not write"),
    ("an inbox item that is none", |_, b| inbox(b), "does not wait"),
];

#[test]
fn every_forgery_is_refused_and_nothing_of_it_is_written() {
    let fixture = fixture();
    let before = fixture.ledger.head().unwrap();
    for (name, forge, word) in FORGERIES {
        let batch = prepared(&fixture.ledger, &[1, 2, 3, 4, 5, 6], |found, batch| {
            batch.record(marker("forged", at(100)));
            forge(found, batch);
        });
        match fixture.ledger.append(&batch) {
            Err(LedgerError::Refused(why)) => assert!(why.contains(word), "{name}: {why}"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(fixture.ledger.head().unwrap(), before, "{name}");
    }
    assert_eq!(fixture.ledger.rows_from(CertificateNo(1), 10).unwrap().len(), 6);
}

/// The same steps, taken by those who may: none of the refusals above comes from a batch that is merely malformed.
#[test]
fn who_may_is_not_refused() {
    let fixture = fixture();
    let all = [1, 2, 3, 4, 5, 6];
    commit(&fixture.ledger, &all, |f, b| revoke(f, b, 3, Role::Window(None)));
    commit(&fixture.ledger, &all, |f, b| revoke(f, b, 5, Role::Ca(IssuerNo(2))));
    commit(&fixture.ledger, &all, |f, b| held(f, b, 4, carrier(), HoldKind::Carrier(operator())));
    commit(&fixture.ledger, &all, |f, b| release(f, b, Role::Window(None), None));
    commit(&fixture.ledger, &all, |f, b| change(f, b, 2, &reason(Reason::KeyCompromise)));
    // An application that was never delivered is cancelled when the card is lost, by whoever reports it.
    commit(&fixture.ledger, &all, |f, b| {
        let revoked = Change::Revoked { reason: Reason::Unspecified, at: at(100), lost_at: None };
        changed(f, b, 6, Role::CallCentre, &revoked);
    });
    commit(&fixture.ledger, &all, |_, b| register(b, Role::Ca(IssuerNo(1)), &new(1)));
    commit(&fixture.ledger, &all, |_, b| set(b, Role::Ca(IssuerNo(1)), SetTarget::Issuer(IssuerNo(1))));
    commit(&fixture.ledger, &all, |_, b| epoch(b, 1));
    // Several changes of one certificate in one batch, each following from the one before.
    commit(&fixture.ledger, &all, |f, b| {
        wish(b, f, 4, Role::Window(None), &Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None });
        wish(b, f, 4, Role::Window(None), &Wish::Revoke { reason: Reason::Superseded, lost_at: None });
        wish(b, f, 4, Role::Window(None), &Wish::Revoke { reason: Reason::KeyCompromise, lost_at: Some(at(5)) });
    });
}

fn fixture() -> Fixture<'static> {
    let fixture = Fixture::furnished();
    commit(&fixture.ledger, &[1, 2], |found, batch| {
        wish(batch, found, 1, Role::CallCentre, &hold_by_call_centre());
        let revoke = Wish::Revoke { reason: Reason::Superseded, lost_at: None };
        wish(batch, found, 2, Role::Window(None), &revoke);
    });
    fixture
}

fn carrier() -> Role {
    Role::Carrier(operator())
}

fn other_carrier() -> HoldKind {
    HoldKind::Carrier(nation::operator("mno-b"))
}

fn reason(reason: Reason) -> Change {
    Change::ReasonChanged { reason }
}

fn certificate(found: &Found, no: u64) -> (&Certificate, Status) {
    let entry = found.entries.iter().find(|entry| entry.no.0 == no).unwrap();
    (&entry.certificate, entry.status.clone())
}

fn changed(found: &Found, batch: &mut Batch, no: u64, role: Role, change: &Change) {
    let (certificate, status) = certificate(found, no);
    record(batch, no, certificate, status, role, change);
}

fn change(found: &Found, batch: &mut Batch, no: u64, change: &Change) {
    changed(found, batch, no, Role::Window(None), change);
}

fn revoke(found: &Found, batch: &mut Batch, no: u64, role: Role) {
    changed(found, batch, no, role, &Change::Revoked { reason: Reason::KeyCompromise, at: at(100), lost_at: None });
}

fn held(found: &Found, batch: &mut Batch, no: u64, role: Role, kind: HoldKind) {
    changed(found, batch, no, role, &Change::Held { kind, lost_at: None, becomes: None });
}

fn release(found: &Found, batch: &mut Batch, role: Role, hold: Option<u64>) {
    let (_, status) = certificate(found, 1);
    let hold = hold.map_or(status.holds[0].id, |no| HoldId(Position(no)));
    let (certificate, mut status) = certificate(found, 1);
    // What would follow if it were so: one hold fewer.
    status.holds[0].id = hold;
    record(batch, 1, certificate, status, role, &Change::Released { holds: vec![hold] });
}

fn revoked_then_held(found: &Found, batch: &mut Batch) {
    revoke(found, batch, 3, Role::Window(None));
    let status = batch.statuses[0].status.clone();
    let change = Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None };
    record(batch, 3, certificate(found, 3).0, status, Role::Window(None), &change);
}

fn active(found: &Found, no: u64) -> NewStatus {
    let as_of = Position(1);
    NewStatus { no: CertificateNo(no), status: Status::at_registration(certificate(found, no).0, as_of) }
}

fn good(found: &Found, batch: &mut Batch, no: u64) {
    revoke(found, batch, no, Role::Window(None));
    batch.statuses[0] = active(found, no);
    batch.statuses[0].status.as_of = batch.next.position;
}

fn without_hold(found: &Found, batch: &mut Batch) {
    held(found, batch, 3, Role::CallCentre, HoldKind::CallCentre);
    batch.statuses[0].status.holds.clear();
}

fn other_reason(found: &Found, batch: &mut Batch) {
    revoke(found, batch, 3, Role::Window(None));
    let tashika::model::Life::Revoked(revocation) = &mut batch.statuses[0].status.life else { panic!("revoked") };
    revocation.reason = Reason::Superseded;
}

fn old_status(found: &Found, batch: &mut Batch) {
    held(found, batch, 3, Role::CallCentre, HoldKind::CallCentre);
    batch.statuses[0].status.as_of = Position(1);
}

fn left_out(found: &Found, batch: &mut Batch) {
    held(found, batch, 3, Role::CallCentre, HoldKind::CallCentre);
    batch.statuses.clear();
}

fn other_key(found: &Found, batch: &mut Batch) {
    let (certificate, status) = certificate(found, 4);
    let change = Change::Held { kind: HoldKind::CallCentre, lost_at: None, becomes: None };
    record(batch, 3, certificate, status, Role::CallCentre, &change);
}

fn nobody(found: &Found, batch: &mut Batch) {
    let (certificate, status) = certificate(found, 4);
    let change = Change::Held { kind: HoldKind::CallCentre, lost_at: None, becomes: None };
    record(batch, 99, certificate, status, Role::CallCentre, &change);
}

fn event(role: Role, body: Body) -> Event {
    Event { time: at(100), actor: actor(role), cause: None, body }
}

fn later(batch: &Batch) -> Event {
    Event { cause: Some(Position(batch.next.position.0 + 5)), ..marker("later", at(100)) }
}

fn wrong_link(batch: &mut Batch) {
    batch.record(marker("another", at(100)));
    batch.events[0].link[0] ^= 1;
}

/// Sealed as it should be, but dated years before.
fn backdated(batch: &mut Batch) {
    let event = marker("backdated", at(-1_000_000));
    let sealed = batch.next.seal(tashika::ledger::encode_event(&event), event.time);
    batch.events.push(sealed);
}

/// Sealed as it should be, with one octet of its envelope replaced before.
fn forge(batch: &mut Batch, octet: usize, with: u8) {
    let mut bytes = tashika::ledger::encode_event(&marker("forged", batch.next.time));
    bytes[octet] = with;
    bytes[2] = if octet == 1 { 99 } else { bytes[2] };
    let sealed: Sealed = batch.next.seal(bytes, batch.next.time);
    batch.events.push(sealed);
}

fn creation(batch: &mut Batch) {
    let ledger = tashika::model::LedgerId([7; 16]);
    batch.record(event(Role::Ops, Body::LedgerCreated { ledger }));
}

fn role(batch: &mut Batch, role: Role) {
    let marker = marker("forged", at(100));
    batch.record(Event { actor: actor(role), ..marker });
}

fn issuer(batch: &mut Batch, role: Role, no: u16) {
    batch.record(event(role, Body::IssuerAdded(nation::issuer(no))));
}

fn new(issuer: u16) -> Certificate {
    nation::on_card(nation::key(issuer, 1_000), 1_000, Usage::Auth)
}

fn again() -> Certificate {
    nation::on_card(nation::key(1, 1), 1_000, Usage::Auth)
}

fn stray() -> Certificate {
    Certificate { scope: tashika::model::ScopeNo(2), ..new(1) }
}

fn register(batch: &mut Batch, role: Role, certificate: &Certificate) {
    batch.register(actor(role), at(100), vec![certificate.clone()]);
}

fn altered_row(batch: &mut Batch) {
    register(batch, Role::Ca(IssuerNo(1)), &new(1));
    let last = batch.rows[0].bytes.len() - 60;
    batch.rows[0].bytes[last] ^= 1;
}

fn stowaway(batch: &mut Batch) {
    let mut other = Batch::on(batch.next.clone());
    register(&mut other, Role::Ca(IssuerNo(1)), &new(1));
    batch.rows = other.rows;
    batch.next.certificates += 1;
}

fn set(batch: &mut Batch, role: Role, target: SetTarget) {
    batch.record(event(role, Body::SetChanged { target, change: SetChange::Held }));
}

fn chip_batch() -> SetTarget {
    SetTarget::Batch(tashika::model::Batch(1))
}

fn list(no: u32) -> SetTarget {
    SetTarget::Listed { list: tashika::model::ListNo(no), count: 1, digest: [0; 32] }
}

fn decide(batch: &mut Batch) {
    batch.record(event(Role::Ops, Body::QueueDecided { queued: Position(1), verdict: Verdict::Approved }));
}

fn epoch(batch: &mut Batch, no: u32) {
    let body = Body::EpochAdopted { epoch: Epoch(no), note: "because".into() };
    batch.record(event(Role::Ops, body));
}

fn inbox(batch: &mut Batch) {
    let at = batch.next.position;
    batch.inbox.push((77, tashika::ledger::InboxResult::Done { first: at, last: at }));
}

/// An answer that was given meanwhile is no forgery: whoever comes second decides again.
#[test]
fn a_second_answer_under_one_name_makes_the_second_writer_decide_again() {
    let fixture = Fixture::empty();
    let answer = Answer { command: [1; 32], outcome: Outcome::AlreadySo };
    let of = |head| {
        let mut batch = Batch::on(head);
        batch.answers.push((IdempotencyKey([1; 16]), answer));
        batch
    };
    let head = fixture.ledger.head().unwrap();
    fixture.ledger.append(&of(head.clone())).unwrap();
    assert!(matches!(fixture.ledger.append(&of(head)), Err(LedgerError::Moved { .. })));
}
