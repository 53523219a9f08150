//! Set events that leave no room for newcomers: what is registered into an ended set would silently not belong to it.

use std::collections::HashMap;

use crate::ledger::import::Fault;
use crate::model::{Batch, Book, Certificate, SetTarget};

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
    let set = book.closed_by(certificate)?;
    let what = if matches!(set.target, SetTarget::Issuer(_)) { "issuer" } else { "chip batch" };
    Some(Fault::Closed { what, event: set.position.0 })
}

const BATCHES_KEPT: usize = 10_000;
