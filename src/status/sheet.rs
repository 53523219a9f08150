//! Zeroed memory for the table's arrays: a small piece from the allocator, a large one in large pages from the system.
//!
//! `words` cuts its chunks from these. Where a nation's table is read at random, an ordinary page of 4 KiB costs a walk
//! through the page tables for nearly every line that is touched; in pages of 2 MiB the processor remembers where all lie.
//! Nothing of a piece is resident before it is touched.

use std::ops::Deref;

use super::sync::AtomicU64;

/// Words that are zero at first, and never move.
pub struct Sheet(Kind);

enum Kind {
    Small(Box<[AtomicU64]>),
    #[cfg(not(tashika_loom))]
    Large(large::Mapped),
}

impl Sheet {
    /// So many words.
    pub fn zeroed(len: usize) -> Self {
        #[cfg(not(tashika_loom))]
        if len >= LARGE_WORDS
            && let Some(mapped) = large::Mapped::zeroed(len)
        {
            return Self(Kind::Large(mapped));
        }
        Self(Kind::Small((0..len).map(|_| AtomicU64::new(0)).collect()))
    }
}

impl Deref for Sheet {
    type Target = [AtomicU64];

    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        match &self.0 {
            Kind::Small(words) => words,
            #[cfg(not(tashika_loom))]
            Kind::Large(mapped) => mapped.words(),
        }
    }
}

#[cfg(not(tashika_loom))]
mod large {
    use memmap2::{Advice, MmapMut};

    use super::super::sync::AtomicU64;
    use super::PAGE_OCTETS;

    /// A mapping of its own, of which the words begin where a large page does.
    pub struct Mapped {
        map: MmapMut,
        /// In octets, from the mapping's beginning.
        first: usize,
        len: usize,
    }

    impl Mapped {
        /// `None` if the system has no more room; the allocator then says so in its own way.
        pub fn zeroed(len: usize) -> Option<Self> {
            let octets = len.checked_mul(size_of::<AtomicU64>())?;
            // A large page lies where its size divides the address; which address we get is the system's choice.
            let map = MmapMut::map_anon(octets.checked_add(PAGE_OCTETS)?).ok()?;
            let first = map.as_ptr().align_offset(PAGE_OCTETS);
            if first > PAGE_OCTETS {
                return None;
            }
            // What doesn't fill a large page stays in small ones, of which only those are resident that are touched. A system
            // without large pages refuses, and then all lie in small ones.
            let _ = map.advise_range(Advice::HugePage, first, octets / PAGE_OCTETS * PAGE_OCTETS);
            Some(Self { map, first, len })
        }

        #[inline]
        #[allow(unsafe_code, reason = "no safe interface shows a mapping as atomic words")]
        pub fn words(&self) -> &[AtomicU64] {
            // SAFETY: `first` and `len` words of eight octets lie within the mapping (`zeroed`: it is one page longer than the
            // words, and `first` is at most a page), which lives as long as `self` is borrowed. The address is a multiple of
            // PAGE_OCTETS, so of eight. An anonymous mapping is zeroed, and any octets are an `AtomicU64`. Nobody else has
            // the mapping: it is private to this process and to this struct, and is used through these words only, which may
            // be written through a shared reference.
            unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.first).cast(), self.len) }
        }
    }
}

/// On x86-64, and on AArch64 with small pages of 4 KiB.
#[cfg(not(tashika_loom))]
const PAGE_OCTETS: usize = 2 << 20;
/// Smaller pieces have no large page to lie in.
#[cfg(not(tashika_loom))]
const LARGE_WORDS: usize = PAGE_OCTETS / size_of::<AtomicU64>();

#[cfg(test)]
mod tests {
    use super::super::sync::Ordering;
    use super::*;

    #[test]
    fn every_word_is_there_zeroed_and_its_own() {
        for len in [0, 1, 1_000, LARGE_WORDS - 1, LARGE_WORDS, LARGE_WORDS + 1, 3 * LARGE_WORDS + 17] {
            let sheets = [Sheet::zeroed(len), Sheet::zeroed(len)];
            for (sheet, mark) in sheets.iter().zip([1 << 40, 1 << 41]) {
                assert_eq!(sheet.len(), len);
                for (word, at) in sheet.iter().zip(0_u64..) {
                    assert_eq!(word.swap(at | mark, Ordering::Relaxed), 0);
                }
            }
            for (sheet, mark) in sheets.iter().zip([1 << 40, 1 << 41]) {
                assert!(sheet.iter().zip(0_u64..).all(|(word, at)| word.load(Ordering::Relaxed) == at | mark));
            }
        }
    }

    #[test]
    fn a_large_piece_begins_with_a_large_page_and_is_written_by_several() {
        let sheet = Sheet::zeroed(2 * LARGE_WORDS);
        assert!(matches!(sheet.0, Kind::Large(_)));
        assert!(sheet.as_ptr().addr().is_multiple_of(PAGE_OCTETS));
        std::thread::scope(|scope| {
            for part in sheet.chunks(LARGE_WORDS / 2) {
                scope.spawn(|| part.iter().for_each(|word| word.store(1, Ordering::Relaxed)));
            }
        });
        assert!(sheet.iter().all(|word| word.load(Ordering::Relaxed) == 1));
    }
}
