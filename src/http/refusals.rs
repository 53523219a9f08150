//! How often the public listener had no better answer than a refusal, by cause. Counted by `ocsp`, read for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::responder::Refusal;

/// The counters of all threads: each has a row of its own, so that a flood on one core slows no other.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<Mutex<Vec<Arc<Row>>>>);

/// One thread's counters, in cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Row([AtomicU64; Refusal::CAUSES.len()]);

impl Refusals {
    /// Every cause with its count.
    pub fn sums(&self) -> Vec<(&'static str, u64)> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |at: usize| rows.iter().map(|row| row.0[at].load(Ordering::Relaxed)).sum();
        (0..).zip(Refusal::CAUSES).map(|(at, cause)| (cause, sum(at))).collect()
    }

    /// A row for another thread.
    pub(super) fn row(&self) -> Arc<Row> {
        let row = Arc::new(Row::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(row.clone());
        row
    }
}

impl Row {
    pub fn count(&self, refusal: Refusal) {
        // Relaxed: each counter stands for itself.
        self.0[refusal.cause()].fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_counted_by_its_name_over_all_threads() {
        let refusals = Refusals::default();
        let rows = [refusals.row(), refusals.row()];
        rows.iter().for_each(|row| row.count(Refusal::TooOld));
        rows[1].count(Refusal::SignerFailed);
        let counted: Vec<_> = refusals.sums().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("too-old", 2), ("signer-failed", 1)]);
    }
}
