//! A page of events with everything that the lists of CRLs need beside them, read whole before anything is taken in: what
//! can't be read leaves no half of it.

use std::collections::BTreeMap;

use crate::ledger::{Families, Head, Ledger, LedgerError, Wanted};
use crate::model::{Body, Certificate, CertificateNo, Change, Entry, Event, Position, Status, Time};
use crate::status::Gone;

use super::follower::{FollowError, Frozen, registered, still_there};

/// Events in order, and what they brought about.
pub(super) struct Page {
    /// Where the ledger stands after the last of them.
    pub head: Head,
    /// The events.
    pub events: Vec<(Position, Event)>,
    /// What was registered, by event.
    pub rows: BTreeMap<Position, Vec<Certificate>>,
    /// The certificates that were changed one by one.
    pub changed: BTreeMap<CertificateNo, Changed>,
    /// Whether there is probably more.
    pub more: bool,
}

/// A certificate that was changed.
pub(super) struct Changed {
    /// The last event, of this page.
    pub position: Position,
    /// Its facts, and its status as it is now: perhaps a moment after the page.
    pub entry: Entry,
    /// What it lost, of what CRLs speak of.
    pub gone: Vec<Lost>,
}

impl Page {
    /// The next events after that head.
    pub fn read(ledger: &dyn Ledger, after: &Head) -> Result<Self, FollowError> {
        let sealed = ledger.events_after(after.position, EVENTS_MAX)?;
        if sealed.is_empty() {
            still_there(ledger, after)?;
        }
        let mut page = Self {
            head: after.clone(),
            events: Vec::with_capacity(sealed.len()),
            rows: BTreeMap::new(),
            changed: BTreeMap::new(),
            more: sealed.len() == EVENTS_MAX,
        };
        let mut touched = Touched::default();
        let mut rows = 0;
        for one in &sealed {
            if rows >= ROWS_MAX {
                page.more = true;
                break;
            }
            let event = page.head.follow(one).map_err(Frozen::Forked)?;
            match &event.body {
                Body::Changed { no, change, .. } => touched.note(*no, change, one.position, event.time),
                Body::EpochAdopted { epoch, .. } => page.head.epoch = *epoch,
                Body::IssuerAdded(_) | Body::ScopeAdded(_) | Body::SetChanged { .. } => page.head.book = one.position,
                Body::Registered { first, count, digest } => {
                    page.rows.insert(one.position, registered(ledger, one.position, *first, *count, digest)?);
                    page.head.certificates += u64::from(*count);
                    rows += *count as usize;
                }
                Body::CrlsNumbered { .. }
                | Body::InboxRefused { .. }
                | Body::LedgerCreated { .. }
                | Body::QueueDecided { .. }
                | Body::Queued { .. }
                | Body::Reported(_)
                | Body::UndoOrdered(_) => {}
            }
            page.events.push((one.position, event));
        }
        page.changed = touched.look_up(ledger)?;
        Ok(page)
    }
}

/// What happened to certificates, by number.
#[derive(Default)]
pub(super) struct Touched(BTreeMap<CertificateNo, (Position, Vec<Lost>)>);

/// What was lost, by which event, and when.
type Lost = (Gone, Position, Time);

impl Touched {
    pub fn note(&mut self, no: CertificateNo, change: &Change, position: Position, time: Time) {
        let (last, gone) = self.0.entry(no).or_default();
        *last = position;
        match change {
            Change::Acknowledged => gone.push((Gone::Acknowledged, position, time)),
            Change::Released { .. } => gone.push((Gone::Released, position, time)),
            Change::HandedOver { .. }
            | Change::Held { .. }
            | Change::LossDated { .. }
            | Change::ReasonChanged { .. }
            | Change::Revoked { .. } => {}
        }
    }

    /// Forgets whoever lost nothing that CRLs speak of.
    pub fn keep_losers(&mut self) {
        self.0.retain(|_, (_, gone)| !gone.is_empty());
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Their facts and statuses.
    pub fn look_up(self, ledger: &dyn Ledger) -> Result<BTreeMap<CertificateNo, Changed>, LedgerError> {
        if self.0.is_empty() {
            return Ok(BTreeMap::new());
        }
        let numbers = self.0.keys().copied().collect();
        let found = ledger.find(&Wanted { numbers, families: Families::No, ..Wanted::default() })?;
        let mut entries: BTreeMap<_, _> = found.entries.into_iter().map(|entry| (entry.no, entry)).collect();
        let changed = self.0.into_iter().map(|(no, (position, gone))| {
            let entry = entries.remove(&no);
            let entry =
                entry.ok_or_else(|| LedgerError::Damaged(format!("certificate {no} is changed and missing")))?;
            Ok((no, Changed { position, entry, gone }))
        });
        changed.collect()
    }
}

impl Changed {
    /// Its status, of which position it is.
    pub fn status(&self) -> &Status {
        &self.entry.status
    }
}

const EVENTS_MAX: usize = 1_000;
/// A registration has some thousand rows.
const ROWS_MAX: usize = 50_000;
