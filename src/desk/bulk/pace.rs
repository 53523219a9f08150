//! How much one append takes in: as much as keeps the write lock for half the time it may be kept.

use std::time::Duration;

/// The size of the next chunk, by how long the last ones took.
#[derive(Debug)]
pub(super) struct Pace {
    entries: usize,
}

impl Pace {
    /// Small, until it is known what this ledger can do.
    pub(super) fn new() -> Self {
        Self { entries: FIRST }
    }

    /// How many entries the next append may carry.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// An append of so many entries took so long.
    pub(super) fn took(&mut self, entries: usize, taken: Duration) {
        let fitting = entries as u128 * LOCK_AIM.as_nanos() / taken.as_nanos().max(1);
        let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
        // A last, short chunk says little about what a long one takes.
        if fitting < self.entries || entries * 2 >= self.entries {
            self.entries = fitting.min(self.entries * 2).clamp(LEAST, MOST);
        }
    }

    /// An append came too late several times: what is smaller is sooner ready.
    pub(super) fn overtaken(&mut self) {
        self.entries = (self.entries / 2).max(LEAST);
    }
}

/// The write lock is kept for at most 50 ms; half of it leaves room for a disk that hesitates.
const LOCK_AIM: Duration = Duration::from_millis(25);
const FIRST: usize = 256;
const LEAST: usize = 16;
/// Also a bound of what look-ups are asked at once.
const MOST: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    /// Appends that cost so much each and so much per entry, for a while; the longest and the last of the settled ones.
    fn settle(fixed: Duration, per_entry: Duration) -> (Duration, usize) {
        let mut pace = Pace::new();
        let mut longest = Duration::ZERO;
        for round in 0..40 {
            let taken = fixed + per_entry * pace.entries() as u32;
            if round > 20 {
                longest = longest.max(taken);
            }
            pace.took(pace.entries(), taken);
        }
        (longest, pace.entries())
    }

    #[test]
    fn the_lock_is_kept_for_less_than_fifty_milliseconds_on_any_disk() {
        for (fixed, per_entry) in [(0, 1), (1, 5), (5, 10), (10, 100), (20, 1000)] {
            let (longest, entries) = settle(Duration::from_millis(fixed), Duration::from_micros(per_entry));
            assert!(
                longest <= Duration::from_millis(50),
                "{fixed} ms + {per_entry} µs: {longest:?}, {entries} entries"
            );
        }
        assert_eq!(settle(Duration::from_millis(1), Duration::from_micros(1)).1, MOST);
    }

    #[test]
    fn a_short_last_chunk_does_not_make_the_next_ones_longer() {
        let mut pace = Pace::new();
        pace.took(3, Duration::from_micros(10));
        assert_eq!(pace.entries(), FIRST);
        pace.took(3, Duration::from_millis(40));
        assert_eq!(pace.entries(), LEAST);
    }
}
