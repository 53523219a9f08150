//! The part of the world that answers: a follower of the ledger, its table, a responder and its key. Now and then it reads
//! on, and somebody asks; whatever is answered must be what the independent model said when it had read so far.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

use tashika::asn1::ocsp;
use tashika::follow::Follower;
use tashika::ledger::Ledger as _;
use tashika::model::{CertificateKey, CertificateNo, Millis, Reason, RequestLimits, Time};
use tashika::responder::{Answer, HOT_FOR, Issuers, Moment, Presign, Refusal, Reply, Responder, Worked};
use tashika::status::{HashKey, ReadTo, Signature, Tiers};

use crate::bureau::{Ca, Hand, party, stranger};
use crate::memory_ledger::MemoryLedger;
use crate::naive::{Naive, Naked, check};
use crate::nation;
use crate::ocsp::{Form, Said, Seen, cert_id, request};
use crate::rng::Rng;

pub struct Answers {
    rng: Rng,
    follower: Follower,
    responder: Arc<Responder>,
    cas: Vec<(Vec<u8>, Vec<u8>)>,
    /// What the model said of each certificate at the position that the table has read up to.
    so: BTreeMap<CertificateNo, (CertificateKey, Said)>,
    newest: Time,
    /// The latest thisUpdate that was signed for each certificate.
    signed: BTreeMap<CertificateNo, i64>,
    pub tally: BTreeMap<String, u64>,
}

impl Answers {
    pub fn new(mut rng: Rng, truth: &MemoryLedger) -> Self {
        let presign = *rng.pick(&[Presign::All, Presign::Hot(HOT_FOR), Presign::Off]);
        let cas = [Ca::new(1, "card-sign-g2-p256"), Ca::new(2, "phone-auth-p256")];
        let cas = cas.map(|ca| ca.with(|policy| policy.presign = presign));
        let hand = Arc::<Hand>::default();
        let issuers = Issuers::new(cas.iter().map(|ca| ca.issuer(&hand, nation::at(0))).collect());
        let follower = Follower::bootstrap(truth, &HashKey::new([3; 16])).expect("a ledger that can be read");
        let responder = Responder::new(follower.table().clone(), Tiers::default(), issuers, &[5; 32]);
        let cas = cas.iter().map(|ca| (ca.certificate(), ca.signer())).collect();
        let (so, signed, tally) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { rng, follower, responder: Arc::new(responder), cas, so, newest: nation::at(0), signed, tally }
    }

