//! One page of a run: the entries of one bucket of hashes, sorted, and the filter that says what is surely not there.
//!
//! A page is `entry*`, an entry `hash (8) · number (5)`, big-endian. A run of *n* pages deals all hashes to its pages in
//! equal shares and in order, so that the page of a hash is computed, and two runs are merged by walking along both.

use crate::ledger::LedgerError;

/// Hash and certificate number.
pub(super) type Entry = (u64, u64);

/// How hashes are dealt to the pages of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// How many pages.
    pub pages: u32,
}

impl Layout {
    /// For so many entries.
    pub fn of(entries: u64) -> Self {
        let pages = entries.div_ceil(ENTRIES_PER_PAGE).max(1);
        Self { pages: u32::try_from(pages).expect("2³² pages hold more entries than certificates have numbers") }
    }

    /// The page of a hash.
    pub fn page_of(self, hash: u64) -> u32 {
        ((u128::from(hash) * u128::from(self.pages)) >> 64) as u32
    }

    /// The lowest hash of a page.
    pub fn first_hash(self, page: u32) -> u64 {
        let share = u128::from(page) << 64;
        share.div_ceil(u128::from(self.pages)) as u64
    }

    /// The highest hash of the pages before `end`.
    pub fn last_hash(self, end: u32) -> u64 {
        if end >= self.pages { u64::MAX } else { self.first_hash(end) - 1 }
    }
}

/// The bytes of the pages from `first` to before `end`, from exactly their entries, sorted.
pub(super) fn fill(layout: Layout, first: u32, end: u32, entries: &[Entry]) -> Vec<Vec<u8>> {
    let mut rest = entries;
    let pages = (first..end)
        .map(|page| {
            let last = layout.last_hash(page + 1);
            let (of_page, others) = rest.split_at(rest.partition_point(|entry| entry.0 <= last));
            rest = others;
            encode(of_page)
        })
        .collect();
    debug_assert!(rest.is_empty(), "entries belong to the pages asked for");
    pages
}

/// The numbers of a hash in a page.
pub(super) fn search(page: &[u8], hash: u64, found: &mut Vec<Entry>) -> Result<(), LedgerError> {
    let entries = entries_of(page)?;
    let first = entries.partition_point(|entry| decode(entry).0 < hash);
    found.extend(entries[first..].iter().map(decode).take_while(|entry| entry.0 == hash));
    Ok(())
}

/// The entries of a page within a range of hashes.
pub(super) fn within(page: &[u8], first: u64, last: u64, into: &mut Vec<Entry>) -> Result<(), LedgerError> {
    into.extend(entries_of(page)?.iter().map(decode).filter(|entry| (first..=last).contains(&entry.0)));
    Ok(())
}

/// The filter blocks of pages, one after the other.
pub(super) fn filter(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut bits = vec![0; pages.len() * FILTER_BLOCK_OCTETS];
    for (page, block) in pages.iter().zip(bits.chunks_mut(FILTER_BLOCK_OCTETS)) {
        for entry in page.as_chunks::<ENTRY_OCTETS>().0 {
            probes(decode(entry).0).for_each(|bit| block[bit / 8] |= 1 << (bit % 8));
        }
    }
    bits
}

/// Whether a page may have the hash; `false` is certain.
pub(super) fn may_have(block: &[u8], hash: u64) -> bool {
    probes(hash).all(|bit| block[bit / 8] & (1 << (bit % 8)) != 0)
}

fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut page = Vec::with_capacity(entries.len() * ENTRY_OCTETS);
    for (hash, no) in entries {
        page.extend_from_slice(&hash.to_be_bytes());
        page.extend_from_slice(&no.to_be_bytes()[3..]);
    }
    page
}

fn entries_of(page: &[u8]) -> Result<&[[u8; ENTRY_OCTETS]], LedgerError> {
    match page.as_chunks() {
        (entries, []) => Ok(entries),
        _ => Err(LedgerError::Damaged("a page of the look-ups is cut off".into())),
    }
}

fn decode(entry: &[u8; ENTRY_OCTETS]) -> Entry {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *entry;
    let [i, j, k, l, m] = rest;
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes([0, 0, 0, i, j, k, l, m]))
}

/// Bits of a filter block, nine bits of hash each. Within a page the upper bits are alike, so they are mixed first.
fn probes(hash: u64) -> impl Iterator<Item = usize> {
    let mixed = hash.wrapping_mul(MIX);
    (0..FILTER_PROBES).map(move |probe| (mixed >> (64 - 9 * (probe + 1))) as usize & (FILTER_BLOCK_OCTETS * 8 - 1))
}

const ENTRY_OCTETS: usize = 13;
/// Five or six such pages fill one page of the file.
const ENTRIES_PER_PAGE: u64 = 56;
/// 512 bits: nine for each entry of an ordinary page, which lets about 1 in 75 wrong hashes pass.
pub(super) const FILTER_BLOCK_OCTETS: usize = 64;
const FILTER_PROBES: u32 = 5;
/// Any odd number with its bits well spread will do: 2⁶⁴ divided by the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
/// A number beyond this doesn't fit an entry.
pub(super) const NUMBER_MAX: u64 = (1 << 40) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pages_deal_all_hashes_in_order(pages in 1u32..100_000, hash: u64) {
            let layout = Layout { pages };
            let page = layout.page_of(hash);
            prop_assert!(page < pages);
            prop_assert!((layout.first_hash(page)..=layout.last_hash(page + 1)).contains(&hash));
            prop_assert_eq!(layout.page_of(layout.first_hash(page)), page);
            prop_assert_eq!(layout.page_of(layout.last_hash(page + 1)), page);
        }

        #[test]
        fn what_was_filled_in_is_found_and_passes_the_filter(
            mut entries in prop::collection::vec((any::<u64>(), 0..=NUMBER_MAX), 1..500), absent: u64,
        ) {
            entries.sort_unstable();
            let layout = Layout::of(entries.len() as u64);
            let pages = fill(layout, 0, layout.pages, &entries);
            let bits = filter(&pages);
            let mut all = Vec::new();
            for page in &pages {
                within(page, 0, u64::MAX, &mut all).unwrap();
            }
            prop_assert_eq!(&all, &entries);
            for (hash, no) in &entries {
                let page = layout.page_of(*hash) as usize;
                let mut found = Vec::new();
                search(&pages[page], *hash, &mut found).unwrap();
                prop_assert!(found.contains(&(*hash, *no)));
                prop_assert!(may_have(&bits[page * FILTER_BLOCK_OCTETS..][..FILTER_BLOCK_OCTETS], *hash));
            }
            let mut found = Vec::new();
            search(&pages[layout.page_of(absent) as usize], absent, &mut found).unwrap();
            prop_assert_eq!(found.is_empty(), !entries.iter().any(|entry| entry.0 == absent));
        }
    }

    #[test]
    fn the_filter_keeps_most_others_out_however_large_the_run_is() {
        // Neighbouring hashes, as in one page of a run of 2³² pages: only their lower half differs.
        let hash = |n: u64| (7 << 32) | (n.wrapping_mul(0x5851_f42d_4c95_7f2d) >> 32);
        let page = encode(&(0..ENTRIES_PER_PAGE).map(|n| (hash(n), n)).collect::<Vec<_>>());
        let bits = filter(&[page]);
        let passed = (1000..11_000).filter(|n| may_have(&bits, hash(*n))).count();
        assert!(passed < 300, "{passed} of 10,000 passed");
    }
}
