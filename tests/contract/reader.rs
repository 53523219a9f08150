//! A small reader: follows the ledger from its first event, checks every link, and works out by itself what must be
//! true of every certificate. The cases compare ledgers with it.

use std::collections::BTreeMap;

use tashika::ledger::{BrokenLink, Head, Ledger, LedgerError, Sealed, decode_certificate};
use tashika::model::{
    Body, Book, Certificate, CertificateNo, Entry, Event, LedgerId, ListNo, Position, SetEvent, SetTarget, Status,
};

use crate::nation;

/// What a reader holds.
pub struct Reader {
    pub head: Head,
    pub events: Vec<Event>,
    certificates: BTreeMap<CertificateNo, Certificate>,
    statuses: BTreeMap<CertificateNo, Status>,
    lists: BTreeMap<ListNo, Vec<CertificateNo>>,
    book: Book,
}

impl Reader {
    /// A reader of the ledger that begins with `nation::genesis(1)`.
    pub fn new() -> Self {
        let head = Head::before_first(LedgerId(nation::name(9, 1)));
        let (certificates, statuses, lists) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { head, events: Vec::new(), certificates, statuses, lists, book: Book::default() }
    }

    /// A reader that has read everything.
    pub fn of(ledger: &dyn Ledger) -> Self {
        let mut reader = Self::new();
        reader.follow(ledger, u64::MAX).expect("a history without a break");
        reader
    }

    /// Reads on, up to position `to`.
    pub fn follow(&mut self, ledger: &dyn Ledger, to: u64) -> Result<(), LedgerError> {
        while self.head.position.0 < to {
            let page = ledger.events_after(self.head.position, PAGE)?;
            if page.is_empty() {
                break;
            }
            for sealed in page.iter().take_while(|sealed| sealed.position.0 <= to) {
                self.take(ledger, sealed)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, ledger: &dyn Ledger, sealed: &Sealed) -> Result<(), LedgerError> {
        let event = self.head.follow(sealed)?;
        match &event.body {
            Body::Changed { no, change, .. } => {
                let mut status = self.entry(*no).expect("registered before").status;
                status.apply(change, sealed.position, event.time, event.cause.unwrap_or(sealed.position));
                self.statuses.insert(*no, status);
            }
            Body::EpochAdopted { epoch, .. } => self.head.epoch = *epoch,
            Body::IssuerAdded(issuer) => self.book.issuers.push(issuer.clone()),
            Body::Registered { first, count, .. } => {
                for (no, row) in rows(ledger, *first, *count as usize)? {
                    self.certificates.insert(no, decode_certificate(&row)?);
                }
                self.head.certificates += u64::from(*count);
            }
            Body::ScopeAdded(scope) => self.book.scopes.push(scope.clone()),
            Body::SetChanged { target, change } => {
                if let SetTarget::Listed { list, .. } = target {
                    let members = ledger.list_members(*list, CertificateNo(0), usize::from(u16::MAX))?;
                    self.lists.insert(*list, members);
                }
                let (position, time, cause) = (sealed.position, event.time, event.cause.unwrap_or(sealed.position));
                self.book.sets.push(SetEvent { position, time, cause, target: target.clone(), change: *change });
            }
            _ => {}
        }
        if matches!(event.body, Body::IssuerAdded(_) | Body::ScopeAdded(_) | Body::SetChanged { .. }) {
            self.head.book = sealed.position;
        }
        self.events.push(event);
        Ok(())
    }

    /// What the events say about a certificate.
    pub fn entry(&self, no: CertificateNo) -> Option<Entry> {
        let certificate = self.certificates.get(&no)?.clone();
        let stored = self.statuses.get(&no).cloned();
        let mut status = stored.unwrap_or_else(|| Status::at_registration(&certificate, Position(0)));
        let lists: Vec<_> = self.lists.iter().filter(|(_, of)| of.contains(&no)).map(|(list, _)| *list).collect();
        self.book.overlay(&certificate, &mut status, &lists);
        Some(Entry { no, certificate, status })
    }

    /// What the events say about all certificates.
    pub fn entries(&self) -> Vec<Entry> {
        self.certificates.keys().filter_map(|no| self.entry(*no)).collect()
    }

    /// The registers as the events make them.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// How often each tag was recorded.
    pub fn tags(&self) -> BTreeMap<String, usize> {
        let mut tags = BTreeMap::new();
        for tag in self.events.iter().filter_map(crate::writer::tag_of) {
            *tags.entry(tag.to_owned()).or_default() += 1;
        }
        tags
    }
}

/// The break, if that is what the error is.
pub fn broken(error: LedgerError) -> BrokenLink {
    match error {
        LedgerError::Broken(broken) => broken,
        other => panic!("not a broken history: {other}"),
    }
}

fn rows(ledger: &dyn Ledger, first: CertificateNo, count: usize) -> Result<Vec<(CertificateNo, Vec<u8>)>, LedgerError> {
    let mut rows = Vec::new();
    while rows.len() < count {
        let page = ledger.rows_from(first.plus(rows.len() as u64), count - rows.len())?;
        assert!(!page.is_empty(), "rows are there before the event that registers them");
        rows.extend(page);
    }
    Ok(rows)
}

const PAGE: usize = 100;
