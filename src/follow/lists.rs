//! From the ledger to what CRLs are made from, in step: one scan, then every event after it.
//!
//! Beside the OCSP table's follower, with its own place in the history, because who publishes need not answer. Lists are
//! complete up to a position only when no certificate on them shows what came later ([`ListFollower::cutoff`]): statuses are
//! read as they are now, a moment after the events that say which of them changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::ledger::{Head, Ledger};
use crate::model::{
    Body, Certificate, Change, Cutoff, Entry, Event, Position, Reason, ScopeNo, Seconds, SetChange, SetEvent,
    SetTarget, Status, Time,
};
use crate::status::{Belongs, Gone, LossDates, Registers, Revoked, RevokedError, Seen};

use super::bootstrap::belongs;
use super::follower::{FollowError, Frozen, heard};
use super::page::Page;
use super::past::{Past, recall};

/// Keeps the lists of all CRL scopes in step with a ledger.
pub struct ListFollower {
    revoked: Revoked,
    head: Head,
    registers: Registers,
    /// The newest ledger time that was applied.
    known_at: Option<Time>,
    /// Statuses were read that show what happened up to there.
    seen_to: Position,
    /// Set events whose members are not in the lists yet.
    expanding: Vec<SetEvent>,
    /// The highest number that a round of CRLs was given.
    numbered: Option<u64>,
    frozen: Option<Frozen>,
}

/// Where lists begin, and what of the past they need.
#[derive(Clone, Copy)]
pub struct Beginning<'a> {
    /// Whether CRLs tell of times of loss.
    pub losses: LossDates,
    /// The desk's setting.
    pub delivery_within: Seconds,
    /// The cut-off position of the oldest full CRL that is in use, and a number that no later round can have; none: nothing was
    /// published.
    pub oldest_base: Option<Position>,
    /// Whether a certificate may still be listed: those that expired and were dropped from all CRLs long ago are not.
    pub matters: &'a dyn Fn(&Certificate, &Status) -> bool,
}

/// What a step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListsStepped {
    /// Whether there is probably more.
    pub more: bool,
    /// In which scopes somebody was revoked for which reason.
    pub revoked: BTreeMap<ScopeNo, BTreeSet<Reason>>,
    /// The scopes in which many changed at once.
    pub sets: BTreeSet<ScopeNo>,
    /// Whether issuers or scopes were added.
    pub book: bool,
}

impl ListFollower {
    /// Reads everything at one position, and what of the past a scan doesn't show.
    pub fn bootstrap(ledger: &dyn Ledger, beginning: Beginning<'_>) -> Result<Self, FollowError> {
        loop {
            let (read_at, book) = ledger.book()?;
            let mut revoked = Revoked::new(beginning.losses, beginning.delivery_within);
            let mut refused = None;
            let head = ledger.scan(&mut |Entry { certificate, status, .. }| {
                if !(beginning.matters)(&certificate, &status) {
                    return ControlFlow::Continue(());
                }
                revoked.restore(&certificate, &status).map_or_else(
                    |error| {
                        refused = Some(error);
                        ControlFlow::Break(())
                    },
                    ControlFlow::Continue,
                )
            })?;
            if let Some(error) = refused {
                return Err(Frozen::from(error).into());
            }
            // The book changed between it and the scan.
            if head.book > read_at {
                continue;
            }
            let Past { numbered } = recall(ledger, &mut revoked, beginning.oldest_base, head.position)?;
            revoked.reach(head.position).map_err(Frozen::from)?;
            return Ok(Self {
                revoked,
                seen_to: head.position,
                head,
                registers: Registers { issuers: book.issuers, scopes: book.scopes },
                known_at: None,
                expanding: Vec::new(),
                numbered,
                frozen: None,
            });
        }
    }

    /// What CRLs are made from.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    /// The same, for whoever has issued and may forget.
    pub fn revoked_mut(&mut self) -> &mut Revoked {
        &mut self.revoked
    }

    /// Where it stands.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Issuers and scopes there.
    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// The highest number that a round of CRLs was given since the oldest base.
    pub fn numbered(&self) -> Option<u64> {
        self.numbered
    }

    /// Up to where the lists speak; none: they show more than was read, or nobody said when it was so.
    pub fn cutoff(&self) -> Option<Cutoff> {
        let time = self.known_at.filter(|_| self.seen_to <= self.head.position && self.expanding.is_empty())?;
        Some(Cutoff { position: self.head.position, time })
    }

    /// Takes in the next events, at most one page of them, or the members of set events.
    pub fn step(&mut self, ledger: &dyn Ledger) -> Result<ListsStepped, FollowError> {
        if let Some(frozen) = &self.frozen {
            return Err(frozen.clone().into());
        }
        let stepped = self.advance(ledger);
        if let Err(FollowError::Frozen(frozen)) = &stepped {
            self.frozen = Some(frozen.clone());
        }
        stepped
    }

    fn advance(&mut self, ledger: &dyn Ledger) -> Result<ListsStepped, FollowError> {
        if !self.expanding.is_empty() {
            self.expand(ledger)?;
            return Ok(ListsStepped { more: true, ..ListsStepped::default() });
        }
        // The heartbeat first: what is read after it is at least as new.
        let heartbeat = ledger.heartbeat()?;
        let page = Page::read(ledger, &self.head)?;
        let mut stepped = ListsStepped { more: page.more, ..ListsStepped::default() };
        for (position, event) in &page.events {
            self.take(*position, event, &page, &mut stepped).map_err(Frozen::from)?;
        }
        self.recall(&page).map_err(Frozen::from)?;
        self.revoked.reach(page.head.position).map_err(Frozen::from)?;
        self.head = page.head;
        stepped.more |= !self.expanding.is_empty() || self.seen_to > self.head.position;
        if let Some(heartbeat) = heartbeat {
            self.known_at = self.known_at.max(heard(&heartbeat, &self.head)?);
        }
        Ok(stepped)
    }

