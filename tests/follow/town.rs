//! Random histories that the desk writes, with everything that changes what CRLs say; and what they should say, from the
//! statuses at a moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use tashika::asn1::crl::CrlEntry;
use tashika::desk::{Desk, Task};
use tashika::ledger::{Ledger, Wanted, sha256};
use tashika::model::{
    Batch, Certificate, CertificateNo, Command, Cutoff, DatedByDay, Delivery, Entry, HoldId, IssuerNo, Life, Listed,
    Policy, Position, Reason, Request, Role, Scope, ScopeNo, Seconds, Serial, SetChange, SetRule, SetTarget, Status,
    Usage,
};

use crate::memory_ledger::MemoryLedger;
use crate::nation;
use crate::rng::Rng;

pub struct Town {
    pub ledger: MemoryLedger,
    desk: Desk,
    rng: Rng,
    clock: i64,
    certificates: u64,
}

/// A moment of the history: where the ledger stood, and a copy of it.
#[derive(Clone)]
pub struct Moment {
    pub cutoff: Cutoff,
    pub ledger: MemoryLedger,
}

/// What the CRLs of a scope list.
pub type Entries = BTreeMap<Serial, CrlEntry<'static>>;

impl Town {
    pub fn new(seed: u64) -> Self {
        let ledger = MemoryLedger::create(&nation::genesis(seed));
        let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
        let mut town =
            Self { ledger, desk: Desk::new(writer, policy()), rng: Rng::new(seed), clock: 0, certificates: 0 };
        let ops = nation::actor(Role::Ops);
        for no in 1..=2 {
            town.does(&Task::AddIssuer { actor: ops, issuer: nation::issuer(no), scopes: vec![nation::scope(no)] });
        }
        // The first issuer has two shards.
        let scope = Scope { issuer: IssuerNo(1), ..nation::scope(3) };
        town.does(&Task::AddScope { actor: ops, scope });
        assert_eq!(town.ledger.book().unwrap().1.scopes.len(), 3);
        town.register(20);
        town
    }

    /// The same town on another ledger, where its history goes another way.
    pub fn on(&self, ledger: &MemoryLedger) -> Self {
        let writer: Arc<dyn Ledger> = Arc::new(ledger.clone());
        let (desk, rng) = (Desk::new(writer, policy()), Rng::new(99));
        Self { ledger: ledger.clone(), desk, rng, clock: self.clock, certificates: self.certificates }
    }

    /// So many things happen, each a little later than the one before.
    pub fn live(&mut self, events: usize) {
        (0..events).for_each(|_| self.something());
        self.beat();
    }

    /// The heart beats.
    pub fn beat(&mut self) {
        self.clock += 1;
        self.ledger.beat(nation::at(self.clock)).unwrap();
    }

    pub fn moment(&self) -> Moment {
        let state = self.ledger.state();
        let cutoff = Cutoff { position: state.head.position, time: state.head.time };
        drop(state);
        Moment { cutoff, ledger: self.ledger.fork() }
    }

    fn does(&mut self, task: &Task) {
        // What the rules forbid is no event.
        let _ = self.desk.one(task, nation::at(self.clock));
    }

    fn register(&mut self, count: u64) {
        let issuer = 1 + self.rng.below(2) as u16;
        let certificates = (0..count).map(|_| {
            self.certificates += 1;
            let number = self.certificates;
            let certificate = nation::on_card(nation::key(issuer, 5_000 + number), number, Usage::Sign);
            let shard = if issuer == 1 && number.is_multiple_of(2) { ScopeNo(3) } else { certificate.scope };
            let delivery = if self.rng.below(3) == 0 { Delivery::Awaited } else { Delivery::Delivered };
            Certificate { scope: shard, delivery, not_before: nation::at(self.clock - 10), ..certificate }
        });
        let certificates = certificates.collect();
        self.does(&Task::Register { actor: nation::actor(Role::Ca(IssuerNo(issuer))), certificates });
    }

    fn entry(&self, no: CertificateNo) -> Entry {
        self.ledger.find(&Wanted { numbers: vec![no], ..Wanted::default() }).unwrap().entries.remove(0)
    }

