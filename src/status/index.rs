//! From a certificate's keyed hash to its number: open addressing in shards that grow one at a time.
//!
//! The table (`table`) looks certificates up in it; the writer puts them in. A slot is one word (32 bits of hash, 32 of
//! number) and is written once, so there is nothing to tear; a shard that is full is copied into one an eighth larger
//! (or a block larger) and swapped, while readers go on in the old one. Only one shard of thousands exists twice at any time, and no
//! certificate is hashed again, since the slot holds the bits that decide its place.
//!
//! Chosen serials can't crowd a shard or a run: the hash is SipHash under a key drawn at start, so whoever doesn't know
//! the key can't do better than random serials. Long runs make a miss slower, never wrong: what is compared in the end
//! is the whole issuer and serial.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::model::CertificateKey;

use super::sync::{AtomicU64, Ordering, Swap};

/// The secret that the hash is keyed with; drawn at start, never shown, stored only under the seal of a snapshot.
#[derive(Clone)]
pub struct HashKey([u8; 16]);

/// The numbers of all certificates, by hash.
pub struct Index {
    key: HashKey,
    shards: Box<[Swap<Shard>]>,
}

/// How many certificates each shard holds: the writer's.
pub struct Counts(Box<[u32]>);

/// A certificate's hash under the index's key.
#[derive(Clone, Copy)]
pub struct KeyHash {
    shard: usize,
    /// Decides the place within the shard, and is kept in the slot.
    within: u32,
}

/// Blocks of one size, so that what one shard leaves when it grows is just what the next one needs: shards in one piece
/// each would leave pieces that are too small for all that still grow, half as much again as the index itself.
struct Shard {
    blocks: Box<[Box<[AtomicU64]>]>,
    len: usize,
}

impl HashKey {
    /// The key made of 16 octets of entropy.
    pub fn new(entropy: [u8; 16]) -> Self {
        Self(entropy)
    }

