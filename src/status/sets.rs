//! Set events in front of the table: which of them cover a certificate, and what they make of its own standing.
//!
//! Kept as one value that the writer replaces and every look-up reads. [`Sets::over`] comes to what `Book::overlay`
//! comes to, but without a list of holds, so that a look-up allocates nothing; `tests/status` holds the two together.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    Batch, CertificateNo, HoldId, IssuerNo, Life, Position, Revocation, SetChange, SetEvent, SetTarget, Status, Time,
};

use super::members::Members;
use super::own::Own;

/// All set events, by position.
#[derive(Clone, Default)]
pub struct Sets {
    rows: Vec<Row>,
    by_issuer: BTreeMap<IssuerNo, Vec<u32>>,
    by_batch: BTreeMap<Batch, Vec<u32>>,
    listed: Vec<u32>,
}

/// The facts of a certificate by which sets name it.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub no: CertificateNo,
    pub issuer: IssuerNo,
    pub batch: Batch,
}

/// Who belongs to a set.
#[derive(Clone)]
pub enum Belongs {
    /// Those that the target itself describes.
    AsTargeted,
    /// Those on its list.
    Listed(Arc<Members>),
}

#[derive(Clone)]
struct Row {
    event: SetEvent,
    belongs: Belongs,
    /// The last certificate that was registered before it: those registered later are not in the set.
    newest: CertificateNo,
    /// The events that lift its hold.
    lifted_by: Vec<u32>,
}

impl Sets {
    /// With one event more, after all others.
    pub fn with(&self, event: SetEvent, belongs: Belongs, newest: CertificateNo) -> Self {
        let mut sets = self.clone();
        let index = sets.rows.len() as u32;
        if let SetChange::Released { hold } = event.change
            && let Some(held) = sets.rows.iter_mut().find(|row| HoldId(row.event.position) == hold)
        {
            held.lifted_by.push(index);
        }
        match event.target {
            SetTarget::Batch(batch) => sets.by_batch.entry(batch).or_default().push(index),
            SetTarget::Issuer(issuer) => sets.by_issuer.entry(issuer).or_default().push(index),
            SetTarget::Listed { .. } => sets.listed.push(index),
        }
        sets.rows.push(Row { event, belongs, newest, lifted_by: Vec::new() });
        sets
    }

    /// Each event, in order, with who belongs to it and the last certificate that was registered before it: what
    /// [`with`](Self::with) was given.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&SetEvent, &Belongs, CertificateNo)> {
        self.rows.iter().map(|row| (&row.event, &row.belongs, row.newest))
    }

    /// What a certificate's own standing becomes under the sets since.
    #[inline]
    pub fn over(&self, facts: Facts, own: Own) -> Own {
        if self.rows.is_empty() { own } else { self.fold(facts, own) }
    }

    /// Brings a whole status up to date: what the writer applies the next change to. `as_of` is the certificate's own,
    /// as in [`Own::as_of`].
    pub fn bring_up(&self, facts: Facts, as_of: Option<Position>, status: &mut Status) {
        for index in self.candidates(facts) {
            let row = &self.rows[index as usize];
            if row.covers(facts, as_of) {
                row.event.apply_to(status);
            }
        }
    }

    fn fold(&self, facts: Facts, mut own: Own) -> Own {
        let as_of = own.as_of;
        for index in self.candidates(facts) {
            let row = &self.rows[index as usize];
            if !row.covers(facts, as_of) {
                continue;
            }
            if let SetChange::Revoked { reason } = row.event.change {
                own.life = match own.life {
                    Life::Revoked(known) if reason.outweighs(known.reason) => {
                        Life::Revoked(Revocation { reason, by: row.event.position, ..known })
                    }
                    Life::Revoked(known) => Life::Revoked(known),
                    Life::Active | Life::Pending => {
                        let held = earliest(own.held_since, self.held_by_sets(facts, as_of, index));
                        let at = held.unwrap_or(row.event.time);
                        let (lost_at, by) = (own.lost_at, row.event.position);
                        Life::Revoked(Revocation { reason, at, lost_at, by })
                    }
                };
            }
            own.as_of = Some(row.event.position);
        }
        if matches!(own.life, Life::Active | Life::Pending) {
            own.held_since = earliest(own.held_since, self.held_by_sets(facts, as_of, u32::MAX));
        }
        own
    }

    /// Since when sets before row `until` hold the certificate. The first of them that is open began first: ledger time
    /// never decreases along positions.
    fn held_by_sets(&self, facts: Facts, as_of: Option<Position>, until: u32) -> Option<Time> {
        let is_open = |row: &&Row| {
            let lifts = |by: &u32| *by < until && self.rows[*by as usize].covers(facts, as_of);
            row.event.change == SetChange::Held && row.covers(facts, as_of) && !row.lifted_by.iter().any(lifts)
        };
        let rows = self.candidates(facts).take_while(|index| *index < until).map(|index| &self.rows[index as usize]);
        rows.filter(is_open).map(|row| row.event.time).next()
    }

    /// The rows that may cover a certificate, in order.
    fn candidates(&self, facts: Facts) -> impl Iterator<Item = u32> {
        let issuer = self.by_issuer.get(&facts.issuer).map_or(&[][..], Vec::as_slice);
        let batch = self.by_batch.get(&facts.batch).map_or(&[][..], Vec::as_slice);
        let mut queues = [issuer, batch, &self.listed];
        std::iter::from_fn(move || {
            let next = queues.iter_mut().filter(|queue| !queue.is_empty()).min_by_key(|queue| queue[0])?;
            let (first, rest) = next.split_first()?;
            *next = rest;
            Some(*first)
        })
    }
}

impl Row {
    /// Whether it covers a certificate that was last changed at `as_of`, or never since its registration.
    fn covers(&self, facts: Facts, as_of: Option<Position>) -> bool {
        let since = match as_of {
            Some(as_of) => self.event.position > as_of,
            None => facts.no <= self.newest,
        };
        since
            && match (&self.event.target, &self.belongs) {
                (_, Belongs::Listed(members)) => members.contain(facts.no),
                (SetTarget::Batch(batch), Belongs::AsTargeted) => facts.batch == *batch,
                (SetTarget::Issuer(issuer), Belongs::AsTargeted) => facts.issuer == *issuer,
                (SetTarget::Listed { .. }, Belongs::AsTargeted) => false,
            }
    }
}

fn earliest(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    one.into_iter().chain(other).min()
}
