//! Which certificates were asked for lately: one bit each, so that what is hot is signed again before it is asked again.
//!
//! Marked by every request that the table answers, read by `refresh`. A bit that is set already is only read, so that
//! requests for the same certificates don't take turns at its memory.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{CertificateNo, Seconds, Time};

/// Two generations of bits: the present one, and the one before it.
pub(super) struct Asked {
    generations: [Bits; 2],
    /// The number of the present generation; its lowest bit says which of the two it is.
    present: AtomicU64,
    /// When it began, in seconds since 1970.
    began: AtomicU64,
}

/// Bits in chunks that are made when they are first needed.
struct Bits(Box<[OnceLock<Box<[AtomicU64]>>]>);

impl Asked {
    pub fn new() -> Self {
        Self { generations: [Bits::new(), Bits::new()], present: AtomicU64::new(0), began: AtomicU64::new(0) }
    }

    /// Somebody asked for it.
    #[inline]
    pub fn mark(&self, no: CertificateNo) {
        // Relaxed: a mark that goes to the generation before is half a generation early, and nothing else follows from it.
        let present = self.present.load(Ordering::Relaxed) & 1;
        self.generations[present as usize].mark(no.0);
    }

    /// Whether somebody asked for it within the last one to two generations.
    pub fn lately(&self, no: CertificateNo) -> bool {
        self.generations.iter().any(|bits| bits.has(no.0))
    }

    /// The first certificate from a number on that somebody asked for within the last one to two generations: most were not,
    /// and whoever looks for the others needn't look at each.
    pub fn next(&self, from: u64) -> Option<u64> {
        self.generations.iter().filter_map(|bits| bits.next(from)).min()
    }

    /// Begins a new generation if the present one is half of `hot_for` old: who was last asked for longer ago than
    /// `hot_for` is forgotten, who was asked within half of it is not.
    pub fn turn(&self, now: Time, hot_for: Seconds) {
        let now = u64::try_from(now.unix()).unwrap_or(0);
        if now.abs_diff(self.began.load(Ordering::Relaxed)) < u64::from(hot_for.0 / 2).max(1) {
            return;
        }
        let next = self.present.load(Ordering::Relaxed) + 1;
        self.generations[(next & 1) as usize].clear();
        self.present.store(next, Ordering::Relaxed);
        self.began.store(now, Ordering::Relaxed);
    }
}

impl Bits {
    fn new() -> Self {
        Self((0..CHUNKS).map(|_| OnceLock::new()).collect())
    }

    #[inline]
    fn mark(&self, number: u64) {
        let Some(chunk) = self.0.get((number / CHUNK_BITS) as usize) else { return };
        let chunk = chunk.get_or_init(|| (0..CHUNK_BITS / 64).map(|_| AtomicU64::new(0)).collect());
        let (word, bit) = (&chunk[(number % CHUNK_BITS / 64) as usize], 1 << (number % 64));
        let before = word.load(Ordering::Relaxed);
        if before & bit == 0 {
            // Two threads at one word may lose one's mark: its certificate is marked when it is next asked for. An indivisible
            // step would keep every look-up waiting until the word has come from far away.
            word.store(before | bit, Ordering::Relaxed);
        }
    }

    fn has(&self, number: u64) -> bool {
        let chunk = self.0.get((number / CHUNK_BITS) as usize).and_then(OnceLock::get);
        chunk.is_some_and(|chunk| {
            chunk[(number % CHUNK_BITS / 64) as usize].load(Ordering::Relaxed) >> (number % 64) & 1 == 1
        })
    }

    fn next(&self, from: u64) -> Option<u64> {
        let first = (from / CHUNK_BITS) as usize;
        let chunks = self.0.iter().enumerate().skip(first).filter_map(|(at, chunk)| Some((at, chunk.get()?)));
        for (at, chunk) in chunks {
            let begins = at as u64 * CHUNK_BITS;
            let skipped = from.saturating_sub(begins);
            for (word, bits) in chunk.iter().enumerate().skip((skipped / 64) as usize) {
                let before = skipped.saturating_sub(word as u64 * 64).min(63);
                let bits = bits.load(Ordering::Relaxed) >> before << before;
                if bits != 0 {
                    return Some(begins + word as u64 * 64 + u64::from(bits.trailing_zeros()));
                }
            }
        }
        None
    }

    fn clear(&self) {
        for word in self.0.iter().filter_map(OnceLock::get).flatten() {
            word.store(0, Ordering::Relaxed);
        }
    }
}

/// 128 KiB of bits at a time.
const CHUNK_BITS: u64 = 1 << 20;
/// As many certificates as a table can number.
const CHUNKS: u64 = (u32::MAX as u64 + 1) / CHUNK_BITS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_hot_for_one_generation_and_forgotten_after_two() {
        let (asked, hot_for) = (Asked::new(), Seconds(100));
        let at = |seconds: i64| Time::from_unix(1_000_000 + seconds).unwrap();
        asked.turn(at(0), hot_for);
        asked.mark(CertificateNo(7));
        asked.mark(CertificateNo(3_000_000_000));
        let lately = |no| asked.lately(CertificateNo(no));
        assert!(lately(7) && lately(3_000_000_000) && !lately(8) && !lately(3_000_000_001));
        asked.turn(at(49), hot_for);
        asked.turn(at(50), hot_for);
        assert!(lately(7), "asked for 50 seconds ago");
        asked.mark(CertificateNo(8));
        asked.turn(at(100), hot_for);
        assert!(!lately(7) && lately(8));
    }

    #[test]
    fn the_next_is_found_across_words_chunks_and_generations() {
        let asked = Asked::new();
        let numbers = [0, 1, 63, 64, 65, 1_000, CHUNK_BITS - 1, CHUNK_BITS, 3 * CHUNK_BITS + 70, u64::from(u32::MAX)];
        for (no, turn) in numbers.into_iter().zip(0..) {
            asked.mark(CertificateNo(no));
            asked.turn(Time::from_unix(turn).unwrap(), Seconds(1_000_000));
        }
        asked.generations[1].mark(66);
        let all = |mut from: u64| {
            let mut found = Vec::new();
            while let Some(no) = asked.next(from) {
                found.push(no);
                from = no + 1;
            }
            found
        };
        let mut expected = numbers.to_vec();
        expected.insert(5, 66);
        assert_eq!(all(0), expected);
        assert_eq!(all(64), expected[3..]);
        assert_eq!(all(CHUNK_BITS + 1), expected[9..]);
        assert_eq!(asked.next(u64::from(u32::MAX) + 1), None);
    }

    #[test]
    fn a_number_that_no_table_has_is_nobody() {
        let asked = Asked::new();
        asked.mark(CertificateNo(u64::MAX));
        assert!(!asked.lately(CertificateNo(u64::MAX)));
    }
}
