//! The ledger in memory refuses batches whose derived rows say something else than their events: proof that it can,
//! since all other tests rely on it.

use tashika::ledger::{Answer, Batch, Ledger, LedgerError, NewStatus, QueueChange};
use tashika::model::{
    Body, CertificateNo, Change, Event, HoldId, HoldKind, IdempotencyKey, IssuerNo, Life, Outcome, Position, Reason,
    Role, SetChange, SetTarget, Status, Time, Usage,
};

use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::writer::{cards, furnish, marker, record_change, register};

/// What somebody may do wrong to a well-formed batch about held certificate 1, and a word of the complaint.
type Wrong = (&'static str, fn(&mut Batch), &'static str);

const WRONGS: &[Wrong] = &[
    ("bytes altered after sealing", |b| *b.events[0].bytes.last_mut().unwrap() ^= 1, "history"),
    ("an event twice", |b| b.events.push(b.events[0].clone()), "repeat"),
    ("an event left out", |b| drop(b.events.remove(0)), "gap"),
    ("another tree", |b| b.next.tree.push([0; 32]), "lead to"),
    ("a certificate too many", |b| b.next.certificates += 1, "lead to"),
    ("a status left out", |b| b.statuses.clear(), "lead to"),
    ("a status too many", |b| b.statuses.push(b.statuses[0].clone()), "two statuses"),
    ("a status that says good", |b| b.statuses[0].status.holds.clear(), "lead to"),
    ("a status as of another event", |b| b.statuses[0].status.as_of = Position(1), "lead to"),
    ("a row without event", |b| b.rows.extend(one_row()), "no event registers"),
    ("a queue without event", |b| b.queue.push(QueueChange::Waits(Position(1))), "queue"),
    ("an answer about others' events", |b| b.answers.push((IdempotencyKey([9; 16]), done(1))), "other events"),
    ("an answer overwritten", |b| b.answers.push((IdempotencyKey([1; 16]), done(b.next.position.0))), "overwritten"),
    ("a timer of no certificate", |b| b.timers.push((Time::default(), CertificateNo(99))), "timer"),
    ("a decision about no inbox item", |b| b.inbox.push((5, refused(b.next.position))), "inbox"),
    ("a cause that comes later", |b| again(b, |event| event.cause = Some(Position(1_000))), "comes later"),
    ("another's key", |b| again(b, |event| set_key(event, 2)), "another key"),
    ("a change twice", |b| change(b, &Change::Acknowledged), "not possible"),
    (
        "a hold that isn't open lifted",
        |b| change(b, &Change::Released { holds: vec![HoldId(Position(1))] }),
        "not open",
    ),
    ("nothing lifted", |b| change(b, &Change::Released { holds: Vec::new() }), "of nothing"),
    ("revoked as of now, though held before", |b| change(b, &revoked(nation::at(500))), "first hold"),
    ("a final reason for what isn't final", |b| change(b, &worse(Reason::KeyCompromise)), "not possible"),
    (
        "revoked twice",
        |b| {
            change(b, &revoked(nation::at(5)));
            change(b, &revoked(nation::at(5)))
        },
        "not possible",
    ),
    (
        "a final reason weakened",
        |b| {
            change(b, &revoked(nation::at(5)));
            change(b, &worse(Reason::Unspecified))
        },
        "weakens",
    ),
    (
        "held after it was revoked",
        |b| {
            change(b, &revoked(nation::at(5)));
            change(b, &held())
        },
        "not possible",
    ),
    ("a set of no issuer", |b| set(b, &SetTarget::Issuer(IssuerNo(9)), SetChange::Held), "no issuer"),
    (
        "a set hold that nobody opened",
        |b| set(b, &issuer_1(), SetChange::Released { hold: HoldId(Position(1)) }),
        "no such",
    ),
    (
        "registered into a held set",
        |b| {
            set(b, &issuer_1(), SetChange::Held);
            b.register(nation::actor(Role::System), nation::at(9), vec![stranger(1)]);
        },
        "not good",
    ),
    ("a key registered again", |b| _ = b.register(nation::actor(Role::System), nation::at(9), cards(1)), "again"),
    (
        "into another issuer's scope",
        |b| _ = b.register(nation::actor(Role::System), nation::at(9), vec![stray()]),
        "scope",
    ),
];

