//! What every append must satisfy, checked by replaying its events on what is stored: nobody may hand in a batch whose
//! derived rows say something else than its events. Called by the ledger in memory.

use std::collections::{BTreeMap, BTreeSet};

use tashika::ledger::{Batch, InboxResult, QueueChange, RowDigest, encode_certificate, sha256};
use tashika::model::{
    Body, Book, Certificate, CertificateKey, CertificateNo, Change, Channel, Event, HOLDS_MAX, HoldId, Life, ListNo,
    Outcome, Position, SetChange, SetEvent, SetTarget, Status,
};

use crate::memory_ledger::State;

/// What is wrong with the batch, if anything.
pub fn inspect(state: &State, batch: &Batch) -> Result<(), String> {
    let mut replay = Replay::on(state, batch);
    if batch.at != state.head {
        return Err(format!("begins on {:?}, the ledger stands at {:?}", batch.at, state.head));
    }
    let mut head = state.head.clone();
    for sealed in &batch.events {
        let event = head.follow(sealed).map_err(|broken| broken.to_string())?;
        replay.take(sealed.position, &event).map_err(|why| format!("event {}: {why}", sealed.position))?;
        match &event.body {
            Body::EpochAdopted { epoch, .. } => {
                check(*epoch > head.epoch, || format!("epoch {epoch} after {}", head.epoch))?;
                head.epoch = *epoch;
            }
            Body::IssuerAdded(_) | Body::ScopeAdded(_) | Body::SetChanged { .. } => head.book = sealed.position,
            Body::Registered { count, .. } => head.certificates += u64::from(*count),
            _ => {}
        }
    }
    check(head == batch.next, || format!("its events lead to {head:?}, it says {:?}", batch.next))?;
    replay.compare()?;
    small_things(state, batch)
}

/// Whether a set event names that list.
pub fn names_list(target: &SetTarget, list: ListNo) -> bool {
    matches!(target, SetTarget::Listed { list: named, .. } if *named == list)
}

/// The state as the events alone make it.
struct Replay<'a> {
    state: &'a State,
    batch: &'a Batch,
    book: Book,
    rows_seen: usize,
    touched: BTreeMap<CertificateNo, Status>,
    queue: Vec<QueueChange>,
}

impl<'a> Replay<'a> {
    fn on(state: &'a State, batch: &'a Batch) -> Self {
        let (touched, queue) = (BTreeMap::new(), Vec::new());
        Self { state, batch, book: state.book.clone(), rows_seen: 0, touched, queue }
    }

    fn take(&mut self, position: Position, event: &Event) -> Result<(), String> {
        if let Some(cause) = event.cause {
            check(cause < position, || format!("names event {cause} as its cause, which comes later"))?;
        }
        match &event.body {
            Body::Changed { no, key, change } => self.changed(position, event, *no, key, change),
            Body::IssuerAdded(issuer) => {
                check(usize::from(issuer.no.0) == self.book.issuers.len() + 1, || "issuer out of order".into())?;
                check(self.book.issuer_named(&issuer.name).is_none(), || format!("a second issuer {}", issuer.name))?;
                self.book.issuers.push(issuer.clone());
                Ok(())
            }
            Body::LedgerCreated { ledger } => {
                check(position == Position(1), || "a ledger is created once".into())?;
                check(*ledger == self.state.head.ledger, || "the identity of another ledger".into())
            }
            Body::Queued { .. } => {
                self.queue.push(QueueChange::Waits(position));
                Ok(())
            }
            Body::QueueDecided { queued, .. } => {
                check(self.state.queue.contains(queued), || format!("nothing waits under {queued}"))?;
                let decided = QueueChange::Decided(*queued);
                check(!self.queue.contains(&decided), || format!("{queued} is decided twice"))?;
                self.queue.push(decided);
                Ok(())
            }
            Body::Registered { first, count, digest } => self.registered(*first, *count, digest),
            Body::ScopeAdded(scope) => {
                check(scope.no.0 as usize == self.book.scopes.len() + 1, || "scope out of order".into())?;
                check(self.book.issuer(scope.issuer).is_some(), || "a scope of no issuer".into())?;
                self.book.scopes.push(scope.clone());
                Ok(())
            }
            Body::SetChanged { target, change } => self.set_changed(position, event, target, *change),
            Body::CrlsNumbered { .. }
            | Body::EpochAdopted { .. }
            | Body::InboxRefused { .. }
            | Body::Reported(_)
            | Body::UndoOrdered(_) => Ok(()),
        }
    }

