//! The status table under loom, on every schedule that differs (up to the stated number of forced switches):
//! `RUSTFLAGS="--cfg tashika_loom" cargo test --release --test loom_status`. Without that cfg there is nothing here.
//!
//! The whole table runs in the model, with chunks and shards small enough to fill. What must never be seen: an answer that
//! is older than the position that it reports, a reply that was signed for another status or for somebody else, octets
//! of two signatures, a certificate that cannot be found while the table grows.

#![cfg(tashika_loom)]

#[path = "support/nation.rs"]
#[allow(dead_code, reason = "a shared fixture; each suite uses a part of it")]
mod nation;

use std::sync::Arc;

use loom::thread;
use tashika::model::{
    CertificateNo, Change, Epoch, HoldId, HoldKind, IssuerNo, Position, Reason, SetChange, SetEvent, SetTarget, Usage,
};
use tashika::status::{Belongs, Changed, HashKey, Keeping, ReadTo, Signature, SignedFor, Standing, Table, View};

/// What a signature was made for stands in each of its octets, with whose it is and which of them.
const GOOD: u8 = 0x40;
const NOT_GOOD: u8 = 0x80;

fn model(preemptions: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 20_000;
    builder.check(check);
}

/// Certificates 1 to `count`, published at position 1.
fn table(count: u64) -> Arc<Table> {
    let table = Table::empty(HashKey::new([4; 16]));
    register(&table, 1, 1, count);
    publish(&table, 1);
    Arc::new(table)
}

fn register(table: &Table, position: u64, first: u64, count: u64) {
    let new: Vec<_> = (first..first + count).map(|no| nation::on_card(nation::key(1, no), no, Usage::Auth)).collect();
    table.register(Position(position), CertificateNo(first), &new).expect("newcomers fit");
}

fn publish(table: &Table, position: u64) {
    table.publish(ReadTo { epoch: Epoch(1), position: Position(position) }).expect("later");
}

fn change(table: &Table, position: u64, no: u64, change: &Change) {
    let (position, no, key) = (Position(position), CertificateNo(no), nation::key(1, no));
    table
        .change(&Changed { position, time: nation::at(position.0 as i64), cause: position, no, key, change })
        .expect("a registered certificate");
}

fn revoke(table: &Table, position: u64, no: u64) {
    let revoked = Change::Revoked { reason: Reason::KeyCompromise, at: nation::at(0), lost_at: None };
    change(table, position, no, &revoked);
}

fn look(table: &Table, no: u64) -> (View, Vec<u8>) {
    let mut signature = Signature::default();
    let view = table.look_up(&nation::key(1, no), &mut signature).expect("registered before the threads began");
    (view, signature.octets().to_vec())
}

/// Signs what a look-up said, and keeps it.
fn sign(table: &Table, no: u64, seen: &View, later: i64) -> Keeping {
    let this_update = nation::at(later);
    let reflects = seen.read_to.position;
    let next_update = nation::at(600);
    let signed = SignedFor { reflects, signer: no as u8, this_update, produced_at: this_update, next_update };
    table.keep_reply(CertificateNo(no), &signed, &[octet(seen, no, later); 64])
}

/// Signs and keeps, one after another: for whom, and which of theirs.
fn signed(table: &Table, replies: &[(u64, i64)]) {
    for (no, later) in replies {
        let seen = look(table, *no).0;
        assert_eq!(sign(table, *no, &seen, *later), Keeping::Kept);
    }
}

fn octet(view: &View, no: u64, later: i64) -> u8 {
    let mark = if view.standing == Standing::Good { GOOD } else { NOT_GOOD };
    mark | (no as u8) << 4 | later as u8
}

/// One answer, checked; what it says.
fn checked(table: &Table, no: u64) -> View {
    let (view, octets) = look(table, no);
    if let Some(reply) = view.reply {
        let later = reply.this_update.unix() - nation::at(0).unix();
        assert_eq!(octets, [octet(&view, no, later); 64], "torn, somebody else's, or for another status");
        assert_eq!(u64::from(reply.signer), no);
    } else {
        assert!(octets.is_empty());
    }
    if let Standing::Held { since, .. } = view.standing {
        let position = view.changed.expect("a hold is a change").0;
        assert_eq!(since, nation::at(position as i64), "torn: the time of one hold, the position of another");
    }
    view
}

#[test]
fn a_change_beats_a_reply_that_is_being_signed() {
    model(3, || {
        let table = table(1);
        let signer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let seen = checked(&table, 1);
                let _any = sign(&table, 1, &seen, 0);
            })
        };
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                revoke(&table, 2, 1);
                publish(&table, 2);
            })
        };
        let view = checked(&table, 1);
        assert!(view.read_to.position < Position(2) || view.standing != Standing::Good);
        signer.join().unwrap();
        writer.join().unwrap();
        let view = checked(&table, 1);
        assert_ne!(view.standing, Standing::Good);
        assert_eq!(view.read_to.position, Position(2));
    });
}

