//! What became of the requests of one load, counted while it runs: no locks, one thread. Used by `engine` and `report`.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::answer::Refusal;
use crate::connection::Failure;
use crate::judge::{Fault, Verdict};
use crate::verify::Checked;

/// Times are in nanoseconds.
#[derive(Debug)]
pub struct Tally {
    pub sent: u64,
    /// HTTP answers of any kind.
    pub answers: u64,
    pub right: u64,
    pub wrong: BTreeMap<Fault, u64>,
    pub refused: BTreeMap<Refusal, u64>,
    pub http_statuses: BTreeMap<u16, u64>,
    pub failures: BTreeMap<Failure, u64>,
    /// From when a request was due to its answer; one without an answer counts with the time until that was known.
    pub latency: Histogram<u64>,
    /// From when a request was due to when it was sent.
    pub delay: Histogram<u64>,
    pub took: Duration,
    /// Due before the end, but no connection had come free.
    pub unsent: u64,
    /// How long the first of those had waited by the end.
    pub oldest_unsent: u64,
    pub signatures_checked: u64,
}

impl Tally {
    pub fn new() -> Self {
        Self {
            sent: 0,
            answers: 0,
            right: 0,
            wrong: BTreeMap::new(),
            refused: BTreeMap::new(),
            http_statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            latency: histogram(),
            delay: histogram(),
            took: Duration::ZERO,
            unsent: 0,
            oldest_unsent: 0,
            signatures_checked: 0,
        }
    }

    pub fn sent(&mut self, delay: u64) {
        self.sent += 1;
        self.delay.saturating_record(delay);
    }

    pub fn answered(&mut self, verdict: Verdict, latency: u64) {
        self.answers += 1;
        self.latency.saturating_record(latency);
        match verdict {
            Verdict::Right => self.right += 1,
            Verdict::HttpStatus(status) => *self.http_statuses.entry(status).or_default() += 1,
            Verdict::Refused(refusal) => *self.refused.entry(refusal).or_default() += 1,
            Verdict::Wrong(fault) => *self.wrong.entry(fault).or_default() += 1,
        }
    }

    /// Without an answer. Left out, a stall that ends in timeouts would make a server look faster.
    pub fn failed(&mut self, failure: Failure, latency: u64) {
        self.latency.saturating_record(latency);
        *self.failures.entry(failure).or_default() += 1;
    }

    /// What the signatures of answers that looked right have shown.
    pub fn checked(&mut self, checked: Checked) {
        self.signatures_checked += checked.answers;
        for (fault, count) in checked.faults {
            *self.wrong.entry(fault).or_default() += count;
            self.right -= count;
        }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("bounds in order")
}

/// An hour; what takes longer is recorded as that.
const LONGEST: u64 = 3_600_000_000_000;
/// Each value to 0.1 %.
const DIGITS: u8 = 3;