    fn certificate(&self, no: CertificateNo) -> Result<Certificate, String> {
        match self.batch.rows[..self.rows_seen].iter().find(|row| row.no == no) {
            Some(row) => Ok(row.certificate.clone()),
            None => self.state.certificate(no).map_err(|error| error.to_string()),
        }
    }

    fn changed(
        &mut self,
        position: Position,
        event: &Event,
        no: CertificateNo,
        key: &CertificateKey,
        change: &Change,
    ) -> Result<(), String> {
        let certificate = self.certificate(no)?;
        check(certificate.key == *key, || format!("certificate {no} has another key"))?;
        let known = self.touched.get(&no).or_else(|| self.state.statuses.get(&no)).cloned();
        let mut status = known.unwrap_or_else(|| Status::at_registration(&certificate, Position(0)));
        self.book.overlay(&certificate, &mut status, &self.state.lists_of(no));
        lawful(&status, event, change)?;
        status.apply(change, position, event.time, event.cause.unwrap_or(position));
        self.touched.insert(no, status);
        Ok(())
    }

    fn registered(&mut self, first: CertificateNo, count: u32, digest: &[u8; 32]) -> Result<(), String> {
        let from = self.rows_seen;
        let rows = self.batch.rows.get(from..from + count as usize).ok_or("fewer rows than the event counts")?;
        let mut sum = RowDigest::default();
        for (row, index) in rows.iter().zip(0..) {
            let certificate = &row.certificate;
            check(row.no == first.plus(index), || format!("row {} is out of order", row.no))?;
            check(row.no.0 == self.state.head.certificates + 1 + (from as u64) + index, || "a gap in numbers".into())?;
            check(row.bytes == encode_certificate(certificate), || "bytes of another certificate".into())?;
            check(!self.state.keys.contains_key(&certificate.key), || format!("{:?} again", certificate.key))?;
            let scope = self.book.scope(certificate.scope).ok_or("no such scope")?;
            check(scope.issuer == certificate.key.issuer, || "another issuer's scope".into())?;
            let links = certificate.links;
            let earlier = [links.issued_under, links.parallel_of, links.succeeds].into_iter().flatten();
            check(earlier.max() < Some(row.no), || "a link to a later certificate".into())?;
            let fresh = Status::at_registration(certificate, Position(0));
            let mut overlaid = fresh.clone();
            self.book.overlay(certificate, &mut overlaid, &self.state.lists_of(row.no));
            let untouched = (&overlaid.life, &overlaid.holds) == (&fresh.life, &fresh.holds);
            check(untouched, || format!("{:?} is registered into a set that is not good", certificate.key))?;
            sum.add(&row.bytes);
        }
        let keys: BTreeSet<_> = self.batch.rows.iter().map(|row| row.certificate.key).collect();
        check(keys.len() == self.batch.rows.len(), || "a key twice in one batch".into())?;
        check(sum.finish() == *digest, || "the digest of other rows".into())?;
        self.rows_seen += count as usize;
        Ok(())
    }

    fn set_changed(
        &mut self,
        position: Position,
        event: &Event,
        target: &SetTarget,
        change: SetChange,
    ) -> Result<(), String> {
        match target {
            SetTarget::Batch(_) => {}
            SetTarget::Issuer(issuer) => check(self.book.issuer(*issuer).is_some(), || "a set of no issuer".into())?,
            SetTarget::Listed { list, count, digest } => {
                let members = self.state.lists.get(list).ok_or("no such list")?;
                let numbers: Vec<_> = members.iter().flat_map(|member| member.0.to_be_bytes()).collect();
                check(*count == members.len() as u64, || "another count than the list has".into())?;
                check(*digest == sha256(&[&numbers]), || "the digest of another list".into())?;
            }
        }
        if let SetChange::Released { hold } = change {
            let opened = self.book.sets.iter().find(|set| HoldId(set.position) == hold).ok_or("no such set hold")?;
            check(opened.change == SetChange::Held, || "releases what is no hold".into())?;
            check(opened.target == *target, || "releases another set's hold".into())?;
        }
        let cause = event.cause.unwrap_or(position);
        self.book.sets.push(SetEvent { position, time: event.time, cause, target: target.clone(), change });
        Ok(())
    }

