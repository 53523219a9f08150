//! Signing now: what a thread that signs does in one turn.
//!
//! Threads of `app` call [`Responder::work`] as long as there is something, then [`Responder::wait_for_work`]. A status is
//! looked up when its turn has come, not when it was asked for, and once more when the signature is made and nobody can
//! join those who wait for it any more: what has changed meanwhile is signed again, so that nobody who asked after a change
//! gets an answer from before it.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::asn1::ocsp::{Nonce, NotIssued, SingleResponse};
use crate::model::{CertificateKey, IssuerNo, Millis, Rank, Time};
use crate::status::{Keeping, ReadTo, Signature, SignedFor, Tier, View};

use super::Responder;
use super::guard::Moment;
use super::issuers::{Issuer, Signatory};
use super::lane::{Entered, waited_too_long};
use super::order::{Asked, Bells, Done, Fenced, Flight, Keep, Order, Ticket};
use super::policy;
use super::reply::{Refusal, Reply, Reuse, Said, stated, tag_of};
use super::turns::Cause;

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Worked {
    /// Something was done, and there may be more.
    Done,
    /// There was nothing to do.
    Nothing,
}

/// Those who wait for one signature: they can be joined as long as the flight is there.
struct Flying {
    flight: Option<Flight>,
    others: Vec<Done>,
}

impl Responder {
    /// Takes an order in; `done` is called once, by whichever thread comes to know the answer.
    pub fn order(&self, order: Order, now: Millis, done: Done) {
        let ticket = Ticket { since: now, order, done };
        match ticket.order.fence {
            Fenced::Done => self.enter_lane(ticket),
            Fenced::Wanted => {
                if let Some(turned_away) = self.fence.enter(ticket) {
                    Bells::tell_one(turned_away.done, Err(Refusal::Full));
                }
            }
        }
    }

    pub(super) fn enter_lane(&self, ticket: Ticket) {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = desk.lane.enter(ticket, self.limits);
        let sleeping = desk.sleeping > 0;
        drop(desk);
        match entered {
            // Ringing is a call to the system, whether anybody hears it or not.
            Entered::Waits if sleeping => self.bell.notify_one(),
            Entered::Waits => {}
            Entered::Full(done) => Bells::tell_one(done, Err(Refusal::Full)),
        }
    }

    /// Does what is next in turn: some orders, or some signatures in advance.
    pub fn work(&self, now: Moment) -> Worked {
        self.work_with_pauses(now, || {})
    }

    /// The same, with a `pause` after each signature that takes long: for a thread that others on its core wait for.
    pub fn work_with_pauses(&self, now: Moment, pause: impl Fn()) -> Worked {
        let issuers = self.issuers.load();
        let cost = |no: IssuerNo| issuers.get(no).and_then(Issuer::signatory).map_or(0, Signatory::cost);
        let mut tickets = Vec::new();
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let advance = self.refresh.wants(now.wall.time());
        let waits = [desk.lane.waits(Rank::Accredited), advance, desk.lane.waits(Rank::Anonymous)];
        let Some(cause) = desk.turns.next(waits) else { return Worked::Nothing };
        let rank = match cause {
            Cause::Accredited => Rank::Accredited,
            Cause::Anonymous => Rank::Anonymous,
            Cause::Advance => {
                drop(desk);
                let spent = self.sign_in_advance(&issuers, now);
                self.desk.lock().unwrap_or_else(PoisonError::into_inner).turns.spend(Cause::Advance, spent);
                return Worked::Done;
            }
        };
        let (mut spent, mut dearest) = (0, 0);
        // Two at least, so that those share what it costs to wake a listener; then as many as the turn has time for.
        while (tickets.len() < 2 || spent + dearest <= TURN_COST)
            && let Some(ticket) = desk.lane.next(rank, cost)
        {
            let this = cost(ticket.order.issuer).max(1);
            (spent, dearest) = (spent + this, dearest.max(this));
            tickets.push(ticket);
        }
        desk.turns.spend(cause, spent);
        drop(desk);
        let signed: Vec<_> = tickets
            .into_iter()
            .map(|ticket| {
                let is_long = cost(ticket.order.issuer) >= LONG_COST;
                let served = self.serve(&issuers, ticket, now);
                if is_long {
                    pause();
                }
                served
            })
            .collect();
        // Told together, then woken: waking a listener costs as much as a good part of a signature.
        let mut bells = Bells::default();
        for (done, others, answer) in signed {
            others.into_iter().for_each(|other| bells.tell(other, answer.clone()));
            bells.tell(done, answer);
        }
        bells.ring();
        Worked::Done
    }

