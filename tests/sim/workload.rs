//! Commands at random, from all roles: sensible ones mostly, then senseless ones, stolen tokens, and second people.

use tashika::ledger::decode_event;
use tashika::model::{
    Actor, Batch, Body, Certificate, CertificateKey, CertificateNo, Command, Delivery, Epoch, HoldId, IdempotencyKey,
    IssuerNo, Links, Municipality, Position, Reason, Report, ReportKind, Request, Role, Seconds, SetChange, SetTarget,
    Subject, Time, UndoScope, Usage, Verdict,
};

use crate::memory_ledger::MemoryLedger;
use crate::naive::{Naive, Naked};
use crate::nation::{self, operator};
use crate::rng::Rng;

/// Where commands come from.
pub struct Workload {
    rng: Rng,
    next_command: u64,
    next_serial: u64,
}

pub const HOLDERS: u64 = 8;
const OPERATORS: [&str; 3] = ["mno-a", "mno-b", "mvno-c"];

impl Workload {
    pub fn new(rng: Rng) -> Self {
        Self { rng, next_command: 1, next_serial: 100 }
    }

    /// One more command.
    pub fn request(&mut self, naive: &Naive, ledger: &MemoryLedger, now: Time) -> Request {
        let (actor, command) = match self.rng.below(100) {
            0..45 => self.report(now),
            45..75 => self.single(naive, now),
            75..88 => self.second_person(ledger),
            88..94 => self.undo(naive),
            94..99 => self.set(ledger),
            _ => (self.actor(Role::Ops), self.epoch(ledger)),
        };
        let idempotency = self.rng.per_mille(800).then(|| IdempotencyKey(self.rng.name128()));
        Request { actor, command, idempotency }
    }

    /// A stolen token of the call centre: many reports in a row, of people it knows nothing about.
    pub fn campaign(&mut self, now: Time) -> Vec<Request> {
        let actor = nation::person(Role::CallCentre, 666);
        let mut report = |holder| {
            let kind = *self.rng.pick(&[ReportKind::CardLost, ReportKind::PhoneLost]);
            let report = self.make_report(kind, Subject::Holder(nation::holder(holder)), None, now);
            Request { actor, command: Command::Report(report), idempotency: None }
        };
        (0..12).map(|number| report(1 + number % HOLDERS)).collect()
    }

    /// New certificates for a holder: a card, or a phone's under the card's SIGN.
    pub fn certificates(&mut self, naive: &Naive, now: Time) -> (Actor, Vec<Certificate>) {
        let number = 1 + self.rng.below(HOLDERS);
        let own = |naked: &Naked| naked.facts.holder == nation::holder(number);
        let last = |wanted: &dyn Fn(&Naked) -> bool| {
            naive.certificates.iter().filter(|(_, n)| own(n) && wanted(n)).map(|(no, _)| *no).next_back()
        };
        let sign = last(&|n| !n.is_phone() && n.facts.usage == Usage::Sign);
        let before = now - Seconds(self.rng.below(86_400 * 20) as u32);
        let mut certificates = Vec::new();
        if let Some(sign) = sign.filter(|_| self.rng.per_mille(700)) {
            let carrier = operator(OPERATORS[number as usize % 3]);
            let succeeds = last(&Naked::is_phone).filter(|_| self.rng.per_mille(600));
            let mut phone = nation::in_sim(self.key(2), number, carrier, sign);
            phone.links = Links { succeeds, ..phone.links };
            phone.not_before = before;
            certificates.push(phone);
        } else {
            for usage in [Usage::Sign, Usage::Auth] {
                certificates.push(Certificate { not_before: before, ..nation::on_card(self.key(1), number, usage) });
            }
        }
        if self.rng.per_mille(400) {
            certificates.iter_mut().for_each(|certificate| certificate.delivery = Delivery::Awaited);
        }
        // Now and then a CA oversteps.
        let issuer = if self.rng.per_mille(50) { IssuerNo(3) } else { certificates[0].key.issuer };
        (self.actor(Role::Ca(issuer)), certificates)
    }

    fn key(&mut self, issuer: u16) -> CertificateKey {
        // Now and then a serial that is taken.
        if self.rng.per_mille(950) {
            self.next_serial += 1;
        }
        nation::key(issuer, self.next_serial)
    }

    fn actor(&mut self, role: Role) -> Actor {
        nation::person(role, 1 + self.rng.below(3))
    }