    /// The octets, for the sealed part of a snapshot: what lies in the shards follows from them.
    pub(super) fn octets(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Index {
    /// The key that decides where everything lies.
    pub fn key(&self) -> &HashKey {
        &self.key
    }

    pub fn new(key: HashKey) -> Self {
        let shards = (0..SHARDS).map(|shard| Swap::new(Shard::of(first_len(shard))));
        Self { key, shards: shards.collect() }
    }

    pub fn counts() -> Counts {
        Counts(vec![0; SHARDS].into())
    }

    #[inline]
    pub fn hash(&self, key: &CertificateKey) -> KeyHash {
        let mut hasher = SipHasher13::new_with_key(&self.key.0);
        hasher.write(&key.issuer.0.to_le_bytes());
        // No serial begins with a zero octet, so the octets alone say how many they are.
        hasher.write(key.serial.as_octets());
        let hash = hasher.finish();
        KeyHash { shard: (hash >> 32) as usize % SHARDS, within: hash as u32 }
    }

    /// The first number under this hash that `is_it` accepts.
    #[inline]
    pub fn find(&self, hash: KeyHash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.shards[hash.shard].read(|shard| {
            let mut at = shard.home(hash.within);
            // A shard is never full, so there is an empty slot to stop at; the bound is for who doubts it.
            for _ in 0..shard.len {
                // Acquire: pairs with the release store in `insert`; who sees a number sees its entry.
                let slot = shard.slot(at).load(Ordering::Acquire);
                if slot == EMPTY {
                    return None;
                }
                if (slot >> 32) as u32 == hash.within && is_it(slot as u32) {
                    return Some(slot as u32);
                }
                at = shard.after(at);
            }
            None
        })
    }

    /// Every slot of a shard that is taken, in the order in which they lie.
    pub fn slots_of(&self, shard: usize, mut visit: impl FnMut(u64)) {
        self.shards[shard].read(|shard| {
            for slot in shard.blocks.iter().flatten() {
                let slot = slot.load(Ordering::Acquire);
                if slot != EMPTY {
                    visit(slot);
                }
            }
        });
    }

    /// Replaces a whole shard by one with these slots, as long as one that grew until it held them. `None` if there is no
    /// such shard, or a slot is empty.
    pub fn fill(&self, shard: usize, slots: impl ExactSizeIterator<Item = u64>) -> Option<()> {
        let place = self.shards.get(shard)?;
        let full = Shard::holding(shard, slots.len());
        for slot in slots {
            if slot as u32 == 0 {
                return None;
            }
            full.put(slot);
        }
        place.put(full);
        Some(())
    }

    /// Puts a number in, which is not zero. Its entry must be complete.
    pub fn insert(&self, counts: &mut Counts, hash: KeyHash, number: u32) {
        assert!(number != 0, "certificates are numbered from 1");
        let count = &mut counts.0[hash.shard];
        let mut shard = self.shards[hash.shard].get();
        if *count as usize >= shard.most() {
            self.shards[hash.shard].put(shard.larger());
            shard = self.shards[hash.shard].get();
        }
        shard.put(u64::from(hash.within) << 32 | u64::from(number));
        *count += 1;
    }
}

impl Counts {
    /// Notes what [`Index::fill`] put in.
    pub fn set(&mut self, shard: usize, count: u32) {
        self.0[shard] = count;
    }
}

impl Shard {
    /// As it is when it has just grown as far as so many need.
    fn holding(shard: usize, count: usize) -> Self {
        let mut len = rounded(first_len(shard));
        while most(len) < count {
            len = larger(len);
        }
        Self::of(len)
    }

    /// Less than a block, or whole blocks.
    fn of(len: usize) -> Self {
        let block = |len: usize| (0..len).map(|_| AtomicU64::new(EMPTY)).collect();
        if len < BLOCK {
            return Self { blocks: [block(len)].into(), len };
        }
        let len = rounded(len);
        Self { blocks: (0..len / BLOCK).map(|_| block(BLOCK)).collect(), len }
    }

    fn slot(&self, at: usize) -> &AtomicU64 {
        &self.blocks[at / BLOCK][at % BLOCK]
    }

    /// How many it may hold before it must grow.
    fn most(&self) -> usize {
        most(self.len)
    }

    /// The same numbers with an eighth more room.
    fn larger(&self) -> Self {
        let larger = Self::of(larger(self.len));
        for slot in self.blocks.iter().flatten() {
            let slot = slot.load(Ordering::Relaxed);
            if slot != EMPTY {
                larger.put(slot);
            }
        }
        larger
    }

    fn put(&self, slot: u64) {
        let mut at = self.home((slot >> 32) as u32);
        while self.slot(at).load(Ordering::Relaxed) != EMPTY {
            at = self.after(at);
        }
        // Release: pairs with the acquire load in `find`.
        self.slot(at).store(slot, Ordering::Release);
    }

    fn home(&self, within: u32) -> usize {
        ((u64::from(within) * self.len as u64) >> 32) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.len { 0 } else { at + 1 }
    }
}

/// Less than a block, or whole blocks.
fn rounded(len: usize) -> usize {
    if len < BLOCK { len } else { (len + BLOCK / 2) / BLOCK * BLOCK }
}

/// The length after this one.
fn larger(len: usize) -> usize {
    // At a few blocks, an eighth may round to nothing.
    rounded(len + if len < BLOCK { len.div_ceil(8) } else { (len / 8).max(BLOCK) })
}

/// How many a shard of this length may hold before it must grow.
fn most(len: usize) -> usize {
    len * LOAD_MAX_PERCENT / 100
}

/// The lengths of eight neighbouring shards are spread over one step of growth, so that they don't all grow at once and
/// what is empty on average stays the same at every size.
fn first_len(shard: usize) -> usize {
    FIRST_LEN + shard % 8
}

const EMPTY: u64 = 0;

/// At 300 million a shard of 73,000 is copied in half a millisecond; empty, they take two megabytes.
pub const SHARDS: usize = if cfg!(tashika_loom) { 1 } else { 4096 };
const FIRST_LEN: usize = if cfg!(tashika_loom) { 2 } else { 64 };

/// Two kilobytes: what lies around it (a pointer, the allocator's word) is one part in sixty.
const BLOCK: usize = 256;

/// Linear probing looks at 4 neighbouring slots for a hit and 22 for a miss when it is this full, at 2.4 and 7 when
/// it has just grown; eight of them share a cache line.
const LOAD_MAX_PERCENT: usize = if cfg!(tashika_loom) { 50 } else { 85 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IssuerNo, Serial};

    fn key(number: u32) -> CertificateKey {
        CertificateKey { issuer: IssuerNo(1), serial: Serial::from_unsigned(&number.to_be_bytes()).unwrap() }
    }

    #[test]
    fn everything_is_found_through_many_growths_and_nothing_else_is() {
        let index = Index::new(HashKey::new([3; 16]));
        let mut counts = Index::counts();
        for number in 1..=300_000 {
            index.insert(&mut counts, index.hash(&key(number)), number);
        }
        for number in 1..=300_000 {
            assert_eq!(index.find(index.hash(&key(number)), |found| found == number), Some(number));
        }
        assert!((300_001..400_000).all(|number| index.find(index.hash(&key(number)), |_| true).is_none()));
        let load = counts.0.iter().map(|count| *count as usize).sum::<usize>() as f64
            / index.shards.iter().map(|shard| shard.read(|shard| shard.len)).sum::<usize>() as f64;
        assert!((0.75..0.86).contains(&load), "{load}");
    }

    #[test]
    fn a_shard_of_many_blocks_keeps_all_and_is_never_too_full_nor_too_empty() {
        let mut shard = Shard::of(first_len(0));
        for number in 1..=20_000_u32 {
            if number as usize > shard.most() {
                shard = shard.larger();
            }
            // Spread over all homes, as a hash would be.
            shard.put(u64::from(number.wrapping_mul(0x9e37_79b9)) << 32 | u64::from(number));
            let load = f64::from(number) / shard.len as f64;
            assert!(number < 4_000 || (0.73..=0.85).contains(&load), "{load} at {number}");
        }
        assert!(shard.blocks.len() > 50 && shard.blocks.iter().all(|block| block.len() == BLOCK));
        let mut kept: Vec<u32> = shard
            .blocks
            .iter()
            .flatten()
            .map(|slot| slot.load(Ordering::Relaxed) as u32)
            .filter(|no| *no != 0)
            .collect();
        kept.sort_unstable();
        assert!(kept.into_iter().eq(1..=20_000));
    }

    #[test]
    fn a_shard_filled_at_once_is_as_long_as_one_that_grew_and_goes_on_growing() {
        let (grown, filled) = (Index::new(HashKey::new([3; 16])), Index::new(HashKey::new([3; 16])));
        let (mut counts, mut filled_counts) = (Index::counts(), Index::counts());
        (1..=200_000).for_each(|number| grown.insert(&mut counts, grown.hash(&key(number)), number));
        for shard in 0..SHARDS {
            let mut slots = Vec::new();
            grown.slots_of(shard, |slot| slots.push(slot));
            filled_counts.set(shard, slots.len() as u32);
            filled.fill(shard, slots.into_iter()).unwrap();
            let len = |index: &Index| index.shards[shard].read(|shard| shard.len);
            assert_eq!(len(&filled), len(&grown));
        }
        assert_eq!(filled_counts.0, counts.0);
        (200_001..=300_000).for_each(|number| filled.insert(&mut filled_counts, filled.hash(&key(number)), number));
        for number in 1..=300_000 {
            assert_eq!(filled.find(filled.hash(&key(number)), |found| found == number), Some(number));
        }
        assert_eq!(filled.fill(SHARDS, [1].into_iter()), None);
        assert_eq!(filled.fill(0, [1 << 32].into_iter()), None, "nobody's number");
    }

    #[test]
    fn equal_hashes_are_told_apart_by_who_asks() {
        let index = Index::new(HashKey::new([3; 16]));
        let (mut counts, hash) = (Index::counts(), index.hash(&key(1)));
        (1..=50).for_each(|number| index.insert(&mut counts, hash, number));
        assert!((1..=50).all(|number| index.find(hash, |found| found == number) == Some(number)));
        assert_eq!(index.find(hash, |found| found == 51), None);
    }

    #[test]
    fn another_key_is_another_order() {
        let (one, other) = (Index::new(HashKey::new([1; 16])), Index::new(HashKey::new([2; 16])));
        let same = |number: &u32| one.hash(&key(*number)).within == other.hash(&key(*number)).within;
        assert!((1..1_000).filter(same).count() < 3);
    }
}
