//! What was served as files: how often with which outcome, how many octets, how many are on their way. Counted by `files`
//! and `sending`, read for the metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What became of a request for a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileOutcome {
    /// The client, or its time, ended before the file did.
    BrokenOff,
    /// Too many were on their way.
    Busy,
    /// Only the header was asked for.
    Head,
    /// The client has it already.
    NotModified,
    /// Another method.
    OtherMethod,
    /// A part of it was sent.
    Part,
    /// The client wanted it only if it were another one.
    PreconditionFailed,
    /// A part was asked for that isn't there.
    Unsatisfiable,
    /// All of it was sent.
    Whole,
}

/// The counters of all threads: each has a row of its own.
#[derive(Clone, Debug, Default)]
pub struct FileCounts(Arc<Mutex<Vec<Arc<Row>>>>);

/// One thread's counters, in cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Row {
    outcomes: [AtomicU64; FileOutcome::ALL.len()],
    octets: AtomicU64,
    sending: AtomicUsize,
}

impl FileOutcome {
    const ALL: [(Self, &'static str); 9] = [
        (Self::BrokenOff, "broken-off"),
        (Self::Busy, "busy"),
        (Self::Head, "head"),
        (Self::NotModified, "not-modified"),
        (Self::OtherMethod, "other-method"),
        (Self::Part, "part"),
        (Self::PreconditionFailed, "precondition-failed"),
        (Self::Unsatisfiable, "unsatisfiable"),
        (Self::Whole, "whole"),
    ];
}

impl FileCounts {
    /// Every outcome with its count.
    pub fn sums(&self) -> Vec<(&'static str, u64)> {
        let count = |row: &Row, outcome| row.outcomes[outcome as usize].load(Ordering::Relaxed);
        FileOutcome::ALL.map(|(outcome, name)| (name, self.sum(|row| count(row, outcome)))).into()
    }

    /// Octets of files that were handed to sockets.
    pub fn octets(&self) -> u64 {
        self.sum(|row| row.octets.load(Ordering::Relaxed))
    }

    /// Files on their way.
    pub fn sending(&self) -> u64 {
        self.sum(|row| row.sending() as u64)
    }

    /// A row for another thread.
    pub(super) fn row(&self) -> Arc<Row> {
        let row = Arc::new(Row::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(row.clone());
        row
    }

    fn sum(&self, of: impl Fn(&Row) -> u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|row| of(row)).sum()
    }
}

/// Relaxed everywhere: each counter stands for itself, and one thread writes it.
impl Row {
    pub fn count(&self, outcome: FileOutcome) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn sent(&self, octets: usize) {
        self.octets.fetch_add(octets as u64, Ordering::Relaxed);
    }

    /// How many files are on their way, on this thread.
    pub fn sending(&self) -> usize {
        self.sending.load(Ordering::Relaxed)
    }

    pub fn begins(&self) {
        self.sending.fetch_add(1, Ordering::Relaxed);
    }

    pub fn ends(&self) {
        self.sending.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_is_counted_by_its_name_over_all_threads() {
        let counts = FileCounts::default();
        let rows = [counts.row(), counts.row()];
        for (outcome, name) in FileOutcome::ALL {
            rows.iter().for_each(|row| row.count(outcome));
            let named = counts.sums().into_iter().find(|(of, _)| *of == name);
            assert_eq!(named, Some((name, 2)));
        }
        rows.iter().for_each(|row| row.sent(5));
        rows[0].begins();
        assert_eq!((counts.octets(), counts.sending()), (10, 1));
        rows[0].ends();
        assert_eq!(counts.sending(), 0);
    }
}
