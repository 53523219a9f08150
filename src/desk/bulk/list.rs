//! Listed sets: serials from a file become a list in the ledger, which one set event can change.

use std::collections::BTreeSet;
use std::fmt;

use super::plan::Tally;
use super::seen::Seen;
use super::{Bulk, BulkError, Notice, OnBad, Phase, Progress, Source, Watch};
use crate::ledger::MemberDigest;
use crate::ledger::import::{Fault, NamedLink, SerialList, Unit};
use crate::model::{Book, CertificateKey, CertificateNo, IssuerNo, SetTarget};

/// What a list will hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPlan {
    /// Lines that name a certificate.
    pub entries: u64,
    /// Certificates, each counted once.
    pub certificates: u64,
    /// Lines that are left out.
    pub(super) skipped: BTreeSet<u64>,
}

impl ListPlan {
    /// How many lines are left out.
    pub fn skipped(&self) -> u64 {
        self.skipped.len() as u64
    }
}

impl fmt::Display for ListPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>12} certificates", self.certificates)?;
        let repeated = self.entries - self.skipped() - self.certificates;
        for (count, what) in [(repeated, "named more than once"), (self.skipped(), "lines left out")] {
            if count > 0 {
                writeln!(f, "{count:>12} {what}")?;
            }
        }
        Ok(())
    }
}

impl Bulk<'_> {
    /// Reads a whole list and writes nothing. Every line that names no registered certificate is told.
    pub fn plan_list(
        &self,
        source: &dyn Source,
        issuer: Option<IssuerNo>,
        on_bad: OnBad,
        watch: Watch<'_>,
    ) -> Result<ListPlan, BulkError> {
        let mut plan = ListPlan { entries: 0, certificates: 0, skipped: BTreeSet::new() };
        let mut seen = Seen::default();
        let began = self.clock.ticks();
        self.each_block(source, issuer, &mut |block| {
            for (place, resolved) in block {
                plan.entries += 1;
                match resolved {
                    Ok((name, _)) => seen.entry(name, place, Tally::default())?,
                    Err(fault) => {
                        watch(Notice::Bad { unit: Unit::Line, place, fault: &fault });
                        plan.skipped.insert(place);
                    }
                }
            }
            let taken = self.clock.ticks().saturating_sub(began);
            watch(Notice::Progress(Progress { phase: Phase::Validate, done: plan.entries, total: None, taken }));
            Ok(())
        })?;
        plan.certificates = seen.distinct();
        if !plan.skipped.is_empty() && on_bad == OnBad::Refuse {
            return Err(BulkError::Bad { bad: plan.skipped(), entries: plan.entries });
        }
        Ok(plan)
    }

    /// Writes the list in chunks and says what a set event is to name. A list that no event names binds nobody, so that
    /// a run that was killed leaves nothing to clear up.
    pub fn write_list(
        &self,
        source: &dyn Source,
        issuer: Option<IssuerNo>,
        plan: &ListPlan,
        watch: Watch<'_>,
    ) -> Result<SetTarget, BulkError> {
        let list = self.ledger.new_list()?;
        let began = self.clock.ticks();
        let mut pace = super::pace::Pace::new();
        let mut done = 0;
        self.each_block(source, issuer, &mut |block| {
            done += block.len() as u64;
            let mut members = Vec::with_capacity(block.len());
            for (place, resolved) in block {
                match resolved {
                    Ok((_, no)) => members.push(no),
                    Err(_) if plan.skipped.contains(&place) => {}
                    Err(fault) => return Err(BulkError::Changed { unit: Unit::Line, place, fault }),
                }
            }
            let mut rest = &members[..];
            while !rest.is_empty() {
                let (chunk, more) = rest.split_at(pace.entries().min(rest.len()));
                let before = self.clock.ticks();
                self.ledger.add_to_list(list, chunk)?;
                pace.took(chunk.len(), self.clock.ticks().saturating_sub(before));
                rest = more;
            }
            let taken = self.clock.ticks().saturating_sub(began);
            watch(Notice::Progress(Progress { phase: Phase::Commit, done, total: Some(plan.entries), taken }));
            Ok(())
        })?;
        // What the event will say is computed from what the ledger holds, and must be what was planned.
        let (mut after, mut found) = (CertificateNo(0), MemberDigest::default());
        loop {
            let members = self.ledger.list_members(list, after, PAGE)?;
            let Some(last) = members.last() else { break };
            after = *last;
            found.add(&members);
        }
        let (found, digest) = found.finish();
        if found != plan.certificates {
            return Err(BulkError::List { list, expected: plan.certificates, found });
        }
        Ok(SetTarget::Listed { list, count: found, digest })
    }

    /// Hands out the lines of a list in blocks, with the numbers of what they name.
    fn each_block(
        &self,
        source: &dyn Source,
        issuer: Option<IssuerNo>,
        each: &mut dyn FnMut(Vec<Resolved>) -> Result<(), BulkError>,
    ) -> Result<(), BulkError> {
        let (_, book) = self.ledger.book()?;
        let mut lines = SerialList::new(source.open()?, issuer, &book);
        loop {
            let block: Vec<_> = lines.by_ref().take(PAGE).collect::<Result<_, _>>()?;
            if block.is_empty() {
                return Ok(());
            }
            each(self.resolve(&book, block)?)?;
        }
    }

    fn resolve(&self, book: &Book, block: Vec<(u64, Result<NamedLink, Fault>)>) -> Result<Vec<Resolved>, BulkError> {
        let names = block.iter().filter_map(|(_, name)| name.as_ref().ok());
        let keys: Vec<_> = names.map(|name| CertificateKey { issuer: name.issuer, serial: name.serial }).collect();
        let mut numbers = self.ledger.registered(&keys)?.into_iter();
        let mut resolve = |name: NamedLink| match numbers.next().flatten() {
            Some(no) => Ok((name, no)),
            None => {
                let issuer = book.issuer(name.issuer).map_or("", |issuer| issuer.name.as_str());
                Err(Fault::NotRegistered { serial: name.serial.to_string(), issuer: issuer.to_owned() })
            }
        };
        Ok(block.into_iter().map(|(place, name)| (place, name.and_then(&mut resolve))).collect())
    }
}

/// A line, and what it names.
type Resolved = (u64, Result<(NamedLink, CertificateNo), Fault>);

/// Lines resolved, and members read, at once.
const PAGE: usize = 4096;