#[test]
fn a_reply_that_comes_back_to_its_first_record_is_whole() {
    model(3, || {
        let table = table(1);
        let seen = checked(&table, 1);
        assert_eq!(sign(&table, 1, &seen, 0), Keeping::Kept);
        let writer = {
            let table = Arc::clone(&table);
            // The first of them frees the record that the second is written into: the entry's word is as it was.
            thread::spawn(move || signed(&table, &[(1, 1), (1, 2)]))
        };
        assert!(checked(&table, 1).reply.is_some(), "there is one at every instant");
        writer.join().unwrap();
        assert_eq!(checked(&table, 1).reply.unwrap().this_update, nation::at(2));
    });
}

#[test]
fn a_reply_in_a_record_that_somebody_else_had_is_ones_own() {
    model(3, || {
        let table = table(2);
        let seen = checked(&table, 1);
        assert_eq!(sign(&table, 1, &seen, 0), Keeping::Kept);
        let writer = {
            let table = Arc::clone(&table);
            // The record goes to the other certificate.
            thread::spawn(move || signed(&table, &[(1, 1), (2, 3)]))
        };
        assert!(checked(&table, 1).reply.is_some(), "there is one at every instant");
        writer.join().unwrap();
        assert_eq!(checked(&table, 1).reply.unwrap().this_update, nation::at(1));
        assert_eq!(checked(&table, 2).reply.unwrap().this_update, nation::at(3));
    });
}

#[test]
fn details_that_come_back_to_their_first_record_are_whole() {
    model(3, || {
        let table = table(1);
        let hold = Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None };
        change(&table, 2, 1, &hold);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                change(&table, 3, 1, &Change::Released { holds: vec![HoldId(Position(2))] });
                change(&table, 4, 1, &Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None });
            })
        };
        let view = checked(&table, 1);
        assert_eq!(view.standing == Standing::Good, view.changed == Some(Position(3)));
        writer.join().unwrap();
        assert_eq!(checked(&table, 1).changed, Some(Position(4)));
    });
}

#[test]
fn a_change_and_its_reply_are_read_together() {
    model(2, || {
        let table = table(1);
        change(&table, 2, 1, &Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None });
        publish(&table, 2);
        let seen = checked(&table, 1);
        assert_eq!(sign(&table, 1, &seen, 0), Keeping::Kept);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                change(&table, 3, 1, &Change::Released { holds: vec![HoldId(Position(2))] });
                publish(&table, 3);
                let seen = look(&table, 1).0;
                assert_eq!(sign(&table, 1, &seen, 1), Keeping::Kept);
            })
        };
        let view = checked(&table, 1);
        assert_eq!(view.standing == Standing::Good, view.changed == Some(Position(3)));
        assert!(view.read_to.position < Position(3) || view.standing == Standing::Good);
        writer.join().unwrap();
        assert!(checked(&table, 1).reply.is_some());
    });
}

#[test]
fn what_was_revoked_under_a_set_is_not_good_when_the_set_is_lifted() {
    model(3, || {
        let table = table(1);
        let set = |position, change| {
            let (position, target) = (Position(position), SetTarget::Issuer(IssuerNo(1)));
            SetEvent { position, time: nation::at(position.0 as i64), cause: position, target, change }
        };
        table.change_set(&set(2, SetChange::Held), Belongs::AsTargeted).unwrap();
        publish(&table, 2);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                revoke(&table, 3, 1);
                let hold = HoldId(Position(2));
                table.change_set(&set(4, SetChange::Released { hold }), Belongs::AsTargeted).unwrap();
                publish(&table, 4);
            })
        };
        // Held before, revoked after: good at no instant.
        assert_ne!(checked(&table, 1).standing, Standing::Good);
        writer.join().unwrap();
        assert!(matches!(checked(&table, 1).standing, Standing::Revoked { .. }));
    });
}

#[test]
fn a_reply_signed_under_a_set_is_not_shown_without_it() {
    model(3, || {
        let table = table(1);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let (position, target) = (Position(2), SetTarget::Issuer(IssuerNo(1)));
                let held = SetEvent { position, time: nation::at(2), cause: position, target, change: SetChange::Held };
                table.change_set(&held, Belongs::AsTargeted).unwrap();
                publish(&table, 2);
                signed(&table, &[(1, 1)]);
            })
        };
        let view = checked(&table, 1);
        assert!(view.reply.is_none() || view.standing != Standing::Good);
        writer.join().unwrap();
        assert!(checked(&table, 1).reply.is_some());
    });
}

#[test]
fn nobody_is_lost_while_the_table_grows() {
    // Two are enough to stop a reader between any two of its steps, and let the writer use its blocks again.
    model(2, || {
        let table = table(1);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                register(&table, 2, 2, 3);
                publish(&table, 2);
            })
        };
        let read_to = table.read_to().position;
        assert_eq!(checked(&table, 1).no, CertificateNo(1));
        let newest = table.look_up(&nation::key(1, 4), &mut Signature::default());
        assert!(newest.is_some() || read_to < Position(2), "registered and published, and not found");
        writer.join().unwrap();
        assert!((1..=4).all(|no| checked(&table, no).no == CertificateNo(no)));
    });
}
