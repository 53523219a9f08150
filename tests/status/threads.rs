//! Real threads: readers that look up without pause while one writer changes, registers and signs anew. What loom shows
//! for one certificate on every schedule, this shows for many on the schedules of this machine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tashika::model::{
    CertificateKey, CertificateNo, Change, Epoch, HoldId, HoldKind, Position, Reason, Seconds, Usage,
};
use tashika::status::{Changed, HashKey, Keeping, ReadTo, Signature, SignedFor, Standing, Table};

use crate::nation;
use crate::rng::Rng;

/// Signatures are one octet over and over, which also says what was signed: so a mixture of two would show.
const GOOD: u8 = 0x10;
const HELD: u8 = 0x20;
const REVOKED: u8 = 0x30;

const CERTIFICATES: u64 = 40;
const ROUNDS: u64 = 20_000;

#[test]
fn readers_see_whole_answers_that_are_never_behind() {
    let table = Table::empty(HashKey::new([7; 16]));
    let certificates: Vec<_> =
        (1..=CERTIFICATES).map(|no| nation::on_card(nation::key(1, no), no, Usage::Auth)).collect();
    table.register(Position(1), CertificateNo(1), &certificates).unwrap();
    table.publish(read_to(1)).unwrap();
    // Where each certificate was revoked; told to the readers after it was published.
    let revoked: Vec<AtomicU64> = (0..=CERTIFICATES).map(|_| AtomicU64::new(u64::MAX)).collect();
    let stop = AtomicBool::new(false);
    let seen = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for reader in 0..2_u64 {
            let (table, revoked, stop, seen) = (&table, &revoked, &stop, &seen);
            scope.spawn(move || {
                let (mut rng, mut signature) = (Rng::new(reader), Signature::default());
                while !stop.load(Ordering::Relaxed) {
                    let no = 1 + rng.below(CERTIFICATES);
                    let told = revoked[no as usize].load(Ordering::Acquire);
                    let view = table.look_up(&nation::key(1, no), &mut signature).expect("registered");
                    seen.fetch_add(u64::from(whole(no, &view, &signature)), Ordering::Relaxed);
                    let is_revoked = matches!(view.standing, Standing::Revoked { .. });
                    assert!(is_revoked || (told == u64::MAX && view.changed.is_none_or(|at| at.0 < told)));
                    assert!(told == u64::MAX || view.read_to.position.0 >= told);
                }
            });
        }
        write(&table, &revoked);
        stop.store(true, Ordering::Relaxed);
    });
    assert!(seen.load(Ordering::Relaxed) > 0, "some readers saw replies");
    let good = (1..=CERTIFICATES).filter(|no| standing(&table, *no) == GOOD).count();
    assert!(good < CERTIFICATES as usize);
}

/// Checks one answer; whether it had a reply.
fn whole(no: u64, view: &tashika::status::View, signature: &Signature) -> bool {
    let Some(reply) = view.reply else {
        assert!(signature.octets().is_empty());
        return false;
    };
    let octets = signature.octets();
    assert!(octets.iter().all(|octet| *octet == octets[0]), "torn: {octets:x?}");
    assert_eq!(octets[0] & 0xf0, mark(&view.standing), "a reply for another standing: {view:?}");
    assert_eq!(u64::from(octets[0] & 0x0f), no % 16, "somebody else's reply");
    assert_eq!(u64::from(reply.signer), no, "somebody else's times");
    assert!(view.changed.is_none_or(|at| reply.reflects >= at));
    true
}

/// Holds, lifts, revokes in the end; signs for random certificates in between, sometimes for what was true before.
fn write(table: &Table, revoked: &[AtomicU64]) {
    let (mut rng, mut at) = (Rng::new(99), Position(1));
    let mut open: Vec<Option<HoldId>> = vec![None; CERTIFICATES as usize + 1];
    for round in 0..ROUNDS {
        let no = 1 + rng.below(CERTIFICATES);
        let before = (standing(table, no), table.read_to().position);
        if rng.per_mille(300) && revoked[no as usize].load(Ordering::Relaxed) == u64::MAX {
            at = at.next();
            let ends = round > ROUNDS / 2 && rng.per_mille(10);
            let hold = open[no as usize].take();
            let change = match hold {
                _ if ends => Change::Revoked { reason: Reason::KeyCompromise, at: nation::at(0), lost_at: None },
                Some(hold) => Change::Released { holds: vec![hold] },
                None => {
                    open[no as usize] = Some(HoldId(at));
                    Change::Held { kind: HoldKind::Window, lost_at: None, becomes: None }
                }
            };
            let key: CertificateKey = nation::key(1, no);
            let no = CertificateNo(no);
            let changed = Changed { position: at, time: nation::at(0), cause: at, no, key, change: &change };
            table.change(&changed).expect("a registered certificate");
            // Signed for what it was, by somebody who is late.
            assert_eq!(keep(table, no.0, before.0, before.1, round), Keeping::Outdated);
            table.publish(read_to(at.0)).expect("later");
            if ends {
                revoked[no.0 as usize].store(at.0, Ordering::Release);
            }
        }
        let now = standing(table, no);
        assert_eq!(keep(table, no, now, table.read_to().position, round), Keeping::Kept);
    }
}

fn keep(table: &Table, no: u64, mark: u8, reflects: Position, round: u64) -> Keeping {
    let this_update = nation::at(round as i64);
    let next_update = this_update + Seconds(600);
    let signed = SignedFor { reflects, signer: no as u8, this_update, produced_at: this_update, next_update };
    table.keep_reply(CertificateNo(no), &signed, &[mark | (no % 16) as u8; 256])
}

fn standing(table: &Table, no: u64) -> u8 {
    mark(&table.at(CertificateNo(no), &mut Signature::default()).expect("registered").1.standing)
}

fn mark(standing: &Standing) -> u8 {
    match standing {
        Standing::Good => GOOD,
        Standing::Held { .. } | Standing::Pending { .. } => HELD,
        Standing::Revoked { .. } => REVOKED,
    }
}

fn read_to(position: u64) -> ReadTo {
    ReadTo { epoch: Epoch(1), position: Position(position) }
}
