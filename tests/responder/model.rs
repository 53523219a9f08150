//! Any sequence of changes, set events, questions and steps of the clock, against a naive model: what was revoked or held is
//! never answered good, and every answer's times are as they should be.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tashika::model::{
    Batch, CertificateKey, CertificateNo, Change, HoldId, IssuerNo, ListNo, Reason, SetChange, SetEvent, SetTarget,
    Status, Time,
};
use tashika::responder::{Forms, HOT_FOR, Presign, Refusal, Reply};
use tashika::status::Freshness;

use crate::bureau::{Bureau, Ca, Got, VALIDITY, party, signers_end, stranger};
use crate::content::{held, revoked};
use crate::ocsp::{Form, Said, Seen, cert_id, request};
use crate::rng::Rng;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_answer_says_what_is_not_so(seed in any::<u64>(), steps in 1..160_usize) {
        let mut world = World::new(seed);
        for _ in 0..steps {
            world.step();
        }
        world.ask_everybody();
    }
}

struct World {
    rng: Rng,
    bureau: Bureau,
    /// Each certificate with its whole status, set events laid over it at once.
    naive: BTreeMap<CertificateNo, (CertificateKey, Batch, Status)>,
    holds: Vec<(HoldId, SetTarget, Vec<CertificateNo>)>,
    lists: u32,
    /// The latest thisUpdate that was signed for each certificate.
    signed: BTreeMap<CertificateNo, i64>,
    end: Time,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let presign = *rng.pick(&[Presign::All, Presign::Hot(HOT_FOR), Presign::Off]);
        let forms = *rng.pick(&[Forms::Both, Forms::Sha1, Forms::Sha256]);
        let folder = *rng.pick(&["card-sign-g2-p256", "card-auth-p384"]);
        let ca = Ca { signer: "ocsp-expired.pem", ..Ca::new(1, folder) };
        // In some worlds the signer's certificate ends soon.
        let end = signers_end();
        let before = *rng.pick(&[900, 100_000]);
        let begins = Time::from_unix(end.unix() - before).unwrap();
        let bureau = Bureau::at(vec![ca.with(|policy| (policy.presign, policy.forms) = (presign, forms))], begins);
        let (naive, signed) = (BTreeMap::new(), BTreeMap::new());
        Self { rng, bureau, naive, holds: Vec::new(), lists: 0, signed, end }
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..2 => self.register(),
            2..6 => self.change(),
            6..8 => self.set(),
            8..11 => {
                self.bureau.pass(self.rng.below(40) as i64);
                if self.rng.per_mille(700) {
                    self.bureau.hear();
                }
            }
            11 => self.bureau.pass_and_hear(self.rng.below(700) as i64),
            12 => {
                // Another replica, a little behind: what it says is older, what is known isn't.
                let known_at = Time::from_unix(self.bureau.time.unix() - self.rng.below(5) as i64).unwrap();
                self.bureau.responder.hear(Freshness { known_at: Some(known_at) }, self.bureau.now);
            }
            13..15 => {
                let _ = self.bureau.responder.work(self.bureau.now);
            }
            _ => self.ask_somebody(),
        }
    }

    fn register(&mut self) {
        if self.holds.iter().any(|(_, target, _)| !matches!(target, SetTarget::Listed { .. })) {
            // The ledger refuses newcomers where a set has closed the door behind it.
            return;
        }
        let (no, key) = self.bureau.register(0);
        let status =
            Status::at_registration(&crate::nation::on_card(key, no.0, tashika::model::Usage::Auth), self.bureau.at);
        self.naive.insert(no, (key, Batch((no.0 % 3) as u32), status));
    }

    fn change(&mut self) {
        let Some(no) = self.any() else { return };
        let (key, _, status) = &self.naive[&no];
        let (key, time) = (*key, self.bureau.time);
        let change = match (&status.revocation(), status.holds.is_empty(), self.rng.below(4)) {
            (Some(_), _, _) => return,
            (None, false, 0..3) => Change::Released { holds: status.holds.iter().map(|hold| hold.id).collect() },
            (None, _, 3) => revoked(*self.rng.pick(&Reason::ALL), status.held_since().unwrap_or(time)),
            (None, _, _) => held(self.rng.per_mille(300).then_some(time)),
        };
        let position = self.bureau.change((no, key), &change);
        self.naive.get_mut(&no).unwrap().2.apply(&change, position, time, position);
        if self.rng.per_mille(500) {
            self.bureau.responder.changed([no]);
        }
    }

    fn set(&mut self) {
        let (target, members, change) = if !self.holds.is_empty() && self.rng.per_mille(600) {
            let at = self.rng.below(self.holds.len() as u64) as usize;
            let (hold, target, members) = self.holds.swap_remove(at);
            (target, members, SetChange::Released { hold })
        } else {
            let all: Vec<_> = self.naive.keys().copied().collect();
            let listed: Vec<_> = all.into_iter().filter(|_| self.rng.per_mille(300)).collect();
            self.lists += 1;
            let list = SetTarget::Listed { list: ListNo(self.lists), count: listed.len() as u64, digest: [0; 32] };
            let batch = SetTarget::Batch(Batch(self.rng.below(3) as u32));
            let target = [list, batch, SetTarget::Issuer(IssuerNo(1))][self.rng.below(3) as usize].clone();
            let revokes = matches!(target, SetTarget::Listed { .. }) && self.rng.per_mille(150);
            (
                target,
                listed,
                if revokes { SetChange::Revoked { reason: Reason::CaCompromise } } else { SetChange::Held },
            )
        };
        let position = self.bureau.set(target.clone(), change, &members);
        let event = SetEvent { position, time: self.bureau.time, cause: position, target: target.clone(), change };
        for (no, (_, batch, status)) in &mut self.naive {
            let is_member = match &target {
                SetTarget::Batch(named) => batch == named,
                SetTarget::Issuer(_) => true,
                SetTarget::Listed { .. } => members.contains(no),
            };
            if is_member {
                event.apply_to(status);
            }
        }
        if change == SetChange::Held {
            self.holds.push((HoldId(position), target, members));
        }
        if self.rng.per_mille(500) {
            self.bureau.responder.changed_sets();
        }
    }

    fn ask_somebody(&mut self) {
        let Some(no) = self.any() else { return };
        let form = *self.rng.pick(&Form::ALL);
        let nonce = self.rng.per_mille(200).then_some([7; 16]);
        self.ask(&[no], form, nonce.as_ref().map(|nonce| &nonce[..]));
        if let Some(other) = self.any().filter(|_| self.rng.per_mille(200)) {
            self.ask(&[other, no, other], form, None);
        }
        let never = self.bureau.usual(0, &self.bureau.key(0, 10_000 + self.rng.below(50)));
        if let Ok(reply) = self.bureau.answer(&never) {
            assert_eq!(self.bureau.read(0, &Ok(reply)).said(), Said::Unknown);
        }
    }

    fn ask_everybody(&mut self) {
        self.bureau.hear();
        for no in self.naive.keys().copied().collect::<Vec<_>>() {
            self.ask(&[no], Form::Sha1Null, None);
        }
    }

    fn ask(&mut self, numbers: &[CertificateNo], form: Form, nonce: Option<&[u8]>) {
        let ca = self.bureau.cas[0].certificate();
        let ids: Vec<_> = numbers.iter().map(|no| cert_id(&ca, self.naive[no].0.serial.as_octets(), form)).collect();
        let asked = request(&ids, nonce);
        let before = self.bureau.hand.signed();
        let caller = if self.rng.per_mille(500) { party(1) } else { stranger(1) };
        let answer = match self.bureau.ask(caller, &asked) {
            Got::Kept(reply) => Ok(reply),
            Got::Refused(refusal) => Err(refusal),
            Got::Waits(told) => {
                while self.bureau.responder.work(self.bureau.now) == tashika::responder::Worked::Done {}
                told.try_recv().expect("everybody is told")
            }
        };
        match answer {
            Ok(reply) => self.check(numbers, nonce, reply, self.bureau.hand.signed() > before),
            Err(refusal) => self.check_refused(refusal),
        }
    }

    /// Nothing is refused without a reason that can be seen from outside.
    fn check_refused(&self, refusal: Refusal) {
        let now = self.bureau.now.wall.time();
        let known_at = self.bureau.table.freshness().known_at.unwrap();
        match refusal {
            Refusal::TooOld => assert!(now.since(known_at) > 300, "{now} is not far from {known_at}"),
            Refusal::NoSigner => assert!(now >= self.end || self.bureau.time >= self.end),
            Refusal::Clock => assert!(self.bureau.responder.clock_fault(self.bureau.now).is_some()),
            other => panic!("{other:?} for no reason"),
        }
    }

    fn check(&mut self, numbers: &[CertificateNo], nonce: Option<&[u8]>, reply: Reply, is_new: bool) {
        let seen: Seen = self.bureau.read(0, &Ok(reply));
        let (now, newest) = (self.bureau.now.wall.time().unix(), self.bureau.time.unix());
        assert_eq!(seen.nonce.as_deref(), nonce);
        assert_eq!(seen.singles.len(), numbers.len());
        for (single, no) in seen.singles.iter().zip(numbers) {
            let status = &self.naive[no].2;
            let wanted = match (status.revocation(), status.held_since()) {
                (Some(ended), _) => {
                    let told = (ended.reason != Reason::Unspecified).then(|| ended.reason.code());
                    Said::Revoked(ended.at.unix(), told)
                }
                (None, Some(since)) => Said::held(since.unix()),
                (None, None) => Said::Good,
            };
            assert_eq!(single.status, wanted, "{no} at {}", self.bureau.at);
            if let Said::Revoked(at, _) = single.status {
                assert!(at <= single.this_update, "told before it was");
            }
            assert!(single.this_update <= newest && newest <= now + 2, "later than anything heard");
            assert!(seen.produced_at >= single.this_update && seen.produced_at <= now);
            assert!(single.next_update > now && single.next_update <= self.end.unix());
            assert!(single.next_update - single.this_update <= i64::from(VALIDITY.0));
            if is_new && numbers.len() == 1 {
                let latest = self.signed.entry(*no).or_insert(single.this_update);
                assert!(single.this_update >= *latest, "{no} went back");
                *latest = single.this_update;
            }
        }
    }

    fn any(&mut self) -> Option<CertificateNo> {
        let count = self.naive.len() as u64;
        (count > 0).then(|| CertificateNo(1 + self.rng.below(count)))
    }
}
