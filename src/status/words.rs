//! Arrays of atomic words that grow at their end and never move: records of a fixed width, found by number.
//!
//! Entries, groups, kept replies, details of changed certificates and the index's blocks each lie in one. Readers find a
//! record through one list of chunks, without waiting; growing adds a chunk and copies nothing, so memory never doubles. The
//! first chunks are small and each is as long as all before it together, so that little is taken for few records. The later
//! ones have one length, so large that the list stays short; of a chunk, only that is resident which was touched.

use std::sync::OnceLock;

use super::sheet::Sheet;
use super::sync::{AtomicU64, Ordering};

/// Records of `width` words, numbered from 0.
pub struct Words {
    /// Written once each, by whoever holds the writer's turn; `OnceLock::get` is one acquiring load, so a reader that
    /// sees a chunk sees it zeroed.
    chunks: Box<[OnceLock<Sheet>]>,
    width: usize,
    /// How many records the first chunk has, and how many each of the last, as powers of two.
    first: u32,
    last: u32,
}

/// Where a record lies.
struct Place {
    chunk: usize,
    /// In its chunk, in records.
    at: usize,
}

impl Words {
    /// Room for at least `records_max` records; nothing of it is taken yet.
    pub fn new(width: usize, records_max: u64) -> Self {
        let records_max = if cfg!(tashika_loom) { MODEL_RECORDS } else { records_max };
        // The most records, as a power of two, that have no more words than this.
        let within = |words: usize| (words / width).max(1).ilog2();
        let mut words =
            Self { chunks: Box::default(), width, first: within(FIRST_WORDS_MAX), last: within(CHUNK_WORDS_MAX) };
        let chunks = words.place(records_max.saturating_sub(1) as usize).chunk + 1;
        words.chunks = (0..chunks).map(|_| OnceLock::new()).collect();
        words
    }

    /// The words of a record, if its chunk is there.
    #[inline]
    pub fn get(&self, record: usize) -> Option<&[AtomicU64]> {
        let Place { chunk, at } = self.place(record);
        let words = self.chunks.get(chunk)?.get()?;
        let first = at * self.width;
        Some(&words[first..first + self.width])
    }

    /// The words of a record, making its chunk if it isn't there; `None` beyond the most that there can be.
    pub fn make(&self, record: usize) -> Option<&[AtomicU64]> {
        let Place { chunk, at } = self.place(record);
        let words = self.chunks.get(chunk)?.get_or_init(|| Sheet::zeroed(self.len(chunk) * self.width));
        Some(&words[at * self.width..(at + 1) * self.width])
    }

    /// Writes records from `first` on, from words in little-endian octets. `None` if they are no whole records, or there is
    /// no such place.
    pub fn put(&self, first: usize, octets: &[u8]) -> Option<()> {
        let records = octets.chunks(8 * self.width);
        for (octets, record) in records.zip(first..) {
            let words = self.make(record)?;
            if octets.len() != 8 * self.width {
                return None;
            }
            for (word, octets) in words.iter().zip(octets.chunks_exact(8)) {
                word.store(u64::from_le_bytes(octets.try_into().expect("eight octets")), Ordering::Relaxed);
            }
        }
        Some(())
    }

    /// The first chunk, then one as long as all before it, and so on up to the last length, which all others have.
    #[inline]
    fn place(&self, record: usize) -> Place {
        if record >> self.last != 0 {
            let chunk = (self.last - self.first) as usize + (record >> self.last);
            return Place { chunk, at: record & ((1 << self.last) - 1) };
        }
        match (record >> self.first).checked_ilog2() {
            None => Place { chunk: 0, at: record },
            Some(doublings) => Place { chunk: doublings as usize + 1, at: record - (1 << (self.first + doublings)) },
        }
    }

    /// In records.
    fn len(&self, chunk: usize) -> usize {
        1 << (self.first + (chunk as u32).saturating_sub(1)).min(self.last)
    }
}

/// 96 KiB: what the smallest installation takes for each array. Large enough that the pointers are nothing beside it.
const FIRST_WORDS_MAX: usize = if cfg!(tashika_loom) { 6 } else { 12 << 10 };
/// 384 MiB. A nation's replies fill some hundred of them, and the lists of all arrays together take a fifth of a megabyte.
/// Divisible by three, which is an entry's width, so that it fills its pages.
const CHUNK_WORDS_MAX: usize = if cfg!(tashika_loom) { 6 } else { 12 << 22 };
/// A model has no room for the pointers of a nation.
const MODEL_RECORDS: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &Words, record: usize) -> Vec<u64> {
        words.get(record).unwrap().iter().map(|word| word.load(Ordering::Relaxed)).collect()
    }

    #[test]
    fn records_are_apart_and_stay_where_they_are() {
        for width in [1, 2, 3, 10, 34, 256] {
            let words = Words::new(width, 1 << 32);
            assert!(words.get(0).is_none());
            let (first, last) = (1 << words.first, 1 << words.last);
            let records =
                [0, 1, first - 1, first, 2 * first - 1, 2 * first, last - 1, last, 2 * last - 1, 2 * last, 9 * last];
            for record in records {
                words.make(record).unwrap().iter().for_each(|word| word.store(record as u64 + 1, Ordering::Relaxed));
            }
            for record in records {
                assert_eq!(read(&words, record), vec![record as u64 + 1; width]);
            }
        }
    }

    #[test]
    fn each_record_has_a_place_of_its_own_and_no_chunk_has_gaps() {
        for width in [1, 3, 11, 256, 5_000] {
            let words = Words::new(width, 1 << 32);
            let mut first = 0;
            for chunk in 0..40 {
                let last = first + words.len(chunk) - 1;
                for record in [first, (first + last) / 2, last] {
                    let place = words.place(record);
                    assert_eq!((place.chunk, place.at), (chunk, record - first), "record {record} of {width} words");
                }
                first = last + 1;
            }
            assert!(first > 4 << words.last, "some of each length");
        }
    }

    #[test]
    fn records_are_put_in_across_chunks() {
        let words = Words::new(2, 1 << 20);
        let first = (1 << words.first) - 1;
        let octets: Vec<u8> = [7_u64, 8, 9, 10].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(words.put(first, &octets), Some(()));
        assert_eq!([0, 1, 2].map(|after| read(&words, first + after)), [[7, 8], [9, 10], [0, 0]]);
        assert_eq!(words.put(first, &octets[1..]), None, "no whole records");
        assert_eq!(words.put(1 << 40, &octets), None, "nowhere");
    }

    #[test]
    fn beyond_the_most_there_is_nothing() {
        let words = Words::new(1, 10);
        assert!(words.make(9).is_some());
        assert!(words.make(1 << 40).is_none());
        assert!(words.get(1 << 40).is_none());
    }
}