    fn role(&mut self) -> Role {
        let number = 1 + self.rng.below(HOLDERS);
        match self.rng.below(12) {
            0 => Role::Auditor,
            1 => Role::Ca(IssuerNo(1 + self.rng.below(2) as u16)),
            2 | 3 => Role::CallCentre,
            4 | 5 => self.carrier(),
            6 => Role::Holder { presented: Some(nation::card(number)) },
            7 => Role::Holder { presented: Some(nation::phone(number)) },
            8 => Role::Registry,
            9 => Role::SpTsm,
            10 => Role::Ops,
            _ => self.window(number),
        }
    }

    fn carrier(&mut self) -> Role {
        Role::Carrier(operator(OPERATORS[self.rng.below(3) as usize]))
    }

    fn window(&mut self, number: u64) -> Role {
        match self.rng.below(10) {
            0..5 => Role::Window(None),
            5..9 => Role::Window(Some(Municipality(13_101 + (number % 2) as u32))),
            _ => Role::Window(Some(Municipality(13_102 - (number % 2) as u32))),
        }
    }

    fn report(&mut self, now: Time) -> (Actor, Command) {
        use ReportKind as K;
        let kind = *self.rng.pick(&K::ALL);
        let number = 1 + self.rng.below(HOLDERS);
        let role = match self.rng.below(10) {
            0 => self.role(),
            1..5 => self.window(number),
            _ => match kind {
                K::CardLost => Role::CallCentre,
                K::ContractEnded | K::PhoneFound | K::PhoneLost | K::SimDisposed | K::SimSwapped => {
                    Role::Carrier(operator(OPERATORS[number as usize % 3]))
                }
                K::Delivered | K::NotDelivered => Role::SpTsm,
                K::Died | K::Moved | K::Renamed => Role::Registry,
                K::CardFound | K::HolderApplies => Role::Holder { presented: Some(nation::card(number)) },
                K::CardNotFound | K::PhoneNotFound | K::Renewed | K::Returned => self.window(number),
            },
        };
        let subject = match self.rng.below(6) {
            0..3 => Subject::Holder(nation::holder(number)),
            3 => Subject::Medium(nation::card(number)),
            4 => Subject::Medium(nation::phone(number)),
            _ => Subject::Sim { sim: nation::sim(number), operator: operator(OPERATORS[number as usize % 3]) },
        };
        let lost_at = self.loss(now).filter(|_| kind.takes_loss_time() || self.rng.per_mille(50));
        (self.actor(role), Command::Report(self.make_report(kind, subject, lost_at, now)))
    }

    fn make_report(&mut self, kind: ReportKind, subject: Subject, lost_at: Option<Time>, now: Time) -> Report {
        self.next_command += 1;
        let moved_to = (kind == ReportKind::Moved).then(|| Municipality(13_101 + self.rng.below(2) as u32));
        // Received a while ago, now and then: a late report of something that is over.
        let late = if self.rng.per_mille(150) { self.rng.below(86_400 * 40) as u32 } else { 0 };
        let evidence = Some(format!("c{}", self.next_command));
        Report { kind, subject, lost_at, reported_at: now - Seconds(late), moved_to, evidence }
    }

    fn loss(&mut self, now: Time) -> Option<Time> {
        let seconds = match self.rng.below(10) {
            0..4 => return None,
            4..8 => self.rng.below(86_400 * 3),
            8 => self.rng.below(86_400 * 60),
            _ => return Some(now + Seconds(self.rng.below(600) as u32)),
        };
        Some(now - Seconds(seconds as u32))
    }

    fn single(&mut self, naive: &Naive, now: Time) -> (Actor, Command) {
        let count = naive.certificates.len() as u64;
        let no = CertificateNo(1 + self.rng.below(count.max(1)));
        let Some(naked) = naive.certificates.get(&no) else { return self.report(now) };
        let number = naked.facts.holder.0[15].into();
        let key = if self.rng.per_mille(980) { naked.facts.key } else { nation::key(1, 9_999_999) };
        let likely = match self.rng.below(4) {
            0 => self.role(),
            1 => Role::Holder { presented: Some(nation::card(number)) },
            2 => naked.facts.sim.map_or(Role::CallCentre, |sim| Role::Carrier(sim.operator)),
            _ => self.window(number),
        };
        let command = match self.rng.below(8) {
            0 => Command::Activate(key),
            1..4 => Command::Hold { key, lost_at: self.loss(now) },
            4..7 => {
                let mut holds: Vec<HoldId> = naked.holds.keys().copied().collect();
                if holds.len() > 1 && self.rng.per_mille(600) {
                    holds.truncate(1 + self.rng.below(holds.len() as u64) as usize);
                }
                if self.rng.per_mille(100) {
                    holds.push(HoldId(Position(1 + self.rng.below(naive.events.len() as u64 + 5))));
                }
                Command::Release { key, holds }
            }
            _ => Command::Revoke { key, reason: *self.rng.pick(&Reason::ALL), lost_at: self.loss(now) },
        };
        (self.actor(likely), command)
    }

