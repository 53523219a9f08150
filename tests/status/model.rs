//! Any sequence of registrations, changes, set events, replies and restarts: the table says what the naive model says.

use std::sync::Arc;

use proptest::prelude::*;
use tashika::model::{
    Batch, Certificate, CertificateKey, CertificateNo, Delivery, Epoch, Final, HoldId, HoldKind, IssuerNo, LastHold,
    Life, ListNo, Municipality, Position, Reason, Seconds, Serial, SetChange, SetEvent, SetTarget, Time, Usage, Wish,
};
use tashika::status::{Belongs, Changed, Day, HashKey, Keeping, Members, ReadTo, Row, Signature, SignedFor, Table};

use crate::naive::Naive;
use crate::nation;
use crate::rng::Rng;
use crate::snapshot;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn the_table_says_what_the_model_says(seed in any::<u64>(), steps in 1..120_usize) {
        let mut world = World::new(seed);
        for step in 0..steps {
            world.step();
            if step % 8 == 0 {
                world.check();
            }
        }
        world.check();
    }
}

struct World {
    rng: Rng,
    naive: Naive,
    table: Arc<Table>,
    at: Position,
    published: Position,
    /// A table filled from a scan knows positions no further back than the scan.
    floor: Position,
    time: Time,
}

impl World {
    fn new(seed: u64) -> Self {
        let table = Arc::new(Table::empty(HashKey::new([seed as u8; 16])));
        let zero = Position(0);
        Self {
            rng: Rng::new(seed),
            naive: Naive::default(),
            table,
            at: zero,
            published: zero,
            floor: zero,
            time: nation::at(0),
        }
    }

    fn step(&mut self) {
        self.time = self.time + Seconds(self.rng.below(3) as u32);
        match self.rng.below(24) {
            0..3 => self.register(),
            3..12 => self.change(),
            12..15 => self.set(),
            15..18 => self.publish(),
            18..23 => self.keep(),
            _ => self.restart(),
        }
    }

    fn register(&mut self) {
        let first = CertificateNo(self.naive.rows.len() as u64 + 1);
        let mut new: Vec<Certificate> = Vec::new();
        for _ in 0..=self.rng.below(6) {
            let key = self.new_key();
            let mut certificate = nation::on_card(key, self.rng.below(9), Usage::Auth);
            certificate.batch = Batch(self.rng.below(4) as u32);
            certificate.not_after = nation::at(86_400 * self.rng.below(40_000) as i64);
            if self.rng.per_mille(200) {
                certificate.delivery = Delivery::Awaited;
            }
            let taken = self.naive.rows.values().map(|row| &row.certificate).chain(&new).any(|known| known.key == key);
            // The ledger refuses newcomers where a set has closed the door behind it.
            if !taken && self.naive.book.closed_by(&certificate).is_none() {
                new.push(certificate);
            }
        }
        if new.is_empty() {
            return;
        }
        self.at = self.at.next();
        self.table.register(self.at, first, &new).expect("newcomers fit");
        for (certificate, index) in new.into_iter().zip(0..) {
            self.naive.register(first.plus(index), certificate, self.at);
        }
    }

    /// Serials of every length, many of which share their last octets.
    fn new_key(&mut self) -> CertificateKey {
        let len = 1 + self.rng.below(20) as usize;
        let mut octets = vec![0x5a; len];
        octets[0] = 1 + self.rng.below(3) as u8;
        octets[len - 1] = 1 + self.rng.below(200) as u8;
        let issuer = IssuerNo(1 + self.rng.below(2) as u16);
        CertificateKey { issuer, serial: Serial::from_unsigned(&octets).expect("not zero") }
    }

    fn change(&mut self) {
        let Some(no) = self.any() else { return };
        let status = self.naive.status(no);
        let lost_at = self.rng.per_mille(300).then(|| nation::at(-(self.rng.below(5_000) as i64)));
        let becomes = Some(Final { due: self.time + Seconds(9), reason: Reason::KeyCompromise });
        let wish = match self.rng.below(10) {
            0 => Wish::Acknowledge,
            1 => Wish::HandOver(Municipality(self.rng.below(9) as u32)),
            2..5 => {
                let kind = *self.rng.pick(&[HoldKind::CallCentre, HoldKind::Review, HoldKind::Window]);
                Wish::Hold { kind, lost_at, becomes: becomes.filter(|_| kind == HoldKind::Window) }
            }
            5..9 if !status.holds.is_empty() => {
                let holds = status.holds.iter().filter(|_| self.rng.per_mille(600)).map(|hold| hold.id).collect();
                Wish::Release { holds, last: LastHold::MayBeLifted }
            }
            _ => Wish::Revoke { reason: *self.rng.pick(&Reason::ALL), lost_at },
        };
        for change in status.decide_all(&wish, self.time).unwrap_or_default() {
            self.at = self.at.next();
            let key = self.naive.rows[&no].certificate.key;
            let changed = Changed { position: self.at, time: self.time, cause: self.at, no, key, change: &change };
            self.table.change(&changed).expect("a registered certificate");
            self.naive.change(no, &change, self.at, self.time);
        }
    }

    fn set(&mut self) {
        let held: Vec<SetEvent> =
            self.naive.book.sets.iter().filter(|set| set.change == SetChange::Held).cloned().collect();
        let (target, change) = match self.rng.below(6) {
            0..3 if !held.is_empty() => {
                let held = self.rng.pick(&held);
                (held.target.clone(), SetChange::Released { hold: HoldId(held.position) })
            }
            3 => (self.target(), SetChange::Revoked { reason: *self.rng.pick(&Reason::ALL) }),
            _ => (self.target(), SetChange::Held),
        };
        self.at = self.at.next();
        let event = SetEvent { position: self.at, time: self.time, cause: self.at, target, change };
        let belongs = self.belongs(&event);
        self.table.change_set(&event, belongs).expect("with its members");
        self.naive.set(event);
    }