    /// Waits until there may be something to do, at most so long.
    pub fn wait_for_work(&self, at_most: Duration) {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        if desk.lane.waits(Rank::Accredited) || desk.lane.waits(Rank::Anonymous) {
            return;
        }
        desk.sleeping += 1;
        let (mut desk, _) = self.bell.wait_timeout(desk, at_most).unwrap_or_else(PoisonError::into_inner);
        desk.sleeping -= 1;
    }

    fn serve(
        &self,
        issuers: &super::Issuers,
        ticket: Ticket,
        now: Moment,
    ) -> (Done, Vec<Done>, Result<Reply, Refusal>) {
        let mut flying = Flying { flight: ticket.order.flight(), others: Vec::new() };
        let answer = match issuers.get(ticket.order.issuer) {
            _ if waited_too_long(ticket.since, now.wall) => Err(Refusal::Waited),
            None => Err(Refusal::OtherIssuer),
            Some(issuer) => self.fill(issuer, &ticket.order, &mut flying, now),
        };
        self.land(&mut flying);
        (ticket.done, flying.others, answer)
    }

    fn fill(&self, issuer: &Issuer, order: &Order, flying: &mut Flying, now: Moment) -> Result<Reply, Refusal> {
        let by = self.may_sign(issuer, now)?;
        for _ in 0..TRIES_MAX {
            if let Some(reply) = self.try_to_fill(issuer, by, order, flying, now)? {
                return Ok(reply);
            }
        }
        Err(Refusal::Waited)
    }

    /// From now on nobody joins those who wait for this signature; only the first time, for the same may be ordered anew.
    fn land(&self, flying: &mut Flying) {
        if let Some(flight) = flying.flight.take() {
            flying.others = self.desk.lock().unwrap_or_else(PoisonError::into_inner).lane.land(flight);
        }
    }