    /// Somebody decides what waits: mostly a colleague, at times the same person, or a stranger.
    fn second_person(&mut self, ledger: &MemoryLedger) -> (Actor, Command) {
        let queue: Vec<Position> = ledger.state().queue.iter().copied().collect();
        let queued = if queue.is_empty() { Position(self.rng.below(30)) } else { *self.rng.pick(&queue) };
        let state = ledger.state();
        let stored = state.events.get((queued.0 as usize).saturating_sub(1));
        let first = stored.and_then(|sealed| decode_event(&sealed.bytes).ok()).map(|event| event.actor);
        drop(state);
        let actor = match (self.rng.below(10), first) {
            (0, _) | (_, None) => {
                let role = self.role();
                self.actor(role)
            }
            (1, Some(first)) => first,
            (2, Some(_)) => nation::person(Role::Ops, 9),
            (_, Some(first)) => nation::person(first.role, 9),
        };
        let verdict = if self.rng.per_mille(750) { Verdict::Approved } else { Verdict::Rejected };
        (actor, Command::DecideQueued { queued, verdict })
    }

    fn undo(&mut self, naive: &Naive) -> (Actor, Command) {
        let role = *self.rng.pick(&[Role::Ops, Role::CallCentre, Role::Window(None), Role::Registry]);
        let position = 1 + self.rng.below(naive.events.len() as u64 + 2);
        let scope = match naive.event(Position(position)) {
            Some(event) if self.rng.per_mille(500) => {
                let until = event.time + Seconds(self.rng.below(86_400) as u32);
                UndoScope::ByActor { actor: event.actor, since: event.time, until }
            }
            Some(event) if matches!(event.body, Body::Changed { .. }) && self.rng.per_mille(700) => {
                UndoScope::Cause(event.cause.unwrap_or(Position(position)))
            }
            _ => UndoScope::Cause(Position(position)),
        };
        (self.actor(role), Command::Undo(scope))
    }

    fn set(&mut self, ledger: &MemoryLedger) -> (Actor, Command) {
        let target = match self.rng.below(4) {
            0 => SetTarget::Issuer(IssuerNo(1 + self.rng.below(3) as u16)),
            1 => SetTarget::Batch(Batch(self.rng.below(3) as u32)),
            _ => self.list(ledger),
        };
        let holds: Vec<_> = ledger.state().book.sets.iter().map(|set| (set.position, set.target.clone())).collect();
        let (target, change) = match self.rng.below(10) {
            0..5 => (target, SetChange::Held),
            5..9 if !holds.is_empty() => {
                let (position, target) = self.rng.pick(&holds).clone();
                (target, SetChange::Released { hold: HoldId(position) })
            }
            // Rare and small: a revoked issuer is the end of a simulation's interest.
            _ if matches!(target, SetTarget::Listed { .. }) => {
                (target, SetChange::Revoked { reason: Reason::KeyCompromise })
            }
            _ => (target, SetChange::Held),
        };
        let role = match (self.rng.below(10), &target) {
            (0, _) => self.role(),
            (1..4, SetTarget::Issuer(issuer)) => Role::Ca(*issuer),
            (1..3, _) => Role::Ca(IssuerNo(1)),
            _ => Role::Ops,
        };
        (self.actor(role), Command::Set { target, change })
    }

    fn list(&mut self, ledger: &MemoryLedger) -> SetTarget {
        use tashika::ledger::{Ledger, sha256};
        let count = ledger.state().head.certificates;
        let list = ledger.new_list().expect("the ledger in memory makes lists");
        let members: Vec<_> = (0..3).map(|_| CertificateNo(1 + self.rng.below(count.max(1)))).collect();
        ledger.add_to_list(list, &members).expect("a new list takes members");
        let members = ledger.state().lists[&list].clone();
        let numbers: Vec<_> = members.iter().flat_map(|member| member.0.to_be_bytes()).collect();
        let count = members.len() as u64 + u64::from(self.rng.per_mille(50));
        SetTarget::Listed { list, count, digest: sha256(&[&numbers]) }
    }

    fn epoch(&mut self, ledger: &MemoryLedger) -> Command {
        let present = ledger.state().head.epoch.0;
        Command::AdoptEpoch { epoch: Epoch(present + self.rng.below(2) as u32), note: "simulated".into() }
    }
}