    fn target(&mut self) -> SetTarget {
        match self.rng.below(8) {
            0 => SetTarget::Issuer(IssuerNo(1 + self.rng.below(2) as u16)),
            1..4 => SetTarget::Batch(Batch(self.rng.below(4) as u32)),
            _ => {
                let all: Vec<_> = self.naive.rows.keys().copied().collect();
                let members: Vec<_> = all.into_iter().filter(|_| self.rng.per_mille(400)).collect();
                let list = ListNo(self.naive.lists.len() as u32 + 1);
                let count = members.len() as u64;
                self.naive.lists.insert(list, members);
                SetTarget::Listed { list, count, digest: [0; 32] }
            }
        }
    }

    fn belongs(&self, event: &SetEvent) -> Belongs {
        let SetTarget::Listed { list, .. } = event.target else { return Belongs::AsTargeted };
        let mut members = Members::default();
        self.naive.lists[&list].iter().for_each(|no| members.push(*no).expect("ascending"));
        Belongs::Listed(Arc::new(members))
    }

    fn publish(&mut self) {
        self.published = self.at;
        self.table.publish(ReadTo { epoch: Epoch(3), position: self.at }).expect("later");
        assert_eq!(self.table.read_to(), ReadTo { epoch: Epoch(3), position: self.at });
    }

    /// A reply signed for what was known at some earlier position, or now; of every length that signatures have.
    fn keep(&mut self) {
        let Some(no) = self.any() else { return };
        let behind = self.rng.below(12).min(self.published.0 - self.floor.0);
        let reflects = Position(self.published.0 - behind);
        let this_update = self.time + Seconds(self.rng.below(3) as u32);
        let (produced_at, next_update) = (this_update + Seconds(1), this_update + Seconds(600));
        let signer = self.rng.below(256) as u8;
        let signed = SignedFor { reflects, signer, this_update, produced_at, next_update };
        let len = *self.rng.pick(&[64, 70, 71, 72, 102, 256]);
        let signature: Vec<u8> = (0..len).map(|_| self.rng.next() as u8).collect();
        let kept = self.table.keep_reply(no, &signed, &signature);
        if self.naive.keep(no, signed, signature) {
            assert_eq!(kept, Keeping::Kept);
        } else {
            let wanted = if self.naive.touched(no) > reflects { Keeping::Outdated } else { Keeping::Overtaken };
            assert_eq!(kept, wanted, "{no}");
        }
    }

    /// Another process, which begins with a scan, or with what the one before wrote down.
    fn restart(&mut self) {
        if self.rng.per_mille(500) { self.restart_from_rows() } else { self.restart_from_snapshot() }
    }

    /// Nothing is lost: neither replies nor the positions of changes.
    fn restart_from_snapshot(&mut self) {
        self.publish();
        let folder = tempfile::tempdir().expect("a folder");
        let threads = 1 + self.rng.below(3) as usize;
        self.table = Arc::new(snapshot::through_a_file(&self.table, folder.path(), self.time, threads));
    }

    fn restart_from_rows(&mut self) {
        let rows: Vec<Row> = if self.rng.per_mille(500) {
            self.naive.scan().map(Row::from).collect()
        } else {
            self.naive.rows.keys().map(|no| self.table.row(*no).expect("registered")).collect()
        };
        let belongs = self.naive.book.sets.iter().map(|event| self.belongs(event)).collect();
        let count = self.naive.rows.len() as u64;
        let key = HashKey::new([self.rng.next() as u8; 16]);
        self.table = Arc::new(Table::over(key, &self.naive.book, belongs, count).expect("sets with their members"));
        rows.iter().for_each(|row| self.table.restore(row).expect("a new row"));
        self.naive.forget_replies();
        self.publish();
        self.floor = self.at;
    }

    fn any(&mut self) -> Option<CertificateNo> {
        let count = self.naive.rows.len() as u64;
        (count > 0).then(|| CertificateNo(1 + self.rng.below(count)))
    }

    fn check(&mut self) {
        let mut signature = Signature::default();
        assert_eq!(self.table.count(), self.naive.rows.len() as u64);
        for (no, row) in &self.naive.rows {
            let view = self.table.look_up(&row.certificate.key, &mut signature).expect("registered");
            assert_eq!((view.no, view.standing), (*no, self.naive.standing(*no)), "at {}", self.at);
            assert_eq!(view.standing == tashika::status::Standing::Good, self.naive.status(*no).is_good());
            assert_eq!(view.expires, Day::of(row.certificate.not_after));
            assert_eq!(view.read_to.position, self.published);
            let (signed, octets) = self.naive.reply(*no).cloned().unzip();
            assert_eq!((view.reply, signature.octets()), (signed, &octets.unwrap_or_default()[..]), "{no}");
            assert!(!matches!(self.naive.status(*no).life, Life::Revoked(_)) || view.changed.is_some());
            assert_eq!(self.table.at(*no, &mut signature), Some((row.certificate.key, view)));
        }
        for _ in 0..20 {
            let key = self.new_key();
            let known = self.naive.rows.values().any(|row| row.certificate.key == key);
            assert_eq!(self.table.look_up(&key, &mut signature).is_some(), known);
        }
    }
}