    /// Who signs, if anybody may now.
    pub(super) fn may_sign<'i>(&self, issuer: &'i Issuer, now: Moment) -> Result<&'i Signatory, Refusal> {
        let by = issuer.signatory().ok_or(Refusal::NoSigner)?;
        self.guard.judge(now).map_err(|_| Refusal::Clock)?;
        Ok(by)
    }

    /// None: a certificate changed while its answer was being signed.
    fn try_to_fill(
        &self,
        issuer: &Issuer,
        by: &Signatory,
        order: &Order,
        flying: &mut Flying,
        now: Moment,
    ) -> Result<Option<Reply>, Refusal> {
        // How fresh and how far first: what is looked up afterwards is at least as new.
        let known_at = self.known_at(now)?;
        let read_to = self.table.read_to();
        let mut scratch = Signature::default();
        let views: Vec<_> = order.questions.iter().map(|asked| self.view(order.issuer, asked, &mut scratch)).collect();
        let not_issued = issuer.policy().not_issued;
        if not_issued == policy::NotIssued::Unauthorized && views.iter().any(Option::is_none) {
            return Err(Refusal::NotIssued);
        }
        let said: Vec<_> =
            views.iter().map(|view| view.as_ref().map_or_else(|| Said::of_none(not_issued), Said::of)).collect();
        let latest = said.iter().filter_map(Said::latest).max();
        let signed = self.dated(issuer, by, known_at, latest, read_to, now)?;
        let singles: Vec<SingleResponse<'_>> = (said.iter().zip(&order.questions))
            .map(|(said, asked)| said.single(&asked.cert_id, issuer, &signed))
            .collect();
        let nonce = order.nonce.as_deref().and_then(|octets| Nonce::new(octets).ok());
        let extended = if not_issued == policy::NotIssued::Revoked && views.iter().any(Option::is_none) {
            NotIssued::Revoked
        } else {
            NotIssued::Unknown
        };
        let tbs = stated(&by.id, &signed, &singles, nonce.as_ref(), extended).to_be_signed();
        let signature = self.signature(by, &tbs)?;
        self.tally.signed_now.fetch_add(1, Ordering::Relaxed);
        if let [Some(view)] = views[..] {
            self.keep(&view, order.keep, &signed, &signature);
        }
        // Whoever joined did so before this, and a change that was there before is seen below.
        self.land(flying);
        for (view, asked) in views.iter().zip(&order.questions) {
            let is = self.view(order.issuer, asked, &mut scratch);
            if is.map(|is| (is.changed, is.standing)) != view.map(|was| (was.changed, was.standing)) {
                return Ok(None);
            }
        }
        let none_unknown = views.iter().all(Option::is_some);
        let reuse =
            if order.nonce.is_none() && none_unknown { Reuse::By(issuer.policy().profile) } else { Reuse::Never };
        Ok(Some(Reply {
            der: by.credentials.response(&tbs, &signature),
            tag: tag_of(&signature),
            this_update: signed.this_update,
            next_update: signed.next_update,
            produced_at: signed.produced_at,
            changed: views.iter().flatten().filter_map(|view| view.changed).max(),
            read_to,
            says: said.iter().map(Said::says).collect(),
            reuse,
        }))
    }

    /// A signature, or that the key failed to make one, counted.
    pub(super) fn signature(&self, by: &Signatory, tbs: &[u8]) -> Result<Vec<u8>, Refusal> {
        by.signer().sign(tbs).map_err(|_| {
            self.tally.signer_failed.fetch_add(1, Ordering::Relaxed);
            Refusal::SignerFailed
        })
    }

    fn view(&self, issuer: IssuerNo, asked: &Asked, scratch: &mut Signature) -> Option<View> {
        self.table.look_up(&CertificateKey { issuer, serial: asked.serial? }, scratch)
    }

    fn keep(&self, view: &View, keep: Keep, signed: &SignedFor, signature: &[u8]) {
        match keep {
            Keep::Nowhere => {}
            Keep::Beside(form) => self.beside.keep(view.no, form, *signed, signature),
            Keep::Table => self.kept(self.table.keep_reply(view.no, signed, signature)),
        }
    }

    /// Counts what became of a reply that was to be kept.
    pub(super) fn kept(&self, keeping: Keeping) {
        let counter = match keeping {
            Keeping::Kept => &self.tally.kept,
            Keeping::Outdated | Keeping::Overtaken | Keeping::Unknown => &self.tally.overtaken,
            Keeping::NoRoom | Keeping::Unfit => &self.tally.not_kept,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// When what is known was true, unless that is too long ago.
    pub(super) fn known_at(&self, now: Moment) -> Result<Time, Refusal> {
        let freshness = self.table.freshness();
        match (freshness.known_at, freshness.tier(now.wall.time(), self.tiers)) {
            (Some(known_at), Tier::Fresh | Tier::Degraded) => Ok(known_at),
            (_, Tier::Past) | (None, _) => Err(Refusal::TooOld),
        }
    }

    /// The times of a signature: true of what was known then, not before anything that it tells, never going back, and not
    /// beyond its signer's own.
    pub(super) fn dated(
        &self,
        issuer: &Issuer,
        by: &Signatory,
        known_at: Time,
        latest: Option<Time>,
        read_to: ReadTo,
        now: Moment,
    ) -> Result<SignedFor, Refusal> {
        let this_update = self.high.raise(latest.map_or(known_at, |latest| latest.max(known_at)));
        let produced_at = now.wall.time().max(this_update);
        let next_update = (this_update + issuer.policy().validity).min(by.signer().not_after());
        if next_update <= produced_at {
            // Either what is known is too old for its validity, or the signer's certificate has ended.
            return Err(if by.signer().not_after() <= produced_at { Refusal::NoSigner } else { Refusal::TooOld });
        }
        Ok(SignedFor { reflects: read_to.position, signer: by.number(), this_update, produced_at, next_update })
    }

    /// Whether the table lacks it. Marks what it has as asked for.
    pub(super) fn is_missing(&self, key: &CertificateKey) -> bool {
        match self.table.look_up(key, &mut Signature::default()) {
            Some(view) => {
                self.asked.mark(view.no);
                false
            }
            None => true,
        }
    }
}

/// What is signed before those who wait for it are told, in signatures of P-256: half a millisecond. Two signatures of
/// RSA-2048, or six of P-384.
const TURN_COST: u64 = 32;
/// A signature that takes as long as a turn should, or nearly.
const LONG_COST: u64 = TURN_COST / 2;
/// A certificate that changes more often than this while one answer is signed is somebody's mistake.
const TRIES_MAX: usize = 4;
