//! One chunk: what the ledger knows of its entries, what each amounts to, and the batch that records it.
//!
//! The plan and the commit weigh with the same function; only the commit makes a batch of it.

use std::collections::HashMap;

use super::closed::Closed;
use super::sync::change_for;
use crate::desk::register::in_doubt_at_enrolment;
use crate::ledger::import::{Defaults, Fault, NamedLink, Record, States};
use crate::ledger::{Batch, Head, Ledger, LedgerError, NewStatus, Wanted};
use crate::model::{
    Actor, Body, Book, Certificate, CertificateKey, CertificateNo, Change, Delivery, Entry, Event, Links, Policy,
    Position, Status, Time, next_due,
};

/// What the ledger knows of a chunk's entries, none of it older than `head`.
pub(super) struct Known {
    /// Where the ledger stood before anything was read: a batch on it fails if anything has changed since.
    pub(super) head: Head,
    numbers: HashMap<CertificateKey, CertificateNo>,
    entries: HashMap<CertificateNo, Entry>,
}

/// What an entry amounts to.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// It is registered, and its status changes.
    Change {
        /// Its number.
        no: CertificateNo,
        /// Its status before.
        status: Status,
        /// What changes.
        change: Change,
    },
    /// It is registered just so.
    Nothing,
    /// It is new; its status may be other than that of a new one.
    Register(Option<Change>),
}

/// What an entry links to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A registered certificate.
    Known(CertificateNo),
    /// What may stand earlier in the file.
    Unregistered,
}

impl Known {
    /// Asks the ledger.
    pub(super) fn ask(ledger: &dyn Ledger, records: &[&Record]) -> Result<Self, LedgerError> {
        let head = ledger.head()?;
        let own: Vec<_> = records.iter().map(|record| record.certificate.key).collect();
        let linked = records.iter().flat_map(|record| record.links.iter()).map(key_of);
        let keys: Vec<_> = own.iter().copied().chain(linked).collect();
        let found = ledger.registered(&keys)?;
        let mut named: Vec<_> = found[..own.len()].iter().flatten().copied().collect();
        let numbers: HashMap<_, _> = keys.into_iter().zip(found).filter_map(|(key, no)| Some((key, no?))).collect();
        let enrolled_under = |record: &&Record| numbers.get(&key_of(record.links.issued_under?)).copied();
        named.extend(records.iter().filter(|record| record.certificate.is_phone()).filter_map(enrolled_under));
        named.sort_unstable();
        named.dedup();
        let entries = if named.is_empty() {
            HashMap::new()
        } else {
            let wanted = Wanted { numbers: named, ..Wanted::default() };
            ledger.find(&wanted)?.entries.into_iter().map(|entry| (entry.no, entry)).collect()
        };
        Ok(Self { head, numbers, entries })
    }

    /// Where a link leads.
    pub(super) fn target(&self, link: NamedLink) -> Target {
        self.numbers.get(&key_of(link)).map_or(Target::Unregistered, |no| Target::Known(*no))
    }

    /// What an entry amounts to.
    pub(super) fn weigh(
        &self,
        record: &Record,
        asked: &Defaults,
        book: &Book,
        closed: &mut Closed,
        now: Time,
    ) -> Result<Deed, Fault> {
        let now = now.max(self.head.time);
        let entry = self.numbers.get(&record.certificate.key).and_then(|no| self.entries.get(no));
        match entry {
            Some(entry) => {
                self.compare(record, asked, &entry.certificate)?;
                Ok(match change_for(record, &entry.status, now)? {
                    None => Deed::Nothing,
                    Some(change) => Deed::Change { no: entry.no, status: entry.status.clone(), change },
                })
            }
            None => {
                closed.check(book, &record.certificate)?;
                self.check_enrolment(record)?;
                let status = Status::at_registration(&record.certificate, Position(0));
                Ok(Deed::Register(change_for(record, &status, now)?))
            }
        }
    }

