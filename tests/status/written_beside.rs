//! A snapshot that is written while the table moves on: it is the table at its own position, as a replay to there makes
//! it, and a replay from there makes of it what the table has become.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tashika::model::{
    Batch, CertificateNo, Change, Delivery, Epoch, HoldId, HoldKind, LedgerId, ListNo, Position, Reason, SetChange,
    SetEvent, SetTarget, Usage,
};
use tashika::status::{
    About, Belongs, Capture, Changed, HashKey, Keeping, Members, ReadTo, Registers, Salt, Signature, SignedFor,
    Snapshot, SnapshotKey, Table,
};

use crate::nation;
use crate::rng::Rng;

#[test]
fn it_is_the_table_at_its_position_whatever_happens_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..3 {
        let path = folder.path().join("status.snapshot");
        let table = Arc::new(Table::empty(HashKey::new([7; 16])));
        let mut history = History::new(seed);
        register(&table, Position(1), 1, COUNT);
        (2..=BEFORE).for_each(|at| history.happen(&table, at));
        publish(&table, BEFORE);
        (1..=COUNT).step_by(2).for_each(|no| sign(&table, no, BEFORE));
        let capture = Capture::begin(&table).unwrap();
        let there = table.count();
        let (done, mut at) = (AtomicBool::new(false), BEFORE);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let about = About { ledger: LedgerId([1; 16]), context: Vec::new(), registers: Registers::default() };
                let written = capture.write(&path, &about, &key(), Salt([seed as u8; 32]), nation::at(0));
                done.store(true, Ordering::Release);
                written.unwrap()
            });
            while !done.load(Ordering::Acquire) || at < BEFORE + 500 {
                at += 1;
                history.happen(&table, at);
                publish(&table, at);
                sign(&table, 1 + at * 7 % COUNT, at);
            }
            assert_eq!(writer.join().unwrap().certificates, there);
        });
        let loaded = Snapshot::open(&path, &key()).unwrap().load(NonZeroUsize::new(2).unwrap()).unwrap();

        let replayed = Table::empty(HashKey::new([8; 16]));
        let mut again = History::new(seed);
        register(&replayed, Position(1), 1, COUNT);
        (2..=BEFORE).for_each(|at| again.happen(&replayed, at));
        publish(&replayed, BEFORE);
        same(&loaded, &replayed);
        let replies = (1..=COUNT).filter(|no| has_sound_reply(&loaded, *no)).count() as u64;
        // Those that changed or were signed for anew while it was written are lost, no others.
        assert!(replies > COUNT / 4 && replies <= COUNT / 2, "{replies}");

        for position in BEFORE + 1..=at {
            again.happen(&loaded, position);
            publish(&loaded, position);
        }
        same(&loaded, &table);
    }
}

/// What happens at each position, the same each time.
struct History {
    rng: Rng,
    registered: u64,
    batch_held: Option<Position>,
}

