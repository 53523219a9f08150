//! Set events: one event, many certificates. Every reader must see them on every member, whichever way it looks.

use std::ops::ControlFlow;

use tashika::ledger::{Batch, Ledger, LedgerError, Wanted, sha256};
use tashika::model::{
    Batch as ChipBatch, Body, Certificate, CertificateNo, Entry, Event, HoldId, HoldKind, IssuerNo, LastHold, Life,
    ListNo, Position, Reason, Role, SetChange, SetTarget, Usage, Wish,
};

use crate::nation;
use crate::reader::Reader;
use crate::world::World;
use crate::writer::{cards, change, commit, furnish, register};

/// Records a set event; says its position.
fn set(ledger: &dyn Ledger, target: &SetTarget, set_change: SetChange, seconds: i64) -> Position {
    let batch = commit(ledger, &Wanted::default(), |_, batch: &mut Batch| {
        let body = Body::SetChanged { target: target.clone(), change: set_change };
        let (time, actor) = (nation::at(seconds), nation::actor(Role::Ops));
        batch.record(Event { time, actor, cause: None, body });
    });
    batch.expect("an event").next.position
}

fn listed(list: ListNo, members: &[CertificateNo]) -> SetTarget {
    let numbers: Vec<_> = members.iter().flat_map(|member| member.0.to_be_bytes()).collect();
    SetTarget::Listed { list, count: members.len() as u64, digest: sha256(&[&numbers]) }
}

/// All entries, after having checked that every way to read them says the same as the events do.
fn entries(ledger: &dyn Ledger) -> Vec<Entry> {
    let expected = Reader::of(ledger).entries();
    let mut scanned = Vec::new();
    let head = ledger.scan(&mut |entry| {
        scanned.push(entry);
        ControlFlow::Continue(())
    });
    assert_eq!(head.unwrap(), ledger.head().unwrap());
    let numbers = expected.iter().map(|entry| entry.no).collect();
    let found = ledger.find(&Wanted { numbers, ..Wanted::default() }).unwrap().entries;
    for ((expected, scanned), found) in expected.iter().zip(&scanned).zip(&found) {
        same(expected, scanned);
        same(expected, found);
    }
    assert_eq!((expected.len(), expected.len()), (scanned.len(), found.len()));
    scanned
}

/// Equal in all that anybody may act on. Since when an untouched certificate is as it is, each reader may put differently.
fn same(a: &Entry, b: &Entry) {
    assert_eq!((a.no, &a.certificate), (b.no, &b.certificate));
    assert_eq!((a.status.life, &a.status.holds), (b.status.life, &b.status.holds), "certificate {}", a.no);
    assert_eq!(a.status.handed_to, b.status.handed_to);
}

fn held_by(entries: &[Entry], id: HoldId) -> Vec<u64> {
    entries.iter().filter(|entry| entry.status.hold(id).is_some()).map(|entry| entry.no.0).collect()
}

fn revoked(entries: &[Entry]) -> Vec<u64> {
    entries.iter().filter(|entry| entry.status.revocation().is_some()).map(|entry| entry.no.0).collect()
}

/// Six of issuer 1 (chip batches 1, 2, 0, 1, 2, 0), then two of issuer 2.
fn certificates() -> Vec<Certificate> {
    let mut certificates = cards(6);
    certificates.extend((7..=8).map(|number| nation::on_card(nation::key(2, number), number, Usage::Auth)));
    certificates
}

pub fn a_set_of_an_issuer_covers_its_members(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &certificates());
    let held = set(&*ledger, &SetTarget::Issuer(IssuerNo(1)), SetChange::Held, 10);
    let entries = entries(&*ledger);
    assert_eq!(held_by(&entries, HoldId(held)), [1, 2, 3, 4, 5, 6]);
    assert!(entries[6].status.is_good() && entries[7].status.is_good());
    let hold = entries[0].status.hold(HoldId(held)).unwrap();
    assert_eq!((hold.kind, hold.since), (HoldKind::Set, nation::at(10)));
    Some(())
}

pub fn a_set_of_a_batch_covers_its_members(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &certificates());
    let held = set(&*ledger, &SetTarget::Batch(ChipBatch(1)), SetChange::Held, 10);
    // Whichever issuer: chips are made for all.
    assert_eq!(held_by(&entries(&*ledger), HoldId(held)), [1, 4, 7]);
    Some(())
}

pub fn a_set_of_a_list_covers_its_members(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &certificates());
    let members = [CertificateNo(2), CertificateNo(6), CertificateNo(8)];
    let (list, other) = (ledger.new_list().unwrap(), ledger.new_list().unwrap());
    assert_ne!(list, other);
    ledger.add_to_list(list, &members[1..]).unwrap();
    ledger.add_to_list(list, &members).unwrap();
    ledger.add_to_list(other, &[CertificateNo(1)]).unwrap();
    assert!(entries(&*ledger).iter().all(|entry| entry.status.is_good()), "a list alone changes nothing");
    set(&*ledger, &listed(list, &members), SetChange::Revoked { reason: Reason::KeyCompromise }, 10);
    assert_eq!(revoked(&entries(&*ledger)), [2, 6, 8]);
    Some(())
}