    /// Rule X for newcomers (`desk/register.rs`). What stands earlier in the file has no status yet: no format that knows
    /// links says any.
    fn check_enrolment(&self, record: &Record) -> Result<(), Fault> {
        let under = record.links.issued_under.and_then(|link| self.numbers.get(&key_of(link)));
        match under.and_then(|no| self.entries.get(no)) {
            Some(under) if record.certificate.is_phone() => match in_doubt_at_enrolment(&record.certificate, under) {
                Some(since) => Err(Fault::EnrolledInDoubt { under: under.certificate.key.serial, since }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// An error if the file contradicts what is registered, as far as the file speaks of it, or whoever imports it does.
    fn compare(&self, record: &Record, asked: &Defaults, known: &Certificate) -> Result<(), Fault> {
        let stated = &record.certificate;
        same("not_after", &known.not_after, &stated.not_after)?;
        if record.states == States::Expiry {
            return contradicts_options(asked, known);
        }
        same("not_before", &known.not_before, &stated.not_before)?;
        same("scope", &known.scope, &stated.scope)?;
        if record.states == States::Certificate {
            return contradicts_options(asked, known);
        }
        let number = |link: Option<NamedLink>| link.and_then(|link| self.numbers.get(&key_of(link)).copied());
        let links = Links {
            issued_under: number(record.links.issued_under),
            parallel_of: number(record.links.parallel_of),
            succeeds: number(record.links.succeeds),
        };
        same("type", known.usage.name(), stated.usage.name())?;
        same("medium kind", known.medium.kind.name(), stated.medium.kind.name())?;
        same("medium id", &known.medium.id, &stated.medium.id)?;
        same("holder", &known.holder, &stated.holder)?;
        alike("SIM", &known.sim, &stated.sim)?;
        same("batch", &known.batch, &stated.batch)?;
        same("municipality", &known.municipality, &stated.municipality)?;
        alike("key_origin", &known.key_origin, &stated.key_origin)?;
        alike("proofing", &known.proofing, &stated.proofing)?;
        alike("pending", &known.delivery, &stated.delivery)?;
        alike("a link", &known.links, &links)
    }
}

/// What is to be recorded for a chunk, and of whom.
pub(super) struct Draft<'a> {
    pub(super) known: Known,
    /// The entries that change something.
    pub(super) deeds: Vec<(&'a Record, Deed)>,
    pub(super) actor: Actor,
    pub(super) now: Time,
}

impl Draft<'_> {
    /// Whether it was decided on this registered certificate's status.
    pub(super) fn touches(&self, number: CertificateNo) -> bool {
        self.known.entries.contains_key(&number)
    }

    /// The batch, on the head of `known`. Cheap enough to be made again when another writer was faster.
    pub(super) fn batch(&self, policy: &Policy) -> Batch {
        let mut batch = Batch::on(self.known.head.clone());
        let first = CertificateNo(batch.next.certificates + 1);
        let new: Vec<_> = self.registrations(first);
        for (certificate, no) in &new {
            if certificate.delivery == Delivery::Awaited {
                let status = Status::at_registration(certificate, Position(0));
                batch.timers.extend(next_due(certificate, &status, policy).map(|due| (due, *no)));
            }
        }
        let certificates: Vec<_> = new.into_iter().map(|(certificate, _)| certificate).collect();
        let registered = (!certificates.is_empty()).then(|| batch.register(self.actor, self.now, certificates));
        let mut number = first;
        for (record, deed) in &self.deeds {
            match deed {
                Deed::Nothing => {}
                Deed::Change { no, status, change } => {
                    self.change(&mut batch, *no, record, status.clone(), change, None)
                }
                Deed::Register(change) => {
                    let at = registered.expect("what registers was registered above");
                    if let Some(change) = change {
                        let status = Status::at_registration(&record.certificate, at);
                        self.change(&mut batch, number, record, status, change, Some(at));
                    }
                    number = number.plus(1);
                }
            }
        }
        batch
    }

    /// What is registered, numbered from `first`, with its links by number.
    fn registrations(&self, first: CertificateNo) -> Vec<(Certificate, CertificateNo)> {
        let mut here = HashMap::new();
        let mut new = Vec::new();
        let linked = self.deeds.iter().any(|(record, _)| record.links.iter().next().is_some());
        for (record, deed) in &self.deeds {
            if !matches!(deed, Deed::Register(_)) {
                continue;
            }
            let no = first.plus(new.len() as u64);
            let mut certificate = record.certificate.clone();
            if linked {
                let number = |link: NamedLink| match self.known.target(link) {
                    Target::Known(no) => no,
                    Target::Unregistered => *here.get(&key_of(link)).expect("checked when the chunk was weighed"),
                };
                certificate.links = Links {
                    issued_under: record.links.issued_under.map(number),
                    parallel_of: record.links.parallel_of.map(number),
                    succeeds: record.links.succeeds.map(number),
                };
                here.insert(certificate.key, no);
            }
            new.push((certificate, no));
        }
        new
    }

    fn change(
        &self,
        batch: &mut Batch,
        no: CertificateNo,
        record: &Record,
        mut status: Status,
        change: &Change,
        cause: Option<Position>,
    ) {
        let body = Body::Changed { no, key: record.certificate.key, change: change.clone() };
        let (at, time) = batch.record(Event { time: self.now, actor: self.actor, cause, body });
        status.apply(change, at, time, cause.unwrap_or(at));
        batch.statuses.push(NewStatus { no, status });
    }
}

/// An error if what is said of a whole file contradicts what is registered of one of its entries.
fn contradicts_options(asked: &Defaults, known: &Certificate) -> Result<(), Fault> {
    let asks = |field, registered: String, asked: Option<String>| match asked {
        Some(asked) if asked != registered => Err(Fault::ContradictsOption { field, registered, asked }),
        _ => Ok(()),
    };
    asks("type", known.usage.name().to_owned(), asked.usage.map(|usage| usage.name().to_owned()))?;
    asks("medium", known.medium.kind.name().to_owned(), asked.medium.map(|kind| kind.name().to_owned()))?;
    asks("batch", known.batch.to_string(), asked.batch.map(|batch| batch.to_string()))?;
    asks("municipality", known.municipality.to_string(), asked.municipality.map(|code| code.to_string()))?;
    asks("scope", known.scope.to_string(), asked.scope.map(|scope| scope.to_string()))
}

/// The key that a link names.
pub(super) fn key_of(link: NamedLink) -> CertificateKey {
    CertificateKey { issuer: link.issuer, serial: link.serial }
}

fn same<T: PartialEq + ToString + ?Sized>(field: &'static str, registered: &T, stated: &T) -> Result<(), Fault> {
    if registered == stated {
        return Ok(());
    }
    Err(Fault::Contradicts { field, registered: registered.to_string(), stated: stated.to_string() })
}

fn alike<T: PartialEq + std::fmt::Debug>(field: &'static str, registered: &T, stated: &T) -> Result<(), Fault> {
    if registered == stated {
        return Ok(());
    }
    Err(Fault::Contradicts { field, registered: format!("{registered:?}"), stated: format!("{stated:?}") })
}
