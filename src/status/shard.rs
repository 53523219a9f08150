//! The shards of the index: for each a run of slots, in blocks that lie anywhere.
//!
//! `index` finds and puts numbers in them. Every step that a look-up takes before it comes to a slot waits for the one
//! before it, so there are two, in arrays that a near cache holds: a shard's head, which says how long it is, and the name
//! of the block that the slot lies in. All blocks are of one size and lie in one array that never moves, so that what one
//! shard leaves when it grows is just what the next one needs: shards in one piece each would leave pieces that are too
//! small for all that still grow, half as much again as the index itself.
//!
//! ## Why nobody is missed, though blocks are used again at once
//!
//! A shard grows by a copy in other blocks. Their names are written on the side that its head doesn't show, and then the
//! head is replaced by one word that shows that side and the new length. Nobody says that he is reading, so a reader may
//! be in blocks that were left, and that are another shard's by now.
//!
//! - **What it finds there is found.** A slot is one word, a number leads to its certificate for ever, and the certificate
//!   is compared whole: it doesn't matter where the number was met.
//! - **That nothing is there is believed only if the head is still the same.** Whoever meets a word that was stored after
//!   a block was left, or a name, has with it (the release fence in `take`, the acquire fence in `find`) the head that was
//!   stored before that, or a later one. A shard only grows, so no head ever returns.
//!
//! So a reader begins anew only after this very shard has grown by an eighth, and waits for nobody: until the one store of
//! the new head, the old blocks are whole.

use super::sync::{AtomicU64, Ordering, fence};
use super::words::Words;

/// All shards, by number.
pub struct Shards {
    /// A [`Head`] for each.
    heads: Box<[AtomicU64]>,
    /// One record for each block that the longest shard has, in which every shard has a word with two names: one for each side.
    names: Words,
    blocks: Words,
    /// How many blocks were ever taken.
    taken: AtomicU64,
}

/// Blocks that no shard has: the writer's.
#[derive(Default)]
pub struct Spare(Vec<u32>);

/// How long a shard is, in slots, above a bit for the side on which its blocks' names stand.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head(u64);