pub fn a_list_is_paged_and_closed_by_its_event(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &certificates());
    let members: Vec<_> = [7, 1, 5, 3].map(CertificateNo).into();
    let list = ledger.new_list().unwrap();
    ledger.add_to_list(list, &members).unwrap();
    ledger.add_to_list(list, &[]).unwrap();
    let mut read = Vec::new();
    while let Some(last) = ledger.list_members(list, read.last().copied().unwrap_or_default(), 3).unwrap().last() {
        read.extend(ledger.list_members(list, read.last().copied().unwrap_or_default(), 3).unwrap());
        assert_eq!(read.last(), Some(last));
    }
    assert_eq!(read, [1, 3, 5, 7].map(CertificateNo), "ascending");
    let target = listed(list, &read);
    set(&*ledger, &target, SetChange::Held, 10);
    let refused = ledger.add_to_list(list, &[CertificateNo(2)]);
    assert!(matches!(refused, Err(LedgerError::Refused(_))), "{refused:?}");
    assert_eq!(ledger.list_members(list, CertificateNo(0), 10).unwrap(), read);
    assert!(ledger.list_members(ListNo(4_000), CertificateNo(0), 10).unwrap().is_empty());
    Some(())
}

pub fn a_released_set_lifts_its_own_hold_only(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &certificates());
    let own = Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None };
    let of_one = change(&*ledger, &[CertificateNo(4)], nation::at(5), &own).unwrap().next.position;
    let first = set(&*ledger, &SetTarget::Batch(ChipBatch(1)), SetChange::Held, 10);
    let second = set(&*ledger, &SetTarget::Issuer(IssuerNo(1)), SetChange::Held, 20);
    set(&*ledger, &SetTarget::Batch(ChipBatch(1)), SetChange::Released { hold: HoldId(first) }, 30);
    let entries = entries(&*ledger);
    assert!(held_by(&entries, HoldId(first)).is_empty());
    assert_eq!(held_by(&entries, HoldId(second)), [1, 2, 3, 4, 5, 6]);
    assert_eq!(held_by(&entries, HoldId(of_one)), [4]);
    assert!(entries[6].status.is_good());
    Some(())
}

pub fn a_set_that_revokes_is_final_and_begins_with_the_hold(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &certificates());
    let hold = Wish::Hold { kind: HoldKind::CallCentre, lost_at: Some(nation::at(-100)), becomes: None };
    change(&*ledger, &[CertificateNo(1)], nation::at(5), &hold).unwrap();
    let weak = Wish::Revoke { reason: Reason::Superseded, lost_at: None };
    change(&*ledger, &[CertificateNo(2)], nation::at(6), &weak).unwrap();
    set(&*ledger, &SetTarget::Issuer(IssuerNo(1)), SetChange::Revoked { reason: Reason::KeyCompromise }, 50);
    set(&*ledger, &SetTarget::Issuer(IssuerNo(1)), SetChange::Revoked { reason: Reason::CessationOfOperation }, 60);
    let entries = entries(&*ledger);
    assert_eq!(revoked(&entries), [1, 2, 3, 4, 5, 6]);
    let revocation = |index: usize| *entries[index].status.revocation().unwrap();
    assert_eq!((revocation(0).at, revocation(0).lost_at), (nation::at(5), Some(nation::at(-100))));
    assert_eq!((revocation(1).at, revocation(1).reason), (nation::at(6), Reason::KeyCompromise));
    assert_eq!((revocation(2).at, revocation(2).reason), (nation::at(50), Reason::KeyCompromise));
    Some(())
}

pub fn changes_after_a_set_build_on_it(world: &dyn World) -> Option<()> {
    let ledger = world.open();
    furnish(&*ledger, &certificates());
    let held = set(&*ledger, &SetTarget::Batch(ChipBatch(2)), SetChange::Held, 10);
    let own = Wish::Hold { kind: HoldKind::Window, lost_at: None, becomes: None };
    let window = change(&*ledger, &[CertificateNo(2)], nation::at(20), &own).unwrap().next.position;
    let lift = Wish::Release { holds: vec![HoldId(held)], last: LastHold::MayBeLifted };
    change(&*ledger, &[CertificateNo(2)], nation::at(30), &lift).unwrap();
    let end = Wish::Revoke { reason: Reason::CessationOfOperation, lost_at: None };
    change(&*ledger, &[CertificateNo(5)], nation::at(40), &end).unwrap();
    // Who comes later is not in the set; and of the members nobody is held twice by one event.
    register(&*ledger, &[nation::on_card(nation::key(2, 90), 90, Usage::Sign)]);
    let entries = entries(&*ledger);
    assert_eq!(held_by(&entries, HoldId(held)), [8]);
    assert_eq!(held_by(&entries, HoldId(window)), [2]);
    assert_eq!(entries[4].status.revocation().unwrap().at, nation::at(10), "held by the set, then revoked");
    assert_eq!(entries[7].status.life, Life::Active);
    assert_eq!(entries[7].status.holds.len(), 1);
    Some(())
}