    fn something(&mut self) {
        self.clock += self.rng.below(200) as i64;
        let no = CertificateNo(1 + self.rng.below(self.ledger.head().unwrap().certificates));
        let Entry { certificate: Certificate { key, .. }, status, .. } = self.entry(no);
        let lost_at = (self.rng.below(4) == 0).then(|| nation::at(self.clock - 100));
        let command = match self.rng.below(20) {
            0 => return self.register(1 + no.0 % 4),
            1..5 => Command::Hold { key, lost_at },
            5..9 => Command::Release { key, holds: status.holds.iter().map(|hold| hold.id).collect() },
            9..11 => {
                let reasons = [Reason::AffiliationChanged, Reason::KeyCompromise, Reason::Superseded];
                Command::Revoke { key, reason: *self.rng.pick(&reasons), lost_at }
            }
            11..14 => Command::Activate(key),
            14 => {
                let number = Task::NumberCrls { actor: nation::actor(Role::Ops), above: None, read_to: Position(0) };
                return self.does(&number);
            }
            15 | 16 => return self.set(),
            _ => return,
        };
        let actor = nation::actor(Role::Ca(key.issuer));
        self.does(&Task::Request(Request { actor, command, idempotency: None }));
    }

    fn set(&mut self) {
        let sets = self.ledger.book().unwrap().1.sets;
        let target = match self.rng.below(8) {
            0 => SetTarget::Issuer(IssuerNo(1 + self.rng.below(2) as u16)),
            1..4 => SetTarget::Batch(Batch(self.rng.below(3) as u32)),
            _ => self.list(),
        };
        let (target, change) = match (self.rng.below(12), sets.iter().rfind(|set| set.change == SetChange::Held)) {
            (0, _) if matches!(target, SetTarget::Listed { .. }) => {
                (target, SetChange::Revoked { reason: Reason::KeyCompromise })
            }
            (1..8, Some(held)) => (held.target.clone(), SetChange::Released { hold: HoldId(held.position) }),
            _ => (target, SetChange::Held),
        };
        let actor = nation::actor(Role::Ops);
        let command = Command::Set { target, change };
        self.does(&Task::Request(Request { actor, command, idempotency: None }));
    }

    fn list(&mut self) -> SetTarget {
        let count = self.ledger.head().unwrap().certificates;
        let members: Vec<_> = (1..=count).filter(|_| self.rng.below(6) == 0).map(CertificateNo).collect();
        let list = self.ledger.new_list().unwrap();
        self.ledger.add_to_list(list, &members).unwrap();
        let octets: Vec<u8> = members.iter().flat_map(|no| no.0.to_be_bytes()).collect();
        SetTarget::Listed { list, count: members.len() as u64, digest: sha256(&[&octets]) }
    }
}

impl Moment {
    /// What the CRLs of a scope should list, from the statuses of then.
    pub fn entries(&self, no: ScopeNo) -> Entries {
        let count = self.ledger.head().unwrap().certificates;
        let numbers = (1..=count).map(CertificateNo).collect();
        let all = self.ledger.find(&Wanted { numbers, ..Wanted::default() }).unwrap().entries;
        let own = all.iter().filter(|entry| entry.certificate.scope == no);
        own.filter_map(|entry| self.listed(&entry.certificate, &entry.status)).collect()
    }

    fn listed(&self, certificate: &Certificate, status: &Status) -> Option<(Serial, CrlEntry<'static>)> {
        let overdue = certificate.not_before + WITHIN <= self.cutoff.time;
        let (listed, since, lost_at) = match (&status.life, status.held_since()) {
            (Life::Revoked(revocation), _) => (Listed::Revoked(revocation.reason), revocation.at, status.lost_at()),
            (_, Some(since)) => (Listed::Held, since, status.lost_at()),
            (Life::Pending, None) if overdue => (Listed::Held, certificate.not_before, None),
            _ => return None,
        };
        let (serial, date) = (certificate.key.serial, DatedByDay::default().date(listed, since));
        Some((serial, CrlEntry { serial, date, listed, invalidity_date: lost_at, issuer: None }))
    }

    pub fn position(&self) -> Position {
        self.cutoff.position
    }
}

fn policy() -> Policy {
    Policy { sets: SetRule::OnePerson, ..Policy::default() }
}

/// What isn't acknowledged within it is overdue: many are, within a history.
pub const WITHIN: Seconds = Seconds(3_000);