#[test]
fn every_malformed_batch_is_refused_and_remembered() {
    let ledger = ledger();
    for (count, (name, spoil, word)) in WRONGS.iter().enumerate() {
        let before = ledger.head().unwrap();
        let mut batch = well_formed(&ledger);
        spoil(&mut batch);
        match ledger.append(&batch) {
            Err(LedgerError::Refused(complaint)) => assert!(complaint.contains(word), "{name}: {complaint}"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(ledger.state().complaints.len(), count + 1);
        assert_eq!(ledger.head().unwrap(), before);
    }
    ledger.append(&well_formed(&ledger)).expect("the unspoilt batch");
}

/// Certificate 1 is held since second 5; an answer is kept under the name 1.
fn ledger() -> MemoryLedger {
    let ledger = MemoryLedger::create(&nation::genesis(1));
    furnish(&ledger, &cards(2));
    register(&ledger, &[nation::on_card(nation::key(2, 3), 3, Usage::Auth)]);
    let mut batch = Batch::on(ledger.head().unwrap());
    let (no, entry) = (CertificateNo(1), ledger.state().entry(CertificateNo(1)).unwrap());
    let at = record_change(&mut batch, no, entry.certificate.key, entry.status, nation::at(5), &held());
    batch.answers.push((IdempotencyKey([1; 16]), done(at.0)));
    ledger.append(&batch).unwrap();
    ledger
}

/// A marker and a second hold of certificate 1.
fn well_formed(ledger: &MemoryLedger) -> Batch {
    let mut batch = Batch::on(ledger.head().unwrap());
    batch.record(marker("spoilt", nation::at(6)));
    let entry = ledger.state().entry(CertificateNo(1)).unwrap();
    record_change(&mut batch, entry.no, entry.certificate.key, entry.status, nation::at(7), &held());
    batch
}

/// Adds a change of certificate 1, with the status that follows from it if anything could.
fn change(batch: &mut Batch, change: &Change) {
    let NewStatus { no, status } = batch.statuses.pop().unwrap();
    record_change(batch, no, nation::key(1, 1), status, nation::at(9), change);
}

/// Records the last event once more, altered.
fn again(batch: &mut Batch, alter: impl Fn(&mut Event)) {
    let mut event = tashika::ledger::decode_event(&batch.events.last().unwrap().bytes).unwrap();
    alter(&mut event);
    batch.record(event);
}

fn set(batch: &mut Batch, target: &SetTarget, change: SetChange) {
    let body = Body::SetChanged { target: target.clone(), change };
    batch.record(Event { time: nation::at(9), actor: nation::actor(Role::Ops), cause: None, body });
}

fn set_key(event: &mut Event, serial: u64) {
    if let Body::Changed { key, .. } = &mut event.body {
        *key = nation::key(1, serial);
    }
}

fn held() -> Change {
    Change::Held { kind: HoldKind::Review, lost_at: None, becomes: None }
}

fn revoked(at: Time) -> Change {
    Change::Revoked { reason: Reason::Superseded, at, lost_at: None }
}

fn worse(reason: Reason) -> Change {
    Change::ReasonChanged { reason }
}

fn done(position: u64) -> Answer {
    let at = Position(position);
    Answer { command: [0; 32], outcome: Outcome::Done { first: at, last: at } }
}

fn refused(at: Position) -> tashika::ledger::InboxResult {
    tashika::ledger::InboxResult::Refused { at, why: String::new() }
}

fn issuer_1() -> SetTarget {
    SetTarget::Issuer(IssuerNo(1))
}

fn stranger(issuer: u16) -> tashika::model::Certificate {
    nation::on_card(nation::key(issuer, 77), 77, Usage::Auth)
}

fn stray() -> tashika::model::Certificate {
    tashika::model::Certificate { scope: tashika::model::ScopeNo(2), ..stranger(1) }
}

fn one_row() -> Vec<tashika::ledger::NewRow> {
    let mut other = Batch::on(Batch::genesis(Default::default(), nation::actor(Role::Ops), nation::at(0)).next);
    other.register(nation::actor(Role::System), nation::at(9), vec![stranger(1)]);
    other.rows
}

#[test]
fn a_fresh_certificate_is_as_it_was_delivered() {
    let ledger = ledger();
    let entry = ledger.state().entry(CertificateNo(3)).unwrap();
    assert_eq!(entry.status, Status::at_registration(&entry.certificate, Position(0)));
    assert_eq!(entry.status.life, Life::Active);
}