impl History {
    fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed), registered: COUNT, batch_held: None }
    }

    fn happen(&mut self, table: &Table, at: u64) {
        let position = Position(at);
        match self.rng.below(300) {
            0 => self.set(table, position),
            1..9 => {
                register(table, position, self.registered + 1, 3);
                self.registered += 3;
            }
            _ => {
                // Often the one after another, where the writer of the snapshot is just passing.
                let no =
                    if self.rng.per_mille(300) { 1 + at * 40 % COUNT } else { 1 + self.rng.below(self.registered) };
                let (reason, time) =
                    (*self.rng.pick(&[Reason::KeyCompromise, Reason::Superseded]), nation::at(at as i64));
                let row = table.row(CertificateNo(no)).expect("registered");
                let change = match row.status.holds.first() {
                    Some(hold) => Change::Released { holds: vec![hold.id] },
                    None if row.status.revocation().is_some() => Change::LossDated { lost_at: nation::at(-5) },
                    None if self.rng.per_mille(200) => Change::Revoked { reason, at: time, lost_at: None },
                    None => Change::Held { kind: HoldKind::CallCentre, lost_at: None, becomes: None },
                };
                let (cause, key) = (position, row.key);
                let changed = Changed { position, time, cause, no: CertificateNo(no), key, change: &change };
                table.change(&changed).expect("in order");
            }
        }
    }

    fn set(&mut self, table: &Table, position: Position) {
        let batch = SetTarget::Batch(Batch(3));
        let (target, change, belongs) = match self.batch_held.take() {
            Some(held) => (batch, SetChange::Released { hold: HoldId(held) }, Belongs::AsTargeted),
            None if self.rng.per_mille(700) => {
                self.batch_held = Some(position);
                (batch, SetChange::Held, Belongs::AsTargeted)
            }
            None => {
                let mut members = Members::default();
                (1..=COUNT).step_by(97).for_each(|no| members.push(CertificateNo(no)).expect("ascending"));
                let target = SetTarget::Listed { list: ListNo(1), count: members.count(), digest: [0; 32] };
                (target, SetChange::Revoked { reason: Reason::Superseded }, Belongs::Listed(Arc::new(members)))
            }
        };
        let event = SetEvent { position, time: nation::at(position.0 as i64), cause: position, target, change };
        table.change_set(&event, belongs).expect("in order");
    }
}

/// Every certificate in full, with all its holds, and nobody else.
fn same(one: &Table, other: &Table) {
    assert_eq!((one.count(), one.read_to()), (other.count(), other.read_to()));
    let (mut a, mut b) = (Signature::default(), Signature::default());
    for no in (1..=one.count() + 5).map(CertificateNo) {
        assert_eq!(one.row(no), other.row(no), "{no}");
        let (one, other) = (one.at(no, &mut a), other.at(no, &mut b));
        let seen = |view: &tashika::status::View| (view.standing, view.changed, view.expires);
        assert_eq!(one.map(|(key, view)| (key, seen(&view))), other.map(|(key, view)| (key, seen(&view))), "{no}");
    }
    let found = |no: u64| one.look_up(&nation::key(1, no), &mut Signature::default()).map(|view| view.no.0);
    assert!((1..=one.count()).all(|no| found(no) == Some(no)));
}

/// Whether a certificate has a reply, which must then be its own and not of later.
fn has_sound_reply(table: &Table, no: u64) -> bool {
    let mut signature = Signature::default();
    let view = table.look_up(&nation::key(1, no), &mut signature).expect("registered");
    if let Some(reply) = view.reply {
        assert_eq!((signature.octets(), reply.reflects.0), (&[no as u8; 64][..], BEFORE));
    }
    view.reply.is_some()
}

fn sign(table: &Table, no: u64, reflects: u64) {
    let this_update = nation::at(reflects as i64);
    let next_update = nation::at(reflects as i64 + 600);
    let signed =
        SignedFor { reflects: Position(reflects), signer: 1, this_update, produced_at: this_update, next_update };
    assert_eq!(table.keep_reply(CertificateNo(no), &signed, &[no as u8; 64]), Keeping::Kept);
}

fn register(table: &Table, position: Position, first: u64, count: u64) {
    let certificate = |no: u64| {
        let mut certificate = nation::on_card(nation::key(1, no), no, Usage::Auth);
        certificate.batch = Batch((no % 9) as u32);
        certificate.delivery = if no.is_multiple_of(11) { Delivery::Awaited } else { Delivery::Delivered };
        certificate
    };
    let new: Vec<_> = (first..first + count).map(certificate).collect();
    table.register(position, CertificateNo(first), &new).expect("newcomers");
}

fn publish(table: &Table, at: u64) {
    table.publish(ReadTo { epoch: Epoch(1), position: Position(at) }).expect("later");
}

fn key() -> SnapshotKey {
    SnapshotKey::new([2; 32])
}

const COUNT: u64 = 60_000;
const BEFORE: u64 = 3_000;