    fn take(
        &mut self,
        position: Position,
        event: &Event,
        page: &Page,
        stepped: &mut ListsStepped,
    ) -> Result<(), RevokedError> {
        match &event.body {
            Body::Registered { .. } => {
                let rows = page.rows.get(&position).map(Vec::as_slice).unwrap_or_default();
                self.revoked.register(position, rows)?;
            }
            Body::Changed { no, change, .. } => {
                let Some(changed) = page.changed.get(no) else { return Ok(()) };
                let (certificate, status) = (&changed.entry.certificate, changed.status());
                if let Change::Revoked { reason, .. } | Change::ReasonChanged { reason } = change {
                    stepped.revoked.entry(certificate.scope).or_default().insert(*reason);
                }
                // Its status is that after its last change.
                if changed.position == position {
                    self.seen_to = self.seen_to.max(status.as_of);
                    self.revoked.change(&Seen { position, time: event.time, certificate, status })?;
                }
            }
            Body::SetChanged { target, change } => {
                let cause = event.cause.unwrap_or(position);
                let set = SetEvent { position, time: event.time, cause, target: target.clone(), change: *change };
                let touched = self.touched_by(&set);
                self.revoked.expect_members(position, touched.iter().copied())?;
                stepped.sets.extend(touched);
                self.expanding.push(set);
            }
            Body::CrlsNumbered { number } => self.numbered = self.numbered.max(Some(*number)),
            Body::IssuerAdded(issuer) => {
                self.registers.issuers.push(issuer.clone());
                stepped.book = true;
            }
            Body::ScopeAdded(scope) => {
                self.registers.scopes.push(scope.clone());
                stepped.book = true;
            }
            Body::EpochAdopted { .. }
            | Body::InboxRefused { .. }
            | Body::LedgerCreated { .. }
            | Body::QueueDecided { .. }
            | Body::Queued { .. }
            | Body::Reported(_)
            | Body::UndoOrdered(_) => {}
        }
        Ok(())
    }

    /// What was opened and lifted within one page no status shows any more; a delta must say all the same that it is gone,
    /// for another publisher may have listed it in between.
    fn recall(&mut self, page: &Page) -> Result<(), RevokedError> {
        for changed in page.changed.values() {
            let certificate = &changed.entry.certificate;
            for (gone, at, time) in &changed.gone {
                self.revoked.recall(certificate, *gone, *at, *time)?;
            }
        }
        Ok(())
    }

    /// The scopes in which a set event may have members.
    fn touched_by(&self, set: &SetEvent) -> BTreeSet<ScopeNo> {
        let scopes = self.registers.scopes.iter();
        match set.target {
            SetTarget::Issuer(issuer) => scopes.filter(|scope| scope.issuer == issuer).map(|scope| scope.no).collect(),
            SetTarget::Batch(_) | SetTarget::Listed { .. } => scopes.map(|scope| scope.no).collect(),
        }
    }

    /// Puts the members of set events into the lists, from one scan.
    fn expand(&mut self, ledger: &dyn Ledger) -> Result<(), FollowError> {
        let sets = self.expanding.clone();
        let all: Vec<_> = sets.iter().map(|set| belongs(ledger, set)).collect::<Result<_, _>>()?;
        let (mut refused, mut seen_to) = (None, self.seen_to);
        let revoked = &mut self.revoked;
        ledger.scan(&mut |entry| {
            let Entry { no, certificate, status } = &entry;
            let of = |(set, belongs): &(&SetEvent, &Belongs)| match belongs {
                Belongs::AsTargeted => set.target.covers(certificate, &[]),
                Belongs::Listed(members) => members.contain(*no),
            };
            let mut own = sets.iter().zip(&all).filter(of).map(|(set, _)| set);
            let Some(last) = own.next_back() else { return ControlFlow::Continue(()) };
            // What had expired before the event and was not listed then is no verifier's business any more.
            if certificate.is_expired(last.time) && !revoked.knows(certificate) {
                return ControlFlow::Continue(());
            }
            seen_to = seen_to.max(status.as_of);
            let seen = Seen { position: last.position, time: last.time, certificate, status };
            let lifted = own.chain([last]).filter(|set| matches!(set.change, SetChange::Released { .. }));
            match take_member(revoked, &seen, lifted) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    refused = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = refused {
            return Err(Frozen::from(error).into());
        }
        self.seen_to = seen_to;
        let touched: BTreeSet<_> = sets.iter().flat_map(|set| self.touched_by(set)).collect();
        touched.into_iter().try_for_each(|no| self.revoked.complete(no)).map_err(Frozen::from)?;
        self.expanding.clear();
        Ok(())
    }
}

/// Takes in a member of set events. What one of them opened and another lifted no status shows any more; a delta must say all
/// the same that it is gone.
fn take_member<'a>(
    revoked: &mut Revoked,
    seen: &Seen<'_>,
    mut lifted: impl Iterator<Item = &'a SetEvent>,
) -> Result<(), RevokedError> {
    revoked.member(seen)?;
    lifted.try_for_each(|set| revoked.recall(seen.certificate, Gone::Released, set.position, set.time))
}
