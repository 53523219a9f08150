//! Arrays of atomic words that grow at their end and never move: records of a fixed width, found by number.
//!
//! Entries, groups, kept replies and details of changed certificates each lie in one. Readers find a record by two loads
//! that never wait; growing adds a chunk and copies nothing, so memory never doubles.

use std::sync::OnceLock;

use super::sync::AtomicU64;

/// Records of `width` words, numbered from 0.
pub struct Words {
    /// Written once each, by whoever holds the writer's turn; `OnceLock::get` is one acquiring load, so a reader that
    /// sees a chunk sees it zeroed.
    folders: Box<[OnceLock<Folder>]>,
    width: usize,
}

type Folder = Box<[OnceLock<Chunk>]>;
type Chunk = Box<[AtomicU64]>;

impl Words {
    /// Room for at least `records_max` records; nothing of it is taken yet.
    pub fn new(width: usize, records_max: u64) -> Self {
        let records_max = if cfg!(tashika_loom) { MODEL_RECORDS } else { records_max };
        let folders = records_max.div_ceil((CHUNK_RECORDS * FOLDER_CHUNKS) as u64);
        Self { folders: (0..folders).map(|_| OnceLock::new()).collect(), width }
    }

    /// The words of a record, if its chunk is there.
    #[inline]
    pub fn get(&self, record: usize) -> Option<&[AtomicU64]> {
        let chunk = record / CHUNK_RECORDS;
        let folder = self.folders.get(chunk / FOLDER_CHUNKS)?.get()?;
        let words = folder[chunk % FOLDER_CHUNKS].get()?;
        let first = record % CHUNK_RECORDS * self.width;
        Some(&words[first..first + self.width])
    }

    /// The words of a record, making its chunk if it isn't there; `None` beyond the most that there can be.
    pub fn make(&self, record: usize) -> Option<&[AtomicU64]> {
        let chunk = record / CHUNK_RECORDS;
        let new_folder = || (0..FOLDER_CHUNKS).map(|_| OnceLock::new()).collect();
        let folder = self.folders.get(chunk / FOLDER_CHUNKS)?.get_or_init(new_folder);
        let new_chunk = || (0..CHUNK_RECORDS * self.width).map(|_| AtomicU64::new(0)).collect();
        folder[chunk % FOLDER_CHUNKS].get_or_init(new_chunk);
        self.get(record)
    }

    /// Puts a whole chunk in its place, from words in little-endian octets; what they leave of it is zero. `None` if it is
    /// there already, or there is no such place, or the octets are no words of one chunk.
    pub fn fill(&self, chunk: usize, octets: &[u8]) -> Option<()> {
        let len = CHUNK_RECORDS * self.width;
        if !octets.len().is_multiple_of(8) || octets.len() / 8 > len {
            return None;
        }
        let mut words = Vec::with_capacity(len);
        let word = |word: &[u8]| AtomicU64::new(u64::from_le_bytes(word.try_into().expect("eight octets")));
        words.extend(octets.chunks_exact(8).map(word));
        words.resize_with(len, || AtomicU64::new(0));
        let new_folder = || (0..FOLDER_CHUNKS).map(|_| OnceLock::new()).collect();
        let folder = self.folders.get(chunk / FOLDER_CHUNKS)?.get_or_init(new_folder);
        folder[chunk % FOLDER_CHUNKS].set(words.into()).ok()
    }
}

/// Large enough that the pointers to chunks are nothing beside them, small enough that the last, half-empty one of a
/// small installation is.
pub const CHUNK_RECORDS: usize = if cfg!(tashika_loom) { 2 } else { 1 << 12 };
/// A model has no room for the pointers of a nation.
const MODEL_RECORDS: u64 = 16;
const FOLDER_CHUNKS: usize = if cfg!(tashika_loom) { 2 } else { 1 << 10 };

#[cfg(test)]
mod tests {
    use super::super::sync::Ordering;
    use super::*;

    #[test]
    fn records_are_apart_and_stay_where_they_are() {
        let words = Words::new(3, 1 << 32);
        assert!(words.get(0).is_none());
        let far = CHUNK_RECORDS * FOLDER_CHUNKS + 7;
        for record in [0, 1, CHUNK_RECORDS - 1, CHUNK_RECORDS, far] {
            words.make(record).unwrap().iter().for_each(|word| word.store(record as u64 + 1, Ordering::Relaxed));
        }
        for record in [0, 1, CHUNK_RECORDS - 1, CHUNK_RECORDS, far] {
            let found = words.get(record).unwrap();
            assert_eq!(found.len(), 3);
            assert!(found.iter().all(|word| word.load(Ordering::Relaxed) == record as u64 + 1));
        }
    }

    #[test]
    fn a_chunk_is_put_in_once_and_its_rest_is_zero() {
        let words = Words::new(2, 1 << 20);
        let octets: Vec<u8> = [7_u64, 8, 9, 10].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(words.fill(3, &octets), Some(()));
        let read = |record| words.get(record).unwrap().iter().map(|w| w.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 4095].map(|at| read(3 * CHUNK_RECORDS + at)), [[7, 8], [9, 10], [0, 0], [0, 0]]);
        assert_eq!(words.fill(3, &octets), None, "it is there");
        assert_eq!(words.fill(4, &octets[1..]), None, "no words");
        assert_eq!(words.fill(5, &vec![0; CHUNK_RECORDS * 16 + 8]), None, "more than a chunk");
        assert_eq!(words.fill(1 << 30, &octets), None, "nowhere");
    }

    #[test]
    fn beyond_the_most_there_is_nothing() {
        let words = Words::new(1, 10);
        assert!(words.make(CHUNK_RECORDS * FOLDER_CHUNKS - 1).is_some());
        assert!(words.make(CHUNK_RECORDS * FOLDER_CHUNKS).is_none());
        assert!(words.get(CHUNK_RECORDS * FOLDER_CHUNKS).is_none());
    }
}
