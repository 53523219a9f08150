//! Filling the demonstration's ledger with sample certificates: rows and their statuses in one append for each block.
//!
//! Called by `up`. A block is registered with its revocations and holds, or not at all, so that work that was broken off
//! goes on where it stood: what is registered is done.

use crate::desk::{check_certificates, record_certificates};
use crate::ledger::{Batch, Ledger, LedgerError, NewStatus};
use crate::model::{
    Actor, Body, Book, Certificate, CertificateKey, CertificateNo, Change, Channel, Decided, Event, HoldKind, Links,
    PersonId, Policy, Position, Role, Status, Time, Wish,
};

use super::error::DemoError;
use super::people::{Fate, GROUP, Part, People, place_of};

/// Registers the first `count` sample certificates, as far as they aren't registered. `progress` is told how many are;
/// says how many this run has registered.
pub(super) fn fill(
    ledger: &dyn Ledger,
    people: &People<'_>,
    policy: &Policy,
    count: u64,
    now: Time,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, DemoError> {
    let (_, book) = ledger.book()?;
    let (mut from, mut registered) = (0, 0);
    while from < count {
        let until = (from + BLOCK).min(count);
        let missing = missing(ledger, people, from, until)?;
        if !missing.is_empty() {
            let filler = Filler { ledger, people, book: &book, policy, now };
            filler.append(&missing)?;
            registered += missing.len() as u64;
        }
        progress(until);
        from = until;
    }
    Ok(registered)
}

/// Those of a block that aren't registered. Blocks are registered in order, so its ends mostly tell.
fn missing(ledger: &dyn Ledger, people: &People<'_>, from: u64, until: u64) -> Result<Vec<u64>, LedgerError> {
    let ends = ledger.registered(&[people.key(from), people.key(until - 1)])?;
    match ends[..] {
        [None, None] => Ok((from..until).collect()),
        [Some(_), Some(_)] => Ok(Vec::new()),
        // A smaller demonstration ended within this block.
        _ => {
            let keys: Vec<_> = (from..until).map(|number| people.key(number)).collect();
            let known = ledger.registered(&keys)?;
            Ok((from..until).zip(known).filter(|(_, no)| no.is_none()).map(|(number, _)| number).collect())
        }
    }
}

struct Filler<'a> {
    ledger: &'a dyn Ledger,
    people: &'a People<'a>,
    book: &'a Book,
    policy: &'a Policy,
    now: Time,
}

impl Filler<'_> {
    /// Appends a block; again, if somebody else was faster.
    fn append(&self, numbers: &[u64]) -> Result<(), DemoError> {
        for _ in 0..ATTEMPTS_MAX {
            let batch = self.batch(numbers)?;
            match self.ledger.append(&batch) {
                Err(LedgerError::Moved { .. }) => {}
                appended => return Ok(appended?),
            }
        }
        Err(LedgerError::Unreachable("other writers were faster every time: try again".into()).into())
    }

    /// One registration for each CA, then what became of the certificates.
    fn batch(&self, numbers: &[u64]) -> Result<Batch, DemoError> {
        let mut batch = Batch::on(self.ledger.head()?);
        let mut registered: Vec<(u64, CertificateNo, Certificate)> = Vec::with_capacity(numbers.len());
        // What stands before this block: the cards of somebody whose phone is the first of it.
        let earlier = self.cards_before(numbers)?;
        for part in [Part::CardSign, Part::CardAuth, Part::PhoneAuth] {
            let own: Vec<u64> = numbers.iter().copied().filter(|number| place_of(*number).1 == part).collect();
            if own.is_empty() {
                continue;
            }
            let first = CertificateNo(batch.next.certificates + 1);
            let number_of = |wanted: u64| {
                let here = registered.binary_search_by_key(&wanted, |(number, ..)| *number).ok();
                here.map(|at| registered[at].1)
                    .or_else(|| earlier.iter().find(|(n, _)| *n == wanted).map(|(_, no)| *no))
            };
            let links = |number: u64| match part {
                Part::CardAuth | Part::CardSign => Links::default(),
                Part::PhoneAuth => {
                    Links { issued_under: number_of(number - 2), parallel_of: number_of(number - 1), succeeds: None }
                }
            };
            let certificates: Vec<_> =
                own.iter().map(|number| self.people.certificate(*number, links(*number))).collect();
            let actor = self.actor(part);
            check_certificates(self.book, &actor, &certificates, first)?;
            record_certificates(self.ledger, &mut batch, &actor, certificates.clone(), self.policy, self.now)??;
            let numbered = own.into_iter().zip(0..).zip(certificates);
            registered.extend(numbered.map(|((number, index), certificate)| (number, first.plus(index), certificate)));
            registered.sort_unstable_by_key(|(number, ..)| *number);
        }
        for (number, no, certificate) in &registered {
            self.settle(&mut batch, *number, *no, certificate)?;
        }
        Ok(batch)
    }

    /// Records what became of one certificate.
    fn settle(
        &self,
        batch: &mut Batch,
        number: u64,
        no: CertificateNo,
        certificate: &Certificate,
    ) -> Result<(), DemoError> {
        let mut status = Status::at_registration(certificate, Position(0));
        let change = match self.people.fate(certificate, number) {
            Fate::Good => return Ok(()),
            Fate::Held => {
                let wish = Wish::Hold { kind: HoldKind::Imported, lost_at: None, becomes: None };
                match status.decide(&wish, self.now).map_err(crate::model::Refusal::from)? {
                    Decided::AlreadySo => return Ok(()),
                    Decided::Do(change) => change,
                }
            }
            // The date is the one that the CA's own records would state.
            Fate::Revoked { reason, at } => Change::Revoked { reason, at, lost_at: None },
        };
        let body = Body::Changed { no, key: certificate.key, change: change.clone() };
        let actor = self.actor(place_of(number).1);
        let (position, time) = batch.record(Event { time: self.now, actor, cause: None, body });
        status.apply(&change, position, time, position);
        batch.statuses.push(NewStatus { no, status });
        Ok(())
    }

    /// The two certificates before the first of a block that is within a person's set.
    fn cards_before(&self, numbers: &[u64]) -> Result<Vec<(u64, CertificateNo)>, LedgerError> {
        let Some(first) = numbers.first() else { return Ok(Vec::new()) };
        let before: Vec<u64> = (first.saturating_sub(2)..*first).collect();
        let keys: Vec<CertificateKey> = before.iter().map(|number| self.people.key(*number)).collect();
        let known = self.ledger.registered(&keys)?;
        Ok(before.into_iter().zip(known).filter_map(|(number, no)| Some((number, no?))).collect())
    }

    fn actor(&self, part: Part) -> Actor {
        let issuer = self.people.cas[part as usize].issuer;
        Actor { role: Role::Ca(issuer), person: PersonId::default(), channel: Channel::Import }
    }
}

/// Certificates in one append: within some tens of milliseconds.
const BLOCK: u64 = 4_000;
const ATTEMPTS_MAX: u32 = 16;

const _: () = assert!(BLOCK.is_multiple_of(GROUP), "people are not divided among blocks");
