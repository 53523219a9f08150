//! Certificate rows against the registrations: every number once, no row beside them, and the digest of each batch.

use std::collections::VecDeque;

use crate::ledger::{Ledger, LedgerError, RowDigest, decode_certificate};
use crate::model::{CertificateNo, Position};

use super::caught;
use super::report::{Finding, Findings};

/// A reader of rows that goes along with the walk over the events.
pub(super) struct Rows<'a> {
    ledger: &'a dyn Ledger,
    page: VecDeque<(CertificateNo, Vec<u8>)>,
    next: CertificateNo,
    state: Readable,
    searches: Readable,
    /// How many rows agreed.
    pub agreed: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(ledger: &'a dyn Ledger) -> Self {
        Self {
            ledger,
            page: VecDeque::new(),
            next: CertificateNo(1),
            state: Readable::Yes,
            searches: Readable::Yes,
            agreed: 0,
        }
    }

    /// From now on nothing is searched for: without its index each search takes for ever.
    pub(super) fn search_no_more(&mut self) {
        self.searches = Readable::No;
    }

    /// Checks the rows that a registration counts.
    pub(super) fn registered(
        &mut self,
        position: Position,
        first: CertificateNo,
        count: u32,
        digest: &[u8; 32],
        findings: &mut Findings,
    ) -> Result<(), LedgerError> {
        if self.state == Readable::No {
            return Ok(());
        }
        // What a forged event counts need not exist, nor even be a number of certificates.
        let end = first.0.saturating_add(count.into());
        let (mut sum, mut no, mut missing) = (RowDigest::default(), first.0, false);
        while no < end {
            if let Some(row) = self.take(CertificateNo(no), findings)? {
                sum.add(&row);
                no += 1;
                continue;
            }
            if self.state == Readable::No {
                return Ok(());
            }
            let next = self.page.front().map_or(end, |(found, _)| found.0.min(end));
            findings.add(Finding::RowsMissing { first: CertificateNo(no), last: CertificateNo(next - 1) });
            (no, missing) = (next, true);
        }
        // With a row gone the digest can't fit, and says nothing more.
        if sum.finish() == *digest {
            self.agreed += u64::from(count);
        } else if !missing {
            findings.add(Finding::RowsDiffer { position, first, last: CertificateNo(end.saturating_sub(1)) });
        }
        Ok(())
    }

    /// Reports rows behind the last registered number. The caller makes sure that no registration came in between.
    pub(super) fn beyond(&mut self, last: CertificateNo, findings: &mut Findings) -> Result<(), LedgerError> {
        if i64::try_from(last.0).is_ok_and(|last| last < i64::MAX) {
            for (no, _) in self.ledger.rows_from(last.plus(1), PAGE)? {
                findings.add(Finding::RowExtra(no));
            }
        }
        Ok(())
    }

    /// The row of that number; rows before it are nobody's.
    fn take(&mut self, no: CertificateNo, findings: &mut Findings) -> Result<Option<Vec<u8>>, LedgerError> {
        loop {
            match self.page.front() {
                Some((found, _)) if *found > no => return Ok(None),
                Some((found, _)) if *found == no => return Ok(self.page.pop_front().map(|(_, row)| row)),
                Some((found, _)) => {
                    findings.add(Finding::RowExtra(*found));
                    self.page.pop_front();
                }
                None => {
                    self.fill(no, findings)?;
                    if self.page.is_empty() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn fill(&mut self, no: CertificateNo, findings: &mut Findings) -> Result<(), LedgerError> {
        // Databases count in signed numbers: further up there are no rows, whatever a forged event says.
        if i64::try_from(no.0).is_err() {
            return Ok(());
        }
        let read = self.ledger.rows_from(self.next.max(no), PAGE);
        let Some(rows) = caught("rows of certificates", read, findings)? else {
            self.state = Readable::No;
            return Ok(());
        };
        let Some((last, _)) = rows.last() else { return Ok(()) };
        self.next = last.plus(1);
        let (mut numbers, mut keys) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (no, row) in &rows {
            match decode_certificate(row) {
                Ok(certificate) => {
                    numbers.push(*no);
                    keys.push(certificate.key);
                }
                Err(_) => findings.add(Finding::RowUnreadable(*no)),
            }
        }
        // An answer depends on what a search finds, so the search is part of the proof.
        self.page = rows.into();
        if self.searches == Readable::No {
            return Ok(());
        }
        let Some(found) = caught("look-ups of serials", self.ledger.registered(&keys), findings)? else {
            self.searches = Readable::No;
            return Ok(());
        };
        for (no, found) in numbers.into_iter().zip(found) {
            if found != Some(no) {
                findings.add(Finding::LookUp { no });
            }
        }
        Ok(())
    }
}

/// Whether a table could be read so far. Where it can't once, it isn't tried again for every page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readable {
    Yes,
    No,
}

const PAGE: usize = 4096;
