//! One shard of the index: its slots, and the blocks that they lie in.
//!
//! `index` finds and puts numbers in it. All blocks are of one size and lie in one array that never moves, so that what one
//! shard leaves when it grows is just what the next one needs: shards in one piece each would leave pieces that are too
//! small for all that still grow, half as much again as the index itself. A block is named by four octets; those of all
//! shards together fit into the nearest caches.

use std::sync::Arc;

use smallvec::SmallVec;

use super::sync::{AtomicU64, Ordering};
use super::words::Words;

/// A run of slots, to be probed around.
pub struct Shard {
    slots: Slots,
    /// How many slots there are.
    pub len: usize,
}

enum Slots {
    /// Less than a block.
    Few(Box<[AtomicU64]>),
    /// Numbers in the index's [`Blocks`].
    Blocks(SmallVec<[u32; NEAR]>),
}

/// The blocks of all shards.
pub struct Blocks {
    words: Words,
    /// How many were ever taken.
    taken: AtomicU64,
}

/// Blocks that no shard has: the writer's.
#[derive(Default)]
pub struct Spare {
    blocks: Vec<u32>,
    /// Shards that were replaced, and that a reader may still look at.
    left: Vec<Arc<Shard>>,
}

impl Blocks {
    pub fn new() -> Self {
        Self { words: Words::new(BLOCK, BLOCKS_MAX), taken: AtomicU64::new(0) }
    }

    fn block(&self, number: u32) -> &[AtomicU64] {
        self.words.get(number as usize).expect("a shard's blocks are made before the shard")
    }

    /// An empty block: one that was left, or a new one.
    fn take(&self, spare: &mut Spare) -> u32 {
        if let Some(number) = spare.blocks.pop() {
            self.block(number).iter().for_each(|slot| slot.store(EMPTY, Ordering::Relaxed));
            return number;
        }
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        self.words.make(number as usize).expect("there are blocks for all numbers that there can be");
        number as u32
    }
}

impl Spare {
    /// Takes in a shard that was replaced. Its blocks are spare once no reader looks at it: the swap gives each reader
    /// that still does a share of its own, so whoever has the only one has it alone.
    pub fn leave(&mut self, shard: Arc<Shard>) {
        self.left.push(shard);
        for shard in std::mem::take(&mut self.left) {
            match Arc::try_unwrap(shard) {
                Ok(Shard { slots: Slots::Blocks(blocks), .. }) => self.blocks.extend(blocks),
                Ok(_) => {}
                Err(shard) => self.left.push(shard),
            }
        }
    }
}

impl Shard {
    /// As the shard with that number is at first.
    pub fn first(number: usize) -> Self {
        let slots = (0..first_len(number)).map(|_| AtomicU64::new(EMPTY)).collect();
        Self { slots: Slots::Few(slots), len: first_len(number) }
    }

    /// As it is when it has just grown as far as so many need.
    pub fn holding(blocks: &Blocks, spare: &mut Spare, number: usize, count: usize) -> Self {
        let mut len = rounded(first_len(number));
        while most(len) < count {
            len = larger(len);
        }
        Self::of(blocks, spare, len)
    }

    /// The same numbers with an eighth more room.
    pub fn larger(&self, blocks: &Blocks, spare: &mut Spare) -> Self {
        let larger = Self::of(blocks, spare, larger(self.len));
        self.visit(blocks, |slot| larger.put(blocks, slot));
        larger
    }

    /// How many it may hold before it must grow.
    pub fn most(&self) -> usize {
        most(self.len)
    }

    /// The first number under these bits of a hash that `is_it` accepts.
    #[inline]
    pub fn find(&self, blocks: &Blocks, within: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.home(within);
        // A shard is never full, so there is an empty slot to stop at; the bound is for who doubts it.
        for _ in 0..self.len {
            // Acquire: pairs with the release store in `put`; who sees a number sees its entry.
            let slot = self.slot(blocks, at).load(Ordering::Acquire);
            if slot == EMPTY {
                return None;
            }
            if (slot >> 32) as u32 == within && is_it(slot as u32) {
                return Some(slot as u32);
            }
            at = self.after(at);
        }
        None
    }

    /// Every slot that is taken, in the order in which they lie.
    pub fn visit(&self, blocks: &Blocks, mut visit: impl FnMut(u64)) {
        let mut taken = |slots: &[AtomicU64]| {
            slots.iter().map(|slot| slot.load(Ordering::Acquire)).filter(|slot| *slot != EMPTY).for_each(&mut visit);
        };
        match &self.slots {
            Slots::Few(slots) => taken(slots),
            Slots::Blocks(numbers) => numbers.iter().for_each(|number| taken(blocks.block(*number))),
        }
    }