impl Shards {
    /// So many, without any slots.
    pub fn new(count: usize) -> Self {
        Self {
            heads: (0..count).map(|_| AtomicU64::new(0)).collect(),
            names: Words::new(count, BLOCKS_MAX / count as u64),
            blocks: Words::new(BLOCK, BLOCKS_MAX),
            taken: AtomicU64::new(0),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.heads.len()
    }

    /// The first number under these bits of a hash that `is_it` accepts.
    #[inline]
    pub fn find(&self, shard: usize, within: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        // Acquire: pairs with `show`; who sees a head sees the blocks' names and what was copied into them.
        let mut head = Head(self.heads[shard].load(Ordering::Acquire));
        loop {
            if let Some(number) = self.find_under(shard, head, within, &is_it) {
                return Some(number);
            }
            // Acquire: pairs with the fence in `take`; see above.
            fence(Ordering::Acquire);
            let present = Head(self.heads[shard].load(Ordering::Acquire));
            if present == head {
                return None;
            }
            head = present;
        }
    }

    /// How many it may hold before it must grow.
    pub fn most(&self, shard: usize) -> usize {
        most(self.head(shard).len())
    }

    /// Puts in a slot: a hash's bits above a number that isn't zero. For whoever has the writer's turn.
    pub fn put(&self, shard: usize, slot: u64) {
        self.put_under(shard, self.head(shard), slot);
    }

    /// The same numbers with an eighth more room. For whoever has the writer's turn.
    pub fn grow(&self, spare: &mut Spare, shard: usize) {
        let left = self.head(shard);
        let head = self.make(spare, shard, left, larger(left.len()));
        self.visit(shard, |slot| self.put_under(shard, head, slot));
        self.show(shard, head);
        spare.0.extend((0..left.blocks()).filter_map(|block| self.name(shard, left, block)));
    }

    /// Makes it as long as one that grew until it held so many, and empty. Before anybody looks, and for several threads
    /// at once, if each has shards of its own.
    pub fn make_for(&self, shard: usize, count: usize) {
        let mut len = 0;
        while most(len) < count {
            len = larger(len);
        }
        let head = self.make(&mut Spare::default(), shard, self.head(shard), len);
        self.show(shard, head);
    }

    /// Every slot that is taken, in the order in which they lie. For whoever has the writer's turn.
    pub fn visit(&self, shard: usize, mut visit: impl FnMut(u64)) {
        let head = self.head(shard);
        for block in (0..head.blocks()).filter_map(|block| self.block(shard, head, block)) {
            block.iter().map(|slot| slot.load(Ordering::Acquire)).filter(|slot| *slot != EMPTY).for_each(&mut visit);
        }
    }

    #[inline]
    fn find_under(&self, shard: usize, head: Head, within: u32, is_it: &impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = head.home(within);
        let mut block = self.block(shard, head, at / BLOCK)?;
        // A shard is never full, so there is an empty slot to stop at. The bound is for blocks that were left.
        for _ in 0..head.len() {
            // Acquire: pairs with the release store in `put_under`; who sees a number sees its entry.
            let slot = block[at % BLOCK].load(Ordering::Acquire);
            if slot == EMPTY {
                return None;
            }
            if (slot >> 32) as u32 == within && is_it(slot as u32) {
                return Some(slot as u32);
            }
            at = head.after(at);
            if at.is_multiple_of(BLOCK) {
                block = self.block(shard, head, at / BLOCK)?;
            }
        }
        None
    }

    fn put_under(&self, shard: usize, head: Head, slot: u64) {
        let block = |at: usize| self.block(shard, head, at / BLOCK).expect("a shard's blocks are made before its head");
        let mut at = head.home((slot >> 32) as u32);
        let mut slots = block(at);
        while slots[at % BLOCK].load(Ordering::Relaxed) != EMPTY {
            at = head.after(at);
            if at.is_multiple_of(BLOCK) {
                slots = block(at);
            }
        }
        // Release: pairs with the acquire load in `find_under`.
        slots[at % BLOCK].store(slot, Ordering::Release);
    }

    /// Empty blocks for so many slots, named on the side that `shown` doesn't show.
    fn make(&self, spare: &mut Spare, shard: usize, shown: Head, len: usize) -> Head {
        let head = shown.other_side(len);
        for block in 0..head.blocks() {
            let name = self.take(spare);
            let names = self.names.make(block).expect("there are names for all blocks that there can be");
            let kept = names[shard].load(Ordering::Relaxed) & !(u64::from(u32::MAX) << head.side());
            // Release: who meets a name has its block.
            names[shard].store(kept | u64::from(name) << head.side(), Ordering::Release);
        }
        head
    }

    /// Release: who sees the head sees the names, and what lies in the blocks.
    fn show(&self, shard: usize, head: Head) {
        self.heads[shard].store(head.0, Ordering::Release);
    }

    /// An empty block: one that was left, or a new one.
    fn take(&self, spare: &mut Spare) -> u32 {
        // Release: whoever meets a word that is stored from here on, and then looks at the head of the shard that left the
        // block, or that had a name where another is written, finds that it has grown.
        fence(Ordering::Release);
        if let Some(number) = spare.0.pop() {
            let block = self.blocks.get(number as usize).expect("it was made when it was taken first");
            block.iter().for_each(|slot| slot.store(EMPTY, Ordering::Relaxed));
            return number;
        }
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        self.blocks.make(number as usize).expect("there are blocks for all numbers that there can be");
        number as u32
    }

    /// For the writer.
    fn head(&self, shard: usize) -> Head {
        Head(self.heads[shard].load(Ordering::Relaxed))
    }

    #[inline]
    fn name(&self, shard: usize, head: Head, block: usize) -> Option<u32> {
        // Acquire: pairs with `make`. A reader whose head is an old one may meet a name that was written since.
        Some((self.names.get(block)?[shard].load(Ordering::Acquire) >> head.side()) as u32)
    }

    /// `None` if there are no slots yet.
    #[inline]
    fn block(&self, shard: usize, head: Head, block: usize) -> Option<&[AtomicU64]> {
        self.blocks.get(self.name(shard, head, block)? as usize)
    }
}

impl Head {
    fn len(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn blocks(self) -> usize {
        self.len() / BLOCK
    }

    /// By how many bits a name must be moved.
    fn side(self) -> u32 {
        (self.0 & 1) as u32 * 32
    }

    fn other_side(self, len: usize) -> Self {
        Self((len as u64) << 1 | (self.0 & 1 ^ 1))
    }

    fn home(self, within: u32) -> usize {
        ((u64::from(within) * (self.0 >> 1)) >> 32) as usize
    }

    fn after(self, at: usize) -> usize {
        if at + 1 == self.len() { 0 } else { at + 1 }
    }
}

/// The length after this one: whole blocks, an eighth more of them or one.
fn larger(len: usize) -> usize {
    let eighth = (len / 8).max(BLOCK);
    (len + eighth + BLOCK / 2) / BLOCK * BLOCK
}

/// How many a shard of this length may hold before it must grow.
fn most(len: usize) -> usize {
    len * LOAD_MAX_PERCENT / 100
}

const EMPTY: u64 = 0;

/// Two kilobytes: what names it is one part in two hundred and fifty.
const BLOCK: usize = if cfg!(tashika_loom) { 2 } else { 256 };
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

