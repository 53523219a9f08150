//! The first pass: every entry is weighed, every bad one told, nothing is written.

use std::collections::BTreeSet;

use super::chunk::{Deed, Known, Target};
use super::closed::Closed;
use super::seen::Seen;
use super::source::Placed;
use super::{Bulk, BulkError, Job, Notice, OnBad, Phase, Progress, Watch};
use crate::ledger::import::{Fault, Format, NamedLink, Record};
use crate::model::{Book, Change, MediumKind};

/// What an import will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Entries in the file.
    pub entries: u64,
    /// What becomes of them.
    pub counts: Counts,
    /// Certificates whose own distribution points name no cRLIssuer.
    pub without_combined: u64,
    /// Certificates whose signature could not be verified, their algorithm being none of ours.
    pub unverified: u64,
    /// The places of the entries that are left out.
    pub(super) skipped: BTreeSet<u32>,
}

/// What becomes of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Registered.
    pub registered: u64,
    /// Revoked, by the registration or later.
    pub revoked: u64,
    /// Held, by the registration or later.
    pub held: u64,
    /// Given a worse reason, or an earlier time of loss.
    pub amended: u64,
    /// Left as they are.
    pub unchanged: u64,
}

impl Plan {
    /// How many entries are left out.
    pub fn skipped(&self) -> u64 {
        self.skipped.len() as u64
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let Counts { registered, revoked, held, amended, .. } = self.counts;
        registered + revoked + held + amended == 0
    }
}

impl Counts {
    /// Counts one more entry.
    pub(super) fn add(&mut self, tally: Tally) {
        self.each(tally, |count| *count += 1);
    }

    /// Takes an entry back.
    fn take_back(&mut self, tally: Tally) {
        self.each(tally, |count| *count -= 1);
    }

    fn each(&mut self, tally: Tally, mut change: impl FnMut(&mut u64)) {
        let Tally { registered, revoked, held, amended } = tally;
        let unchanged = !(registered || revoked || held || amended);
        for (counted, count) in [
            (registered, &mut self.registered),
            (revoked, &mut self.revoked),
            (held, &mut self.held),
            (amended, &mut self.amended),
            (unchanged, &mut self.unchanged),
        ] {
            if counted {
                change(count);
            }
        }
    }
}

/// Under what one entry is counted; none is "unchanged".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) registered: bool,
    pub(super) revoked: bool,
    pub(super) held: bool,
    pub(super) amended: bool,
}

impl Tally {
    /// As four bits.
    pub(super) fn bits(self) -> u8 {
        let Self { registered, revoked, held, amended } = self;
        u8::from(registered) | u8::from(revoked) << 1 | u8::from(held) << 2 | u8::from(amended) << 3
    }

    /// Of four bits.
    pub(super) fn from_bits(bits: u8) -> Self {
        let set = |bit: u8| bits & 1 << bit != 0;
        Self { registered: set(0), revoked: set(1), held: set(2), amended: set(3) }
    }

    /// Of what an entry amounts to.
    pub(super) fn of(deed: &Deed) -> Self {
        let (registered, change) = match deed {
            Deed::Change { change, .. } => (false, Some(change)),
            Deed::Nothing => (false, None),
            Deed::Register(change) => (true, change.as_ref()),
        };
        let revoked = matches!(change, Some(Change::Revoked { .. }));
        let held = matches!(change, Some(Change::Held { .. }));
        Self { registered, revoked, held, amended: change.is_some() && !revoked && !held }
    }
}

impl Bulk<'_> {
    /// Weighs a whole file and writes nothing. Bad entries are told as they are found; unless they are to be skipped,
    /// one is an error at the end.
    pub fn plan(&self, job: &Job<'_>, watch: Watch<'_>) -> Result<Plan, BulkError> {
        let began = self.clock.ticks();
        let book = self.book_for(job)?;
        let mut weighing = Weighing {
            bulk: self,
            job,
            book: &book,
            closed: Closed::default(),
            seen: Seen::default(),
            plan: Plan::default(),
        };
        job.blocks(&book, &mut |block| {
            weighing.block(&block, watch)?;
            let taken = self.clock.ticks().saturating_sub(began);
            let done = weighing.plan.entries;
            watch(Notice::Progress(Progress { phase: Phase::Validate, done, total: None, taken }));
            Ok(())
        })?;
        let Weighing { seen, mut plan, .. } = weighing;
        let unit = job.format.unit();
        for (place, tally, fault) in seen.faults(unit, &plan.skipped) {
            watch(Notice::Bad { unit, place: place.into(), fault: &fault });
            plan.skipped.insert(place);
            plan.counts.take_back(tally);
        }
        if !plan.skipped.is_empty() && job.on_bad == OnBad::Refuse {
            return Err(BulkError::Bad { bad: plan.skipped(), entries: plan.entries });
        }
        Ok(plan)
    }

    /// The registers, if they have what the job names.
    pub(super) fn book_for(&self, job: &Job<'_>) -> Result<Book, BulkError> {
        let (_, book) = self.ledger.book()?;
        if let Some(no) = job.defaults.scope
            && book.scope(no).is_none_or(|scope| scope.issuer != job.issuer)
        {
            return Err(BulkError::Scope(no));
        }
        if job.defaults.medium == Some(MediumKind::Sim) && job.format != Format::Ndjson {
            return Err(BulkError::SimUnsaid);
        }
        Ok(book)
    }
}

struct Weighing<'a> {
    bulk: &'a Bulk<'a>,
    job: &'a Job<'a>,
    book: &'a Book,
    closed: Closed,
    seen: Seen,
    plan: Plan,
}

impl Weighing<'_> {
    fn block(&mut self, block: &[Placed], watch: Watch<'_>) -> Result<(), BulkError> {
        let good: Vec<_> = block.iter().filter_map(|(_, entry)| entry.as_ref().ok()).collect();
        let known = Known::ask(self.bulk.ledger, &good)?;
        let unit = self.job.format.unit();
        for (place, entry) in block {
            self.plan.entries += 1;
            let weighed = match entry {
                Ok(record) => self.entry(*place, record, &known)?,
                Err(fault) => Err(fault.clone()),
            };
            if let Err(fault) = weighed {
                watch(Notice::Bad { unit, place: *place, fault: &fault });
                self.plan.skipped.insert(u32::try_from(*place).map_err(|_| BulkError::TooMany)?);
            }
        }
        Ok(())
    }

    /// The inner error is the entry's own; the outer one ends the pass.
    fn entry(&mut self, place: u64, record: &Record, known: &Known) -> Result<Result<(), Fault>, BulkError> {
        let weighed = known.weigh(record, &self.job.defaults, self.book, &mut self.closed, self.bulk.clock.now());
        let dangling = |link: &NamedLink| known.target(*link) == Target::Unregistered;
        let elsewhere = record.links.iter().filter(dangling).any(|link| link.issuer != self.job.issuer);
        let weighed = if elsewhere { Err(Fault::LinkUnknown) } else { weighed };
        let tally = weighed.as_ref().map(Tally::of).unwrap_or_default();
        let key = record.certificate.key;
        self.seen.entry(NamedLink { issuer: key.issuer, serial: key.serial }, place, tally)?;
        for link in record.links.iter().filter(dangling) {
            self.seen.link(link, place, tally)?;
        }
        Ok(weighed.map(|_| {
            self.plan.counts.add(tally);
            self.plan.without_combined += u64::from(record.remarks.without_combined);
            self.plan.unverified += u64::from(record.remarks.unverified);
        }))
    }
}
