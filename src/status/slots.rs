//! Sequence-checked records: written whole by one writer, read whole or not at all, used again when given up.
//!
//! The writer keeps details of changed certificates and kept replies in them (`entries`). A record is only reachable
//! through an entry's word, which the writer sets after the record is complete: so readers never meet a record that is
//! being written *for them*, and a writer that is stopped half-way holds up nobody.
//!
//! ## Why nothing torn is ever used
//!
//! A reader loads the entry's word (acquire), the record's stamp (acquire), the body (relaxed), then fences, loads the
//! entry's word again (acquire) and the stamp again: both must be as they were.
//!
//! - If any body word came from a later writing, the release fence after that writing's first, odd stamp and the
//!   reader's acquire fence order that stamp before the reader's second look at it, which therefore sees it or a later one.
//! - If the record was given up and written for somebody else before the reader came, the stamp it read was stored after
//!   the entry's word had changed, so its second look at the entry's word sees the change.
//! - If the record went elsewhere and came back to the same entry, the entry's word is as before, but the stamp that
//!   was written for its return was stored before that word, and the second look at the stamp comes after it.
//!
//! So a reader begins anew only after the entry's word has changed, and each time with a later one: as often, at most, as
//! this certificate was changed or signed for while it was read.
//!
//! The sequence has 11 bits, so a stamp could return after 2,048 writings of one record within one read of some hundred
//! nanoseconds. Each writing is a signature or an event of the ledger for the record's owner, 15 µs at the very least.

use super::sync::{AtomicU64, Ordering, fence};
use super::words::Words;

/// Records with a stamp in front, and which of them are free.
pub struct Slots {
    words: Words,
}

/// What only the writer knows of its slots.
#[derive(Default)]
pub struct Free {
    given_up: Vec<u32>,
    next: u32,
}

/// A record's stamp as a reader found it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u64);

impl Slots {
    /// Records of a stamp and `body` words, at most `records_max`.
    pub fn new(body: usize, records_max: u64) -> Self {
        Self { words: Words::new(1 + body, records_max) }
    }

    /// Begins to read: the stamp, and the body's words. `None` while it is being written for another entry.
    #[inline]
    pub fn begin(&self, slot: u32) -> Option<(Stamp, &[AtomicU64])> {
        let words = self.words.get(slot as usize)?;
        // Acquire: pairs with the release store of the stamp after the body, so the body is at least that new.
        let stamp = words[0].load(Ordering::Acquire);
        (stamp & WRITING == 0).then(|| (Stamp(stamp), &words[1..]))
    }

    /// Ends to read: whether the record is still as it was when the reader began. To be called behind `fence(Acquire)`.
    /// Acquire, for the same reason as the mark's release: if it isn't, the reader's next look at the entry is a later one.
    #[inline]
    pub fn is_still(&self, slot: u32, stamp: Stamp) -> bool {
        self.words.get(slot as usize).is_some_and(|words| words[0].load(Ordering::Acquire) == stamp.0)
    }

    /// Takes a free record and writes it; `None` if there is no more room. `head` has 52 bits.
    pub fn write(&self, free: &mut Free, head: u64, body: &[u64]) -> Option<u32> {
        assert!(head >> HEAD_BITS == 0, "a record's head has {HEAD_BITS} bits");
        let slot = free.given_up.pop().unwrap_or(free.next);
        let words = self.words.make(slot as usize)?;
        free.next = free.next.max(slot + 1);
        assert_eq!(words.len(), body.len() + 1, "records of one kind have one width");
        let before = words[0].load(Ordering::Relaxed);
        // Release: a reader that comes by an entry's word of before, and finds the record taken, learns with the mark that
        // the entry has moved on. So it begins anew with a later word, never with the same one.
        words[0].store(before | WRITING, Ordering::Release);
        // A reader that sees one of the words below also sees the mark above when it looks again.
        fence(Ordering::Release);
        for (word, value) in words[1..].iter().zip(body) {
            word.store(*value, Ordering::Relaxed);
        }
        let sequence = (before & !HEAD_MASK & !WRITING).wrapping_add(SEQUENCE_STEP);
        words[0].store(sequence | head, Ordering::Release);
        Some(slot)
    }

    /// Gives a record up. No entry may lead to it any more.
    pub fn give_up(free: &mut Free, slot: u32) {
        free.given_up.push(slot);
    }

    /// Head and body of a record, for whoever has the writer's turn.
    pub fn record(&self, slot: u32) -> Option<(u64, &[AtomicU64])> {
        let words = self.words.get(slot as usize)?;
        Some((words[0].load(Ordering::Relaxed) & HEAD_MASK, &words[1..]))
    }

    /// Puts records in their places, as [`Words::put`] does: heads without any sequence, which begins anew.
    pub fn put(&self, first: usize, octets: &[u8]) -> Option<()> {
        self.words.put(first, octets)
    }

    /// The head of a record, for the writer.
    pub fn head(&self, slot: u32) -> u64 {
        self.words.get(slot as usize).map_or(0, |words| words[0].load(Ordering::Relaxed) & HEAD_MASK)
    }
}

impl Free {
    /// With this many records in use, and none given up.
    pub fn after(count: u32) -> Self {
        Self { given_up: Vec::new(), next: count }
    }
}

impl Stamp {
    /// What the record's owner wrote into it.
    pub fn head(self) -> u64 {
        self.0 & HEAD_MASK
    }
}

pub const HEAD_BITS: u32 = 52;
const HEAD_MASK: u64 = (1 << HEAD_BITS) - 1;
const WRITING: u64 = 1 << HEAD_BITS;
const SEQUENCE_STEP: u64 = WRITING << 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn body(words: &[AtomicU64]) -> Vec<u64> {
        words.iter().map(|word| word.load(Ordering::Relaxed)).collect()
    }

    #[test]
    fn a_record_written_again_has_another_stamp() {
        let (slots, mut free) = (Slots::new(2, 100), Free::default());
        let slot = slots.write(&mut free, 7, &[1, 2]).unwrap();
        let (before, words) = slots.begin(slot).unwrap();
        assert_eq!((before.head(), body(words)), (7, vec![1, 2]));
        assert!(slots.is_still(slot, before));
        Slots::give_up(&mut free, slot);
        assert_eq!(slots.write(&mut free, 7, &[1, 2]), Some(slot), "the record is used again");
        assert!(!slots.is_still(slot, before), "though the very same was written");
        assert_ne!(slots.write(&mut free, 7, &[1, 2]), Some(slot));
    }

    #[test]
    fn the_sequence_wraps_without_touching_the_head() {
        let (slots, mut free) = (Slots::new(1, 100), Free::default());
        for round in 0..5_000_u64 {
            let head = (1 << HEAD_BITS) - 1 - round;
            let slot = slots.write(&mut free, head, &[round]).unwrap();
            let (stamp, words) = slots.begin(slot).unwrap();
            assert_eq!((slot, stamp.head(), body(words)), (0, head, vec![round]));
            Slots::give_up(&mut free, slot);
        }
    }
}