    fn put(shards: &Shards, spare: &mut Spare, shard: usize, numbers: std::ops::RangeInclusive<u32>) {
        for (number, count) in numbers.zip(0..) {
            while count >= shards.most(shard) {
                shards.grow(spare, shard);
            }
            shards.put(shard, slot(number));
        }
    }

    fn numbers(shards: &Shards, shard: usize) -> Vec<u32> {
        let mut found = Vec::new();
        shards.visit(shard, |slot| found.push(slot as u32));
        found.sort_unstable();
        found
    }

    #[test]
    fn a_shard_of_many_blocks_keeps_all_and_is_never_too_full_nor_too_empty() {
        let (shards, mut spare) = (Shards::new(2), Spare::default());
        for number in 1..=20_000_u32 {
            if number as usize > shards.most(1) {
                shards.grow(&mut spare, 1);
            }
            shards.put(1, slot(number));
            let load = f64::from(number) / shards.head(1).len() as f64;
            assert!(load <= 0.85 && (number < 4_000 || load >= 0.73), "{load} at {number}");
        }
        assert!(numbers(&shards, 1).into_iter().eq(1..=20_000));
        assert!(numbers(&shards, 0).is_empty());
        // As many again were needed while the last was copied.
        let (taken, blocks) = (shards.taken.load(Ordering::Relaxed) as usize, shards.head(1).blocks());
        assert!((blocks..2 * blocks).contains(&taken), "{taken} for {blocks}");
        assert_eq!(spare.0.len(), taken - blocks, "each is a shard's or spare");
    }

    #[test]
    fn what_a_shard_leaves_another_gets_empty() {
        let (shards, mut spare) = (Shards::new(2), Spare::default());
        put(&shards, &mut spare, 0, 1..=2_000);
        let (taken, left) = (shards.taken.load(Ordering::Relaxed), spare.0.len());
        assert!(left > 4);
        put(&shards, &mut spare, 1, 10_001..=10_400);
        assert_eq!(shards.taken.load(Ordering::Relaxed), taken);
        assert!(numbers(&shards, 0).into_iter().eq(1..=2_000));
        assert!(numbers(&shards, 1).into_iter().eq(10_001..=10_400));
    }

    /// A reader that is stopped in the middle, while its shard grows, and what it leaves becomes another's.
    #[test]
    fn who_looked_in_blocks_that_were_left_looks_again() {
        let (shards, mut spare) = (Shards::new(2), Spare::default());
        put(&shards, &mut spare, 0, 1..=200);
        let twin = slot(7) & !u64::from(u32::MAX) | 201;
        shards.put(0, twin);
        let stopped = std::cell::Cell::new(Some(&mut spare));
        // Asked about the one, it is stopped; the other, behind it, is no longer there when it goes on.
        let found = shards.find(0, (twin >> 32) as u32, |number| {
            if let Some(spare) = stopped.take() {
                shards.grow(spare, 0);
                put(&shards, spare, 1, 1_001..=1_200);
            }
            number == 201
        });
        assert_eq!(found, Some(201));
        assert!(stopped.take().is_none());
    }

    #[test]
    fn made_at_once_it_is_as_long_as_grown() {
        for count in [0, 1, 217, 218, 3_000, 20_000] {
            let (shards, mut spare) = (Shards::new(2), Spare::default());
            put(&shards, &mut spare, 0, 1..=count);
            shards.make_for(1, count as usize);
            assert_eq!(shards.head(0).len(), shards.head(1).len());
            assert!(numbers(&shards, 1).is_empty());
        }
    }
}