    /// Reads on, signs in advance, is asked; each now and then. For when the model has taken in all that is in the ledger.
    pub fn act(&mut self, truth: &MemoryLedger, naive: &Naive, now: Millis) -> Result<(), String> {
        match self.rng.below(1_000) {
            0..60 => self.read_on(truth, naive, now)?,
            60..90 => drop(self.responder.work(moment(now))),
            90..130 => {
                for _ in 0..3 {
                    self.ask(truth, naive, now)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A change that no event tells of.
    pub fn lie(&mut self) {
        let held = self.so.iter().find(|(_, (_, said))| *said != Said::Good).or(self.so.iter().next());
        let Some((no, (key, _))) = held else { return };
        let read_to = self.follower.table().read_to();
        let change = tashika::model::Change::Revoked { reason: Reason::AaCompromise, at: self.newest, lost_at: None };
        let position = read_to.position.next();
        let (no, key, time) = (*no, *key, self.newest);
        let changed = tashika::status::Changed { position, time, cause: position, no, key, change: &change };
        self.follower.table().change(&changed).expect("a change like any other");
    }

    fn read_on(&mut self, truth: &MemoryLedger, naive: &Naive, now: Millis) -> Result<(), String> {
        loop {
            let stepped = self.follower.step(truth).map_err(|error| format!("answers: {error}"))?;
            if stepped.sets > 0 {
                self.responder.changed_sets();
            }
            self.responder.changed(stepped.changed);
            if !stepped.more {
                break;
            }
        }
        self.so = naive.certificates.iter().map(|(no, naked)| (*no, (naked.facts.key, said(naked)))).collect();
        let freshness = self.follower.freshness();
        self.newest = self.newest.max(naive.events.last().map_or(self.newest, |event| event.time));
        self.newest = freshness.known_at.map_or(self.newest, |known_at| known_at.max(self.newest));
        if freshness != self.responder.table().freshness() {
            self.responder.hear(freshness, moment(now));
        }
        Ok(())
    }

    fn ask(&mut self, truth: &MemoryLedger, naive: &Naive, now: Millis) -> Result<(), String> {
        // Also those that the table may not have yet, and those that nobody has.
        let all: Vec<_> = naive.certificates.values().map(|naked| naked.facts.key).collect();
        let key = if all.is_empty() || self.rng.per_mille(50) {
            nation::key(1 + self.rng.below(2) as u16, 1_000_000 + self.rng.below(5))
        } else {
            *self.rng.pick(&all)
        };
        let form = *self.rng.pick(&[Form::Sha1Null, Form::Sha1Null, Form::Sha256Absent]);
        let nonce = self.rng.per_mille(200).then_some([1; 16]);
        let (ca, signer) = self.cas[usize::from(key.issuer.0) - 1].clone();
        let octets = request(&[cert_id(&ca, key.serial.as_octets(), form)], nonce.as_ref().map(|nonce| &nonce[..]));
        let asked = ocsp::read(&octets, RequestLimits::ANONYMOUS).expect("a request");
        let caller = if self.rng.per_mille(500) { party(1) } else { stranger(1) };
        let (answer, how) = match self.responder.answer(caller, &asked, now.time(), &mut Signature::default()) {
            Answer::Kept(reply) => (Ok(reply), "kept"),
            Answer::Refused(refusal) => (Err(refusal), "refused"),
            Answer::Sign(order) => {
                let (tell, told) = channel();
                self.responder.order(order, now, Box::new(move |answer| tell.send(answer).err().and(None)));
                self.pass_the_fence(truth, naive, now)?;
                while self.responder.work(moment(now)) == Worked::Done {}
                (told.try_recv().map_err(|_| "answers: somebody isn't told")?, "signed")
            }
        };
        *self.tally.entry(format!("answer {}", if answer.is_ok() { how } else { "refused" })).or_default() += 1;
        match answer {
            Ok(reply) => self.compare(key, &reply, &Seen::of(&reply.der, &signer), how, now),
            Err(refusal) => self.refused(refusal, now),
        }
    }

    fn pass_the_fence(&mut self, truth: &MemoryLedger, naive: &Naive, now: Millis) -> Result<(), String> {
        let Some(crowd) = self.responder.crowd() else { return Ok(()) };
        let head = truth.head().map_err(|error| format!("answers: {error}"))?;
        let head = ReadTo { epoch: head.epoch, position: head.position };
        if let Some(crowd) = self.responder.pass(crowd, head, now) {
            *self.tally.entry("answer fenced".into()).or_default() += 1;
            self.read_on(truth, naive, now)?;
            let late = self.responder.pass(crowd, head, now);
            check(late.is_none(), || "answers: the table has read all, and the fence stays shut".into())?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        key: CertificateKey,
        reply: &Reply,
        seen: &Seen,
        how: &str,
        now: Millis,
    ) -> Result<(), String> {
        let found = self.so.iter().find(|(_, (known, _))| *known == key);
        let wanted = found.map_or(Said::Unknown, |(_, (_, said))| *said);
        let single = seen.single();
        let at = self.follower.table().read_to().position;
        // A validity that lies ahead is told as of now.
        let same = match (single.status, wanted) {
            (Said::Revoked(told, reason), Said::Revoked(since, wanted)) => {
                reason == wanted && told == since.min(single.this_update)
            }
            (status, wanted) => status == wanted,
        };
        check(same, || format!("answers: {key:?} is {:?} ({how}), the model says {wanted:?} at {at}", single.status))?;
        if let Said::Revoked(since, _) = single.status {
            check(since <= single.this_update, || format!("answers: {since} is told as of {}", single.this_update))?;
        }
        let (now, newest) = (now.time().unix(), self.newest.unix());
        check(single.this_update <= newest, || format!("answers: {} is later than {newest}", single.this_update))?;
        check(single.next_update > now, || "answers: what has ended is served".into())?;
        check(reply.read_to.position <= at, || "answers: a position that nobody has read".into())?;
        if let Some((no, _)) = found.filter(|_| how == "signed") {
            let latest = self.signed.entry(*no).or_insert(single.this_update);
            check(single.this_update >= *latest, || format!("answers: certificate {no} went back"))?;
            *latest = single.this_update;
        }
        Ok(())
    }

    /// Nothing is refused without a reason that can be seen from outside.
    fn refused(&self, refusal: Refusal, now: Millis) -> Result<(), String> {
        let known_at = self.follower.table().freshness().known_at;
        let has_reason = match refusal {
            Refusal::TooOld => known_at.is_none_or(|known_at| now.time().since(known_at) > 300),
            Refusal::Clock => self.responder.clock_fault(moment(now)).is_some(),
            _ => false,
        };
        check(has_reason, || format!("answers: {refusal:?} for no reason"))
    }
}

fn said(naked: &Naked) -> Said {
    let since = naked.holds.values().map(|hold| hold.since).min();
    match (naked.ended, since) {
        (Some(ended), _) => {
            Said::Revoked(ended.at.unix(), (ended.reason != Reason::Unspecified).then(|| ended.reason.code()))
        }
        (None, Some(since)) => Said::held(since.unix()),
        (None, None) if naked.pending => Said::held(naked.facts.not_before.unix()),
        (None, None) => Said::Good,
    }
}

fn moment(now: Millis) -> Moment {
    Moment { wall: now, steady_ms: (now.0 - nation::NOON * 1_000) as u64 }
}
