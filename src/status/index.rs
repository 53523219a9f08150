//! From a certificate's keyed hash to its number: open addressing in shards that grow one at a time.
//!
//! The table (`table`) looks certificates up in it; the writer puts them in. A slot is one word (32 bits of hash, 32 of
//! number) and is written once, so there is nothing to tear; a shard that is full is copied into one an eighth larger
//! (or a block larger), while readers go on in the old one (`shard`). Only one shard of thousands exists twice at any time, and no
//! certificate is hashed again, since the slot holds the bits that decide its place.
//!
//! Chosen serials can't crowd a shard or a run: the hash is SipHash under a key drawn at start, so whoever doesn't know
//! the key can't do better than random serials. Long runs make a miss slower, never wrong: what is compared in the end
//! is the whole issuer and serial.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::model::CertificateKey;

use super::shard::{Shards, Spare};

/// The secret that the hash is keyed with; drawn at start, never shown, stored only under the seal of a snapshot.
#[derive(Clone)]
pub struct HashKey([u8; 16]);

/// The numbers of all certificates, by hash.
pub struct Index {
    key: HashKey,
    shards: Shards,
}

/// How many certificates each shard holds, and what shards have left: the writer's.
pub struct Counts {
    shards: Box<[u32]>,
    spare: Spare,
}

/// A certificate's hash under the index's key.
#[derive(Clone, Copy)]
pub struct KeyHash {
    shard: usize,
    /// Decides the place within the shard, and is kept in the slot.
    within: u32,
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
        Self { key, shards: Shards::new(SHARDS) }
    }

    pub fn counts() -> Counts {
        Counts { shards: vec![0; SHARDS].into(), spare: Spare::default() }
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
        self.shards.find(hash.shard, hash.within, is_it)
    }

    /// Every slot of a shard that is taken, in the order in which they lie. For whoever has the writer's turn.
    pub fn slots_of(&self, shard: usize, visit: impl FnMut(u64)) {
        self.shards.visit(shard, visit);
    }

    /// Makes a shard one with these slots, as long as one that grew until it held them. `None` if there is no such shard,
    /// or a slot is empty. For several threads at once, each with shards of its own, before anybody looks or inserts.
    pub fn fill(&self, shard: usize, slots: impl ExactSizeIterator<Item = u64>) -> Option<()> {
        if shard >= self.shards.count() {
            return None;
        }
        self.shards.make_for(shard, slots.len());
        for slot in slots {
            if slot as u32 == 0 {
                return None;
            }
            self.shards.put(shard, slot);
        }
        Some(())
    }

    /// Puts a number in, which is not zero. Its entry must be complete.
    pub fn insert(&self, counts: &mut Counts, hash: KeyHash, number: u32) {
        assert!(number != 0, "certificates are numbered from 1");
        let count = &mut counts.shards[hash.shard];
        if *count as usize >= self.shards.most(hash.shard) {
            self.shards.grow(&mut counts.spare, hash.shard);
        }
        self.shards.put(hash.shard, u64::from(hash.within) << 32 | u64::from(number));
        *count += 1;
    }
}

impl Counts {
    /// Notes what [`Index::fill`] put in.
    pub fn set(&mut self, shard: usize, count: u32) {
        self.shards[shard] = count;
    }
}

/// At 300 million a shard of 73,000 is copied in half a millisecond. As soon as each has one certificate, they take eight
/// megabytes.
pub const SHARDS: usize = if cfg!(tashika_loom) { 1 } else { 4096 };

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
        for number in 1..=1_000_000 {
            index.insert(&mut counts, index.hash(&key(number)), number);
        }
        for number in 1..=1_000_000 {
            assert_eq!(index.find(index.hash(&key(number)), |found| found == number), Some(number));
        }
        assert!((1_000_001..1_100_000).all(|number| index.find(index.hash(&key(number)), |_| true).is_none()));
        let grown = (0..SHARDS).filter(|shard| index.shards.most(*shard) > 256).count();
        assert!((SHARDS / 2..SHARDS).contains(&grown), "{grown}");
    }

    #[test]
    fn a_shard_filled_at_once_is_as_long_as_one_that_grew_and_goes_on_growing() {
        let (grown, filled) = (Index::new(HashKey::new([3; 16])), Index::new(HashKey::new([3; 16])));
        let (mut counts, mut filled_counts) = (Index::counts(), Index::counts());
        (1..=850_000).for_each(|number| grown.insert(&mut counts, grown.hash(&key(number)), number));
        for shard in 0..SHARDS {
            let mut slots = Vec::new();
            grown.slots_of(shard, |slot| slots.push(slot));
            filled_counts.set(shard, slots.len() as u32);
            filled.fill(shard, slots.into_iter()).unwrap();
            assert_eq!(filled.shards.most(shard), grown.shards.most(shard));
        }
        assert_eq!(filled_counts.shards, counts.shards);
        (850_001..=1_000_000).for_each(|number| filled.insert(&mut filled_counts, filled.hash(&key(number)), number));
        for number in 1..=1_000_000 {
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