    fn compare(&self) -> Result<(), String> {
        let batch = self.batch;
        check(self.rows_seen == batch.rows.len(), || "rows that no event registers".into())?;
        let stated: BTreeMap<_, _> = batch.statuses.iter().map(|new| (new.no, new.status.clone())).collect();
        check(stated.len() == batch.statuses.len(), || "two statuses of one certificate".into())?;
        check(stated == self.touched, || format!("events lead to {:?}, it says {stated:?}", self.touched))?;
        let known = &self.state.book;
        check(self.book.issuers[known.issuers.len()..] == batch.issuers, || "other issuers than its events".into())?;
        check(self.book.scopes[known.scopes.len()..] == batch.scopes, || "other scopes than its events".into())?;
        check(self.book.sets[known.sets.len()..] == batch.sets, || "other sets than its events".into())?;
        check(self.queue == batch.queue, || "another queue than its events".into())
    }
}

/// Whether the change may happen to a certificate that stands so: DOMAIN §4, whoever decided it.
fn lawful(before: &Status, event: &Event, change: &Change) -> Result<(), String> {
    let open: BTreeSet<_> = before.holds.iter().map(|hold| hold.id).collect();
    let first_hold = before.holds.iter().map(|hold| hold.since).min();
    match (change, &before.life) {
        (Change::Acknowledged, Life::Pending) | (Change::HandedOver { .. }, _) => Ok(()),
        (Change::Held { .. }, Life::Active | Life::Pending) => {
            check(open.len() < HOLDS_MAX, || "more holds than a certificate can carry".into())
        }
        (Change::LossDated { lost_at }, _) => {
            check(before.lost_at().is_none_or(|known| *lost_at < known), || "a later time of loss".into())
        }
        (Change::ReasonChanged { reason }, Life::Revoked(known)) => {
            check(reason.outweighs(known.reason), || format!("{reason} weakens {}", known.reason))
        }
        (Change::Released { holds }, Life::Active | Life::Pending) => {
            check(!holds.is_empty(), || "a release of nothing".into())?;
            check(holds.is_sorted_by(|a, b| a < b), || "holds out of order".into())?;
            check(holds.iter().all(|hold| open.contains(hold)), || "a release of a hold that is not open".into())
        }
        (Change::Revoked { at, .. }, Life::Active | Life::Pending) => {
            let start = first_hold.unwrap_or(event.time);
            // What is imported was revoked elsewhere first, on that date.
            let fits = if event.actor.channel == Channel::Import { *at <= start } else { *at == start };
            check(fits, || format!("revoked as of {at}, its first hold began at {start}"))
        }
        _ => Err(format!("{} is not possible for {before:?}", change.name())),
    }
}

/// What no event says: answers, budgets, timers, the inbox.
fn small_things(state: &State, batch: &Batch) -> Result<(), String> {
    let written = |position: Position| batch.at.position < position && position <= batch.next.position;
    let mut answers = BTreeSet::new();
    for (key, answer) in &batch.answers {
        check(!state.answers.contains_key(key), || format!("the answer to {key} is overwritten"))?;
        check(answers.insert(key), || format!("two answers to {key}"))?;
        match answer.outcome {
            Outcome::AlreadySo => {}
            Outcome::Done { first, last } => {
                check(written(first) && written(last) && first <= last, || "an answer about other events".into())?;
            }
            Outcome::Queued { queued } => {
                // It may have waited before: then this is another's command that says the same.
                let waits = batch.queue.contains(&QueueChange::Waits(queued)) || state.queue.contains(&queued);
                check(waits, || "nothing was queued".into())?;
            }
        }
    }
    let registered = |no: CertificateNo| 1 <= no.0 && no.0 <= batch.next.certificates;
    check(batch.timers.iter().all(|(_, no)| registered(*no)), || "a timer of no certificate".into())?;
    for (no, result) in &batch.inbox {
        let item = state.inbox.get(no).ok_or_else(|| format!("no inbox item {no}"))?;
        check(item.1.is_none(), || format!("inbox item {no} is decided twice"))?;
        let (first, last) = match result {
            InboxResult::Done { first, last } => (*first, *last),
            InboxResult::Refused { at, .. } => (*at, *at),
        };
        check(written(first) && written(last), || format!("inbox item {no} is answered with other events"))?;
    }
    check(batch.budgets.iter().all(|(_, _, used)| *used > 0), || "nothing used of a budget".into())
}

fn check(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
