//! Set events that leave no room for newcomers: what is registered into an ended set would silently not belong to it.

use std::collections::HashMap;

use crate::ledger::import::Fault;
use crate::model::{Batch, Book, Certificate, Life, Position, SetTarget, Status};

/// Whether certificates of one issuer may still be registered, by chip batch.
#[derive(Default)]
pub(super) struct Closed {
    known: HashMap<Batch, Option<Fault>>,
}

impl Closed {
    /// Forgets everything: the book has changed.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// An error if a set event still holds or has ended everything of the certificate's issuer or batch.
    pub(super) fn check(&mut self, book: &Book, certificate: &Certificate) -> Result<(), Fault> {
        if book.sets.is_empty() {
            return Ok(());
        }
        if self.known.len() >= BATCHES_KEPT {
            self.forget();
        }
        let fault = self.known.entry(certificate.batch).or_insert_with(|| closed_by(book, certificate));
        fault.clone().map_or(Ok(()), Err)
    }
}

fn closed_by(book: &Book, certificate: &Certificate) -> Option<Fault> {
    let mut status = Status { life: Life::Active, holds: Vec::new(), handed_to: None, as_of: Position(0) };
    for set in book.sets.iter().filter(|set| set.target.covers(certificate, &[])) {
        set.apply_to(&mut status);
    }
    let event = match status.life {
        Life::Revoked(revocation) => revocation.by,
        Life::Active | Life::Pending => status.holds.first()?.id.0,
    };
    let by_issuer = book.sets.iter().any(|set| set.position == event && matches!(set.target, SetTarget::Issuer(_)));
    Some(Fault::Closed { what: if by_issuer { "issuer" } else { "chip batch" }, event: event.0 })
}

const BATCHES_KEPT: usize = 10_000;