    /// Puts in a slot: a hash's bits above a number that isn't zero.
    pub fn put(&self, blocks: &Blocks, slot: u64) {
        let mut at = self.home((slot >> 32) as u32);
        while self.slot(blocks, at).load(Ordering::Relaxed) != EMPTY {
            at = self.after(at);
        }
        // Release: pairs with the acquire load in `find`.
        self.slot(blocks, at).store(slot, Ordering::Release);
    }

    /// Less than a block, or whole blocks.
    fn of(blocks: &Blocks, spare: &mut Spare, len: usize) -> Self {
        if len < BLOCK {
            return Self { slots: Slots::Few((0..len).map(|_| AtomicU64::new(EMPTY)).collect()), len };
        }
        let len = rounded(len);
        Self { slots: Slots::Blocks((0..len / BLOCK).map(|_| blocks.take(spare)).collect()), len }
    }

    #[inline]
    fn slot<'a>(&'a self, blocks: &'a Blocks, at: usize) -> &'a AtomicU64 {
        match &self.slots {
            Slots::Few(slots) => &slots[at],
            Slots::Blocks(numbers) => &blocks.block(numbers[at / BLOCK])[at % BLOCK],
        }
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
fn first_len(number: usize) -> usize {
    FIRST_LEN + number % 8
}

const EMPTY: u64 = 0;

const FIRST_LEN: usize = if cfg!(tashika_loom) { 2 } else { 64 };

/// Two kilobytes: what names it is one part in five hundred.
const BLOCK: usize = if cfg!(tashika_loom) { 4 } else { 256 };
/// So many names lie in the shard itself, up to some twenty million certificates: another place would be another miss.
const NEAR: usize = 24;
/// For 2³² numbers, at the emptiest.
const BLOCKS_MAX: u64 = 1 << 25;

/// Linear probing looks at 4 neighbouring slots for a hit and 22 for a miss when it is this full, at 2.4 and 7 when
/// it has just grown; eight of them share a cache line.
const LOAD_MAX_PERCENT: usize = if cfg!(tashika_loom) { 50 } else { 85 };

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from 1, spread over all homes, as a hash would be.
    fn slot(number: u32) -> u64 {
        u64::from(number.wrapping_mul(0x9e37_79b9)) << 32 | u64::from(number)
    }

    fn numbers(shard: &Shard, blocks: &Blocks) -> Vec<u32> {
        let mut found = Vec::new();
        shard.visit(blocks, |slot| found.push(slot as u32));
        found.sort_unstable();
        found
    }

    #[test]
    fn a_shard_of_many_blocks_keeps_all_and_is_never_too_full_nor_too_empty() {
        let (blocks, mut spare) = (Blocks::new(), Spare::default());
        let mut shard = Shard::first(0);
        for number in 1..=20_000_u32 {
            if number as usize > shard.most() {
                let larger = shard.larger(&blocks, &mut spare);
                spare.leave(Arc::new(std::mem::replace(&mut shard, larger)));
            }
            shard.put(&blocks, slot(number));
            let load = f64::from(number) / shard.len as f64;
            assert!(number < 4_000 || (0.73..=0.85).contains(&load), "{load} at {number}");
        }
        assert!(numbers(&shard, &blocks).into_iter().eq(1..=20_000));
        // As many again were needed while the last was copied.
        let taken = blocks.taken.load(Ordering::Relaxed) as usize;
        assert!((shard.len / BLOCK..2 * shard.len / BLOCK).contains(&taken), "{taken} for {}", shard.len);
    }

    #[test]
    fn what_a_reader_looks_at_stays_until_it_has_looked() {
        let (blocks, mut spare) = (Blocks::new(), Spare::default());
        let old = Arc::new(Shard::holding(&blocks, &mut spare, 0, 300));
        (1..=300).for_each(|number| old.put(&blocks, slot(number)));
        let reader = old.clone();
        let larger = old.larger(&blocks, &mut spare);
        spare.leave(old);
        let other = Shard::holding(&blocks, &mut spare, 1, 300);
        (1_001..=1_300).for_each(|number| other.put(&blocks, slot(number)));
        assert!(numbers(&reader, &blocks).into_iter().eq(1..=300));
        assert!(spare.blocks.is_empty());
        drop(reader);
        spare.leave(Arc::new(Shard::first(0)));
        assert_eq!(spare.blocks.len(), 2);
        let taken = blocks.taken.load(Ordering::Relaxed);
        let again = Shard::holding(&blocks, &mut spare, 1, 300);
        assert_eq!((numbers(&again, &blocks), blocks.taken.load(Ordering::Relaxed)), (Vec::new(), taken));
        assert!(numbers(&larger, &blocks).into_iter().eq(1..=300));
        assert!(numbers(&other, &blocks).into_iter().eq(1_001..=1_300));
    }
}
